%% Scenarios of section E: how connections end.
-module(parity_close).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    by_client() ++ by_handler() ++ too_long() ++ broken_off().


by_client() ->
    [{client_closes, "E46", both(#{recorded => {[close], {[remote], {exited, normal}}}}), [close]},
     {client_closes_with_a_code, "E47",
                                 both(#{recorded => {[{close, 1001, <<>>}], {[{remote, 1001, <<"bye">>}], {exited, normal}}}}),
                                 [{close, 1001, <<"bye">>}]},
     {client_closes_with_a_long_reason, "E47", both(), [{close, 3000, binary:copy(<<"r">>, 123)}]},
     {frames_after_a_close, "E49", both(#{handle => echo}), [[{text, <<"a">>}, close, {text, <<"b">>}, {ping, <<"p">>}]]},
     {garbage_after_a_close, "E49", both(), [[{close, 1000, <<>>}, {raw, <<255, 255, 255>>}]]},
     {close_byte_by_byte, "E47", both(), [{pieces, 1, {close, 1002, <<"why">>}}]}] ++
    [ {list_to_atom("client_closes_with_" ++ integer_to_list(Code)), "E48", both(), [{close, Code, <<>>}]}
      || Code <- [1000, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] ].


by_handler() ->
    in_each(handler_closes, "E50", {reply, close}) ++
    in_each(handler_closes_with_a_reason, "E50", {reply, {close, <<"done">>}}) ++
    in_each(handler_closes_with_a_code, "E50", {reply, {close, 4000, <<"done">>}}) ++
    in_each(handler_stops, "E53", stop) ++
    in_each(frames_around_a_close, "E51", {reply, [{text, <<"a">>}, {close, 1001, <<>>}, {text, <<"b">>}]}) ++
    [{close_with_an_invalid_code, "E50", both(), [{handle, {reply, {close, 1005, <<>>}}}]},
     {close_with_code_0, "E50", both(), [{handle, {reply, {close, 0, <<>>}}}]},
     {close_with_the_longest_reason, "E50 E54", both(), [{handle, {reply, {close, 1000, binary:copy(<<"r">>, 123)}}}]},
     {commands_after_a_close, "E51", #{}, [{handle, {commands, [{text, <<"a">>}, close, {shutdown_reason, lost}, {text, <<"b">>}]}}]},
     {shutdown_reason_before_a_close, "E51 G73", #{}, [{handle, {commands, [{shutdown_reason, why}, close]}}]},
     {frames_after_a_close_of_the_handler, "E52",
                                           both(#{handle => {run, fun closing/1}}),
                                           [[{text, <<"a">>}, {text, <<"close">>}, {text, <<"b">>}, ping]]},
     {close_of_the_client_after_one_of_the_handler, "E52", both(#{handle => {run, fun closing/1}}), [[{text, <<"close">>}, {close, 1001, <<>>}]]},
     {close_goes_out_before_terminate, "G72",
                                       both(#{terminate => {wait, ok}}),
                                       [{handle, {reply, close}}, {frames, 1}, still_open, go, closed, dead]},
     {echo_of_a_close_goes_out_before_terminate, "G72",
                                                 both(#{terminate => {wait, ok}}),
                                                 [{close, 1000, <<"bye">>}, {frames, 1}, still_open, go, closed, dead]}].


%% In websocket_init, websocket_handle and websocket_info.
in_each(Name, Points, Act) ->
    [{name(Name, "_in_init"), Points, #{init => Act}, []},
     {name(Name, "_in_handle"), Points, both(), [{handle, Act}]},
     {name(Name, "_in_info"), Points, both(), [{info, Act}]}].


%% What no control frame can hold.
too_long() ->
    [{close_reason_too_long, "E54", both(), [{handle, {reply, {close, 1000, binary:copy(<<"r">>, 124)}}}]},
     {close_reason_too_long_without_a_code, "E54", both(), [{info, {reply, {close, binary:copy(<<"r">>, 124)}}}]},
     {ping_too_long, "E54", both(), [{handle, {reply, {ping, binary:copy(<<"p">>, 126)}}}]},
     {pong_too_long, "E54", both(), [{info, {reply, {pong, binary:copy(<<"p">>, 126)}}}]},
     {ping_too_long_in_init, "E54", #{init => {reply, {ping, binary:copy(<<"p">>, 126)}}}, []},
     {ping_of_the_greatest_length, "E54", both(), [{handle, {reply, {ping, binary:copy(<<"p">>, 125)}}}, close]}].


broken_off() ->
    [{client_hangs_up, "E55", both(), [{text, <<"a">>}, {called, handle}, hang_up]},
     {client_hangs_up_in_a_header, "E55", both(), [ping, {frames, 1}, {raw, <<16#81>>}, hang_up]},
     {client_hangs_up_in_a_frame, "E55", both(), [ping, {frames, 1}, {frame, #{len => 10, payload => <<"abc">>}}, hang_up]},
     {client_hangs_up_in_a_message, "E55", both(), [ping, {frames, 1}, {fragment, false, text, <<"abc">>}, hang_up]},
     {client_shuts_down, "E55", (both())#{ways => tcp}, [{text, <<"a">>}, {called, handle}, shut_down]},
     {client_shuts_down_after_a_question, "E55", (both(#{handle => echo}))#{ways => tcp}, [{text, <<"a">>}, {frames, 1}, shut_down]},
     {client_resets, "E55", (both())#{ways => tcp}, [{text, <<"a">>}, {called, handle}, reset]},
     {client_resets_in_a_frame, "E55", (both())#{ways => tcp}, [ping, {frames, 1}, {frame, #{len => 10, payload => <<"abc">>}}, reset]},
     {close_to_nobody, "E57", (both())#{ways => tcp}, [{handle, {wait, {reply, close}}}, {called, handle}, reset, go]},
     {stop_for_nobody, "E57", (both())#{ways => tcp}, [{handle, {wait, stop}}, {called, handle}, reset, go]}].


both() ->
    both(#{}).


both(Options) ->
    Options#{api => [v2, v2pre]}.


closing({text, <<"close">>}) -> {reply, close};
closing(Frame) -> {reply, Frame}.


name(Name, Suffix) ->
    list_to_atom(atom_to_list(Name) ++ Suffix).
