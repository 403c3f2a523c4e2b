%% What a handler gets of the frames that a client sends, and what bad ones lead to.
-module(frames_SUITE).

-export([all/0, groups/0, init_per_suite/1, end_per_suite/1, init_per_group/2, end_per_group/2, init_per_testcase/2, end_per_testcase/2]).
-export([messages/1,
         message_sizes/1,
         fragments_are_joined/1,
         many_fragments/1,
         one_byte_at_a_time/1,
         ping_is_answered_before_the_callback/1,
         empty_control_frames/1,
         control_frames_between_fragments/1,
         unsolicited_pongs/1,
         handler_without_a_clause_for_ping/1,
         largest_control_frames/1,
         bad_frames/1,
         bad_frames_in_pieces/1,
         bad_text/1,
         bad_text_is_noticed_at_once/1,
         text_split_anywhere/1,
         bad_close_reason/1,
         other_payloads_are_not_text/1,
         unchecked_text/1,
         unchecked_close_reason/1,
         frames_before_a_bad_one/1]).
-export([no_leaks/1]).


all() ->
    [{group, v2}, {group, p}, {group, hybrid}, no_leaks].


groups() ->
    [ {Dialect, [], Cases ++ only(Dialect)} || {Dialect, [], Cases} <- fun_handler:groups(cases()) ].


cases() ->
    [messages,
     message_sizes,
     fragments_are_joined,
     many_fragments,
     one_byte_at_a_time,
     ping_is_answered_before_the_callback,
     empty_control_frames,
     control_frames_between_fragments,
     unsolicited_pongs,
     handler_without_a_clause_for_ping,
     largest_control_frames,
     bad_frames,
     bad_frames_in_pieces,
     bad_text,
     bad_text_is_noticed_at_once,
     text_split_anywhere,
     bad_close_reason,
     other_payloads_are_not_text,
     frames_before_a_bad_one].


only(v2) -> [unchecked_text, unchecked_close_reason];
only(_Older) -> [].


init_per_suite(Config) ->
    fun_handler:init_suite(Config).


end_per_suite(_Config) ->
    ok.


init_per_group(Group, Config) ->
    fun_handler:init_group(Group, Config).


end_per_group(_Group, _Config) ->
    ok.


init_per_testcase(_Case, Config) ->
    Config.


end_per_testcase(_Case, _Config) ->
    fun_handler:stop_all().


%%% Messages.


%% C31: text and binary messages arrive as {text, B} and {binary, B}, B a binary, also when it is empty.
messages(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun echo/1),
    Messages = [{text, <<"Hello">>},
                {binary, <<0, 255>>},
                {text, <<>>},
                {binary, <<>>},
                {text, <<"κόσμε"/utf8>>}],
    ok = ws_client:send(Client, Messages),
    Messages = ws_client:recv_many(Client, length(Messages)),
    Messages = [ Frame || {handle, Frame} <- fun_handler:take(Pid, length(Messages)) ].


%% C31: messages of all three forms of the length arrive whole.
message_sizes(Config) ->
    {Client, _} = fun_handler:open(Config, fun echo/1),
    [ echoed(Client, {binary, rand:bytes(Size)})
      || Size <- [1, 63, 64, 65, 125, 126, 127, 4096, 65535, 65536, 65537, 262144, 900000] ].


%% C31: the fragments of a message are handed over once, whole, empty ones included.
fragments_are_joined(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun echo/1),
    ok = ws_client:send(Client,
                        [{fragment, false, text, <<"Hel">>},
                         {fragment, false, continuation, <<>>},
                         {fragment, false, continuation, <<"lo ">>},
                         {fragment, true, continuation, <<"there">>},
                         {fragment, false, binary, <<>>},
                         {fragment, true, continuation, <<>>}]),
    [{text, <<"Hello there">>}, {binary, <<>>}] = ws_client:recv_many(Client, 2),
    [{handle, {text, <<"Hello there">>}}, {handle, {binary, <<>>}}] = fun_handler:take(Pid, 2),
    ok = fun_handler:silent(Pid).


%% C31: a message of ten thousand fragments is one message.
many_fragments(Config) ->
    {Client, _} = fun_handler:open(Config, fun echo/1),
    Middle = [ {fragment, false, continuation, <<N>>} || N <- lists:seq(1, 9998) ],
    ok = ws_client:send(Client, [{fragment, false, binary, <<0>>}] ++ Middle ++ [{fragment, true, continuation, <<"!">>}]),
    {binary, Whole} = ws_client:recv(Client),
    Whole = iolist_to_binary([<<0>>, [ Payload || {fragment, _, _, Payload} <- Middle ], <<"!">>]).


