%% Clients that behave badly, at random but repeatably.
%%
%% What the Nth connection of a worker does follows from the seed, the worker's number and N alone.
-module(soak_client).

-export([run/4]).
-export([connection/4]).

-type endpoint() :: inet:port_number().
-type seed() :: integer().

-export_type([seed/0]).

%% Bytes of the largest random payload.
-define(LARGE, 300000).

%% So long a client listens, at the most, to what the server has to say.
-define(LISTEN_MS, 20).


%% Connections one after the other until the deadline (in monotonic milliseconds). Says how many.
-spec run(endpoint(), seed(), Worker :: pos_integer(), Deadline :: integer()) -> non_neg_integer().
run(Port, Seed, Worker, Deadline) ->
    run(Port, Seed, Worker, Deadline, 1).


run(Port, Seed, Worker, Deadline, N) ->
    case erlang:monotonic_time(millisecond) < Deadline of
        true ->
            ok = connection(Port, Seed, Worker, N),
            run(Port, Seed, Worker, Deadline, N + 1);
        false ->
            N - 1
    end.


-spec connection(endpoint(), seed(), pos_integer(), pos_integer()) -> ok.
connection(Port, Seed, Worker, N) ->
    _ = rand:seed(exsss, {Seed, Worker, N}),
    Opts = [binary, {active, false}, {nodelay, true}] ++ one_of([[], [], [{recbuf, 4096}]]),
    case gen_tcp:connect({127, 0, 0, 1}, Port, Opts, 5000) of
        {ok, Socket} ->
            ok = behave(Socket),
            part(Socket);
        {error, _} ->
            %% Out of ports for a moment: connections that ended are still remembered by the system.
            receive after 20 -> ok end
    end.


%%% What clients do.


behave(Socket) ->
    Behaviours = [fun silence/0,
                  fun garbage/0,
                  fun cut_head/0,
                  fun mutated_head/0,
                  fun plain_requests/0,
                  fun frames/0,
                  fun frames/0,
                  fun mutated_frames/0,
                  fun mutated_frames/0,
                  fun cut_frames/0,
                  fun garbage_as_frames/0,
                  fun endless_message/0,
                  fun lying_length/0,
                  fun deflate_garbage/0,
                  fun deflate_bomb/0,
                  fun ping_flood/0,
                  fun after_close/0],
    trickle(Socket, iolist_to_binary((one_of(Behaviours))()), rand:uniform(8)).


silence() ->
    [].


garbage() ->
    random_bytes().


cut_head() ->
    cut(iolist_to_binary(handshake())).


mutated_head() ->
    [mutated(iolist_to_binary(handshake())), frame()].


plain_requests() ->
    [ ["GET ", one_of(["/v2", "/p", "/none", "*"]), " HTTP/1.1\r\nHost: x\r\n", one_of(["", "Content-Length: 5\r\n"]), "\r\n"]
      || _ <- lists:seq(1, rand:uniform(5)) ].


frames() ->
    [handshake(), many(fun frame/0)].


mutated_frames() ->
    [handshake(), mutated(iolist_to_binary(many(fun frame/0)))].


cut_frames() ->
    [handshake(), cut(iolist_to_binary(many(fun frame/0)))].


garbage_as_frames() ->
    [handshake(), random_bytes()].


