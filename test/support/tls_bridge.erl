%% What comes from a client in the clear goes to the server by TLS, and back.
-module(tls_bridge).

-behaviour(bridge).

-export([server_options/0]).
-export([run/2]).


%% A certificate of its own for every server.
-spec server_options() -> [ssl:tls_server_option()].
server_options() ->
    {ok, _} = application:ensure_all_started(ssl),
    Strong = [{digest, sha256}, {key, {namedCurve, secp256r1}}],
    Chain = #{root => Strong, intermediates => [], peer => Strong},
    #{server_config := Config} = public_key:pkix_test_data(#{server_chain => Chain, client_chain => Chain}),
    Config.


%% A process for each way, for one may be blocked.
-spec run(gen_tcp:socket(), inet:port_number()) -> ok.
run(Client, ServerPort) ->
    {ok, Server} = ssl:connect({127, 0, 0, 1}, ServerPort, [binary, {active, false}, {verify, verify_none}, {nodelay, true}]),
    _ = spawn_link(fun() -> to_server(Client, Server) end),
    to_client(Client, Server).


to_server(Client, Server) ->
    case gen_tcp:recv(Client, 0) of
        {ok, Bytes} ->
            _ = ssl:send(Server, Bytes),
            to_server(Client, Server);
        {error, _} ->
            ssl:close(Server)
    end.


to_client(Client, Server) ->
    case ssl:recv(Server, 0) of
        {ok, Bytes} ->
            _ = gen_tcp:send(Client, Bytes),
            to_client(Client, Server);
        {error, _} ->
            gen_tcp:close(Client)
    end.
