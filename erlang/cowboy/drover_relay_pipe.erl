%% The bytes of a connection that is a stream of an HTTP/2 connection, where the process of that connection hands on by itself
%% what comes: data_delivery => relay, since Cowboy 2.14.
%%
%% Only what comes. What is sent goes through the stream's handlers as in drover_stream_pipe, because the relay acknowledges
%% nothing, and sending through it on a stream that is gone by now would end the connection with all its streams.
-module(drover_relay_pipe).

-behaviour(drover_codec_carrier).

-export([known/0]).
-export([new/2]).
-export([early/1]).
-export([start/2]).
-export([read/1]).
-export([pause/1]).
-export([message/2]).
-export([send/3]).
-export([close/1]).

-opaque pipe() :: {pid(), StreamId :: pos_integer()}.

-export_type([pipe/0]).

-define(TIMEOUT, 30000).


%% @doc Whether the Cowboy that is running has the relay.
-spec known() -> boolean().
known() ->
    case application:get_key(cowboy, vsn) of
        {ok, Version} -> [ element(1, string:to_integer(Part)) || Part <- string:lexemes(Version, ".") ] >= [2, 14];
        undefined -> false
    end.


%% @doc The pipe of a stream of the connection whose process is Pid, which relays by now, or is about to.
-spec new(pid(), pos_integer()) -> pipe().
new(Pid, StreamId) ->
    {Pid, StreamId}.


%% @doc What came before the relay began is with the stream's handlers, and comes before all that has been relayed.
-spec early(pipe()) -> binary().
early({Pid, _} = Stream) ->
    Ref = make_ref(),
    Pid ! {Stream, {read_body, self(), Ref, 0, infinity}},
    receive
        {request_body, Ref, nofin, Bytes} -> Bytes;
        {request_body, Ref, fin, _Length, Bytes} -> Bytes
    after
        ?TIMEOUT ->
            <<>>
    end.


%% @private The relay is active from the beginning.
-spec start(boolean(), pipe()) -> ok.
start(true, _Stream) -> ok;
start(false, Stream) -> pause(Stream).


%% @private Only after a pause: each time adds to what the client may send on the connection.
-spec read(pipe()) -> ok.
read(Stream) ->
    tell(active, Stream).


%% @private What the client may send by now still comes.
-spec pause(pipe()) -> ok.
pause(Stream) ->
    tell(passive, Stream).


%% @private The end of what the client sends ends nothing else, as in Cowboy.
-spec message(term(), pipe()) -> drover_codec_carrier:incoming().
message({'$cowboy_relay_data', Stream, _Fin, Bytes}, Stream) -> {bytes, Bytes};
message(_Other, _Stream) -> none.


%% @private
-spec send(iodata(), nofin | fin, pipe()) -> drover_carrier:result().
send(Bytes, Fin, {Pid, StreamId}) ->
    drover_stream_pipe:send(Bytes, Fin, drover_stream_pipe:new(Pid, StreamId)).


%% @private Cowboy ends the stream when this process ends.
-spec close(pipe()) -> ok.
close(_Stream) ->
    ok.


tell(Command, {Pid, _} = Stream) ->
    Pid ! {'$cowboy_relay_command', Stream, Command},
    ok.
