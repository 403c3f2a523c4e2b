%% drover under a real Cowboy: its listener, routes and HTTP handlers stay, and WebSocket connections are drover's.
%%
%% Each group is a way in which bytes travel (see drover_target). The cases run in a node of their own, since the shim has modules
%% of the same names. What handlers see is the subject of the other suites, which run against the same targets.
-module(cowboy_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

-define(TIMEOUT, 10000).


%% Empty where there is no Cowboy to test against, see README.md.
all() ->
    case filelib:is_dir(cowboy_peer:above("_peers")) of
        true -> [{group, takeover}, {group, codec}, {group, tls}, {group, http2}, {group, relay}];
        false -> []
    end.


groups() ->
    Everywhere = [callbacks, early_frame, large, compressed, contexts_at_rest, passive, idle, crash, close_waits_for_nothing, code_changes, message_to_self, named, plug,
                  many],
    Http1 = Everywhere ++ [early_frame_dropped, split_over_takeover, client_gone, listener_stops, not_counted, other_results,
                           not_a_handshake],
    [{takeover, [], Http1 ++ [middle_of_a_pipeline, adopted, unix_socket, proxy_header, foreign_backend, no_leaks]},
     {codec, [], Http1 ++ [middle_of_a_pipeline, not_adopted, no_leaks]},
     {tls, [], Http1 ++ [not_adopted, no_leaks]},
     {http2, [], Everywhere ++ [stream_gone, not_relayed, no_leaks]},
     {relay, [], Everywhere ++ [stream_gone, relayed, relayed_flow, relayed_while_passive, no_leaks]}].


init_per_group(Target, Config) ->
    {ok, Peer} = cowboy_peer:start(?MODULE),
    Modules = [fun_v2_h, ws_client],
    ok = cowboy_peer:call(Peer, code, add_pathsa, [[ filename:dirname(code:which(Module)) || Module <- Modules ]]),
    ok = cowboy_peer:call(Peer, logger, set_primary_config, [level, none]),
    true = cowboy_peer:call(Peer, os, putenv, ["DROVER_TARGET", atom_to_list(Target)]),
    Leaks = cowboy_peer:call(Peer, fun_handler, init_suite, [[]]),
    [{peer, Peer}, {leaks, Leaks} | Config].


end_per_group(_Target, Config) ->
    cowboy_peer:stop(proplists:get_value(peer, Config)).


%% The callbacks of handlers of every API, in their order.
callbacks(Config) ->
    in(Config, fun() -> [ callbacks_of(Dialect) || Dialect <- [v2, p, hybrid] ] end).


callbacks_of(Dialect) ->
    {Client, Pid} = fun_handler:open(Dialect, fun echo/1),
    ok = ws_client:send(Client, [{text, <<"a">>}, {ping, <<"b">>}, {binary, <<"c">>}]),
    [{text, <<"a">>}, {pong, <<"b">>}, {binary, <<"c">>}] = [ ws_client:recv(Client) || _ <- [1, 2, 3] ],
    [{handle, {text, <<"a">>}}, {handle, {ping, <<"b">>}}, {handle, {binary, <<"c">>}}] = fun_handler:take(Pid, 3),
    Pid ! {send, <<"d">>},
    {text, <<"d">>} = ws_client:recv(Client),
    {info, {send, <<"d">>}} = fun_handler:next(Pid),
    ok = ws_client:send(Client, {close, 1001, <<"bye">>}),
    {close, 1001, <<>>} = ws_client:recv(Client),
    {terminate, {remote, 1001, <<"bye">>}, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid),
    fun_handler:stop_all().


early_frame(Config) ->
    in(Config,
       fun() ->
               Server = fun_handler:start(v2, fun echo/1, #{}),
               <<Start:7/binary, Rest/binary>> = frames([{text, <<"early">>}, {text, <<"bird">>}]),
               {Client, _Pid} = fun_handler:join(Server, #{early => Start}),
               ok = ws_client:send(Client, {raw, Rest}),
               {text, <<"early">>} = ws_client:recv(Client),
               {text, <<"bird">>} = ws_client:recv(Client),
               close(Client)
       end).


early_frame_dropped(Config) ->
    in(Config,
       fun() ->
               Server = fun_handler:start(p, fun echo/1, #{}),
               {Client, _Pid} = fun_handler:join(Server, #{early => frames([{text, <<"early">>}])}),
               ok = ws_client:send(Client, {text, <<"late">>}),
               {text, <<"late">>} = ws_client:recv(Client),
               close(Client)
       end).


%% Frames that lie partly with Cowboy, partly in the mailbox and partly in the kernel when drover takes over.
split_over_takeover(Config) ->
    in(Config, fun() -> [ split_over_takeover_after(Bytes) || Bytes <- [1, 2, 6, 1000, 100000] ] end).


split_over_takeover_after(Bytes) ->
    Messages = [ {binary, binary:copy(<<N>>, N * 20000)} || N <- lists:seq(1, 5) ],
    <<First:Bytes/binary, Second:3/binary, Third:65536/binary, Rest/binary>> = frames(Messages),
    %% The connection process sleeps until the request process has ended, which is when it has asked for the takeover.
    Prepare = fun(#{pid := Pid} = Req) ->
                      true = erlang:suspend_process(Pid),
                      #{test := Test} = persistent_term:get(?MODULE),
                      Test ! {asleep, self()},
                      receive
                          go_on -> Req
                      end
              end,
    ok = persistent_term:put(?MODULE, #{test => self()}),
    #{port := Port} = fun_handler:start(v2, fun echo/1, #{prepare => Prepare, proto => #{active_n => 1}}),
    {ok, Client} = ws_client:open(Port),
    ok = ws_client:send(Client, {raw, ws_client:handshake("/")}),
    Request = receive
                  {asleep, From} -> From
              end,
    Sender = spawn_link(fun() -> send_slowly(Client, [First, Second, Third, Rest]) end),
    timer:sleep(100),
    Request ! go_on,
    {_, 101, _} = ws_client:recv_head(Client),
    Messages = [ ws_client:recv(Client) || _ <- Messages ],
    true = unlink(Sender),
    close(Client).


send_slowly(Client, Pieces) ->
    [ begin
          ok = ws_client:send(Client, {raw, Piece}),
          timer:sleep(20)
      end || Piece <- Pieces ].


%% More than fits into any buffer, both ways.
large(Config) ->
    in(Config,
       fun() ->
               {Client, _Pid} = fun_handler:open(v2, fun echo/1, #{ws => #{max_frame_size => infinity}}),
               Text = binary:copy(<<"0123456789abcdef">>, 256 * 1024),
               Sender = spawn_link(fun() -> ws_client:send(Client, [{text, Text}, {text, <<"next">>}]) end),
               {text, Text} = ws_client:recv(Client),
               {text, <<"next">>} = ws_client:recv(Client),
               true = unlink(Sender),
               close(Client)
       end).


%% What is inflated in many steps, with a message behind it. Arity 3 is compressed because the middleware was told to.
compressed(Config) ->
    in(Config, fun() -> [ compressed_for(Dialect) || Dialect <- [v2, p] ] end).


compressed_for(Dialect) ->
    Server = fun_handler:start(Dialect, fun text_size/1, #{compress => true, ws => #{max_frame_size => infinity}}),
    {Client, _Pid} = fun_handler:join(Server, #{extensions => "permessage-deflate; server_no_context_takeover"}),
    Frame = {raw, ws_client:frame(#{opcode => text, rsv => 4, payload => deflated(8000000)})},
    ok = ws_client:send(Client, [Frame, {text, <<"12">>}]),
    [8000000, 2] = [ inflated(ws_client:recv(Client)) || _ <- [1, 2] ],
    close(Client).


%% What was said is not forgotten, though the contexts have gone.
contexts_at_rest(Config) ->
    in(Config,
       fun() ->
               Server = fun_handler:start(v2, fun echo/1, #{compress => true}),
               {Client, _Pid} = fun_handler:join(Server, #{extensions => "permessage-deflate"}),
               Peer = deflate_peer:new(),
               Message = rand:bytes(500),
               [First | Later] = [ begin
                                       ok = ws_client:send(Client, deflate_peer:frame(Peer, {binary, Message})),
                                       {frame, true, 4, binary, Payload} = ws_client:recv(Client),
                                       Message = deflate_peer:inflate(Peer, Payload),
                                       ok = until_parked(),
                                       byte_size(Payload)
                                   end
                                   || _ <- lists:seq(1, 3) ],
               true = First >= 500,
               true = lists:all(fun(Size) -> Size < 50 end, Later),
               close(Client)
       end).


until_parked() ->
    case drover_native:stats() of
        #{contexts := 0} -> ok;
        _ -> receive after 20 -> until_parked() end
    end.


passive(Config) ->
    in(Config,
       fun() ->
               {Client, Pid} = fun_handler:open(v2, fun obey/1),
               Pid ! {commands, [{active, false}, {text, <<"passive">>}]},
               {text, <<"passive">>} = ws_client:recv(Client),
               ok = ws_client:send(Client, {text, <<"a">>}),
               {error, timeout} = ws_client:recv(Client, 100),
               Pid ! {commands, [{active, true}]},
               {text, <<"a">>} = ws_client:recv(Client),
               ok = ws_client:send(Client, {text, <<"b">>}),
               {text, <<"b">>} = ws_client:recv(Client),
               close(Client)
       end).


idle(Config) ->
    in(Config,
       fun() ->
               {Client, Pid} = fun_handler:open(v2, fun echo/1, #{timeout => 300}),
               {close, 1000, <<>>} = ws_client:recv(Client),
               {terminate, timeout, _, _} = fun_handler:next(Pid),
               normal = fun_handler:died(Pid),
               close(Client)
       end).


client_gone(Config) ->
    in(Config,
       fun() ->
               {Client, Pid} = fun_handler:open(v2, fun echo/1),
               ok = ws_client:close(Client),
               {terminate, {error, closed}, _, _} = fun_handler:next(Pid),
               normal = fun_handler:died(Pid),
               fun_handler:stop_all()
       end).


%% The process of a stream that is no more is shut down.
stream_gone(Config) ->
    in(Config,
       fun() ->
               {Client, Pid} = fun_handler:open(v2, fun echo/1),
               ok = ws_client:close(Client),
               shutdown = fun_handler:died(Pid),
               fun_handler:stop_all()
       end).


%% A Cowboy hands on the bytes of a stream through its handlers, unless it is new enough and has been asked to relay them.
not_relayed(Config) ->
    in(Config, fun() -> [request_body, request_body] = ways_of_delivery() end).


relayed(Config) ->
    in(Config,
       fun() ->
               Way = since_relay('$cowboy_relay_data', request_body),
               [Way, Way] = ways_of_delivery()
       end).


ways_of_delivery() ->
    {Client, Pid} = fun_handler:open(v2, fun echo/1),
    _ = erlang:trace(Pid, true, ['receive']),
    [ {text, Text} = echoed(Client, {text, Text}) || Text <- [<<"a">>, <<"b">>] ],
    Traced = traced(Pid),
    close(Client),
    [ element(1, Message) || {trace, _, 'receive', Message} <- Traced, element(1, Message) =/= data_ack ].


%% data_delivery_flow is what a client may send at least, and no more than Cowboy's margin is added.
relayed_flow(Config) ->
    in(Config,
       fun() ->
               Flow = 1000000,
               Server = fun_handler:start(v2, fun echo/1, #{ws => #{data_delivery_flow => Flow}}),
               {Client, Pid} = fun_handler:join(Server),
               {links, [Connection]} = process_info(Pid, links),
               1 = erlang:trace_pattern({cow_http2, window_update, 2}, true, []),
               _ = erlang:trace(Connection, true, [call]),
               {text, <<"a">>} = echoed(Client, {text, <<"a">>}),
               Granted = lists:sum([ N || {trace, _, call, {cow_http2, window_update, [1, N]}} <- traced(Connection) ]),
               true = since_relay(Granted > Flow andalso Granted =< Flow + 65535, Granted < 65535),
               1 = erlang:trace_pattern({cow_http2, window_update, 2}, false, []),
               close(Client)
       end).


%% What the client may send already still comes, but no more, and the handler sees none of it.
relayed_while_passive(Config) ->
    in(Config,
       fun() ->
               {Client, Pid} = fun_handler:open(v2, fun obey/1, #{ws => #{data_delivery_flow => 100000}}),
               {text, <<"a">>} = echoed(Client, {text, <<"a">>}),
               Pid ! {commands, [{active, false}, {text, <<"passive">>}]},
               {text, <<"passive">>} = ws_client:recv(Client),
               _ = erlang:trace(Pid, true, ['receive']),
               Texts = lists:duplicate(1000, {text, binary:copy(<<"b">>, 1000)}),
               Sender = spawn_link(fun() -> ws_client:send(Client, Texts) end),
               {error, timeout} = ws_client:recv(Client, 200),
               Relayed = [ byte_size(Bytes) || {trace, _, 'receive', {'$cowboy_relay_data', _, _, Bytes}} <- traced(Pid) ],
               true = lists:sum(Relayed) =< 100000 + 65535,
               true = since_relay(Relayed =/= [], Relayed =:= []),
               Pid ! {commands, [{active, true}]},
               Texts = [ ws_client:recv(Client) || _ <- Texts ],
               true = unlink(Sender),
               close(Client)
       end).


echoed(Client, Frame) ->
    ok = ws_client:send(Client, Frame),
    ws_client:recv(Client).


%% What has been traced of a process until now.
traced(Pid) ->
    Ref = erlang:trace_delivered(Pid),
    receive
        {trace_delivered, Pid, Ref} -> ok
    end,
    _ = erlang:trace(Pid, false, [all]),
    traces(Pid).


traces(Pid) ->
    receive
        {trace, Pid, _, _} = Trace -> [Trace | traces(Pid)]
    after
        0 ->
            []
    end.


since_relay(New, Old) ->
    case drover_target:cowboy_version() >= {2, 14} of
        true -> New;
        false -> Old
    end.


crash(Config) ->
    in(Config,
       fun() ->
               {Client, Pid} = fun_handler:open(v2, fun(init) -> ok; (_) -> error(boom) end),
               ok = ws_client:send(Client, {text, <<"a">>}),
               {close, 1011, <<>>} = ws_client:recv(Client),
               {error, closed} = ws_client:recv(Client),
               {handle, _} = fun_handler:next(Pid),
               {terminate, {crash, error, boom}, _, _} = fun_handler:next(Pid),
               {boom, [_ | _]} = fun_handler:died(Pid),
               close(Client)
       end).


%% The handler's last frame arrives, and the connection is closed at once.
close_waits_for_nothing(Config) ->
    in(Config,
       fun() ->
               {Client, Pid} = fun_handler:open(v2, fun obey/1),
               Pid ! {commands, [{text, <<"last">>}, {close, 4000, <<"words">>}]},
               {text, <<"last">>} = ws_client:recv(Client),
               {close, 4000, <<"words">>} = ws_client:recv(Client),
               {error, closed} = ws_client:recv(Client),
               normal = fun_handler:died(Pid),
               close(Client)
       end).


%% New code, the library's stubs included, and a restart of the application do nothing to a connection.
code_changes(Config) ->
    in(Config,
       fun() ->
               {Client, _Pid} = fun_handler:open(v2, fun echo/1),
               {ok, Modules} = application:get_key(drover, modules),
               Changes = [ fun() -> reload(Module) end || _ <- [1, 2, 3], Module <- Modules -- [drover_wait] ],
               Restart = [ fun() -> application:Do(drover) end || Do <- [stop, start] ],
               [ begin
                     ok = Change(),
                     ok = ws_client:send(Client, {text, <<"a">>}),
                     {text, <<"a">>} = ws_client:recv(Client)
                 end || Change <- Changes ++ Restart ],
               close(Client)
       end).


reload(Module) ->
    {Module, true} = {Module, code:soft_purge(Module)},
    {module, Module} = code:load_file(Module),
    ok.


%% With its connections, those of drover among them.
listener_stops(Config) ->
    in(Config,
       fun() ->
               Server = fun_handler:start(v2, fun echo/1, #{}),
               Connections = [ fun_handler:join(Server) || _ <- lists:seq(1, 3) ],
               ok = fun_handler:stop_all(),
               [ shutdown = fun_handler:died(Pid) || {_, Pid} <- Connections ],
               [ {error, closed} = ws_client:recv(Client) || {Client, _} <- Connections ],
               [ ok = ws_client:close(Client) || {Client, _} <- Connections ]
       end).


not_counted(Config) ->
    in(Config,
       fun() ->
               Socket = [{ip, {127, 0, 0, 1}}, {port, 0}],
               Transport = #{socket_opts => Socket, max_connections => 1, num_conns_sups => 1},
               {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", init_result_h, named}], #{}, Transport),
               Clients = [ named_client(Port, "/") || _ <- lists:seq(1, 5) ],
               [ {text, <<"named">>} = ws_client:recv(Client) || Client <- Clients ],
               [ ok = ws_client:close(Client) || Client <- Clients ],
               drover_target:stop(?FUNCTION_NAME)
       end).


%% init/2 of arity 3, which Cowboy runs in a process that ends, may send messages to itself.
message_to_self(Config) ->
    in(Config,
       fun() ->
               Prepare = fun(Req) ->
                                 self() ! first,
                                 self() ! second,
                                 Req
                         end,
               Server = fun_handler:start(p, fun echo/1, #{prepare => Prepare}),
               {Client, Pid} = fun_handler:join(Server),
               ok = ws_client:send(Client, {text, <<"third">>}),
               [{info, first}, {info, second}, {handle, {text, <<"third">>}}] = fun_handler:take(Pid, 3),
               close(Client)
       end).


other_results(Config) ->
    in(Config,
       fun() ->
               Results = [ok, rest, loop, sub_protocol, {sub_protocol, #{}}, crash, invalid],
               Routes = [ {path(Result), init_result_h, Result} || Result <- Results ],
               {ok, Port} = drover_target:start(?FUNCTION_NAME, Routes, #{}),
               [{200, <<"ok">>},
                {200, <<"rest">>},
                {200, <<"loop">>},
                {200, <<"{upgrade,init_result_h,sub_protocol}">>},
                {200, <<"{upgrade,init_result_h,{sub_protocol,#{}},#{}}">>},
                {500, <<>>},
                {500, <<>>}] = [ get(Port, path(Result)) || Result <- Results ],
               drover_target:stop(?FUNCTION_NAME)
       end).


%% {drover_websocket, Req, State, Opts} with Cowboy's own middlewares.
named(Config) ->
    in(Config, fun() -> results_in_websocket(named, #{middlewares => [cowboy_router, cowboy_handler]}) end).


%% What Plug.Cowboy makes of an upgrade.
plug(Config) ->
    in(Config, fun() -> results_in_websocket(plug, #{}) end).


results_in_websocket(Result, ProtoOpts) ->
    {ok, Port} = drover_target:start(Result, [{"/", init_result_h, Result}], ProtoOpts),
    Client = named_client(Port, "/"),
    Name = atom_to_binary(Result),
    {text, Name} = ws_client:recv(Client),
    ok = ws_client:send(Client, {text, <<"a">>}),
    {text, <<"a">>} = ws_client:recv(Client),
    ok = ws_client:close(Client),
    drover_target:stop(Result).


not_a_handshake(Config) ->
    in(Config,
       fun() ->
               {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", init_result_h, named}], #{}),
               {426, #{<<"upgrade">> := <<"websocket">>}, <<>>} = request(Port, "/", []),
               {400, _, <<>>} = request(Port, "/", ["Connection: upgrade\r\nUpgrade: websocket\r\n"]),
               drover_target:stop(?FUNCTION_NAME)
       end).


%% Requests before the handshake, on the same connection and in the same segment.
middle_of_a_pipeline(Config) ->
    in(Config,
       fun() ->
               Routes = [{"/ok", init_result_h, ok}, {"/", init_result_h, named}],
               {ok, Port} = drover_target:start(?FUNCTION_NAME, Routes, #{}),
               {ok, Client} = ws_client:open(Port),
               Get = "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n",
               Frames = frames([{text, <<"a">>}]),
               ok = ws_client:send(Client, {raw, [Get, Get, ws_client:handshake("/"), Frames]}),
               [{200, _, <<"ok">>}, {200, _, <<"ok">>}] = [ ws_client:recv_response(Client) || _ <- [1, 2] ],
               {_, 101, _} = ws_client:recv_head(Client),
               [{text, <<"named">>}, {text, <<"a">>}] = [ ws_client:recv(Client) || _ <- [1, 2] ],
               ok = ws_client:close(Client),
               drover_target:stop(?FUNCTION_NAME)
       end).


%% Clients that come and go at the same time, each in its own way.
many(Config) ->
    in(Config,
       fun() ->
               {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", init_result_h, named}], #{}),
               Visitors = [ spawn_monitor(fun() -> visit(Port, N) end) || N <- lists:seq(1, 60) ],
               [ receive
                     {'DOWN', Monitor, process, Pid, Reason} -> normal = Reason
                 end || {Pid, Monitor} <- Visitors ],
               drover_target:stop(?FUNCTION_NAME)
       end).


visit(Port, N) ->
    Client = named_client(Port, "/"),
    {text, <<"named">>} = ws_client:recv(Client),
    ok = ws_client:send(Client, {text, integer_to_binary(N)}),
    _ = [ {text, _} = ws_client:recv(Client) || N rem 2 =:= 0 ],
    leave(N rem 3, Client).


leave(0, Client) ->
    ok = ws_client:send(Client, close),
    ws_client:close(Client);
leave(1, Client) ->
    ws_client:close(Client);
leave(2, Client) ->
    ws_client:reset(Client).


%% The socket is the core's, and Erlang's is gone.
adopted(Config) ->
    in(Config, fun() -> {1, []} = held_by_core_and_process() end).


not_adopted(Config) ->
    in(Config, fun() -> {0, _} = held_by_core_and_process() end).


held_by_core_and_process() ->
    Server = fun_handler:start(v2, fun echo/1, #{}),
    Before = sockets_of_core(),
    {Client, Pid} = Connection = fun_handler:join(Server),
    ok = fun_handler:alive(Connection),
    {links, Links} = process_info(Pid, links),
    Held = {sockets_of_core() - Before, [ Port || Port <- Links, is_port(Port) ]},
    close(Client),
    Held.


sockets_of_core() ->
    maps:get(connections, drover_native:stats()).


unix_socket(Config) ->
    Path = filename:join("/tmp", "drover_cowboy_SUITE_" ++ os:getpid()),
    in(Config,
       fun() ->
               Transport = #{socket_opts => [{ip, {local, Path}}, {port, 0}]},
               {ok, _} = drover_target:start(?FUNCTION_NAME, [{"/", init_result_h, named}], #{}, Transport),
               Before = sockets_of_core(),
               Client = named_client({local, Path}, "/"),
               {text, <<"named">>} = ws_client:recv(Client),
               1 = sockets_of_core() - Before,
               ok = ws_client:send(Client, {text, <<"a">>}),
               {text, <<"a">>} = ws_client:recv(Client),
               ok = ws_client:close(Client),
               ok = drover_target:stop(?FUNCTION_NAME),
               file:delete(Path)
       end).


%% What a proxy said about the client stays in the request.
proxy_header(Config) ->
    in(Config,
       fun() ->
               #{port := Port} = fun_handler:start(p, fun echo/1, #{proto => #{proxy_header => true}}),
               {ok, Client} = ws_client:open(Port),
               Proxy = "PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\n",
               ok = ws_client:send(Client, {raw, [Proxy, ws_client:handshake("/")]}),
               {_, 101, _} = ws_client:recv_head(Client),
               Pid = receive
                         {fun_handler, _, {upgrade, #{pid := Connection}}} -> Connection
                     end,
               ok = ws_client:send(Client, close),
               {terminate, remote, #{proxy_header := #{src_address := {192, 0, 2, 1}}}, _} = fun_handler:next(Pid),
               close(Client)
       end).


%% A socket without a port, as a node has them with `-kernel inet_backend socket'.
foreign_backend(Config) ->
    in(Config,
       fun() ->
               Before = sockets_of_core(),
               ok = persistent_term:put({kernel, inet_backend}, socket),
               Server = fun_handler:start(v2, fun echo/1, #{}),
               true = persistent_term:erase({kernel, inet_backend}),
               {Client, _} = Connection = fun_handler:join(Server),
               ok = fun_handler:alive(Connection),
               Before = sockets_of_core(),
               close(Client)
       end).


no_leaks(Config) ->
    in(Config, fun() -> fun_handler:no_leaks(proplists:get_value(leaks, Config)) end).


%% In the node with the Cowboy.
in(Config, Fun) ->
    _ = cowboy_peer:call(proplists:get_value(peer, Config), erlang, apply, [Fun, []]),
    ok.


echo({handle, {Type, _} = Frame}) when Type =:= text; Type =:= binary -> {reply, Frame};
echo({info, {send, Text}}) -> {reply, {text, Text}};
echo(_Event) -> ok.


text_size({handle, {text, Text}}) -> {reply, {text, integer_to_binary(byte_size(Text))}};
text_size(_Event) -> ok.


obey({info, {commands, Commands}}) -> {commands, Commands};
obey(Event) -> echo(Event).


frames(Frames) ->
    Masked = [ ws_client:frame(#{opcode => Opcode, payload => Payload}) || {Opcode, Payload} <- Frames ],
    iolist_to_binary(Masked).


deflated(Size) ->
    Z = zlib:open(),
    ok = zlib:deflateInit(Z, default, deflated, -15, 8, default),
    Bytes = iolist_to_binary(zlib:deflate(Z, binary:copy(<<"a">>, Size), sync)),
    ok = zlib:close(Z),
    binary:part(Bytes, 0, byte_size(Bytes) - 4).


inflated({frame, true, 4, text, Payload}) ->
    Z = zlib:open(),
    ok = zlib:inflateInit(Z, -15),
    Text = iolist_to_binary(zlib:inflate(Z, [Payload, <<0, 0, 255, 255>>])),
    ok = zlib:close(Z),
    binary_to_integer(Text).


close(Client) ->
    ok = ws_client:close(Client),
    fun_handler:stop_all().


named_client(Endpoint, Path) ->
    {ok, Client, {101, _}} = ws_client:connect(Endpoint, Path),
    Client.


path({sub_protocol, _}) -> "/sub_protocol_with_options";
path(Result) -> [$/ | atom_to_list(Result)].


get(Port, Path) ->
    {Status, _, Body} = request(Port, Path, []),
    {Status, Body}.


request(Port, Path, Headers) ->
    ws_client:request(Port, ["GET ", Path, " HTTP/1.1\r\nHost: localhost\r\n", Headers, "\r\n"]).
