-module(hello_SUITE).

-export([suite/0, all/0, says_hello/1]).


suite() ->
    [{timetrap, {seconds, 30}}].


all() ->
    [says_hello].


says_hello(_Config) ->
    {ok, _} = application:ensure_all_started(hello),
    {ok, Socket} = gen_tcp:connect("127.0.0.1", ranch:get_port(hello), [binary, {active, false}]),
    ok = gen_tcp:send(
           Socket,
           ["GET /hello/Hello HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"]),
    ok = await_end_of_head(Socket, <<>>),
    %% The text "Joe", masked with zeros.
    ok = gen_tcp:send(Socket, <<1:1, 0:3, 1:4, 1:1, 3:7, 0:32, "Joe">>),
    {ok, <<1:1, 0:3, 1:4, 9:8, "Hello Joe">>} = gen_tcp:recv(Socket, 11, 5000),
    %% The native core has the socket.
    #{connections := 1} = drover_native:stats(),
    ok = application:stop(hello).


await_end_of_head(Socket, Read) ->
    {ok, Byte} = gen_tcp:recv(Socket, 1, 5000),
    Head = <<Read/binary, Byte/binary>>,
    case binary:match(Head, <<"\r\n\r\n">>) of
        nomatch -> await_end_of_head(Socket, Head);
        _ -> ok
    end.
