%% The top of drover's supervision tree: one supervisor per listener that drover:start_clear/3 started, and the helpers of
%% the I/O threads.
-module(drover_sup).

-behaviour(supervisor).

-export([start_link/0]).
-export([start_listener/3]).
-export([stop_listener/1]).
-export([init/1]).


%% @doc Start the tree.
-spec start_link() -> supervisor:startlink_ret().
start_link() ->
    supervisor:start_link({local, ?MODULE}, ?MODULE, []).


%% @doc Start a listener under this supervisor.
-spec start_listener(drover:ref(), drover_opts:transport_opts(), drover_opts:protocol_opts()) ->
          {ok, pid()} | {error, term()}.
start_listener(Ref, TransportOpts, ProtocolOpts) ->
    Spec = drover:child_spec(Ref, TransportOpts, ProtocolOpts),
    case supervisor:start_child(?MODULE, Spec) of
        {ok, Pid} when is_pid(Pid) ->
            {ok, Pid};
        %% Not started, and the specification was not kept: without the specification in the reason.
        {error, {Reason, Child}} when element(1, Child) =:= child ->
            {error, Reason};
        {error, _} = Error ->
            Error
    end.


%% @doc Stop a listener of this supervisor.
-spec stop_listener(drover:ref()) -> ok | {error, not_found}.
stop_listener(Ref) ->
    case supervisor:terminate_child(?MODULE, {drover, Ref}) of
        ok ->
            _ = supervisor:delete_child(?MODULE, {drover, Ref}),
            ok;
        {error, not_found} = Error ->
            Error
    end.


%% @private
-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    ok = drover_registry:new(),
    Helpers = drover_helper:child_specs(drover_listener:io_threads()),
    {ok, {#{strategy => one_for_one, intensity => 10, period => 10}, Helpers}}.
