%% Echoes text and binary messages with the callbacks of Cowboy 2.0.0-pre.1 to pre.3.
-module(echo_v2pre).
-behaviour(cowboy_websocket).

-export([init/2, websocket_handle/3, websocket_info/3]).


init(Req, State) ->
    {cowboy_websocket, Req, State}.


websocket_handle(Frame = {text, _}, Req, State) ->
    {reply, Frame, Req, State};
websocket_handle(Frame = {binary, _}, Req, State) ->
    {reply, Frame, Req, State};
websocket_handle(_PingOrPong, Req, State) ->
    {ok, Req, State}.


websocket_info(_Message, Req, State) ->
    {ok, Req, State}.
