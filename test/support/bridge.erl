%% Lets clients that speak HTTP/1.1 over clear TCP talk to a server that speaks something else. A module, tls_bridge
%% or http2_bridge, serves each client in a process.
-module(bridge).

-export([start/2, stop/1, port/1]).

-opaque bridge() :: {pid(), inet:port_number()}.

-export_type([bridge/0]).


-callback run(Client :: gen_tcp:socket(), ServerPort :: inet:port_number()) -> any().

-spec start(module(), inet:port_number()) -> bridge().
start(Module, ServerPort) ->
    {ok, Listen} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1024}, {ip, {127, 0, 0, 1}}, {nodelay, true}]),
    {ok, Port} = inet:port(Listen),
    {give(Listen, spawn(fun() -> wait(fun() -> accept(Listen, Module, ServerPort) end) end)), Port}.


-spec stop(bridge()) -> ok.
stop({Pid, _Port}) ->
    Monitor = erlang:monitor(process, Pid),
    true = exit(Pid, shutdown),
    receive
        {'DOWN', Monitor, process, Pid, _} -> ok
    end.


-spec port(bridge()) -> inet:port_number().
port({_Pid, Port}) ->
    Port.


accept(Listen, Module, ServerPort) ->
    {ok, Client} = gen_tcp:accept(Listen),
    _ = give(Client, spawn_link(fun() -> wait(fun() -> Module:run(Client, ServerPort) end) end)),
    accept(Listen, Module, ServerPort).


give(Socket, Pid) ->
    ok = gen_tcp:controlling_process(Socket, Pid),
    Pid ! go,
    Pid.


wait(Fun) ->
    receive
        go -> Fun()
    end.
