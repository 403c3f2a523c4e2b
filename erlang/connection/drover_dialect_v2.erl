%% Handlers with callbacks of arity 2: websocket_init/1, websocket_handle/2, websocket_info/2.
%%
%% The local state is the handler's own. The usual result, {Commands, State}, is passed on as it is.
-module(drover_dialect_v2).

-behaviour(drover_dialect).

-export([new/2]).
-export([init/2]).
-export([handle/3]).
-export([info/3]).
-export([terminate/4]).
-export([raise/5]).
-export([speaks_otp/0]).

-type state() :: term().


%% @private
-spec new(map(), state()) -> state().
new(_Req, HandlerState) ->
    HandlerState.


%% @private
-spec init(module(), state()) -> drover_dialect:outcome().
init(Handler, HandlerState) ->
    case erlang:function_exported(Handler, websocket_init, 1) of
        true -> websocket_init(Handler, HandlerState);
        false -> {[], HandlerState}
    end.


websocket_init(Handler, HandlerState) ->
    try Handler:websocket_init(HandlerState) of
        Result -> outcome(Result)
    catch
        Class:Reason:Stacktrace -> {crash, Class, Reason, Stacktrace}
    end.


%% @private
-spec handle(drover_native:event(), module(), state()) -> drover_dialect:outcome().
handle(Frame, Handler, HandlerState) ->
    try Handler:websocket_handle(Frame, HandlerState) of
        Result -> outcome(Result)
    catch
        Class:Reason:Stacktrace -> {crash, Class, Reason, Stacktrace}
    end.


%% @private
-spec info(term(), module(), state()) -> drover_dialect:outcome().
info(Message, Handler, HandlerState) ->
    try Handler:websocket_info(Message, HandlerState) of
        Result -> outcome(Result)
    catch
        Class:Reason:Stacktrace -> {crash, Class, Reason, Stacktrace}
    end.


%% @private
-spec terminate(term(), module(), term(), state()) -> term().
terminate(Reason, Handler, Req, HandlerState) ->
    case erlang:function_exported(Handler, terminate, 3) of
        true -> Handler:terminate(Reason, Req, HandlerState);
        false -> ok
    end.


%% @private
-spec raise({crash, error | exit | throw, term(), list()},
            drover_dialect:callback(),
            term(),
            module(),
            state()) -> no_return().
raise({crash, Class, Reason, Stacktrace}, _Callback, _Message, _Handler, _HandlerState) ->
    erlang:raise(Class, Reason, Stacktrace).


%% @private
-spec speaks_otp() -> true.
speaks_otp() ->
    true.


%% A result that is none of these ends the process as it does in Cowboy, with neither a close frame nor
%% a call of terminate/3.
outcome({Commands, _HandlerState} = Result) when is_list(Commands) ->
    Result;
outcome({Commands, _HandlerState, hibernate} = Result) when is_list(Commands) ->
    Result;
outcome({ok, HandlerState}) ->
    {[], HandlerState};
outcome({ok, HandlerState, hibernate}) ->
    {[], HandlerState, hibernate};
outcome({reply, Payload, HandlerState}) ->
    {drover_commands:frames(Payload), HandlerState};
outcome({reply, Payload, HandlerState, hibernate}) ->
    {drover_commands:frames(Payload), HandlerState, hibernate};
outcome({stop, _HandlerState} = Result) ->
    Result;
outcome(Invalid) ->
    erlang:error({try_clause, Invalid}).
