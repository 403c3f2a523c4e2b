%% A WebSocket handshake of HTTP/1.1 becomes an extended CONNECT on a connection of HTTP/2 (RFC 8441), and what follows the
%% data of its stream. Uses Cowboy's cowlib.
-module(http2_bridge).

-behaviour(bridge).

-export([run/2]).

-record(bridge, {
          client :: gen_tcp:socket(),
          server :: gen_tcp:socket(),
          received = <<>> :: binary(),
          %% Before the server has said that it takes this one, nothing is sent.
          connect :: sent | iodata(),
          %% What the server has no room for yet, and how much room it has on the connection and on the stream.
          waiting = <<>> :: binary(),
          windows = {65535, 65535} :: {integer(), integer()}
         }).

-define(STREAM,    1).
-define(MAX_FRAME, 16384).


-spec run(gen_tcp:socket(), inet:port_number()) -> ok.
run(Client, ServerPort) ->
    {Head, Early} = head(Client, <<>>),
    {ok, Server} = gen_tcp:connect({127, 0, 0, 1}, ServerPort, [binary, {active, once}, {nodelay, true}]),
    ok = gen_tcp:send(Server, [<<"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n">>, cow_http2:settings(#{})]),
    ok = inet:setopts(Client, [{active, once}]),
    {Block, _} = cow_hpack:encode(connect(Head)),
    pump(#bridge{client = Client, server = Server, connect = Block, waiting = Early}).


head(Client, Bytes) ->
    case binary:split(Bytes, <<"\r\n\r\n">>) of
        [Head, Rest] ->
            {Head, Rest};
        [_] ->
            {ok, More} = gen_tcp:recv(Client, 0),
            head(Client, <<Bytes/binary, More/binary>>)
    end.


connect(Head) ->
    [Line | Lines] = binary:split(Head, <<"\r\n">>, [global]),
    [_Get, Path, _Version] = binary:split(Line, <<" ">>, [global]),
    Headers = [ header(binary:split(Each, <<": ">>)) || Each <- Lines ],
    {value, {_, Host}, Others} = lists:keytake(<<"host">>, 1, Headers),
    Hop = [<<"connection">>, <<"upgrade">>, <<"sec-websocket-key">>],
    [{<<":method">>, <<"CONNECT">>},
     {<<":protocol">>, <<"websocket">>},
     {<<":scheme">>, <<"http">>},
     {<<":path">>, Path},
     {<<":authority">>, Host} | [ Header || {Name, _} = Header <- Others, not lists:member(Name, Hop) ]].


header([Name, Value]) ->
    {string:lowercase(Name), Value}.


pump(#bridge{client = Client, server = Server} = State) ->
    receive
        {tcp, Client, Bytes} ->
            State2 = send(Bytes, State),
            _ = inet:setopts(Client, [{active, once}]),
            pump(State2);
        {tcp, Server, Bytes} ->
            State2 = frames(<<(State#bridge.received)/binary, Bytes/binary>>, State),
            _ = inet:setopts(Server, [{active, once}]),
            pump(State2);
        _Closed ->
            close(State)
    end.


close(#bridge{client = Client, server = Server}) ->
    ok = gen_tcp:close(Server),
    ok = gen_tcp:close(Client),
    exit(normal).


send(Bytes, #bridge{waiting = Waiting} = State) ->
    flush(State#bridge{waiting = <<Waiting/binary, Bytes/binary>>}).


flush(#bridge{connect = sent, waiting = Waiting, windows = {Connection, Stream}} = State) ->
    case lists:min([byte_size(Waiting), ?MAX_FRAME, Connection, Stream]) of
        Room when Room > 0 ->
            <<Now:Room/binary, Later/binary>> = Waiting,
            _ = gen_tcp:send(State#bridge.server, cow_http2:data(?STREAM, nofin, Now)),
            flush(State#bridge{waiting = Later, windows = {Connection - Room, Stream - Room}});
        _ ->
            State
    end;
flush(State) ->
    State.


frames(Bytes, State) ->
    case cow_http2:parse(Bytes) of
        {ok, Frame, Rest} -> frames(Rest, frame(Frame, State));
        {ignore, Rest} -> frames(Rest, State);
        more -> State#bridge{received = Bytes}
    end.


frame({settings, Settings}, #bridge{windows = {Connection, Stream}} = State) ->
    Initial = maps:get(initial_window_size, Settings, 65535),
    Connect = cow_http2:headers(?STREAM, nofin, State#bridge.connect),
    _ = gen_tcp:send(State#bridge.server, [cow_http2:settings_ack(), Connect]),
    flush(State#bridge{connect = sent, windows = {Connection, Stream + Initial - 65535}});
frame({window_update, More}, #bridge{windows = {Connection, Stream}} = State) ->
    flush(State#bridge{windows = {Connection + More, Stream}});
frame({window_update, ?STREAM, More}, #bridge{windows = {Connection, Stream}} = State) ->
    flush(State#bridge{windows = {Connection, Stream + More}});
frame({headers, ?STREAM, Fin, head_fin, Block}, State) ->
    {[{<<":status">>, Status} | Headers], _} = cow_hpack:decode(Block),
    Lines = [ [Name, ": ", Value, "\r\n"] || {Name, Value} <- Headers ],
    _ = gen_tcp:send(State#bridge.client, ["HTTP/1.1 ", status(Status), " Bridged\r\n", Lines, "\r\n"]),
    unless(Fin, State);
frame({data, ?STREAM, Fin, Bytes}, State) ->
    _ = gen_tcp:send(State#bridge.client, Bytes),
    Updates = [ [cow_http2:window_update(byte_size(Bytes)), cow_http2:window_update(?STREAM, byte_size(Bytes))] || Bytes =/= <<>> ],
    _ = gen_tcp:send(State#bridge.server, Updates),
    unless(Fin, State);
frame({rst_stream, ?STREAM, _Reason}, State) ->
    close(State);
frame({goaway, _, _, _}, State) ->
    close(State);
frame(_Other, State) ->
    State.


status(<<"200">>) -> "101";
status(Status) -> Status.


unless(nofin, State) ->
    State;
unless(fin, #bridge{client = Client} = State) ->
    %% The server resets the stream when its process has ended, which is not to be hurried.
    ok = gen_tcp:close(Client),
    State.
