%% The native core as the rest of drover sees it: types, documentation and nothing else.
%%
%% This is the only module that calls drover_nif. Every message that the core sends has the shape
%% {'$drover', Id, Tag, Payload} (see {@link message()}); Id is the integer given to listen/4 or
%% that of the connection, unique in the life of the node.
-module(drover_native).

%% Listeners.
-export([listen/4]).
-export([close_listener/1]).
-export([stop_listener/1]).
-export([set_max_connections/2]).
-export([listener_info/1]).
-export([stats/0]).
%% Polling on schedulers.
-export([offer_help/1]).
-export([help/1]).
%% The HTTP phase of a connection.
-export([own/1]).
-export([read_body/2]).
-export([next_request/1]).
-export([send_data/2]).
%% Pure helpers of the opening handshake.
-export([accept_key/1]).
-export([negotiate/2]).
-export([check_extensions/1]).
%% The WebSocket phase of a connection.
-export([upgrade/2]).
-export([start/1]).
-export([send/3]).
-export([taken/1]).
-export([set_active/2]).
-export([set_max_frame_size/2]).
-export([idle_left/1]).
-export([set_idle_timeout/2]).
-export([close/1]).
%% Connections that came in another way.
-export([adopt/3]).
-export([codec_new/2]).
-export([codec_decode/2]).
-export([codec_encode/2]).
-export([codec_set_max_frame_size/2]).
-export([codec_idle_left/1]).
-export([codec_set_idle_timeout/2]).

-type listener() :: reference().
-type conn() :: reference().
-type codec() :: reference().
-type id() :: integer().
-type milliseconds() :: non_neg_integer().
-type timeout_ms() :: milliseconds() | infinity.

%% An Erlang request map in the shape of Cowboy's, still without ref, pid and streamid.
-type head() :: map().

-type listen_opts() :: #{
                         io_threads := pos_integer(),
                         max_connections := pos_integer() | infinity,
                         request_timeout := timeout_ms(),
                         max_request_line_length := pos_integer(),
                         max_header_name_length := pos_integer(),
                         max_header_value_length := pos_integer(),
                         max_headers := pos_integer(),
                         max_head_length := pos_integer(),
                         max_empty_lines := non_neg_integer(),
                         max_skip_body_length := non_neg_integer(),
                         linger := milliseconds(),
                         send_timeout := timeout_ms(),
                         nodelay := boolean()
                        }.

%% connections are those in the HTTP phase, which alone count against max_connections.
-type listener_info() :: #{
                           connections := non_neg_integer(),
                           all_connections := non_neg_integer(),
                           accepted := non_neg_integer()
                          }.

%% What negotiate/2 agreed on. Opaque here, given back in upgrade/2.
-type deflate_params() :: term().

-type upgrade_opts() :: #{
                          max_frame_size := non_neg_integer() | infinity,
                          validate_utf8 := boolean(),
                          deflate := none | deflate_params(),
                          early_data := keep | drop,
                          idle_timeout := timeout_ms(),
                          idle_policy := exact | ticks
                         }.

-type event() ::
        {text | binary, binary()} |
        ping |
        pong |
        {ping | pong, binary()} |
        close |
        {close, 1000..4999, binary()} |
        {error, badframe | badencoding | badsize | closed | atom()}.

-type out_item() ::
        {text | binary, iodata()} |
        ping |
        pong |
        {ping | pong, iodata()} |
        close |
        {close, iodata()} |
        {close, 0..65535, iodata()} |
        {deflate, boolean()}.

%% cork:  more callbacks of this batch follow, so the core may hold the bytes back for a moment.
%% flush: write now.
%% taken: write now, and the batch of events is done.
-type send_mode() :: cork | flush | taken.

%% wait: the peer does not read. {'$drover', Id, sent, ok | {error, closed}} follows, and the caller
%% sends nothing more until it came.
-type send_result() :: ok | wait | {error, closed}.

-type message() ::
        {'$drover', id(), request, {conn(), id(), head()}} |
        {'$drover', id(), request, head()} |
        {'$drover', id(), closed, term()} |
        {'$drover', id(), body, {more | fin, binary()} | {error, closed | badbody}} |
        {'$drover', id(), events, [event()]} |
        {'$drover', id(), idle, []} |
        {'$drover', id(), parked, []} |
        {'$drover', id(), sent, ok | {error, closed}}.

