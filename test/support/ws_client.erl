%% A WebSocket client on a raw socket, for tests: it sends whatever it is told to, valid or not,
%% and shows what comes back frame by frame, without answering anything by itself.
%%
%% The socket is passive and every read asks for exactly the bytes it needs, so that a client has
%% no state beside its socket: it may be used by any process, and by hand through `socket/1'.
-module(ws_client).

%% Connecting.
-export([connect/2, connect/3]).
-export([open/1, open/2]).
-export([close/1]).
-export([reset/1]).
-export([shutdown/1]).
-export([socket/1]).

%% HTTP.
-export([handshake/1, handshake/2]).
-export([request/2]).
-export([recv_head/1]).
-export([recv_response/1]).

%% Frames.
-export([send/2]).
-export([frame/1]).
-export([encode/1]).
-export([mask/2]).
-export([recv/1, recv/2]).
-export([recv_many/2]).
-export([recv_until_closed/1]).

-export_type([client/0, endpoint/0, opts/0, frame/0, received/0, frame_opts/0, opcode/0]).

-type client() :: {ws_client, gen_tcp:socket()}.

%% A TCP port on this machine, or a Unix domain socket.
-type endpoint() :: inet:port_number() | {local, file:filename()}.

-type opts() :: #{
                  %% More headers for the handshake, as they stand.
                  headers => [{iodata(), iodata()}],
                  %% The value of Sec-WebSocket-Extensions.
                  extensions => iodata(),
                  %% The value of Host (default <<"localhost">>).
                  host => iodata(),
                  %% The value of Sec-WebSocket-Version (default 13).
                  version => integer(),
                  %% Bytes to send in the same segment as the handshake.
                  early => iodata(),
                  %% The address to connect to (default 127.0.0.1).
                  ip => inet:ip_address(),
                  tcp_opts => [gen_tcp:connect_option()]
                 }.

-type opcode() :: continuation | text | binary | close | ping | pong | 0..15.
-type frame() ::
        {text | binary | ping | pong, iodata()} |
        ping |
        pong |
        close |
        {close, 0..65535, iodata()} |
        {fragment, Fin :: boolean(), opcode(), iodata()} |
        {raw, iodata()}.

-type received() ::
        {text | binary | ping | pong, binary()} |
        close |
        {close, 0..65535, binary()} |
        {frame, Fin :: boolean(), Rsv :: 0..7, opcode(), binary()} |
        {error, closed | timeout}.

-type frame_opts() :: #{
                        fin => boolean(),
                        rsv => 0..7,
                        opcode => opcode(),
                        mask => <<_:32>> | none,
                        payload => iodata(),
                        %% The length to announce: the payload's by default; with a width to use another than the shortest form.
                        len => non_neg_integer() | {7 | 16 | 64, non_neg_integer()}
                       }.

-type status() :: 100..999.
-type headers() :: #{binary() => binary()}.

%% Long enough for a loaded machine; reached only where a test fails.
-define(TIMEOUT, 10000).
-define(MASK,    <<16#37, 16#fa, 16#21, 16#3d>>).

%%% Connecting.


-spec connect(endpoint(), iodata()) -> {ok, client(), {status(), headers()}}.
connect(Endpoint, Path) ->
    connect(Endpoint, Path, #{}).


%% The answer's body, if it has one, is left unread.
-spec connect(endpoint(), iodata(), opts()) -> {ok, client(), {status(), headers()}}.
connect(Endpoint, Path, Opts) ->
    {ok, Client} = open(Endpoint, Opts),
    ok = send(Client, {raw, [handshake(Path, Opts), maps:get(early, Opts, [])]}),
    {_Version, Status, Headers} = recv_head(Client),
    {ok, Client, {Status, to_map(Headers)}}.


-spec open(endpoint()) -> {ok, client()}.
open(Endpoint) ->
    open(Endpoint, #{}).


%% Connects and sends nothing.
-spec open(endpoint(), opts()) -> {ok, client()}.
open(Endpoint, Opts) ->
    {Address, Port} = address(Endpoint, Opts),
    Fixed = [binary, {active, false}, {nodelay, true}, {buffer, 65536}],
    TcpOpts = [ Option || Option <- Fixed, is_tcp(Endpoint) orelse Option =/= {nodelay, true} ],
    {ok, Socket} = gen_tcp:connect(Address, Port, TcpOpts ++ maps:get(tcp_opts, Opts, []), ?TIMEOUT),
    {ok, {ws_client, Socket}}.


address({local, _} = Address, _Opts) ->
    {Address, 0};
address(Port, Opts) ->
    {maps:get(ip, Opts, {127, 0, 0, 1}), Port}.


is_tcp(Endpoint) ->
    is_integer(Endpoint).


-spec socket(client()) -> gen_tcp:socket().
socket({ws_client, Socket}) ->
    Socket.


%% Closes without a close frame.
-spec close(client()) -> ok.
close({ws_client, Socket}) ->
    gen_tcp:close(Socket).


%% Closes with a TCP reset.
-spec reset(client()) -> ok.
reset({ws_client, Socket}) ->
    ok = inet:setopts(Socket, [{linger, {true, 0}}]),
    gen_tcp:close(Socket).


%% Closes the sending half alone.
-spec shutdown(client()) -> ok.
shutdown({ws_client, Socket}) ->
    gen_tcp:shutdown(Socket, write).


%%% HTTP.


-spec handshake(iodata()) -> iodata().
handshake(Path) ->
    handshake(Path, #{}).


-spec handshake(iodata(), opts()) -> iodata().
handshake(Path, Opts) ->
    Headers = [{"Host", maps:get(host, Opts, "localhost")},
               {"Connection", "Upgrade"},
               {"Upgrade", "websocket"},
               {"Sec-WebSocket-Version", integer_to_list(maps:get(version, Opts, 13))},
               {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}],
    Extensions = [ {"Sec-WebSocket-Extensions", V} || V <- maps:values(maps:with([extensions], Opts)) ],
    All = Headers ++ Extensions ++ maps:get(headers, Opts, []),
    ["GET ", Path, " HTTP/1.1\r\n", [ [Name, ": ", Value, "\r\n"] || {Name, Value} <- All ], "\r\n"].


%% Sends these bytes on a connection of their own and reads one response.
-spec request(endpoint(), iodata()) -> {status(), headers(), binary()} | {error, closed | timeout}.
request(Endpoint, Bytes) ->
    {ok, Client} = open(Endpoint),
    _ = gen_tcp:send(socket(Client), Bytes),
    Response = recv_response(Client),
    ok = close(Client),
    Response.


-spec recv_response(client()) -> {status(), headers(), binary()} | {error, closed | timeout}.
recv_response(Client) ->
    case recv_head(Client) of
        {_Version, Status, Headers} ->
            Map = to_map(Headers),
            {Status, Map, recv_body(Client, Status, Map)};
        {error, _} = Error ->
            Error
    end.


%% The response head as it was sent: names in their case, headers in their order.
-spec recv_head(client()) ->
          {Version :: binary(), status(), [{binary(), binary()}]} | {error, closed | timeout}.
recv_head({ws_client, Socket} = Client) ->
    ok = inet:setopts(Socket, [{packet, line}]),
    Head = recv_lines(Client, []),
    _ = inet:setopts(Socket, [{packet, raw}]),
    Head.


recv_lines({ws_client, Socket} = Client, Lines) ->
    case gen_tcp:recv(Socket, 0, ?TIMEOUT) of
        {ok, <<"\r\n">>} -> parse_head(lists:reverse(Lines));
        {ok, Line} -> recv_lines(Client, [binary:part(Line, 0, byte_size(Line) - 2) | Lines]);
        {error, Reason} -> {error, reason(Reason)}
    end.


parse_head([<<Version:8/binary, " ", Status:3/binary, _/binary>> | Lines]) ->
    Headers = [ list_to_tuple(binary:split(Line, <<": ">>)) || Line <- Lines ],
    {Version, binary_to_integer(Status), Headers}.


to_map(Headers) ->
    maps:from_list([ {string:lowercase(Name), Value} || {Name, Value} <- Headers ]).


recv_body(Client, Status, #{<<"content-length">> := Length}) when Status =/= 304 ->
    case recv_exactly(Client, binary_to_integer(Length), ?TIMEOUT) of
        {ok, Body} -> Body;
        {error, _} = Error -> error(Error)
    end;
recv_body(_Client, _Status, _Headers) ->
    <<>>.


%%% Frames out.


%% Everything in one write. A client whose server has gone away gets no error: recv/1 tells.
-spec send(client(), frame() | [frame()]) -> ok.
send({ws_client, Socket}, Frames) when is_list(Frames) ->
    _ = gen_tcp:send(Socket, [ encode(Frame) || Frame <- Frames ]),
    ok;
send(Client, Frame) ->
    send(Client, [Frame]).


%% The bytes of a frame.
-spec encode(frame()) -> iodata().
encode({raw, Bytes}) -> Bytes;
encode({fragment, Fin, Opcode, Payload}) -> frame(#{fin => Fin, opcode => Opcode, payload => Payload});
encode({close, Code, Reason}) -> frame(#{opcode => close, payload => [<<Code:16>>, Reason]});
encode({Opcode, Payload}) -> frame(#{opcode => Opcode, payload => Payload});
encode(Opcode) -> frame(#{opcode => Opcode}).


%% Any frame: by default a masked text frame with FIN and no payload.
-spec frame(frame_opts()) -> iodata().
frame(Opts) ->
    Payload = iolist_to_binary(maps:get(payload, Opts, <<>>)),
    Fin =
        case maps:get(fin, Opts, true) of
            true -> 1;
            false -> 0
        end,
    Mask = maps:get(mask, Opts, ?MASK),
    Length = length_bits(maps:get(len, Opts, byte_size(Payload))),
    MaskBit = mask_bit(Mask),
    [<<Fin:1, (maps:get(rsv, Opts, 0)):3, (opcode(maps:get(opcode, Opts, text))):4, MaskBit:1, Length/bits>>,
     masked(Payload, Mask)].


length_bits({7, N}) -> <<N:7>>;
length_bits({16, N}) -> <<126:7, N:16>>;
length_bits({64, N}) -> <<127:7, N:64>>;
length_bits(N) when N =< 125 -> length_bits({7, N});
length_bits(N) when N =< 16#ffff -> length_bits({16, N});
length_bits(N) -> length_bits({64, N}).


mask_bit(none) -> 0;
mask_bit(_Key) -> 1.


masked(Payload, none) -> Payload;
masked(Payload, Key) -> [Key, mask(Payload, Key)].


%% Masks a payload; and unmasks it, which is the same.
-spec mask(binary(), <<_:32>>) -> binary().
mask(Payload, Key) ->
    Size = byte_size(Payload),
    Keys = binary:part(binary:copy(Key, Size div 4 + 1), 0, Size),
    crypto:exor(Payload, Keys).


opcode(continuation) -> 0;
opcode(text) -> 1;
opcode(binary) -> 2;
opcode(close) -> 8;
opcode(ping) -> 9;
opcode(pong) -> 10;
opcode(N) when is_integer(N) -> N.


%%% Frames in.


-spec recv(client()) -> received().
recv(Client) ->
    recv(Client, ?TIMEOUT).


%% One frame. A frame that stops in its middle is lost with the timeout.
-spec recv(client(), timeout()) -> received().
recv(Client, Timeout) ->
    maybe_read(recv_exactly(Client, 2, Timeout), fun(Head) -> recv_frame(Client, Head, Timeout) end).


%% So many frames, or fewer with the error that came instead of the next one.
-spec recv_many(client(), non_neg_integer()) -> [received()].
recv_many(_Client, 0) ->
    [];
recv_many(Client, N) ->
    case recv(Client) of
        {error, _} = Error -> [Error];
        Frame -> [Frame | recv_many(Client, N - 1)]
    end.


%% All frames until the server closes the connection (or stays silent, which is the last element then).
-spec recv_until_closed(client()) -> [received()].
recv_until_closed(Client) ->
    recv_many(Client, 1000000).


recv_frame(Client, <<Fin:1, Rsv:3, Opcode:4, Mask:1, Length:7>>, Timeout) ->
    0 = Mask,
    maybe_read(recv_length(Client, Length, Timeout),
               fun(<<Size:64>>) ->
                       maybe_read(recv_exactly(Client, Size, Timeout),
                                  fun(Payload) ->
                                          received(Fin =:= 1, Rsv, opcode_name(Opcode), Payload)
                                  end)
               end).


recv_length(Client, 126, Timeout) ->
    maybe_read(recv_exactly(Client, 2, Timeout), fun(<<Size:16>>) -> {ok, <<Size:64>>} end);
recv_length(Client, 127, Timeout) ->
    recv_exactly(Client, 8, Timeout);
recv_length(_Client, Size, _Timeout) ->
    {ok, <<Size:64>>}.


received(true, 0, close, <<>>) -> close;
received(true, 0, close, <<Code:16, Reason/binary>>) -> {close, Code, Reason};
received(true, 0, Opcode, Payload) when Opcode =/= continuation -> {Opcode, Payload};
received(Fin, Rsv, Opcode, Payload) -> {frame, Fin, Rsv, Opcode, Payload}.


opcode_name(0) -> continuation;
opcode_name(1) -> text;
opcode_name(2) -> binary;
opcode_name(8) -> close;
opcode_name(9) -> ping;
opcode_name(10) -> pong.


maybe_read({ok, Bytes}, Next) -> Next(Bytes);
maybe_read({error, Reason}, _Next) -> {error, Reason}.


%% In pieces, since one gen_tcp:recv/3 takes 64 MiB at the most.
recv_exactly(Client, Size, Timeout) ->
    recv_exactly(Client, Size, Timeout, []).


recv_exactly(_Client, 0, _Timeout, Read) ->
    {ok, iolist_to_binary(lists:reverse(Read))};
recv_exactly({ws_client, Socket} = Client, Size, Timeout, Read) ->
    Piece = min(Size, 16#1000000),
    case gen_tcp:recv(Socket, Piece, Timeout) of
        {ok, Bytes} -> recv_exactly(Client, Size - Piece, Timeout, [Bytes | Read]);
        {error, Reason} -> {error, reason(Reason)}
    end.


reason(timeout) -> timeout;
reason(_Posix) -> closed.
