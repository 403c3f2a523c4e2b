%% Scenarios of sections H and I: idle timeouts and hibernation.
-module(parity_timeouts).

-export([scenarios/0]).

%% Time is what these are about. Nobody measures it: they end because it passes.
-define(SHORT, 200).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    Idle = #{opts => #{idle_timeout => ?SHORT}},
    [{idle, "H75", Idle, []},
     {idle_after_a_frame, "H75 H77", Idle#{handle => echo}, [{text, <<"a">>}, {frames, 1}]},
     {idle_in_a_header, "H77", Idle, [{raw, <<16#81>>}]},
     {idle_in_a_frame, "H77", Idle, [{frame, #{len => 10, payload => <<"abc">>}}]},
     {idle_in_a_message, "H77", Idle, [{fragment, false, text, <<"abc">>}]},
     {messages_do_not_count, "H77", Idle#{info => {reply, {text, <<"sent">>}}}, [{message, a}, {frames, 1}, {message, b}, {frames, 2}]},
     {idle_while_passive, "H81 K98", Idle#{init => {commands, [{active, false}]}}, [{text, <<"unread">>}]},
     {idle_set_by_a_command, "H79", #{}, [{info, {commands, [{set_options, #{idle_timeout => ?SHORT}}]}}]},
     {idle_set_in_init, "H79", #{init => {commands, [{set_options, #{idle_timeout => ?SHORT}}]}}, []},
     {idle_set_to_infinity, "H79",
                            Idle#{info => {run, fun later/1}, init => {run, fun slowly/1}},
                            [{called, info}, close]},
     {idle_and_shutdown_reason, "H75 G73", Idle#{init => {commands, [{shutdown_reason, why}]}}, []},
     {idle_infinity, "H76", #{opts => #{idle_timeout => infinity}}, [close]},
     {idle_for_nothing, "H78", #{opts => #{idle_timeout => 1}}, []},
     {idle_in_a_fragment_with_terminate, "G72 H75", Idle#{terminate => {wait, ok}}, [{frames, 1}, still_open, go]},
     {hibernates_after_init, "I83", #{init => {tuple, [ok, state, hibernate]}, hibernate => [false], handle => echo}, [{text, <<"a">>}, {frames, 1}, close]},
     {hibernates_once, "I82",
                       #{handle => echo, hibernate => [false]},
                       [{info, {tuple, [ok, state, hibernate]}}, {called, info}, {text, <<"a">>}, {frames, 1}, {message, awake}, {calls, 5}, close]},
     {hibernates_with_frames_at_hand, "I84",
                                      #{hibernate => [true], handle => echo},
                                      [[{text, <<"a">>}, {text, <<"b">>}, {text, <<"c">>}], {frames, 3}, close]},
     {hibernates_in_a_frame, "I84",
                             #{hibernate => [true], handle => echo, info => {reply, {text, <<"info">>}}},
                             [{raw, <<16#82, 16#82, 0:32, "a">>}, {message, hello}, {frames, 1}, {raw, <<"b">>}, {frames, 2}, close]},
     {hibernated_and_idle, "H75 I86", Idle#{hibernate => [true], handle => echo}, [{text, <<"a">>}, {frames, 1}]}].


%% Frees the connection of its timeout, and tells so when that would have struck.
slowly(_) ->
    _ = erlang:send_after(2 * ?SHORT, self(), still_here),
    {commands, [{set_options, #{idle_timeout => infinity}}]}.


later(still_here) -> ok.
