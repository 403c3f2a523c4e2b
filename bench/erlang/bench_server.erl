%% The server that is measured, on drover or on Cowboy, with the same handlers.
%%
%% /           echo, the handler of `make echo`
%% /hibernate  echo, asleep after every message
%% /push       what bench_push publishes
-module(bench_server).

-export([main/1]).


%% The one argument is drover or cowboy. PORT in the environment is the port on 127.0.0.1, any unless given.
-spec main([atom()]) -> ok.
main([Target]) ->
    {ok, _} = application:ensure_all_started(Target),
    ok = bench_push:start(),
    Port = list_to_integer(os:getenv("PORT", "0")),
    SocketOpts = [{ip, {127, 0, 0, 1}}, {port, Port}, {backlog, 4096}, {nodelay, true}],
    TransportOpts = #{socket_opts => SocketOpts, max_connections => infinity},
    {Server, Router, GetPort} = modules(Target),
    ProtoOpts = #{env => #{dispatch => Router:compile([{'_', routes()}])}},
    {ok, _} = Server:start_clear(?MODULE, TransportOpts, ProtoOpts),
    io:format("listening on 127.0.0.1:~b pid ~s~n", [GetPort:get_port(?MODULE), os:getpid()]).


modules(drover) -> {drover, drover_router, drover};
modules(cowboy) -> {cowboy, cowboy_router, ranch}.


routes() ->
    [{"/", echo_v2, []}, {"/hibernate", bench_hibernate, []}, {"/push", bench_push, []}].
