%% The request: everything that a handler may ask of it, and the response.
-module(drover_req).
-export([header/2, header/3, parse_header/2, parse_header/3]).
-export_type([req/0]).
-type req() :: #{atom() => any()}.


-spec header(binary(), req()) -> binary() | undefined.
header(Name, Req) -> header(Name, Req, undefined).


-spec header(binary(), req(), Default) -> binary() | Default.
header(Name, #{headers := Headers}, Default) -> maps:get(Name, Headers, Default).


-spec parse_header(binary(), req()) -> any().
parse_header(Name, Req) -> parse_header(Name, Req, undefined).


-spec parse_header(binary(), req(), any()) -> any().
parse_header(Name, Req, Default) ->
    try
        case header(Name, Req) of
            undefined -> Default;
            Value -> drover_http_hd:parse(Name, Value)
        end
    catch
        _:_:Stack ->
            Reason = 'Malformed header. Please consult the relevant specification.',
            erlang:raise(exit, {request_error, {header, Name}, Reason}, Stack)
    end.
