%% Has no terminate/3: arity 3.
-module(no_terminate_v2pre_h).

-export([init/2]).
-export([websocket_handle/3]).
-export([websocket_info/3]).


init(#{pid := Pid} = Req, Test) ->
    Test ! {connected, Pid},
    {cowboy_websocket, Req, Test}.


websocket_handle(_Frame, Req, State) ->
    {ok, Req, State}.


websocket_info(_Message, Req, State) ->
    {ok, Req, State}.
