%% Scenarios of sections F and G: what callbacks return, crashes, terminate/3 and exit reasons.
-module(parity_results).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    good() ++ frames() ++ invalid() ++ crashes() ++ terminate().


%% Every form in every callback.
good() ->
    Text = {text, <<"hello">>},
    in_each(commands, "F58", {tuple, [[Text], state]}, [close]) ++
    in_each(commands_hibernate, "F58 I82", {tuple, [[Text], state, hibernate]}, [close]) ++
    in_each(ok, "F58", {tuple, [ok, state]}, [close]) ++
    in_each(ok_hibernate, "F58 I82", {tuple, [ok, state, hibernate]}, [close]) ++
    in_each(reply_one, "F58", {tuple, [reply, Text, state]}, [close]) ++
    in_each(reply_many, "F58 F60", {tuple, [reply, [Text, ping, Text], state]}, [close]) ++
    in_each(reply_hibernate, "F58 I82", {tuple, [reply, Text, state, hibernate]}, [close]) ++
    in_each(stop_tuple, "F58 E53", {tuple, [stop, state]}, []) ++
    in_each(no_commands, "F62", {commands, []}, [close]).


frames() ->
    [{every_frame, "F60 F63",
                   both(),
                   [{handle, {reply, [{text, <<"t">>}, {binary, <<0>>}, ping, pong, {ping, <<"i">>}, {pong, <<"o">>}, {text, <<>>}]}}, close]},
     {iodata, "F63", #{}, [{handle, {reply, [{text, "Hello"}, {binary, [<<"a">>, "bc", [[$d]]]}, {ping, ["p"]}]}}, close]},
     {iodata_of_a_close, "F63", #{}, [{handle, {reply, {close, 4000, ["bye"]}}}]},
     {iodata_not_valid, "F63", #{}, [{handle, {reply, {text, [foo]}}}]},
     {text_not_validated, "F64", both(), [{handle, {reply, {text, <<255>>}}}, close]},
     {large_frames, "F60",
                    both(),
                    [{handle, {run, fun(_) -> {reply, [{binary, binary:copy(<<"x">>, 200)}, {binary, binary:copy(<<"y">>, 70000)}]} end}}, {frames, 2}, close]},
     {many_frames, "F60", both(), [{handle, {run, fun(_) -> {reply, [ {text, integer_to_binary(N)} || N <- lists:seq(1, 500) ]} end}}, close]},
     {commands_among_frames, "F61",
                             #{},
                             [{handle, {commands, [{text, <<"a">>}, {active, true}, {deflate, false}, {set_options, #{idle_timeout => 5000}}, {text, <<"b">>}]}}, close]},
     {unknown_option_set, "F61", #{}, [{handle, {commands, [{set_options, #{unknown => 1}}, {text, <<"a">>}]}}, close]}].


%% The process crashes, without a close frame and without terminate/3.
invalid() ->
    in_each(returns_nonsense, "F65", {return, nonsense}, []) ++
    in_each(returns_a_bad_tuple, "F65", {tuple, [okay, state]}, []) ++
    in_each(unknown_frame, "F65", {reply, {txt, <<"a">>}}, []) ++
    [{unknown_command, "F65", #{}, [{handle, {commands, [{text, <<"a">>}, {unknown, 1}]}}]},
     {unknown_atom_command, "F65", #{}, [{handle, {commands, [unknown]}}]},
     {command_in_a_reply, "F59", #{}, [{handle, {tuple, [reply, [{active, false}], state]}}]},
     {deflate_in_a_reply, "F59", #{}, [{handle, {tuple, [reply, [{deflate, false}], state]}}]},
     {bad_frame_in_a_list, "F60", both(), [{handle, {reply, [{text, <<"a">>}, {ping, binary:copy(<<"p">>, 126)}]}}]},
     {fragment_sent, "F64", #{}, [{handle, {reply, {fragment, nofin, text, <<"a">>}}}]},
     {bad_after_close_in_a_list, "F60 E51", #{}, [{handle, {commands, [close, {unknown, 1}]}}]},
     {improper_commands, "F65", #{}, [{handle, {tuple, [[{text, <<"a">>} | foo], state]}}]},
     {bad_active, "F65", #{}, [{handle, {commands, [{active, maybe_later}]}}]},
     {commands_not_a_list, "F65", #{}, [{handle, {tuple, [#{}, state]}}]},
     {invalid_while_passive, "F65 K97", #{}, [{handle, {commands, [{active, false}]}}, {called, handle}, {info, {return, nonsense}}]},
     {invalid_after_frames, "F65", #{handle => {run, fun second_is_nonsense/1}}, [{text, <<"a">>}, {frames, 1}, {text, <<"bad">>}]}].


crashes() ->
    in_each(crash_error, "F66", {crash, error, boom}, []) ++
    in_each(crash_exit, "F66", {crash, exit, boom}, []) ++
    in_each(crash_throw, "F66", {crash, throw, boom}, []) ++
    [{throws_a_result, "F66", both(), [{handle, {crash, throw, {ok, state}}}]},
     {exits_normal, "F66", both(), [{handle, {crash, exit, normal}}]},
     {exits_shutdown, "F66", #{}, [{handle, {crash, exit, shutdown}}]},
     {exits_shutdown_with_a_reason, "F66", #{}, [{handle, {crash, exit, {shutdown, why}}}]},
     {state_of_a_crash, "F66", both(#{handle => {run, fun crashes_on_bad/1}}), [{text, <<"a">>}, {text, <<"b">>}, {text, <<"bad">>}]},
     {crash_among_frames, "F66 C39", both(#{handle => {run, fun crashes_on_bad/1}}), [[{text, <<"a">>}, {text, <<"bad">>}, {text, <<"b">>}]]},
     {crash_and_shutdown_reason, "F66 G73", #{}, [{info, {commands, [{shutdown_reason, why}]}}, {called, info}, {handle, {crash, error, boom}}]},
     {no_clause, "F66", #{handle => {run, fun(nothing) -> ok end}}, [{text, <<"a">>}]}].


terminate() ->
    [{terminate_crashes, "F67", both(#{terminate => {crash, error, later}}), [close]},
     {terminate_exits, "F67", both(#{terminate => {crash, exit, later}}), [{handle, stop}]},
     {terminate_throws, "F67", both(#{terminate => {crash, throw, later}}), [{handle, {reply, close}}]},
     {terminate_crashes_after_a_crash, "F67", #{terminate => {crash, error, later}}, [{handle, {crash, error, boom}}]},
     {terminate_returns_something, "G74", both(#{terminate => {return, something}}), [close]},
     {no_terminate, "G71", #{handler => script_bare_v2_h, handle => echo}, [{text, <<"a">>}, close]},
     {no_terminate_after_a_crash, "G71", #{handler => script_bare_v2_h}, [{handle, {crash, error, boom}}]},
     {req_of_terminate, "G70", both(#{headers => [{"X-Extra", "1"}]}), [{handle, stop}]},
     {req_filter, "G70", #{opts => #{req_filter => fun(#{headers := #{<<"host">> := Host}, method := Method}) -> {filtered, Host, Method} end}, ways => http1}, [close]},
     {req_filter_to_an_atom, "G70", #{opts => #{req_filter => fun(_) -> filtered end}}, [{handle, {crash, error, boom}}]},
     {req_filter_crashes, "G70", #{opts => #{req_filter => fun(_) -> error(bad_filter) end}, ways => http1}, [hang_up]},
     {shutdown_reason, "G73", #{}, [{info, {commands, [{shutdown_reason, why}]}}, {called, info}, close]},
     {shutdown_reason_normal, "G73", #{}, [{handle, {commands, [{shutdown_reason, normal}, close]}}]},
     {shutdown_reason_twice, "G73", #{}, [{handle, {commands, [{shutdown_reason, first}, {shutdown_reason, why}, close]}}]},
     {shutdown_reason_from_init, "G73", #{init => {commands, [{shutdown_reason, why}]}}, [{close, 1001, <<>>}]},
     {shutdown_reason_and_bad_frame, "G73 C36", #{init => {commands, [{shutdown_reason, why}]}}, [{frame, #{rsv => 1}}]},
     {shutdown_reason_and_hang_up, "G73 E55", #{init => {commands, [{shutdown_reason, why}]}}, [{called, init}, hang_up]}].


%% Commands, options and websocket_init are arity 2's alone.
in_each(Name, Points, Act, Steps) ->
    [{name(Name, "_in_init"), Points, #{init => Act}, Steps},
     {name(Name, "_in_handle"), Points, #{}, [{handle, Act} | Steps]},
     {name(Name, "_in_info"), Points, #{}, [{info, Act}, {called, info} | Steps]}].


both() ->
    both(#{}).


both(Options) ->
    Options#{api => [v2, v2pre]}.


second_is_nonsense({text, <<"bad">>}) -> {return, nonsense};
second_is_nonsense(Frame) -> {reply, Frame}.


crashes_on_bad({text, <<"bad">>}) -> {crash, error, bad};
crashes_on_bad(Frame) -> {reply, Frame}.


name(Name, Suffix) ->
    list_to_atom(atom_to_list(Name) ++ Suffix).
