%% Scenarios of section A: the opening handshake and its answers.
-module(parity_handshake).

-export([scenarios/0]).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    accepted() ++ refused() ++ by_init() ++ early().


accepted() ->
    [{handshake, "A1 A2 A3", #{api => [v2, v2pre]}, [close]},
     {version_7, "A1", asking([{"Sec-WebSocket-Version", "7"}]), [close]},
     {version_8, "A1", asking([{"Sec-WebSocket-Version", "8"}]), [close]},
     {connection_among_tokens, "A1", asking([{"Connection", "keep-alive, Upgrade"}]), [close]},
     {connection_in_capitals, "A1", asking([{"Connection", "UPGRADE"}]), [close]},
     {upgrade_in_capitals, "A1", asking([{"Upgrade", "WebSocket"}]), [close]},
     {upgrade_among_tokens, "A9", asking([{"Upgrade", "h2c, websocket"}]), [close]},
     {empty_key, "A3", asking([{"Sec-WebSocket-Key", ""}]), [close]},
     {short_key, "A3", asking([{"Sec-WebSocket-Key", "not base64"}]), [close]},
     {two_keys, "A4", asking([{"+Sec-WebSocket-Key", "second"}]), [close]},
     {extension_unknown, "A11 J87", #{offer => "x-unknown; a=b"}, [close]},
     {unknown_options, "A18", #{opts => #{run_or_hibernate => run, x => 1}}, [close]},
     {no_options, "A18 D40", #{upgrade => []}, [close]}].


refused() ->
    [{no_key, "A5", asking([{"Sec-WebSocket-Key", none}]), [hang_up]},
     {no_version, "A6", asking([{"Sec-WebSocket-Version", none}]), [hang_up]},
     {version_12, "A6", asking([{"Sec-WebSocket-Version", "12"}]), [hang_up]},
     {version_13x, "A6", asking([{"Sec-WebSocket-Version", "13x"}]), [hang_up]},
     {hixie_76, "A6",
                asking([{"Sec-WebSocket-Version", none},
                        {"Sec-WebSocket-Key", none},
                        {"Sec-WebSocket-Key1", "4 @1  46546xW%0l 1 5"},
                        {"Sec-WebSocket-Key2", "12998 5 Y3 1  .P00"}]),
                [hang_up]},
     {no_connection, "A7", asking([{"Connection", none}]), [hang_up]},
     {connection_without_upgrade, "A7", asking([{"Connection", "keep-alive"}]), [hang_up]},
     {plain_get, "A7", asking([{"Connection", none}, {"Upgrade", none}]), [hang_up]},
     {no_upgrade, "A8", asking([{"Upgrade", none}]), [hang_up]},
     {upgrade_to_h2c, "A9", asking([{"Upgrade", "h2c"}]), [hang_up]},
     {post, "A10", (asking([]))#{method => "POST"}, [hang_up]},
     {put, "A10", (asking([]))#{method => "PUT"}, [hang_up]},
     {http_1_0, "A10", (asking([]))#{version => "HTTP/1.0"}, [closed]},
     {malformed_extensions, "A11", (asking([]))#{offer => ";;;"}, [hang_up]},
     {malformed_extensions_compressing, "A11", (asking([]))#{offer => ";;;", opts => #{compress => true}}, [hang_up]},
     {handshake_after_400, "A12",
                           asking([{"Sec-WebSocket-Key", none}]),
                           [{again, #{}}, {answers, 2}, {text, <<"a">>}, close]},
     {handshake_after_426, "A12", asking([{"Upgrade", "h2c"}]), [{again, #{}}, {answers, 2}, close]}].


%% What init/2 may do.
by_init() ->
    [{init_replies, "A13 G69", init(fun replies/2), [hang_up]},
     {init_replies_and_more, "A13", init(fun replies/2), [{again, #{}}, {answers, 2}, {text, <<"a">>}, close]},
     {init_says_nothing, "A13", init(fun(Req, State) -> {ok, Req, State} end), [hang_up]},
     {init_errors, "A14", init(fun(_Req, _State) -> error(boom) end), [hang_up]},
     {init_exits, "A14 F68", init(fun(_Req, _State) -> exit(boom) end), [hang_up]},
     {init_throws, "A14 F68", init(fun(Req, State) -> throw({cowboy_websocket, Req, State}) end), [hang_up]},
     {init_returns_nonsense, "A14", init(fun(_Req, _State) -> nonsense end), [hang_up]},
     {fourth_element_an_atom, "A18", (asking([]))#{upgrade => [nonsense]}, [hang_up]},
     {headers_of_init, "A15", #{api => [v2, v2pre], init_2 => fun with_headers/2}, [close]},
     {cookie_of_init, "A15", #{init_2 => fun with_cookie/2}, [close]},
     {subprotocol_chosen, "A15 A16", #{headers => [{"Sec-WebSocket-Protocol", "Foo, bar"}], init_2 => fun subprotocols/2}, [close]},
     {subprotocol_not_chosen, "A15", #{headers => [{"Sec-WebSocket-Protocol", "foo"}]}, [close]},
     {subprotocol_absent, "A16", #{init_2 => fun subprotocols/2}, [close]},
     {subprotocol_empty, "A16", (init(fun subprotocols/2))#{headers => [{"Sec-WebSocket-Protocol", ""}]}, [hang_up]}].


%% Frames in the segment of the handshake.
early() ->
    Text = {text, <<"early">>},
    [{early_frame, "A17 B22", #{early => [Text], handle => echo}, [{text, <<"later">>}, close]},
     {early_frames, "A17", #{early => [Text, {ping, <<"p">>}, Text], handle => echo}, [close]},
     {early_frame_in_part, "A17",
                           #{early => [{raw, binary:part(whole(Text), 0, 5)}], handle => echo},
                           [{raw, binary:part(whole(Text), 5, byte_size(whole(Text)) - 5)}, close]},
     {early_close, "A17 E47", #{early => [{close, 1001, <<"bye">>}]}, []},
     {early_bad_frame, "A17 C36", #{early => [{raw, <<255, 255>>}]}, []},
     {early_frame_after_close_of_init, "B22", #{early => [Text], init => {reply, close}}, []},
     {early_frame_while_passive, "K99",
                                 #{early => [Text], init => {commands, [{active, false}]}, handle => echo, ways => http1},
                                 [{frames, 1}, {text, <<"later">>}, {info, {commands, [{active, true}]}}, {frames, 2}, close]},
     {early_frames_of_arity_3, "A17",
                               (asking([]))#{api => v2pre, early => [Text], handle => echo, recorded => {[{text, <<"later">>}, close], {[remote], {exited, normal}}}},
                               [{text, <<"later">>}, close]}].


%% What is asked for in headers that HTTP/2 does not have.
asking(Headers) ->
    #{headers => Headers, ways => http1}.


init(Fun) ->
    #{init_2 => Fun, ways => http1}.


replies(#{headers := #{<<"sec-websocket-key">> := _}} = Req, State) ->
    Reply = cowboy_req:reply(403, #{<<"content-type">> => <<"text/plain">>}, <<"not you">>, Req),
    {ok, Reply, State}.


with_headers(Req, _State) ->
    upgrade(cowboy_req:set_resp_headers(#{<<"x-one">> => <<"1">>, <<"a">> => <<"b">>}, Req)).


with_cookie(Req, _State) ->
    upgrade(cowboy_req:set_resp_cookie(<<"session">>, <<"x">>, cowboy_req:set_resp_cookie(<<"b">>, <<"y">>, Req))).


subprotocols(Req, _State) ->
    case cowboy_req:parse_header(<<"sec-websocket-protocol">>, Req) of
        undefined -> upgrade(cowboy_req:set_resp_header(<<"x-protocols">>, <<"none">>, Req));
        [_, Last] -> upgrade(cowboy_req:set_resp_header(<<"sec-websocket-protocol">>, Last, Req))
    end.


upgrade(Req) ->
    {cowboy_websocket, Req, ws_script:script(Req)}.


whole(Frame) ->
    iolist_to_binary(ws_client:encode(Frame)).
