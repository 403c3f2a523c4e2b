%% The stubs of the native library, one line per function and in the order of its Rust source.
%%
%% There is no logic here. It can be loaded again, but only with the library that it has: another one, a new version say,
%% is taken when the module has been purged. Nothing but drover_native, which holds the types and the documentation,
%% calls these functions.
-module(drover_nif).

-export([listen/4]).
-export([close_listener/1]).
-export([stop_listener/1]).
-export([set_max_connections/2]).
-export([listener_info/1]).
-export([stats/0]).
-export([offer_help/1]).
-export([help/1]).
-export([own/1]).
-export([read_body/2]).
-export([next_request/1]).
-export([send_data/2]).
-export([accept_key/1]).
-export([negotiate/2]).
-export([check_extensions/1]).
-export([upgrade/2]).
-export([start/1]).
-export([send/3]).
-export([send_dirty/3]).
-export([taken/1]).
-export([set_active/2]).
-export([set_max_frame_size/2]).
-export([idle_left/1]).
-export([set_idle_timeout/2]).
-export([close/1]).
-export([adopt/3]).
-export([codec_new/2]).
-export([codec_decode/2]).
-export([codec_decode_dirty/2]).
-export([codec_encode/2]).
-export([codec_encode_dirty/2]).
-export([codec_set_max_frame_size/2]).
-export([codec_idle_left/1]).
-export([codec_set_idle_timeout/2]).

-nifs([listen/4,
       close_listener/1,
       stop_listener/1,
       set_max_connections/2,
       listener_info/1,
       stats/0,
       offer_help/1,
       help/1,
       own/1,
       read_body/2,
       next_request/1,
       send_data/2,
       accept_key/1,
       negotiate/2,
       check_extensions/1,
       upgrade/2,
       start/1,
       send/3,
       send_dirty/3,
       taken/1,
       set_active/2,
       set_max_frame_size/2,
       idle_left/1,
       set_idle_timeout/2,
       close/1,
       adopt/3,
       codec_new/2,
       codec_decode/2,
       codec_decode_dirty/2,
       codec_encode/2,
       codec_encode_dirty/2,
       codec_set_max_frame_size/2,
       codec_idle_left/1,
       codec_set_idle_timeout/2]).

-on_load(load/0).

-define(STUB, erlang:nif_error(drover_nif_not_loaded)).


-spec listen(term(), term(), term(), term()) -> term().
listen(_Fd, _ListenerId, _Owners, _Opts) -> ?STUB.


-spec close_listener(term()) -> term().
close_listener(_Listener) -> ?STUB.


-spec stop_listener(term()) -> term().
stop_listener(_Listener) -> ?STUB.


-spec set_max_connections(term(), term()) -> term().
set_max_connections(_Listener, _Max) -> ?STUB.


-spec listener_info(term()) -> term().
listener_info(_Listener) -> ?STUB.


-spec stats() -> term().
stats() -> ?STUB.


-spec offer_help(term()) -> term().
offer_help(_IoThread) -> ?STUB.


-spec help(term()) -> term().
help(_IoThread) -> ?STUB.


-spec own(term()) -> term().
own(_Conn) -> ?STUB.


-spec read_body(term(), term()) -> term().
read_body(_Conn, _MaxBytes) -> ?STUB.


-spec next_request(term()) -> term().
next_request(_Conn) -> ?STUB.


-spec send_data(term(), term()) -> term().
send_data(_Conn, _Data) -> ?STUB.


-spec accept_key(term()) -> term().
accept_key(_Key) -> ?STUB.


-spec negotiate(term(), term()) -> term().
negotiate(_Header, _DeflateOpts) -> ?STUB.


-spec check_extensions(term()) -> term().
check_extensions(_Header) -> ?STUB.


-spec upgrade(term(), term()) -> term().
upgrade(_Conn, _Opts) -> ?STUB.


-spec start(term()) -> term().
start(_Conn) -> ?STUB.


-spec send(term(), term(), term()) -> term().
send(_Conn, _Items, _Mode) -> ?STUB.


-spec send_dirty(term(), term(), term()) -> term().
send_dirty(_Conn, _Items, _Mode) -> ?STUB.


-spec taken(term()) -> term().
taken(_Conn) -> ?STUB.


-spec set_active(term(), term()) -> term().
set_active(_Conn, _Active) -> ?STUB.


-spec set_max_frame_size(term(), term()) -> term().
set_max_frame_size(_Conn, _Max) -> ?STUB.


-spec idle_left(term()) -> term().
idle_left(_Conn) -> ?STUB.


-spec set_idle_timeout(term(), term()) -> term().
set_idle_timeout(_Conn, _Timeout) -> ?STUB.


-spec close(term()) -> term().
close(_Conn) -> ?STUB.


-spec adopt(term(), term(), term()) -> term().
adopt(_Fd, _Early, _Opts) -> ?STUB.


-spec codec_new(term(), term()) -> term().
codec_new(_Opts, _IoThreads) -> ?STUB.


-spec codec_decode(term(), term()) -> term().
codec_decode(_Codec, _Bytes) -> ?STUB.


-spec codec_decode_dirty(term(), term()) -> term().
codec_decode_dirty(_Codec, _Bytes) -> ?STUB.


-spec codec_encode(term(), term()) -> term().
codec_encode(_Codec, _Items) -> ?STUB.


-spec codec_encode_dirty(term(), term()) -> term().
codec_encode_dirty(_Codec, _Items) -> ?STUB.


-spec codec_set_max_frame_size(term(), term()) -> term().
codec_set_max_frame_size(_Codec, _Max) -> ?STUB.


-spec codec_idle_left(term()) -> term().
codec_idle_left(_Codec) -> ?STUB.


-spec codec_set_idle_timeout(term(), term()) -> term().
codec_set_idle_timeout(_Codec, _Timeout) -> ?STUB.


%% Loading.


-spec load() -> ok | {error, term()}.
load() ->
    erlang:load_nif(library(), 0).


%% The library without its extension, as load_nif/2 wants it.
library() ->
    case os:getenv("DROVER_NIF_PATH") of
        Path when is_list(Path), Path =/= "" -> filename:rootname(Path, ".so");
        _ -> filename:join(priv_dir(), "libdrover_nif")
    end.


%% Outside a proper application directory (escripts, a bare -pa) priv stands beside ebin.
priv_dir() ->
    case code:priv_dir(drover) of
        {error, bad_name} ->
            Ebin = filename:dirname(filename:absname(code:which(?MODULE))),
            filename:join(filename:dirname(Ebin), "priv");
        Dir ->
            Dir
    end.
