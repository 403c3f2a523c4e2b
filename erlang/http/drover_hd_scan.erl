%% The pieces that header grammars are made of (RFC 9110 5.6): tokens, lists, quoted
%% strings, parameters.
%%
%% A scanner takes text and gives what it read with the text after it. Anything that
%% does not fit the grammar is an `error:badarg'.
-module(drover_hd_scan).

-export([list/2, possibly_empty_list/2]).
-export([token/1, token_ci/1, quoted/1, word/1, media_type/1, parameters/2, next_parameter/1]).
-export([skip_space/1, lower/1, take_while/2, is_token_char/1]).

-export_type([scanner/1]).

-type scanner(Item) :: fun((binary()) -> {Item, Rest :: binary()}).


%% A comma-separated list of one item at least; empty elements do not count.
-spec list(binary(), scanner(Item)) -> [Item].
list(Text, Scanner) ->
    case possibly_empty_list(Text, Scanner) of
        [] -> error(badarg);
        Items -> Items
    end.


-spec possibly_empty_list(binary(), scanner(Item)) -> [Item].
possibly_empty_list(<<>>, _) ->
    [];
possibly_empty_list(<<C, Rest/binary>>, Scanner) when C =:= $\s; C =:= $\t; C =:= $, ->
    possibly_empty_list(Rest, Scanner);
possibly_empty_list(Text, Scanner) ->
    {Item, Rest} = Scanner(Text),
    [Item | possibly_empty_list(after_item(skip_space(Rest)), Scanner)].


-spec after_item(binary()) -> binary().
after_item(<<>>) -> <<>>;
after_item(<<$,, Rest/binary>>) -> Rest;
after_item(_) -> error(badarg).


-spec token(binary()) -> {binary(), binary()}.
token(Text) ->
    case take_while(fun is_token_char/1, Text) of
        {<<>>, _} -> error(badarg);
        Scanned -> Scanned
    end.


%% A token whose case does not matter, in lower case.
-spec token_ci(binary()) -> {binary(), binary()}.
token_ci(Text) ->
    {Token, Rest} = token(Text),
    {lower(Token), Rest}.


-spec is_token_char(byte()) -> boolean().
is_token_char(C) when C >= $a, C =< $z; C >= $A, C =< $Z; C >= $0, C =< $9 -> true;
is_token_char(C) -> lists:member(C, "!#$%&'*+-.^_`|~").


%% A quoted string, from its opening quote on, without quotes and escapes.
-spec quoted(binary()) -> {binary(), binary()}.
quoted(<<$", Text/binary>>) -> quoted(Text, <<>>).


-spec quoted(binary(), binary()) -> {binary(), binary()}.
quoted(<<$", Rest/binary>>, Done) -> {Done, Rest};
quoted(<<$\\, Rest/binary>>, Done) -> quoted_char(Rest, Done);
quoted(Text, Done) -> quoted_char(Text, Done).


-spec quoted_char(binary(), binary()) -> {binary(), binary()}.
quoted_char(<<C, Rest/binary>>, Done) when C =:= $\t; C >= $\s, C =/= 127 ->
    quoted(Rest, <<Done/binary, C>>).


%% A token or a quoted string.
-spec word(binary()) -> {binary(), binary()}.
word(<<$", _/binary>> = Text) -> quoted(Text);
word(Text) -> token(Text).


%% `type/subtype', in lower case.
-spec media_type(binary()) -> {{binary(), binary()}, binary()}.
media_type(Text) ->
    {Type, <<$/, Rest/binary>>} = token_ci(Text),
    {SubType, Rest2} = token_ci(Rest),
    {{Type, SubType}, Rest2}.


%% `; name=value' any number of times, names in lower case. In the `accept' header they
%% end where the weight begins (`; q=0.5').
-spec parameters(binary(), all | until_weight) -> {[{binary(), binary()}], binary()}.
parameters(Text, Extent) ->
    case {next_parameter(Text), Extent} of
        {{ok, <<"q=", _/binary>>}, until_weight} ->
            {[], Text};
        {{ok, Parameter}, _} ->
            {Name, <<$=, Rest/binary>>} = token(Parameter),
            {Value, Rest2} = word(Rest),
            {Parameters, Rest3} = parameters(Rest2, Extent),
            {[{lower(Name), parameter_value(Name, Value)} | Parameters], Rest3};
        {none, _} ->
            {[], skip_space(Text)}
    end.


%% Names of character sets are compared without regard to case.
-spec parameter_value(binary(), binary()) -> binary().
parameter_value(<<"charset">>, Value) -> lower(Value);
parameter_value(_, Value) -> Value.


%% What stands after a semicolon, if there is one.
-spec next_parameter(binary()) -> {ok, binary()} | none.
next_parameter(Text) ->
    case skip_space(Text) of
        <<$;, Rest/binary>> -> {ok, skip_space(Rest)};
        _ -> none
    end.


-spec skip_space(binary()) -> binary().
skip_space(<<C, Rest/binary>>) when C =:= $\s; C =:= $\t -> skip_space(Rest);
skip_space(Text) -> Text.


%% ASCII lower case.
-spec lower(binary()) -> binary().
lower(Text) ->
    << <<(lower_char(C))>> || <<C>> <= Text >>.


-spec lower_char(byte()) -> byte().
lower_char(C) when C >= $A, C =< $Z -> C + 32;
lower_char(C) -> C.


-spec take_while(fun((byte()) -> boolean()), binary()) -> {binary(), binary()}.
take_while(Fits, Text) ->
    take_while(Fits, Text, 0).


-spec take_while(fun((byte()) -> boolean()), binary(), non_neg_integer()) -> {binary(), binary()}.
take_while(Fits, Text, Length) ->
    case Text of
        <<_:Length/binary, C, _/binary>> ->
            case Fits(C) of
                true -> take_while(Fits, Text, Length + 1);
                false -> split_binary(Text, Length)
            end;
        _ ->
            {Text, <<>>}
    end.
