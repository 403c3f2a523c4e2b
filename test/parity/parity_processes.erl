%% Scenarios of section B: which process, which messages, exits, and what tools may ask.
-module(parity_processes).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    to_oneself() ++ messages() ++ exits() ++ sys() ++ facts().


to_oneself() ->
    [{message_to_self_in_init_2, "B20", init(fun(Req) -> self() ! lost, Req end), [{text, <<"a">>}, close]},
     {timer_in_init_2, "B20", (init(fun(Req) -> _ = erlang:start_timer(0, self(), lost), Req end))#{ways => http1}, [{text, <<"a">>}, close]},
     {link_in_init_2, "B20", (init(fun linked_to_another/1))#{ways => http1}, [{text, <<"a">>}, close]},
     {name_in_init_2, "B20",
                      (init(fun registered/1))#{ways => http1, hibernate => [false]},
                      [{observe, fun(Pid) -> [ whereis(name(Pid)) || _ <- [wait_for_nobody(name(Pid))] ] end}, close]},
     {message_before_the_upgrade, "B21", (init(fun(#{pid := Pid} = Req) -> Pid ! {timeout, make_ref(), flushed}, Req end))#{ways => http1}, [{text, <<"a">>}, close]},
     {message_to_self_in_websocket_init, "B22",
                                         #{init => {run, fun(_) -> self() ! hello, ok end}},
                                         [{called, info}, {text, <<"a">>}, close]},
     {frame_of_websocket_init, "B22", #{init => {reply, {text, <<"first">>}}}, [close]},
     {frames_of_websocket_init, "B22", #{init => {reply, [{text, <<"a">>}, ping]}}, [close]},
     {slow_websocket_init, "B22", #{init => {wait, {reply, {text, <<"first">>}}}, handle => echo}, [{text, <<"second">>}, {called, init}, go, close]}].


messages() ->
    [{message, "B25", #{}, [{message, hello}, {called, info}, close]},
     {messages_in_order, "B25",
                         #{info => {run, fun(N) when is_integer(N) -> {reply, {text, integer_to_binary(N)}} end}},
                         [{message, 1}, {message, 2}, {message, 3}, {frames, 3}, close]},
     {frames_before_a_queued_message, "B23",
                                      #{handle => {run, fun first_waits/1}},
                                      [[{text, <<"wait">>}, {text, <<"b">>}, {text, <<"c">>}], {called, handle}, {message, queued}, go, {called, info}, close]},
     {message_in_a_header, "B24",
                           #{handle => echo, info => {reply, {text, <<"info">>}}},
                           [[ping, {raw, <<16#82>>}], {frames, 1}, {message, hello}, {frames, 2}, {raw, <<16#80, 0:32>>}, {frames, 3}, close]},
     {message_in_a_frame, "B24",
                          #{handle => echo, info => {reply, {text, <<"info">>}}},
                          [[ping, {raw, <<16#82, 16#82, 0:32, "a">>}], {frames, 1}, {message, hello}, {frames, 2}, {raw, <<"b">>}, {frames, 3}, close]},
     {message_in_a_message, "B24",
                            #{handle => echo, info => {reply, {text, <<"info">>}}},
                            [{fragment, false, text, <<"a">>}, {message, hello}, {frames, 1}, {fragment, true, continuation, <<"b">>}, {frames, 2}, close]},
     {close_in_a_frame, "B24 E50", #{info => {reply, close}}, [[ping, {raw, <<16#82, 16#82, 0:32, "a">>}], {frames, 1}, {message, hello}]},
     {timeout_of_ones_own, "B25", #{}, [{message, {timeout, make_ref(), mine}}, {called, info}, close]},
     {timeout_of_cowboys, "B25", #{}, [{message, {timeout, make_ref(), cowboy_websocket}}, {message, next}, {called, info}, close]},
     {tcp_of_another_socket, "B25", #{}, [{message, {tcp, make_ref(), <<"x">>}}, {message, {tcp_closed, make_ref()}}, {calls, 4}, close]},
     {ssl_of_another_socket, "B25", #{}, [{message, {ssl, make_ref(), <<"x">>}}, {message, {ssl_closed, make_ref()}}, {calls, 4}, close]},
     {down_of_another, "B25", #{}, [{message, {'DOWN', make_ref(), process, self(), normal}}, {called, info}, close]},
     {message_while_passive, "B25 K97", #{init => {commands, [{active, false}]}, info => {reply, {text, <<"info">>}}}, [{message, hello}, {frames, 1}, {info, stop}]}].


exits() ->
    Trapping = #{init => {run, fun(_) -> process_flag(trap_exit, true), ok end}},
    [{exit_signal, "B27 G69", #{ways => http1}, [{observe, fun settled/1}, {signal, boom}, {info, stop}]},
     {exit_signal_normal, "B27", #{handle => echo}, [{called, init}, {signal, normal}, {text, <<"alive">>}, {frames, 1}, close]},
     {kill, "B27 G69", #{ways => http1}, [{observe, fun settled/1}, {signal, kill}]},
     {exit_signal_trapped, "B26", Trapping, [{called, init}, {signal, boom}, {called, info}, close]},
     {exit_message_of_another, "B26", Trapping, [{called, init}, {message, {'EXIT', self(), boom}}, {called, info}, close]},
     {exit_of_the_parent, "B26", Trapping#{ways => http1}, [{called, init}, {message, fun(Pid) -> {'EXIT', parent(Pid), shutdown} end}]},
     {exit_of_the_parent_with_a_reason, "B26", Trapping#{ways => http1}, [{called, init}, {message, fun(Pid) -> {'EXIT', parent(Pid), {because, 1}} end}]},
     {exit_of_the_parent_and_shutdown_reason, "B26 G73",
                                              Trapping#{ways => http1},
                                              [{info, {commands, [{shutdown_reason, why}]}}, {called, info}, {message, fun(Pid) -> {'EXIT', parent(Pid), shutdown} end}]},
     {traps_no_exits, "B27", #{init => {run, fun(_) -> {reply, {text, atom_to_binary(element(2, process_info(self(), trap_exit)))}} end}}, [close]}].


sys() ->
    [{sys_get_state, "B28", #{}, [{observe, fun(Pid) -> {_, State, _} = sys:get_state(Pid), State end}, close]},
     {sys_get_status, "B28",
                      #{},
                      [{observe, fun(Pid) -> {status, Pid, Module, [_Dictionary, Running, _Parent, Debug, _]} = sys:get_status(Pid), {Module, Running, Debug} end}, close]},
     {sys_suspend, "B28",
                   #{handle => echo},
                   [{observe, fun sys:suspend/1},
                    {text, <<"late">>},
                    {observe, fun(Pid) -> element(2, sys:get_state(Pid)) end},
                    {observe, fun sys:resume/1},
                    {frames, 1},
                    close]},
     {sys_get_status_of_a_suspended, "B28",
                                     #{},
                                     [{observe, fun sys:suspend/1}, {observe, fun(Pid) -> element(3, sys:get_status(Pid)) end}, {observe, fun sys:resume/1}, close]},
     {sys_terminate, "B28", #{}, [{observe, fun(Pid) -> sys:terminate(Pid, asked) end}]},
     {sys_terminate_with_shutdown_reason, "B28 G73", #{init => {commands, [{shutdown_reason, why}]}}, [{observe, fun(Pid) -> sys:terminate(Pid, asked) end}]},
     {sys_change_code, "B28", #{}, [{observe, fun(Pid) -> [sys:suspend(Pid), sys:change_code(Pid, script_v2_h, old, extra), sys:resume(Pid)] end}, close]},
     {sys_replace_state, "B28",
                         #{},
                         [{observe, fun(Pid) -> tuple_size(sys:replace_state(Pid, fun({A, Script, C}) -> {A, Script#{calls := 40}, C} end)) end},
                          {observe, fun(Pid) -> element(2, sys:get_state(Pid)) end},
                          close]},
     {sys_unknown, "B28", #{ways => http1}, [{message, {system, {self(), make_ref()}, unknown}}, {text, <<"a">>}, {called, handle}, close]},
     {sys_bad, "B28", #{ways => http1}, [{message, {system, bad, message}}]}] ++
    [ {list_to_atom("supervisor_" ++ atom_to_list(Function)),
       "B29",
       #{},
       [{observe, fun(Pid) -> apply(supervisor, Function, [Pid | Args]) end}, close]}
      || {Function, Args} <- [{which_children, []},
                              {count_children, []},
                              {terminate_child, [any]},
                              {restart_child, [any]},
                              {delete_child, [any]},
                              {get_childspec, [any]},
                              {start_child, [#{id => any, start => {m, f, []}}]}] ] ++
    [{unknown_call, "B29",
                    #{},
                    [{observe, fun(Pid) -> try gen_server:call(Pid, unknown, 5000) catch Class:{Reason, _} -> {Class, Reason} end end}, close]}].


facts() ->
    [{initial_call, "B30", #{ways => http1}, [{observe, fun(Pid) -> dictionary(Pid, '$initial_call') end}, close]},
     {ancestors, "B30", #{ways => http1}, [{observe, fun(Pid) -> is_list(dictionary(Pid, '$ancestors')) end}, close]},
     {linked_to_the_parent, "B30", #{ways => http1}, [{observe, fun(Pid) -> {links, Links} = process_info(Pid, links), lists:member(parent(Pid), Links) end}, close]}].


init(Prepare) ->
    #{init_2 => fun(Req, _State) -> {cowboy_websocket, Prepare(Req), ws_script:script(Req)} end}.


linked_to_another(Req) ->
    _ = spawn_link(fun() -> exit(shutdown_much_later()) end),
    Req.


%% After the process that was linked has ended.
shutdown_much_later() ->
    receive
        never -> never
    after
        50 ->
            normal
    end.


registered(#{pid := Pid} = Req) ->
    true = register(name(Pid), self()),
    Req.


%% Of its own for each connection, since there are others at the same time.
name(Pid) ->
    list_to_atom("parity_" ++ pid_to_list(Pid)).


wait_for_nobody(Name) ->
    case whereis(Name) of
        undefined -> ok;
        Pid ->
            Monitor = monitor(process, Pid),
            receive
                {'DOWN', Monitor, _, _, _} -> ok
            end
    end.


first_waits({text, <<"wait">>}) -> {wait, ok};
first_waits(Frame) -> {reply, Frame}.


%% The process is beyond its start, where Cowboy is still busy with the answer to the handshake.
settled(Pid) ->
    _ = sys:get_state(Pid),
    settled.


parent(Pid) ->
    hd(dictionary(Pid, '$ancestors')).


dictionary(Pid, Key) ->
    {dictionary, Dictionary} = process_info(Pid, dictionary),
    proplists:get_value(Key, Dictionary).
