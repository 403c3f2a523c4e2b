%% The `authorization' header: basic, bearer and digest credentials.
-module(drover_hd_authorization).

-export([parse/1]).

-type credentials() ::
        {basic, User :: binary(), Password :: binary()} |
        {bearer, binary()} |
        {digest, [{binary(), binary()}]}.


-spec parse(binary()) -> credentials().
parse(Value) ->
    [Scheme, Rest] = binary:split(Value, <<" ">>),
    credentials(drover_hd_scan:lower(Scheme), Rest).


-spec credentials(binary(), binary()) -> credentials().
credentials(<<"basic">>, Text) ->
    [User, Password] = binary:split(base64:decode(Text), <<":">>),
    {basic, User, Password};
credentials(<<"bearer">>, Text) when Text =/= <<>> ->
    {_, Padding} = drover_hd_scan:take_while(fun is_token68_char/1, Text),
    {_, <<>>} = drover_hd_scan:take_while(fun(C) -> C =:= $= end, Padding),
    {bearer, Text};
credentials(<<"digest">>, Text) ->
    {digest, drover_hd_scan:list(Text, fun digest_parameter/1)}.


-spec is_token68_char(byte()) -> boolean().
is_token68_char(C) when C >= $a, C =< $z; C >= $A, C =< $Z; C >= $0, C =< $9 -> true;
is_token68_char(C) -> lists:member(C, "-._~+/").


-spec digest_parameter(binary()) -> {{binary(), binary()}, Rest :: binary()}.
digest_parameter(Text) ->
    {Name, <<$=, Rest/binary>>} = drover_hd_scan:token_ci(Text),
    {Value, Rest2} = drover_hd_scan:word(Rest),
    {{Name, Value}, Rest2}.
