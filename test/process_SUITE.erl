%% Which process runs which callback, and what becomes of the messages, signals and calls that reach it.
-module(process_SUITE).

-compile(export_all).
-compile(nowarn_export_all).


all() -> ws_script:all().


groups() ->
    Both = [process_facts, frames_before_messages, messages_inside_a_frame, other_messages, own_timer_swallowed,
            other_sockets, other_native_messages, other_exit_trapped, exit_signal, trap_exit_off, not_counted],
    V2 = [request_process, request_process_leaves_nothing, early_message, stray_messages, init_after_101, init_close, parent_exit,
          sys_get_state, sys_get_status, sys_suspend, sys_suspend_messages, sys_change_code,
          sys_terminate, sys_terminate_suspended, sys_replace_state, sys_bad, supervisor_children, supervisor_changes],
    V2pre = [one_process, message_to_self_first, parent_exit_message, sys_messages, supervisor_messages],
    ws_script:groups(Both, V2, V2pre).


init_per_suite(Config) -> ws_script:init_per_suite(Config).


end_per_suite(Config) -> ws_script:end_per_suite(Config).


init_per_group(Group, Config) -> ws_script:init_per_group(Group, Config).


end_per_group(Group, Config) -> ws_script:end_per_group(Group, Config).


init_per_testcase(Case, Config) ->
    ws_script:init_per_testcase(Case,
                                Config,
                                #{
                                  parent_exit => {2, 18},
                                  sys_terminate_suspended => {2, 18},
                                  trap_exit_off => {2, 11},
                                  exit_signal => {2, 11},
                                  other_native_messages => drover
                                 }).


%%% The processes.


%% B19: all callbacks run in the connection process.
one_process(Config) ->
    Test = self(),
    Init = fun(Req, _) ->
                   Test ! {init_2, self()},
                   {cowboy_websocket, Req, state(Req)}
           end,
    #{client := Client, pid := Pid} = Conn = ws_script:connect(Config, #{init_2 => Init}),
    receive
        {init_2, Pid} -> ok
    end,
    ok = ws_client:send(Client, {text, "a"}),
    {text, <<"a">>} = ws_script:event(Conn, handle),
    Pid ! message,
    message = ws_script:event(Conn, info),
    ok = ws_client:close(Client),
    {{error, closed}, _, _} = ws_script:event(Conn, terminate),
    normal = ws_script:down(Conn).


%% B19: what init/2 sends to self() arrives before the first frame.
message_to_self_first(Config) ->
    Init = fun(Req, _) ->
                   self() ! first,
                   {cowboy_websocket, Req, state(Req)}
           end,
    #{client := Client} = Conn = ws_script:connect(Config, #{init_2 => Init}),
    ok = ws_client:send(Client, {text, "second"}),
    {text, <<"second">>} = ws_script:event(Conn, handle),
    [{info, first}] = ws_script:events(Conn),
    ws_script:close(Conn).


%% B20: init/2 runs in a process of its own, which exits once the connection is upgraded.
request_process(Config) ->
    Test = self(),
    Init = fun(Req, _) ->
                   Test ! {init_2, self()},
                   {cowboy_websocket, Req, state(Req)}
           end,
    #{pid := Pid} = Conn = ws_script:connect(Config, #{init_2 => Init}),
    receive
        {init_2, InitPid} when InitPid =/= Pid -> gone(InitPid)
    end,
    undefined = ws_script:event(Conn, init),
    Pid ! message,
    message = ws_script:event(Conn, info),
    ws_script:close(Conn).


%% B20: messages, timers, links, names and dictionary of that process are not the connection's.
request_process_leaves_nothing(Config) ->
    Test = self(),
    Init = fun(Req, _) ->
                   register(?MODULE, self()),
                   put(?MODULE, value),
                   Linked = spawn(fun() -> receive stop -> ok end end),
                   link(Linked),
                   Test ! {linked, self(), Linked},
                   self() ! lost,
                   _ = erlang:start_timer(0, self(), lost),
                   {cowboy_websocket, Req, state(Req)}
           end,
    #{pid := Pid} = Conn = ws_script:connect(Config, #{init_2 => Init}),
    {Request, Linked} = receive {linked, R, L} -> {R, L} end,
    undefined = ws_script:event(Conn, init),
    %% It may end a little after the upgrade.
    Monitor = monitor(process, Request),
    receive {'DOWN', Monitor, process, Request, _} -> ok end,
    undefined = whereis(?MODULE),
    {dictionary, Dictionary} = process_info(Pid, dictionary),
    false = lists:keymember(?MODULE, 1, Dictionary),
    {links, Links} = process_info(Pid, links),
    false = lists:member(Linked, Links),
    Pid ! last,
    last = ws_script:event(Conn, info),
    Linked ! stop,
    ws_script:close(Conn).


