%% The client's end of permessage-deflate, by the zlib of OTP.
-module(deflate_peer).

-export([new/0, new/1]).
-export([deflate/2]).
-export([inflate/2]).
-export([frame/2]).

-export_type([peer/0, opts/0]).

-record(peer, {
          deflate :: zlib:zstream(),
          inflate :: zlib:zstream(),
          opts :: opts()
         }).

-opaque peer() :: #peer{}.

%% As in the server's answer; zlib cannot deflate with 8 bits.
-type opts() :: #{server_takeover => boolean(), client_takeover => boolean(), server_bits => 8..15, client_bits => 9..15}.

-define(TRAILER, <<0, 0, 255, 255>>).


-spec new() -> peer().
new() ->
    new(#{}).


-spec new(opts()) -> peer().
new(Opts) ->
    Deflate = zlib:open(),
    ok = zlib:deflateInit(Deflate, default, deflated, -maps:get(client_bits, Opts, 15), 8, default),
    Inflate = zlib:open(),
    ok = zlib:inflateInit(Inflate, -maps:get(server_bits, Opts, 15)),
    #peer{deflate = Deflate, inflate = Inflate, opts = Opts}.


%% The payload of a whole message.
-spec deflate(peer(), iodata()) -> binary().
deflate(#peer{deflate = Deflate, opts = Opts}, Message) ->
    Compressed = iolist_to_binary(zlib:deflate(Deflate, Message, sync)),
    _ = maps:get(client_takeover, Opts, true) orelse zlib:deflateReset(Deflate),
    without_trailer(Compressed).


%% Having just flushed, zlib has nothing more to say of an empty message.
without_trailer(<<>>) ->
    <<0>>;
without_trailer(Compressed) ->
    Size = byte_size(Compressed) - byte_size(?TRAILER),
    <<Payload:Size/binary, 0, 0, 255, 255>> = Compressed,
    Payload.


-spec inflate(peer(), binary()) -> binary().
inflate(#peer{inflate = Inflate, opts = Opts}, Payload) ->
    Message = iolist_to_binary(zlib:inflate(Inflate, [Payload, ?TRAILER])),
    _ = maps:get(server_takeover, Opts, true) orelse zlib:inflateReset(Inflate),
    Message.


%% A compressed message as a frame to send.
-spec frame(peer(), {text | binary, iodata()}) -> {raw, iodata()}.
frame(Peer, {Opcode, Message}) ->
    {raw, ws_client:frame(#{rsv => 4, opcode => Opcode, payload => deflate(Peer, Message)})}.
