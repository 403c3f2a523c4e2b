%% Scenarios of section J: permessage-deflate, what is negotiated and what it does.
-module(parity_compress).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    offers() ++ own_options() ++ messages() ++ broken() ++ commands().


%% Each with a message in both directions, so that what was agreed upon is used, too.
offers() ->
    [ {list_to_atom("offer_" ++ Name), "J88", (on())#{offer => Offer}, [text(), {frames, 1}, close]}
      || {Name, Offer} <- [{"plain", "permessage-deflate"},
                           {"client_window", "permessage-deflate; client_max_window_bits"},
                           {"client_window_10", "permessage-deflate; client_max_window_bits=10"},
                           {"client_window_8", "permessage-deflate; client_max_window_bits=8"},
                           {"server_window_10", "permessage-deflate; server_max_window_bits=10"},
                           {"server_window_8", "permessage-deflate; server_max_window_bits=8"},
                           {"both_windows", "permessage-deflate; server_max_window_bits=12; client_max_window_bits=11"},
                           {"no_client_takeover", "permessage-deflate; client_no_context_takeover"},
                           {"no_server_takeover", "permessage-deflate; server_no_context_takeover"},
                           {"everything",
                            "permessage-deflate; server_max_window_bits=10; client_no_context_takeover; server_no_context_takeover"},
                           {"unknown_parameter", "permessage-deflate; x=1"},
                           {"second", "permessage-deflate; x=1, permessage-deflate"},
                           {"second_is_unknown", "permessage-deflate, x-unknown"},
                           {"after_an_unknown", "x-unknown, permessage-deflate"},
                           {"two", "permessage-deflate; client_max_window_bits=9, permessage-deflate"},
                           {"window_16", "permessage-deflate; server_max_window_bits=16"},
                           {"window_7", "permessage-deflate; server_max_window_bits=7"},
                           {"window_without_value", "permessage-deflate; server_max_window_bits"},
                           {"takeover_with_value", "permessage-deflate; client_no_context_takeover=1"},
                           {"doubled", "permessage-deflate; client_no_context_takeover; client_no_context_takeover"},
                           {"two_windows", "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11"},
                           {"quoted", "permessage-deflate; server_max_window_bits=\"10\""},
                           {"in_capitals", "Permessage-Deflate"},
                           {"spaces", "  permessage-deflate ;  client_max_window_bits=10 "},
                           {"webkit", "x-webkit-deflate-frame"},
                           {"webkit_with_parameters", "x-webkit-deflate-frame; no_context_takeover"},
                           {"webkit_and_permessage", "x-webkit-deflate-frame, permessage-deflate"}] ] ++
    [{offer_spaces_in_a_parameter, "A11 J88", (on())#{offer => "permessage-deflate; client_max_window_bits = 10", ways => http1}, [hang_up]},
     {offer_refused, "J87", #{handle => echo, offer => "permessage-deflate"}, [text(), close]},
     {offer_refused_by_option, "J87", #{handle => echo, offer => "permessage-deflate", opts => #{compress => false}}, [text(), close]},
     {no_offer, "J87", on(), [text(), close]},
     {two_headers_of_offers, "J88", (on())#{headers => [{"+Sec-WebSocket-Extensions", "x-unknown"}, {"+Sec-WebSocket-Extensions", "permessage-deflate"}]}, [text(), close]}].


own_options() ->
    [ {list_to_atom("deflate_opts_" ++ Name), "J89", (on(Opts))#{offer => Offer}, [text(), text(), {frames, 2}, close]}
      || {Name, Opts, Offer} <- [{"level", #{level => 1}, "permessage-deflate"},
                                 {"memory", #{mem_level => 1, strategy => huffman_only}, "permessage-deflate"},
                                 {"server_takeover", #{server_context_takeover => no_takeover}, "permessage-deflate"},
                                 {"client_takeover", #{client_context_takeover => no_takeover}, "permessage-deflate"},
                                 {"server_window", #{server_max_window_bits => 10}, "permessage-deflate"},
                                 {"server_window_below_offer", #{server_max_window_bits => 10}, "permessage-deflate; server_max_window_bits=12"},
                                 {"server_window_above_offer", #{server_max_window_bits => 12}, "permessage-deflate; server_max_window_bits=10"},
                                 {"client_window", #{client_max_window_bits => 10}, "permessage-deflate"},
                                 {"client_window_offered", #{client_max_window_bits => 10}, "permessage-deflate; client_max_window_bits"},
                                 {"client_window_below_offer", #{client_max_window_bits => 10}, "permessage-deflate; client_max_window_bits=12"}] ].


messages() ->
    [{compressed_message, "J91", deflating(), [deflated(<<"hello hello hello">>), close]},
     {compressed_and_empty, "J91", deflating(), [deflated(<<>>), close]},
     {compressed_binary, "J91", deflating(), [deflated(binary, <<0, 0, 0, 0>>), close]},
     {uncompressed_message, "J91", deflating(), [text(), {text, <<>>}, {frames, 2}, close]},
     {control_frames_are_plain, "J91", deflating(), [{ping, <<"p">>}, pong, deflated(<<"a">>), {close, 1000, <<"bye">>}]},
     {compressed_fragments, "J91 C31", deflating(), [fragment(false, 4, text, 0, 3), fragment(true, 0, continuation, 3, 100), close]},
     {compressed_fragments_and_ping, "J91 C33", deflating(), [fragment(false, 4, text, 0, 3), {ping, <<"p">>}, fragment(true, 0, continuation, 3, 100), close]},
     {compressed_byte_by_byte, "J91", deflating(), [{pieces, 1, deflated(<<"hello hello">>)}, close]},
     {compressed_large, "J91", deflating(), [deflated(binary:copy(<<"abc">>, 100000)), {frames, 1}, close]},
     {compressed_in_pieces, "J91", deflating(), [{pieces, 100, deflated(binary:copy(<<"abcdefgh">>, 50000))}, {frames, 1}, close]},
     {compressed_repeatedly, "J91", deflating(), [deflated(<<"again and again">>), deflated(<<"again and again">>), {frames, 2}, close]},
     {compressed_from_init, "J91", (deflating())#{init => {reply, [{text, <<"a">>}, {binary, <<>>}, ping]}}, [close]},
     {compressed_and_hibernated, "I86 J95", (deflating())#{hibernate => [true]}, [deflated(<<"a">>), {frames, 1}, deflated(<<"b">>), {frames, 2}, close]},
     {compressed_at_the_limit, "D44", (deflating(#{max_frame_size => 100})), [deflated(binary, binary:copy(<<"a">>, 99)), {frames, 1}, close]},
     {webkit_frame, "J90", (on())#{offer => "x-webkit-deflate-frame"}, [deflated(<<"webkit">>), {frames, 1}, close]}].


%% Broken data, and the bit where it has no place.
broken() ->
    [{rsv2_of_a_compressed_message, "C36", deflating(), [{frame, #{rsv => 6, payload => <<"x">>}}]},
     {rsv1_on_a_ping, "J92", deflating(), [{frame, #{rsv => 4, opcode => ping, payload => <<"x">>}}]},
     {rsv1_on_a_close, "J92", deflating(), [{frame, #{rsv => 4, opcode => close, payload => <<1000:16>>}}]},
     {rsv1_on_a_continuation, "J92", deflating(), [{fragment, false, text, <<"a">>}, {frame, #{rsv => 4, opcode => continuation, payload => <<"b">>}}]},
     {broken_deflate_data, "J93", deflating(), [{frame, #{rsv => 4, payload => <<255, 255, 255, 255>>}}]},
     {compressed_text_not_utf8, "C37", deflating(), [deflated(<<255>>)]},
     {compressed_text_cut_off, "C37", deflating(), [deflated(<<"a", 16#c3>>)]},
     {message_before_broken_deflate_data, "J93 C39", deflating(), [[deflated(<<"good">>), {frame, #{rsv => 4, payload => <<255, 255>>}}]]}].


commands() ->
    [{deflate_off_and_on, "J94 F61",
                          deflating(),
                          [{handle, {commands, [{text, <<"a">>}, {deflate, false}, {text, <<"b">>}, {deflate, true}, {text, <<"c">>}]}}, {frames, 3}, close]},
     {deflate_off, "J94", deflating(), [{handle, {commands, [{deflate, false}]}}, text(), {frames, 1}, close]},
     {deflate_off_in_init, "J94", (deflating())#{init => {commands, [{deflate, false}]}}, [text(), deflated(<<"a">>), {frames, 2}, close]},
     {deflate_without_compression, "J94", #{handle => echo}, [{handle, {commands, [{deflate, true}, {text, <<"a">>}]}}, close]}].


on() ->
    on(#{}).


on(Deflate) ->
    #{handle => {run, fun answer/1}, opts => #{compress => true, deflate_opts => Deflate}}.


%% Without takeover in either direction, so that a message can be compressed by itself.
deflating() ->
    deflating(#{}).


deflating(Opts) ->
    #{
      handle => {run, fun answer/1},
      opts => Opts#{compress => true},
      offer => "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
     }.


%% What a case asks for goes before the echo: it comes as a binary.
answer({binary, _} = Frame) -> {reply, Frame};
answer(Frame) -> parity_run:echo(Frame).


text() ->
    {text, <<"some text, some more text">>}.


deflated(Payload) ->
    deflated(text, Payload).


deflated(Opcode, Payload) ->
    {frame, #{rsv => 4, opcode => Opcode, payload => random_frames:deflate(Payload)}}.


%% A part of a compressed text.
fragment(Fin, Rsv, Opcode, From, To) ->
    Bytes = random_frames:deflate(<<"fragments of a compressed text">>),
    Size = min(To, byte_size(Bytes)) - From,
    {frame, #{fin => Fin, rsv => Rsv, opcode => Opcode, payload => binary:part(Bytes, From, Size)}}.
