%% The bytes of a connection through a transport of ranch's, TLS above all.
-module(drover_transport_pipe).

-behaviour(drover_codec_carrier).

-export([new/2]).
-export([start/2]).
-export([read/1]).
-export([pause/1]).
-export([message/2]).
-export([send/3]).
-export([close/1]).

-record(pipe, {
          socket :: term(),
          transport :: module(),
          data :: atom(),
          closed :: atom(),
          error :: atom(),
          passive :: atom()
         }).

-opaque pipe() :: #pipe{}.

-export_type([pipe/0]).

%% How many messages of the socket may be in the mailbox before a slow handler pushes back.
-define(READ_AHEAD, 3).


%% @doc The pipe of a socket, which is passive.
-spec new(term(), module()) -> pipe().
new(Socket, Transport) ->
    Messages = Transport:messages(),
    #pipe{
      socket = Socket,
      transport = Transport,
      data = element(1, Messages),
      closed = element(2, Messages),
      error = element(3, Messages),
      passive = passive(Messages)
     }.


%% Transports that are older than the fourth element deliver as TCP or TLS do.
passive({_Data, _Closed, _Error, Passive}) -> Passive;
passive({_Data, _Closed, _Error}) -> tcp_passive.


%% @private
-spec start(boolean(), pipe()) -> ok.
start(true, Pipe) -> read(Pipe);
start(false, _Pipe) -> ok.


%% @private A socket that is closed already does not say so by itself.
-spec read(pipe()) -> ok.
read(#pipe{socket = Socket, transport = Transport, closed = Closed}) ->
    case Transport:setopts(Socket, [{active, ?READ_AHEAD}]) of
        ok ->
            ok;
        {error, _} ->
            self() ! {Closed, Socket},
            ok
    end.


%% @private
-spec pause(pipe()) -> ok.
pause(#pipe{socket = Socket, transport = Transport} = Pipe) ->
    _ = Transport:setopts(Socket, [{active, false}]),
    forget_passive(Pipe).


forget_passive(#pipe{socket = Socket, passive = Passive} = Pipe) ->
    receive
        {Tag, Socket} when Tag =:= Passive; Tag =:= tcp_passive; Tag =:= ssl_passive -> forget_passive(Pipe)
    after
        0 ->
            ok
    end.


%% @private
-spec message(term(), pipe()) -> drover_codec_carrier:incoming().
message({Data, Socket, Bytes}, #pipe{socket = Socket, data = Data}) -> {bytes, Bytes};
message({Closed, Socket}, #pipe{socket = Socket, closed = Closed}) -> {ended, closed};
message({Error, Socket, Reason}, #pipe{socket = Socket, error = Error}) -> {ended, Reason};
message({Passive, Socket}, #pipe{socket = Socket, passive = Passive}) -> passive;
message({ssl_passive, Socket}, #pipe{socket = Socket}) -> passive;
message({tcp_passive, Socket}, #pipe{socket = Socket}) -> passive;
message(_Other, _Pipe) -> none.


%% @private
-spec send(iodata(), nofin | fin, pipe()) -> drover_carrier:result().
send(Bytes, _Fin, #pipe{socket = Socket, transport = Transport}) ->
    Transport:send(Socket, Bytes).


%% @private
-spec close(pipe()) -> ok.
close(#pipe{socket = Socket, transport = Transport}) ->
    _ = Transport:close(Socket),
    ok.
