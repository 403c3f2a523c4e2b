%% Has no terminate/3, nor websocket_init/1: arity 2.
-module(no_terminate_v2_h).

-export([init/2]).
-export([websocket_handle/2]).
-export([websocket_info/2]).


init(#{pid := Pid} = Req, Test) ->
    Test ! {connected, Pid},
    {cowboy_websocket, Req, Test}.


websocket_handle(_Frame, State) ->
    {[], State}.


websocket_info(_Message, State) ->
    {[], State}.
