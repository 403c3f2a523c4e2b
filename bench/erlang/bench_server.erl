%% The server that is measured, on drover or on Cowboy, with the same handlers.
%%
%% /           echo, the handler of `make echo`
%% /hibernate  echo, asleep after every message
%% /push       what bench_push publishes
-module(bench_server).

-export([main/1]).
-export([start/1]).

%% drover has the connections from the beginning, takes them over from Cowboy, or has no part in them.
-type target() :: drover | takeover | cowboy.


%% PORT in the environment is the port on 127.0.0.1, any unless given.
-spec main([target() | tls]) -> ok.
main(Args) ->
    io:format("listening on 127.0.0.1:~b pid ~s~n", [start(Args), os:getpid()]).


%% Gives the port.
-spec start([target() | tls]) -> inet:port_number().
start([Target | Security]) ->
    [ {ok, _} = application:ensure_all_started(Application) || Application <- applications(Target) ],
    ok = bench_push:start(),
    Port = list_to_integer(os:getenv("PORT", "0")),
    SocketOpts = [{ip, {127, 0, 0, 1}}, {port, Port}, {backlog, 4096}, {nodelay, true}],
    Env = #{dispatch => (router(Target)):compile([{'_', routes()}])},
    {ok, _} = start(Target, Security, SocketOpts, Env),
    (sockets(Target)):get_port(?MODULE).


start(drover, [], SocketOpts, Env) ->
    drover:start_clear(?MODULE, transport(SocketOpts), #{env => Env});
start(Target, [], SocketOpts, Env) ->
    cowboy:start_clear(?MODULE, transport(SocketOpts), (middlewares(Target))#{env => Env});
start(Target, [tls], SocketOpts, Env) ->
    {ok, _} = application:ensure_all_started(ssl),
    cowboy:start_tls(?MODULE, transport(SocketOpts ++ certificate()), (middlewares(Target))#{env => Env}).


transport(SocketOpts) ->
    #{socket_opts => SocketOpts, max_connections => infinity}.


middlewares(cowboy) -> #{};
middlewares(takeover) -> #{middlewares => [cowboy_router, drover_handler]}.


applications(drover) -> [drover];
applications(takeover) -> [cowboy, drover];
applications(cowboy) -> [cowboy].


router(drover) -> drover_router;
router(_Cowboy) -> cowboy_router.


sockets(drover) -> drover;
sockets(_Cowboy) -> ranch.


%% One for this run. Its key is on the curve P-256.
certificate() ->
    Strong = [{digest, sha256}, {key, {namedCurve, secp256r1}}],
    Chain = #{root => Strong, intermediates => [], peer => Strong},
    #{server_config := Config} = public_key:pkix_test_data(#{server_chain => Chain, client_chain => Chain}),
    Config.


routes() ->
    [{"/", echo_v2, []}, {"/hibernate", bench_hibernate, []}, {"/push", bench_push, []}].
