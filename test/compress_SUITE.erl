%% Compression: what is negotiated, and what frames look like then.
-module(compress_SUITE).

-export([all/0, groups/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([off_unless_asked_for/1,
         off_unless_offered/1,
         meta_values/1,
         answers/1,
         answers_over_two_headers/1,
         answers_to_options/1,
         client_window_not_offered/1,
         accepted_offers_work/1,
         options_work/1,
         every_data_frame_is_compressed/1,
         empty_message_is_one_byte/1,
         plain_frames_are_accepted/1,
         compressed_fragments/1,
         pings_between_compressed_fragments/1,
         one_byte_at_a_time/1,
         large_messages/1,
         context_takeover/1,
         no_context_takeover/1,
         contexts_at_rest/1,
         pushed_after_a_rest/1,
         server_window/1,
         webkit/1,
         webkit_fragments/1,
         rsv1_out_of_place/1,
         rsv2_and_rsv3/1,
         garbage/1,
         text_is_checked_after_inflating/1,
         deflate_command_without_compression/1,
         plain_frames_do_not_enter_the_window/1,
         bombs/1]).
-export([no_leaks/1]).


all() ->
    [{group, v2}, {group, p}, {group, hybrid}, no_leaks].


groups() ->
    [{v2, [], cases() ++ [answers_to_options, client_window_not_offered, options_work, bombs] ++ cases_of_arity_2()},
     {p, [], [meta_values | cases()]},
     {hybrid, [], cases() ++ cases_of_arity_2()}].


cases() ->
    [off_unless_asked_for,
     off_unless_offered,
     answers,
     answers_over_two_headers,
     accepted_offers_work,
     every_data_frame_is_compressed,
     empty_message_is_one_byte,
     plain_frames_are_accepted,
     compressed_fragments,
     pings_between_compressed_fragments,
     one_byte_at_a_time,
     large_messages,
     context_takeover,
     no_context_takeover,
     contexts_at_rest,
     pushed_after_a_rest,
     server_window,
     webkit,
     webkit_fragments,
     rsv1_out_of_place,
     rsv2_and_rsv3,
     garbage,
     text_is_checked_after_inflating].


cases_of_arity_2() ->
    [deflate_command_without_compression, plain_frames_do_not_enter_the_window].


init_per_suite(Config) ->
    fun_handler:init_suite(Config).


end_per_suite(_Config) ->
    ok.


init_per_group(Group, Config) ->
    fun_handler:init_group(Group, Config).


end_per_group(_Group, _Config) ->
    ok.


init_per_testcase(Case, Config) ->
    Since = #{
              empty_message_is_one_byte => {2, 13},
              bombs => {2, 13},
              client_window_not_offered => {2, 13},
              %% Cowboy 2.8 takes the ping for a part of the message.
              pings_between_compressed_fragments => {2, 13},
              contexts_at_rest => drover,
              pushed_after_a_rest => drover,
              %% Cowboy crashes on these.
              rsv1_out_of_place => drover,
              garbage => drover
             },
    fun_handler:since(Case, Since, Config).


end_per_testcase(_Case, _Config) ->
    fun_handler:stop_all().


%%% Negotiation.


%% J87: without being asked for, compression is off: no header in the answer, plain frames, RSV1 is an error.
off_unless_asked_for(Config) ->
    Server = fun_handler:start(Config, fun echo/1, #{}),
    undefined = answer(Server, <<"permessage-deflate">>),
    undefined = answer(Server, <<"x-webkit-deflate-frame">>),
    {Client, _} = fun_handler:join(Server, #{extensions => <<"permessage-deflate">>}),
    ok = ws_client:send(Client, [{text, <<"Hello">>}, deflate_peer:frame(deflate_peer:new(), {text, <<"Hello">>})]),
    [{text, <<"Hello">>}, {close, 1002, <<>>}] = ws_client:recv_many(Client, 2).


%% J87: and off when the client offers nothing that is known.
off_unless_offered(Config) ->
    Server = compressing(Config),
    undefined = answer(Server, <<"foo, bar; baz=1">>),
    {Client, _} = fun_handler:join(Server),
    ok = ws_client:send(Client, {text, <<"Hello">>}),
    {text, <<"Hello">>} = ws_client:recv(Client).


%% J87: in arity 3 the Req says whether compression is in use, and which version of the protocol.
meta_values(Config) ->
    Server = compressing(Config),
    [ begin
          {Client, Pid} = fun_handler:join(Server, Options),
          ok = ws_client:send(Client, close),
          {terminate, remote, #{websocket_compress := Compress, websocket_version := Version} = Req, _} = fun_handler:next(Pid),
          [Compress, Version, default] = [ (drover_target:req()):meta(Key, Req, default)
                                           || Key <- [websocket_compress, websocket_version, websocket_else] ]
      end
      || {Options, Compress, Version} <- [{#{extensions => <<"permessage-deflate">>}, true, 13},
                                          {#{version => 8}, false, 8},
                                          {#{version => 7, extensions => <<"x-webkit-deflate-frame">>}, true, 7}] ].


%% J88, J90: the answer to each offer.
answers(Config) ->
    Server = compressing(Config),
    [] = [ {Offer, Expected, Answer} || {Offer, Expected} <- offers(), Answer <- [answer(Server, Offer)], Answer =/= Expected ].


%% J88: offers may come in several headers.
answers_over_two_headers(Config) ->
    #{port := Port} = compressing(Config),
    Headers = [{"Sec-WebSocket-Extensions", "foo"}, {"Sec-WebSocket-Extensions", "permessage-deflate; server_no_context_takeover"}],
    {ok, _, {101, #{<<"sec-websocket-extensions">> := <<"permessage-deflate; server_no_context_takeover">>}}} =
        ws_client:connect(Port, "/", #{headers => Headers}).


offers() ->
    [ {pmd(Offer), pmd_or_none(Expected)} || {Offer, Expected} <- parameters() ] ++
    [{<<"PERMESSAGE-DEFLATE">>, undefined},
     {<<"permessage-deflate2">>, undefined},
     {<<"foo; permessage-deflate">>, undefined},
     {<<"foo, permessage-deflate">>, <<"permessage-deflate">>},
     {<<"permessage-deflate; unknown, permessage-deflate">>, <<"permessage-deflate">>},
     {<<"permessage-deflate; server_max_window_bits=16, permessage-deflate; client_max_window_bits">>,
      <<"permessage-deflate; client_max_window_bits=15">>},
     {<<"permessage-deflate; client_no_context_takeover, permessage-deflate">>,
      <<"permessage-deflate; client_no_context_takeover">>},
     {<<"permessage-deflate, x-webkit-deflate-frame">>, <<"permessage-deflate">>},
     {<<"x-webkit-deflate-frame, permessage-deflate">>, <<"x-webkit-deflate-frame">>},
     {<<"permessage-deflate; unknown, x-webkit-deflate-frame">>, <<"x-webkit-deflate-frame">>},
     {<<"x-webkit-deflate-frame">>, <<"x-webkit-deflate-frame">>},
     {<<"x-webkit-deflate-frame; no_context_takeover; max_window_bits=10">>, <<"x-webkit-deflate-frame">>}].


%% What follows the name, in the offer and in the answer.
parameters() ->
    Same = ["",
            "; client_no_context_takeover",
            "; server_no_context_takeover",
            "; server_max_window_bits=8",
            "; server_max_window_bits=9",
            "; server_max_window_bits=15",
            "; client_max_window_bits=8",
            "; client_max_window_bits=10",
            "; client_max_window_bits=15"],
    None = ["; unknown",
            "; unknown=1",
            "; server_max_window_bits",
            "; server_max_window_bits=7",
            "; server_max_window_bits=16",
            "; server_max_window_bits=010",
            "; server_max_window_bits=x",
            "; client_max_window_bits=7",
            "; client_max_window_bits=16",
            "; client_max_window_bits=x",
            "; client_no_context_takeover=1",
            "; server_no_context_takeover=true",
            "; client_no_context_takeover; client_no_context_takeover",
            "; server_max_window_bits=10; server_max_window_bits=10",
            "; client_max_window_bits; client_max_window_bits"],
    [ {Parameters, Parameters} || Parameters <- Same ] ++ [ {Parameters, none} || Parameters <- None ] ++
    [{"; client_max_window_bits", "; client_max_window_bits=15"},
     {"; server_max_window_bits=\"10\"", "; server_max_window_bits=10"},
     {"; server_max_window_bits=10; server_max_window_bits=11", "; server_max_window_bits=10"},
     {";client_no_context_takeover;server_no_context_takeover", "; server_no_context_takeover; client_no_context_takeover"},
     {"; client_no_context_takeover; server_max_window_bits=10; server_no_context_takeover",
      "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10"},
     {"; client_max_window_bits=11; server_max_window_bits=10", "; server_max_window_bits=10; client_max_window_bits=11"},
     {"; client_max_window_bits; server_max_window_bits=10", "; client_max_window_bits=15; server_max_window_bits=10"}].


%% J89: the handler's deflate_opts show in the answer, or leave compression off.
answers_to_options(Config) ->
    [] = [ {Options, Offer, Expected, Answer}
           || {Options, Parameters, Expected0} <- option_answers(),
              {Offer, Expected} <- [{pmd(Parameters), pmd_or_none(Expected0)}],
              Answer <- [answer(compressing(Config, Options), Offer)],
              Answer =/= Expected ].


option_answers() ->
    ServerNo = #{server_context_takeover => no_takeover},
    ClientNo = #{client_context_takeover => no_takeover},
    Server10 = #{server_max_window_bits => 10},
    Client10 = #{client_max_window_bits => 10},
    [{#{}, "", ""},
     {#{level => 1, mem_level => 9, strategy => filtered}, "", ""},
     {#{server_context_takeover => takeover, client_context_takeover => takeover}, "", ""},
     {ServerNo, "", "; server_no_context_takeover"},
     {ServerNo, "; server_no_context_takeover", "; server_no_context_takeover"},
     {ServerNo, "; client_no_context_takeover", "; client_no_context_takeover; server_no_context_takeover"},
     {ClientNo, "", "; client_no_context_takeover"},
     {ClientNo, "; client_no_context_takeover", "; client_no_context_takeover"},
     {maps:merge(ServerNo, ClientNo), "", "; client_no_context_takeover; server_no_context_takeover"},
     {Server10, "", "; server_max_window_bits=10"},
     {Server10, "; server_max_window_bits=9", "; server_max_window_bits=9"},
     {Server10, "; server_max_window_bits=10", "; server_max_window_bits=10"},
     {Server10, "; server_max_window_bits=12", "; server_max_window_bits=10"},
     {Client10, "; client_max_window_bits", "; client_max_window_bits=10"},
     {Client10, "; client_max_window_bits=9", "; client_max_window_bits=9"},
     {Client10, "; client_max_window_bits=12", "; client_max_window_bits=10"}].


%% J89: a client that does not offer to narrow its window goes without compression where the server insists on it.
client_window_not_offered(Config) ->
    Server = compressing(Config, #{client_max_window_bits => 10}),
    [ undefined = answer(Server, pmd(Parameters)) || Parameters <- ["", "; server_max_window_bits=10"] ].


%% J88: with each accepted offer messages go both ways, larger than any window.
accepted_offers_work(Config) ->
    Server = compressing(Config),
    [ works(Server, Offer) || {Parameters, Expected} <- parameters(), Expected =/= none, Offer <- [pmd(Parameters)] ].


%% J89: and with each value of deflate_opts.
options_work(Config) ->
    Options = [ #{level => Level} || Level <- [none, default, best_compression, best_speed | lists:seq(0, 9)] ] ++
        [ #{mem_level => Level} || Level <- lists:seq(1, 9) ] ++
        [ #{strategy => Strategy} || Strategy <- [default, filtered, huffman_only, rle] ] ++
        [ #{server_max_window_bits => Bits, client_max_window_bits => Bits} || Bits <- lists:seq(8, 15) ] ++
        [ #{server_context_takeover => Server, client_context_takeover => Client}
          || Server <- [takeover, no_takeover], Client <- [takeover, no_takeover] ],
    [ works(compressing(Config, Option), pmd("; client_max_window_bits")) || Option <- Options ].


%%% Messages.


%% J91: every text and binary frame out is compressed, however short; control frames are not.
every_data_frame_is_compressed(Config) ->
    {Client, Peer} = negotiated(Config, <<"permessage-deflate">>),
    [ begin
          ok = ws_client:send(Client, deflate_peer:frame(Peer, Message)),
          {frame, true, 4, Type, Payload} = ws_client:recv(Client),
          Text = deflate_peer:inflate(Peer, Payload)
      end || {Type, Text} = Message <- [{text, <<"a">>}, {binary, <<0>>}, {text, binary:copy(<<"text">>, 500)}] ],
    ok = ws_client:send(Client, [{ping, <<"p">>}, {close, 1000, <<"bye">>}]),
    [{pong, <<"p">>}, {close, 1000, <<>>}] = ws_client:recv_many(Client, 2).


%% J91: an empty message is compressed to one byte.
empty_message_is_one_byte(Config) ->
    {Client, _} = negotiated(Config, <<"permessage-deflate">>),
    ok = ws_client:send(Client, [{text, <<>>}, {binary, <<>>}]),
    [{frame, true, 4, text, <<0>>}, {frame, true, 4, binary, <<0>>}] = ws_client:recv_many(Client, 2).


%% J91: a client may leave its messages uncompressed; the answer is compressed all the same.
plain_frames_are_accepted(Config) ->
    {Client, Peer} = negotiated(Config, <<"permessage-deflate">>),
    ok = ws_client:send(Client, [{text, <<"plain">>}, {fragment, false, binary, <<"pl">>}, {fragment, true, continuation, <<"ain">>}]),
    [{frame, true, 4, text, Text}, {frame, true, 4, binary, Binary}] = ws_client:recv_many(Client, 2),
    [<<"plain">>, <<"plain">>] = [ deflate_peer:inflate(Peer, Payload) || Payload <- [Text, Binary] ].


%% J91, C31: a compressed message in fragments, cut anywhere.
compressed_fragments(Config) ->
    in_fragments(Config, [], []).


%% J91, C33: and with control frames between its fragments.
pings_between_compressed_fragments(Config) ->
    in_fragments(Config, [{ping, <<"x">>}, {pong, <<>>}], [{pong, <<"x">>}]).


in_fragments(Config, Between, Answers) ->
    {Client, Peer} = negotiated(Config, <<"permessage-deflate">>),
    [ begin
          <<First:At/binary, Rest/binary>> = deflate_peer:deflate(Peer, <<"Hello, Hello">>),
          ok = ws_client:send(Client, [compressed_fragment(false, First) | Between] ++ [{fragment, true, continuation, Rest}]),
          Answers = ws_client:recv_many(Client, length(Answers)),
          {frame, true, 4, text, Payload} = ws_client:recv(Client),
          <<"Hello, Hello">> = deflate_peer:inflate(Peer, Payload)
      end || At <- lists:seq(0, 3) ].


compressed_fragment(Fin, Payload) ->
    {raw, ws_client:frame(#{fin => Fin, rsv => 4, payload => Payload})}.


%% C31: compressed frames may come byte by byte.
one_byte_at_a_time(Config) ->
    {Client, Peer} = negotiated(Config, <<"permessage-deflate">>),
    Message = base64:encode(rand:bytes(100)),
    {raw, Frame} = deflate_peer:frame(Peer, {text, Message}),
    [ ok = ws_client:send(Client, {raw, <<Byte>>}) || <<Byte>> <= iolist_to_binary(Frame) ],
    {frame, true, 4, text, Payload} = ws_client:recv(Client),
    Message = deflate_peer:inflate(Peer, Payload).


%% J91: large messages, whether they compress well or not, arrive whole, in order, also when many are under way.
large_messages(Config) ->
    {Client, Peer} = negotiated(Config, <<"permessage-deflate">>),
    Messages = [binary:copy(<<"0123456789">>, 90000), rand:bytes(900000), <<"small">>, base64:encode(rand:bytes(500000))],
    ok = ws_client:send(Client, [ deflate_peer:frame(Peer, {binary, Message}) || Message <- Messages ]),
    Messages = [ deflate_peer:inflate(Peer, Payload) || {frame, true, 4, binary, Payload} <- ws_client:recv_many(Client, 4) ].


%%% Contexts.


%% J88: with context takeover both ways a message that is repeated costs next to nothing.
context_takeover(Config) ->
    {Client, Peer} = negotiated(Config, <<"permessage-deflate">>),
    Message = rand:bytes(500),
    [First | Later] = [ echoed_size(Client, Peer, Message) || _ <- lists:seq(1, 4) ],
    true = First >= 500,
    true = lists:all(fun(Size) -> Size < 50 end, Later).


%% J88, J89: without, each message stands alone, both ways.
no_context_takeover(Config) ->
    Offer = <<"permessage-deflate; server_no_context_takeover; client_no_context_takeover">>,
    {Client, _} = negotiated(Config, Offer),
    Message = rand:bytes(500),
    [ true = echoed_size(Client, deflate_peer:new(), Message) >= 500 || _ <- lists:seq(1, 4) ].


%% J88: a connection that says nothing for a while holds no context, and yet neither side forgets what was said.
contexts_at_rest(Config) ->
    {Client, Peer} = negotiated(Config, <<"permessage-deflate">>),
    Message = rand:bytes(500),
    true = echoed_size(Client, Peer, Message) >= 500,
    [ begin
          Others = rand:bytes(Size),
          true = echoed_size(Client, Peer, Others) >= Size,
          ok = until_parked(),
          true = echoed_size(Client, Peer, Message) < 50,
          ok = until_parked()
      end
      || Size <- [1, 1000, 31000] ].


%% J88: the same of one that only ever sends.
pushed_after_a_rest(Config) ->
    {Client, Pid} = fun_handler:join(fun_handler:start(Config, fun push/1, #{compress => true}), #{extensions => <<"permessage-deflate">>}),
    Peer = deflate_peer:new(),
    Message = rand:bytes(500),
    [First | Later] = [ begin
                            Pid ! {push, Message},
                            {frame, true, 4, binary, Payload} = ws_client:recv(Client),
                            Message = deflate_peer:inflate(Peer, Payload),
                            ok = until_parked(),
                            byte_size(Payload)
                        end
                        || _ <- lists:seq(1, 3) ],
    true = First >= 500,
    true = lists:all(fun(Size) -> Size < 50 end, Later).


until_parked() ->
    case drover_native:stats() of
        #{contexts := 0} -> ok;
        _ -> receive after 20 -> until_parked() end
    end.


echoed_size(Client, Peer, Message) ->
    ok = ws_client:send(Client, deflate_peer:frame(Peer, {binary, Message})),
    {frame, true, 4, binary, Payload} = ws_client:recv(Client),
    Message = deflate_peer:inflate(Peer, Payload),
    byte_size(Payload).


%% J88: the server refers back no further than the window it has agreed to; with 8 bits it uses 9.
server_window(Config) ->
    Repeated = rand:bytes(200),
    Message = iolist_to_binary([ [Repeated, rand:bytes(Gap)] || Gap <- [10, 200, 400, 900, 3000, 7000, 14000, 30000] ]),
    [ begin
          Offer = <<"permessage-deflate; server_max_window_bits=", (integer_to_binary(Bits))/binary>>,
          {Client, Peer} = negotiated(Config, Offer, #{server_bits => max(9, Bits)}),
          _ = echoed_size(Client, Peer, Message)
      end || Bits <- lists:seq(8, 15) ].


%%% The forerunner.


%% J90: x-webkit-deflate-frame works both ways, with context takeover.
webkit(Config) ->
    {Client, Peer} = negotiated(Config, <<"x-webkit-deflate-frame">>),
    Message = rand:bytes(500),
    [First, Second] = [ echoed_size(Client, Peer, Message) || _ <- [1, 2] ],
    true = First >= 500,
    true = Second < 50.


%% J90: a compressed message in fragments that all have RSV1 set.
webkit_fragments(Config) ->
    {Client, Peer} = negotiated(Config, <<"x-webkit-deflate-frame">>),
    <<First:4/binary, Rest/binary>> = deflate_peer:deflate(Peer, <<"Hello">>),
    ok = ws_client:send(Client,
                        [{raw, ws_client:frame(#{fin => false, rsv => 4, payload => First})},
                         {raw, ws_client:frame(#{rsv => 4, opcode => continuation, payload => Rest})}]),
    {frame, true, 4, text, Payload} = ws_client:recv(Client),
    <<"Hello">> = deflate_peer:inflate(Peer, Payload).


%%% Errors.


%% J92: RSV1 on a control frame, or where an uncompressed message goes on, is a bad frame.
rsv1_out_of_place(Config) ->
    Fragment = ws_client:frame(#{fin => false, payload => <<"plain">>}),
    [ ends_with(1002, badframe, Config, Bytes)
      || Bytes <- [ ws_client:frame(#{rsv => 4, opcode => Opcode, payload => Payload})
                    || Opcode <- [ping, pong, close], Payload <- [<<>>, <<3, 232, "x">>] ] ++
                  [[Fragment, ws_client:frame(#{rsv => 4, opcode => continuation, payload => <<"x">>})]] ].


%% J92: RSV2 and RSV3 are bad frames.
rsv2_and_rsv3(Config) ->
    [ ends_with(1002, badframe, Config, ws_client:frame(#{rsv => Rsv, opcode => Opcode}))
      || Rsv <- [1, 2, 3, 5, 6, 7], Opcode <- [text, binary, ping] ].


%% J93: what cannot be inflated is a bad frame.
garbage(Config) ->
    [ ends_with(1002, badframe, Config, ws_client:frame(#{rsv => 4, opcode => binary, payload => Payload}))
      || Payload <- [binary:copy(<<255>>, 100), <<6, 6, 6>>, <<1, 5, 0, 0, 0>>] ].


%% C37: text is checked after it has been inflated.
text_is_checked_after_inflating(Config) ->
    [ begin
          {raw, Bytes} = deflate_peer:frame(deflate_peer:new(), {text, Text}),
          ends_with(1007, badencoding, Config, Bytes)
      end || Text <- [<<"abc", 255>>, <<"abc", 226, 130>>, [binary:copy(<<"text">>, 100000), 255]] ].


%%% {deflate, Bool}.


%% J94: without negotiated compression it is ignored.
deflate_command_without_compression(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun toggle/1),
    Pid ! go,
    [{text, <<"same">>}, {text, <<"same">>}, {text, <<"same">>}] = ws_client:recv_many(Client, 3).


%% J94: with context takeover, the frames that it leaves uncompressed do not enter the window.
plain_frames_do_not_enter_the_window(Config) ->
    Server = compressing(Config),
    {Client, Pid} = fun_handler:join(Server, #{extensions => <<"permessage-deflate">>}),
    Pid ! go,
    [{frame, true, 4, text, First}, {text, <<"same">>}, {frame, true, 4, text, Third}] = ws_client:recv_many(Client, 3),
    Peer = deflate_peer:new(),
    [<<"same">>, <<"same">>] = [ deflate_peer:inflate(Peer, Payload) || Payload <- [First, Third] ].


toggle({info, go}) ->
    {commands, [{text, <<"same">>}, {deflate, false}, {text, <<"same">>}, {deflate, true}, {text, <<"same">>}]};
toggle(Event) ->
    echo(Event).


%%% Bombs.


%% D44: a small frame that would inflate to much more than max_frame_size is closed with 1009; memory stays what it was.
bombs(Config) ->
    Bomb = bomb(),
    Before = node_memory:reset_peak(),
    [ ends_with(1009, badsize, Config, Frames)
      || _ <- lists:seq(1, 10),
         Frames <- [ws_client:frame(#{rsv => 4, opcode => binary, payload => Bomb}),
                    fragments(Bomb)] ],
    true = node_memory:peak() - Before < 100 * 1024.


%% Half a gigabyte of zeros in half a megabyte.
bomb() ->
    Zeros = binary:copy(<<0>>, 1000000),
    deflate_peer:deflate(deflate_peer:new(), lists:duplicate(500, Zeros)).


fragments(<<First:1000/binary, Rest/binary>>) ->
    [ws_client:frame(#{rsv => 4, fin => false, opcode => binary, payload => First}),
     ws_client:frame(#{opcode => continuation, payload => Rest})].


%% Nothing of what the cases made is left.
no_leaks(Config) ->
    fun_handler:no_leaks(Config).


%%% Helpers.


echo({handle, {Type, _} = Message}) when Type =:= text; Type =:= binary -> {reply, Message};
echo(_Event) -> ok.


push({info, {push, Message}}) -> {reply, {binary, Message}};
push(_Event) -> ok.


compressing(Config) ->
    fun_handler:start(Config, fun toggle/1, #{compress => true}).


compressing(Config, DeflateOpts) ->
    fun_handler:start(Config, fun echo/1, #{compress => true, ws => #{deflate_opts => DeflateOpts}}).


pmd(Parameters) ->
    iolist_to_binary(["permessage-deflate", Parameters]).


pmd_or_none(none) -> undefined;
pmd_or_none(Parameters) -> pmd(Parameters).


%% The value of the header in the answer to this offer.
answer(#{port := Port}, Offer) ->
    {ok, Client, {101, Headers}} = ws_client:connect(Port, "/", #{extensions => Offer}),
    ok = ws_client:close(Client),
    maps:get(<<"sec-websocket-extensions">>, Headers, undefined).


%% A connection to an echo with this offer accepted.
negotiated(Config, Offer) ->
    negotiated(Config, Offer, #{}).


negotiated(Config, Offer, PeerOpts) ->
    {Client, _} = fun_handler:join(compressing(Config), #{extensions => Offer}),
    {Client, deflate_peer:new(PeerOpts)}.


%% Messages go both ways under whatever is answered to this offer.
works(#{port := Port}, Offer) ->
    {ok, Client, {101, #{<<"sec-websocket-extensions">> := Answer}}} = ws_client:connect(Port, "/", #{extensions => Offer}),
    Peer = deflate_peer:new(#{
                              server_takeover => not has(Answer, "server_no_context_takeover"),
                              client_takeover => not has(Answer, "client_no_context_takeover"),
                              client_bits => client_bits(Answer)
                             }),
    Message = iolist_to_binary([base64:encode(rand:bytes(30000)), binary:copy(<<"again">>, 1000)]),
    [ echoed_size(Client, Peer, Text) || Text <- [<<"a">>, Message, <<"a">>, Message] ],
    ws_client:close(Client).


has(Answer, Parameter) ->
    string:find(Answer, Parameter) =/= nomatch.


%% zlib cannot deflate with 8 bits: what it deflates with 9 has to be short then.
client_bits(Answer) ->
    case re:run(Answer, "client_max_window_bits=(\\d+)", [{capture, all_but_first, list}]) of
        {match, [Bits]} -> max(9, list_to_integer(Bits));
        nomatch -> 15
    end.


ends_with(Code, Reason, Config, Bytes) ->
    {Client, Pid} = fun_handler:join(fun_handler:start(Config, fun quiet/1, #{compress => true}),
                                     #{extensions => <<"permessage-deflate">>}),
    ok = ws_client:send(Client, {raw, Bytes}),
    [{close, Code, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, {error, Reason}, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid).


quiet(_Event) -> ok.
