%% What carries the frames of one connection.
%%
%% drover_conn and the HTTP phase send and steer through this module alone, so that a connection whose
%% bytes travel another way than over a socket of the native core needs a change here and nowhere
%% else. A send that the peer does not read blocks the caller, as it would in gen_tcp:send/2.
-module(drover_carrier).

-export([new/3]).
-export([id/1]).
-export([write/2]).
-export([upgrade/2]).
-export([start/1]).
-export([send/3]).
-export([taken/1]).
-export([set_active/2]).
-export([set_max_frame_size/2]).
-export([idle_left/1]).
-export([set_idle_timeout/2]).
-export([close/1]).

-record(carrier, {
          conn :: drover_native:conn(),
          id :: drover_native:id(),
          send_timeout :: timeout()
         }).

-opaque carrier() :: #carrier{}.

-type result() :: ok | {error, closed | timeout}.

-export_type([carrier/0, result/0]).


%% @doc The carrier of a connection that the calling process owns.
-spec new(drover_native:conn(), drover_native:id(), timeout()) -> carrier().
new(Conn, Id, SendTimeout) ->
    #carrier{conn = Conn, id = Id, send_timeout = SendTimeout}.


%% @doc The number that marks the messages of this connection.
-spec id(carrier()) -> drover_native:id().
id(#carrier{id = Id}) ->
    Id.


%% @doc Send bytes as they are. For the HTTP phase.
-spec write(carrier(), iodata()) -> result().
write(#carrier{conn = Conn} = Carrier, Data) ->
    settle(drover_native:send_data(Conn, Data), Carrier).


%% @doc Switch from HTTP to frames.
-spec upgrade(carrier(), drover_native:upgrade_opts()) -> ok.
upgrade(#carrier{conn = Conn}, Opts) ->
    drover_native:upgrade(Conn, Opts).


%% @doc Begin to read frames. Events that came together with the handshake are returned at once.
-spec start(carrier()) -> ok | {early, [drover_native:event()]}.
start(#carrier{conn = Conn, id = Id}) ->
    case drover_native:start(Conn) of
        ok ->
            ok;
        early ->
            receive
                {'$drover', Id, events, Events} -> {early, Events}
            end
    end.


%% @doc Send frames, waiting for a peer that does not read.
-spec send(carrier(), [drover_native:out_item()], drover_native:send_mode()) -> result().
send(#carrier{conn = Conn} = Carrier, Items, Mode) ->
    settle(drover_native:send(Conn, Items, Mode), Carrier).


%% @doc The batch of events is done and there is nothing to send.
-spec taken(carrier()) -> result().
taken(#carrier{conn = Conn} = Carrier) ->
    settle(drover_native:taken(Conn), Carrier).


%% @doc Stop or resume reading.
-spec set_active(carrier(), boolean()) -> ok.
set_active(#carrier{conn = Conn}, Active) ->
    drover_native:set_active(Conn, Active).


%% @doc Change the limit, from the next frame header on.
-spec set_max_frame_size(carrier(), non_neg_integer() | infinity) -> ok.
set_max_frame_size(#carrier{conn = Conn}, Max) ->
    drover_native:set_max_frame_size(Conn, Max).


%% @doc The time to the idle deadline; 0 when it is over.
-spec idle_left(carrier()) -> timeout().
idle_left(#carrier{conn = Conn}) ->
    drover_native:idle_left(Conn).


%% @doc Restart the idle time with a new length. Returns the time left.
-spec set_idle_timeout(carrier(), timeout()) -> timeout().
set_idle_timeout(#carrier{conn = Conn}, Timeout) ->
    drover_native:set_idle_timeout(Conn, Timeout).


%% @doc Write out what is queued and close.
-spec close(carrier()) -> ok.
close(#carrier{conn = Conn}) ->
    drover_native:close(Conn).


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
