%% The answer to an opening handshake as data: section A of guides/compatibility.md. How the answers look on the
%% wire is handshake_SUITE's.
-module(upgrade_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

-define(KEY,    <<"dGhlIHNhbXBsZSBub25jZQ==">>).
-define(ACCEPT, <<"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=">>).


all() ->
    [accepted, any_key, no_key, versions, connection, upgrade, no_upgrade_header, methods, http_1_0, malformed_headers,
     extensions, malformed_extensions, malformed_but_no_upgrade].


%% A1, A2: what goes into the 101, and the version that was agreed upon.
accepted(_) ->
    {ok, #{headers := Headers, version := 13, deflate := none}} = check(#{}),
    #{
      <<"connection">> := <<"Upgrade">>,
      <<"upgrade">> := <<"websocket">>,
      <<"sec-websocket-accept">> := ?ACCEPT
     } = Headers,
    3 = map_size(Headers),
    ok.


%% A3, A4: the key is hashed as it is, whatever it is.
any_key(_) ->
    [ {ok, #{headers := #{<<"sec-websocket-accept">> := Accept}}} = check(#{<<"sec-websocket-key">> => Key})
      || Key <- [<<>>, <<"x">>, <<"a, b">>, binary:copy(<<"k">>, 1000), <<255, 0>>],
         Accept <- [base64:encode(crypto:hash(sha, [Key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"]))] ],
    ok.


%% A5: there has to be a key.
no_key(_) ->
    {reply, 400, #{}} = check(#{<<"sec-websocket-key">> => none}),
    ok.


%% A1, A6: versions 7, 8 and 13, and the answer to others does not name them.
versions(_) ->
    [ {ok, #{version := Version}} = check(#{<<"sec-websocket-version">> => integer_to_binary(Version)})
      || Version <- [7, 8, 13] ],
    [ {Version, {reply, 400, #{}}} = {Version, check(#{<<"sec-websocket-version">> => Version})}
      || Version <- [none, <<"12">>, <<"0">>, <<"-1">>, <<"255">>, <<"256">>, <<"13x">>, <<"13, 8">>, <<>>] ],
    {reply, 400, _} =
        check(#{
                <<"sec-websocket-version">> => none,
                <<"sec-websocket-key">> => none,
                <<"sec-websocket-key1">> => <<"4 @1  46546xW%0l 1 5">>,
                <<"sec-websocket-key2">> => <<"12998 5 Y3 1  .P00">>
               }),
    ok.


%% A1, A7: the token upgrade in Connection, in any case and company.
connection(_) ->
    [ {ok, _} = check(#{<<"connection">> => Value})
      || Value <- [<<"upgrade">>, <<"UPGRADE">>, <<"keep-alive, Upgrade">>, <<"keep-alive,upgrade">>, <<", Upgrade ,">>] ],
    [ {Value, {reply, 426, #{<<"connection">> := <<"upgrade">>, <<"upgrade">> := <<"websocket">>} = Headers}, 2} =
          {Value, check(#{<<"connection">> => Value}), map_size(Headers)}
      || Value <- [none, <<"keep-alive">>, <<"upgrade2">>, <<"close">>],
         {reply, _, Headers} <- [check(#{<<"connection">> => Value})] ],
    ok.


%% A1, A9: the token websocket in Upgrade, in any case and company; with a version it is another.
upgrade(_) ->
    [ {ok, _} = check(#{<<"upgrade">> => Value})
      || Value <- [<<"websocket">>, <<"WebSocket">>, <<"h2c, websocket">>, <<"websocket, h2c/1">>] ],
    [ {Value, {reply, 426, _}} = {Value, check(#{<<"upgrade">> => Value})}
      || Value <- [<<"h2c">>, <<"websocket/13">>, <<"web, socket">>] ],
    ok.


%% A8: an upgrade to nothing.
no_upgrade_header(_) ->
    {reply, 400, #{}} = check(#{<<"upgrade">> => none}),
    {reply, 426, _} = check(#{<<"upgrade">> => none, <<"connection">> => none}),
    ok.


%% A10: only GET upgrades.
methods(_) ->
    [ {reply, 426, _} = drover_upgrade:check((req(#{}))#{method := Method}, #{})
      || Method <- [<<"POST">>, <<"HEAD">>, <<"OPTIONS">>, <<"get">>, <<"CONNECT">>] ],
    ok.


%% A10: HTTP/1.0 cannot upgrade, so that anything else does not matter.
http_1_0(_) ->
    [ {reply, 501, #{<<"connection">> := <<"close">>}} =
          drover_upgrade:check((req(Headers))#{version := 'HTTP/1.0'}, #{})
      || Headers <- [#{}, #{<<"upgrade">> => none}, #{<<"connection">> => <<";">>}] ],
    ok.


%% What cannot be parsed is answered with 400.
malformed_headers(_) ->
    [ {Name, Value, {reply, 400, #{}}} = {Name, Value, check(#{Name => Value})}
      || {Name, Value} <- [{<<"connection">>, <<>>},
                           {<<"connection">>, <<",">>},
                           {<<"connection">>, <<"Upgrade;">>},
                           {<<"connection">>, <<"a b">>},
                           {<<"upgrade">>, <<>>},
                           {<<"upgrade">>, <<"\"websocket\"">>}] ],
    ok.


%% Extensions are answered if compression is on and one is acceptable.
extensions(_) ->
    Offer = #{<<"sec-websocket-extensions">> => <<"x-unknown, permessage-deflate; client_max_window_bits">>},
    {ok, #{deflate := none, headers := Plain}} = check(Offer),
    {ok, #{deflate := none, headers := Plain}} = check(Offer, #{compress => false}),
    false = maps:is_key(<<"sec-websocket-extensions">>, Plain),
    {ok, #{deflate := Params, headers := #{<<"sec-websocket-extensions">> := Answer}}} =
        check(Offer, #{compress => true}),
    true = Params =/= none,
    <<"permessage-deflate; client_max_window_bits=15">> = iolist_to_binary(Answer),
    {ok, #{headers := #{<<"sec-websocket-extensions">> := Limited}}} =
        check(Offer, #{compress => true, deflate_opts => #{server_max_window_bits => 10}}),
    {match, _} = re:run(Limited, "server_max_window_bits=10"),
    Unknown = #{<<"sec-websocket-extensions">> => <<"x-unknown">>},
    {ok, #{deflate := none, headers := Plain}} = check(Unknown, #{compress => true}),
    {ok, #{deflate := none, headers := Plain}} = check(#{}, #{compress => true}),
    ok.


%% A11: malformed offers are refused with compression on or off.
malformed_extensions(_) ->
    [ {Value, Opts, {reply, 400, #{}}} = {Value, Opts, check(#{<<"sec-websocket-extensions">> => Value}, Opts)}
      || Value <- [<<";;;">>, <<>>, <<"a;">>, <<"a b">>, <<"a; b=\"c d\"">>],
         Opts <- [#{}, #{compress => false}, #{compress => true}] ],
    ok.


%% What is no upgrade to WebSocket is not looked at any further.
malformed_but_no_upgrade(_) ->
    {reply, 426, _} =
        check(#{<<"connection">> => none, <<"upgrade">> => <<>>, <<"sec-websocket-extensions">> => <<";;;">>}),
    {reply, 426, _} = check(#{<<"upgrade">> => <<"h2c">>, <<"sec-websocket-key">> => none}),
    ok.


%%% Helpers.


check(Changes) ->
    check(Changes, #{}).


check(Changes, Opts) ->
    drover_upgrade:check(req(Changes), Opts).


%% A proper opening handshake with other values for some headers; `none' leaves one out.
req(Changes) ->
    Proper = #{
               <<"connection">> => <<"Upgrade">>,
               <<"upgrade">> => <<"websocket">>,
               <<"sec-websocket-version">> => <<"13">>,
               <<"sec-websocket-key">> => ?KEY
              },
    Headers = maps:filter(fun(_, Value) -> Value =/= none end, maps:merge(Proper, Changes)),
    #{method => <<"GET">>, version => 'HTTP/1.1', headers => Headers}.
