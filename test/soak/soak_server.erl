%% The node that the soak test maltreats: what runs on it, and what it says of itself.
-module(soak_server).

-export([serve/0]).
-export([watch/0]).
-export([count/0]).
%% For logger.
-export([log/2]).

-export_type([counts/0]).

-type counts() :: #{
                    processes := non_neg_integer(),
                    descriptors := non_neg_integer(),
                    atoms := non_neg_integer(),
                    tables := non_neg_integer(),
                    native := #{atom() => non_neg_integer()},
                    %% KiB
                    resident := non_neg_integer(),
                    %% Events of level error and above.
                    complaints := [logger:log_event()]
                   }.

%% Kept of what was logged.
-define(COMPLAINTS, 5).


%% Two endpoints to be maltreated, and one whose connections last.
-spec serve() -> {ok, inet:port_number()}.
serve() ->
    ok = watch(),
    Routes = [{"/v2", echo_v2_h, #{compress => true, idle_timeout => 1000}},
              {"/p", echo_p_h, 1000},
              {"/lasting", echo_v2_h, #{idle_timeout => infinity}}],
    Socket = #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, 0}, {send_timeout, 1000}]},
    drover_target:start(soak, Routes, #{compress => true, request_timeout => 1000}, Socket).


%% From now on complaints are counted, and not shown.
-spec watch() -> ok.
watch() ->
    ?MODULE = ets:new(?MODULE, [named_table, public, {heir, whereis(init), none}]),
    ok = logger:add_handler(?MODULE, ?MODULE, #{level => error}),
    ok = logger:remove_handler(default).


-spec count() -> counts().
count() ->
    _ = [ erlang:garbage_collect(Pid) || Pid <- processes() ],
    {ok, Descriptors} = file:list_dir("/proc/self/fd"),
    #{
      processes => length(processes()),
      descriptors => length(Descriptors),
      atoms => erlang:system_info(atom_count),
      tables => length(ets:all()),
      native => drover_native:stats(),
      resident => resident(),
      complaints => [ Event || {_, Event} <- ets:tab2list(?MODULE) ]
     }.


resident() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Rss]} = re:run(Status, "VmRSS:\\s+(\\d+)", [{capture, all_but_first, binary}]),
    binary_to_integer(Rss).


-spec log(logger:log_event(), logger:handler_config()) -> any().
log(Event, _Config) ->
    ets:info(?MODULE, size) < ?COMPLAINTS andalso ets:insert(?MODULE, {erlang:unique_integer(), Event}).
