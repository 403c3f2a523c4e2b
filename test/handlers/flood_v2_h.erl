%% Echoes text, and of binary messages counts the bytes, in the counter that it is given.
-module(flood_v2_h).

-export([init/2, websocket_handle/2, websocket_info/2]).


-spec init(Req, counters:counters_ref()) -> {cowboy_websocket, Req, counters:counters_ref(), map()}.
init(Req, Counter) ->
    {cowboy_websocket, Req, Counter, #{idle_timeout => infinity}}.


-spec websocket_handle(any(), counters:counters_ref()) -> {list(), counters:counters_ref()}.
websocket_handle({binary, Bytes}, Counter) ->
    ok = counters:add(Counter, 1, byte_size(Bytes)),
    {[], Counter};
websocket_handle({text, _} = Text, Counter) ->
    {[Text], Counter}.


-spec websocket_info(any(), counters:counters_ref()) -> {list(), counters:counters_ref()}.
websocket_info(_Message, Counter) ->
    {[], Counter}.
