%% Does in each callback what the test says, and tells the test of each call (see ws_script): arity 2, Cowboy 2.x.
-module(script_v2_h).

-export([init/2]).
-export([websocket_init/1]).
-export([websocket_handle/2]).
-export([websocket_info/2]).
-export([terminate/3]).


init(Req, RouteState) ->
    ws_script:upgrade(Req, RouteState).


websocket_init(Script) ->
    result(init, undefined, Script).


websocket_handle(Frame, Script) ->
    result(handle, Frame, Script).


websocket_info(Message, Script) ->
    result(info, Message, Script).


terminate(Reason, Req, Script) ->
    ws_script:terminate(Reason, Req, Script).


result(Callback, Argument, Script) ->
    Act = ws_script:act(Callback, Argument, Script),
    result(Act, ws_script:count(Script)).


result({return, Result}, _Script) -> Result;
result({tuple, Elements}, Script) -> ws_script:tuple(Elements, #{state => Script});
result(stop, Script) -> {stop, Script};
result(Act, #{hibernate := true} = Script) -> {commands(Act), Script, hibernate};
result(Act, Script) -> {commands(Act), Script}.


commands(ok) -> [];
commands({reply, Frames}) when is_list(Frames) -> Frames;
commands({reply, Frame}) -> [Frame];
commands({commands, Commands}) -> Commands.
