%% Scenarios of section K: active and passive.
-module(parity_flow).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    %% A stream of HTTP/2 that is passive once may stay so in Cowboy 2.8, whatever comes.
    Passive = #{init => {commands, [{active, false}]}, handle => echo, ways => http1},
    [{passive_from_init, "K97 K99", Passive, [{text, <<"late">>}, {info, {commands, [{active, true}]}}, {frames, 1}, close]},
     {passive_and_active_at_once, "K97", #{init => {commands, [{active, false}, {active, true}]}, handle => echo}, [{text, <<"a">>}, {frames, 1}, close]},
     {passive_twice, "K97",
                     #{init => {commands, [{active, false}, {active, false}]}, handle => echo, ways => http1},
                     [{text, <<"late">>}, {info, {commands, [{active, true}]}}, {frames, 1}, close]},
     {passive_after_a_frame, "K97",
                             #{handle => {run, fun passive/1}, ways => http1},
                             [{text, <<"passive">>}, {called, handle}, {message, now_passive}, {called, info}, {text, <<"late">>}, {info, {commands, [{text, <<"go">>}, {active, true}]}}, {frames, 2}, close]},
     {frames_at_hand_while_passive, "K97",
                                    #{handle => {run, fun passive/1}, ways => http1},
                                    [[{text, <<"passive">>}, {text, <<"at hand">>}], {frames, 1}, {info, {commands, [{active, true}]}}, {called, info}, close]},
     {close_at_hand_while_passive, "K97 E46", #{handle => {run, fun passive/1}, ways => http1}, [[{text, <<"passive">>}, close]]},
     {stop_with_frames_unread, "K97 E56", Passive#{ways => tcp}, [{text, <<"unread">>}, {info, {wait, stop}}, {called, info}, {pieces, 1, {text, <<"more">>}}, go]},
     {stop_while_passive, "K97 E53", Passive, [{info, stop}]},
     {close_while_passive, "K97 E50", Passive, [{info, {reply, {close, 1001, <<"bye">>}}}]},
     {crash_while_passive, "K97 F66", Passive, [{info, {crash, error, boom}}]},
     {hang_up_while_passive, "K98", Passive, [{called, init}, hang_up, {info, {reply, []}}, {called, info}, {info, {commands, [{active, true}]}}]},
     {sends_while_passive, "K97", Passive, [{info, {reply, [{text, <<"a">>}, ping]}}, {frames, 2}, {info, stop}]},
     {active_while_active, "K97", #{handle => echo, init => {commands, [{active, true}]}}, [{text, <<"a">>}, {frames, 1}, close]},
     {active_n, "K100", #{handle => echo, opts => #{active_n => 1}}, [{text, <<"a">>}, {frames, 1}, {text, <<"b">>}, {frames, 2}, close]},
     {active_n_of_the_listener, "K100",
                                #{handle => echo, listener => #{active_n => 1}, ways => [cowboy, cowboy_tls, takeover, codec, tls]},
                                [{text, <<"a">>}, {frames, 1}, {text, <<"b">>}, {frames, 2}, close]}].


passive({text, <<"passive">>}) -> {commands, [{active, false}]};
passive(Frame) -> {reply, Frame}.