%% C31: frames that arrive byte by byte are the same as frames that arrive at once.
one_byte_at_a_time(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun echo/1),
    Payload = binary:copy(<<"drip">>, 40),
    Bytes = [ws_client:frame(#{payload => Payload}), ws_client:frame(#{opcode => ping, payload => <<"p">>})],
    [ ok = ws_client:send(Client, Byte) || Byte <- bytewise(Bytes) ],
    [{text, Payload}, {pong, <<"p">>}] = ws_client:recv_many(Client, 2),
    [{handle, {text, Payload}}, {handle, {ping, <<"p">>}}] = fun_handler:take(Pid, 2).


%%% Control frames.


%% C32: the pong with the ping's payload is on its way before the handler is called.
ping_is_answered_before_the_callback(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun wait_for_go/1),
    ok = ws_client:send(Client, {ping, <<"payload">>}),
    {handle, {ping, <<"payload">>}} = fun_handler:next(Pid),
    {pong, <<"payload">>} = ws_client:recv(Client),
    Pid ! go,
    {text, <<"gone">>} = ws_client:recv(Client).


%% C32: an empty ping or pong is the atom `ping' or `pong', and the answer to it is an empty pong.
empty_control_frames(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun quiet/1),
    ok = ws_client:send(Client, [ping, pong, {ping, <<>>}, {pong, <<>>}]),
    [{pong, <<>>}, {pong, <<>>}] = ws_client:recv_many(Client, 2),
    [{handle, ping}, {handle, pong}, {handle, ping}, {handle, pong}] = fun_handler:take(Pid, 4),
    ok = fun_handler:alive({Client, Pid}).


%% C33: control frames between fragments are handled at once, before the message.
control_frames_between_fragments(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun echo/1),
    ok = ws_client:send(Client, [{fragment, false, text, <<"a">>}, {ping, <<"1">>}]),
    {pong, <<"1">>} = ws_client:recv(Client),
    {handle, {ping, <<"1">>}} = fun_handler:next(Pid),
    ok = ws_client:send(Client,
                        [{fragment, false, continuation, <<"b">>}, pong, {ping, <<"2">>}, {fragment, true, continuation, <<"c">>}]),
    [{pong, <<"2">>}, {text, <<"abc">>}] = ws_client:recv_many(Client, 2),
    [{handle, pong}, {handle, {ping, <<"2">>}}, {handle, {text, <<"abc">>}}] = fun_handler:take(Pid, 3).


%% C34: a pong that nobody asked for reaches the handler and is not answered.
unsolicited_pongs(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun quiet/1),
    ok = ws_client:send(Client, [{pong, <<"unasked">>}, pong]),
    [{handle, {pong, <<"unasked">>}}, {handle, pong}] = fun_handler:take(Pid, 2),
    ok = fun_handler:alive({Client, Pid}).


%% C35: a handler that has no clause for ping crashes on one, the pong having been sent.
handler_without_a_clause_for_ping(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun only_text/1),
    ok = ws_client:send(Client, {ping, <<"x">>}),
    [{pong, <<"x">>}, {close, 1011, <<>>}, {error, closed}] = ws_client:recv_many(Client, 3),
    {handle, {ping, <<"x">>}} = fun_handler:next(Pid),
    {terminate, {crash, error, function_clause}, _, _} = fun_handler:next(Pid).


%% C36: control frames of 125 bytes, the longest there are, pass.
largest_control_frames(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun quiet/1),
    Longest = binary:copy(<<"x">>, 125),
    ok = ws_client:send(Client, [{ping, Longest}, {pong, Longest}, {close, 1000, binary:part(Longest, 0, 123)}]),
    [{pong, Longest}, {close, 1000, <<>>}, {error, closed}] = ws_client:recv_many(Client, 3),
    [{handle, {ping, Longest}}, {handle, {pong, Longest}}] = fun_handler:take(Pid, 2).


%%% Bad frames.


%% C36: whatever breaks the rules of framing is closed with 1002, the handler learns {error, badframe} and the process
%% ends normally.
bad_frames(Config) ->
    Server = fun_handler:start(Config, fun echo/1, #{}),
    [] = not_closed_with(1002, badframe, Server, fun(Bytes) -> [{raw, Bytes}] end, bad_bytes()).


%% C36: the same when the bytes come one by one. What the server wrote may be lost here, since the client goes on
%% sending to a socket that is closed.
bad_frames_in_pieces(Config) ->
    Server = fun_handler:start(Config, fun echo/1, #{}),
    Ends = [ {Bytes, outcome(Server, bytewise(Bytes))} || Bytes <- bad_bytes() ],
    [] = [ End || {_Bytes, {_Received, Reason, Exit}} = End <- Ends, {Reason, Exit} =/= {{error, badframe}, normal} ].


bad_bytes() ->
    Frame = fun ws_client:frame/1,
    [Frame(#{mask => none, payload => <<"unmasked">>}),
     Frame(#{mask => none})] ++
    [ Frame(#{rsv => Rsv, payload => <<"x">>}) || Rsv <- [1, 2, 3, 4, 5, 6, 7] ] ++
    [ Frame(#{rsv => 4, opcode => Opcode}) || Opcode <- [ping, pong, close] ] ++
    [ Frame(#{opcode => Opcode, payload => Payload}) || Opcode <- [3, 4, 5, 6, 7, 11, 12, 13, 14, 15], Payload <- [<<>>, <<"x">>] ] ++
    [ Frame(#{opcode => Opcode, fin => false, payload => <<"x">>}) || Opcode <- [ping, pong, close] ] ++
    [ Frame(#{opcode => Opcode, payload => binary:copy(<<"x">>, 126)}) || Opcode <- [ping, pong, close] ] ++
    [Frame(#{opcode => ping, payload => <<>>, len => {64, 1 bsl 40}}),
     Frame(#{opcode => continuation, payload => <<"no start">>}),
     Frame(#{opcode => continuation, fin => false, payload => <<"no start">>}),
     [Frame(#{fin => false, payload => <<"a">>}), Frame(#{payload => <<"new text inside">>})],
     [Frame(#{fin => false, payload => <<"a">>}), Frame(#{opcode => binary, payload => <<"new binary inside">>})],
     [Frame(#{fin => false, payload => <<"a">>}), Frame(#{fin => false, payload => <<"new fragment inside">>})],
     Frame(#{len => {16, 0}}),
     Frame(#{payload => binary:copy(<<"x">>, 125), len => {16, 125}}),
     Frame(#{payload => <<"x">>, len => {64, 1}}),
     Frame(#{payload => binary:copy(<<"x">>, 65535), len => {64, 65535}}),
     Frame(#{len => {64, 1 bsl 63}}),
     Frame(#{len => {64, (1 bsl 64) - 1}}),
     Frame(#{opcode => close, payload => <<3>>})].


%%% Text.


%% C37: text that is not UTF-8 is closed with 1007, the handler learns {error, badencoding}; nothing of it is handed over.
bad_text(Config) ->
    Server = fun_handler:start(Config, fun echo/1, #{}),
    [] = not_closed_with(1007, badencoding, Server, fun(Text) -> [{text, Text}] end, bad_texts()),
    [] = not_closed_with(1007,
                         badencoding,
                         Server,
                         fun(Text) -> [[{fragment, false, text, Text}, {fragment, true, continuation, <<>>}]] end,
                         bad_texts()).


bad_texts() ->
    [<<255>>,
     <<254>>,
     <<128>>,
     <<"abc", 192, 128>>,
     <<193, 191>>,
     <<224, 128, 128>>,
     <<237, 160, 128>>,
     <<237, 191, 191>>,
     <<240, 128, 128, 128>>,
     <<244, 144, 128, 128>>,
     <<245, 128, 128, 128>>,
     <<194, 65>>,
     %% Sequences that the end of the message cuts.
     <<194>>,
     <<"abc", 226, 130>>,
     <<240, 144, 141>>,
     <<(binary:copy(<<"long">>, 1000))/binary, 255>>].


%% C37: the first bad byte is enough: inside a frame that is not over, and inside a fragment that is not the last.
bad_text_is_noticed_at_once(Config) ->
    Server = fun_handler:start(Config, fun echo/1, #{}),
    <<Head:8/binary, _/binary>> = iolist_to_binary(ws_client:frame(#{payload => binary:copy(<<"x">>, 1000)})),
    <<Bad:4/binary>> = ws_client:mask(<<"abc", 255>>, binary:part(Head, 4, 4)),
    <<Cut:4/binary, After/binary>> = ws_client:mask(<<"abc", 226, 65>>, binary:part(Head, 4, 4)),
    [] = not_closed_with(1007,
                         badencoding,
                         Server,
                         fun(Sends) -> Sends end,
                         [[{raw, [Head, Bad]}],
                          [{raw, [Head, Cut]}, {raw, After}],
                          [{fragment, false, text, <<"abc", 255>>}],
                          [{fragment, false, text, <<"abc", 226>>}, {fragment, false, continuation, <<65>>}]]).


%% C37: a character may be split over fragments, anywhere.
text_split_anywhere(Config) ->
    {Client, _} = fun_handler:open(Config, fun echo/1),
    Text = <<"a", 16#e9/utf8, 16#20ac/utf8, 16#10348/utf8, 16#10ffff/utf8, "z">>,
    [ begin
          <<First:At/binary, Rest/binary>> = Text,
          ok = ws_client:send(Client, {fragment, false, text, First}),
          ok = ws_client:send(Client, [{ping, <<255>>}, {fragment, true, continuation, Rest}]),
          [{pong, <<255>>}, {text, Text}] = ws_client:recv_many(Client, 2)
      end || At <- lists:seq(0, byte_size(Text)) ].


%% C37: a close reason that is not UTF-8 is closed with 1007 as well.
bad_close_reason(Config) ->
    Server = fun_handler:start(Config, fun echo/1, #{}),
    [] = not_closed_with(1007,
                         badencoding,
                         Server,
                         fun(Reason) -> [{close, 1000, Reason}] end,
                         [<<255>>, <<"abc", 226, 130>>, <<237, 160, 128>>]).


%% C37: binary messages, pings and pongs are not text.
other_payloads_are_not_text(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun quiet/1),
    Frames = [{binary, <<255>>}, {ping, <<255>>}, {pong, <<255>>}],
    ok = ws_client:send(Client, Frames),
    {pong, <<255>>} = ws_client:recv(Client),
    Frames = [ Frame || {handle, Frame} <- fun_handler:take(Pid, 3) ].


%% C38: with validate_utf8 => false bad text reaches the handler.
unchecked_text(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun echo/1, #{ws => #{validate_utf8 => false}}),
    ok = ws_client:send(Client,
                        [{text, <<"abc", 255>>}, {fragment, false, text, <<226>>}, {fragment, true, continuation, <<65>>}]),
    [{text, <<"abc", 255>>}, {text, <<226, 65>>}] = ws_client:recv_many(Client, 2),
    [{handle, {text, <<"abc", 255>>}}, {handle, {text, <<226, 65>>}}] = fun_handler:take(Pid, 2).


%% C38: and so does a bad close reason.
unchecked_close_reason(Config) ->
    {Client, Pid} = fun_handler:open(Config, fun echo/1, #{ws => #{validate_utf8 => false}}),
    ok = ws_client:send(Client, {close, 1000, <<255>>}),
    [{close, 1000, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
    {terminate, {remote, 1000, <<255>>}, _, _} = fun_handler:next(Pid).


%% C39: frames that arrived with a bad one, before it, are handled and answered first.
frames_before_a_bad_one(Config) ->
    [ begin
          {Client, Pid} = fun_handler:open(Config, fun echo/1),
          ok = ws_client:send(Client, [{text, <<"1">>}, {ping, <<"2">>}, Bad, {text, <<"after">>}]),
          [{text, <<"1">>}, {pong, <<"2">>}, {close, Code, <<>>}, {error, closed}] = ws_client:recv_many(Client, 4),
          [{handle, {text, <<"1">>}}, {handle, {ping, <<"2">>}}, {terminate, {error, Reason}, _, _}] = fun_handler:take(Pid, 3),
          normal = fun_handler:died(Pid)
      end || {Bad, Code, Reason} <- [{{raw, ws_client:frame(#{opcode => 3})}, 1002, badframe}, {{text, <<255>>}, 1007, badencoding}] ].


%% Nothing of what the cases made is left.
no_leaks(Config) ->
    fun_handler:no_leaks(Config).


%%% Scripts and helpers.


echo({handle, {Type, _} = Message}) when Type =:= text; Type =:= binary -> {reply, Message};
echo(_Event) -> ok.


quiet(_Event) -> ok.


only_text(init) -> ok;
only_text({handle, {text, _}}) -> ok.


wait_for_go({handle, {ping, _}}) ->
    receive
        go -> {reply, {text, <<"gone">>}}
    after
        10000 ->
            stop
    end;
wait_for_go(_Event) ->
    ok.


echoed(Client, Message) ->
    ok = ws_client:send(Client, Message),
    Message = ws_client:recv(Client).


%% A bad frame is closed before its end is there.
bytewise(Bytes) ->
    Binary = iolist_to_binary(Bytes),
    [ {raw, <<Byte>>} || <<Byte>> <= binary:part(Binary, 0, min(200, byte_size(Binary))) ].


%% The rows after whose sends the connection did not end as it should have, with what happened instead.
not_closed_with(Code, Reason, Server, Sends, Rows) ->
    Expected = {[{close, Code, <<>>}, {error, closed}], {error, Reason}, normal},
    [ {Row, Outcome} || Row <- Rows, Outcome <- [outcome(Server, Sends(Row))], Outcome =/= Expected ].


outcome(Server, Sends) ->
    {Client, Pid} = fun_handler:join(Server),
    [ ok = ws_client:send(Client, Send) || Send <- Sends ],
    Received = ws_client:recv_many(Client, 2),
    ok = ws_client:close(Client),
    {terminate, Reason, _, _} = fun_handler:next(Pid),
    Outcome = {Received, Reason, fun_handler:died(Pid)},
    ok = fun_handler:silent(Pid),
    Outcome.
