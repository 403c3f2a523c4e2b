%% Flow control: reading that a handler stops, handlers that are slow, clients that do not read.
-module(flow_SUITE).

-export([all/0, groups/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([passive_connection_is_not_read/1,
         frames_already_read_are_handled/1,
         close_is_not_noticed_while_passive/1,
         idle_timeout_goes_on_while_passive/1,
         passive_from_the_beginning/1,
         passive_from_the_beginning_with_a_frame/1,
         options_of_the_buffers/1,
         order_is_kept/1,
         replies_are_not_held_back/1,
         replies_precede_the_end/1,
         quiet_connections_beside_a_busy_one/1,
         slow_handler_pushes_back/1,
         echo_to_a_client_that_reads_later/1,
         send_waits_for_the_peer/1,
         large_lists_wait_too/1,
         messages_wait_meanwhile/1,
         send_timeout/1,
         peer_leaves_meanwhile/1,
         killed_meanwhile/1]).
-export([no_leaks/1]).

-define(FRAME_SIZE, 65536).
%% Bytes of a flood that may pass while somebody else waits.
-define(FLOOD, 16 * 1024 * 1024).


all() ->
    [{group, v2}, {group, p}, {group, hybrid}, no_leaks].


groups() ->
    Arity2 = cases_of_arity_2() ++ cases(),
    [{v2, [], [options_of_the_buffers, quiet_connections_beside_a_busy_one | Arity2]}, {p, [], cases()}, {hybrid, [], Arity2}].


cases_of_arity_2() ->
    [passive_connection_is_not_read,
     frames_already_read_are_handled,
     close_is_not_noticed_while_passive,
     idle_timeout_goes_on_while_passive,
     passive_from_the_beginning,
     passive_from_the_beginning_with_a_frame].


cases() ->
    [order_is_kept,
     replies_are_not_held_back,
     replies_precede_the_end,
     slow_handler_pushes_back,
     echo_to_a_client_that_reads_later,
     send_waits_for_the_peer,
     large_lists_wait_too,
     messages_wait_meanwhile,
     send_timeout,
     peer_leaves_meanwhile,
     killed_meanwhile].


init_per_suite(Config) ->
    fun_handler:init_suite(Config).


end_per_suite(_Config) ->
    ok.


init_per_group(Group, Config) ->
    fun_handler:init_group(Group, Config).


end_per_group(_Group, _Config) ->
    ok.


init_per_testcase(_Case, Config) ->
    Config.


end_per_testcase(_Case, _Config) ->
    fun_handler:stop_all().


%%% {active, Bool}.


%% K97: after {active, false} the socket is not read; after {active, true} what came meanwhile is handled in order.
passive_connection_is_not_read(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun obedient/1),
    ok = passive(Client, Pid),
    ok = ws_client:send(Client, [{text, <<"1">>}, {ping, <<"2">>}, {text, <<"3">>}]),
    {error, timeout} = ws_client:recv(Client, 300),
    ok = fun_handler:silent(Pid),
    ok = active(Pid),
    [{text, <<"1">>}, {pong, <<"2">>}, {text, <<"3">>}] = ws_client:recv_many(Client, 3),
    [{handle, {text, <<"1">>}}, {handle, {ping, <<"2">>}}, {handle, {text, <<"3">>}}] = fun_handler:take(Pid, 3).


%% K97: frames that had been read together with the one that made the connection passive are handled all the same.
frames_already_read_are_handled(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun obedient/1),
    ok = ws_client:send(Client, [{text, <<"passive">>}, {text, <<"1">>}, {ping, <<"2">>}]),
    [{text, <<"passive">>}, {text, <<"1">>}, {pong, <<"2">>}] = ws_client:recv_many(Client, 3),
    [_, {handle, {text, <<"1">>}}, {handle, {ping, <<"2">>}}] = fun_handler:take(Pid, 3),
    ok = ws_client:send(Client, {text, <<"3">>}),
    {error, timeout} = ws_client:recv(Client, 300),
    ok = fun_handler:silent(Pid).


%% K98: while passive the end of the client is not noticed; once active it is {error, closed}.
close_is_not_noticed_while_passive(Config) ->
    [ begin
          {Client, Pid} = fun_handler:open(Config, fun obedient/1),
          ok = passive(Client, Pid),
          ok = End(Client),
          receive after 200 -> ok end,
          true = is_process_alive(Pid),
          ok = fun_handler:silent(Pid),
          ok = active(Pid),
          {terminate, {error, closed}, _, _} = fun_handler:next(Pid),
          normal = fun_handler:died(Pid)
      end || End <- [fun ws_client:close/1, fun ws_client:shutdown/1] ].


%% K98: the idle timeout goes on, and bytes that arrive meanwhile do not count.
idle_timeout_goes_on_while_passive(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun obedient/1, #{timeout => 500}),
    ok = passive(Client, Pid),
    ok = sent_until_closed(Client, 500),
    {terminate, timeout, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid).


sent_until_closed(Client, Times) when Times > 0 ->
    ok = ws_client:send(Client, pong),
    case ws_client:recv(Client, 20) of
        {error, timeout} -> sent_until_closed(Client, Times - 1);
        {close, 1000, <<>>} -> ok
    end.


%% K99: {active, false} from websocket_init holds before anything is read.
passive_from_the_beginning(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun passive_at_first/1),
    ok = ws_client:send(Client, {text, <<"1">>}),
    {error, timeout} = ws_client:recv(Client, 300),
    ok = fun_handler:silent(Pid),
    ok = active(Pid),
    {text, <<"1">>} = ws_client:recv(Client).


%% K99: but a frame that came with the handshake is handled.
passive_from_the_beginning_with_a_frame(Config) ->
    Server = fun_handler:start(Config, fun passive_at_first/1, #{}),
    {Client, Pid} = fun_handler:join(Server, #{early => ws_client:frame(#{payload => <<"1">>})}),
    {handle, {text, <<"1">>}} = fun_handler:next(Pid),
    {text, <<"1">>} = ws_client:recv(Client),
    ok = ws_client:send(Client, {text, <<"2">>}),
    {error, timeout} = ws_client:recv(Client, 300),
    ok = active(Pid),
    {text, <<"2">>} = ws_client:recv(Client).


%% K100: active_n, dynamic_buffer and data_delivery are taken, whatever they say.
options_of_the_buffers(Config) ->
    Options = [ #{active_n => N} || N <- [1, 2, 100, 32767] ] ++
        [ #{dynamic_buffer => B} || B <- [false, true, {1024, 131072}] ] ++
        [ #{data_delivery => D, data_delivery_flow => 1} || D <- [relay, stream_handlers] ],
    [ begin
          {Client, _} = fun_handler:open(Config, fun obedient/1, #{ws => Option}),
          Message = {binary, rand:bytes(100000)},
          ok = ws_client:send(Client, [Message, Message]),
          [Message, Message] = ws_client:recv_many(Client, 2)
      end || Option <- Options ].


%%% Much at once.


%% B23: many messages of all sizes are answered in their order while more of them are on the way.
order_is_kept(Config) ->
    {Client, _} = fun_handler:open(Config, fun obedient/1),
    Messages = [ {binary, <<N:32, (rand:bytes(size_of(N)))/binary>>} || N <- lists:seq(1, 5000) ],
    Sender = sender(Client, Messages, 7),
    [] = [ Message || Message <- Messages, ws_client:recv(Client) =/= Message ],
    ok = sent_all(Sender).


size_of(N) when N rem 500 =:= 0 -> 200000;
size_of(N) when N rem 50 =:= 0 -> 5000;
size_of(N) -> N rem 130.


%% B24: the answer to a frame goes out although the callback for the next frame of the same segment takes its time.
replies_are_not_held_back(Config) ->
    [ begin
          {Client, Pid} = fun_handler:open(Config, fun obedient/1),
          ok = ws_client:send(Client, [First, {text, <<"wait">>}, {text, <<"later">>}]),
          Answer = ws_client:recv(Client),
          Pid ! go,
          [{text, <<"wait">>}, {text, <<"later">>}] = ws_client:recv_many(Client, 2)
      end || {First, Answer} <- [{{text, <<"a">>}, {text, <<"a">>}}, {{ping, <<"a">>}, {pong, <<"a">>}}] ].


%% C39, F66: answers that were given stand before the close frame that ends the connection.
replies_precede_the_end(Config) ->
    [ begin
          {Client, _} = fun_handler:open(Config, fun obedient/1),
          ok = ws_client:send(Client, [{text, <<"1">>}, {text, <<"2">>}, Last]),
          [{text, <<"1">>}, {text, <<"2">>}, Close, {error, closed}] = ws_client:recv_many(Client, 4)
      end || {Last, Close} <- [{close, close},
                               {{close, 4000, <<>>}, {close, 4000, <<>>}},
                               {{text, <<"stop">>}, {close, 1000, <<>>}},
                               {{text, <<"crash">>}, {close, 1011, <<>>}},
                               {{text, <<255>>}, {close, 1007, <<>>}}] ].


%% K100: a handler that is slower than its client stops it through TCP, and its mailbox stays short.
slow_handler_pushes_back(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun obedient/1, #{ws => #{active_n => 1}}),
    Messages = [ {binary, <<N:32, 0:(16384 * 8)>>} || N <- lists:seq(1, 2000) ],
    Sender = sender(Client, [{text, <<"wait">>} | Messages], 1),
    Sent = when_stuck(Sender),
    true = Sent < 2000,
    {message_queue_len, Queue} = process_info(Pid, message_queue_len),
    true = Queue =< 4,
    Pid ! go,
    {text, <<"wait">>} = ws_client:recv(Client),
    [] = [ Message || Message <- Messages, ws_client:recv(Client) =/= Message ],
    ok = sent_all(Sender).


%% K100: the same when it is the client that does not read the answers.
echo_to_a_client_that_reads_later(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun obedient/1, #{ws => #{active_n => 1}}),
    Messages = [ {binary, <<N:32, 0:(16384 * 8)>>} || N <- lists:seq(1, 4000) ],
    Sender = sender(Client, Messages, 1),
    Sent = when_stuck(Sender),
    true = Sent < 4000,
    {message_queue_len, Queue} = process_info(Pid, message_queue_len),
    true = Queue =< 4,
    [] = [ Message || Message <- Messages, ws_client:recv(Client) =/= Message ],
    ok = sent_all(Sender).


%% K100: a client that sends as fast as it can does not hold up a thousand others. They are all answered, and while one of them
%% waits the flood's handler gets what a few turns bring. (Some wait longer, since the machine has other things to do.)
quiet_connections_beside_a_busy_one(_Config) ->
    Counter = counters:new(1, []),
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", flood_v2_h, Counter}], #{}),
    Quiet = [ element(2, {ok, _, _} = ws_client:connect(Port, "/")) || _ <- lists:seq(1, crowd:largest(2200) div 2 - 100) ],
    [ ok = flooded(Port, Size, Quiet, Counter) || Size <- [16, 50000, 900000] ],
    ok = lists:foreach(fun ws_client:close/1, Quiet),
    ok = drover_target:stop(?FUNCTION_NAME).


flooded(Port, Size, Quiet, Counter) ->
    {ok, Flooding, {101, _}} = ws_client:connect(Port, "/"),
    Frame = ws_client:frame(#{opcode => binary, payload => binary:copy(<<0>>, Size)}),
    Flood = lists:duplicate(1000000 div Size, Frame),
    {Flooder, Monitor} = spawn_monitor(fun() -> flood(Flooding, {raw, iolist_to_binary(Flood)}) end),
    ok = until_flooded(Counter, counters:get(Counter, 1)),
    Passed = lists:sort([ bytes_passed(Client, Counter) || Client <- Quiet ]),
    true = lists:nth(length(Passed) div 2, Passed) < ?FLOOD,
    true = lists:sum(Passed) > 0,
    true = exit(Flooder, kill),
    receive
        {'DOWN', Monitor, process, Flooder, killed} -> ws_client:reset(Flooding)
    end.


flood(Client, Bytes) ->
    ok = ws_client:send(Client, Bytes),
    flood(Client, Bytes).


until_flooded(Counter, Before) ->
    case counters:get(Counter, 1) > Before of
        true -> ok;
        false -> receive after 1 -> until_flooded(Counter, Before) end
    end.


bytes_passed(Client, Counter) ->
    Before = counters:get(Counter, 1),
    ok = ws_client:send(Client, {text, <<"quiet">>}),
    {text, <<"quiet">>} = ws_client:recv(Client),
    counters:get(Counter, 1) - Before.


%%% Clients that do not read.


%% E57, H81: a send waits for a peer that does not read, without growing memory; everything arrives once it reads.
send_waits_for_the_peer(Config) ->
    {Client, Pid} = pusher(Config, #{}),
    Before = node_memory:reset_peak(),
    Frames = 2000,
    [ Pid ! {push, N} || N <- lists:seq(1, Frames) ],
    ok = until_stuck(Pid),
    true = node_memory:peak() - Before < 64 * 1024,
    [] = [ N || N <- lists:seq(1, Frames), ws_client:recv(Client) =/= pushed(N) ],
    {info, {push, Frames}} = lists:last(fun_handler:take(Pid, Frames)).


%% E57: also the frames of one long list.
large_lists_wait_too(Config) ->
    {Client, Pid} = pusher(Config, #{}),
    Pid ! {push_list, 500},
    [] = [ N || N <- lists:seq(1, 500), ws_client:recv(Client) =/= pushed(N) ],
    Pid ! {push, 1},
    {binary, _} = ws_client:recv(Client).


%% B24: what is sent to a process that waits so is handled afterwards, in order.
messages_wait_meanwhile(Config) ->
    {Client, Pid} = pusher(Config, #{}),
    [ Pid ! {push, N} || N <- lists:seq(1, 500) ],
    ok = until_stuck(Pid),
    Pid ! after_all,
    [] = [ N || N <- lists:seq(1, 500), ws_client:recv(Client) =/= pushed(N) ],
    {text, <<"after all">>} = ws_client:recv(Client).


%% E57: not longer than send_timeout: then the handler learns {error, timeout}, and the socket is closed.
send_timeout(Config) ->
    {Client, Pid} = pusher(Config, #{socket => [{send_timeout, 300}]}),
    [ Pid ! {push, N} || N <- lists:seq(1, 500) ],
    {terminate, {error, timeout}, _, _} = last_event(Pid),
    normal = fun_handler:died(Pid),
    {error, closed} = lists:last(ws_client:recv_until_closed(Client)).


%% E57: nor longer than the peer is there: {error, closed}.
peer_leaves_meanwhile(Config) ->
    [ begin
          {Client, Pid} = pusher(Config, #{}),
          [ Pid ! {push, N} || N <- lists:seq(1, 500) ],
          ok = until_stuck(Pid),
          ok = End(Client),
          {terminate, {error, Reason}, _, _} = last_event(Pid),
          true = lists:member(Reason, [closed, econnreset, epipe]),
          normal = fun_handler:died(Pid)
      end || End <- [fun ws_client:close/1, fun ws_client:reset/1] ].


%% B27: a process that is killed while it waits takes its socket along.
killed_meanwhile(Config) ->
    {Client, Pid} = pusher(Config, #{}),
    [ Pid ! {push, N} || N <- lists:seq(1, 500) ],
    ok = until_stuck(Pid),
    true = exit(Pid, kill),
    killed = fun_handler:died(Pid),
    {error, closed} = lists:last(ws_client:recv_until_closed(Client)).


%% Nothing of what the cases made is left.
no_leaks(Config) ->
    fun_handler:no_leaks(Config).


%%% Scripts.


%% Echoes, and does what a text says.
obedient({handle, {text, <<"passive">>} = Message}) ->
    {commands, [{active, false}, Message]};
obedient({handle, {text, <<"wait">>} = Message}) ->
    receive
        go -> {reply, Message}
    after
        60000 ->
            stop
    end;
obedient({handle, {text, <<"stop">>}}) ->
    stop;
obedient({handle, {text, <<"crash">>}}) ->
    exit(crash);
obedient({handle, {Type, _} = Message}) when Type =:= text; Type =:= binary ->
    {reply, Message};
obedient({info, active}) ->
    {commands, [{active, true}]};
obedient(_Event) ->
    ok.


passive_at_first(init) -> {commands, [{active, false}]};
passive_at_first(Event) -> obedient(Event).


push({info, {push, N}}) -> {reply, pushed(N)};
push({info, {push_list, N}}) -> {reply, [ pushed(Nth) || Nth <- lists:seq(1, N) ]};
push({info, after_all}) -> {reply, {text, <<"after all">>}};
push(_Event) -> ok.


pushed(N) ->
    {binary, <<N:32, 0:((?FRAME_SIZE - 4) * 8)>>}.


%%% Helpers.


passive(Client, Pid) ->
    ok = ws_client:send(Client, {text, <<"passive">>}),
    {text, <<"passive">>} = ws_client:recv(Client),
    {handle, {text, <<"passive">>}} = fun_handler:next(Pid),
    ok.


active(Pid) ->
    Pid ! active,
    {info, active} = fun_handler:next(Pid),
    ok.


%% A connection between small socket buffers whose handler sends what it is told to.
pusher(Config, Options) ->
    Socket = [{sndbuf, 8192}] ++ maps:get(socket, Options, []),
    Server = fun_handler:start(Config, fun push/1, Options#{socket => Socket}),
    fun_handler:join(Server, #{tcp_opts => [{recbuf, 8192}]}).


%% Sends the messages, so many at a time, from a process of its own that counts them.
sender(Client, Messages, AtATime) ->
    Counter = counters:new(1, []),
    {Pid, Ref} = spawn_monitor(fun() -> send_counted(Client, Messages, AtATime, Counter) end),
    {Pid, Ref, Counter}.


send_counted(_Client, [], _AtATime, _Counter) ->
    ok;
send_counted(Client, Messages, AtATime, Counter) ->
    {Now, Later} = lists:split(min(AtATime, length(Messages)), Messages),
    ok = ws_client:send(Client, Now),
    ok = counters:add(Counter, 1, length(Now)),
    send_counted(Client, Later, AtATime, Counter).


sent_all({Pid, Ref, _Counter}) ->
    receive
        {'DOWN', Ref, process, Pid, normal} -> ok
    after
        10000 ->
            error(still_sending)
    end.


%% How many messages were out when nothing went on any more.
when_stuck({_Pid, _Ref, Counter}) ->
    unchanged(fun() -> counters:get(Counter, 1) end).


%% Until a process has messages that it does not get to.
until_stuck(Pid) ->
    {message_queue_len, N} = unchanged(fun() -> process_info(Pid, message_queue_len) end),
    true = N > 0,
    ok.


%% A value once it has stayed the same for half a second.
unchanged(Get) ->
    unchanged(Get, Get(), 0).


unchanged(_Get, Value, 25) ->
    Value;
unchanged(Get, Value, Times) ->
    receive after 20 -> ok end,
    case Get() of
        Value -> unchanged(Get, Value, Times + 1);
        Other -> unchanged(Get, Other, 0)
    end.


%% The first event that is no message.
last_event(Pid) ->
    case fun_handler:next(Pid) of
        {info, _} -> last_event(Pid);
        Event -> Event
    end.
