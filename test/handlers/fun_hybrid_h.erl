%% Runs the fun of a case (see fun_handler.erl) as a handler of Cowboy 2.0.0-pre.4 to pre.6: callbacks of arity 2, the
%% older results of init.
-module(fun_hybrid_h).

-export([init/2, websocket_init/1, websocket_handle/2, websocket_info/2, terminate/3]).


init(Req, Script) ->
    fun_handler:report(Script, {upgrade, Req}),
    fun_handler:pre_init(fun_handler:prepare(Script, Req), Script).


websocket_init(Script) ->
    fun_handler:run_v2(Script, init).


websocket_handle(Frame, Script) ->
    fun_handler:run_v2(Script, {handle, Frame}).


websocket_info(Message, Script) ->
    fun_handler:run_v2(Script, {info, Message}).


terminate(Reason, Req, Script) ->
    fun_handler:terminated(Script, Reason, Req).
