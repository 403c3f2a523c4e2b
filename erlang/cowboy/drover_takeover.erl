%% How the bytes of a connection that Cowboy has accepted travel from now on.
%%
%% The core adopts a TCP or Unix socket of inet_drv's: it duplicates the descriptor, and Erlang's socket is closed, which
%% the peer does not see while there is a duplicate. Whatever else it is (TLS, a stream of HTTP/2, a socket of another
%% backend, one with bytes still to be written), Erlang keeps it, and the core does no more than code frames.
-module(drover_takeover).

-export([carrier/5]).
-export([stream/3]).

%% The process of an HTTP/2 connection, and the number of a stream.
-type stream() :: {pid(), pos_integer()}.


%% @doc The carrier of a connection. Buffer is what Cowboy had read beyond the handshake.
-spec carrier(term(), module(), map(), binary(), drover_native:upgrade_opts()) -> drover_carrier:carrier().
carrier(Socket, Transport, Opts, Buffer, Native) ->
    _ = Transport:setopts(Socket, [{active, false}]),
    Early = iolist_to_binary([Buffer | received(element(1, Transport:messages()), Socket)]),
    case adopt(Socket, Transport, Opts, Early) of
        {ok, Carrier} ->
            ok = drover_carrier:upgrade(Carrier, Native),
            Carrier;
        error ->
            drover_carrier:new_codec(drover_transport_pipe, drover_transport_pipe:new(Socket, Transport), Early, Native)
    end.


%% @doc The carrier of a stream of HTTP/2, whose bytes are delivered so.
-spec stream(stream(), relay | stream_handlers, drover_native:upgrade_opts()) -> drover_carrier:carrier().
stream({Pid, StreamId}, stream_handlers, Native) ->
    drover_carrier:new_codec(drover_stream_pipe, drover_stream_pipe:new(Pid, StreamId), <<>>, Native);
stream({Pid, StreamId}, relay, Native) ->
    Pipe = drover_relay_pipe:new(Pid, StreamId),
    drover_carrier:new_codec(drover_relay_pipe, Pipe, drover_relay_pipe:early(Pipe), Native).


%% What was delivered before the socket became passive, in order.
received(Tag, Socket) ->
    receive
        {Tag, Socket, Bytes} -> [Bytes | received(Tag, Socket)]
    after
        0 ->
            []
    end.


adopt(Socket, ranch_tcp, Opts, Early) when is_port(Socket) ->
    %% What Erlang has not written yet would come too late, or never.
    case {inet:getstat(Socket, [send_pend]), inet:getopts(Socket, [send_timeout]), inet:getfd(Socket)} of
        {{ok, [{send_pend, 0}]}, {ok, [{send_timeout, SendTimeout}]}, {ok, Fd}} ->
            adopted(drover_native:adopt(Fd, Early, adopt_opts(Opts, SendTimeout)), Socket, SendTimeout);
        _ ->
            error
    end;
adopt(_Socket, _Transport, _Opts, _Early) ->
    error.


adopted({ok, Conn, Id}, Socket, SendTimeout) ->
    ok = gen_tcp:close(Socket),
    ok = forget(Socket),
    {ok, drover_carrier:new(Conn, Id, SendTimeout)};
adopted({error, _}, _Socket, _SendTimeout) ->
    error.


adopt_opts(Opts, SendTimeout) ->
    #{
      io_threads => drover_listener:io_threads(),
      linger => maps:get(linger_timeout, Opts, 1000),
      send_timeout => SendTimeout
     }.


%% The last words of the socket that was closed.
forget(Socket) ->
    receive
        {tcp_passive, Socket} -> forget(Socket);
        {tcp_closed, Socket} -> forget(Socket);
        {tcp_error, Socket, _} -> forget(Socket)
    after
        0 ->
            ok
    end.
