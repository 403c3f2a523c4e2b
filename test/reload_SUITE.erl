%% Code that changes under open connections, and the application coming and going.
-module(reload_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

%% How often. Processes that ran the code of the time before the last but one are killed by then.
-define(TIMES, 5).


all() ->
    [{group, v2}, {group, v2_hibernate}, {group, v2pre}, {group, v2pre_hibernate}, {group, application}, no_leaks].


groups() ->
    Both = [connection_module, all_modules, native_stubs, handler_module, in_the_http_phase, in_a_suspended_listener],
    [{application, [], [restart, stop_ends_connections, crash_of_a_listener, crash_of_a_supervisor]} | ws_script:groups(Both, [suspended_connection], [])].


init_per_suite(Config) ->
    case drover_target:only(drover) of
        ok -> ws_script:init_per_suite(Config);
        Skip -> Skip
    end.


end_per_suite(Config) -> ws_script:end_per_suite(Config).


init_per_group(application, Config) -> Config;
init_per_group(Group, Config) -> ws_script:init_per_group(Group, Config).


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
    reloaded_under(connections(Config), modules() -- [drover_nif, drover_wait]).


%% Loading the native library's stubs again does nothing to the connections.
native_stubs(Config) ->
    Conns = connections(Config),
    [ begin
          _ = code:load_file(drover_nif),
          ok = all_answer(Conns)
      end
      || _ <- lists:seq(1, ?TIMES) ],
    ok = all_answer([New = connect(Config)]),
    closed([New | Conns]).


%% Handlers change most often of all.
handler_module(Config) ->
    reloaded_under(connections(Config), [ws_script, ws_script:handler(proplists:get_value(api, Config))]).


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


%% Several connections, one of them in the middle of a frame.
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
