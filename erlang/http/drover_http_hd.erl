%% Parsers for the request headers that `drover_req:parse_header/2' knows, with the
%% results of Cowboy's. They fail on a malformed value; the class and the reason of the
%% failure mean nothing.
-module(drover_http_hd).

-export([parse/2]).


%% Fails with `error:function_clause' for a header without a parser.
-spec parse(Name :: binary(), Value :: binary()) -> any().
parse(<<"connection">>, Value) -> drover_hd_scan:list(Value, fun drover_hd_scan:token_ci/1);
parse(<<"sec-websocket-protocol">>, Value) -> drover_hd_scan:list(Value, fun drover_hd_scan:token/1);
parse(<<"sec-websocket-version">>, Value) -> websocket_version(Value);
parse(<<"upgrade">>, Value) -> drover_hd_scan:list(Value, fun protocol/1).


-spec websocket_version(binary()) -> 0..255.
websocket_version(Value) when byte_size(Value) < 4 ->
    Version = binary_to_integer(Value),
    true = Version >= 0 andalso Version =< 255,
    Version.


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