-export_type([listener/0, conn/0, codec/0, id/0, head/0, timeout_ms/0]).
-export_type([listen_opts/0, listener_info/0, deflate_params/0, upgrade_opts/0]).
-export_type([event/0, out_item/0, send_mode/0, send_result/0, message/0]).

%% Listeners.


%% @doc Accept on the listening socket with descriptor Fd, which is duplicated. Each valid request
%% head is sent to one of the Owners in turn.
-spec listen(non_neg_integer(), id(), tuple(), listen_opts()) ->
          {ok, listener()} | {error, atom()}.
listen(Fd, ListenerId, Owners, Opts) ->
    drover_nif:listen(Fd, ListenerId, Owners, Opts).


%% @doc Stop accepting. Open connections live on.
-spec close_listener(listener()) -> ok.
close_listener(Listener) ->
    drover_nif:close_listener(Listener).


%% @doc The same, if need be after it, and close the connections that have made no request yet.
-spec stop_listener(listener()) -> ok.
stop_listener(Listener) ->
    drover_nif:stop_listener(Listener).


%% @doc Change the limit of connections in the HTTP phase.
-spec set_max_connections(listener(), pos_integer() | infinity) -> ok.
set_max_connections(Listener, Max) ->
    drover_nif:set_max_connections(Listener, Max).


%% @doc Count the connections.
-spec listener_info(listener()) -> listener_info().
listener_info(Listener) ->
    drover_nif:listener_info(Listener).


%% @doc Count the sockets that the core holds open, so that a leak shows, and the compression contexts that are in use:
%% a connection on which nothing is said has none.
-spec stats() -> #{connections | listeners | contexts => non_neg_integer()}.
stats() ->
    drover_nif:stats().


%% Polling on schedulers.


%% @doc Let the calling process help an I/O thread, counted from 0. When traffic is dense it is sent
%% {'$drover', IoThread, help, []} and has to call {@link help/1} until that returns rest.
-spec offer_help(non_neg_integer()) -> ok.
offer_help(IoThread) ->
    drover_nif:offer_help(IoThread).


%% @doc Look, in place of an I/O thread, at the sockets that are ready, for less than a millisecond. After again the
%% caller lets other processes run and calls once more; after rest it waits for the next message.
-spec help(non_neg_integer()) -> again | rest.
help(IoThread) ->
    drover_nif:help(IoThread).


%% The HTTP phase.


%% @doc Make the calling process the owner: it receives all messages, and its death closes the socket.
-spec own(conn()) -> ok | {error, closed}.
own(Conn) ->
    drover_nif:own(Conn).


%% @doc Ask for up to MaxBytes of the request body, which come as a body message.
-spec read_body(conn(), non_neg_integer()) -> ok.
read_body(Conn, MaxBytes) ->
    drover_nif:read_body(Conn, MaxBytes).


%% @doc The response is out: skip what is left of the request body and read the next head. A
%% request message or a closed message follows.
-spec next_request(conn()) -> ok.
next_request(Conn) ->
    drover_nif:next_request(Conn).


%% @doc Send bytes of an HTTP response.
-spec send_data(conn(), iodata()) -> send_result().
send_data(Conn, Data) ->
    drover_nif:send_data(Conn, Data).


%% The opening handshake.


%% @doc The value of sec-websocket-accept for a key, which is taken as it is.
-spec accept_key(binary()) -> binary().
accept_key(Key) ->
    drover_nif:accept_key(Key).


%% @doc Choose from the offers of a sec-websocket-extensions header.
-spec negotiate(binary(), map()) ->
          {ok, deflate_params(), binary()} | none | {error, badheader}.
negotiate(Header, DeflateOpts) ->
    drover_nif:negotiate(Header, DeflateOpts).


%% @doc Say whether a sec-websocket-extensions header is well formed.
-spec check_extensions(binary()) -> ok | {error, badheader}.
check_extensions(Header) ->
    drover_nif:check_extensions(Header).


%% The WebSocket phase.


%% @doc Switch to frames. Nothing is read yet, but send/3 works from now on.
-spec upgrade(conn(), upgrade_opts()) -> ok.
upgrade(Conn, Opts) ->
    drover_nif:upgrade(Conn, Opts).


