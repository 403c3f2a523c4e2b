%% The opening handshake: which requests are answered how, and what init/2 may do instead.
-module(handshake_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

-define(ACCEPT, <<"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=">>).
-define(GUID,   "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").


all() ->
    [{group, v2}, {group, v2pre}, no_leaks].


groups() ->
    Policy = [versions, tokens, answer_headers, accept_of_any_key, two_keys, no_key, bad_version, no_upgrade_token,
              no_upgrade_header, other_protocol, other_method, http_1_0, malformed_extensions,
              malformed_extensions_with_compression, usable_after_refusal],
    Init = [init_replies, init_replies_nothing, init_crashes, response_headers, subprotocols, no_subprotocols, subprotocol_case,
            init_returns_nonsense, frames_during_init],
    V2 = [unknown_options, options_no_map, early_frame, large_early_frame, hybrid_returns, init_killed],
    V2pre = [early_frame_dropped, upgrade_returns, meta_values],
    Drover = [no_handler, api_forced, api_forced_by_handler],
    [{v2, [], Policy ++ Init ++ V2 ++ Drover}, {v2pre, [], Policy ++ Init ++ V2pre}].


init_per_suite(Config) -> ws_script:init_per_suite(Config).


end_per_suite(Config) -> ws_script:end_per_suite(Config).


init_per_group(Group, Config) -> ws_script:init_per_group(Group, Config, #{websocket_api => auto}).


end_per_group(Group, Config) -> ws_script:end_per_group(Group, Config).


init_per_testcase(Case, Config) ->
    ws_script:init_per_testcase(Case,
                                Config,
                                #{
                                  frames_during_init => drover,
                                  init_killed => drover,
                                  large_early_frame => drover,
                                  http_1_0 => {2, 18},
                                  hybrid_returns => drover,
                                  no_handler => drover,
                                  api_forced => drover,
                                  api_forced_by_handler => drover
                                 }).


%%% The policy.


%% A1: versions 7, 8 and 13 are accepted.
versions(Config) ->
    [ {101, _, _} = request(Config, [{"Sec-WebSocket-Version", V}]) || V <- ["7", "8", "13"] ],
    ok.


%% A1: the tokens of Connection and Upgrade are case-insensitive and may be among others.
tokens(Config) ->
    [ {101, _, _} = request(Config, Headers)
      || Headers <- [[{"Upgrade", "WebSocket"}],
                     [{"Connection", "UPGRADE"}],
                     [{"Connection", "keep-alive, Upgrade"}],
                     [{"Connection", "keep-alive,upgrade"}]] ],
    ok.


%% A2: the 101 carries date and server besides the handshake's own headers, in lower case and sorted.
answer_headers(Config) ->
    {ok, Client} = ws_client:open(port(Config)),
    ok = ws_client:send(Client, {raw, ws_client:handshake("/")}),
    {<<"HTTP/1.1">>, 101, Headers} = ws_client:recv_head(Client),
    [<<"connection">>, <<"date">>, <<"sec-websocket-accept">>, <<"server">>, <<"upgrade">>] = [ N || {N, _} <- Headers ],
    {_, <<"Upgrade">>} = lists:keyfind(<<"connection">>, 1, Headers),
    {_, <<"websocket">>} = lists:keyfind(<<"upgrade">>, 1, Headers),
    {_, ?ACCEPT} = lists:keyfind(<<"sec-websocket-accept">>, 1, Headers),
    ws_client:close(Client).


%% A3: the key is hashed as it stands, base64 of 16 bytes or not.
accept_of_any_key(Config) ->
    [ {101, #{<<"sec-websocket-accept">> := Accept}, _} = request(Config, [{"Sec-WebSocket-Key", Key}])
      || {Key, Accept} <- [ {Key, accept(Key)} || Key <- ["x", "", "*** not base64 ***", lists:duplicate(200, $a)] ] ],
    ok.


%% A4: two keys are joined and hashed together.
two_keys(Config) ->
    Accept = accept("a, b"),
    {101, #{<<"sec-websocket-accept">> := Accept}, _} =
        request(Config, [{"Sec-WebSocket-Key", "a"}], [{"Sec-WebSocket-Key", "b"}]),
    ok.


%% A5: a handshake without a key is a bad request.
no_key(Config) ->
    {400, _, _} = request(Config, [{"Sec-WebSocket-Key", none}]),
    ok.


%% A6: a version other than 7, 8 and 13, or none, is a bad request, and the answer names no version.
bad_version(Config) ->
    [ begin
          {400, Headers, _} = request(Config, [{"Sec-WebSocket-Version", Version}]),
          false = is_map_key(<<"sec-websocket-version">>, Headers)
      end
      || Version <- [none, "12", "0", "13x", "", "113"] ],
    {400, _, _} = request(
                    Config,
                    [{"Sec-WebSocket-Version", none}, {"Sec-WebSocket-Key", none}],
                    [{"Sec-WebSocket-Key1", "Y\" 4 1Lj!957b8@0H756!i"}, {"Sec-WebSocket-Key2", "1711 M;4\\74  80<6"}]),
    ok.


%% A7: a request that does not ask for an upgrade is told to.
no_upgrade_token(Config) ->
    [ {426,
       #{<<"connection">> := <<"upgrade">>, <<"upgrade">> := <<"websocket">>, <<"content-length">> := <<"0">>},
       <<>>} = request(Config, [{"Connection", Value}])
      || Value <- [none, "keep-alive", "upgraded"] ],
    {426, _, _} = ws_client:request(port(Config), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ok.


%% A8: an upgrade to nothing is a bad request.
no_upgrade_header(Config) ->
    {400, _, _} = request(Config, [{"Upgrade", none}]),
    ok.


%% A9: an upgrade to something else is told to what it could be; websocket may be one of several.
other_protocol(Config) ->
    {426, _, _} = request(Config, [{"Upgrade", "h2c"}]),
    {101, _, _} = request(Config, [{"Upgrade", "h2c, websocket"}]),
    ok.


%% A10: only GET upgrades.
other_method(Config) ->
    {426, _, _} = request(Config, "POST / HTTP/1.1", [], [{"Content-Length", "0"}]),
    ok.


%% A10: HTTP/1.0 knows no upgrade.
http_1_0(Config) ->
    {501, #{<<"connection">> := <<"close">>}, _} = request(Config, "GET / HTTP/1.0", [], []),
    ok.


%% A11: malformed extensions are a bad request, asked for or not.
malformed_extensions(Config) ->
    {400, _, _} = request(Config, [], [{"Sec-WebSocket-Extensions", ";;;"}]),
    ok.


%% A11: malformed extensions are a bad request with compression too.
malformed_extensions_with_compression(Config) ->
    %% An option of the handler in one API, of the listener in the other.
    Api = proplists:get_value(api, Config),
    Handler = ws_script:handler(Api),
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", Handler, []}], #{compress => true}),
    {400, _, _} = request([{port, Port}], [], [{"Sec-WebSocket-Extensions", ";;;"}, ws_script:header(#{upgrade => compress(Api)})]),
    drover_target:stop(?FUNCTION_NAME).


compress(v2) -> [#{compress => true}];
compress(v2pre) -> [].


%% A12: after a refusal the connection can be used for another request.
usable_after_refusal(Config) ->
    {ok, Client} = ws_client:open(port(Config)),
    ok = ws_client:send(Client, {raw, request_bytes("GET / HTTP/1.1", headers([{"Sec-WebSocket-Key", none}]))}),
    {400, _, _} = ws_client:recv_response(Client),
    ok = ws_client:send(Client, {raw, request_bytes("GET / HTTP/1.1", headers([{"Connection", none}]))}),
    {426, _, _} = ws_client:recv_response(Client),
    ok = ws_client:send(Client, {raw, ws_client:handshake("/")}),
    {101, _, _} = ws_client:recv_response(Client),
    ok = ws_client:send(Client, close),
    close = ws_client:recv(Client),
    ws_client:close(Client).


%%% What init/2 may do.


%% A13: init/2 may answer by itself; terminate gets `normal' and the full request.
init_replies(Config) ->
    Reply = fun(Req, _) ->
                    {ok, (drover_target:req()):reply(403, #{<<"x-why">> => <<"not you">>}, <<"no">>, Req), ws_script:script(Req)}
            end,
    #{status := 403, headers := #{<<"x-why">> := <<"not you">>}} = Conn = ws_script:connect(Config, #{init_2 => Reply}),
    {normal, FullReq, _} = terminated(Conn),
    #{headers := #{<<"upgrade">> := <<"websocket">>}, method := <<"GET">>, path := <<"/">>, bindings := #{}} = FullReq,
    ws_script:close(Conn).


%% A13: init/2 that returns `ok' and has not answered gives 204.
init_replies_nothing(Config) ->
    #{status := 204} = Conn = ws_script:connect(Config, #{init_2 => fun(Req, _) -> {ok, Req, ws_script:script(Req)} end}),
    {normal, _, _} = terminated(Conn),
    ws_script:close(Conn).


%% A14: a crash of init/2 is a 500; terminate gets the crash, and the state that the route gives.
init_crashes(Config) ->
    [ init_crashes(Config, Class) || Class <- [error, exit, throw] ],
    ok.


init_crashes(Config, Class) ->
    Test = self(),
    %% terminate/3 knows no script here: its state is the route's.
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", handler_of_crash(Config), #{pid => Test, class => Class}}], #{}),
    {500, #{<<"content-length">> := <<"0">>}, <<>>} = ws_client:request(Port, ws_client:handshake("/")),
    receive
        {terminate, Reason, Req, State} ->
            {crash, Class, boom} = Reason,
            #{headers := #{<<"upgrade">> := <<"websocket">>}} = Req,
            #{pid := Test, class := Class} = State
    after
        10000 ->
            error(no_terminate)
    end,
    drover_target:stop(?FUNCTION_NAME).


handler_of_crash(Config) ->
    case proplists:get_value(api, Config) of
        v2 -> init_crash_v2_h;
        v2pre -> init_crash_v2pre_h
    end.


%% A14: so is a return value that means nothing.
init_returns_nonsense(Config) ->
    [ #{status := 500} = closed(ws_script:connect(Config, #{init_2 => fun(_, _) -> Result end}))
      || Result <- [ok, {ok, no_state}, {cowboy_websocket, no_state}, {unknown_upgrade, req, state}, {error, reason}] ],
    ok.


closed(Conn) ->
    ok = ws_client:close(maps:get(client, Conn)),
    _ = ws_script:down(Conn),
    Conn.


%% A14: so is the death of the request process.
init_killed(Config) ->
    #{status := 500} = closed(ws_script:connect(Config, #{init_2 => fun(_, _) -> exit(self(), kill) end})),
    ok.


%% A17: frames that come while init/2 runs are handled after it.
frames_during_init(Config) ->
    Test = self(),
    Wait = fun(Req, _) ->
                   Test ! {waiting, self()},
                   receive continue -> {cowboy_websocket, Req, ws_script:script(Req)} end
           end,
    {ok, Client} = ws_client:open(port(Config)),
    Script = #{init_2 => Wait, handle => echo()},
    ok = ws_client:send(Client, {raw, ws_client:handshake("/", #{headers => [ws_script:header(Script)]})}),
    Pid = receive {waiting, P} -> P end,
    Large = binary:copy(<<"0123456789">>, 50000),
    ok = ws_client:send(Client, {text, "1"}),
    ok = ws_client:send(Client, {text, Large}),
    Pid ! continue,
    {101, _, _} = ws_client:recv_response(Client),
    [{text, <<"1">>}, {text, Large}] = ws_client:recv_many(Client, 2),
    ws_client:close(Client).


%% A15: what init/2 sets as response header goes out with the 101.
response_headers(Config) ->
    Set = fun(Req0, _) ->
                  Req = (drover_target:req()):set_resp_header(<<"sec-websocket-protocol">>, <<"mqtt">>, Req0),
                  {cowboy_websocket, Req, ws_script:script(Req)}
          end,
    Conn = ws_script:connect(Config, #{init_2 => Set}, protocols(["stomp, mqtt"])),
    #{status := 101, headers := #{<<"sec-websocket-protocol">> := <<"mqtt">>}} = Conn,
    ws_script:close(Conn).


%% A15: without that, no sub-protocol is picked.
no_subprotocols(Config) ->
    #{status := 101, headers := Headers} = Conn = ws_script:connect(Config, #{}, protocols(["mqtt"])),
    false = is_map_key(<<"sec-websocket-protocol">>, Headers),
    ws_script:close(Conn).


%% A16: the offered sub-protocols are a list, `undefined' without the header, and an empty header is an error.
subprotocols(Config) ->
    undefined = offered_protocols(Config, []),
    [<<"a">>, <<"b">>, <<"c">>] = offered_protocols(Config, ["a, b", "c"]),
    error = offered_protocols(Config, [""]).


%% A16: their case is kept, or lowered for handlers of arity 3.
subprotocol_case(Config) ->
    Expected = case proplists:get_value(api, Config) of
                   v2 -> [<<"MQTT">>, <<"mqtt">>];
                   v2pre -> [<<"mqtt">>, <<"mqtt">>]
               end,
    Expected = offered_protocols(Config, ["MQTT, mqtt"]).


offered_protocols(Config, Values) ->
    Test = self(),
    Parse = fun(Req, _) ->
                    Parsed = (drover_target:req()):parse_header(<<"sec-websocket-protocol">>, Req),
                    Test ! {offered, Parsed},
                    {cowboy_websocket, Req, ws_script:script(Req)}
            end,
    case ws_script:connect(Config, #{init_2 => Parse}, protocols(Values)) of
        #{status := Status} = Conn when Status >= 400 ->
            ok = ws_script:close(Conn),
            error;
        #{status := 101} = Conn ->
            ok = ws_script:close(Conn),
            receive
                {offered, Parsed} -> Parsed
            end
    end.


protocols(Values) ->
    #{headers => [ {"Sec-WebSocket-Protocol", Value} || Value <- Values ]}.


%% A17: a frame sent together with the handshake is handled after websocket_init.
early_frame(Config) ->
    Early = ws_client:frame(#{payload => "early"}),
    Conn = ws_script:connect(Config, #{init => {reply, {text, "init"}}, handle => echo()}, #{early => Early}),
    [{text, <<"init">>}, {text, <<"early">>}] = ws_client:recv_many(maps:get(client, Conn), 2),
    ws_script:close(Conn).


%% A17: however large it is.
large_early_frame(Config) ->
    Payload = binary:copy(<<"0123456789">>, 90000),
    Early = [ws_client:frame(#{payload => Payload}), ws_client:frame(#{opcode => ping})],
    #{client := Client} = Conn = ws_script:connect(Config, #{handle => echo()}, #{early => Early}),
    {text, Payload} = ws_client:recv(Client),
    {pong, <<>>} = ws_client:recv(Client),
    ws_script:close(Conn).


%% A17: handlers of arity 3 never see a frame that was sent together with the handshake.
early_frame_dropped(Config) ->
    Early = ws_client:frame(#{payload => "early"}),
    #{client := Client} = Conn = ws_script:connect(Config, #{handle => echo()}, #{early => Early}),
    ok = ws_client:send(Client, {text, "late"}),
    {text, <<"late">>} = ws_client:recv(Client),
    ws_script:close(Conn).


%% A18: options that mean nothing to the server are ignored.
unknown_options(Config) ->
    #{status := 101} = Conn = ws_script:connect(Config, #{upgrade => [#{run_or_hibernate => run, {1, 2} => 3}]}),
    ws_script:close(Conn).


%% A18: options that are no options crash the request, not the connection.
options_no_map(Config) ->
    #{status := 500} = Conn = ws_script:connect(Config, #{upgrade => [not_a_map]}),
    ws_script:close(Conn).


%% A18: between the two APIs were callbacks of arity 2 with a timeout or `hibernate' from init/2.
hybrid_returns(Config) ->
    [ upgrades_with(Config, More) || More <- [[], [hibernate], [60000], [infinity], [60000, hibernate]] ],
    ok.


%% B19: init/2 may give a timeout, `hibernate', or both.
upgrade_returns(Config) ->
    hybrid_returns(Config).


upgrades_with(Config, More) ->
    #{status := 101, client := Client} = Conn = ws_script:connect(Config, #{upgrade => More, handle => echo()}),
    ok = ws_client:send(Client, {text, "a"}),
    {text, <<"a">>} = ws_client:recv(Client),
    ws_script:close(Conn).


%% A1: handlers of arity 3 find in their request which version is spoken, and whether compression is in use.
meta_values(Config) ->
    [ meta_values(Config, Version) || Version <- [7, 8, 13] ],
    ok.


meta_values(Config, Version) ->
    #{client := Client} = Conn = ws_script:connect(Config, #{}, #{version => Version}),
    ok = ws_client:send(Client, close),
    {remote, Req, _} = terminated(Conn),
    #{websocket_version := Version, websocket_compress := false} = Req,
    Version = drover_req:meta(websocket_version, Req),
    ws_script:close(Conn).


%%% Which API a handler speaks.


%% A14: a module that is no WebSocket handler gives a 500.
no_handler(_Config) ->
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", no_callbacks_h, []}], #{}),
    {500, _, _} = ws_client:request(Port, ws_client:handshake("/")),
    drover_target:stop(?FUNCTION_NAME).


%% A1: a listener's option says which API a handler of both speaks; otherwise it is that of arity 2.
api_forced(_Config) ->
    [<<"arity 2">>, <<"arity 2">>, <<"arity 3">>] = [ answer_of_both(Api) || Api <- [auto, v2, v2pre] ],
    ok.


%% A1: that option may be given for each handler.
api_forced_by_handler(_Config) ->
    <<"arity 3">> = answer_of_both(#{both_apis_h => v2pre}),
    <<"arity 2">> = answer_of_both(#{script_v2_h => v2pre}).


answer_of_both(Api) ->
    {ok, Port} = drover_target:start(?FUNCTION_NAME, [{"/", both_apis_h, []}], #{websocket_api => Api}),
    {ok, Client, {101, _}} = ws_client:connect(Port, "/"),
    ok = ws_client:send(Client, {text, "which"}),
    {text, Answer} = ws_client:recv(Client),
    ok = ws_client:close(Client),
    ok = drover_target:stop(?FUNCTION_NAME),
    Answer.


no_leaks(Config) -> ws_script:no_leaks(Config).


%%% Helpers.


port(Config) ->
    proplists:get_value(port, Config).


request(Config, Changes) ->
    request(Config, "GET / HTTP/1.1", Changes, []).


request(Config, Changes, More) ->
    request(Config, "GET / HTTP/1.1", Changes, More).


request(Config, Line, Changes, More) ->
    ws_client:request(port(Config), request_bytes(Line, headers(Changes) ++ More)).


request_bytes(Line, Headers) ->
    [Line, "\r\n", [ [Name, ": ", Value, "\r\n"] || {Name, Value} <- Headers ], "\r\n"].


%% Those of a good handshake, some with another value or left out.
headers(Changes) ->
    Good = [{"Host", "localhost"},
            {"Connection", "Upgrade"},
            {"Upgrade", "websocket"},
            {"Sec-WebSocket-Version", "13"},
            {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}],
    Changed = [ {Name, proplists:get_value(Name, Changes, Value)} || {Name, Value} <- Good ],
    [ Header || {_, Value} = Header <- Changed, Value =/= none ].


accept(Key) ->
    base64:encode(crypto:hash(sha, [Key, ?GUID])).


echo() ->
    {run, fun(Frame) -> {reply, Frame} end}.


%% Without an upgrade terminate/3 runs where init/2 did.
terminated(_Conn) ->
    receive
        {ws_script, _Pid, terminate, Argument} -> Argument
    after
        10000 ->
            error(no_terminate)
    end.
