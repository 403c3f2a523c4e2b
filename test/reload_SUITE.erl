%% Code that changes under open connections, and the application coming and going.
-module(reload_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

%% How often. Processes that ran the code of the time before the last but one are killed by then.
-define(TIMES, 5).

%% How often the application is restarted, and by how much the memory of the node may differ meanwhile.
-define(RESTARTS,     1000).
-define(RESIDENT_KIB, 8 * 1024).


all() ->
    [{group, v2}, {group, v2_hibernate}, {group, v2pre}, {group, v2pre_hibernate}, {group, application}, no_leaks].


groups() ->
    Both = [connection_module, all_modules, deleted_modules, native_stubs, purged_stubs, another_library, handler_module, found_by_upgrades,
            outdated_handler, in_the_http_phase, in_a_suspended_listener],
    Application = [restart, restart_often, stop_ends_connections, crash_of_a_listener, crash_of_a_supervisor],
    [{application, [], Application} | ws_script:groups(Both, [suspended_connection], [])].


init_per_suite(Config) ->
    case drover_target:only(drover) of
        ok -> ws_script:init_per_suite(Config);
        Skip -> Skip
    end.


end_per_suite(Config) -> ws_script:end_per_suite(Config).


init_per_group(application, Config) -> Config;
init_per_group(Group, Config) -> ws_script:init_per_group(Group, Config, #{request_timeout => infinity}).


end_per_testcase(_Case, Config) ->
    _ = drover_target:stop(crash_of_a_child),
    case ws_script:listener(Config) of
        undefined -> ok;
        Ref -> drover:resume_listener(Ref)
    end.


end_per_group(application, _Config) -> ok;
end_per_group(Group, Config) -> ws_script:end_per_group(Group, Config).


%%% Code.


%% The module that runs connections may be loaded anew as often as one likes.
connection_module(Config) ->
    reloaded_under(connections(Config), [drover_conn]).


%% So may every other one that has logic.
all_modules(Config) ->
    reloaded_under(connections(Config), modules() -- [drover_wait]).


%% Modules that were unloaded, those where connections wait among them, are loaded again when they are needed.
deleted_modules(Config) ->
    Conns = connections(Config),
    [ begin
          [ {Module, true} = {Module, code:soft_purge(Module)} || Module <- modules() ],
          [ true = code:delete(Module) || Module <- modules() ],
          ok = all_answer(Conns)
      end
      || _ <- lists:seq(1, ?TIMES) ],
    closed([connect(Config) | Conns]).


%% So may the stubs of the native library: the new ones go on with the connections of the old ones.
native_stubs(Config) ->
    reloaded_under(connections(Config), [drover_nif]).


%% Even when nothing of the module was left in between.
purged_stubs(Config) ->
    Conns = connections(Config),
    [ begin
          _ = code:purge(drover_nif),
          true = code:delete(drover_nif),
          false = code:purge(drover_nif),
          ok = all_answer(Conns)
      end
      || _ <- lists:seq(1, ?TIMES) ],
    New = connect(Config),
    ok = all_answer([New]),
    closed([New | Conns]).


%% Another library does not take over while there is this one; nothing changes.
another_library(Config) ->
    Conns = connections(Config),
    %% A name of its own: the file stays mapped.
    Name = io_lib:format("drover_nif_~b.so", [erlang:unique_integer([positive])]),
    Copy = filename:join(proplists:get_value(priv_dir, Config), Name),
    {ok, _} = file:copy(filename:join(code:priv_dir(drover), "libdrover_nif.so"), Copy),
    Was = os:getenv("DROVER_NIF_PATH", ""),
    true = os:putenv("DROVER_NIF_PATH", Copy),
    ok = logger:add_primary_filter(?MODULE, {fun(_, _) -> stop end, []}),
    _ = code:soft_purge(drover_nif),
    {error, on_load_failure} = code:load_file(drover_nif),
    ok = logger:remove_primary_filter(?MODULE),
    true = os:putenv("DROVER_NIF_PATH", Was),
    ok = all_answer(Conns),
    ok = reload(drover_nif),
    ok = all_answer(Conns),
    closed(Conns).


%% Handlers change most often of all.
handler_module(Config) ->
    reloaded_under(connections(Config), [ws_script, ws_script:handler(proplists:get_value(api, Config))]).


%% code:purge/1 kills who runs old code: not a connection whose handler has been loaded twice, but one that is inside of it.
outdated_handler(Config) ->
    Conns = connections(Config),
    Handler = ws_script:handler(proplists:get_value(api, Config)),
    #{pid := Inside} = Busy = ws_script:at(Config, info, {run, fun ?MODULE:stay/1}),
    {act, _} = ws_script:event(Busy, info),
    ok = reload(Handler),
    ok = all_answer(Conns),
    true = code:purge(Handler),
    killed = ws_script:down(Busy),
    false = is_process_alive(Inside),
    {error, closed} = ws_client:recv(maps:get(client, Busy)),
    ok = ws_client:close(maps:get(client, Busy)),
    ok = all_answer(Conns),
    closed(Conns).


%% Called by the handler, which goes on when this returns.
stay(_Message) ->
    receive
        {never, _} -> ok
    end.


%% What a release upgrade that changes some process does: it asks all supervisors for their children. That must not depend on
%% handlers of arity 3, for which the calls of supervisors are messages.
found_by_upgrades(Config) ->
    #{pid := Pid} = Conn = connect(Config),
    [Pid] = [ Found || {_, _, Found, _} <- release_handler_1:get_supervised_procs(), Found =:= Pid ],
    [] = [ Message || {info, Message} <- ws_script:events(Conn) ],
    closed([Conn]).


%% A connection that has not been upgraded yet stands nowhere in old code either.
in_the_http_phase(Config) ->
    {ok, Client} = ws_client:open(proplists:get_value(port, Config)),
    ok = ws_client:send(Client, {raw, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"}),
    {426, _, _} = ws_client:recv_response(Client),
    [ ok = reload(Module) || _ <- lists:seq(1, ?TIMES), Module <- modules() -- [drover_nif, drover_wait] ],
    ok = ws_client:send(Client, {raw, ws_client:handshake("/")}),
    {101, _, _} = ws_client:recv_response(Client),
    ws_client:close(Client).


%% A suspended connection is resumed by the new code.
suspended_connection(Config) ->
    #{pid := Pid} = Conn = connect(Config),
    ok = sys:suspend(Pid),
    [ begin
          ok = reload(drover_conn),
          ok = sys:change_code(Pid, drover_conn, undefined, undefined)
      end
      || _ <- lists:seq(1, ?TIMES) ],
    ok = sys:resume(Pid),
    ok = all_answer([Conn]),
    closed([Conn]).


%% A listener that is closed for a while opens again on its port; its connections have not noticed.
in_a_suspended_listener(Config) ->
    Ref = ws_script:listener(Config),
    Conns = connections(Config),
    ok = drover:suspend_listener(Ref),
    {error, econnrefused} = gen_tcp:connect({127, 0, 0, 1}, proplists:get_value(port, Config), []),
    [ ok = reload(Module) || _ <- lists:seq(1, ?TIMES), Module <- modules() -- [drover_nif, drover_wait] ],
    ok = drover:resume_listener(Ref),
    ok = all_answer(Conns),
    closed([connect(Config) | Conns]).


connections(Config) ->
    Conns = [ connect(Config) || _ <- lists:seq(1, 10) ],
    ok = all_answer(Conns),
    Conns.


connect(Config) ->
    ws_script:connect(Config, #{handle => {run, fun ?MODULE:echo/1}}).


%% Called by name: the code of a fun goes with the module that made it.
echo(Frame) ->
    {reply, Frame}.


reloaded_under(Conns, Modules) ->
    [ begin
          [ ok = reload(Module) || Module <- Modules ],
          ok = all_answer(Conns)
      end
      || _ <- lists:seq(1, ?TIMES) ],
    closed(Conns).


%% No process is left in the code before; none would be killed.
reload(Module) ->
    {Module, true} = {Module, code:soft_purge(Module)},
    {module, Module} = code:load_file(Module),
    ok.


modules() ->
    Dir = filename:dirname(code:which(drover)),
    [ list_to_atom(filename:basename(File, ".beam")) || File <- filelib:wildcard(filename:join(Dir, "*.beam")) ].


all_answer(Conns) ->
    [ ok = ws_client:send(Client, [{fragment, false, text, "an"}, {ping, "x"}]) || #{client := Client} <- Conns ],
    [ ok = ws_client:send(Client, {fragment, true, continuation, "swer"}) || #{client := Client} <- Conns ],
    [ {[{pong, <<"x">>}, {ping, <<"x">>}, {text, <<"answer">>}], _} = {ws_client:recv_many(Client, 3), Conn}
      || #{client := Client} = Conn <- Conns ],
    ok.


closed(Conns) ->
    [ ok = ws_script:close(Conn) || Conn <- Conns ],
    ok.


%%% The application.


%% It can be stopped and started again, in one node, as often as one likes.
restart(Config) ->
    [ begin
          Conn = connect(ws_script:init_per_group(v2, Config)),
          ok = all_answer([Conn]),
          ok = ws_script:close(Conn),
          ok = application:stop(drover)
      end
      || _ <- lists:seq(1, 20) ],
    drover_target:ensure_started().


%% A thousand times with connections that are open, in the middle of a message, and in the middle of a request. Clients see the
%% end of the stream, not a reset, and the node is as it was.
restart_often(_Config) ->
    Before = restarted(?RESTARTS div 5),
    After = restarted(?RESTARTS - ?RESTARTS div 5),
    ok = drover_target:ensure_started(),
    ct:pal("before ~p~nafter  ~p", [Before, After]),
    [] = [ {Key, Value, maps:get(Key, Before)} || {Key, Value} <- maps:to_list(After), Value > maps:get(Key, Before) + tolerance(Key) ],
    {comment, io_lib:format("~b KiB resident after ~b restarts, ~b KiB at the end", [maps:get(resident, Before), ?RESTARTS div 5, maps:get(resident, After)])}.


tolerance(resident) -> ?RESIDENT_KIB;
tolerance(atoms) -> 20;
tolerance(_) -> 0.


restarted(Times) ->
    [ ok = restarted_under_connections() || _ <- lists:seq(1, Times) ],
    _ = [ erlang:garbage_collect(Pid) || Pid <- processes() ],
    {ok, Descriptors} = file:list_dir("/proc/self/fd"),
    {ok, Threads} = file:list_dir("/proc/self/task"),
    #{
      atoms => erlang:system_info(atom_count),
      descriptors => length(Descriptors),
      persistent_terms => maps:get(count, persistent_term:info()),
      ports => length(erlang:ports()),
      processes => length(processes()),
      resident => node_memory:resident(),
      tables => length(ets:all()),
      threads => length(Threads)
     }.


restarted_under_connections() ->
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", echo_v2_h, #{compress => true}}], #{}),
    Opts = #{tcp_opts => [{show_econnreset, true}]},
    Open = [ element(2, {ok, _, {101, _}} = ws_client:connect(Port, "/", Opts)) || _ <- [1, 2, 3] ],
    {ok, InHead} = ws_client:open(Port, Opts),
    ok = ws_client:send(InHead, {raw, "GET / HTTP/1.1\r\nHost: lo"}),
    ok = accepted(4, ?FUNCTION_NAME),
    [Idle, InMessage, InFrame] = Open,
    ok = ws_client:send(Idle, {text, <<"a">>}),
    {text, <<"a">>} = ws_client:recv(Idle),
    ok = ws_client:send(InMessage, {fragment, false, text, binary:copy(<<"a">>, 10000)}),
    ok = ws_client:send(InFrame, {raw, binary:part(iolist_to_binary(ws_client:frame(#{opcode => binary, payload => <<0:80000>>})), 0, 5000)}),
    ok = application:stop(drover),
    [ {error, closed} = gen_tcp:recv(ws_client:socket(Client), 0, 10000) || Client <- [InHead | Open] ],
    [ ok = ws_client:close(Client) || Client <- [InHead | Open] ],
    #{connections := 0, listeners := 0} = at_rest(200),
    ok.


%% What the system has accepted, but not the listener yet, would be reset.
accepted(N, Ref) ->
    case drover:info(Ref) of
        #{accepted := N} ->
            ok;
        #{accepted := Fewer} when Fewer < N ->
            timer:sleep(1),
            accepted(N, Ref)
    end.


%% Descriptors are closed by the I/O threads.
at_rest(Tries) ->
    case drover_native:stats() of
        #{connections := N} when N > 0, Tries > 0 ->
            timer:sleep(5),
            at_rest(Tries - 1);
        Stats ->
            Stats
    end.


%% Stopping it ends all connections and frees all ports.
stop_ends_connections(Config) ->
    Started = ws_script:init_per_group(v2, Config),
    Conns = [ connect(Started) || _ <- lists:seq(1, 20) ],
    ok = application:stop(drover),
    [shutdown] = lists:usort([ ws_script:down(Conn) || Conn <- Conns ]),
    [ {error, closed} = ws_client:recv(Client) || #{client := Client} <- Conns ],
    [ ok = ws_client:close(Client) || #{client := Client} <- Conns ],
    {error, econnrefused} = gen_tcp:connect({127, 0, 0, 1}, proplists:get_value(port, Started), []),
    drover_target:ensure_started().


%% A listener that crashes comes back on the same port; nothing of the old one is left.
crash_of_a_listener(Config) ->
    crash_of_a_child(Config, drover_listener).


%% So does one whose connections lost their supervisor.
crash_of_a_supervisor(Config) ->
    crash_of_a_child(Config, drover_conn_sup).


crash_of_a_child(Config, Module) ->
    {ok, Port} = fixed_port(Config),
    Conn = connect([{port, Port} | Config]),
    ok = all_answer([Conn]),
    {ok, Listener} = child(?FUNCTION_NAME, drover_listener),
    {ok, Victim} = child(?FUNCTION_NAME, Module),
    exit(Victim, kill),
    ok = replaced(?FUNCTION_NAME, Listener, 200),
    New = connect([{port, Port} | Config]),
    ok = all_answer([New]),
    ok = ws_script:close(New),
    ok = drover_target:stop(?FUNCTION_NAME),
    _ = ws_script:down(Conn),
    ws_client:close(maps:get(client, Conn)).


%% A free port that is named in the options, so that a restart listens on it again.
fixed_port(_Config) ->
    {ok, Socket} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {reuseaddr, true}]),
    {ok, Port} = inet:port(Socket),
    ok = gen_tcp:close(Socket),
    Transport = #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, Port}]},
    drover_target:start(crash_of_a_child, [{"/", script_v2_h, []}], #{}, Transport).


child(Ref, Module) ->
    try
        find_child(Ref, Module)
    catch
        %% Its supervisor is going down.
        exit:_ -> error
    end.


find_child(Ref, Module) ->
    Supervisors = [ Pid || {{_, R}, Pid, _, _} <- supervisor:which_children(drover_sup), R =:= Ref ],
    Children = [ Child || Pid <- Supervisors, Child <- supervisor:which_children(Pid) ],
    find(Module, Children).


find(Module, [{_, Pid, _, [Module]} | _]) when is_pid(Pid) -> {ok, Pid};
find(Module, [{_, Pid, supervisor, _} | Rest]) when is_pid(Pid) ->
    case find(Module, supervisor:which_children(Pid)) of
        {ok, _} = Found -> Found;
        error -> find(Module, Rest)
    end;
find(Module, [_ | Rest]) -> find(Module, Rest);
find(_Module, []) -> error.


%% A listener process that has been started is listening.
replaced(Ref, Old, Tries) when Tries > 0 ->
    case child(Ref, drover_listener) of
        {ok, New} when New =/= Old ->
            ok;
        _ ->
            timer:sleep(20),
            replaced(Ref, Old, Tries - 1)
    end.


no_leaks(Config) -> ws_script:no_leaks(Config).
