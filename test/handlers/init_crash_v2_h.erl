%% Crashes in init/2 and tells of terminate/3: arity 2.
-module(init_crash_v2_h).

-export([init/2]).
-export([websocket_handle/2]).
-export([websocket_info/2]).
-export([terminate/3]).


init(_Req, #{class := Class}) ->
    erlang:Class(boom).


websocket_handle(_Frame, State) ->
    {[], State}.


websocket_info(_Message, State) ->
    {[], State}.


terminate(Reason, Req, #{pid := Pid} = State) ->
    Pid ! {terminate, Reason, Req, State},
    ok.
