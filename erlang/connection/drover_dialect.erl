%% The two forms in which handlers are written, as a behaviour of the modules that speak them, and
%% the choice between them.
%%
%% A dialect calls the handler and brings what it returned into one form. What the handler
%% needs from one call to the next is the dialect's own affair, its local().
-module(drover_dialect).

-export([api/2]).
-export([module/1]).

%% v2: callbacks of arity 2, Cowboy 2.0.0-pre.4 and later. v2pre: callbacks of arity 3, before that.
-type api() :: v2 | v2pre.

-type local() :: term().

-type callback() :: websocket_init | websocket_handle | websocket_info.

%% What is to be done after a callback. {part, Frames, Why} sends the frames and then crashes.
-type todo() ::
        [drover_commands:command()] |
        stop |
        {part, [drover_native:out_item()], Why :: term()}.

-type outcome() ::
        {todo(), local()} |
        {todo(), local(), hibernate} |
        {crash, error | exit | throw, term(), Stacktrace :: list()}.

-export_type([api/0, local/0, callback/0, todo/0, outcome/0]).


-callback new(Req :: map(), HandlerState :: term()) -> local().
-callback init(module(), local()) -> outcome().
-callback handle(drover_native:event(), module(), local()) -> outcome().
-callback info(term(), module(), local()) -> outcome().
%% Req is what was kept at the upgrade, which a dialect may ignore.
-callback terminate(Reason :: term(), module(), Req :: term(), local()) -> term().
%% The end of a process whose handler crashed.
-callback raise({crash, error | exit | throw, term(), list()}, callback(), term(), module(), local()) ->
              no_return().
%% Whether system messages, supervisor calls and the parent's exit are kept from the handler.
-callback speaks_otp() -> boolean().

%% @doc The dialect of a handler module, from the option websocket_api or from what it exports.
-spec api(module(), auto | api() | #{module() => api()}) -> api() | none.
api(Handler, Forced) when is_map(Forced) ->
    case Forced of
        #{Handler := Api} -> Api;
        #{} -> exported_api(Handler)
    end;
api(Handler, auto) ->
    exported_api(Handler);
api(_Handler, Api) ->
    Api.


%% @doc The module that speaks a dialect.
-spec module(api()) -> module().
module(v2) -> drover_dialect_v2;
module(v2pre) -> drover_dialect_v2pre.


exported_api(Handler) ->
    _ = code:ensure_loaded(Handler),
    case {exports(Handler, 2), exports(Handler, 3)} of
        {true, _} -> v2;
        {false, true} -> v2pre;
        {false, false} -> none
    end.


exports(Handler, Arity) ->
    erlang:function_exported(Handler, websocket_handle, Arity) orelse
    erlang:function_exported(Handler, websocket_info, Arity).
