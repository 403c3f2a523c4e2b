%% Parsers for the request headers that `drover_req:parse_header/2' knows, with the
%% results of Cowboy's. They fail on a malformed value; the class and the reason of the
%% failure mean nothing.
-module(drover_http_hd).

-export([parser/1]).

-type parser() :: fun((binary()) -> any()).


%% The parser of a header. Fails with `error:function_clause' if there is none.
-spec parser(Name :: binary()) -> parser().
parser(<<"accept">>) -> fun drover_hd_accept:media_ranges/1;
parser(<<"accept-charset">>) -> fun drover_hd_accept:charsets/1;
parser(<<"accept-encoding">>) -> fun drover_hd_accept:encodings/1;
parser(<<"accept-language">>) -> fun drover_hd_accept:languages/1;
parser(<<"authorization">>) -> fun drover_hd_authorization:parse/1;
parser(<<"connection">>) -> fun tokens_ci/1;
parser(<<"content-length">>) -> fun content_length/1;
parser(<<"content-type">>) -> fun content_type/1;
parser(<<"cookie">>) -> fun drover_cookie:parse/1;
parser(<<"expect">>) -> fun expect/1;
parser(<<"origin">>) -> fun drover_hd_origin:parse/1;
parser(<<"proxy-authorization">>) -> fun drover_hd_authorization:parse/1;
parser(<<"sec-websocket-extensions">>) -> fun websocket_extensions/1;
parser(<<"sec-websocket-protocol">>) -> fun websocket_protocols/1;
parser(<<"sec-websocket-version">>) -> fun websocket_version/1;
parser(<<"upgrade">>) -> fun upgrade/1;
parser(<<"x-forwarded-for">>) -> fun forwarded_for/1.


-spec tokens_ci(binary()) -> [binary()].
tokens_ci(Value) ->
    drover_hd_scan:list(Value, fun drover_hd_scan:token_ci/1).


-spec content_length(binary()) -> non_neg_integer().
content_length(Value) ->
    number(Value).


%% Digits alone, without the sign that binary_to_integer/1 would take.
-spec number(binary()) -> non_neg_integer().
number(Value) ->
    nomatch = binary:match(Value, [<<"+">>, <<"-">>]),
    binary_to_integer(Value).


-spec content_type(binary()) -> {Type :: binary(), SubType :: binary(), [{binary(), binary()}]}.
content_type(Value) ->
    {{Type, SubType}, Rest} = drover_hd_scan:media_type(Value),
    {Parameters, <<>>} = drover_hd_scan:parameters(Rest, all),
    {Type, SubType, Parameters}.


-spec expect(binary()) -> continue.
expect(Value) ->
    <<"100-continue">> = drover_hd_scan:lower(Value),
    continue.


%% Sub-protocol names keep their case: RFC 6455 11.5 compares them as they are.
-spec websocket_protocols(binary()) -> [binary()].
websocket_protocols(Value) ->
    drover_hd_scan:list(Value, fun drover_hd_scan:token/1).


-spec websocket_version(binary()) -> 0..255.
websocket_version(Value) when byte_size(Value) < 4 ->
    Version = number(Value),
    true = Version =< 255,
    Version.


-spec websocket_extensions(binary()) -> [{binary(), [binary() | {binary(), binary()}]}].
websocket_extensions(Value) ->
    drover_hd_scan:list(Value, fun websocket_extension/1).


-spec websocket_extension(binary()) ->
          {{binary(), [binary() | {binary(), binary()}]}, Rest :: binary()}.
websocket_extension(Value) ->
    {Name, Rest} = drover_hd_scan:token(Value),
    {Parameters, Rest2} = extension_parameters(drover_hd_scan:skip_space(Rest)),
    {{Name, Parameters}, Rest2}.


-spec extension_parameters(binary()) -> {[binary() | {binary(), binary()}], Rest :: binary()}.
extension_parameters(<<$;, Value/binary>>) ->
    {Parameter, Rest} = extension_parameter(drover_hd_scan:skip_space(Value)),
    {Parameters, Rest2} = extension_parameters(drover_hd_scan:skip_space(Rest)),
    {[Parameter | Parameters], Rest2};
extension_parameters(Rest) ->
    {[], Rest}.


-spec extension_parameter(binary()) -> {binary() | {binary(), binary()}, Rest :: binary()}.
extension_parameter(Value) ->
    case drover_hd_scan:token(Value) of
        {Name, <<$=, Word/binary>>} ->
            {Text, Rest} = drover_hd_scan:word(Word),
            %% RFC 6455 9.1: what is quoted must be a token as well.
            {Text, <<>>} = drover_hd_scan:take_while(fun drover_hd_scan:is_token_char/1, Text),
            {{Name, Text}, Rest};
        {Name, Rest} ->
            {Name, Rest}
    end.


-spec upgrade(binary()) -> [binary()].
upgrade(Value) ->
    drover_hd_scan:list(Value, fun protocol/1).


%% `name' or `name/version'.
-spec protocol(binary()) -> {binary(), binary()}.
protocol(Value) ->
    case drover_hd_scan:token_ci(Value) of
        {Name, <<$/, Rest/binary>>} ->
            {Version, Rest2} = drover_hd_scan:token_ci(Rest),
            {<<Name/binary, $/, Version/binary>>, Rest2};
        Scanned ->
            Scanned
    end.


-spec forwarded_for(binary()) -> [binary()].
forwarded_for(Value) ->
    drover_hd_scan:list(Value, fun node_id/1).


-spec node_id(binary()) -> {binary(), binary()}.
node_id(Value) ->
    case drover_hd_scan:take_while(fun is_node_char/1, Value) of
        {<<>>, _} -> error(badarg);
        Scanned -> Scanned
    end.


-spec is_node_char(byte()) -> boolean().
is_node_char(C) when C >= $a, C =< $z; C >= $A, C =< $Z; C >= $0, C =< $: -> true;
is_node_char(C) -> lists:member(C, "-._[]").