%% @doc Begin to read. After early, one events message is to be received before anything else:
%% bytes came together with the handshake.
-spec start(conn()) -> ok | early.
start(Conn) ->
    drover_nif:start(Conn).


%% @doc Send frames, all of them or (error:badarg) none.
-spec send(conn(), [out_item()], send_mode()) -> send_result().
send(Conn, Items, Mode) ->
    case drover_nif:send(Conn, Items, Mode) of
        busy -> drover_nif:send_dirty(Conn, Items, Mode);
        Result -> Result
    end.


%% @doc Say that all events of a batch were handled.
-spec taken(conn()) -> send_result().
taken(Conn) ->
    drover_nif:taken(Conn).


%% @doc Stop or resume reading. A batch may be under way already.
-spec set_active(conn(), boolean()) -> ok.
set_active(Conn, Active) ->
    drover_nif:set_active(Conn, Active).


%% @doc Change the limit, from the next frame header on.
-spec set_max_frame_size(conn(), non_neg_integer() | infinity) -> ok.
set_max_frame_size(Conn, Max) ->
    drover_nif:set_max_frame_size(Conn, Max).


%% @doc The time to the idle deadline as of now; 0 when it is over.
-spec idle_left(conn()) -> timeout_ms().
idle_left(Conn) ->
    drover_nif:idle_left(Conn).


%% @doc Restart the idle time with a new length. Returns the time left.
-spec set_idle_timeout(conn(), timeout_ms()) -> timeout_ms().
set_idle_timeout(Conn, Timeout) ->
    drover_nif:set_idle_timeout(Conn, Timeout).


%% @doc Write out what is queued (not longer than the linger time) and close. Idempotent.
-spec close(conn()) -> ok.
close(Conn) ->
    drover_nif:close(Conn).


%% Connections that came in another way.


%% @doc Take over the connected socket with descriptor Fd, which is duplicated. The calling process becomes the owner.
%% Early holds bytes that were read from it already. Then upgrade/2 and start/1.
-spec adopt(non_neg_integer(),
            binary(),
            #{
              io_threads := pos_integer(),
              linger := milliseconds(),
              send_timeout := timeout_ms()
             }) ->
          {ok, conn(), id()} | {error, atom()}.
adopt(Fd, Early, Opts) ->
    drover_nif:adopt(Fd, Early, Opts).


%% @doc Both halves of the protocol for a connection whose bytes travel by a transport of Erlang's. If it compresses,
%% one of so many I/O threads parks it while nothing is said.
-spec codec_new(upgrade_opts(), pos_integer()) -> codec().
codec_new(Opts, IoThreads) ->
    drover_nif:codec_new(Opts, IoThreads).


%% @doc Decode bytes that follow those before. After yield there is more to come without further bytes: call again with
%% none, once these events have been handled. A close or an error is the last event.
-spec codec_decode(codec(), binary()) -> {[event()], more | yield}.
codec_decode(Codec, Bytes) ->
    case drover_nif:codec_decode(Codec, Bytes) of
        {[], busy} -> drover_nif:codec_decode_dirty(Codec, Bytes);
        Decoded -> Decoded
    end.


%% @doc The bytes of frames. error:badarg on a malformed item, and then nothing has happened.
-spec codec_encode(codec(), [out_item()]) -> binary().
codec_encode(Codec, Items) ->
    case drover_nif:codec_encode(Codec, Items) of
        busy -> drover_nif:codec_encode_dirty(Codec, Items);
        Bytes -> Bytes
    end.


%% @doc Change the limit, from the next frame header on.
-spec codec_set_max_frame_size(codec(), non_neg_integer() | infinity) -> ok.
codec_set_max_frame_size(Codec, Max) ->
    drover_nif:codec_set_max_frame_size(Codec, Max).


%% @doc The time to the idle deadline; 0 when it is over.
-spec codec_idle_left(codec()) -> timeout_ms().
codec_idle_left(Codec) ->
    drover_nif:codec_idle_left(Codec).


%% @doc Restart the idle time with a new length. Returns the time left.
-spec codec_set_idle_timeout(codec(), timeout_ms()) -> timeout_ms().
codec_set_idle_timeout(Codec, Timeout) ->
    drover_nif:codec_set_idle_timeout(Codec, Timeout).
