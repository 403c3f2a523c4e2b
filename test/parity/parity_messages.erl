%% Scenarios of sections C and J without compression: messages and control frames as they should be.
-module(parity_messages).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    whole() ++ fragmented() ++ control() ++ text().


whole() ->
    [{text_and_binary, "C31", echo(), [{text, <<"hello">>}, {binary, <<0, 255>>}, close]},
     {empty_messages, "C31", echo(), [{text, <<>>}, {binary, <<>>}, close]},
     {several_in_a_segment, "C31", echo(), [[{text, <<"a">>}, {binary, <<"b">>}, {text, <<"c">>}, close]]},
     {byte_by_byte, "C31", echo(), [{pieces, 1, [{text, <<"hello">>}, {ping, <<"p">>}, {binary, <<"b">>}]}, close]},
     {length_125, "C31", echo(), [{binary, bytes(125)}, close]},
     {length_126, "C31", echo(), [{binary, bytes(126)}, close]},
     {length_65535, "C31", echo(), [{binary, bytes(65535)}, {frames, 1}, close]},
     {length_65536, "C31", echo(), [{binary, bytes(65536)}, {frames, 1}, close]},
     {large_in_pieces, "C31", echo(), [{pieces, 10007, {binary, bytes(200000)}}, {frames, 1}, close]},
     {mask_of_zeros, "C31", echo(), [{frame, #{mask => <<0:32>>, payload => <<"plain">>}}, close]},
     {no_answers, "C31", #{api => [v2, v2pre]}, [{text, <<"a">>}, {binary, <<"b">>}, close]}].


fragmented() ->
    [{fragments, "C31", echo(), [{fragment, false, text, <<"he">>}, {fragment, true, continuation, <<"llo">>}, close]},
     {fragments_in_a_segment, "C31",
                              echo(),
                              [[{fragment, false, binary, <<"a">>}, {fragment, false, continuation, <<"b">>}, {fragment, true, continuation, <<"c">>}], close]},
     {fragments_byte_by_byte, "C31",
                              echo(),
                              [{pieces, 1, [{fragment, false, text, <<"he">>}, {fragment, true, continuation, <<"llo">>}]}, close]},
     {empty_fragments, "C31",
                       echo(),
                       [{fragment, false, text, <<>>}, {fragment, false, continuation, <<>>}, {fragment, true, continuation, <<>>}, close]},
     {ping_between_fragments, "C33",
                              echo(),
                              [{fragment, false, text, <<"a">>}, {ping, <<"now">>}, {fragment, true, continuation, <<"b">>}, close]},
     {control_between_fragments_in_a_segment, "C33",
                                              echo(),
                                              [[{fragment, false, text, <<"a">>}, ping, pong, {ping, <<"p">>}, {fragment, true, continuation, <<"b">>}, close]]},
     {close_between_fragments, "C33 E46", echo(), [{fragment, false, text, <<"a">>}, close]},
     {character_split_over_fragments, "C37",
                                      echo(),
                                      [{fragment, false, text, <<16#e2, 16#82>>}, {fragment, true, continuation, <<16#ac>>}, close]},
     {two_fragmented_messages, "C31",
                               echo(),
                               [{fragment, false, text, <<"a">>},
                                {fragment, true, continuation, <<"b">>},
                                {fragment, false, binary, <<"c">>},
                                {fragment, true, continuation, <<"d">>},
                                close]}].


control() ->
    [{ping_answered, "C32", echo(), [{ping, <<"payload">>}, close]},
     {ping_without_payload, "C32", echo(), [ping, close]},
     {ping_of_125, "C32", echo(), [{ping, bytes(125)}, close]},
     {pong_before_callback, "C32",
                            #{api => [v2, v2pre], handle => {run, fun waits_for_ping/1}},
                            [{ping, <<"p">>}, {frames, 1}, go, close]},
     {pings_in_a_segment, "C32", echo(), [[{ping, <<"a">>}, {ping, <<"b">>}, ping, close]]},
     {pong_unasked, "C34", echo(), [{pong, <<"x">>}, pong, close]},
     {ping_answered_by_the_handler_too, "C32",
                                        #{api => [v2, v2pre], handle => {run, fun({ping, P}) -> {reply, {pong, <<"again ", P/binary>>}} end}},
                                        [{ping, <<"p">>}, close]},
     {ping_without_a_clause, "C35",
                             #{api => [v2, v2pre], handle => {run, fun({text, _}) -> ok end}},
                             [{ping, <<"p">>}]},
     {text_then_ping_without_a_clause, "C35 C39",
                                       #{handle => {run, fun({text, T}) -> {reply, {text, T}} end}},
                                       [[{text, <<"t">>}, {ping, <<"p">>}, {text, <<"u">>}]]}].


%% Text that is as it should be.
text() ->
    [{two_byte_characters, "C37", echo(), [{text, <<"k", 16#c3, 16#b6, "ln">>}, close]},
     {four_byte_characters, "C37", echo(), [{text, <<16#f0, 16#9f, 16#98, 16#80>>}, close]},
     {highest_character, "C37", echo(), [{text, <<16#f4, 16#8f, 16#bf, 16#bf>>}, close]},
     {not_a_character_but_valid, "C37", echo(), [{text, <<16#ef, 16#bf, 16#bf>>}, close]},
     {nul, "C37", echo(), [{text, <<0>>}, close]},
     {characters_byte_by_byte, "C37", echo(), [{pieces, 1, {text, <<16#e2, 16#82, 16#ac, 16#f0, 16#9f, 16#98, 16#80>>}}, close]}].


echo() ->
    #{api => [v2, v2pre], handle => echo}.


waits_for_ping({ping, _}) -> {wait, ok}.


bytes(N) ->
    binary:copy(<<"x">>, N).
