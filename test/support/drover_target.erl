%% The server under test: drover, a real Cowboy to check the tests themselves against, or drover under that Cowboy.
%%
%% DROVER_TARGET is `drover' (the default), `cowboy', `takeover' (drover_handler in cowboy_handler's place), `codec' (the
%% same with a transport that leaves drover no socket to adopt) `tls' or `http2' (the same behind a bridge, see there) or
%% `relay' (HTTP/2 again, with handlers that ask for this way of delivery). For
%% all but the first COWBOY_EBIN lists the ebin directories of cowboy, cowlib and ranch, separated by colons.
-module(drover_target).

-export([name/0]).
-export([ensure_started/0]).
-export([start/3, start/4]).
-export([stop/1]).
-export([port/1]).
-export([req/0]).
-export([websocket_opts/0]).
-export([cowboy_version/0]).
-export([since/1]).
-export([only/1]).
-export([check/1]).

-type name() :: drover | cowboy | takeover | codec | tls | http2 | relay.
-type version() :: {non_neg_integer(), non_neg_integer()}.

%% Routes as the router's compile/1 takes them, what it returns, or just the paths of any host.
-type routes() :: [{Host :: any(), [tuple()]}] | [{Path :: any(), module(), any()}] | any().

-export_type([name/0, routes/0, version/0]).


-spec name() -> name().
name() ->
    list_to_existing_atom(os:getenv("DROVER_TARGET", "drover")).


-spec ensure_started() -> ok.
ensure_started() ->
    ok = code:add_pathsa([ Dir || Dir <- string:lexemes(os:getenv("COWBOY_EBIN", ""), ":"), name() =/= drover ]),
    [ {ok, _} = application:ensure_all_started(Application) || Application <- applications(name()) ],
    ok.


applications(drover) -> [drover];
applications(cowboy) -> [cowboy];
applications(_Both) -> [cowboy, drover].


%% A listener on a free port of 127.0.0.1.
-spec start(Ref :: any(), routes(), ProtoOpts :: map()) -> {ok, inet:port_number()}.
start(Ref, Routes, ProtoOpts) ->
    start(Ref, Routes, ProtoOpts, #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, 0}]}).


-spec start(Ref :: any(), routes(), ProtoOpts :: map(), TransportOpts :: any()) -> {ok, inet:port_number()}.
start(Ref, Routes, ProtoOpts, TransportOpts) ->
    ok = ensure_started(),
    Env = (maps:get(env, ProtoOpts, #{}))#{dispatch => dispatch(Routes)},
    {ok, _} = start_clear(name(), Ref, TransportOpts, ProtoOpts#{env => Env}),
    {ok, port(Ref)}.


start_clear(takeover, Ref, TransportOpts, ProtoOpts) ->
    cowboy:start_clear(Ref, TransportOpts, under_cowboy(ProtoOpts));
start_clear(codec, Ref, TransportOpts, ProtoOpts) ->
    %% What cowboy:start_clear/3 does, but for the transport.
    ranch:start_listener(Ref, foreign_tcp, TransportOpts, cowboy_clear, under_cowboy(ProtoOpts));
start_clear(tls, Ref, #{socket_opts := SocketOpts} = TransportOpts, ProtoOpts) ->
    Secured = TransportOpts#{socket_opts => SocketOpts ++ tls_bridge:server_options()},
    bridged(tls_bridge, Ref, cowboy:start_tls(Ref, Secured, under_cowboy(ProtoOpts)));
start_clear(Name, Ref, TransportOpts, ProtoOpts) when Name =:= http2; Name =:= relay ->
    Http2 = #{protocols => [http2], enable_connect_protocol => true},
    bridged(http2_bridge, Ref, cowboy:start_clear(Ref, TransportOpts, maps:merge(under_cowboy(ProtoOpts), Http2)));
start_clear(Name, Ref, TransportOpts, ProtoOpts) ->
    Name:start_clear(Ref, TransportOpts, ProtoOpts).


bridged(Bridge, Ref, Started) ->
    ok = persistent_term:put({?MODULE, Ref}, bridge:start(Bridge, ranch:get_port(Ref))),
    Started.


%% Options for drover's part, which its own listener takes as they stand, are in the env of the middlewares.
under_cowboy(#{env := Env} = ProtoOpts) ->
    Drover = maps:with([compress, max_frame_size, websocket_api], ProtoOpts),
    ProtoOpts#{env := Env#{drover => Drover}, middlewares => [cowboy_router, drover_handler], connection_type => supervisor}.


-spec stop(Ref :: any()) -> ok | {error, not_found}.
stop(Ref) ->
    Stopped = (server()):stop_listener(Ref),
    stop_bridge(persistent_term:get({?MODULE, Ref}, none), Ref),
    Stopped.


stop_bridge(none, _Ref) ->
    ok;
stop_bridge(Bridge, Ref) ->
    ok = bridge:stop(Bridge),
    true = persistent_term:erase({?MODULE, Ref}).


server() ->
    case name() of
        drover -> drover;
        _ -> cowboy
    end.


-spec port(Ref :: any()) -> inet:port_number().
port(Ref) ->
    case name() of
        drover -> drover:get_port(Ref);
        Bridged when Bridged =:= tls; Bridged =:= http2; Bridged =:= relay -> bridge:port(persistent_term:get({?MODULE, Ref}));
        _ -> ranch:get_port(Ref)
    end.


%% The module whose functions work on the request.
-spec req() -> module().
req() ->
    case name() of
        drover -> drover_req;
        _ -> cowboy_req
    end.


%% What handlers of arity 2 are to add to their options.
-spec websocket_opts() -> map().
websocket_opts() ->
    case name() of
        relay -> #{data_delivery => relay};
        _ -> #{}
    end.


%% For init_per_testcase: skips a case that holds since this version of Cowboy, where the target is an older one.
-spec since(version()) -> ok | {skip, string()}.
since(Version) ->
    case name() =:= cowboy andalso cowboy_version() < Version of
        true -> {skip, lists:flatten(io_lib:format("since Cowboy ~w", [Version]))};
        false -> ok
    end.


%% For init_per_testcase: skips a case that only this target can pass. What drover passes it passes under Cowboy.
-spec only(name()) -> ok | {skip, string()}.
only(Name) ->
    case name() of
        Name -> ok;
        Other when Name =:= drover, Other =/= cowboy -> ok;
        Other -> {skip, atom_to_list(Other) ++ " is not meant here"}
    end.


%% Either of these.
-spec check(name() | version()) -> ok | {skip, string()}.
check(Name) when is_atom(Name) -> only(Name);
check(Version) -> since(Version).


%% Of the Cowboy that is running, or would be.
-spec cowboy_version() -> version().
cowboy_version() ->
    _ = application:load(cowboy),
    {ok, Version} = application:get_key(cowboy, vsn),
    [Major, Minor | _] = string:lexemes(Version, "."),
    {list_to_integer(Major), list_to_integer(Minor)}.


dispatch([{_Path, Handler, _Opts} | _] = Paths) when is_atom(Handler) ->
    dispatch([{'_', Paths}]);
dispatch([{_Host, Paths} | _] = Routes) when is_list(Paths) ->
    (router()):compile(Routes);
dispatch(Dispatch) ->
    Dispatch.


router() ->
    case name() of
        drover -> drover_router;
        _ -> cowboy_router
    end.
