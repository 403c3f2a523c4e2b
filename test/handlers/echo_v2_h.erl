%% Echoes text and binary messages, in the API of Cowboy 2; its route says with which options.
-module(echo_v2_h).

-export([init/2, websocket_handle/2, websocket_info/2]).


init(Req, Opts) ->
    {cowboy_websocket, Req, undefined, Opts}.


websocket_handle({Type, _} = Message, State) when Type =:= text; Type =:= binary ->
    {[Message], State};
websocket_handle(_Control, State) ->
    {[], State}.


websocket_info(_Message, State) ->
    {[], State}.
