%% Every value that a callback may return, from every callback, with and without hibernate; and those that it may not.
-module(results_SUITE).

-export([all/0, groups/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([nothing/1,
         one_frame/1,
         list_of_frames/1,
         list_is_one_send/1,
         iodata/1,
         binaries_only/1,
         text_is_not_checked/1,
         close_frames/1,
         nothing_after_close/1,
         stop/1,
         state_is_carried/1,
         req_is_carried/1,
         crash/1,
         throwing_a_result/1,
         invalid_result/1,
         invalid_frame/1,
         invalid_frame_in_a_list/1,
         reply_takes_frames_alone/1,
         commands_are_frames_too/1,
         deflate_command/1,
         active_command/1,
         set_options_command/1,
         shutdown_reason_command/1,
         commands_after_close/1,
         crash_in_terminate/1,
         crash_in_init/1]).
-export([no_leaks/1]).


all() ->
    [{group, v2}, {group, p}, {group, hybrid}, no_leaks].


groups() ->
    Arity2 = places([init, handle, info], cases() ++ cases_of_arity_2()) ++ cases_of_no_place(),
    [{v2, [], Arity2}, {hybrid, [], Arity2}, {p, [], places([handle, info], [req_is_carried, binaries_only | cases()]) ++ [crash_in_terminate]}].


places(Places, Cases) ->
    [ {Place, [], [ {Mode, [], Cases} || Mode <- [run, hibernate] ]} || Place <- Places ].


cases() ->
    [nothing,
     one_frame,
     list_of_frames,
     text_is_not_checked,
     close_frames,
     nothing_after_close,
     stop,
     state_is_carried,
     crash,
     throwing_a_result,
     invalid_result,
     invalid_frame,
     invalid_frame_in_a_list].


cases_of_arity_2() ->
    [list_is_one_send,
     iodata,
     reply_takes_frames_alone,
     commands_are_frames_too,
     deflate_command,
     active_command,
     set_options_command,
     shutdown_reason_command,
     commands_after_close].


cases_of_no_place() ->
    [crash_in_terminate, crash_in_init].


init_per_suite(Config) ->
    fun_handler:init_suite(Config).


end_per_suite(_Config) ->
    ok.


init_per_group(Place, Config) when Place =:= init; Place =:= handle; Place =:= info ->
    [{place, Place} | Config];
init_per_group(Mode, Config) when Mode =:= run; Mode =:= hibernate ->
    [{mode, Mode} | Config];
init_per_group(Dialect, Config) ->
    fun_handler:init_group(Dialect, Config).


end_per_group(_Group, _Config) ->
    ok.


init_per_testcase(Case, Config) ->
    fun_handler:since(Case, #{set_options_command => {2, 13}}, Config).


end_per_testcase(_Case, _Config) ->
    fun_handler:stop_all().


%%% Results that each callback may return.


%% F58, F62: {ok, S}, an empty list of frames and an empty list of commands send nothing and go on.
nothing(Config) ->
    [ ok = fun_handler:alive(answered(Config, Answer)) || Answer <- [ok, {reply, []}] ++ [ {commands, []} || arity(Config) =:= 2 ] ].


%% F58: a reply may be any frame, alone or in a list.
one_frame(Config) ->
    [ begin
          {Client, _} = Connection = answered(Config, Answer),
          Received = ws_client:recv(Client),
          ok = fun_handler:alive(Connection)
      end || {Frame, Received} <- frames(), Answer <- [{reply, Frame}, {reply, [Frame]}] ].


frames() ->
    [{{text, <<"text">>}, {text, <<"text">>}},
     {{text, <<>>}, {text, <<>>}},
     {{binary, <<0, 255>>}, {binary, <<0, 255>>}},
     {{binary, <<>>}, {binary, <<>>}},
     {ping, {ping, <<>>}},
     {{ping, <<"ping">>}, {ping, <<"ping">>}},
     {{ping, binary:copy(<<"x">>, 125)}, {ping, binary:copy(<<"x">>, 125)}},
     {pong, {pong, <<>>}},
     {{pong, <<"pong">>}, {pong, <<"pong">>}}] ++
    [ {Frame, Frame} || Size <- [125, 126, 65535, 65536, 300000], Frame <- [{binary, rand:bytes(Size)}] ].


%% F60, F61: the frames of a list go out in its order.
list_of_frames(Config) ->
    {Frames, Received} = lists:unzip(frames()),
    {Client, _} = Connection = answered(Config, {reply, Frames}),
    Received = ws_client:recv_many(Client, length(Received)),
    ok = fun_handler:alive(Connection).


%% F60: all at once, so that a client gets them with one read.
list_is_one_send(Config) ->
    {Client, _} = answered(Config, {reply, [{text, <<"one">>}, ping, {binary, <<"two">>}]}),
    {ok, <<1:1, 0:3, 1:4, 3, "one", 1:1, 0:3, 9:4, 0, 1:1, 0:3, 2:4, 3, "two">>} = gen_tcp:recv(ws_client:socket(Client), 0, 10000).


%% F63: payloads are iodata.
iodata(Config) ->
    Frames = [{text, "Hello"}, {binary, [<<"a">>, $b, ["c" | <<"d">>]]}, {ping, "p"}, {pong, [[], <<"q">>]}],
    {Client, _} = Connection = answered(Config, {reply, Frames}),
    [{text, <<"Hello">>}, {binary, <<"abcd">>}, {ping, <<"p">>}, {pong, <<"q">>}] = ws_client:recv_many(Client, 4),
    ok = fun_handler:alive(Connection).


%% F63: payloads are binaries and nothing else for handlers of arity 3.
binaries_only(Config) ->
    Before = {text, <<"before">>},
    [ {[Before, {error, closed}], no_terminate, abnormal} = broken(Config, {reply, [Before, Frame]})
      || Frame <- [{text, "Hello"}, {binary, [<<"a">>]}, {ping, "p"}, {close, ["x"]}, {close, 1000, "x"}] ].


%% F64: text is sent as the handler gives it, UTF-8 or not.
text_is_not_checked(Config) ->
    {Client, _} = Connection = answered(Config, {reply, {text, <<"abc", 255>>}}),
    {text, <<"abc", 255>>} = ws_client:recv(Client),
    ok = fun_handler:alive(Connection).


%% F58, E50: a close frame from the handler is sent with its code and payload and ends the connection.
close_frames(Config) ->
    Frames = [{close, close}, {{close, <<"bye">>}, {close, 1000, <<"bye">>}}] ++
        [ {{close, Code, Reason}, {close, Code, Reason}}
          || Code <- [1000, 1005, 4999, 0, 65535], Reason <- [<<>>, <<"bye">>, binary:copy(<<"x">>, 123)] ],
    [ {Received, stop, normal} = ending(Config, Answer) || {Frame, Received} <- Frames, Answer <- [{reply, Frame}, {reply, [Frame]}] ].


%% F58, E51: what stands before a close frame in a list is sent, what stands after it is not.
nothing_after_close(Config) ->
    {Client, Pid} = answered(Config, {reply, [{text, <<"before">>}, {close, 4000, <<"now">>}, {text, <<"after">>}]}),
    [{text, <<"before">>}, {close, 4000, <<"now">>}, {error, closed}] = ws_client:recv_many(Client, 3),
    {terminate, stop, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid).


%% F58: {stop, S} closes with 1000.
stop(Config) ->
    {{close, 1000, <<>>}, stop, normal} = ending(Config, stop).


%% F58: the state that a callback returns is what the next one gets.
state_is_carried(Config) ->
    Answer = {raw, fun(Req, Script) -> result(Config, Req, Script#{seen => 1}) end},
    Look = {raw, fun(Req, #{seen := 1} = Script) -> result(Config, Req, Script#{seen => 2}) end},
    {Client, Pid} = answered(Config, Answer, #{}, fun({handle, {binary, <<"look">>}}) -> Look; (_Event) -> ok end),
    ok = ws_client:send(Client, [{binary, <<"look">>}, close]),
    [{handle, {binary, <<"look">>}}, {terminate, remote, _, #{seen := 2}}] = fun_handler:take(Pid, 2),
    close = ws_client:recv(Client).


result(Config, Req, Script) ->
    append_mode(Config,
                case arity(Config) of
                    2 -> {ok, Script};
                    3 -> {ok, Req, Script}
                end).


append_mode(Config, Result) ->
    case mode(Config) of
        run -> Result;
        hibernate -> erlang:append_element(Result, hibernate)
    end.


%% F58: in arity 3 the Req that a callback returns is what the next one and terminate get.
req_is_carried(Config) ->
    Answer = {raw, fun(Req, Script) -> append_mode(Config, {reply, {text, <<"ok">>}, Req#{carried => 1}, Script}) end},
    {Client, Pid} = answered(Config, Answer),
    {text, <<"ok">>} = ws_client:recv(Client),
    ok = ws_client:send(Client, close),
    {terminate, remote, #{carried := 1, headers := #{<<"upgrade">> := <<"websocket">>}}, _} = fun_handler:next(Pid).


%%% Crashes.


%% F66: a crash closes with 1011; terminate learns its class and reason with the state of before; the process dies of it.
crash(Config) ->
    [ begin
          {Client, Pid} = answered(Config, {raw, fun(_Req, _Script) -> erlang:raise(Class, boom, []) end}),
          [{close, 1011, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
          {terminate, {crash, Class, boom}, _, #{step := _}} = fun_handler:next(Pid),
          true = is_crash(arity(Config), Class, fun_handler:died(Pid))
      end || Class <- [error, exit, throw] ].


is_crash(2, error, {boom, Stack}) -> is_list(Stack);
is_crash(2, exit, boom) -> true;
is_crash(2, throw, {{nocatch, boom}, Stack}) -> is_list(Stack);
is_crash(3, Class, {cowboy_handler, Details}) ->
    {Class, boom} =:= {proplists:get_value(class, Details), proplists:get_value(reason, Details)};
is_crash(_Arity, _Class, _Reason) -> false.


%% F66: a result that is thrown is a crash, and no result.
throwing_a_result(Config) ->
    {Client, Pid} = answered(Config, {raw, fun(Req, Script) -> throw(result(Config, Req, Script)) end}),
    [{close, 1011, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, {crash, throw, _}, _, _} = fun_handler:next(Pid).


%% F65: a result of another form ends the process at once: no close frame, no terminate.
invalid_result(Config) ->
    [ {[{error, closed}], no_terminate, abnormal} = broken(Config, {raw, Raw}) || Raw <- invalid_results(arity(Config)) ].


invalid_results(2) ->
    [fun(_, _) -> ok end,
     fun(_, _) -> {ok} end,
     fun(_, Script) -> {ok, Script, sleep} end,
     fun(_, Script) -> {ok, undefined, Script} end,
     fun(_, Script) -> {reply, Script} end,
     fun(_, Script) -> {shutdown, Script} end,
     fun(_, Script) -> {stop, Script, hibernate} end,
     fun(_, Script) -> {{text, <<"no list">>}, Script} end,
     fun(_, Script) -> {[], Script, later} end,
     fun(_, Script) -> [{text, <<"no tuple">>}, Script] end];
invalid_results(3) ->
    [fun(_, _) -> ok end,
     fun(_, Script) -> {ok, Script} end,
     fun(Req, Script) -> {ok, Req, Script, sleep} end,
     fun(_, Script) -> {reply, {text, <<>>}, Script} end,
     fun(_, Script) -> {stop, Script} end,
     fun(Req, Script) -> {shutdown, Req, Script} end,
     fun(Req, Script) -> {stop, Req, Script, hibernate} end,
     fun(_, Script) -> {[], Script} end].


%% F64, F65: an unknown frame ends the process in the same way.
invalid_frame(Config) ->
    [ {[{error, closed}], no_terminate, abnormal} = broken(Config, Answer)
      || Frame <- invalid_frames(), Answer <- [{reply, Frame}] ++ [ {commands, [Frame]} || arity(Config) =:= 2 ] ].


invalid_frames() ->
    [bogus,
     {bogus, <<"x">>},
     text,
     {text},
     {text, not_iodata},
     {text, 1, <<"x">>},
     {fragment, fin, text, <<"x">>},
     {close, code, <<"x">>},
     {close, 1000, <<"x">>, 1}].


%% F60: with such a frame in a list arity 2 sends nothing; arity 3 sends the frames before it.
invalid_frame_in_a_list(Config) ->
    Sent = [ {text, <<"before">>} || arity(Config) =:= 3 ],
    Received = Sent ++ [{error, closed}],
    {Received, no_terminate, abnormal} = broken(Config, {reply, [{text, <<"before">>}, bogus, {text, <<"after">>}]}).


%% F59: {reply, List, S} takes frames alone, no commands.
reply_takes_frames_alone(Config) ->
    [ {[{error, closed}], no_terminate, abnormal} = broken(Config, {reply, [Command]})
      || Command <- [{active, false}, {deflate, false}, {set_options, #{}}, {shutdown_reason, why}] ].


%% F67: a crash in terminate comes after the close frame; the process dies of it.
crash_in_terminate(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun(_Event) -> ok end, #{terminate => fun(_Reason) -> error(boom) end}),
    ok = ws_client:send(Client, {close, 4000, <<"x">>}),
    [{close, 4000, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, {remote, 4000, <<"x">>}, _, _} = fun_handler:next(Pid),
    {boom, Stack} = fun_handler:died(Pid),
    true = is_list(Stack).


%% F68: in init/2 a throw or an exit is a crash as well, answered with 500.
crash_in_init(Config) ->
    [ begin
          #{port := Port} = fun_handler:start(Config,
                                              fun(_Event) -> ok end,
                                              #{prepare => fun(_Req) -> erlang:raise(Class, {ok, req, state}, []) end}),
          {ok, _, {500, _}} = ws_client:connect(Port, "/")
      end || Class <- [error, exit, throw] ].


%%% Commands.


%% F58: a list of commands may be frames, close frames included, in order.
commands_are_frames_too(Config) ->
    {Frames, Received} = lists:unzip(frames()),
    {Client, Pid} = answered(Config, {commands, Frames ++ [{close, 4000, <<"end">>}, {text, <<"after">>}]}),
    Received = ws_client:recv_many(Client, length(Received)),
    [{close, 4000, <<"end">>}, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, stop, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid).


%% F61: {deflate, Bool} acts on the frames after it, in the order of the list.
deflate_command(Config) ->
    Commands = [{text, <<"A">>}, {deflate, false}, {text, <<"B">>}, {deflate, true}, {text, <<"C">>}, {deflate, false}],
    Echo = fun({handle, Frame}) -> {reply, Frame}; (_Event) -> ok end,
    {Client, _} = answered(Config, {commands, Commands}, #{compress => true}, Echo),
    [{frame, true, 4, text, _}, {text, <<"B">>}, {frame, true, 4, text, _}] = ws_client:recv_many(Client, 3),
    ok = ws_client:send(Client, {text, <<"D">>}),
    {text, <<"D">>} = ws_client:recv(Client).


%% F58: {active, Bool} among frames.
active_command(Config) ->
    {Client, Pid} = answered(Config,
                             {commands, [{text, <<"1">>}, {active, false}, {text, <<"2">>}]},
                             #{},
                             fun({info, go}) -> {commands, [{active, true}]}; (_Event) -> ok end),
    [{text, <<"1">>}, {text, <<"2">>}] = ws_client:recv_many(Client, 2),
    Pid ! go,
    {info, go} = fun_handler:next(Pid),
    ok = fun_handler:alive({Client, Pid}).


%% F58: {set_options, Map} among frames.
set_options_command(Config) ->
    {Client, Pid} = answered(Config, {commands, [{text, <<"1">>}, {set_options, #{max_frame_size => 10}}, {text, <<"2">>}]}),
    [{text, <<"1">>}, {text, <<"2">>}] = ws_client:recv_many(Client, 2),
    ok = ws_client:send(Client, [{text, <<"0123456789">>}, {text, <<"0123456789+">>}]),
    [{close, 1009, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
    [{handle, {text, <<"0123456789">>}}, {terminate, {error, badsize}, _, _}] = fun_handler:take(Pid, 2).


%% F58: {shutdown_reason, R} makes {shutdown, R} the exit reason of a normal end.
shutdown_reason_command(Config) ->
    {Client, Pid} = answered(Config, {commands, [{text, <<"1">>}, {shutdown_reason, why}, {text, <<"2">>}]}),
    [{text, <<"1">>}, {text, <<"2">>}] = ws_client:recv_many(Client, 2),
    ok = ws_client:send(Client, close),
    [close, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, remote, _, _} = fun_handler:next(Pid),
    {shutdown, why} = fun_handler:died(Pid).


%% E51: commands after a close frame are not run, not even invalid ones.
commands_after_close(Config) ->
    {close, stop, normal} = ending(Config, {commands, [close, {shutdown_reason, why}, bogus]}).


%% Nothing of what the cases made is left.
no_leaks(Config) ->
    fun_handler:no_leaks(Config).


%%% Helpers.


%% A connection one of whose callbacks has just answered so.
answered(Config, Answer) ->
    answered(Config, Answer, #{}, fun(_Event) -> ok end).


%% Other callbacks run the fun.
answered(Config, Answer, Options, Otherwise) ->
    Place = proplists:get_value(place, Config),
    Step = fun(Event) ->
                   case Event =:= trigger_event(Place) of
                       true -> in_mode(mode(Config), Answer);
                       false -> Otherwise(Event)
                   end
           end,
    Server = fun_handler:start(Config, Step, Options),
    {Client, Pid} = fun_handler:join(Server, #{extensions => <<"permessage-deflate">>}),
    ok = trigger(Place, Client, Pid),
    {Client, Pid}.


trigger_event(init) -> init;
trigger_event(handle) -> {handle, {text, <<"trigger">>}};
trigger_event(info) -> {info, trigger}.


trigger(init, _Client, _Pid) ->
    ok;
trigger(Place, Client, Pid) ->
    _ = Place =:= handle andalso ws_client:send(Client, {text, <<"trigger">>}),
    _ = Place =:= info andalso (Pid ! trigger),
    Event = trigger_event(Place),
    Event = fun_handler:next(Pid),
    ok.


in_mode(hibernate, Answer) when Answer =/= stop, element(1, Answer) =/= raw -> {hibernate, Answer};
in_mode(_Mode, Answer) -> Answer.


mode(Config) ->
    proplists:get_value(mode, Config, run).


arity(Config) ->
    case proplists:get_value(dialect, Config) of
        p -> 3;
        _ -> 2
    end.


%% What a result that closes the connection sends, the reason of terminate, and the exit reason.
ending(Config, Answer) ->
    {Client, Pid} = answered(Config, Answer),
    [Received, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, Reason, _, _} = fun_handler:next(Pid),
    {Received, Reason, fun_handler:died(Pid)}.


%% What a client gets from a handler that breaks the contract, whether terminate was called, and how the process ended.
broken(Config, Answer) ->
    {Client, Pid} = answered(Config, Answer),
    Received = ws_client:recv_until_closed(Client),
    Exit = case fun_handler:died(Pid) of normal -> normal; _ -> abnormal end,
    Terminate = try fun_handler:silent(Pid) of ok -> no_terminate catch error:{unexpected, Event} -> Event end,
    {Received, Terminate, Exit}.
