%% Listeners: starting, stopping, limits; and plain HTTP as far as the way to a WebSocket leads through it.
-module(listener_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

-define(LOOPBACK, {127, 0, 0, 1}).


all() ->
    [{group, listener}, {group, http}, {group, head}, {group, stop}, no_leaks].


groups() ->
    [{listener, [],
                [free_port, already_started, address_in_use, unknown_listener, options_as_list, ipv6, unix_socket, info, child_spec,
                 child_spec_of_a_map, bad_options, many_cycles, max_connections, max_connections_counts_http_alone, set_max_connections, set_env, suspend_and_resume,
                 dispatch_in_persistent_term]},
     {http, [],
            [keep_alive, connection_close, max_keepalive, http_1_0_closes, pipelined, pipelined_before_upgrade,
             upgrade_after_requests, head_request, body, chunked_body, large_body, body_left_unread, expect_continue, file,
             not_found, wrong_host, one_byte_at_a_time]},
     {head, [],
            [bad_request_line, headers_of_any_bytes, bad_headers, bad_host, bad_content_length, smuggling, unsupported_version, unsupported_coding,
             long_request_line, long_header_name, long_header_value, many_headers, empty_lines, timeout_inside_a_head,
             timeout_before_a_head, timeout_is_for_the_whole_head, timeout_between_requests, garbage_is_not_logged,
             gone_before_a_head, garbage_in_frames]},
     {stop, [], [stop_closes_all, stop_closes_before_a_request, stop_refuses, stop_calls_no_terminate, stop_tells_who_traps_exits, stop_kills_who_does_not_end, stop_during_init, killed_owner_closes_socket]}].


init_per_suite(Config) ->
    ws_script:init_per_suite(Config).


end_per_suite(Config) ->
    ws_script:end_per_suite(Config).


init_per_group(_Group, Config) -> Config.


end_per_group(_Group, _Config) -> ok.


init_per_testcase(Case, Config) ->
    Drover = [info, headers_of_any_bytes, stop_kills_who_does_not_end, stop_during_init, set_max_connections, set_env, suspend_and_resume, unknown_listener, child_spec, child_spec_of_a_map, bad_options, unix_socket, bad_headers, smuggling, timeout_is_for_the_whole_head,
              max_connections_counts_http_alone, unsupported_coding, bad_content_length, dispatch_in_persistent_term, bad_host],
    ws_script:init_per_testcase(Case, Config, (maps:from_keys(Drover, drover))#{stop_closes_all => {2, 11}, stop_tells_who_traps_exits => {2, 18}, stop_calls_no_terminate => {2, 11}}).


end_per_testcase(Case, _Config) ->
    _ = drover_target:stop(Case),
    ok.


%%% Starting.


%% Port 0 is any free port.
free_port(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    true = Port > 0,
    {200, _, <<"ok">>} = get(Port, "/").


%% A name is for one listener.
already_started(_Config) ->
    {ok, _} = start(?FUNCTION_NAME, #{}),
    {error, {already_started, Pid}} = (drover_target:name()):start_clear(?FUNCTION_NAME, socket_opts([]), env()),
    true = is_pid(Pid).


%% An address in use is an error, not a crash.
address_in_use(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {error, eaddrinuse} = (drover_target:name()):start_clear({?FUNCTION_NAME, other}, socket_opts([{port, Port}]), env()),
    ok.


%% Stopping what is not there is an error.
unknown_listener(_Config) ->
    {error, not_found} = drover_target:stop(?FUNCTION_NAME).


%% Transport options may be the socket's options alone, as a list.
options_as_list(_Config) ->
    {ok, _} = (drover_target:name()):start_clear(?FUNCTION_NAME, [{ip, ?LOOPBACK}, {port, 0}], env()),
    {200, _, <<"ok">>} = get(drover_target:port(?FUNCTION_NAME), "/").


%% IPv6 is a matter of socket options.
ipv6(_Config) ->
    Loopback = {0, 0, 0, 0, 0, 0, 0, 1},
    {ok, Port} = drover_target:start(?FUNCTION_NAME, paths(), #{}, socket_opts([inet6, {ip, Loopback}, {port, 0}])),
    {ok, Client} = ws_client:open(Port, #{ip => Loopback, tcp_opts => [inet6]}),
    ok = ws_client:send(Client, {raw, "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"}),
    {200, _, <<"ok">>} = ws_client:recv_response(Client),
    ws_client:close(Client).


%% So are Unix domain sockets.
unix_socket(Config) ->
    %% The path of a socket is short.
    Path = filename:join("/tmp", "drover-" ++ os:getpid() ++ ".sock"),
    _ = file:delete(Path),
    {ok, _} = drover:start_clear(?FUNCTION_NAME, socket_opts([{ip, {local, Path}}, {port, 0}]), env(paths())),
    {200, _, <<"ok">>} = get({local, Path}, "/"),
    Conn = connect({local, Path}, Config, #{handle => echo()}),
    ok = ws_client:send(maps:get(client, Conn), {text, "x"}),
    {text, <<"x">>} = ws_client:recv(maps:get(client, Conn)),
    ok = ws_script:close(Conn),
    ok = drover_target:stop(?FUNCTION_NAME),
    file:delete(Path).


%% info tells of address, limits and connections.
info(Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    #{ip := ?LOOPBACK, port := Port, status := running, max_connections := 1024} = drover:info(?FUNCTION_NAME),
    #{active_connections := 0, all_connections := 0} = drover:info(?FUNCTION_NAME),
    Conn = connect(Port, Config),
    #{active_connections := 0, all_connections := 1} = drover:info(?FUNCTION_NAME),
    ok = ws_script:close(Conn),
    true = is_map_key(?FUNCTION_NAME, drover:info()).


%% A listener may live in the user's own supervision tree.
child_spec(_Config) ->
    embedded(?FUNCTION_NAME, drover:child_spec(?FUNCTION_NAME, socket_opts([]), env())).


%% Or be described by one map or keyword list, as in Elixir.
child_spec_of_a_map(_Config) ->
    Options = [{ref, ?FUNCTION_NAME}, {port, 0}, {ip, ?LOOPBACK}, {routes, [{'_', paths()}]}],
    embedded(?FUNCTION_NAME, drover:child_spec(Options)),
    embedded(?FUNCTION_NAME, drover:child_spec(maps:from_list(Options))).


embedded(Ref, Spec) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, Spec),
    [{_, Listener, supervisor, _}] = supervisor:which_children(Supervisor),
    true = is_pid(Listener),
    Port = drover:get_port(Ref),
    {200, _, <<"ok">>} = get(Port, "/"),
    ok = gen_server:stop(Supervisor),
    false = is_process_alive(Listener),
    {error, econnrefused} = gen_tcp:connect(?LOOPBACK, Port, []),
    ok.


%% The callback of supervisors.
init(Spec) ->
    {ok, {#{}, [Spec]}}.


%% Options that are wrong are named.
bad_options(_Config) ->
    [ {error, {bad_option, Key, Value}} = drover:start_clear(?FUNCTION_NAME, Transport, Protocol)
      || {Key, Value, Transport, Protocol} <- [{max_connections, -1, (socket_opts([]))#{max_connections => -1}, env()},
                                               {request_timeout, soon, socket_opts([]), (env())#{request_timeout => soon}},
                                               {max_headers, 0, socket_opts([]), (env())#{max_headers => 0}}] ],
    ok.


%% Starting and stopping leaves nothing, however often.
many_cycles(_Config) ->
    [ begin
          {ok, Port} = start(?FUNCTION_NAME, #{}),
          {200, _, <<"ok">>} = get(Port, "/"),
          ok = drover_target:stop(?FUNCTION_NAME)
      end
      || _ <- lists:seq(1, 50) ],
    ok.


%% The dispatch may be named by a persistent term, to be changed while the listener runs.
dispatch_in_persistent_term(_Config) ->
    Compile = fun(Path) -> drover_router:compile([{'_', [{Path, http_ok_h, []}]}]) end,
    persistent_term:put(?MODULE, Compile("/a")),
    Env = #{env => #{dispatch => {persistent_term, ?MODULE}}},
    {ok, _} = drover:start_clear(?FUNCTION_NAME, socket_opts([]), Env),
    Port = drover:get_port(?FUNCTION_NAME),
    {200, _, _} = get(Port, "/a"),
    {404, _, _} = get(Port, "/b"),
    persistent_term:put(?MODULE, Compile("/b")),
    {200, _, _} = get(Port, "/b"),
    persistent_term:erase(?MODULE).


%%% Limits.


%% Beyond max_connections, a connection waits until another one has gone.
max_connections(_Config) ->
    Transport = (socket_opts([]))#{max_connections => 1, num_acceptors => 1},
    {ok, Port} = drover_target:start(?FUNCTION_NAME, paths(), #{}, Transport),
    Clients = [ opened(Port) || _ <- lists:seq(1, 4) ],
    %% Cowboy accepts one more than the limit, and then waits.
    ok = last_waits(Clients),
    [ ok = ws_client:close(Client) || Client <- Clients ],
    {200, _, <<"ok">>} = get(Port, "/").


opened(Port) ->
    {ok, Client} = ws_client:open(Port),
    ok = ws_client:send(Client, {raw, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}),
    Client.


last_waits(Clients) ->
    First = hd(Clients),
    {200, _, <<"ok">>} = ws_client:recv_response(First),
    {error, timeout} = gen_tcp:recv(ws_client:socket(lists:last(Clients)), 0, 100),
    ok.


%% Open WebSocket connections do not count, so that they can be more than the limit.
max_connections_counts_http_alone(Config) ->
    Transport = (socket_opts([]))#{max_connections => 2},
    {ok, Port} = drover_target:start(?FUNCTION_NAME, paths(), #{}, Transport),
    Conns = [ connect(Port, Config) || _ <- lists:seq(1, 50) ],
    #{active_connections := 0, all_connections := 50} = drover:info(?FUNCTION_NAME),
    [ ok = ws_script:close(Conn) || Conn <- Conns ],
    ok.


%% The limit may be changed while the listener runs; who waits is served then.
set_max_connections(_Config) ->
    Transport = (socket_opts([]))#{max_connections => 1},
    {ok, Port} = drover_target:start(?FUNCTION_NAME, paths(), #{}, Transport),
    Clients = [ opened(Port) || _ <- lists:seq(1, 4) ],
    ok = last_waits(Clients),
    ok = drover:set_max_connections(?FUNCTION_NAME, 10),
    [ {200, _, <<"ok">>} = ws_client:recv_response(Client) || Client <- tl(Clients) ],
    10 = drover:get_max_connections(?FUNCTION_NAME),
    [ ok = ws_client:close(Client) || Client <- Clients ],
    ok.


%% So may the routes.
set_env(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {404, _, _} = get(Port, "/new"),
    ok = drover:set_env(?FUNCTION_NAME, dispatch, drover_router:compile([{'_', [{"/new", http_ok_h, []}]}])),
    {200, _, <<"ok">>} = get(Port, "/new").


%% A suspended listener refuses new connections, keeps those that are open, and comes back on its port.
suspend_and_resume(Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    #{client := Client} = Conn = connect(Port, Config, #{handle => echo()}),
    ok = drover:suspend_listener(?FUNCTION_NAME),
    #{status := suspended} = drover:info(?FUNCTION_NAME),
    {error, econnrefused} = gen_tcp:connect(?LOOPBACK, Port, []),
    ok = ws_client:send(Client, {text, "still here"}),
    {text, <<"still here">>} = ws_client:recv(Client),
    ok = drover:resume_listener(?FUNCTION_NAME),
    Port = drover:get_port(?FUNCTION_NAME),
    {200, _, <<"ok">>} = get(Port, "/"),
    ws_script:close(Conn).


%%% Plain HTTP.


%% A connection serves one request after the other.
keep_alive(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    [ {200, _, <<"GET /echo? ">>} = request_on(Client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n") || _ <- lists:seq(1, 10) ],
    ws_client:close(Client).


%% Until either side says close.
connection_close(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    Request = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    {200, #{<<"connection">> := <<"close">>}, <<"GET /echo? ">>} = request_on(Client, Request),
    {error, closed} = ws_client:recv_response(Client),
    ws_client:close(Client).


%% Or the last of so many requests has been served.
max_keepalive(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{max_keepalive => 2}),
    {ok, Client} = ws_client:open(Port),
    Request = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
    {200, First, _} = request_on(Client, Request),
    false = is_map_key(<<"connection">>, First),
    {200, #{<<"connection">> := <<"close">>}, _} = request_on(Client, Request),
    {error, closed} = ws_client:recv_response(Client),
    ws_client:close(Client).


%% HTTP/1.0 closes unless it says otherwise.
http_1_0_closes(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    {200, _, <<"GET /echo? ">>} =
        request_on(Client, "GET /echo HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"),
    {200, _, <<"GET /echo? ">>} = request_on(Client, "GET /echo HTTP/1.0\r\nHost: x\r\n\r\n"),
    {error, closed} = ws_client:recv_response(Client),
    ws_client:close(Client).


%% Requests that come together are answered in their order.
pipelined(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    Paths = [ ["/echo/", integer_to_list(N)] || N <- lists:seq(1, 20) ],
    ok = ws_client:send(Client, {raw, [ ["GET ", Path, " HTTP/1.1\r\nHost: x\r\n\r\n"] || Path <- Paths ]}),
    [ begin
          Expected = iolist_to_binary(["GET ", Path, "? "]),
          {200, _, Expected} = ws_client:recv_response(Client)
      end
      || Path <- Paths ],
    ws_client:close(Client).


%% The last of them may be a handshake, even with a frame behind it.
pipelined_before_upgrade(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    Get = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n",
    Post = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
    ok = ws_client:send(Client, [{raw, [Get, Post, ws_client:handshake("/ws")]}, {ping, "early"}]),
    {200, _, <<"GET /echo? ">>} = ws_client:recv_response(Client),
    {200, _, <<"POST /echo? body">>} = ws_client:recv_response(Client),
    {101, _, _} = ws_client:recv_response(Client),
    {pong, <<"early">>} = ws_client:recv(Client),
    ws_client:close(Client).


%% A connection that has served requests may be upgraded.
upgrade_after_requests(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    {200, _, _} = request_on(Client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"),
    {101, _, _} = request_on(Client, ws_client:handshake("/ws")),
    ok = ws_client:send(Client, ping),
    {pong, <<>>} = ws_client:recv(Client),
    ws_client:close(Client).


%% The answer to HEAD has a length and no body.
head_request(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    ok = ws_client:send(Client, {raw, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"}),
    {_, 200, Headers} = ws_client:recv_head(Client),
    {_, <<"2">>} = lists:keyfind(<<"content-length">>, 1, Headers),
    {200, _, <<"ok">>} = ws_client:recv_response(Client),
    ws_client:close(Client).


%% A handler may read the body.
body(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {200, _, <<"POST /echo?a=b some body">>} =
        ws_client:request(Port, "POST /echo?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsome body"),
    {200, _, <<"POST /echo? ">>} =
        ws_client:request(Port, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").


%% Also in chunks.
chunked_body(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    Head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    Body = "5\r\nsome \r\n4\r\nbody\r\n0\r\n\r\n",
    {200, _, <<"POST /echo? some body">>} = request_on(Client, [Head, Body]),
    {200, _, <<"POST /echo? some body">>} = request_on(Client, [Head, Body]),
    ws_client:close(Client).


%% A body is handed over in pieces as it comes.
large_body(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Body = binary:copy(<<"0123456789">>, 300000),
    {200, _, <<"POST /echo? ", Body/binary>>} =
        ws_client:request(Port, ["POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n", Body]),
    ok.


%% A body that no handler has read is not taken for the next request.
body_left_unread(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    Request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\nGET / HTTP/1.1\r\n",
    [ {200, _, <<"ok">>} = request_on(Client, Request) || _ <- [1, 2, 3] ],
    ws_client:close(Client).


%% A client that waits for it is told to go on.
expect_continue(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    Head = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    ok = ws_client:send(Client, {raw, Head}),
    {_, 100, _} = ws_client:recv_head(Client),
    {200, _, <<"POST /echo? body">>} = request_on(Client, "body"),
    ws_client:close(Client).


%% A handler may answer with a file.
file(Config) ->
    File = filename:join(proplists:get_value(priv_dir, Config), "page.html"),
    Page = binary:copy(<<"<p>page</p>\n">>, 100000),
    ok = file:write_file(File, Page),
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", http_file_h, File}], #{}),
    {200, #{<<"content-type">> := <<"text/html">>}, Page} = get(Port, "/"),
    ok.


%% A path without a route is not found; a host without one is a bad request.
not_found(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {404, _, _} = get(Port, "/nowhere").


%% A host without a route is a bad request.
wrong_host(_Config) ->
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"example.org", [{"/", http_ok_h, []}]}], #{}),
    {400, _, _} = ws_client:request(Port, "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
    {200, _, _} = ws_client:request(Port, "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n").


%% How the bytes come does not matter.
one_byte_at_a_time(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Client} = ws_client:open(Port),
    drip(Client, "\r\nPOST /echo?q HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"),
    {200, _, <<"POST /echo?q body">>} = ws_client:recv_response(Client),
    drip(Client, ws_client:handshake("/ws")),
    {101, _, _} = ws_client:recv_response(Client),
    drip(Client, ws_client:frame(#{opcode => ping, payload => "payload"})),
    {pong, <<"payload">>} = ws_client:recv(Client),
    ws_client:close(Client).


drip(Client, Bytes) ->
    [ ok = ws_client:send(Client, {raw, <<Byte>>}) || <<Byte>> <= iolist_to_binary(Bytes) ].


%%% Request heads that are not served. Each is answered, and the connection closed.


%% A line that is no request line.
bad_request_line(_Config) ->
    refused(?FUNCTION_NAME,
            400,
            ["GET\r\n\r\n",
             "GET /\r\n\r\n",
             " / HTTP/1.1\r\nHost: x\r\n\r\n",
             "G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
             "\0\0\0\0\r\n\r\n",
             [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, "\r\n\r\n"]]).


%% A header may hold bytes that are no text, also where drover itself looks for words.
headers_of_any_bytes(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    [ {200, _, <<"ok">>} = ws_client:request(Port, ["GET / HTTP/1.1\r\nHost: localhost\r\n", Name, ": ", Value, "\r\n\r\n"])
      || Name <- ["Connection", "X-Other"], Value <- [<<255>>, <<"close", 175>>, <<240, 41, 255, "x, ", 128>>] ],
    {200, _, <<"ok">>} =
        ws_client:request(Port, ["POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: ", 255, "\r\n\r\nbody"]).


%% Headers that are none, or that servers disagree about.
bad_headers(_Config) ->
    refused(?FUNCTION_NAME,
            400,
            ["GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: x\r\nspace : before colon\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n folded\r\n\r\n",
             "GET / HTTP/1.1\nHost: x\n\n"]).


%% A host that is missing, or there twice, or none.
bad_host(_Config) ->
    refused(?FUNCTION_NAME,
            400,
            ["GET / HTTP/1.1\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
             "GET / HTTP/1.1\r\nHost: x:port\r\n\r\n"]).


%% A length that is none.
bad_content_length(_Config) ->
    refused(?FUNCTION_NAME,
            400,
            [ ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", Length, "\r\n\r\n"]
              || Length <- ["x", "-1", "1x", "+1", "0x10", "1, 2", "99999999999999999999999999"] ]).


%% Two answers to the question where the body ends.
smuggling(_Config) ->
    refused(?FUNCTION_NAME,
            400,
            ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"]).


%% Versions of HTTP that are not spoken here.
unsupported_version(_Config) ->
    refused(?FUNCTION_NAME, 505, ["GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET / HTTP/1.2\r\nHost: x\r\n\r\n"]).


%% Codings of the body that are not known.
unsupported_coding(_Config) ->
    refused(?FUNCTION_NAME, 501, ["POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"]).


%% A request line has a limit.
long_request_line(_Config) ->
    refused(?FUNCTION_NAME, 414, [["GET /", lists:duplicate(10000, $a), " HTTP/1.1\r\nHost: x\r\n\r\n"]]).


%% So has the name of a header.
long_header_name(_Config) ->
    refused(?FUNCTION_NAME, 431, [["GET / HTTP/1.1\r\nHost: x\r\n", lists:duplicate(5000, $a), ": b\r\n\r\n"]]).


%% And its value.
long_header_value(_Config) ->
    refused(?FUNCTION_NAME, 431, [["GET / HTTP/1.1\r\nHost: x\r\na: ", lists:duplicate(5000, $b), "\r\n\r\n"]]).


%% And the number of headers.
many_headers(_Config) ->
    Headers = [ ["a", integer_to_list(N), ": b\r\n"] || N <- lists:seq(1, 101) ],
    refused(?FUNCTION_NAME, 431, [["GET / HTTP/1.1\r\nHost: x\r\n", Headers, "\r\n"]]).


%% And the empty lines before a request.
empty_lines(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    {200, _, _} = ws_client:request(Port, ["\r\n\r\n\r\n\r\n\r\n", Request]),
    {400, _, _} = ws_client:request(Port, ["\r\n\r\n\r\n\r\n\r\n\r\n", Request]).


%% A head that has begun must be whole in time.
timeout_inside_a_head(_Config) ->
    refused(?FUNCTION_NAME, 408, #{request_timeout => 100}, ["GET / HTTP/1.1\r\nHost: x\r\n"]).


%% A connection on which nothing comes is closed without a word.
timeout_before_a_head(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{request_timeout => 100}),
    {error, closed} = ws_client:request(Port, "").


%% Bytes that trickle in do not prolong the time.
timeout_is_for_the_whole_head(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{request_timeout => 300}),
    {ok, Client} = ws_client:open(Port),
    Dripper = spawn_link(fun() -> drip_forever(Client) end),
    {408, _, _} = ws_client:recv_response(Client),
    unlink(Dripper),
    exit(Dripper, kill),
    ws_client:close(Client).


drip_forever(Client) ->
    ok = ws_client:send(Client, {raw, "a"}),
    timer:sleep(20),
    drip_forever(Client).


%% Between two requests the same time holds.
timeout_between_requests(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{request_timeout => 100, idle_timeout => 100}),
    {ok, Client} = ws_client:open(Port),
    {200, _, <<"ok">>} = request_on(Client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    {error, closed} = ws_client:recv_response(Client),
    ws_client:close(Client).


%% A client that goes before its head is whole is nobody's business.
gone_before_a_head(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    [ begin
          {ok, Client} = ws_client:open(Port),
          ok = ws_client:send(Client, {raw, Bytes}),
          ok = ws_client:End(Client)
      end
      || Bytes <- ["", "GET", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"], End <- [close, reset] ],
    {200, _, <<"ok">>} = get(Port, "/").


%% What a client sends is never worth a line in the log.
garbage_is_not_logged(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Send = fun() ->
                   [ ws_client:request(Port, [crypto:strong_rand_bytes(N), "\r\n\r\n\r\n\r\n"]) || N <- lists:seq(1, 50) ],
                   {400, _, _} = ws_client:request(Port, "\1\2\3\r\n\r\n"),
                   {200, _, <<"ok">>} = get(Port, "/")
           end,
    {_, []} = log_catcher:during(Send),
    ok.


%% Nor is what it sends for frames; and each of these connections ends.
garbage_in_frames(Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Send = fun() -> [ garbage(connect(Port, Config), N) || N <- lists:seq(1, 100) ] end,
    {_, []} = log_catcher:during(Send),
    {200, _, <<"ok">>} = get(Port, "/").


garbage(#{client := Client} = Conn, N) ->
    ok = ws_client:send(Client, {raw, crypto:strong_rand_bytes(N)}),
    case N rem 3 of
        0 -> ok = ws_client:close(Client);
        1 -> ok = ws_client:reset(Client);
        2 -> ok = ws_client:shutdown(Client)
    end,
    normal = ws_script:down(Conn),
    _ = ws_client:recv_until_closed(Client),
    ws_client:close(Client).


refused(Ref, Status, Requests) ->
    refused(Ref, Status, #{}, Requests).


refused(Ref, Status, Options, Requests) ->
    {ok, Port} = start(Ref, Options),
    [ begin
          {ok, Client} = ws_client:open(Port),
          {Request, {Status, _, _}} = {Request, request_on(Client, Request)},
          {error, closed} = ws_client:recv_response(Client),
          ok = ws_client:close(Client)
      end
      || Request <- Requests ],
    ok.


%%% Stopping.


%% Stopping a listener ends its connections, whatever they are doing.
stop_closes_all(Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    {ok, Waiting} = ws_client:open(Port),
    {ok, Half} = ws_client:open(Port),
    ok = ws_client:send(Half, {raw, "GET / HT"}),
    {ok, Served} = ws_client:open(Port),
    {200, _, <<"ok">>} = request_on(Served, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    Conns = [ connect(Port, Config) || _ <- lists:seq(1, 10) ],
    ok = drover_target:stop(?FUNCTION_NAME),
    Ends = [ ws_script:down(Conn) || Conn <- Conns ],
    [shutdown] = lists:usort(Ends),
    Clients = [Waiting, Half, Served | [ Client || #{client := Client} <- Conns ]],
    [ {error, closed} = ws_client:recv(Client) || Client <- Clients ],
    [ ok = ws_client:close(Client) || Client <- Clients ],
    ok.


%% Also connections that no process owns yet. A listener that is only suspended goes on with them.
stop_closes_before_a_request(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{request_timeout => infinity}),
    [Silent, Begun] = Clients = [ element(2, ws_client:open(Port)) || _ <- [1, 2] ],
    ok = ws_client:send(Begun, {raw, "GET / HTTP/1.1\r\nHost: "}),
    {200, _, <<"ok">>} = get(Port, "/"),
    case drover_target:name() of
        drover ->
            ok = drover:suspend_listener(?FUNCTION_NAME),
            ok = ws_client:send(Begun, {raw, "localhost\r\n\r\n"}),
            {200, _, <<"ok">>} = ws_client:recv_response(Begun);
        _ ->
            ok
    end,
    ok = drover_target:stop(?FUNCTION_NAME),
    {error, closed} = gen_tcp:recv(ws_client:socket(Silent), 0, 10000),
    [ ok = ws_client:close(Client) || Client <- Clients ].


%% And new ones are refused.
stop_refuses(_Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    ok = drover_target:stop(?FUNCTION_NAME),
    {error, econnrefused} = gen_tcp:connect(?LOOPBACK, Port, []),
    ok.


%% B27: a handler that does not trap exits is not told.
stop_calls_no_terminate(Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Conn = connect(Port, Config),
    ok = drover_target:stop(?FUNCTION_NAME),
    {none, shutdown} = ws_script:ended(Conn),
    ws_client:close(maps:get(client, Conn)).


%% B26: one that traps them is.
stop_tells_who_traps_exits(Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Trap = fun(_) ->
                   process_flag(trap_exit, true),
                   {reply, {text, <<"trapping">>}}
           end,
    #{client := Client} = Conn = connect(Port, Config, #{init => {run, Trap}}),
    {text, <<"trapping">>} = ws_client:recv(Client),
    ok = drover_target:stop(?FUNCTION_NAME),
    {{called, shutdown}, normal} = ws_script:ended(Conn),
    {error, closed} = ws_client:recv(Client),
    ws_client:close(Client).


%% Who does not end in time is killed.
stop_kills_who_does_not_end(Config) ->
    Transport = (socket_opts([]))#{shutdown => 50},
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/ws", script_v2pre_h, []}], #{}, Transport),
    #{client := Client} = Conn = connect(Port, Config),
    Trap = fun(_) ->
                   process_flag(trap_exit, true),
                   {reply, {text, <<"trapping">>}}
           end,
    ok = ws_script:perform(Conn, info, {run, Trap}),
    {text, <<"trapping">>} = ws_client:recv(Client),
    ok = drover_target:stop(?FUNCTION_NAME),
    %% To handlers of arity 3 the parent's exit is a message.
    {none, killed} = ws_script:ended(Conn),
    {error, closed} = ws_client:recv(Client),
    ws_client:close(Client).


%% A request process ends with its listener.
stop_during_init(_Config) ->
    Test = self(),
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Wait = fun(_, _) ->
                   Test ! {waiting, self()},
                   receive never -> ok end
           end,
    {ok, Client} = ws_client:open(Port),
    Header = ws_script:header(#{init_2 => Wait}),
    ok = ws_client:send(Client, {raw, ws_client:handshake("/ws", #{headers => [Header]})}),
    Monitor = receive {waiting, Pid} -> monitor(process, Pid) end,
    ok = drover_target:stop(?FUNCTION_NAME),
    receive {'DOWN', Monitor, process, _, _} -> ok end,
    {error, closed} = ws_client:recv(Client),
    ws_client:close(Client).


%% The death of a connection process closes its socket.
killed_owner_closes_socket(Config) ->
    {ok, Port} = start(?FUNCTION_NAME, #{}),
    Conns = [ connect(Port, Config) || _ <- lists:seq(1, 100) ],
    [ exit(Pid, kill) || #{pid := Pid} <- Conns ],
    [ {error, closed} = ws_client:recv(Client) || #{client := Client} <- Conns ],
    [ killed = ws_script:down(Conn) || Conn <- Conns ],
    [ ok = ws_client:close(Client) || #{client := Client} <- Conns ],
    ok.


no_leaks(Config) -> ws_script:no_leaks(Config).


%%% Helpers.


start(Ref, ProtoOpts) ->
    drover_target:start(Ref, paths(), ProtoOpts).


paths() ->
    [{"/echo/[...]", http_echo_h, []}, {"/ws", script_v2_h, []}, {"/", http_ok_h, []}].


connect(Port, Config) ->
    connect(Port, Config, #{}).


connect(Port, Config, Script) ->
    ws_script:connect([{port, Port}, {path, "/ws"} | Config], Script).


env() ->
    env(paths()).


env(Paths) ->
    Router = list_to_existing_atom(atom_to_list(drover_target:name()) ++ "_router"),
    #{env => #{dispatch => Router:compile([{'_', Paths}])}}.


socket_opts([]) ->
    socket_opts([{ip, ?LOOPBACK}, {port, 0}]);
socket_opts(Options) ->
    #{socket_opts => Options}.


get(Endpoint, Path) ->
    ws_client:request(Endpoint, ["GET ", Path, " HTTP/1.1\r\nHost: localhost\r\n\r\n"]).


request_on(Client, Bytes) ->
    ok = ws_client:send(Client, {raw, Bytes}),
    ws_client:recv_response(Client).


echo() ->
    {run, fun(Frame) -> {reply, Frame} end}.
