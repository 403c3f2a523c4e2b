%% A WebSocket handshake of HTTP/1.1 becomes an extended CONNECT on a connection of HTTP/2 (RFC 8441), and what follows the
%% data of its stream.
-module(http2_bridge).

-behaviour(bridge).

-export([run/2]).


-spec run(gen_tcp:socket(), inet:port_number()) -> no_return().
run(Client, ServerPort) ->
    {Head, Early} = head(Client, <<>>),
    ok = inet:setopts(Client, [{active, once}]),
    pump(Client, http2_client:send(Early, http2_client:open(Head, http2_client:connect(ServerPort)))).


head(Client, Bytes) ->
    case binary:split(Bytes, <<"\r\n\r\n">>) of
        [Head, Rest] ->
            {Head, Rest};
        [_] ->
            {ok, More} = gen_tcp:recv(Client, 0),
            head(Client, <<Bytes/binary, More/binary>>)
    end.


pump(Client, Server) ->
    Socket = http2_client:socket(Server),
    receive
        {tcp, Client, Bytes} ->
            Server2 = http2_client:send(Bytes, Server),
            _ = inet:setopts(Client, [{active, once}]),
            pump(Client, Server2);
        {tcp, Socket, Bytes} ->
            {Events, Server2} = http2_client:received(Bytes, Server),
            _ = [ event(Event, Client, Server2) || Event <- Events ],
            pump(Client, Server2);
        _Closed ->
            close(Client, Server)
    end.


event({head, Status, Headers}, Client, _Server) ->
    Lines = [ [Name, ": ", Value, "\r\n"] || {Name, Value} <- Headers ],
    gen_tcp:send(Client, ["HTTP/1.1 ", status(Status), " Bridged\r\n", Lines, "\r\n"]);
event({data, _, Bytes}, Client, _Server) ->
    gen_tcp:send(Client, Bytes);
event(fin, Client, _Server) ->
    %% The server resets the stream when its process has ended, which is not to be hurried.
    gen_tcp:close(Client);
event(Gone, Client, Server) when Gone =:= goaway; element(1, Gone) =:= reset ->
    close(Client, Server);
event(pong, _Client, _Server) ->
    ok.


status(<<"200">>) -> "101";
status(Status) -> Status.


-spec close(gen_tcp:socket(), http2_client:client()) -> no_return().
close(Client, Server) ->
    ok = gen_tcp:close(http2_client:socket(Server)),
    ok = gen_tcp:close(Client),
    exit(normal).
