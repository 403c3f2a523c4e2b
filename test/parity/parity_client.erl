%% The client's end of a connection, whatever carries its bytes.
%%
%% All that comes is sent to the process that opened it; message/2 tells what such a message means. What the server sends
%% over HTTP/2 looks as if it were HTTP/1.1: a head, and then the data of the stream.
-module(parity_client).

-export([open/2]).
-export([send_head/3]).
-export([send/2]).
-export([shutdown/1]).
-export([reset/1]).
-export([close/1]).
-export([settle/1]).
-export([message/2]).

-export_type([client/0, carrier/0, event/0]).

-type carrier() :: tcp | tls | http2.
-opaque client() :: {tcp, socket:socket()} | {tls, ssl:sslsocket()} | {http2, http2_client:client()}.

-type event() :: {bytes, binary()} | {ended, How :: atom() | {reset, atom()}} | settled.


-spec open(carrier(), inet:port_number()) -> client().
open(tcp, Port) ->
    {ok, Socket} = socket:open(inet, stream, tcp),
    ok = socket:connect(Socket, #{family => inet, addr => {127, 0, 0, 1}, port => Port}),
    ok = socket:setopt(Socket, {tcp, nodelay}, true),
    Owner = self(),
    _ = spawn_link(fun() -> read(Socket, Owner) end),
    {tcp, Socket};
open(tls, Port) ->
    {ok, Socket} = ssl:connect({127, 0, 0, 1}, Port, [binary, {active, true}, {verify, verify_none}, {nodelay, true}]),
    {tls, Socket};
open(http2, Port) ->
    {http2, http2_client:connect(Port)}.


%% A reader of its own, since a socket that cannot be written any more can still have something to be read.
read(Socket, Owner) ->
    case socket:recv(Socket, 0) of
        {ok, Bytes} ->
            Owner ! {?MODULE, Socket, {bytes, Bytes}},
            read(Socket, Owner);
        {error, closed} ->
            Owner ! {?MODULE, Socket, {ended, fin}};
        {error, Reason} ->
            Owner ! {?MODULE, Socket, {ended, Reason}}
    end.


%% The head of a request, as for HTTP/1.1, and what follows in the same segment.
-spec send_head(iodata(), iodata(), client()) -> client().
send_head(Head, Early, {http2, Client}) ->
    send(Early, {http2, http2_client:open(iolist_to_binary(Head), Client)});
send_head(Head, Early, Client) ->
    send([Head, Early], Client).


%% A server that has gone away is noticed when nothing comes from it.
-spec send(iodata(), client()) -> client().
send(Bytes, {tcp, Socket} = Client) ->
    _ = socket:send(Socket, Bytes),
    Client;
send(Bytes, {tls, Socket} = Client) ->
    _ = ssl:send(Socket, Bytes),
    Client;
send(Bytes, {http2, Client}) ->
    {http2, http2_client:send(Bytes, Client)}.


%% Closes the sending half alone.
-spec shutdown(client()) -> client().
shutdown({tcp, Socket} = Client) ->
    _ = socket:shutdown(Socket, write),
    Client;
shutdown({http2, Client}) ->
    {http2, http2_client:finish(Client)}.


%% With a reset of TCP, or of the stream.
-spec reset(client()) -> client().
reset({tcp, Socket} = Client) ->
    ok = socket:setopt(Socket, {socket, linger}, #{onoff => true, linger => 0}),
    close(Client);
reset({http2, Client}) ->
    {http2, http2_client:reset(Client)}.


-spec close(client()) -> client().
close({tcp, Socket} = Client) ->
    _ = socket:close(Socket),
    Client;
close({tls, Socket} = Client) ->
    _ = ssl:close(Socket),
    Client;
close({http2, Client}) ->
    ok = gen_tcp:close(http2_client:socket(Client)),
    {http2, Client}.


%% Leads to the event `settled', after all that the server has to say now, where it can be asked for that.
-spec settle(client()) -> {asked | nothing, client()}.
settle({http2, Client}) -> {asked, {http2, http2_client:ping(Client)}};
settle(Client) -> {nothing, Client}.


-spec message(term(), client()) -> {[event()], client()} | none.
message({?MODULE, Socket, Event}, {tcp, Socket} = Client) ->
    {[Event], Client};
message({ssl, Socket, Bytes}, {tls, Socket} = Client) ->
    {[{bytes, Bytes}], Client};
message({ssl_closed, Socket}, {tls, Socket} = Client) ->
    {[{ended, fin}], Client};
message({ssl_error, Socket, Reason}, {tls, Socket} = Client) ->
    {[{ended, Reason}], Client};
message(Message, {http2, Client}) ->
    Socket = http2_client:socket(Client),
    case Message of
        {tcp, Socket, Bytes} ->
            {Events, Client2} = http2_client:received(Bytes, Client),
            {[ event(Event) || Event <- Events ], {http2, Client2}};
        {tcp_closed, Socket} ->
            {[{ended, connection_closed}], {http2, Client}};
        _ ->
            none
    end;
message(_Message, _Client) ->
    none.


event({head, Status, Headers}) ->
    Lines = [ [Name, ": ", Value, "\r\n"] || {Name, Value} <- Headers ],
    {bytes, iolist_to_binary(["HTTP/2 ", Status, "\r\n", Lines, "\r\n"])};
event({data, _, Bytes}) -> {bytes, Bytes};
event(pong) -> settled;
event(Ended) -> {ended, Ended}.
