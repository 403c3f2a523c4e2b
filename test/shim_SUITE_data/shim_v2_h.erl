%% A handler of arity 2 that knows Cowboy only.
-module(shim_v2_h).

-behaviour(cowboy_websocket).

-export([init/2, websocket_init/1, websocket_handle/2, websocket_info/2, terminate/3]).


-spec init(cowboy_req:req(), any()) -> {cowboy_websocket, cowboy_req:req(), any(), cowboy_websocket:opts()}.
init(Req, _) ->
    [Protocol | _] = cowboy_req:parse_header(<<"sec-websocket-protocol">>, Req),
    Room = cowboy_req:binding(room, Req),
    {cowboy_websocket, cowboy_req:set_resp_header(<<"sec-websocket-protocol">>, Protocol, Req),
                       Room,
                       #{idle_timeout => 30000}}.


-spec websocket_init(State) -> cowboy_websocket:call_result(State).
websocket_init(Room) ->
    {[{text, ["room ", integer_to_binary(Room)]}], Room}.


-spec websocket_handle(cowboy_websocket:in_frame(), State) -> cowboy_websocket:call_result(State).
websocket_handle({text, Text}, Room) ->
    self() ! {say, Text},
    {ok, Room};
websocket_handle(_, Room) ->
    {[], Room}.


-spec websocket_info(any(), State) -> cowboy_websocket:call_result(State).
websocket_info({say, Text}, Room) ->
    {reply, {text, Text}, Room}.


-spec terminate(any(), any(), any()) -> ok.
terminate(_, _, _) ->
    ok.
