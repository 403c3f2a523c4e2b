%% Handlers with callbacks of arity 3: websocket_handle/3 and websocket_info/3, which take the request
%% and give it back.
%%
%% The local state is the request together with the handler's own state.
-module(drover_dialect_v2pre).

-behaviour(drover_dialect).

-export([new/2]).
-export([init/2]).
-export([handle/3]).
-export([info/3]).
-export([terminate/4]).
-export([raise/5]).
-export([speaks_otp/0]).

-type local() :: {Req :: term(), HandlerState :: term()}.


%% @private
-spec new(map(), term()) -> local().
new(Req, HandlerState) ->
    {Req, HandlerState}.


%% @private There is no websocket_init in this dialect.
-spec init(module(), local()) -> drover_dialect:outcome().
init(_Handler, Local) ->
    {[], Local}.


%% @private
-spec handle(drover_native:event(), module(), local()) -> drover_dialect:outcome().
handle(Frame, Handler, {Req, HandlerState}) ->
    try Handler:websocket_handle(Frame, Req, HandlerState) of
        Result -> outcome(Result)
    catch
        Class:Reason:Stacktrace -> {crash, Class, Reason, Stacktrace}
    end.


%% @private
-spec info(term(), module(), local()) -> drover_dialect:outcome().
info(Message, Handler, {Req, HandlerState}) ->
    try Handler:websocket_info(Message, Req, HandlerState) of
        Result -> outcome(Result)
    catch
        Class:Reason:Stacktrace -> {crash, Class, Reason, Stacktrace}
    end.


%% @private
-spec terminate(term(), module(), term(), local()) -> term().
terminate(Reason, Handler, _KeptReq, {Req, HandlerState}) ->
    case erlang:function_exported(Handler, terminate, 3) of
        true -> Handler:terminate(Reason, Req, HandlerState);
        false -> ok
    end.


%% @private
-spec raise({crash, error | exit | throw, term(), list()},
            drover_dialect:callback(),
            term(),
            module(),
            local()) -> no_return().
raise({crash, Class, Reason, Stacktrace}, Callback, Message, Handler, {Req, HandlerState}) ->
    exit(
      {cowboy_handler, [{class, Class},
                        {reason, Reason},
                        {mfa, {Handler, Callback, 3}},
                        {stacktrace, Stacktrace},
                        {msg, Message},
                        {req, Req},
                        {state, HandlerState}]}).


%% @private
-spec speaks_otp() -> false.
speaks_otp() ->
    false.


outcome({ok, Req, HandlerState}) ->
    {[], {Req, HandlerState}};
outcome({ok, Req, HandlerState, hibernate}) ->
    {[], {Req, HandlerState}, hibernate};
outcome({reply, Payload, Req, HandlerState}) ->
    {drover_commands:leading_frames(Payload), {Req, HandlerState}};
outcome({reply, Payload, Req, HandlerState, hibernate}) ->
    {drover_commands:leading_frames(Payload), {Req, HandlerState}, hibernate};
outcome({stop, Req, HandlerState}) ->
    {stop, {Req, HandlerState}};
outcome(Invalid) ->
    erlang:error({try_clause, Invalid}).