endless_message() ->
    [handshake(),
     ws_client:frame(#{fin => false, opcode => binary, payload => payload()}),
     many(fun() -> ws_client:frame(#{fin => false, opcode => continuation, payload => payload()}) end)].


lying_length() ->
    [handshake(), ws_client:frame(#{opcode => binary, len => {64, rand:uniform(1 bsl 63) - 1}, payload => payload()})].


deflate_garbage() ->
    [handshake(), many(fun() -> ws_client:frame(#{rsv => 4, opcode => one_of([text, binary, continuation]), payload => payload()}) end)].


deflate_bomb() ->
    Zlib = zlib:open(),
    ok = zlib:deflateInit(Zlib, best_speed, deflated, -15, 8, default),
    Bomb = zlib:deflate(Zlib, binary:copy(<<0>>, rand:uniform(20000000)), sync),
    ok = zlib:close(Zlib),
    [handshake(), ws_client:frame(#{rsv => 4, opcode => binary, payload => Bomb})].


ping_flood() ->
    [handshake(), [ ws_client:frame(#{opcode => ping, payload => random_bytes(125)}) || _ <- lists:seq(1, rand:uniform(2000)) ]].


after_close() ->
    [handshake(), many(fun frame/0), ws_client:frame(#{opcode => close, payload => <<1000:16>>}), many(fun frame/0)].


%%% How they leave.


part(Socket) ->
    _ = [ gen_tcp:shutdown(Socket, write) || one_of([true, false, false]) ],
    _ = one_of([false, true]) andalso gen_tcp:recv(Socket, 0, rand:uniform(?LISTEN_MS)),
    _ = [ inet:setopts(Socket, [{linger, {true, 0}}]) || one_of([true, false]) ],
    gen_tcp:close(Socket).


%%% How they send.


%% In up to eight pieces; between them they may listen for a moment.
trickle(Socket, Bytes, 1) ->
    _ = send(Socket, Bytes),
    ok;
trickle(_Socket, <<>>, _Pieces) ->
    ok;
trickle(Socket, Bytes, Pieces) ->
    {Now, Later} = split_binary(Bytes, rand:uniform(byte_size(Bytes) + 1) - 1),
    case send(Socket, Now) of
        ok ->
            _ = one_of([true, false]) andalso gen_tcp:recv(Socket, 0, rand:uniform(3) - 1),
            trickle(Socket, Later, Pieces - 1);
        {error, _} ->
            ok
    end.


%% A client that does not read what is sent to it has to give up some time.
send(Socket, Bytes) ->
    ok = maybe_closed(inet:setopts(Socket, [{send_timeout, 100}])),
    gen_tcp:send(Socket, Bytes).


maybe_closed(ok) -> ok;
maybe_closed({error, _}) -> ok.


%%% What they send.


handshake() ->
    Extensions = [#{},
                  #{extensions => "permessage-deflate"},
                  #{extensions => "permessage-deflate; server_no_context_takeover; client_max_window_bits"},
                  #{extensions => "x-webkit-deflate-frame"},
                  #{extensions => random_bytes(20)}],
    ws_client:handshake(one_of(["/v2", "/p"]), one_of(Extensions)).


frame() ->
    ws_client:frame(#{
                      fin => one_of([true, true, true, false]),
                      opcode => one_of([text, binary, text, binary, continuation, ping, pong, close]),
                      payload => payload()
                     }).


payload() ->
    case rand:uniform(20) of
        1 -> binary:copy(<<"x">>, rand:uniform(?LARGE));
        N when N < 8 -> unicode:characters_to_binary([ rand:uniform(16#d7ff) || _ <- lists:seq(1, rand:uniform(40)) ]);
        _ -> random_bytes(125)
    end.


many(Fun) ->
    [ Fun() || _ <- lists:seq(1, rand:uniform(10)) ].


mutated(Bytes) ->
    lists:foldl(fun(_, Acc) -> mutate(Acc) end, Bytes, lists:seq(1, rand:uniform(4))).


mutate(Bytes) ->
    {Before, After} = split_binary(Bytes, rand:uniform(byte_size(Bytes) + 1) - 1),
    {Some, Rest} = split_binary(After, min(byte_size(After), rand:uniform(16))),
    case rand:uniform(4) of
        1 -> <<Before/binary, (flipped(Some))/binary, Rest/binary>>;
        2 -> <<Before/binary, Rest/binary>>;
        3 -> <<Before/binary, Some/binary, After/binary>>;
        4 -> <<Before/binary, (random_bytes(16))/binary, After/binary>>
    end.


flipped(Bytes) ->
    crypto:exor(Bytes, rand:bytes(byte_size(Bytes))).


cut(Bytes) ->
    binary:part(Bytes, 0, rand:uniform(byte_size(Bytes))).


random_bytes() ->
    random_bytes(one_of([10, 1000, 100000])).


random_bytes(Most) ->
    rand:bytes(rand:uniform(Most + 1) - 1).


one_of(List) ->
    lists:nth(rand:uniform(length(List)), List).
