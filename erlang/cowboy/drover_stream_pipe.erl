%% The bytes of a connection that is a stream of an HTTP/2 connection (RFC 8441), in the messages in which Cowboy's request
%% processes speak to the process of their connection.
-module(drover_stream_pipe).

-behaviour(drover_codec_carrier).

-export([new/2]).
-export([start/2]).
-export([read/1]).
-export([pause/1]).
-export([message/2]).
-export([send/3]).
-export([close/1]).

-opaque pipe() :: {pid(), StreamId :: pos_integer()}.

-export_type([pipe/0]).

%% As ranch's default for sockets.
-define(SEND_TIMEOUT, 30000).


%% @doc The pipe of a stream of the connection whose process is Pid.
-spec new(pid(), pos_integer()) -> pipe().
new(Pid, StreamId) ->
    {Pid, StreamId}.


%% @private
-spec start(boolean(), pipe()) -> ok.
start(true, Stream) -> read(Stream);
start(false, _Stream) -> ok.


%% @private Every message has to be asked for.
-spec read(pipe()) -> ok.
read(Stream) ->
    tell({read_body, self(), make_ref(), auto, infinity}, Stream).


%% @private
-spec pause(pipe()) -> ok.
pause(_Stream) ->
    ok.


%% @private The end of what the client sends ends nothing else, as in Cowboy.
-spec message(term(), pipe()) -> drover_codec_carrier:incoming().
message({request_body, _Ref, nofin, Bytes}, _Stream) -> {last_asked, Bytes};
message({request_body, _Ref, fin, _Length, Bytes}, _Stream) -> {bytes, Bytes};
message(_Other, _Stream) -> none.


%% @private The acknowledgement waits while the buffer of the connection is full.
-spec send(iodata(), nofin | fin, pipe()) -> drover_carrier:result().
send(Bytes, Fin, {Pid, _} = Stream) ->
    ok = tell({data, self(), Fin, Bytes}, Stream),
    receive
        {data_ack, Pid} -> ok
    after
        ?SEND_TIMEOUT ->
            {error, timeout}
    end.


%% @private Cowboy ends the stream when this process ends.
-spec close(pipe()) -> ok.
close(_Stream) ->
    ok.


tell(Message, {Pid, _} = Stream) ->
    Pid ! {Stream, Message},
    ok.
