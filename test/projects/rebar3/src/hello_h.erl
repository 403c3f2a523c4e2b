-module(hello_h).

-export([init/2, websocket_handle/2, websocket_info/2]).


init(Req, State) ->
    {cowboy_websocket, Req, State}.


websocket_handle({text, Name}, State) ->
    {[{text, ["Hello ", Name]}], State};
websocket_handle(_Frame, State) ->
    {[], State}.


websocket_info(_Message, State) ->
    {[], State}.
