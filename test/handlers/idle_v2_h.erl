%% Does nothing, in the API of Cowboy 2; hibernates if its state says so.
-module(idle_v2_h).

-export([init/2, websocket_init/1, websocket_handle/2, websocket_info/2]).


init(Req, State) ->
    {cowboy_websocket, Req, State, #{idle_timeout => infinity}}.


websocket_init(hibernate) ->
    {ok, hibernate, hibernate};
websocket_init(State) ->
    {ok, State}.


websocket_handle(_Frame, State) ->
    {ok, State}.


websocket_info(_Message, State) ->
    {ok, State}.
