%% Scenarios of section D: max_frame_size.
-module(parity_limits).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    [{frame_below_the_limit, "D40", limited(), [{binary, bytes(9)}, close]},
     {frame_at_the_limit, "D40", limited(), [{binary, bytes(10)}, close]},
     {frame_over_the_limit, "D40", limited(), [{binary, bytes(11)}]},
     {text_over_the_limit, "D40", limited(), [{text, bytes(11)}]},
     {limit_of_nothing, "D40", limited(0), [{binary, <<>>}, {binary, <<"x">>}]},
     {header_over_the_limit, "D41", limited(), [{frame, #{opcode => binary, len => 11}}]},
     {header_far_over_the_limit, "D41", limited(), [{frame, #{opcode => binary, len => {64, 1 bsl 62}}}]},
     {frame_over_the_default, "D40", #{handle => {run, fun(_) -> ok end}, ways => [cowboy, drover, takeover]}, [{binary, bytes(1000001)}, close]},
     {frame_at_the_default, "D40", #{handle => echo, ways => [cowboy, drover, takeover]}, [{binary, bytes(1000000)}, {frames, 1}, close]},
     {header_byte_by_byte_over_the_limit, "D41", limited(), [{pieces, 1, {frame, #{opcode => binary, len => {64, 70000}}}}]},
     {ping_over_the_limit, "D42", limited(), [{ping, bytes(11)}]},
     {ping_at_the_limit, "D42", limited(), [{ping, bytes(10)}, close]},
     {close_over_the_limit, "D42", limited(), [{close, 1000, bytes(9)}]},
     {fragments_at_the_limit, "D43",
                              limited(),
                              [{fragment, false, binary, bytes(5)}, {fragment, true, continuation, bytes(5)}, close]},
     {last_fragment_over_the_limit, "D43",
                                    limited(),
                                    [{fragment, false, binary, bytes(5)}, {fragment, true, continuation, bytes(6)}]},
     {fragment_over_the_limit, "D43",
                               limited(),
                               [{fragment, false, binary, bytes(5)}, {fragment, false, continuation, bytes(6)}]},
     {first_fragment_over_the_limit, "D43", limited(), [{fragment, false, binary, bytes(11)}]},
     {ping_between_fragments_does_not_count, "D43",
                                             limited(),
                                             [{fragment, false, binary, bytes(5)}, {ping, bytes(8)}, {fragment, true, continuation, bytes(5)}, close]},
     {message_before_one_over_the_limit, "D40 C39", limited(), [[{binary, bytes(3)}, {binary, bytes(11)}]]},
     {limit_raised, "D45",
                    limited(),
                    [{info, {commands, [{set_options, #{max_frame_size => 100}}, {text, <<"set">>}]}}, {frames, 1}, {binary, bytes(100)}, {binary, bytes(101)}]},
     {limit_lowered, "D45",
                     #{handle => echo, opts => #{max_frame_size => 1000}},
                     [{info, {commands, [{set_options, #{max_frame_size => 10}}, {text, <<"set">>}]}}, {frames, 1}, {binary, bytes(10)}, {binary, bytes(11)}, {frames, 3}, {info, stop}]},
     {limit_lowered_within_a_segment, "D45",
                                      #{handle => {run, fun lower/1}, opts => #{max_frame_size => 1000}},
                                      [[{text, <<"lower">>}, {binary, bytes(10)}, {binary, bytes(11)}], {frames, 2}, {info, stop}]},
     {limit_lifted, "D45",
                    limited(),
                    [{info, {commands, [{set_options, #{max_frame_size => infinity}}, {text, <<"set">>}]}}, {frames, 1}, {binary, bytes(100)}, {frames, 2}, {info, stop}]}].


limited() ->
    limited(10).


limited(Limit) ->
    #{handle => echo, opts => #{max_frame_size => Limit}}.


lower({text, <<"lower">>}) -> {commands, [{set_options, #{max_frame_size => 10}}]};
lower(Frame) -> {reply, Frame}.


bytes(N) ->
    binary:copy(<<"x">>, N).
