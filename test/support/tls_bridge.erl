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


-spec run(gen_tcp:socket(), inet:port_number()) -> ok.
run(Client, ServerPort) ->
    {ok, Server} = ssl:connect({127, 0, 0, 1}, ServerPort, [binary, {active, once}, {verify, verify_none}, {nodelay, true}]),
    ok = inet:setopts(Client, [{active, once}]),
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
