%% Crashes in init/2 and tells of terminate/3: arity 3.
-module(init_crash_v2pre_h).

-export([init/2]).
-export([websocket_handle/3]).
-export([websocket_info/3]).
-export([terminate/3]).


init(_Req, #{class := Class}) ->
    erlang:Class(boom).


websocket_handle(_Frame, Req, State) ->
    {ok, Req, State}.


websocket_info(_Message, Req, State) ->
    {ok, Req, State}.


terminate(Reason, Req, #{pid := Pid} = State) ->
    Pid ! {terminate, Reason, Req, State},
    ok.
