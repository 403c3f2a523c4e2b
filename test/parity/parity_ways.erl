%% The servers that a scenario is run against: the real Cowboy over TCP, TLS and HTTP/2, drover's own listener, and drover
%% under that Cowboy.
%%
%% All in one node (see cowboy_peer), with the same handlers, so that they can be asked at the same time.
-module(parity_ways).

-export([all/0]).
-export([reference/2]).
-export([carrier/1]).
-export([start/0]).
-export([port/2]).
-export([stop/2]).
-export([path/1]).
-export([cowboy_version/0]).

-export_type([way/0]).

-type way() :: cowboy | cowboy_tls | cowboy_http2 | drover | takeover | codec | tls | http2.

-define(HANDLERS, [script_v2_h, script_v2pre_h, script_bare_v2_h]).


-spec all() -> [way()].
all() ->
    [cowboy, cowboy_tls, cowboy_http2, drover, takeover, codec, tls, http2].


%% The way that has to look the same. No packaged Cowboy runs handlers of arity 3: there it is drover's own listener.
-spec reference(way(), v2 | v2pre | hybrid) -> way().
reference(Way, v2) -> cowboy(Way);
reference(http2, _) -> http2;
reference(_Way, _) -> drover.


cowboy(Way) ->
    case carrier(Way) of
        tcp -> cowboy;
        tls -> cowboy_tls;
        http2 -> cowboy_http2
    end.


-spec carrier(way()) -> parity_client:carrier().
carrier(Way) when Way =:= tls; Way =:= cowboy_tls -> tls;
carrier(Way) when Way =:= http2; Way =:= cowboy_http2 -> http2;
carrier(_) -> tcp.


%% The applications that the listeners need.
-spec start() -> ok.
start() ->
    [ {ok, _} = application:ensure_all_started(Application) || Application <- [ssl, cowboy, drover] ],
    ok.


%% The port of a listener with these options, which is started if there is none yet.
-spec port(way(), map()) -> inet:port_number().
port(Way, ProtoOpts) ->
    Ref = {?MODULE, Way, ProtoOpts},
    try
        listening(Way, Ref)
    catch
        error:_ ->
            {ok, _} = listen(Way, Ref, ProtoOpts),
            listening(Way, Ref)
    end.


-spec stop(way(), map()) -> ok.
stop(drover, ProtoOpts) -> drover:stop_listener({?MODULE, drover, ProtoOpts});
stop(Way, ProtoOpts) -> cowboy:stop_listener({?MODULE, Way, ProtoOpts}).


listening(drover, Ref) -> drover:get_port(Ref);
listening(_Way, Ref) -> ranch:get_port(Ref).


listen(drover, Ref, ProtoOpts) ->
    drover:start_clear(Ref, tcp(), ProtoOpts#{env => #{dispatch => drover_router:compile(routes())}});
listen(Way, Ref, ProtoOpts) when Way =:= tls; Way =:= cowboy_tls ->
    cowboy:start_tls(Ref, tcp(tls_bridge:server_options()), middlewares(Way, ProtoOpts));
listen(Way, Ref, ProtoOpts) when Way =:= http2; Way =:= cowboy_http2 ->
    Http2 = #{protocols => [http2], enable_connect_protocol => true},
    cowboy:start_clear(Ref, tcp(), maps:merge(middlewares(Way, ProtoOpts), Http2));
listen(codec, Ref, ProtoOpts) ->
    %% What cowboy:start_clear/3 does, but for the transport.
    Opts = (middlewares(codec, ProtoOpts))#{connection_type => supervisor},
    ranch:start_listener(Ref, foreign_tcp, tcp(), cowboy_clear, Opts);
listen(Way, Ref, ProtoOpts) ->
    cowboy:start_clear(Ref, tcp(), middlewares(Way, ProtoOpts)).


tcp() ->
    tcp([]).


tcp(More) ->
    #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, 0} | More], max_connections => 10000}.


%% Options for drover's part, which its own listener takes as they stand, are in the env of the middlewares.
middlewares(Cowboy, ProtoOpts) when Cowboy =:= cowboy; Cowboy =:= cowboy_tls; Cowboy =:= cowboy_http2 ->
    ProtoOpts#{env => #{dispatch => cowboy_router:compile(routes())}};
middlewares(_UnderCowboy, ProtoOpts) ->
    Drover = maps:with([compress, max_frame_size, websocket_api], ProtoOpts),
    Env = #{dispatch => cowboy_router:compile(routes()), drover => Drover},
    (maps:without([compress, max_frame_size, websocket_api], ProtoOpts))#{env => Env, middlewares => [cowboy_router, drover_handler]}.


routes() ->
    [{'_', [ {path(Handler) ++ "/[:name]", Handler, route_state} || Handler <- ?HANDLERS ]}].


-spec path(module()) -> string().
path(Handler) ->
    "/" ++ atom_to_list(Handler).


%% Such as {2, 8}.
-spec cowboy_version() -> {non_neg_integer(), non_neg_integer()}.
cowboy_version() ->
    _ = application:load(cowboy),
    {ok, Version} = application:get_key(cowboy, vsn),
    [Major, Minor | _] = string:lexemes(Version, "."),
    {list_to_integer(Major), list_to_integer(Minor)}.
