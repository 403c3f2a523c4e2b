%% Echoes text and binary messages, in the API of Cowboy 2.0.0-pre.1 to pre.3; its route says after which silence it ends.
-module(echo_p_h).

-export([init/2, websocket_handle/3, websocket_info/3]).


init(Req, Timeout) ->
    {cowboy_websocket, Req, undefined, Timeout}.


websocket_handle({Type, _} = Message, Req, State) when Type =:= text; Type =:= binary ->
    {reply, Message, Req, State};
websocket_handle(_Control, Req, State) ->
    {ok, Req, State}.


websocket_info(_Message, Req, State) ->
    {ok, Req, State}.
