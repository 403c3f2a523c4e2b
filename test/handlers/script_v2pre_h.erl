%% Does in each callback what the test says, and tells the test of each call (see ws_script): arity 3, Cowboy 2.0.0-pre.1 to pre.3.
-module(script_v2pre_h).

-export([init/2]).
-export([websocket_handle/3]).
-export([websocket_info/3]).
-export([terminate/3]).


init(Req, RouteState) ->
    ws_script:upgrade(Req, RouteState).


websocket_handle(Frame, Req, Script) ->
    result(handle, Frame, Req, Script).


websocket_info(Message, Req, Script) ->
    result(info, Message, Req, Script).


terminate(Reason, Req, Script) ->
    ws_script:terminate(Reason, Req, Script).


result(Callback, Argument, Req, Script) ->
    ok = ws_script:seen(Req, Script),
    Act = ws_script:act(Callback, Argument, Script),
    result(Act, Req, ws_script:count(Script)).


result({return, Result}, _Req, _Script) -> Result;
result({tuple, Elements}, Req, Script) -> ws_script:tuple(Elements, #{req => Req, state => Script});
result({return_with, Change}, Req, Script) -> {ok, Change(Req), Script};
result(stop, Req, Script) -> {stop, Req, Script};
result(ok, Req, #{hibernate := true} = Script) -> {ok, Req, Script, hibernate};
result(ok, Req, Script) -> {ok, Req, Script};
result({reply, Frames}, Req, #{hibernate := true} = Script) -> {reply, Frames, Req, Script, hibernate};
result({reply, Frames}, Req, Script) -> {reply, Frames, Req, Script}.
