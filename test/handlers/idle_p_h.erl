%% Does nothing, in the API of Cowboy 2.0.0-pre.1 to pre.3; hibernates if its state says so.
-module(idle_p_h).

-export([init/2, websocket_handle/3, websocket_info/3]).


init(Req, hibernate) ->
    {cowboy_websocket, Req, hibernate, hibernate};
init(Req, State) ->
    {cowboy_websocket, Req, State}.


websocket_handle(_Frame, Req, State) ->
    {ok, Req, State}.


websocket_info(_Message, Req, State) ->
    {ok, Req, State}.
