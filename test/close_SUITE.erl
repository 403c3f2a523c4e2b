%% How a connection ends: by a close frame from either side, by the handler, or by the network.
-module(close_SUITE).

-compile(export_all).
-compile(nowarn_export_all).


all() -> ws_script:all().


groups() ->
    Both = [client_close, client_close_code, valid_codes, invalid_codes, one_byte_close, nothing_after_client_close,
            handler_close, handler_close_any_code, nothing_after_close_in_list, frames_after_close_not_handled,
            handler_stop, reason_too_long, control_payload_too_long, longest_control_payloads, tcp_close, tcp_close_inside_a_frame, half_close,
            tcp_reset, server_closes_at_once, send_to_gone_client, close_to_gone_client],
    V2 = [commands_after_close_not_run],
    ws_script:groups(Both, V2, []).


init_per_suite(Config) -> ws_script:init_per_suite(Config).


end_per_suite(Config) -> ws_script:end_per_suite(Config).


init_per_group(Group, Config) -> ws_script:init_per_group(Group, Config).


end_per_group(Group, Config) -> ws_script:end_per_group(Group, Config).


%%% The client closes.


%% E46: an empty close is answered with an empty close; the reason is `remote'.
client_close(Config) ->
    [close] = closed_by_client(Config, close, {called, remote}),
    ok.


%% E47: a close is answered with its code and no payload; the reason has both.
client_close_code(Config) ->
    [{close, 1000, <<>>}] = closed_by_client(Config, {close, 1000, ""}, {called, {remote, 1000, <<>>}}),
    [{close, 4711, <<>>}] = closed_by_client(Config, {close, 4711, "bye"}, {called, {remote, 4711, <<"bye">>}}),
    ok.


%% E48: the codes that a client may use.
valid_codes(Config) ->
    [ [{close, Code, <<>>}] = closed_by_client(Config, {close, Code, "x"}, {called, {remote, Code, <<"x">>}})
      || Code <- [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] ],
    ok.


%% E48: all other codes are protocol errors.
invalid_codes(Config) ->
    [ [{close, 1002, <<>>}] = closed_by_client(Config, {close, Code, ""}, {called, {error, badframe}})
      || Code <- [0, 999, 1004, 1005, 1006, 1012, 1013, 1014, 1015, 1016, 1100, 2000, 2999, 5000, 65535] ],
    ok.


%% C36: a close with half a code is a protocol error.
one_byte_close(Config) ->
    Close = {raw, ws_client:frame(#{opcode => close, payload => "x"})},
    [{close, 1002, <<>>}] = closed_by_client(Config, Close, {called, {error, badframe}}),
    ok.


%% E49: what follows the client's close frame is ignored.
nothing_after_client_close(Config) ->
    Frames = [close, {text, "late"}, {ping, "late"}, {raw, <<255, 255, 255>>}],
    [close] = closed_by_client(Config, Frames, {called, remote}),
    ok.


%% Sends these frames; what comes back before the end, and that the end is as it should be.
closed_by_client(Config, Frames, Terminate) ->
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_client:send(Client, Frames),
    Received = ws_client:recv_until_closed(Client),
    {Terminate, normal} = ws_script:ended(Conn),
    ok = ws_client:close(Client),
    {error, closed} = lists:last(Received),
    lists:droplast(Received).


%%% The handler closes.


%% E50: a handler's close frame ends the connection; a payload alone goes with 1000.
handler_close(Config) ->
    [ [Expected, {error, closed}] = closed_by_handler(Config, Position, {reply, Frame})
      || Position <- ws_script:positions(Config),
         {Frame, Expected} <- [{close, close},
                               {{close, <<"bye">>}, {close, 1000, <<"bye">>}},
                               {{close, 4000, <<"bye">>}, {close, 4000, <<"bye">>}},
                               {{close, 4000, <<>>}, {close, 4000, <<>>}}] ],
    ok.


%% E50: the handler's code is sent as it is, valid or not.
handler_close_any_code(Config) ->
    [ [{close, Code, <<>>}, {error, closed}] = closed_by_handler(Config, info, {reply, {close, Code, <<>>}})
      || Code <- [0, 1004, 1005, 1006, 1012, 2999, 65535] ],
    ok.


%% E51: frames before a close in a list are sent, those after it are not.
nothing_after_close_in_list(Config) ->
    Frames = [{text, <<"before">>}, {ping, <<"p">>}, {close, 1001, <<"bye">>}, {text, <<"after">>}, {close, 1000, <<>>}],
    [ [{text, <<"before">>}, {ping, <<"p">>}, {close, 1001, <<"bye">>}, {error, closed}] =
          closed_by_handler(Config, Position, {reply, Frames})
      || Position <- ws_script:positions(Config) ],
    ok.


%% E51: commands after a close are not run.
commands_after_close_not_run(Config) ->
    Commands = [{text, <<"before">>}, close, {shutdown_reason, too_late}],
    [ [{text, <<"before">>}, close, {error, closed}] = closed_by_handler(Config, Position, {commands, Commands})
      || Position <- ws_script:positions(Config) ],
    ok.


%% E52: frames that had come before the handler closed are not handled.
frames_after_close_not_handled(Config) ->
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_client:send(Client, [{binary, term_to_binary({act, {reply, close}})}, {text, "1"}, {ping, "2"}, close]),
    [close, {error, closed}] = ws_client:recv_until_closed(Client),
    normal = ws_script:down(Conn),
    [handle, terminate] = [ Callback || {Callback, _} <- ws_script:events(Conn), Callback =/= init ],
    ws_client:close(Client).


%% E53: `stop' closes with 1000.
handler_stop(Config) ->
    [ [{close, 1000, <<>>}, {error, closed}] = closed_by_handler(Config, Position, stop)
      || Position <- ws_script:positions(Config) ],
    ok.


