%% Scenarios of section C: broken framing and text that is not UTF-8.
-module(parity_framing).

-export([scenarios/0]).

-define(ENDS_1002, {[{close, 1002, <<>>}], {[{error, badframe}], {exited, normal}}}).
-define(ENDS_1007, {[{close, 1007, <<>>}], {[{error, badencoding}], {exited, normal}}}).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    [ {Name, "C36", bad(?ENDS_1002), Steps} || {Name, Steps} <- frames() ] ++
    [ {Name, "C37", bad(?ENDS_1007), Steps} || {Name, Steps} <- texts() ] ++
    before() ++ not_validated().


bad(Recorded) ->
    #{api => [v2, v2pre], handle => echo, recorded => Recorded}.


frames() ->
    [{unmasked, [{frame, #{mask => none, payload => <<"x">>}}]},
     {unmasked_and_empty, [{frame, #{mask => none}}]},
     {rsv1_without_extension, [{frame, #{rsv => 4, payload => <<"x">>}}]},
     {rsv2, [{frame, #{rsv => 2, payload => <<"x">>}}]},
     {rsv3, [{frame, #{rsv => 1, payload => <<"x">>}}]},
     {rsv_of_a_ping, [{frame, #{rsv => 4, opcode => ping, payload => <<"x">>}}]},
     {fragmented_ping, [{fragment, false, ping, <<"x">>}]},
     {fragmented_close, [{fragment, false, close, <<1000:16>>}]},
     {ping_of_126, [{ping, binary:copy(<<"x">>, 126)}]},
     {pong_of_126, [{pong, binary:copy(<<"x">>, 126)}]},
     {close_of_126, [{close, 1000, binary:copy(<<"x">>, 124)}]},
     {continuation_of_nothing, [{fragment, true, continuation, <<"x">>}]},
     {first_continuation_of_nothing, [{fragment, false, continuation, <<"x">>}]},
     {text_inside_a_message, [{fragment, false, text, <<"a">>}, {text, <<"b">>}]},
     {binary_inside_a_message, [{fragment, false, binary, <<"a">>}, {fragment, false, binary, <<"b">>}]},
     {length_in_16_bits_for_nothing, [{frame, #{len => {16, 3}, payload => <<"abc">>}}]},
     {length_in_64_bits_for_nothing, [{frame, #{len => {64, 3}, payload => <<"abc">>}}]},
     {length_65535_in_64_bits, [{frame, #{opcode => binary, len => {64, 65535}, payload => binary:copy(<<"x">>, 10)}}]},
     {length_with_the_top_bit, [{frame, #{len => {64, 1 bsl 63 + 3}, payload => <<"abc">>}}]},
     {close_of_one_byte, [{frame, #{opcode => close, payload => <<3>>}}]},
     {header_alone, [{raw, <<16#83>>}, {raw, <<16#80>>}]}] ++
    [ {list_to_atom("opcode_" ++ integer_to_list(Opcode)), [{frame, #{opcode => Opcode, payload => <<"x">>}}]}
      || Opcode <- [3, 7, 11, 15] ] ++
    [ {list_to_atom("close_code_" ++ integer_to_list(Code)), [{close, Code, <<>>}]}
      || Code <- [0, 999, 1004, 1005, 1006, 1012, 1014, 1015, 2999, 5000, 65535] ].


texts() ->
    [{lone_continuation_byte, [{text, <<"a", 16#80>>}]},
     {byte_ff, [{text, <<255>>}]},
     {overlong, [{text, <<16#c0, 16#af>>}]},
     {surrogate, [{text, <<16#ed, 16#a0, 16#80>>}]},
     {above_the_highest, [{text, <<16#f4, 16#90, 16#80, 16#80>>}]},
     {lead_byte_and_ascii, [{text, <<16#c2, "A">>}]},
     {character_cut_off, [{text, <<"a", 16#e2, 16#82>>}]},
     {character_cut_off_in_fragments, [{fragment, false, text, <<16#e2>>}, {fragment, true, continuation, <<16#82>>}]},
     {character_cut_off_by_an_empty_fragment, [{fragment, false, text, <<16#e2, 16#82>>}, {fragment, true, continuation, <<>>}]},
     {bad_in_the_first_fragment, [{fragment, false, text, <<255>>}]},
     {bad_in_the_middle_of_a_frame, [{frame, #{len => 10, payload => <<"abc", 255>>}}]},
     {bad_in_the_middle_of_a_large_frame, [{frame, #{len => 100000, payload => [binary:copy(<<"a">>, 1000), 255]}}]},
     {bad_close_reason, [{close, 1000, <<255>>}]},
     {close_reason_cut_off, [{close, 1000, <<"a", 16#c3>>}]}].


before() ->
    [{good_before_bad, "C39",
                       #{api => [v2, v2pre], handle => echo},
                       [[{text, <<"a">>}, {ping, <<"p">>}, {frame, #{rsv => 2}}, {text, <<"never">>}]]},
     {good_before_bad_text, "C39", #{api => [v2, v2pre], handle => echo}, [[{binary, <<"a">>}, {text, <<255>>}, ping]]},
     {good_before_bad_byte_by_byte, "C39",
                                    #{handle => echo},
                                    [{pieces, 1, [{text, <<"a">>}]}, {frames, 1}, {frame, #{mask => none}}]},
     {part_of_a_message_before_bad, "C36 C39", #{handle => echo}, [[{fragment, false, text, <<"a">>}, {frame, #{opcode => 5}}]]}].


not_validated() ->
    Opts = #{handle => echo, opts => #{validate_utf8 => false}},
    [{bad_text_not_validated, "C38", Opts, [{text, <<255>>}, close]},
     {fragments_not_validated, "C38", Opts, [{fragment, false, text, <<16#e2>>}, {fragment, true, continuation, <<>>}, close]},
     {bad_close_reason_not_validated, "C38", Opts, [{close, 1000, <<255>>}]},
     {bad_frame_though_not_validated, "C36 C38", Opts, [{frame, #{rsv => 1}}]}].
