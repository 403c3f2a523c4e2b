%% The server under test: drover, or a real Cowboy to check the tests themselves against.
%%
%% DROVER_TARGET is `drover' (the default) or `cowboy'; for the latter COWBOY_EBIN lists the ebin
%% directories of cowboy, cowlib and ranch, separated by colons.
-module(drover_target).

-export([name/0]).
-export([ensure_started/0]).
-export([start/3, start/4]).
-export([stop/1]).
-export([port/1]).
-export([req/0]).
-export([since/1]).
-export([only/1]).
-export([check/1]).

-type name() :: drover | cowboy.
-type version() :: {non_neg_integer(), non_neg_integer()}.

%% Routes as the router's compile/1 takes them, what it returns, or just the paths of any host.
-type routes() :: [{Host :: any(), [tuple()]}] | [{Path :: any(), module(), any()}] | any().

-export_type([name/0, routes/0, version/0]).


-spec name() -> name().
name() ->
    list_to_existing_atom(os:getenv("DROVER_TARGET", "drover")).


-spec ensure_started() -> ok.
ensure_started() ->
    ok = code:add_pathsa([ Dir || Dir <- string:lexemes(os:getenv("COWBOY_EBIN", ""), ":"), name() =:= cowboy ]),
    {ok, _} = application:ensure_all_started(name()),
    ok.


%% A listener on a free port of 127.0.0.1.
-spec start(Ref :: any(), routes(), ProtoOpts :: map()) -> {ok, inet:port_number()}.
start(Ref, Routes, ProtoOpts) ->
    start(Ref, Routes, ProtoOpts, #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, 0}]}).


-spec start(Ref :: any(), routes(), ProtoOpts :: map(), TransportOpts :: any()) -> {ok, inet:port_number()}.
start(Ref, Routes, ProtoOpts, TransportOpts) ->
    ok = ensure_started(),
    Env = (maps:get(env, ProtoOpts, #{}))#{dispatch => dispatch(Routes)},
    {ok, _} = (name()):start_clear(Ref, TransportOpts, ProtoOpts#{env => Env}),
    {ok, port(Ref)}.


-spec stop(Ref :: any()) -> ok | {error, not_found}.
stop(Ref) ->
    (name()):stop_listener(Ref).


-spec port(Ref :: any()) -> inet:port_number().
port(Ref) ->
    case name() of
        drover -> drover:get_port(Ref);
        cowboy -> ranch:get_port(Ref)
    end.


%% The module whose functions work on the request.
-spec req() -> module().
req() ->
    case name() of
        drover -> drover_req;
        cowboy -> cowboy_req
    end.


%% For init_per_testcase: skips a case that holds since this version of Cowboy, where the target is an older one.
-spec since(version()) -> ok | {skip, string()}.
since(Version) ->
    case name() =:= cowboy andalso cowboy_version() < Version of
        true -> {skip, lists:flatten(io_lib:format("since Cowboy ~w", [Version]))};
        false -> ok
    end.


%% For init_per_testcase: skips a case that only this target can pass.
-spec only(name()) -> ok | {skip, string()}.
only(Name) ->
    case name() of
        Name -> ok;
        Other -> {skip, atom_to_list(Other) ++ " is not meant here"}
    end.


%% Either of these.
-spec check(name() | version()) -> ok | {skip, string()}.
check(Name) when is_atom(Name) -> only(Name);
check(Version) -> since(Version).


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
        cowboy -> cowboy_router
    end.
