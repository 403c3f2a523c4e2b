%% Lets clients that speak clear TCP talk to a server that speaks TLS: what comes in on one side goes out on the other.
-module(tls_bridge).

-export([server_options/0]).
-export([start/1, stop/1, port/1]).

-opaque bridge() :: {pid(), inet:port_number()}.

-export_type([bridge/0]).


%% A certificate of its own for every server.
-spec server_options() -> [ssl:tls_server_option()].
server_options() ->
    {ok, _} = application:ensure_all_started(ssl),
    Strong = [{digest, sha256}, {key, {namedCurve, secp256r1}}],
    Chain = #{root => Strong, intermediates => [], peer => Strong},
    #{server_config := Config} = public_key:pkix_test_data(#{server_chain => Chain, client_chain => Chain}),
    Config.


-spec start(inet:port_number()) -> bridge().
start(ServerPort) ->
    {ok, Listen} = gen_tcp:listen(0, [binary, {active, false}, {backlog, 1024}, {ip, {127, 0, 0, 1}}, {nodelay, true}]),
    {ok, Port} = inet:port(Listen),
    Pid = spawn(fun() ->
                        receive
                            go -> accept(Listen, ServerPort)
                        end
                end),
    ok = gen_tcp:controlling_process(Listen, Pid),
    Pid ! go,
    {Pid, Port}.


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


accept(Listen, ServerPort) ->
    {ok, Client} = gen_tcp:accept(Listen),
    Pump = spawn_link(fun() -> connect(Client, ServerPort) end),
    ok = gen_tcp:controlling_process(Client, Pump),
    Pump ! go,
    accept(Listen, ServerPort).


connect(Client, ServerPort) ->
    {ok, Server} = ssl:connect({127, 0, 0, 1}, ServerPort, [binary, {active, once}, {verify, verify_none}, {nodelay, true}]),
    receive
        go -> ok = inet:setopts(Client, [{active, once}])
    end,
    pump(Client, Server).


pump(Client, Server) ->
    receive
        {tcp, Client, Bytes} ->
            _ = ssl:send(Server, Bytes),
            _ = inet:setopts(Client, [{active, once}]),
            pump(Client, Server);
        {ssl, Server, Bytes} ->
            _ = gen_tcp:send(Client, Bytes),
            _ = ssl:setopts(Server, [{active, once}]),
            pump(Client, Server);
        _Closed ->
            _ = ssl:close(Server),
            gen_tcp:close(Client)
    end.
