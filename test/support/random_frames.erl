%% Frames that a client might send, good ones and bad ones, drawn from the process's random generator.
-module(random_frames).

-export([good/0]).
-export([bad/0]).
-export([deflated/0]).
-export([deflate/1]).

-define(TEXTS,    [<<>>, <<"a">>, <<"hello">>, <<"k", 16#c3, 16#b6, "ln">>, <<16#f0, 16#9f, 16#98, 16#80>>]).
-define(NO_TEXTS, [<<255>>, <<16#c2>>, <<16#e2, 16#82>>, <<16#ed, 16#a0, 16#80>>, <<16#f4, 16#90, 16#80, 16#80>>, <<16#c2, "A">>]).
-define(CODES,    [0, 999, 1000, 1001, 1004, 1005, 1006, 1007, 1011, 1012, 2999, 3000, 4999, 5000]).

%%% Frames that are as they should be.


-spec good() -> iodata().
good() ->
    case rand:uniform(8) of
        1 -> frame(text, one_of(?TEXTS));
        2 -> frame(binary, bytes(rand:uniform(30)));
        3 -> frame(binary, bytes(one_of([0, 19, 20, 21, 125, 126, 199, 201])));
        4 -> frame(ping, bytes(rand:uniform(20) - 1));
        5 -> frame(pong, bytes(rand:uniform(20) - 1));
        6 -> fragments();
        7 -> ws_client:frame(#{opcode => close});
        8 -> frame(close, [<<(one_of(?CODES)):16>>, one_of(?TEXTS)])
    end.


%% Cut anywhere, also within a character; with a ping in between, or empty fragments.
fragments() ->
    [First, Last] = split(iolist_to_binary(?TEXTS)),
    Between = one_of([[], frame(ping, <<"between">>), fragment(false, continuation, <<>>)]),
    [fragment(false, one_of([text, binary]), First), Between, fragment(true, continuation, Last)].


%% A compressed message.
-spec deflated() -> iodata().
deflated() ->
    Good = [binary:copy(<<"abc">>, rand:uniform(3000)) | ?TEXTS],
    case rand:uniform(2) of
        1 -> deflated_frame(true, deflate(one_of(Good ++ ?NO_TEXTS)));
        2 -> deflated_fragments(deflate(one_of(Good)))
    end.


%% Of good text only: Cowboy 2.8 overlooks a character that is cut off there.
deflated_fragments(Payload) ->
    [First, Last] = split(Payload),
    [deflated_frame(false, First), fragment(true, continuation, Last)].


deflated_frame(Fin, Payload) ->
    ws_client:frame(#{fin => Fin, rsv => 4, opcode => one_of([text, binary]), payload => Payload}).


%%% Frames that may be wrong.


-spec bad() -> iodata().
bad() ->
    case rand:uniform(11) of
        1 -> frame(close, <<1>>);
        2 -> frame(rand:uniform(16) - 1, one_of(?TEXTS));
        3 -> ws_client:frame(#{rsv => one_of([1, 2, 3]), payload => one_of(?TEXTS)});
        4 -> fragment(false, ping, <<"x">>);
        5 -> fragment(one_of([true, false]), continuation, one_of(?TEXTS));
        6 -> frame(ping, bytes(126));
        7 -> ws_client:frame(#{mask => none, payload => <<"x">>});
        8 -> ws_client:frame(#{len => {one_of([16, 64]), 3}, payload => <<"abc">>});
        9 -> ws_client:frame(#{len => {64, 1 bsl 63 + 3}, payload => <<"abc">>});
        10 -> frame(text, bytes(rand:uniform(8)));
        11 -> frame(text, [one_of(?TEXTS), one_of(?NO_TEXTS)])
    end.


frame(Opcode, Payload) ->
    ws_client:frame(#{opcode => Opcode, payload => Payload}).


fragment(Fin, Opcode, Payload) ->
    ws_client:frame(#{fin => Fin, opcode => Opcode, payload => Payload}).


split(Bytes) ->
    At = rand:uniform(byte_size(Bytes)),
    [binary:part(Bytes, 0, At), binary:part(Bytes, At, byte_size(Bytes) - At)].


one_of(List) ->
    lists:nth(rand:uniform(length(List)), List).


bytes(N) ->
    << <<(rand:uniform(256) - 1)>> || _ <- lists:seq(1, N) >>.


%% As the payload of a message.
-spec deflate(binary()) -> binary().
deflate(Payload) ->
    Z = zlib:open(),
    ok = zlib:deflateInit(Z, default, deflated, -15, 8, default),
    Bytes = iolist_to_binary(zlib:deflate(Z, Payload, sync)),
    ok = zlib:close(Z),
    binary:part(Bytes, 0, byte_size(Bytes) - 4).
