%% Has the callbacks of both APIs and answers which of them were called.
-module(both_apis_h).

-export([init/2]).
-export([websocket_handle/2, websocket_handle/3]).
-export([websocket_info/2, websocket_info/3]).


init(Req, State) ->
    {cowboy_websocket, Req, State}.


websocket_handle(_Frame, State) ->
    {[{text, <<"arity 2">>}], State}.


websocket_handle(_Frame, Req, State) ->
    {reply, {text, <<"arity 3">>}, Req, State}.


websocket_info(_Message, State) ->
    {[], State}.


websocket_info(_Message, Req, State) ->
    {ok, Req, State}.
