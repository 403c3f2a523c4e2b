%% One WebSocket on a connection of HTTP/2 of its own, by an extended CONNECT (RFC 8441). Uses Cowboy's cowlib.
%%
%% The socket is active: its owner hands what comes to received/2, which tells what it means.
-module(http2_client).

-export([connect/1]).
-export([socket/1]).
-export([open/2]).
-export([send/2]).
-export([finish/1]).
-export([reset/1]).
-export([ping/1]).
-export([received/2]).

-export_type([client/0, event/0]).

-record(client, {
          socket :: gen_tcp:socket(),
          received = <<>> :: binary(),
          %% Before the server has said that it takes an extended CONNECT, nothing is sent.
          connect = none :: none | sent | iodata(),
          ready = false :: boolean(),
          decoder :: any(),
          %% What the server has no room for yet, and how much room it has on the connection and on the stream.
          waiting = <<>> :: binary(),
          windows = {65535, 65535} :: {integer(), integer()}
         }).

-opaque client() :: #client{}.

-type event() ::
        {head, Status :: binary(), [{binary(), binary()}]} |
        {data, nofin | fin, binary()} |
        fin |
        {reset, Reason :: atom()} |
        goaway |
        pong.

-define(STREAM,    1).
-define(MAX_FRAME, 16384).


-spec connect(inet:port_number()) -> client().
connect(Port) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary, {active, true}, {nodelay, true}]),
    ok = gen_tcp:send(Socket, [<<"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n">>, cow_http2:settings(#{})]),
    #client{socket = Socket, decoder = cow_hpack:init()}.


-spec socket(client()) -> gen_tcp:socket().
socket(#client{socket = Socket}) ->
    Socket.


%% What a client of HTTP/1.1 would send as the head of its opening handshake.
-spec open(binary(), client()) -> client().
open(Head, Client) ->
    {Block, _} = cow_hpack:encode(headers(Head)),
    flush(try_connect(Client#client{connect = Block})).


headers(Head) ->
    [Line | Lines] = binary:split(Head, <<"\r\n">>, [global]),
    [_Get, Path, _Version] = binary:split(Line, <<" ">>, [global]),
    Headers = [ header(binary:split(Each, <<": ">>)) || Each <- Lines, Each =/= <<>> ],
    {value, {_, Host}, Others} = lists:keytake(<<"host">>, 1, Headers),
    Hop = [<<"connection">>, <<"upgrade">>, <<"sec-websocket-key">>],
    [{<<":method">>, <<"CONNECT">>},
     {<<":protocol">>, <<"websocket">>},
     {<<":scheme">>, <<"http">>},
     {<<":path">>, Path},
     {<<":authority">>, Host} | [ Header || {Name, _} = Header <- Others, not lists:member(Name, Hop) ]].


header([Name, Value]) ->
    {string:lowercase(Name), Value}.


%% Data of the stream, as soon as there is one.
-spec send(iodata(), client()) -> client().
send(Bytes, #client{waiting = Waiting} = Client) ->
    flush(Client#client{waiting = iolist_to_binary([Waiting, Bytes])}).


%% The end of what this side has to say.
-spec finish(client()) -> client().
finish(Client) ->
    write(cow_http2:data(?STREAM, fin, <<>>), Client).


-spec reset(client()) -> client().
reset(Client) ->
    write(cow_http2:rst_stream(?STREAM, cancel), Client).


%% The server answers it after everything that it had to say before.
-spec ping(client()) -> client().
ping(Client) ->
    write(cow_http2:ping(0), Client).


-spec received(binary(), client()) -> {[event()], client()}.
received(Bytes, #client{received = Before} = Client) ->
    frames(<<Before/binary, Bytes/binary>>, Client, []).


frames(Bytes, Client, Events) ->
    case cow_http2:parse(Bytes) of
        {ok, Frame, Rest} ->
            {New, Client2} = frame(Frame, Client),
            frames(Rest, Client2, Events ++ New);
        {ignore, Rest} ->
            frames(Rest, Client, Events);
        more ->
            {Events, Client#client{received = Bytes}}
    end.


frame({settings, Settings}, #client{windows = {Connection, Stream}} = Client) ->
    Initial = maps:get(initial_window_size, Settings, 65535),
    Acknowledged = write(cow_http2:settings_ack(), Client),
    {[], flush(try_connect(Acknowledged#client{ready = true, windows = {Connection, Stream + Initial - 65535}}))};
frame({window_update, More}, #client{windows = {Connection, Stream}} = Client) ->
    {[], flush(Client#client{windows = {Connection + More, Stream}})};
frame({window_update, ?STREAM, More}, #client{windows = {Connection, Stream}} = Client) ->
    {[], flush(Client#client{windows = {Connection, Stream + More}})};
frame({headers, ?STREAM, Fin, head_fin, Block}, #client{decoder = Decoder} = Client) ->
    {[{<<":status">>, Status} | Headers], Decoder2} = cow_hpack:decode(Block, Decoder),
    {[{head, Status, Headers} | [ fin || Fin =:= fin ]], Client#client{decoder = Decoder2}};
frame({data, ?STREAM, Fin, Bytes}, Client) ->
    Size = byte_size(Bytes),
    Updates = [ [cow_http2:window_update(Size), cow_http2:window_update(?STREAM, Size)] || Size > 0 ],
    {[{data, Fin, Bytes} | [ fin || Fin =:= fin ]], write(Updates, Client)};
frame({rst_stream, ?STREAM, Reason}, Client) ->
    {[{reset, Reason}], Client};
frame({goaway, _, _, _}, Client) ->
    {[goaway], Client};
frame({ping_ack, _}, Client) ->
    {[pong], Client};
frame(_Other, Client) ->
    {[], Client}.


try_connect(#client{ready = true, connect = Block} = Client) when Block =/= none, Block =/= sent ->
    write(cow_http2:headers(?STREAM, nofin, Block), Client#client{connect = sent});
try_connect(Client) ->
    Client.


flush(#client{connect = sent, waiting = Waiting, windows = {Connection, Stream}} = Client) ->
    case lists:min([byte_size(Waiting), ?MAX_FRAME, Connection, Stream]) of
        Room when Room > 0 ->
            <<Now:Room/binary, Later/binary>> = Waiting,
            flush(write(cow_http2:data(?STREAM, nofin, Now),
                        Client#client{waiting = Later, windows = {Connection - Room, Stream - Room}}));
        _ ->
            Client
    end;
flush(Client) ->
    Client.


write(Bytes, #client{socket = Socket} = Client) ->
    _ = gen_tcp:send(Socket, Bytes),
    Client.
