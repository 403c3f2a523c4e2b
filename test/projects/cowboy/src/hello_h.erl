-module(hello_h).
-behaviour(cowboy_websocket).

-export([init/2, websocket_handle/2, websocket_info/2]).


init(Req, []) ->
    {cowboy_websocket, Req, cowboy_req:binding(greeting, Req, <<"Hello">>)}.


websocket_handle({text, Name}, Greeting) ->
    {[{text, [Greeting, " ", Name]}], Greeting};
websocket_handle(_Frame, Greeting) ->
    {[], Greeting}.


websocket_info(_Message, Greeting) ->
    {[], Greeting}.
