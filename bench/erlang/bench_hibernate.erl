%% Echoes, and sleeps after every message.
-module(bench_hibernate).
-behaviour(cowboy_websocket).

-export([init/2, websocket_init/1, websocket_handle/2, websocket_info/2]).


init(Req, State) ->
    {cowboy_websocket, Req, State, #{compress => true, idle_timeout => infinity}}.


websocket_init(State) ->
    {[], State, hibernate}.


websocket_handle(Frame, State) ->
    {[Frame], State, hibernate}.


websocket_info(_Message, State) ->
    {[], State, hibernate}.