%% B21: any message may be sent to the connection before the upgrade: it is lost, or handled after websocket_init.
early_message(Config) ->
    Init = fun(#{pid := Pid} = Req, _) ->
                   Pid ! early,
                   {cowboy_websocket, Req, state(Req)}
           end,
    #{pid := Pid} = Conn = ws_script:connect(Config, #{init_2 => Init}),
    undefined = ws_script:event(Conn, init),
    Pid ! last,
    true = lists:member(ws_script:event(Conn, info), [early, last]),
    ws_script:close(Conn).


%% B21: what is sent to the connection before the upgrade and looks like its own messages never reaches the handler.
stray_messages(Config) ->
    Init = fun(#{pid := Pid, streamid := StreamId} = Req, _) ->
                   Other = spawn(fun() -> ok end),
                   Pid ! {timeout, make_ref(), stray},
                   Pid ! {{Pid, StreamId}, stray},
                   Pid ! {'EXIT', Other, stray},
                   {cowboy_websocket, Req, state(Req)}
           end,
    #{pid := Pid} = Conn = ws_script:connect(Config, #{init_2 => Init}),
    undefined = ws_script:event(Conn, init),
    Pid ! last,
    last = ws_script:event(Conn, info),
    ws_script:close(Conn).


%% B22: websocket_init runs after the 101 has been sent and before any frame is read; what it returns is sent at once.
init_after_101(Config) ->
    Test = self(),
    Init = fun(undefined) ->
                   Test ! {in_init, self()},
                   receive continue -> {reply, [{text, "a"}, {binary, "b"}]} end
           end,
    %% connect/2 returns when the 101 has been read.
    #{client := Client} = Conn = ws_script:connect(Config, #{init => {run, Init}}),
    ok = ws_client:send(Client, {text, "frame"}),
    receive {in_init, Pid} -> Pid ! continue end,
    [{text, <<"a">>}, {binary, <<"b">>}] = ws_client:recv_many(Client, 2),
    {text, <<"frame">>} = ws_script:event(Conn, handle),
    [{init, undefined}] = ws_script:events(Conn),
    ws_script:close(Conn).


%% B22: a close from websocket_init ends the connection with nothing else read, not even what came with the handshake.
init_close(Config) ->
    Early = ws_client:frame(#{payload => "early"}),
    #{client := Client} = Conn = ws_script:connect(Config, #{init => {reply, close}}, #{early => Early}),
    [close, {error, closed}] = ws_client:recv_until_closed(Client),
    normal = ws_script:down(Conn),
    [init, terminate] = [ Callback || {Callback, _} <- ws_script:events(Conn) ].


%% B30: the connection process is linked to its parent, the first of its ancestors, and knows its initial call.
process_facts(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    {dictionary, Dictionary} = process_info(Pid, dictionary),
    Parent = parent(Pid),
    {links, Links} = process_info(Pid, links),
    true = lists:member(Parent, Links),
    {_, {cowboy_clear, connection_process, 4}} = lists:keyfind('$initial_call', 1, Dictionary),
    ws_script:close(Conn).


%% B30: after the handshake a connection does not count against max_connections.
not_counted(Config) ->
    Handler = ws_script:handler(proplists:get_value(api, Config)),
    Transport = #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, 0}], max_connections => 1, num_acceptors => 1},
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", Handler, []}], #{}, Transport),
    Conns = [ ws_script:connect([{port, Port} | Config]) || _ <- lists:seq(1, 20) ],
    [ ok = ws_script:close(Conn) || Conn <- Conns ],
    drover_target:stop(?FUNCTION_NAME).


%%% Messages.


%% B23: frames that came in one segment are all handled before any message.
frames_before_messages(Config) ->
    ToSelf = {run, fun(_) ->
                           self() ! m1,
                           self() ! m2,
                           ok
                   end},
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_client:send(Client, [{binary, term_to_binary({act, ToSelf})}, {text, "1"}, {text, "2"}]),
    m2 = last_info(Conn),
    [{handle, {text, <<"1">>}}, {handle, {text, <<"2">>}}, {info, m1}, {info, m2}] = seen(Conn),
    ws_script:close(Conn).


%% B24: messages are handled in the middle of an incomplete frame, and what they send goes out at once.
messages_inside_a_frame(Config) ->
    <<Half:4/binary, Rest/binary>> = iolist_to_binary(ws_client:frame(#{payload => "whole"})),
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_client:send(Client, [{text, "before"}, {raw, Half}]),
    {text, <<"before">>} = ws_script:event(Conn, handle),
    ok = ws_script:perform(Conn, info, {reply, {text, <<"inside">>}}),
    {text, <<"inside">>} = ws_client:recv(Client),
    ok = ws_client:send(Client, {raw, Rest}),
    {text, <<"whole">>} = ws_script:event(Conn, handle),
    ws_script:close(Conn).


%% B25: websocket_info gets every message that is not the server's own.
other_messages(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    undefined = started(Config, Conn),
    Messages = [atom,
                {timeout, make_ref(), other},
                {'DOWN', make_ref(), process, self(), reason},
                {'$gen_cast', x},
                {io_reply, make_ref(), ok},
                {self(), make_ref()},
                <<"binary">>,
                #{map => 1}],
    [ Pid ! Message || Message <- Messages ],
    Messages = [ ws_script:event(Conn, info) || _ <- Messages ],
    ws_script:close(Conn).


%% B25: the name of the idle timer is reserved.
own_timer_swallowed(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    Pid ! {timeout, make_ref(), cowboy_websocket},
    Pid ! next,
    next = ws_script:event(Conn, info),
    ws_script:close(Conn).


%% B25: messages of sockets that the handler opened are its own.
other_sockets(Config) ->
    {ok, Listen} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}}, {active, false}]),
    {ok, Port} = inet:port(Listen),
    Connect = {run, fun(_) ->
                            {ok, _} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, true}]),
                            ok
                    end},
    Conn = ws_script:at(Config, handle, Connect),
    {ok, Peer} = gen_tcp:accept(Listen),
    ok = gen_tcp:send(Peer, "data"),
    {tcp, Socket, <<"data">>} = ws_script:event(Conn, info),
    ok = gen_tcp:close(Peer),
    {tcp_closed, Socket} = ws_script:event(Conn, info),
    ok = gen_tcp:close(Listen),
    ws_script:close(Conn).


%% B25: messages of another connection's socket are the handler's.
other_native_messages(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    Messages = [ {'$drover', Id, events, [{text, <<"forged">>}]} || Id <- [-1, 1 bsl 62, not_an_id] ],
    [ Pid ! Message || Message <- Messages ],
    Messages = [ ws_script:event(Conn, info) || _ <- Messages ],
    ws_script:close(Conn).


%%% Exits.


%% B26: a handler that traps exits gets those of other processes as messages.
other_exit_trapped(Config) ->
    Test = self(),
    Spawn = {run, fun(_) ->
                          process_flag(trap_exit, true),
                          Test ! {spawned, spawn_link(fun() -> exit(boom) end)},
                          ok
                  end},
    Conn = ws_script:at(Config, info, Spawn),
    receive
        {spawned, Pid} -> {'EXIT', Pid, boom} = next_info(Conn)
    end,
    ws_script:close(Conn).


%% B26: the parent's exit ends the connection: terminate is called, no close frame is sent, the exit is normal.
parent_exit(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:at(Config, init, {run, fun trap_exit/1}),
    undefined = ws_script:event(Conn, init),
    Pid ! {'EXIT', parent(Pid), boom},
    {{called, boom}, normal} = ws_script:ended(Conn),
    {error, closed} = ws_client:recv(Client),
    ws_client:close(Client).


%% B26: for handlers of arity 3 the parent's exit is a message as any other.
parent_exit_message(Config) ->
    #{pid := Pid} = Conn = ws_script:at(Config, info, {run, fun trap_exit/1}),
    Parent = parent(Pid),
    Pid ! {'EXIT', Parent, boom},
    {'EXIT', Parent, boom} = next_info(Conn),
    ws_script:close(Conn).


%% B27: exits are not trapped unless the handler does so.
trap_exit_off(Config) ->
    Test = self(),
    Tell = fun(_) ->
                   Test ! process_info(self(), trap_exit),
                   ok
           end,
    Conn = ws_script:at(Config, hd(ws_script:positions(Config)), {run, Tell}),
    receive {trap_exit, false} -> ok end,
    ws_script:close(Conn).


%% B27: an exit signal kills the connection: no close frame, no terminate.
exit_signal(Config) ->
    [ begin
          #{pid := Pid, client := Client} = Conn = ws_script:at(Config, handle, {reply, {text, <<"up">>}}),
          {text, <<"up">>} = ws_client:recv(Client),
          exit(Pid, Reason),
          {none, Exit} = ws_script:ended(Conn),
          {error, closed} = ws_client:recv(Client),
          ws_client:close(Client)
      end
      || {Reason, Exit} <- [{boom, boom}, {shutdown, shutdown}, {kill, killed}] ],
    ok.


%%% System messages.


%% B28: sys:get_state shows the server's, the handler's and the parser's state.
sys_get_state(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    Test = self(),
    {_State, #{pid := Test, calls := 1}, _ParseState} = sys:get_state(Pid),
    ws_script:close(Conn).


%% B28: sys:get_status names the module that handlers are written for.
sys_get_status(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    Parent = parent(Pid),
    {status, Pid, {module, cowboy_websocket}, [Dictionary, running, Parent, Debug, _Misc]} = sys:get_status(Pid),
    true = is_list(Dictionary) andalso is_list(Debug),
    ws_script:close(Conn).


%% B28: a suspended connection handles no frame until it is resumed, and loses none.
sys_suspend(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config, #{handle => echo()}),
    ok = sys:suspend(Pid),
    ok = ws_client:send(Client, [{text, "1"}, {text, "2"}]),
    ok = ws_client:send(Client, {text, "3"}),
    {status, Pid, _, [_, suspended | _]} = sys:get_status(Pid),
    [] = [ Frame || {handle, Frame} <- ws_script:events(Conn) ],
    ok = sys:resume(Pid),
    [{text, <<"1">>}, {text, <<"2">>}, {text, <<"3">>}] = ws_client:recv_many(Client, 3),
    ws_script:close(Conn).


%% B28: messages that reach a suspended connection are handled when it is resumed.
sys_suspend_messages(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    undefined = ws_script:event(Conn, init),
    ok = sys:suspend(Pid),
    Pid ! message,
    {status, Pid, _, [_, suspended | _]} = sys:get_status(Pid),
    [] = [ Message || {info, Message} <- ws_script:events(Conn) ],
    ok = sys:resume(Pid),
    message = ws_script:event(Conn, info),
    ws_script:close(Conn).


%% B28: a change of code leaves connection and state as they are.
sys_change_code(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config, #{handle => echo()}),
    ok = sys:suspend(Pid),
    ok = sys:change_code(Pid, cowboy_websocket, undefined, undefined),
    ok = sys:resume(Pid),
    ok = ws_client:send(Client, {text, "same"}),
    {text, <<"same">>} = ws_client:recv(Client),
    ws_script:close(Conn).


%% B28: sys:terminate calls terminate with its reason, sends no close frame, and the process exits normally.
sys_terminate(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config),
    undefined = ws_script:event(Conn, init),
    ok = sys:terminate(Pid, boom),
    {{called, boom}, normal} = ws_script:ended(Conn),
    {error, closed} = ws_client:recv(Client),
    ws_client:close(Client).


%% B28: a suspended connection can be terminated too, and ends with its parent.
sys_terminate_suspended(Config) ->
    [ begin
          #{pid := Pid, client := Client} = Conn = ws_script:connect(Config),
          undefined = ws_script:event(Conn, init),
          ok = sys:suspend(Pid),
          _ = End(Pid),
          {{called, boom}, normal} = ws_script:ended(Conn),
          {error, closed} = ws_client:recv(Client),
          ok = ws_client:close(Client)
      end
      || End <- [fun(Pid) -> sys:terminate(Pid, boom) end, fun(Pid) -> Pid ! {'EXIT', parent(Pid), boom} end] ],
    ok.


%% B28: the handler's state may be replaced.
sys_replace_state(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config),
    Replace = fun({State, Script, ParseState}) -> {State, Script#{handle => {reply, {text, <<"new">>}}}, ParseState} end,
    {_, #{handle := _}, _} = sys:replace_state(Pid, Replace),
    ok = ws_client:send(Client, {text, "x"}),
    {text, <<"new">>} = ws_client:recv(Client),
    ws_script:close(Conn).


%% B28: a malformed system message crashes the process.
sys_bad(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config),
    undefined = ws_script:event(Conn, init),
    Pid ! {system, bad, message},
    {none, Exit} = ws_script:ended(Conn),
    true = Exit =/= normal,
    {error, closed} = ws_client:recv(Client),
    ws_client:close(Client).


%% B28: handlers of arity 3 get system messages as messages.
sys_messages(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    Messages = [{system, {self(), make_ref()}, get_state}, {system, bad, message}],
    [ Pid ! Message || Message <- Messages ],
    Messages = [ ws_script:event(Conn, info) || _ <- Messages ],
    ws_script:close(Conn).


%%% Supervisor calls.


%% B29: as a supervisor, a connection has one kind of child and no child.
supervisor_children(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    [] = supervisor:which_children(Pid),
    [{specs, 1}, {active, 0}, {supervisors, 0}, {workers, 0}] = supervisor:count_children(Pid),
    ws_script:close(Conn).


%% B29: and none can be started, restarted or deleted.
supervisor_changes(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    {error, start_child_disabled} = supervisor:start_child(Pid, #{id => x, start => {x, x, []}}),
    {error, not_found} = supervisor:get_childspec(Pid, x),
    {error, not_found} = supervisor:delete_child(Pid, x),
    {error, not_found} = supervisor:restart_child(Pid, x),
    {error, not_found} = supervisor:terminate_child(Pid, x),
    {error, not_found} = gen_server:call(Pid, anything_else),
    ws_script:close(Conn).


%% B29: handlers of arity 3 get such calls as messages.
supervisor_messages(Config) ->
    #{pid := Pid} = Conn = ws_script:connect(Config),
    Call = {'$gen_call', {self(), make_ref()}, which_children},
    Pid ! Call,
    Call = ws_script:event(Conn, info),
    ws_script:close(Conn).


no_leaks(Config) -> ws_script:no_leaks(Config).


%%% Helpers.


state(Req) ->
    ws_script:script(Req).


parent(Pid) ->
    {dictionary, Dictionary} = process_info(Pid, dictionary),
    {_, [Parent | _]} = lists:keyfind('$ancestors', 1, Dictionary),
    case is_atom(Parent) of
        true -> whereis(Parent);
        false -> Parent
    end.


gone(Pid) ->
    Monitor = monitor(process, Pid),
    receive
        {'DOWN', Monitor, process, Pid, Reason} when Reason =:= normal; Reason =:= noproc -> ok
    after
        10000 ->
            error(still_alive)
    end.


%% Cowboy loses timeouts that come during the upgrade.
started(Config, Conn) ->
    case proplists:get_value(api, Config) of
        v2 -> ws_script:event(Conn, init);
        v2pre -> undefined
    end.


trap_exit(_Argument) ->
    process_flag(trap_exit, true),
    ok.


echo() ->
    {run, fun(Frame) -> {reply, Frame} end}.


%% The next message that is no order of the test.
next_info(Conn) ->
    case ws_script:event(Conn, info) of
        {act, _} -> next_info(Conn);
        Message -> Message
    end.


%% Waits for the last of some messages without taking it.
last_info(#{pid := Pid}) ->
    receive
        {ws_script, Pid, info, m2} = Event ->
            self() ! Event,
            m2
    after
        10000 ->
            error(no_m2)
    end.


%% Calls of the two main callbacks, without the test's orders.
seen(Conn) ->
    [ Event || {Callback, Argument} = Event <- ws_script:events(Conn), lists:member(Callback, [handle, info]), not is_order(Argument) ].


is_order({binary, <<131, _/binary>>}) -> true;
is_order({act, _}) -> true;
is_order(_Argument) -> false.
