%% The carrier of a connection whose bytes Erlang transports. The native core only codes the frames.
%%
%% Bytes come as messages of the pipe, a module that knows how they travel, and are decoded in the connection process. What is
%% sent is written at once: there is no thread that could look after what was held back.
-module(drover_codec_carrier).

-export([new/4]).
-export([id/1]).
-export([start/2]).
-export([message/3]).
-export([send/2]).
-export([set_active/2]).
-export([set_max_frame_size/2]).
-export([idle_left/1]).
-export([set_idle_timeout/2]).
-export([close/1]).

-type pipe() :: term().

%% passive: the pipe has to be told to read on. none: a message of somebody else's.
-type incoming() :: {bytes, binary()} | {last_asked, binary()} | {ended, atom()} | passive | none.

-record(codec, {
          codec :: drover_native:codec(),
          id :: integer(),
          module :: module(),
          pipe :: pipe()
         }).

-opaque carrier() :: #codec{}.

-export_type([carrier/0, incoming/0]).


%% Once, before anything else: have bytes sent to the calling process, if it is active.
-callback start(Active :: boolean(), pipe()) -> ok.
%% Have bytes sent to the calling process again.
-callback read(pipe()) -> ok.
%% Until read is called again.
-callback pause(pipe()) -> ok.
-callback message(term(), pipe()) -> incoming().
%% Blocks while the peer does not read. fin: nothing comes after this.
-callback send(iodata(), nofin | fin, pipe()) -> drover_carrier:result().
-callback close(pipe()) -> ok.

%% @doc The carrier of a connection that the calling process owns. Early came with the handshake.
-spec new(module(), pipe(), binary(), drover_native:upgrade_opts()) -> carrier().
new(Module, Pipe, Early, Opts) ->
    Id = erlang:unique_integer(),
    ok = keep(Early, Id, Opts),
    #codec{codec = drover_native:codec_new(Opts, drover_listener:io_threads()), id = Id, module = Module, pipe = Pipe}.


%% In the mailbox, since the carrier itself lives as long as the connection.
keep(Early, Id, #{early_data := keep}) when Early =/= <<>> ->
    self() ! {?MODULE, Id, Early},
    ok;
keep(_Early, _Id, _Opts) ->
    ok.


%% @doc A number that no other connection has.
-spec id(carrier()) -> integer().
id(#codec{id = Id}) ->
    Id.


%% @doc Begin to read, if the connection is active.
-spec start(boolean(), carrier()) -> ok | {early, [drover_native:event()]}.
start(Active, #codec{id = Id, module = Module, pipe = Pipe} = Carrier) ->
    ok = Module:start(Active, Pipe),
    receive
        {?MODULE, Id, Early} -> {early, decode(Early, Carrier)}
    after
        0 ->
            ok
    end.


%% @doc The events that a message brings, if it is one for this carrier.
-spec message(term(), boolean(), carrier()) -> {events, [drover_native:event()]} | none.
message({?MODULE, Id}, _Active, #codec{id = Id} = Carrier) ->
    {events, decode(<<>>, Carrier)};
message(Message, Active, #codec{module = Module, pipe = Pipe} = Carrier) ->
    case Module:message(Message, Pipe) of
        {bytes, Bytes} ->
            {events, decode(Bytes, Carrier)};
        {last_asked, Bytes} ->
            ok = read_if(Active, Carrier),
            {events, decode(Bytes, Carrier)};
        {ended, Reason} ->
            {events, [{error, Reason}]};
        passive ->
            ok = read_if(Active, Carrier),
            {events, []};
        none ->
            none
    end.


%% The rest is decoded when these events have been handled.
decode(Bytes, #codec{codec = Codec, id = Id}) ->
    {Events, More} = drover_native:codec_decode(Codec, Bytes),
    _ = [ self() ! {?MODULE, Id} || More =:= yield ],
    Events.


read_if(true, #codec{module = Module, pipe = Pipe}) -> Module:read(Pipe);
read_if(false, _Carrier) -> ok.


%% @doc Send frames.
-spec send([drover_native:out_item()], carrier()) -> drover_carrier:result().
send(Items, #codec{codec = Codec, module = Module, pipe = Pipe}) ->
    case drover_native:codec_encode(Codec, Items) of
        <<>> -> ok;
        Bytes -> Module:send(Bytes, fin(lists:last(Items)), Pipe)
    end.


fin(close) -> fin;
fin({close, _}) -> fin;
fin({close, _, _}) -> fin;
fin(_) -> nofin.


%% @doc Stop or resume reading.
-spec set_active(boolean(), carrier()) -> ok.
set_active(true, Carrier) -> read_if(true, Carrier);
set_active(false, #codec{module = Module, pipe = Pipe}) -> Module:pause(Pipe).


%% @doc Change the limit, from the next frame header on.
-spec set_max_frame_size(non_neg_integer() | infinity, carrier()) -> ok.
set_max_frame_size(Max, #codec{codec = Codec}) ->
    drover_native:codec_set_max_frame_size(Codec, Max).


%% @doc The time to the idle deadline; 0 when it is over.
-spec idle_left(carrier()) -> timeout().
idle_left(#codec{codec = Codec}) ->
    drover_native:codec_idle_left(Codec).


%% @doc Restart the idle time with a new length. Returns the time left.
-spec set_idle_timeout(timeout(), carrier()) -> timeout().
set_idle_timeout(Timeout, #codec{codec = Codec}) ->
    drover_native:codec_set_idle_timeout(Codec, Timeout).


%% @doc Close what the bytes travel by.
-spec close(carrier()) -> ok.
close(#codec{module = Module, pipe = Pipe}) ->
    Module:close(Pipe).
