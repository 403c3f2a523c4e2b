%% Echoes text and binary messages with the callbacks of Cowboy 2.x.
-module(echo_v2).
-behaviour(cowboy_websocket).

-export([init/2, websocket_handle/2, websocket_info/2]).


init(Req, State) ->
    Opts = #{compress => true, idle_timeout => infinity, max_frame_size => 64 * 1024 * 1024},
    {cowboy_websocket, Req, State, Opts}.


websocket_handle(Frame = {text, _}, State) ->
    {[Frame], State};
websocket_handle(Frame = {binary, _}, State) ->
    {[Frame], State};
websocket_handle(_PingOrPong, State) ->
    {[], State}.


websocket_info(_Message, State) ->
    {[], State}.
