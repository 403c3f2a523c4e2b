%% When a connection ends because its client has been silent. Bounds on time are lower ones: a loaded machine is late.
-module(timeout_SUITE).

-export([all/0, groups/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([silence_closes/1,
         silence_closes_hibernating/1,
         not_before_its_time/1,
         messages_and_sent_frames_do_not_count/1,
         each_byte_counts/1,
         pings_and_pongs_count/1,
         infinity/1,
         tiny_timeout/1,
         peer_need_not_read/1,
         http_timeouts_are_over/1,
         option_sets_it/1,
         option_restarts_it/1,
         option_switches_it_off/1,
         defaults/1]).
-export([no_leaks/1]).


all() ->
    [{group, v2}, {group, p}, {group, hybrid}, defaults, no_leaks].


groups() ->
    [ {Dialect, [parallel], Cases ++ [ Case || Case <- cases_of_arity_2(), Dialect =/= p ]}
      || {Dialect, [], Cases} <- fun_handler:groups(cases()) ].


cases() ->
    [silence_closes,
     silence_closes_hibernating,
     not_before_its_time,
     messages_and_sent_frames_do_not_count,
     each_byte_counts,
     pings_and_pongs_count,
     infinity,
     tiny_timeout,
     peer_need_not_read,
     http_timeouts_are_over].


cases_of_arity_2() ->
    [option_sets_it, option_restarts_it, option_switches_it_off].


init_per_suite(Config) ->
    fun_handler:init_suite(Config).


end_per_suite(_Config) ->
    ok.


init_per_group(Group, Config) ->
    fun_handler:init_group(Group, Config).


end_per_group(_Group, _Config) ->
    fun_handler:stop_all().


init_per_testcase(Case, Config) ->
    fun_handler:since(Case, #{defaults => drover}, Config).


%% The cases of a group run at once.
end_per_testcase(_Case, _Config) ->
    ok.


%% H75: silence closes with 1000, the handler learns `timeout', the process ends normally.
silence_closes(Config) ->
    timed_out(fun_handler:open(Config, fun quiet/1, #{timeout => 100})).


%% H75: the same where the process hibernates.
silence_closes_hibernating(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun(_Event) -> {hibernate, ok} end, #{timeout => 300, hibernate => true}),
    ok = ws_client:send(Client, {text, <<"x">>}),
    {handle, {text, <<"x">>}} = fun_handler:next(Pid),
    timed_out({Client, Pid}).


%% H78: not before its time, counted from the last byte; and not never.
not_before_its_time(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun echo/1, #{timeout => 500}),
    receive after 200 -> ok end,
    Sent = now_ms(),
    ok = ws_client:send(Client, {text, <<"x">>}),
    {text, <<"x">>} = ws_client:recv(Client),
    {handle, {text, <<"x">>}} = fun_handler:next(Pid),
    {close, 1000, <<>>} = ws_client:recv(Client),
    true = now_ms() - Sent >= 500.


%% H77: neither Erlang messages nor sent frames put the timeout off.
messages_and_sent_frames_do_not_count(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun push/1, #{timeout => 500}),
    ok = pushed_until_closed(Client, Pid, now_ms() + 10000).


pushed_until_closed(Client, Pid, Deadline) ->
    true = now_ms() < Deadline,
    Pid ! push,
    case ws_client:recv(Client, 1000) of
        {text, <<"pushed">>} ->
            receive after 20 -> ok end,
            pushed_until_closed(Client, Pid, Deadline);
        {close, 1000, <<>>} ->
            ok
    end.


%% H77: each received byte does, also of a frame that is not over.
each_byte_counts(Config) ->
    Bytes = iolist_to_binary(ws_client:frame(#{payload => <<"0123456789abcdef">>})),
    steadily(Config, [ {raw, <<Byte>>} || <<Byte>> <= Bytes ], {text, <<"0123456789abcdef">>}).


%% H77: pings and pongs do.
pings_and_pongs_count(Config) ->
    Pongs = [ {pong, <<N>>} || N <- lists:seq(1, 20) ],
    steadily(Config, Pongs ++ [{text, <<"end">>}], {text, <<"end">>}).


%% Sends one after the other, for longer than the timeout in all but never with so long a gap.
steadily(Config, Frames, Last) ->
    {Client, _} = fun_handler:open(Config, fun echo/1, #{timeout => 1000}),
    Longest = lists:max([ paced(Client, Frame) || Frame <- Frames ]),
    %% A machine that has stood still proves nothing.
    case Longest < 900 of
        true -> Last = ws_client:recv(Client);
        false -> {comment, "the machine was too slow"}
    end.


paced(Client, Frame) ->
    Start = now_ms(),
    ok = ws_client:send(Client, Frame),
    receive after 100 -> ok end,
    now_ms() - Start.


%% H76: with `infinity' a silent connection lives on.
infinity(Config) ->
    lives_on(fun_handler:open(Config, fun quiet/1, #{timeout => infinity})).


%% H78: a timeout of less than ten milliseconds closes, too.
tiny_timeout(Config) ->
    [ timed_out(fun_handler:open(Config, fun quiet/1, #{timeout => Timeout})) || Timeout <- [1, 5, 10] ].


%% H81: nor need the peer read anything.
peer_need_not_read(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun push/1, #{timeout => 300}),
    [ Pid ! push || _ <- lists:seq(1, 100) ],
    [ {info, push} = fun_handler:next(Pid) || _ <- lists:seq(1, 100) ],
    {terminate, timeout, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid),
    {close, 1000, <<>>} = lists:last(ws_client:recv_many(Client, 101)).


%% H80: the timeouts of HTTP end with the handshake.
http_timeouts_are_over(Config) ->
    Proto = #{request_timeout => 300, idle_timeout => 300, inactivity_timeout => 300},
    lives_on(fun_handler:open(Config, fun quiet/1, #{proto => Proto, timeout => infinity})).


%% H79: {set_options, #{idle_timeout => T}} takes the place of the present timeout.
option_sets_it(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun set_idle_timeout/1, #{timeout => infinity}),
    Pid ! {idle_timeout, 200},
    {info, {idle_timeout, 200}} = fun_handler:next(Pid),
    timed_out({Client, Pid}).


%% H79: and starts anew with it.
option_restarts_it(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun set_idle_timeout/1, #{timeout => 800}),
    receive after 400 -> ok end,
    Set = now_ms(),
    Pid ! {idle_timeout, 800},
    {info, {idle_timeout, 800}} = fun_handler:next(Pid),
    {close, 1000, <<>>} = ws_client:recv(Client),
    true = now_ms() - Set >= 800.


%% H79: `infinity' switches it off.
option_switches_it_off(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun set_idle_timeout/1, #{timeout => 500}),
    Pid ! {idle_timeout, infinity},
    {info, {idle_timeout, infinity}} = fun_handler:next(Pid),
    lives_on({Client, Pid}).


%% H76: the default is a minute in Cowboy 2; there was none before.
defaults(_Config) ->
    #{idle_timeout := 60000} = drover_opts:websocket(#{}),
    {ok, Proto} = drover_opts:protocol(#{}),
    #{idle_timeout := infinity} = drover_opts:websocket_pre(infinity, Proto).


%% Nothing of what the cases made is left.
no_leaks(Config) ->
    fun_handler:no_leaks(Config).


%%% Scripts and helpers.


quiet(_Event) -> ok.


echo({handle, {text, _} = Message}) -> {reply, Message};
echo(_Event) -> ok.


push({info, push}) -> {reply, {text, <<"pushed">>}};
push(_Event) -> ok.


set_idle_timeout({info, {idle_timeout, Timeout}}) -> {commands, [{set_options, #{idle_timeout => Timeout}}]};
set_idle_timeout(_Event) -> ok.


timed_out({Client, Pid}) ->
    [{close, 1000, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, timeout, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid).


lives_on({Client, _Pid} = Connection) ->
    {error, timeout} = ws_client:recv(Client, 1200),
    ok = fun_handler:alive(Connection).


now_ms() ->
    erlang:monotonic_time(millisecond).
