%% What carries the frames of one connection.
%%
%% drover_conn and the HTTP phase send and steer through this module alone, and do not know whether the bytes
%% travel over a socket of the native core, or whether Erlang transports them and the core only codes the frames
%% (drover_codec_carrier). A send that the peer does not read blocks the caller, as it would in gen_tcp:send/2.
-module(drover_carrier).

-export([new/3]).
-export([new_codec/4]).
-export([id/1]).
-export([write/2]).
-export([upgrade/2]).
-export([start/2]).
-export([message/3]).
-export([send/3]).
-export([taken/1]).
-export([set_active/2]).
-export([set_max_frame_size/2]).
-export([idle_left/1]).
-export([idle_timer/2]).
-export([set_idle_timeout/2]).
-export([close/1]).

-record(carrier, {
          conn :: drover_native:conn(),
          id :: drover_native:id(),
          send_timeout :: timeout()
         }).

-opaque carrier() :: #carrier{} | {codec, drover_codec_carrier:carrier()}.

-type result() :: ok | {error, closed | timeout}.

-export_type([carrier/0, result/0]).


%% @doc The carrier of a connection that the calling process owns.
-spec new(drover_native:conn(), drover_native:id(), timeout()) -> carrier().
new(Conn, Id, SendTimeout) ->
    #carrier{conn = Conn, id = Id, send_timeout = SendTimeout}.


%% @doc The carrier of a connection whose bytes travel by a pipe, see drover_codec_carrier. It is open for
%% frames, and takes no HTTP.
-spec new_codec(module(), term(), binary(), drover_native:upgrade_opts()) -> carrier().
new_codec(Module, Pipe, Early, Opts) ->
    {codec, drover_codec_carrier:new(Module, Pipe, Early, Opts)}.


%% @doc The number that marks the messages of this connection.
-spec id(carrier()) -> drover_native:id().
id(#carrier{id = Id}) ->
    Id;
id({codec, Codec}) ->
    drover_codec_carrier:id(Codec).


%% @doc Send bytes as they are. For the HTTP phase.
-spec write(carrier(), iodata()) -> result().
write(#carrier{conn = Conn} = Carrier, Data) ->
    settle(drover_native:send_data(Conn, Data), Carrier).


%% @doc Switch from HTTP to frames.
-spec upgrade(carrier(), drover_native:upgrade_opts()) -> ok.
upgrade(#carrier{conn = Conn}, Opts) ->
    drover_native:upgrade(Conn, Opts).


%% @doc Begin to read frames, if the connection is active. Events that came together with the handshake are
%% returned at once.
-spec start(boolean(), carrier()) -> ok | {early, [drover_native:event()]}.
start(_Active, #carrier{conn = Conn, id = Id}) ->
    case drover_native:start(Conn) of
        ok ->
            ok;
        early ->
            receive
                {'$drover', Id, events, Events} -> {early, Events}
            end
    end;
start(Active, {codec, Codec}) ->
    drover_codec_carrier:start(Active, Codec).


%% @doc The events that a message brings which is not one of the core's.
-spec message(term(), boolean(), carrier()) -> none | {events, [drover_native:event()]}.
message(_Message, _Active, #carrier{}) ->
    none;
message(Message, Active, {codec, Codec}) ->
    drover_codec_carrier:message(Message, Active, Codec).


%% @doc Send frames, waiting for a peer that does not read.
-spec send(carrier(), [drover_native:out_item()], drover_native:send_mode()) -> result().
send(#carrier{conn = Conn} = Carrier, Items, Mode) ->
    settle(drover_native:send(Conn, Items, Mode), Carrier);
send({codec, Codec}, Items, _Mode) ->
    drover_codec_carrier:send(Items, Codec).


%% @doc The batch of events is done and there is nothing to send.
-spec taken(carrier()) -> result().
taken(#carrier{conn = Conn} = Carrier) ->
    settle(drover_native:taken(Conn), Carrier);
taken({codec, _Codec}) ->
    ok.


%% @doc Stop or resume reading.
-spec set_active(carrier(), boolean()) -> ok.
set_active(#carrier{conn = Conn}, Active) ->
    drover_native:set_active(Conn, Active);
set_active({codec, Codec}, Active) ->
    drover_codec_carrier:set_active(Active, Codec).


%% @doc Change the limit, from the next frame header on.
-spec set_max_frame_size(carrier(), non_neg_integer() | infinity) -> ok.
set_max_frame_size(#carrier{conn = Conn}, Max) ->
    drover_native:set_max_frame_size(Conn, Max);
set_max_frame_size({codec, Codec}, Max) ->
    drover_codec_carrier:set_max_frame_size(Max, Codec).


%% @doc The time to the idle deadline; 0 when it is over.
-spec idle_left(carrier()) -> timeout().
idle_left(#carrier{conn = Conn}) ->
    drover_native:idle_left(Conn);
idle_left({codec, Codec}) ->
    drover_codec_carrier:idle_left(Codec).


%% @doc A timer for when the idle deadline may be over, unless the carrier sends an idle message by itself.
-spec idle_timer(timeout(), carrier()) -> reference() | undefined.
idle_timer(_Left, #carrier{}) ->
    undefined;
idle_timer(infinity, _Carrier) ->
    undefined;
idle_timer(Left, _Carrier) ->
    erlang:start_timer(Left, self(), cowboy_websocket).


%% @doc Restart the idle time with a new length. Returns the time left.
-spec set_idle_timeout(carrier(), timeout()) -> timeout().
set_idle_timeout(#carrier{conn = Conn}, Timeout) ->
    drover_native:set_idle_timeout(Conn, Timeout);
set_idle_timeout({codec, Codec}, Timeout) ->
    drover_codec_carrier:set_idle_timeout(Timeout, Codec).


%% @doc Write out what is queued and close.
-spec close(carrier()) -> ok.
close(#carrier{conn = Conn}) ->
    drover_native:close(Conn);
close({codec, Codec}) ->
    drover_codec_carrier:close(Codec).


settle(ok, _Carrier) ->
    ok;
settle(wait, Carrier) ->
    wait_sent(Carrier);
settle({error, _} = Error, _Carrier) ->
    Error.


wait_sent(#carrier{id = Id, send_timeout = Timeout}) ->
    receive
        {'$drover', Id, sent, Result} -> Result
    after
        Timeout ->
            {error, timeout}
    end.