%% What the client gets; the reason is `stop' in any case.
closed_by_handler(Config, Position, Act) ->
    #{client := Client} = Conn = ws_script:at(Config, Position, Act),
    Received = ws_client:recv_until_closed(Client),
    {{called, stop}, normal} = ws_script:ended(Conn),
    ok = ws_client:close(Client),
    Received.


%% E54: a reason of more than 123 bytes crashes the process: no close frame, no terminate.
reason_too_long(Config) ->
    [ crashes(Config, P, {close, 1000, zeros(124)}) || P <- ws_script:positions(Config) ],
    ok.


%% E54: so does a payload of more than 125 bytes for a ping or a pong.
control_payload_too_long(Config) ->
    [ crashes(Config, P, {Type, zeros(126)}) || P <- ws_script:positions(Config), Type <- [ping, pong] ],
    ok.


crashes(Config, Position, Frame) ->
    #{client := Client} = Conn = ws_script:at(Config, Position, {reply, Frame}),
    [{error, closed}] = ws_client:recv_until_closed(Client),
    {none, Exit} = ws_script:ended(Conn),
    true = Exit =/= normal,
    ws_client:close(Client).


%% E54: the longest ones are sent.
longest_control_payloads(Config) ->
    {Ping, Reason} = {zeros(125), zeros(123)},
    [{ping, Ping}, {pong, Ping}, {close, 1000, Reason}, {error, closed}] =
        closed_by_handler(Config, info, {reply, [{ping, Ping}, {pong, Ping}, {close, 1000, Reason}]}),
    ok.


%%% The network closes.


%% E55: a client that closes its socket.
tcp_close(Config) ->
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_client:close(Client),
    {{called, {error, closed}}, normal} = ws_script:ended(Conn).


%% E55: inside a frame it is the same.
tcp_close_inside_a_frame(Config) ->
    [ begin
          #{client := Client} = Conn = ws_script:connect(Config),
          ok = ws_client:send(Client, [{text, "before"}, {raw, ws_client:frame(#{len => 100, payload => Payload})}]),
          {text, <<"before">>} = ws_script:event(Conn, handle),
          ok = ws_client:close(Client),
          {{called, {error, closed}}, normal} = ws_script:ended(Conn)
      end
      || Payload <- ["", "half of it"] ],
    ok.


%% E55: a client that closes its sending half is gone, and gets nothing more.
half_close(Config) ->
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_client:shutdown(Client),
    {{called, {error, closed}}, normal} = ws_script:ended(Conn),
    {error, closed} = ws_client:recv(Client),
    ws_client:close(Client).


%% E55: a reset is no other reason.
tcp_reset(Config) ->
    #{client := Client} = Conn = ws_script:connect(Config),
    ok = ws_client:reset(Client),
    {{called, {error, closed}}, normal} = ws_script:ended(Conn).


%% E56: the server does not wait for the client's close frame.
server_closes_at_once(Config) ->
    #{client := Client} = Conn = ws_script:at(Config, info, {reply, {close, 1000, <<>>}}),
    {close, 1000, <<>>} = ws_client:recv(Client),
    {error, closed} = ws_client:recv(Client),
    {{called, stop}, normal} = ws_script:ended(Conn),
    ok = ws_client:send(Client, {close, 1000, ""}),
    ws_client:close(Client).


%% E57: what is sent to a client that has gone ends the connection without a crash.
send_to_gone_client(Config) ->
    {error, closed} = ended_after_reset(Config, {reply, [{text, <<"1">>}, {text, <<"2">>}]}),
    ok.


%% E57: whether a close frame could be sent does not matter.
close_to_gone_client(Config) ->
    stop = ended_after_reset(Config, {reply, {close, 1000, <<>>}}),
    ok.


%% Why a connection ends whose client resets it while the handler is about to do this.
ended_after_reset(Config, Act) ->
    Test = self(),
    Wait = fun(_) ->
                   Test ! {waiting, self()},
                   receive
                       continue -> Act
                   end
           end,
    #{client := Client, pid := Pid} = Conn = ws_script:at(Config, info, {run, Wait}),
    receive
        {waiting, Pid} -> ok
    end,
    ok = ws_client:reset(Client),
    Pid ! continue,
    {{called, Reason}, normal} = ws_script:ended(Conn),
    Reason.


no_leaks(Config) -> ws_script:no_leaks(Config).


zeros(N) ->
    binary:copy(<<"0">>, N).
