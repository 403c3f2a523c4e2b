%% The request map: what it is asked, what it refuses, and which messages make a response.
-module(req_SUITE).

-compile(export_all).
-compile(nowarn_export_all).


all() ->
    [getters,
     uris,
     query_strings,
     matching,
     cookies,
     header_values,
     malformed_headers,
     unknown_headers,
     response_headers,
     response_cookies,
     response_body,
     replies,
     sendfile_replies,
     bodiless_replies,
     second_reply,
     streamed_reply,
     streamed_to_head,
     informational,
     body,
     body_that_does_not_come,
     urlencoded_body,
     meta,
     of_the_first_cowboys_2,
     as_cowboy,
     headers_as_cowboy,
     {group, listener}].


groups() ->
    [{listener, [], [body_over_http_v2, body_over_http_v2pre, streamed_over_http_v2, streamed_over_http_v2pre]}].


init_per_group(listener, Config) ->
    Routes = [ {Path, Handler, []} || {Path, Handler} <- [{"/v2", req_v2_h}, {"/v2pre", req_v2pre_h}] ],
    {ok, Port} = drover_target:start(?MODULE, Routes, #{}),
    [{port, Port} | Config].


end_per_group(listener, _) ->
    ok = drover_target:stop(?MODULE).


init_per_testcase(Case, Config) when Case =:= as_cowboy; Case =:= headers_as_cowboy ->
    case cowboy_peer:start(?MODULE) of
        {ok, Peer} -> [{peer, Peer} | Config];
        Skip -> Skip
    end;
init_per_testcase(_, Config) ->
    Config.


end_per_testcase(Case, Config) when Case =:= as_cowboy; Case =:= headers_as_cowboy ->
    cowboy_peer:stop(proplists:get_value(peer, Config));
end_per_testcase(_, _) ->
    ok.


%%% The request.


%% Each part of the request has a function.
getters(_) ->
    Req = (req())#{
            cert => undefined,
            host_info => [<<"www">>],
            path_info => undefined,
            bindings => #{id => 7},
            has_body => true,
            body_length => 3
           },
    [ {Function, Value} = {Function, drover_req:Function(Req)}
      || {Function, Value} <- [{method, <<"GET">>},
                               {version, 'HTTP/1.1'},
                               {scheme, <<"http">>},
                               {host, <<"example.org">>},
                               {port, 8080},
                               {path, <<"/a/b">>},
                               {qs, <<"x=1&y">>},
                               {peer, {{127, 0, 0, 1}, 4711}},
                               {sock, {{127, 0, 0, 1}, 8080}},
                               {cert, undefined},
                               {host_info, [<<"www">>]},
                               {path_info, undefined},
                               {bindings, #{id => 7}},
                               {has_body, true},
                               {body_length, 3},
                               {headers, #{<<"host">> => <<"example.org:8080">>}}] ],
    7 = drover_req:binding(id, Req),
    undefined = drover_req:binding(none, Req),
    default = drover_req:binding(none, req(), default),
    #{} = drover_req:bindings(req()),
    <<"example.org:8080">> = drover_req:header(<<"host">>, Req),
    undefined = drover_req:header(<<"Host">>, Req),
    default = drover_req:header(<<"none">>, Req, default),
    ok.


%% A URI with parts of it replaced or left out.
uris(_) ->
    [ {Opts, Expected} = {Opts, iolist_to_binary(drover_req:uri(req(), Opts))}
      || {Opts, Expected} <- uri_table() ],
    <<"http://example.org:8080/a/b?x=1&y">> = iolist_to_binary(drover_req:uri(req())),
    <<>> = iolist_to_binary(drover_req:uri((req())#{path := <<"*">>}, #{host => undefined})),
    ok.


uri_table() ->
    [{#{}, <<"http://example.org:8080/a/b?x=1&y">>},
     {#{port => 80}, <<"http://example.org/a/b?x=1&y">>},
     {#{scheme => "https", port => 443}, <<"https://example.org/a/b?x=1&y">>},
     {#{scheme => <<"https">>, port => 80}, <<"https://example.org:80/a/b?x=1&y">>},
     {#{scheme => undefined}, <<"//example.org:8080/a/b?x=1&y">>},
     {#{scheme => undefined, port => 80}, <<"//example.org/a/b?x=1&y">>},
     {#{port => undefined}, <<"http://example.org/a/b?x=1&y">>},
     {#{host => undefined}, <<"/a/b?x=1&y">>},
     {#{host => <<>>}, <<"/a/b?x=1&y">>},
     {#{path => ["/", <<"c">>], qs => undefined}, <<"http://example.org:8080/c">>},
     {#{path => undefined, qs => <<>>}, <<"http://example.org:8080">>},
     {#{path => <<"*">>}, <<"http://example.org:8080">>},
     {#{qs => "z=2", fragment => "f"}, <<"http://example.org:8080/a/b?z=2#f">>},
     {#{host => undefined, path => undefined, qs => undefined, fragment => <<"f">>}, <<"#f">>}].


%% Names without a value are true; what cannot be decoded exits.
query_strings(_) ->
    [ {Qs, Expected} = {Qs, drover_req:parse_qs((req())#{qs := Qs})}
      || {Qs, Expected} <- [{<<>>, []},
                            {<<"a">>, [{<<"a">>, true}]},
                            {<<"a=">>, [{<<"a">>, <<>>}]},
                            {<<"a=b&c=d=e&&f">>, [{<<"a">>, <<"b">>}, {<<"c">>, <<"d=e">>}, {<<"f">>, true}]},
                            {<<"a+b=%41%2b+">>, [{<<"a b">>, <<"A+ ">>}]},
                            {<<"a=", 255>>, [{<<"a">>, <<255>>}]}] ],
    [ {Qs, {request_error, qs, _}} = {Qs, exits(fun() -> drover_req:parse_qs((req())#{qs := Qs}) end)}
      || Qs <- [<<"=b">>, <<"a=%">>, <<"a=%4">>, <<"a=%xx">>, <<"%=1">>] ],
    ok.


%% Fields may be required, constrained and have defaults; several values come last first.
matching(_) ->
    Match = fun(Fields, Qs) -> drover_req:match_qs(Fields, (req())#{qs := Qs}) end,
    #{a := <<"1">>} = Map = Match([a], <<"a=1&unknown_name_of_a_field=2">>),
    1 = map_size(Map),
    #{a := 1, b := 2} = Match([{a, int}, {b, int, 2}], <<"a=1">>),
    #{a := [<<"3">>, <<"2">>, <<"1">>]} = Match([a], <<"a=1&a=2&a=3">>),
    #{a := true} = Match([a], <<"a">>),
    {request_error, {match_qs, #{a := required, b := {int, not_an_integer, <<"x">>}} = Errors}, _} =
        exits(fun() -> Match([a, {b, int}, {c, nonempty, none}], <<"b=x">>) end),
    2 = map_size(Errors),
    ok.


%% Cookies are parsed leniently, can be matched and filtered.
cookies(_) ->
    With = fun(Cookie) -> with(<<"cookie">>, Cookie) end,
    [ {Cookie, Expected} = {Cookie, drover_req:parse_cookies(With(Cookie))}
      || {Cookie, Expected} <- [{<<>>, []},
                                {<<"a=b">>, [{<<"a">>, <<"b">>}]},
                                {<<"a=b; c=d;e=">>, [{<<"a">>, <<"b">>}, {<<"c">>, <<"d">>}, {<<"e">>, <<>>}]},
                                {<<" ,; a=b ">>, [{<<"a">>, <<"b">>}]},
                                {<<"a=b c, d">>, [{<<"a">>, <<"b c, d">>}]},
                                {<<"bare; a=\"x\"">>, [{<<>>, <<"bare">>}, {<<"a">>, <<"\"x\"">>}]},
                                {<<"a=", 233, " ">>, [{<<"a">>, <<233>>}]}] ],
    [] = drover_req:parse_cookies(req()),
    [ {Cookie, {request_error, {header, <<"cookie">>}, _}} =
          {Cookie, exits(fun() -> drover_req:parse_cookies(With(Cookie)) end)}
      || Cookie <- [<<"=b">>, <<"a,b=c">>, <<"a=\tb">>, <<"a\n=b">>] ],
    #{sid := 7} = drover_req:match_cookies([{sid, int}], With(<<"sid=7; other=1">>)),
    {request_error, {match_cookies, #{sid := required}}, _} =
        exits(fun() -> drover_req:match_cookies([sid], With(<<"other=1">>)) end),
    <<"a=1; c=3">> =
        drover_req:header(<<"cookie">>, drover_req:filter_cookies([a, <<"c">>], With(<<"a=1; b=2; c=3">>))),
    Req = req(),
    Req = drover_req:filter_cookies([a], Req),
    ok.


%% Headers become terms.
header_values(_) ->
    [ {Name, Value, Expected} = {Name, Value, parse(Name, Value)}
      || {Name, Value, Expected} <- header_table(), Expected =/= error ],
    [{<<"http">>, <<"a">>, 80}, Opaque] = parse(<<"origin">>, <<"http://a null">>),
    true = is_reference(Opaque),
    [ {Name, Absent} = {Name, drover_req:parse_header(Name, req())}
      || {Name, Absent} <- [{<<"content-length">>, 0}, {<<"cookie">>, []}, {<<"sec-websocket-protocol">>, undefined}] ],
    default = drover_req:parse_header(<<"upgrade">>, req(), default),
    ok.


%% What is malformed exits, naming the header.
malformed_headers(_) ->
    [ {Name, Value, {request_error, {header, Name}, _}} = {Name, Value, exits(fun() -> parse(Name, Value) end)}
      || {Name, Value, error} <- header_table() ++ signed() ],
    ok.


%% Refused since Cowboy has a parser of its own for digits.
signed() ->
    [{<<"content-length">>, <<"+1">>, error},
     {<<"content-length">>, <<"-0">>, error},
     {<<"sec-websocket-version">>, <<"+13">>, error}].


%% A header without a parser exits, there or not.
unknown_headers(_) ->
    {request_error, {header, <<"x-mine">>}, _} = exits(fun() -> parse(<<"x-mine">>, <<"1">>) end),
    {request_error, {header, <<"x-mine">>}, _} =
        exits(fun() -> drover_req:parse_header(<<"x-mine">>, req(), default) end),
    ok.


header_table() ->
    [{<<"accept">>,
      <<"text/html;level=1;q=0.5;x;y=\"1\", */*">>,
      [{{<<"text">>, <<"html">>, [{<<"level">>, <<"1">>}]}, 500, [<<"x">>, {<<"y">>, <<"1">>}]},
       {{<<"*">>, <<"*">>, []}, 1000, []}]},
     {<<"accept">>, <<>>, []},
     {<<"accept">>, <<"text">>, error},
     {<<"accept-charset">>, <<"UTF-8, *;q=0.1">>, [{<<"utf-8">>, 1000}, {<<"*">>, 100}]},
     {<<"accept-charset">>, <<>>, error},
     {<<"accept-encoding">>, <<"gzip;q=0.255, br;q=1.0, *;q=0">>, [{<<"gzip">>, 255}, {<<"br">>, 1000}, {<<"*">>, 0}]},
     {<<"accept-encoding">>, <<"gzip;q=1.001">>, error},
     {<<"accept-encoding">>, <<"gzip;q=0.1234">>, error},
     {<<"accept-encoding">>, <<"gzip;q=">>, error},
     {<<"accept-language">>, <<"da, en-GB;q=0.8">>, [{<<"da">>, 1000}, {<<"en-gb">>, 800}]},
     {<<"accept-language">>, <<"e_n">>, error},
     {<<"authorization">>, <<"Basic dXNlcjpwYTpzcw==">>, {basic, <<"user">>, <<"pa:ss">>}},
     {<<"authorization">>, <<"bEARER a.b-c==">>, {bearer, <<"a.b-c==">>}},
     {<<"authorization">>,
      <<"Digest username=\"a\\\"b\", NC=00000001">>,
      {digest, [{<<"username">>, <<"a\"b">>}, {<<"nc">>, <<"00000001">>}]}},
     {<<"authorization">>, <<"Basic dXNlcg==">>, error},
     {<<"authorization">>, <<"Bearer ">>, error},
     {<<"authorization">>, <<"Bearer a=b">>, error},
     {<<"authorization">>, <<"Digest ">>, error},
     {<<"authorization">>, <<"Negotiate abc">>, error},
     {<<"connection">>, <<"Keep-Alive, ,Upgrade">>, [<<"keep-alive">>, <<"upgrade">>]},
     {<<"connection">>, <<>>, error},
     {<<"connection">>, <<"a b">>, error},
     {<<"content-length">>, <<"12">>, 12},
     {<<"content-length">>, <<"-1">>, error},
     {<<"content-length">>, <<"1x">>, error},
     {<<"content-type">>,
      <<"Text/HTML; charset=UTF-8; A=\"B c\"">>,
      {<<"text">>, <<"html">>, [{<<"charset">>, <<"utf-8">>}, {<<"a">>, <<"B c">>}]}},
     {<<"content-type">>, <<"text/html; q=1">>, {<<"text">>, <<"html">>, [{<<"q">>, <<"1">>}]}},
     {<<"content-type">>, <<"text/html;">>, error},
     {<<"content-type">>, <<"text/html; a=\"b">>, error},
     {<<"expect">>, <<"100-Continue">>, continue},
     {<<"expect">>, <<"200-ok">>, error},
     {<<"origin">>, <<"https://Example.org">>, [{<<"https">>, <<"example.org">>, 443}]},
     {<<"origin">>, <<"http://[::1]:8080 http://b">>, [{<<"http">>, <<"[::1]">>, 8080}, {<<"http">>, <<"b">>, 80}]},
     {<<"origin">>, <<>>, error},
     {<<"origin">>, <<"http://a:">>, error},
     {<<"origin">>, <<"http://a/">>, error},
     {<<"sec-websocket-extensions">>,
      <<"permessage-deflate; a; b=1; c=\"15\", x">>,
      [{<<"permessage-deflate">>, [<<"a">>, {<<"b">>, <<"1">>}, {<<"c">>, <<"15">>}]}, {<<"x">>, []}]},
     {<<"sec-websocket-extensions">>, <<";;;">>, error},
     {<<"sec-websocket-extensions">>, <<"a; b=\"c d\"">>, error},
     {<<"sec-websocket-protocol">>, <<"Chat, superchat">>, [<<"Chat">>, <<"superchat">>]},
     {<<"sec-websocket-protocol">>, <<>>, error},
     {<<"sec-websocket-protocol">>, <<"a/b">>, error},
     {<<"sec-websocket-version">>, <<"13">>, 13},
     {<<"sec-websocket-version">>, <<"255">>, 255},
     {<<"sec-websocket-version">>, <<"256">>, error},
     {<<"sec-websocket-version">>, <<"0013">>, error},
     {<<"upgrade">>, <<"WebSocket, H2C/1">>, [<<"websocket">>, <<"h2c/1">>]},
     {<<"upgrade">>, <<"a/">>, error},
     {<<"x-forwarded-for">>, <<"10.0.0.1, [::1]:80, _hidden">>, [<<"10.0.0.1">>, <<"[::1]:80">>, <<"_hidden">>]},
     {<<"x-forwarded-for">>, <<"\"10.0.0.1\"">>, error}].


%%% The response.


%% Headers can be set, looked at and taken back.
response_headers(_) ->
    Req = drover_req:set_resp_header(<<"a">>, "1", req()),
    Req2 = drover_req:set_resp_headers(#{<<"a">> => <<"2">>, <<"b">> => <<"3">>}, Req),
    "1" = drover_req:resp_header(<<"a">>, Req),
    #{<<"a">> := <<"2">>, <<"b">> := <<"3">>} = drover_req:resp_headers(Req2),
    true = drover_req:has_resp_header(<<"b">>, Req2),
    false = drover_req:has_resp_header(<<"b">>, drover_req:delete_resp_header(<<"b">>, Req2)),
    false = drover_req:has_resp_header(<<"b">>, drover_req:delete_resp_header(<<"b">>, req())),
    default = drover_req:resp_header(<<"none">>, req(), default),
    Req3 = drover_req:set_resp_headers([{<<"a">>, <<"4">>}, {<<"a">>, <<"5">>}, {<<"set-cookie">>, <<"k=v; Path=/">>}],
                                       Req2),
    <<"4, 5">> = iolist_to_binary(drover_req:resp_header(<<"a">>, Req3)),
    #{<<"set-cookie">> := [<<"k=v; Path=/">>]} = replied(fun() -> drover_req:reply(200, Req3) end),
    {response_error, invalid_header, _} =
        exits(fun() -> drover_req:set_resp_header(<<"set-cookie">>, <<"a=b">>, req()) end),
    ok.


%% Cookies with their attributes; what would break the header is refused.
response_cookies(_) ->
    [ {Opts, Expected} = {Opts, iolist_to_binary(drover_cookie:format("n", <<"v">>, Opts))}
      || {Opts, Expected} <- [{#{}, <<"n=v">>},
                              {#{path => "/", domain => <<"a.org">>}, <<"n=v; Domain=a.org; Path=/">>},
                              {#{http_only => true, secure => true}, <<"n=v; HttpOnly; Secure">>},
                              {#{http_only => false, secure => false, unknown => 1}, <<"n=v">>},
                              {#{same_site => lax}, <<"n=v; SameSite=Lax">>},
                              {#{same_site => strict}, <<"n=v; SameSite=Strict">>},
                              {#{same_site => none}, <<"n=v; SameSite=None">>},
                              {#{same_site => default}, <<"n=v">>},
                              {#{max_age => 0}, <<"n=v; Expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0">>}] ],
    {match, _} =
        re:run(drover_cookie:format("n", "v", #{max_age => 60}),
               "^n=v; Expires=[A-Z][a-z]{2}, \\d\\d-[A-Z][a-z]{2}-\\d{4} \\d\\d:\\d\\d:\\d\\d GMT; Max-Age=60$"),
    Req = drover_req:set_resp_cookie(<<"b">>, <<"2">>, drover_req:set_resp_cookie(<<"a">>, <<"1">>, req())),
    #{<<"set-cookie">> := [_, _]} =
        replied(fun() -> drover_req:reply(200, drover_req:set_resp_cookie(<<"a">>, <<"3">>, Req, #{path => "/"})) end),
    [ failed = try drover_req:set_resp_cookie(Name, Value, req(), Opts) catch error:_ -> failed end
      || {Name, Value, Opts} <- [{<<"a=">>, <<>>, #{}},
                                 {<<"a">>, <<"b;c">>, #{}},
                                 {<<"a">>, <<"b\r\n">>, #{}},
                                 {<<"a">>, <<"b">>, #{max_age => -1}}] ],
    ok.


%% A body can be set beforehand.
response_body(_) ->
    false = drover_req:has_resp_body(req()),
    false = drover_req:has_resp_body(drover_req:set_resp_body([<<>>, []], req())),
    true = drover_req:has_resp_body(drover_req:set_resp_body(["a"], req())),
    true = drover_req:has_resp_body(drover_req:set_resp_body({sendfile, 0, 1, "f"}, req())),
    ok.


%% A reply is one message to the connection process, with everything that was set, and a request marked as answered.
replies(_) ->
    Set = drover_req:set_resp_body("set", drover_req:set_resp_header(<<"a">>, <<"1">>, req())),
    #{has_sent_resp := true} = Answered = drover_req:reply(200, Set),
    [] = [ Key || Key <- [resp_headers, resp_body, resp_cookies], maps:is_key(Key, Answered) ],
    {response, 200, #{<<"a">> := <<"1">>, <<"content-length">> := <<"3">>, <<"date">> := _, <<"server">> := _}, "set"} =
        message(),
    drover_req:reply(404, #{<<"a">> => <<"2">>}, Set),
    {response, 404, #{<<"a">> := <<"2">>}, "set"} = message(),
    drover_req:reply(<<"200 Fine">>, [{<<"a">>, <<"2">>}], <<"given">>, Set),
    {response, <<"200 Fine">>, #{<<"a">> := <<"2">>, <<"content-length">> := <<"5">>}, <<"given">>} = message(),
    drover_req:reply(200, #{}, <<"given">>, Set#{method := <<"HEAD">>}),
    {response, 200, #{<<"content-length">> := <<"5">>}, <<>>} = message(),
    {response_error, invalid_header, _} =
        exits(fun() -> drover_req:reply(200, #{<<"set-cookie">> => <<"a=b">>}, req()) end),
    ok.


%% A file is named, not read.
sendfile_replies(_) ->
    File = {sendfile, 10, 20, "file"},
    drover_req:reply(200, #{}, File, req()),
    {response, 200, #{<<"content-length">> := <<"20">>}, File} = message(),
    drover_req:reply(200, #{}, {sendfile, 0, 0, "file"}, req()),
    {response, 200, #{<<"content-length">> := <<"0">>}, <<>>} = message(),
    ok.


%% 204 and 304 have no body and no length.
bodiless_replies(_) ->
    [ begin
          drover_req:reply(Status, req()),
          {response, Status, Headers, <<>>} = message(),
          false = maps:is_key(<<"content-length">>, Headers),
          drover_req:stream_reply(Status, req()),
          {response, Status, Headers, <<>>} = message(),
          {response_error, payload_too_large, _} = exits(fun() -> drover_req:reply(Status, #{}, <<"x">>, req()) end)
      end || Status <- [204, 304, <<"204 Nothing">>, <<"304 Same">>] ],
    ok.


%% A second response would be taken for that to the next request.
second_reply(_) ->
    Answered = drover_req:reply(200, req()),
    [ {response_error, response_already_sent, _} = exits(Again)
      || Again <- [fun() -> drover_req:reply(200, Answered) end,
                   fun() -> drover_req:stream_reply(200, Answered) end,
                   fun() -> drover_req:inform(102, Answered) end] ],
    ok.


%% Pieces are messages of their own, each acknowledged when written.
streamed_reply(_) ->
    with_connection(
      fun(Req) ->
              #{has_sent_resp := headers} = Streaming = drover_req:stream_reply(200, #{<<"a">> => <<"1">>}, Req),
              ok = drover_req:stream_body(<<"one">>, nofin, Streaming),
              ok = drover_req:stream_body(<<>>, nofin, Streaming),
              ok = drover_req:stream_body({sendfile, 0, 0, "f"}, nofin, Streaming),
              ok = drover_req:stream_body({sendfile, 0, 5, "f"}, nofin, Streaming),
              ok = drover_req:stream_body(<<>>, fin, Streaming),
              ok = drover_req:stream_trailers(#{<<"t">> => <<"1">>}, Streaming)
      end,
      [fun({headers, 200, #{<<"a">> := <<"1">>, <<"date">> := _}}) -> ok end,
       fun({data, Pid, nofin, <<"one">>}) -> Pid ! {data_ack, self()} end,
       fun({data, Pid, nofin, {sendfile, 0, 5, "f"}}) -> Pid ! {data_ack, self()} end,
       fun({data, Pid, fin, <<>>}) -> Pid ! {data_ack, self()} end,
       fun({trailers, #{<<"t">> := <<"1">>}}) -> ok end]).


%% The connection process cannot wait for itself. A response to HEAD has no body.
streamed_to_head(_) ->
    Streaming = drover_req:stream_reply(200, req()),
    {headers, 200, _} = message(),
    ok = drover_req:stream_body(<<"own">>, fin, Streaming),
    {data, fin, <<"own">>} = message(),
    ok = drover_req:stream_body(<<"own">>, fin, Streaming#{method := <<"HEAD">>}),
    none = message(),
    ok.


%% Responses before the response.
informational(_) ->
    ok = drover_req:inform(103, #{<<"link">> => <<"l">>}, req()),
    {inform, 103, #{<<"link">> := <<"l">>}} = message(),
    ok = drover_req:cast(anything, req()),
    anything = message(),
    ok.


%%% The body.


%% The connection process is asked and answers; what has been read is not asked for again.
body(_) ->
    {ok, <<>>, _} = drover_req:read_body((req())#{has_body => false}),
    with_connection(
      fun(Req0) ->
              {more, <<"ab">>, Req} = drover_req:read_body(Req0#{has_body => true}, #{length => 2, period => 100}),
              {ok, <<"c">>, #{body_length := 3} = Read} = drover_req:read_body(Req),
              <<"3">> = drover_req:header(<<"content-length">>, Read),
              {ok, <<>>, Read} = drover_req:read_body(Read)
      end,
      [fun({read_body, Pid, Ref, 2, 100}) -> Pid ! {request_body, Ref, nofin, <<"ab">>} end,
       fun({read_body, Pid, Ref, 8000000, 15000}) -> Pid ! {request_body, Ref, fin, 3, <<"c">>} end]).


%% Nothing for so long is an exit.
body_that_does_not_come(_) ->
    with_connection(
      fun(Req) ->
              timeout = exits(fun() -> drover_req:read_body(Req#{has_body => true}, #{timeout => 0}) end)
      end,
      [fun({read_body, _, _, _, _}) -> ok end]).


%% A form in the body: pairs or exits that name what is wrong.
urlencoded_body(_) ->
    Answers = fun(Bodies) ->
                      [ fun({read_body, Pid, Ref, _, _}) -> Pid ! setelement(2, Body, Ref) end || Body <- Bodies ]
              end,
    with_connection(
      fun(Req0) ->
              Req = Req0#{has_body => true},
              {ok, [{<<"a">>, <<"1">>}], _} = drover_req:read_urlencoded_body(Req),
              {ok, #{a := 1}, _} = drover_req:read_and_match_urlencoded_body([{a, int}], Req),
              {request_error, {read_and_match_urlencoded_body, #{b := required}}, _} =
                  exits(fun() -> drover_req:read_and_match_urlencoded_body([b], Req) end),
              {request_error, urlencoded_body, _} = exits(fun() -> drover_req:read_urlencoded_body(Req) end),
              {request_error, timeout, _} = exits(fun() -> drover_req:read_urlencoded_body(Req) end),
              {request_error, payload_too_large, _} =
                  exits(fun() -> drover_req:read_urlencoded_body(Req, #{length => 3}) end)
      end,
      Answers([{request_body, ref, fin, 3, <<"a=1">>},
               {request_body, ref, fin, 3, <<"a=1">>},
               {request_body, ref, fin, 3, <<"a=1">>},
               {request_body, ref, fin, 2, <<"=1">>},
               {request_body, ref, nofin, <<"a=">>},
               {request_body, ref, nofin, <<"a=12">>}])).


%%% Of the first versions of Cowboy 2.


%% Meta values are those of the connection, and a handler's own, which cannot touch the request.
meta(_) ->
    Req = (req())#{websocket_version => 13, websocket_compress => false},
    13 = drover_req:meta(websocket_version, Req),
    false = drover_req:meta(websocket_compress, Req, true),
    undefined = drover_req:meta(host, Req),
    default = drover_req:meta(mine, Req, default),
    Set = drover_req:set_meta(host, <<"other">>, drover_req:set_meta(mine, 1, Req)),
    1 = drover_req:meta(mine, Set),
    <<"other">> = drover_req:meta(host, Set),
    <<"example.org">> = drover_req:host(Set),
    ok.


%% Names that went away, and headers as lists.
of_the_first_cowboys_2(_) ->
    <<"http://example.org:8080">> = drover_req_early:host_url(req()),
    <<"http://example.org:8080/a/b?x=1&y">> = drover_req_early:url(req()),
    ok = drover_req_early:continue(req()),
    {inform, 100, #{}} = message(),
    Chunked = drover_req_early:chunked_reply(200, [{<<"a">>, <<"1">>}], req()),
    {headers, 200, #{<<"a">> := <<"1">>}} = message(),
    ok = drover_req_early:chunk(<<"x">>, Chunked),
    {data, nofin, <<"x">>} = message(),
    {ok, <<>>, _} = drover_req_early:body((req())#{has_body => false}),
    {ok, [], _} = drover_req_early:body_qs((req())#{has_body => false}),
    with_connection(
      fun(Req) ->
              {more, <<"ab">>, _} = drover_req_early:body(Req#{has_body => true}, [{length, 2}, {read_timeout, 3}]),
              {badlength, _} = drover_req_early:body_qs(Req#{has_body => true})
      end,
      [fun({read_body, Pid, Ref, 2, 3}) -> Pid ! {request_body, Ref, nofin, <<"ab">>} end,
       fun({read_body, Pid, Ref, 64000, 15000}) -> Pid ! {request_body, Ref, nofin, <<"ab">>} end]).


%%% Over a listener.


%% A body is read in a request process, in parts.
body_over_http_v2(Config) -> body_over_http("/v2", Config).


%% A body is read in the connection process, where init/2 of arity-3 handlers runs.
body_over_http_v2pre(Config) -> body_over_http("/v2pre", Config).


body_over_http(Path, Config) ->
    Chunked = ["POST ", Path, " HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
               "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"],
    {200, _, <<"abcdefg">>} = ws_client:request(proplists:get_value(port, Config), Chunked),
    Large = binary:copy(<<"0123456789">>, 30000),
    Fixed = ["POST ", Path, " HTTP/1.1\r\nhost: a\r\ncontent-length: ", integer_to_list(byte_size(Large)), "\r\n\r\n", Large],
    {200, _, Large} = ws_client:request(proplists:get_value(port, Config), Fixed),
    ok.


%% A response in pieces from a request process.
streamed_over_http_v2(Config) -> streamed_over_http("/v2", Config).


%% A response in pieces from the connection process.
streamed_over_http_v2pre(Config) -> streamed_over_http("/v2pre", Config).


streamed_over_http(Path, Config) ->
    {ok, Client} = ws_client:open(proplists:get_value(port, Config)),
    Socket = ws_client:socket(Client),
    ok = gen_tcp:send(Socket, ["GET ", Path, " HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"]),
    {<<"HTTP/1.1">>, 200, Headers} = ws_client:recv_head(Client),
    {_, <<"chunked">>} = lists:keyfind(<<"transfer-encoding">>, 1, Headers),
    <<"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n">> = until_closed(Socket),
    ws_client:close(Client).


until_closed(Socket) ->
    case gen_tcp:recv(Socket, 0, 5000) of
        {ok, Data} -> <<Data/binary, (until_closed(Socket))/binary>>;
        {error, closed} -> <<>>
    end.


%%% With the real Cowboy as judge.


%% The same calls give the same results, exits and messages.
as_cowboy(Config) ->
    Differences = cowboy_peer:call(proplists:get_value(peer, Config), ?MODULE, differences, []),
    [] = Differences,
    ok.


%% Runs beside the real Cowboy.
differences() ->
    [ {Function, Args, Ours, Cowboys}
      || {Function, Args} <- calls(),
         {Ours, Cowboys} <- [{outcome(drover_req, Function, Args), outcome(cowboy_req, Function, Args)}],
         Ours =/= Cowboys ].


calls() ->
    Set = (req())#{
            resp_headers => #{<<"a">> => <<"1">>},
            resp_body => <<"set">>,
            bindings => #{id => 7},
            has_body => false,
            body_length => 0
           },
    Getters = [method, version, peer, sock, scheme, host, port, path, qs, parse_qs, bindings, headers, has_body, body_length,
               uri, resp_headers, has_resp_body, parse_cookies],
    [ {Getter, [Req]} || Getter <- Getters, Req <- [req(), Set] ] ++
    [ {uri, [req(), Opts]} || {Opts, _} <- uri_table() ] ++
    [ {parse_header, [Name, with(Name, Value)]} || {Name, Value, _} <- header_table() ] ++
    [ {parse_header, [Name | Rest]} || Name <- [<<"cookie">>, <<"content-length">>, <<"origin">>, <<"x-mine">>],
                                       Rest <- [[req()], [req(), default]] ] ++
    [ {match_qs, [Fields, (req())#{qs := Qs}]} || Fields <- [[], [x], [{x, int}], [z], [{z, int, 9}], [{x, [nonempty, int], 1}, y]],
                                                  Qs <- [<<"x=1&y">>, <<"x=a">>, <<"x=1&x=2">>, <<"x=%">>] ] ++
    [ {match_cookies, [Fields, with(<<"cookie">>, Cookie)]} || Fields <- [[a], [{a, int}], [{b, int, 9}]],
                                                               Cookie <- [<<"a=1">>, <<"a=x; b=2">>, <<"=">>] ] ++
    [ {filter_cookies, [[a, <<"c">>], with(<<"cookie">>, Cookie)]} || Cookie <- [<<"a=1">>, <<"b=1; c=2">>, <<>>] ] ++
    [ {binding, Args} || Args <- [[id, Set], [none, Set], [id, req(), default]] ] ++
    [ {reply, Args} || Status <- [200, 204, 304, <<"404 Gone fishing">>],
                       Args <- [[Status, req()],
                                [Status, #{<<"b">> => <<"2">>}, (Set)#{resp_body := <<>>}],
                                [Status, #{<<"a">> => <<"2">>}, <<>>, (Set)#{method := <<"HEAD">>}]] ] ++
    [ {reply, [200, #{}, Body, Set]} || Body <- [<<"b">>, ["a", $b], {sendfile, 1, 2, "f"}, {sendfile, 0, 0, "f"}] ] ++
    [{read_body, [Set]},
     {read_urlencoded_body, [Set]},
     {reply, [200, Set]},
     {reply, [200, (req())#{resp_cookies => #{<<"a">> => "a=b"}}]},
     {reply, [nostatus, #{}, <<>>, req()]},
     {inform, [103, Set]},
     {inform, [<<"103 Early">>, #{<<"b">> => <<"2">>}, Set]},
     {stream_reply, [200, Set]},
     {stream_reply, [204, Set]},
     {stream_reply, [200, #{<<"b">> => <<"2">>}, Set]},
     {stream_body, [<<"x">>, fin, (req())#{has_sent_resp => headers, method := <<"HEAD">>}]},
     {stream_body, [<<>>, nofin, (req())#{has_sent_resp => headers}]},
     {set_resp_header, [<<"a">>, <<"2">>, Set]},
     {set_resp_headers, [#{<<"a">> => <<"2">>}, req()]},
     {resp_header, [<<"a">>, Set]},
     {resp_header, [<<"b">>, Set, default]},
     {has_resp_header, [<<"a">>, Set]},
     {delete_resp_header, [<<"a">>, Set]},
     {set_resp_body, [<<"x">>, Set]},
     {cast, [hello, Set]}].


outcome(Module, Function, Args) ->
    Result =
        try apply(Module, Function, Args) of
            Value when Function =:= uri -> iolist_to_binary(Value);
            Value -> without_references(Value)
        catch
            exit:{request_error, What, _} -> {exit, What};
            error:{Kind, _} -> {error, Kind};
            error:Kind -> {error, Kind}
        end,
    {Result, without_date(message())}.


%% What stands for an opaque origin, and when it was.
without_references(List) when is_list(List) ->
    [ case is_reference(Element) of
          true -> reference;
          false -> Element
      end || Element <- List ];
without_references(Value) ->
    Value.


without_date({Tag, Status, #{<<"date">> := _} = Headers}) -> {Tag, Status, maps:remove(<<"date">>, Headers)};
without_date({Tag, Status, #{<<"date">> := _} = Headers, Body}) -> {Tag, Status, maps:remove(<<"date">>, Headers), Body};
without_date(Message) -> Message.


%% Headers put together from pieces, right and wrong ones.
headers_as_cowboy(Config) ->
    {Parsed, Refused} = cowboy_peer:call(proplists:get_value(peer, Config), ?MODULE, compare_headers, [500]),
    true = Parsed > 100 andalso Refused > 100,
    ok.


compare_headers(N) ->
    _ = rand:seed(exsss, {1, 2, 3}),
    Outcomes = [ compare_header(Name, Pieces) || {Name, Pieces} <- pieces(), _ <- lists:seq(1, N) ],
    Refused = length([ refused || {{exit, _}, none} <- Outcomes ]),
    {length(Outcomes) - Refused, Refused}.


compare_header(Name, Pieces) ->
    Value = list_to_binary([ pick(Pieces ++ Pieces ++ [" ", ", ", ","] ++ wrong(Name)) || _ <- lists:seq(1, rand:uniform(6)) ]),
    Args = [Name, with(Name, Value)],
    Ours = outcome(drover_req, parse_header, Args),
    {Name, Value, Ours} = {Name, Value, outcome(cowboy_req, parse_header, Args)},
    Ours.


%% Cowboys do not agree on control characters in cookies, nor on signs of numbers.
wrong(<<"cookie">>) -> ["/", "\"", "\\", "=", [200]];
wrong(_) -> [[0], [127] | wrong(<<"cookie">>)].


pieces() ->
    [{<<"accept">>, ["text/html", "*/*", "a/b", ";q=0.8", ";Q=0.1", ";level=1", ";charset=UTF-8", ";a=\"b c\"", ";foo"]},
     {<<"accept-encoding">>, ["gzip", "*", "br", "; q=1.000", ";q=0.55", ";q=2", ";q=1.1"]},
     {<<"connection">>, ["close", "keep-alive", "Upgrade", ";"]},
     {<<"content-length">>, ["1", "0", "22"]},
     {<<"content-type">>, ["text/html", "a/B", ";q=0.8", ";Q=0.1", ";charset=UTF-8", ";charset=\"UTF-8\"", ";foo"]},
     {<<"cookie">>, ["a=b", "foo", "=", "x= y ", "a b=c", "q=\"1\"", "k=v=w", ";", "\t"]},
     {<<"sec-websocket-extensions">>, ["permessage-deflate", "; a", "; b=1", "; c=\"15\"", "; d=\"\"", "x"]},
     {<<"sec-websocket-protocol">>, ["a", "B", "mqtt", ";"]},
     {<<"sec-websocket-version">>, ["13", "1", "8", "256"]},
     {<<"x-forwarded-for">>, ["1.2.3.4", "[::1]", ":80", "_x", "unknown"]}].


pick(List) -> lists:nth(rand:uniform(length(List)), List).


%%% Helpers.


%% This process stands for that of the connection.
req() ->
    #{
      pid => self(),
      streamid => 1,
      method => <<"GET">>,
      version => 'HTTP/1.1',
      scheme => <<"http">>,
      host => <<"example.org">>,
      port => 8080,
      path => <<"/a/b">>,
      qs => <<"x=1&y">>,
      headers => #{<<"host">> => <<"example.org:8080">>},
      peer => {{127, 0, 0, 1}, 4711},
      sock => {{127, 0, 0, 1}, 8080}
     }.


with(Name, Value) ->
    #{headers := Headers} = Req = req(),
    Req#{headers := Headers#{Name => Value}}.


parse(Name, Value) ->
    drover_req:parse_header(Name, with(Name, Value)).


exits(Fun) ->
    try Fun() of
        Value -> {no_exit, Value}
    catch
        exit:Reason -> Reason
    end.


%% What the connection process has been sent.
message() ->
    Self = self(),
    receive
        {{Self, 1}, Message} -> Message
    after
        0 ->
            none
    end.


replied(Fun) ->
    _ = Fun(),
    {response, _, Headers, _} = message(),
    Headers.


%% Runs Fun with a request of a connection process that answers one message with each of Answers, and gets no more.
with_connection(Fun, Answers) ->
    {Pid, Monitor} = spawn_monitor(fun() -> serve(Answers) end),
    _ = Fun((req())#{pid := Pid}),
    Pid ! last,
    receive
        {'DOWN', Monitor, process, Pid, Reason} -> normal = Reason
    end,
    ok.


serve([]) ->
    receive
        last -> ok
    end;
serve([Answer | Answers]) ->
    Self = self(),
    receive
        {{Self, 1}, Message} -> Answer(Message)
    end,
    serve(Answers).
