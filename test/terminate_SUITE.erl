%% terminate/3: when it is called, with what, and when it is not; and why the process exits.
-module(terminate_SUITE).

-compile(export_all).
-compile(nowarn_export_all).


all() -> ws_script:all().


groups() ->
    Both = [remote, handler_stop, idle, protocol_errors, network_error, crash, not_for_bad_return, not_for_bad_frame,
            not_for_exit_signal, optional, after_close_frame_before_fin, return_ignored, exit_normal],
    V2 = [sys_terminate, parent_exit, partial_request, req_filter, req_filter_at_upgrade, shutdown_reason, shutdown_reason_normal,
          shutdown_reason_last, shutdown_reason_not_for_crashes],
    ws_script:groups(Both, V2, [full_request, request_carried_on]).


init_per_suite(Config) -> ws_script:init_per_suite(Config).


end_per_suite(Config) -> ws_script:end_per_suite(Config).


init_per_group(Group, Config) -> ws_script:init_per_group(Group, Config).


end_per_group(Group, Config) -> ws_script:end_per_group(Group, Config).


init_per_testcase(Case, Config) ->
    ws_script:init_per_testcase(Case, Config, #{parent_exit => {2, 18}, partial_request => {2, 18}, not_for_exit_signal => {2, 11}}).


%%% Once for each way to end. ws_script:ended/1 fails if terminate was called twice.


%% G69: called when the client closes.
remote(Config) ->
    {{called, remote}, normal} = after_frames(Config, close),
    {{called, {remote, 1001, <<"bye">>}}, normal} = after_frames(Config, {close, 1001, "bye"}),
    ok.


%% G69: called when the handler stops or closes.
handler_stop(Config) ->
    [ {{called, stop}, normal} = after_act(Config, Position, Act)
      || Position <- ws_script:positions(Config), Act <- [stop, {reply, close}, {reply, {close, 4000, <<"bye">>}}] ],
    ok.


%% G69: called when the client has been silent for too long.
idle(Config) ->
    Upgrade =
        case proplists:get_value(api, Config) of
            v2 -> #{idle_timeout => 50};
            v2pre -> 50
        end,
    #{client := Client} = Conn = ws_script:connect(Config, #{upgrade => [Upgrade]}),
    [{close, 1000, <<>>}, {error, closed}] = ws_client:recv_until_closed(Client),
    {{called, timeout}, normal} = ws_script:ended(Conn),
    ws_client:close(Client).


%% G69: called when the client breaks the protocol.
protocol_errors(Config) ->
    {{called, {error, badframe}}, normal} = after_frames(Config, {raw, ws_client:frame(#{mask => none})}),
    {{called, {error, badencoding}}, normal} = after_frames(Config, {text, <<255>>}),
    ok.


%% G69: called when the connection is lost.
network_error(Config) ->
    Conn = ws_script:connect(Config),
    ok = ws_client:close(maps:get(client, Conn)),
    {{called, {error, closed}}, normal} = ws_script:ended(Conn).


%% G69: called when a callback crashes.
crash(Config) ->
    [ {{called, {crash, Class, boom}}, _} = after_act(Config, Position, {crash, Class, boom})
      || Position <- ws_script:positions(Config), Class <- [error, exit, throw] ],
    ok.


%% G69: called with the reason that a system message gives.
sys_terminate(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config),
    undefined = ws_script:event(Conn, init),
    ok = sys:terminate(Pid, shutdown),
    {{called, shutdown}, normal} = ws_script:ended(Conn),
    ws_client:close(Client).


%% G69: called with the reason that the parent exits for.
parent_exit(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config),
    undefined = ws_script:event(Conn, init),
    {dictionary, Dictionary} = process_info(Pid, dictionary),
    {_, [Parent | _]} = lists:keyfind('$ancestors', 1, Dictionary),
    Pid ! {'EXIT', Parent, shutdown},
    {{called, shutdown}, normal} = ws_script:ended(Conn),
    ws_client:close(Client).


%% G69: not called for a return value that means nothing.
not_for_bad_return(Config) ->
    [ {none, {_, _}} = after_act(Config, Position, {return, Return})
      || Position <- ws_script:positions(Config), Return <- [not_a_tuple, {unknown, x}, {ok}] ],
    ok.


%% G69: not called for a frame that is none.
not_for_bad_frame(Config) ->
    [ {none, {_, _}} = after_act(Config, Position, {reply, Frame})
      || Position <- ws_script:positions(Config), Frame <- [{unknown, <<"x">>}, {text, not_iodata}] ],
    ok.


%% G69: not called for an exit signal that is not trapped.
not_for_exit_signal(Config) ->
    #{pid := Pid, client := Client} = Conn = ws_script:connect(Config),
    exit(Pid, shutdown),
    {none, shutdown} = ws_script:ended(Conn),
    ws_client:close(Client).


%%% With what.


%% G70: the request is reduced to nine keys; headers are not among them.
partial_request(Config) ->
    {remote, Req, #{calls := _}} = terminate_arguments(Config, #{}),
    [host, method, path, peer, port, qs, scheme, streamid, version] = lists:sort(maps:keys(Req)),
    #{method := <<"GET">>, version := 'HTTP/1.1', scheme := <<"http">>, host := <<"localhost">>, path := <<"/">>} = Req,
    #{peer := {{127, 0, 0, 1}, _}, port := 80, qs := <<>>, streamid := 1} = Req.


%% G70: a filter says what terminate gets for a request.
req_filter(Config) ->
    Filter = fun(#{headers := #{<<"upgrade">> := Upgrade}}) -> {filtered, Upgrade} end,
    {remote, {filtered, <<"websocket">>}, _} = terminate_arguments(Config, #{upgrade => [#{req_filter => Filter}]}),
    ok.


%% G70: the filter runs in the request process, at the upgrade, on what init/2 returned.
req_filter_at_upgrade(Config) ->
    Init = fun(Req, _) ->
                   InitPid = self(),
                   Filter = fun(#{mine := Mine}) -> {Mine, InitPid =:= self()} end,
                   {cowboy_websocket, Req#{mine => mine}, ws_script:script(Req), #{req_filter => Filter}}
           end,
    {remote, {mine, true}, _} = terminate_arguments(Config, #{init_2 => Init}),
    ok.


%% G70: handlers of arity 3 get the whole request.
full_request(Config) ->
    {remote, Req, #{calls := _}} = terminate_arguments(Config, #{}),
    #{method := <<"GET">>, headers := #{<<"upgrade">> := <<"websocket">>}, bindings := #{}, pid := Pid} = Req,
    true = is_pid(Pid).


%% F58: the request that a callback of arity 3 returns is carried on.
request_carried_on(Config) ->
    Return = fun(Name) ->
                     {return_with, fun(Req) -> Req#{Name => true} end}
             end,
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_script:perform(Conn, info, Return(info)),
    ok = ws_script:perform(Conn, handle, Return(handle)),
    ok = ws_client:send(Client, close),
    {remote, #{info := true, handle := true}, _} = ws_script:event(Conn, terminate),
    normal = ws_script:down(Conn),
    ws_client:close(Client).


%% G71: terminate is optional.
optional(Config) ->
    Handler =
        case proplists:get_value(api, Config) of
            v2 -> no_terminate_v2_h;
            v2pre -> no_terminate_v2pre_h
        end,
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", Handler, self()}], #{}),
    {ok, Client, {101, _}} = ws_client:connect(Port, "/"),
    Monitor = receive {connected, Pid} -> monitor(process, Pid) end,
    ok = ws_client:send(Client, close),
    close = ws_client:recv(Client),
    receive {'DOWN', Monitor, process, _, Reason} -> true = lists:member(Reason, [normal, noproc]) end,
    ok = ws_client:close(Client),
    drover_target:stop(?FUNCTION_NAME).


%% G72: terminate runs when the close frame is out and before the socket is closed.
after_close_frame_before_fin(Config) ->
    Test = self(),
    Wait = fun(_) ->
                   Test ! {in_terminate, self()},
                   receive continue -> ok end
           end,
    #{client := Client, pid := Pid} = Conn = ws_script:at(Config, info, stop, #{terminate => {run, Wait}}),
    {close, 1000, <<>>} = ws_client:recv(Client),
    receive {in_terminate, Pid} -> ok end,
    %% Open still, and for as long as the callback takes.
    {error, timeout} = ws_client:recv(Client, 50),
    Pid ! continue,
    {error, closed} = ws_client:recv(Client),
    {{called, stop}, normal} = ws_script:ended(Conn),
    ws_client:close(Client).


%% G74: what terminate returns does not matter.
return_ignored(Config) ->
    [ {{called, remote}, normal} = after_frames(Config, close, #{terminate => Return})
      || Return <- [{stop, x}, {shutdown, x}, [], {error, x}] ],
    ok.


%%% Why the process exits.


%% G73: any end that is no crash is `normal'.
exit_normal(Config) ->
    {_, normal} = after_frames(Config, close),
    {_, normal} = after_frames(Config, {raw, <<255, 255>>}),
    {_, normal} = after_act(Config, info, stop),
    ok.


%% G73: a handler may give another reason, for any later end.
shutdown_reason(Config) ->
    Set = {commands, [{shutdown_reason, mine}, {text, <<"set">>}]},
    [ begin
          #{client := Client} = Conn = ws_script:at(Config, Position, Set),
          {text, <<"set">>} = ws_client:recv(Client),
          ok = End(Conn),
          {{called, _}, {shutdown, mine}} = ws_script:ended(Conn),
          ws_client:close(Client)
      end
      || Position <- ws_script:positions(Config),
         End <- [fun(#{client := Client}) -> ws_client:send(Client, close) end,
                 fun(#{client := Client}) -> ws_client:send(Client, {text, <<255>>}) end,
                 fun(#{client := Client}) -> ws_client:close(Client) end,
                 fun(Conn) -> ws_script:perform(Conn, info, {reply, close}) end,
                 fun(Conn) -> ws_script:perform(Conn, handle, stop) end] ],
    ok.


%% G73: together with the close itself.
shutdown_reason_last(Config) ->
    [ {{called, stop}, {shutdown, last}} =
          after_act(Config, Position, {commands, [{shutdown_reason, first}, {shutdown_reason, last}, close]})
      || Position <- ws_script:positions(Config) ],
    ok.


%% G73: the reason `normal' is `normal' itself.
shutdown_reason_normal(Config) ->
    {{called, stop}, normal} = after_act(Config, info, {commands, [{shutdown_reason, mine}, {shutdown_reason, normal}, close]}),
    ok.


%% G73: a crash is not covered up.
shutdown_reason_not_for_crashes(Config) ->
    #{client := Client} = Conn = ws_script:at(Config, init, {commands, [{shutdown_reason, mine}]}),
    ok = ws_script:perform(Conn, handle, {crash, exit, boom}),
    {{called, {crash, exit, boom}}, boom} = ws_script:ended(Conn),
    ws_client:close(Client).


no_leaks(Config) -> ws_script:no_leaks(Config).


%%% Helpers.


after_frames(Config, Frames) ->
    after_frames(Config, Frames, #{}).


after_frames(Config, Frames, Script) ->
    #{client := Client} = Conn = ws_script:connect(Config, Script),
    ok = ws_client:send(Client, Frames),
    Ended = ws_script:ended(Conn),
    ok = ws_client:close(Client),
    Ended.


after_act(Config, Position, Act) ->
    #{client := Client} = Conn = ws_script:at(Config, Position, Act),
    Ended = ws_script:ended(Conn),
    ok = ws_client:close(Client),
    Ended.


terminate_arguments(Config, Script) ->
    #{client := Client} = Conn = ws_script:connect(Config, Script),
    ok = ws_client:send(Client, close),
    Arguments = ws_script:event(Conn, terminate),
    normal = ws_script:down(Conn),
    ok = ws_client:close(Client),
    Arguments.
