%% A process that polls in place of an I/O thread while traffic is dense.
%%
%% Connection processes then run on the scheduler that read for them, and no thread is woken for a message. Between two
%% looks at the sockets every other process that is ready has its turn. When traffic gets sparse, or when schedulers have
%% so much other work that this process comes too late, the I/O thread polls again: see native/drover_io/src/shift.rs.
-module(drover_helper).

-behaviour(gen_server).

-export([child_specs/1]).
-export([start_link/1]).
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).


%% @doc One helper for each of so many I/O threads, unless the application's environment has
%% {scheduler_polling, false}.
-spec child_specs(pos_integer()) -> [supervisor:child_spec()].
child_specs(IoThreads) ->
    case application:get_env(drover, scheduler_polling, true) of
        true -> [ child_spec(IoThread) || IoThread <- lists:seq(0, IoThreads - 1) ];
        false -> []
    end.


child_spec(IoThread) ->
    #{id => {?MODULE, IoThread}, start => {?MODULE, start_link, [IoThread]}}.


%% @doc Start the helper of an I/O thread, counted from 0.
-spec start_link(non_neg_integer()) -> gen_server:start_ret().
start_link(IoThread) ->
    gen_server:start_link(?MODULE, IoThread, []).


%% @private
-spec init(non_neg_integer()) -> {ok, non_neg_integer()}.
init(IoThread) ->
    ok = drover_native:offer_help(IoThread),
    {ok, IoThread}.


%% @private
-spec handle_call(term(), gen_server:from(), State) -> {reply, {error, unknown_call}, State}.
handle_call(_Request, _From, IoThread) ->
    {reply, {error, unknown_call}, IoThread}.


%% @private
-spec handle_cast(term(), State) -> {noreply, State}.
handle_cast(_Request, IoThread) ->
    {noreply, IoThread}.


%% @private The timeout of 0 lets system messages in between two looks.
-spec handle_info(term(), non_neg_integer()) -> {noreply, non_neg_integer()} | {noreply, non_neg_integer(), 0}.
handle_info(_BellOrTimeout, IoThread) ->
    case drover_native:help(IoThread) of
        again ->
            true = erlang:yield(),
            {noreply, IoThread, 0};
        rest ->
            {noreply, IoThread}
    end.
