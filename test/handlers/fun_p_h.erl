%% Runs the fun of a case (see fun_handler.erl) as a handler of Cowboy 2.0.0-pre.1 to pre.3: arity 3, no websocket_init.
-module(fun_p_h).

-export([init/2, websocket_handle/3, websocket_info/3, terminate/3]).


init(Req, Script) ->
    fun_handler:report(Script, {upgrade, Req}),
    fun_handler:pre_init(fun_handler:prepare(Script, Req), Script).


websocket_handle(Frame, Req, Script) ->
    fun_handler:run_p(Script, Req, {handle, Frame}).


websocket_info(Message, Req, Script) ->
    fun_handler:run_p(Script, Req, {info, Message}).


terminate(Reason, Req, Script) ->
    fun_handler:terminated(Script, Reason, Req).
