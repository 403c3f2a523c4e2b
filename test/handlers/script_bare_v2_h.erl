%% As script_v2_h, without the callbacks that are optional.
-module(script_bare_v2_h).

-export([init/2]).
-export([websocket_handle/2]).
-export([websocket_info/2]).


init(Req, RouteState) ->
    ws_script:upgrade(Req, RouteState).


websocket_handle(Frame, Script) ->
    script_v2_h:websocket_handle(Frame, Script).


websocket_info(Message, Script) ->
    script_v2_h:websocket_info(Message, Script).
