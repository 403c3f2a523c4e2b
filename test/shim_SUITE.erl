%% The application in erlang_cowboy: handlers that know Cowboy only compile and run where there is none.
%%
%% Its modules are compiled here and loaded into a node of their own: where a real Cowboy is loaded for other
%% suites, they must not be.
-module(shim_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

-define(HANDLERS, [shim_v2_h, shim_v2pre_h, shim_http_h]).
%% What the real cowboy_req has and the shim leaves to it, and what is new since Cowboy 2.8.
-define(LEFT_TO_COWBOY,
        [{push, 3},
         {push, 4},
         {read_part, 1},
         {read_part, 2},
         {read_part_body, 1},
         {read_part_body, 2},
         {response_headers, 2},
         {stream_events, 3}]).
-define(NEW_IN_COWBOY,  [{match_cookies, 3}, {match_qs, 3}, {parse_cookies, 2}, {parse_qs, 2}]).


all() ->
    [handlers_compile, missing_init_is_noticed, same_functions, functions_of_the_real, serves_arity_2, serves_arity_3,
     serves_http, environment, early_listeners, refuses_to_start_beside_the_real, refuses_to_build_beside_the_real].


init_per_suite(Config) ->
    Ebin = filename:join(proplists:get_value(priv_dir, Config), "ebin"),
    ok = filelib:ensure_path(Ebin),
    Sources = filelib:wildcard(filename:join(cowboy_peer:above("erlang_cowboy/cowboy"), "src/*.erl")),
    [ {ok, _, []} = compile(Source, Ebin) || Source <- Sources ],
    {ok, _} = file:copy(filename:join(cowboy_peer:above("erlang_cowboy/cowboy"), "src/cowboy.app.src"),
                        filename:join(Ebin, "cowboy.app")),
    true = code:add_pathz(Ebin),
    try
        [ {_, {ok, _, []}} = {Handler, compile(source(Handler, Config), Ebin)} || Handler <- ?HANDLERS ]
    after
        true = code:del_path(Ebin)
    end,
    [{ebin, Ebin} | Config].


end_per_suite(_) ->
    ok.


init_per_testcase(functions_of_the_real, Config) ->
    case filelib:is_dir(cowboy_peer:above("_peers")) of
        true -> Config;
        false -> {skip, "no real Cowboy under _peers"}
    end;
init_per_testcase(refuses_to_build_beside_the_real, Config) ->
    case os:find_executable("rebar3") of
        false -> {skip, "no rebar3"};
        _ -> Config
    end;
init_per_testcase(Case, Config)
  when Case =:= serves_arity_2;
       Case =:= serves_arity_3;
       Case =:= serves_http;
       Case =:= environment;
       Case =:= early_listeners ->
    Peer = start_peer([proplists:get_value(ebin, Config)]),
    {ok, Started} = call(Peer, application, ensure_all_started, [cowboy]),
    true = lists:member(drover, Started),
    {ok, _} = call(Peer, cowboy, start_clear, [shim, [{port, 0}, {ip, {127, 0, 0, 1}}], #{env => #{dispatch => dispatch(Peer)}}]),
    [{peer, Peer}, {port, call(Peer, drover, get_port, [shim])} | Config];
init_per_testcase(_, Config) ->
    Config.


end_per_testcase(_, Config) ->
    case proplists:get_value(peer, Config) of
        undefined ->
            ok;
        Peer ->
            ok = call(Peer, cowboy, stop_listener, [shim]),
            peer:stop(Peer)
    end.


%% Handlers of both APIs compile without a warning, and so does the shim: see init_per_suite.
handlers_compile(Config) ->
    [ true = filelib:is_file(filename:join(proplists:get_value(ebin, Config), atom_to_list(Handler) ++ ".beam"))
      || Handler <- ?HANDLERS ],
    ok.


%% The behaviours are no mere names: a handler without init/2 is warned of.
missing_init_is_noticed(Config) ->
    true = code:add_pathz(proplists:get_value(ebin, Config)),
    try
        [ begin
              File = filename:join(proplists:get_value(priv_dir, Config), "no_init_h.erl"),
              ok = file:write_file(File, ["-module(no_init_h).\n-behaviour(", atom_to_list(Behaviour), ").\n"]),
              {ok, no_init_h, _, [{_, Warnings}]} = compile:file(File, [binary, return]),
              [{undefined_behaviour_func, {init, 2}, Behaviour}] = [ Warning || {_, erl_lint, Warning} <- Warnings ]
          end || Behaviour <- [cowboy_websocket, cowboy_handler] ],
        ok
    after
        true = code:del_path(proplists:get_value(ebin, Config))
    end.


%% The modules have just the functions of those that they stand for.
same_functions(Config) ->
    [ {Shim, Functions} = {Shim, functions(filename:join(proplists:get_value(ebin, Config), atom_to_list(Shim)))}
      || {Shim, Drover} <- [{cowboy_req, [drover_req, drover_req_early]}, {cowboy_constraints, [drover_constraints]}],
         Functions <- [lists:sort(lists:append([ functions(code:which(Module)) || Module <- Drover ]))] ],
    ok.


%% What the real cowboy_req has is there, or named above.
functions_of_the_real(Config) ->
    Real = filename:join(cowboy_peer:above("_peers"), "cowboy/cowboy/ebin/cowboy_req"),
    Shim = filename:join(proplists:get_value(ebin, Config), "cowboy_req"),
    ?LEFT_TO_COWBOY = functions(Real) -- (?NEW_IN_COWBOY ++ functions(Shim)),
    ok.


%% A handler of arity 2, with a route of cowboy_router's.
serves_arity_2(Config) ->
    Headers = #{headers => [{"Sec-WebSocket-Protocol", "Chat, other"}]},
    {ok, Client, {101, #{<<"sec-websocket-protocol">> := <<"Chat">>}}} =
        ws_client:connect(proplists:get_value(port, Config), "/room/7", Headers),
    {text, <<"room 7">>} = ws_client:recv(Client),
    ok = ws_client:send(Client, {text, <<"hi">>}),
    {text, <<"hi">>} = ws_client:recv(Client),
    ok = ws_client:send(Client, close),
    close = ws_client:recv(Client),
    {404, _, _} = get("/room/x", Config),
    ws_client:close(Client).


%% A handler of arity 3, which also refuses by itself.
serves_arity_3(Config) ->
    {ok, Client, {101, _}} = ws_client:connect(proplists:get_value(port, Config), "/v2pre"),
    {text, <<"13">>} = ws_client:recv(Client),
    ok = ws_client:send(Client, {text, <<"hi">>}),
    {text, <<"hi">>} = ws_client:recv(Client),
    ok = ws_client:close(Client),
    {403, #{<<"x-why">> := <<"no upgrade">>}, <<"no">>} = get("/v2pre", Config),
    ok.


%% A plain response; a failed match is a 400.
serves_http(Config) ->
    {200, _, <<"1">>} = get("/http", Config),
    {200, _, <<"42">>} = get("/http?n=41", Config),
    {400, _, _} = get("/http?n=x", Config),
    ok.


%% Routes can be changed while the listener runs.
environment(Config) ->
    Peer = proplists:get_value(peer, Config),
    {200, _, <<"1">>} = get("/http", Config),
    none = call(Peer, cowboy, get_env, [shim, none, none]),
    ok = call(Peer, cowboy, set_env, [shim, dispatch, call(Peer, cowboy_router, compile, [[]])]),
    [] = call(Peer, cowboy, get_env, [shim, dispatch]),
    {400, _, _} = get("/http", Config),
    ok.


%% Listeners are started as in the first versions of Cowboy 2, too.
early_listeners(Config) ->
    Peer = proplists:get_value(peer, Config),
    Dispatch = dispatch(Peer),
    [ begin
          {ok, _} = call(Peer, cowboy, Start, [early, 100, [{port, 0}, {ip, {127, 0, 0, 1}}], ProtoOpts]),
          {200, _, <<"1">>} = get("/http", [{port, call(Peer, drover, get_port, [early])}]),
          ok = call(Peer, cowboy, stop_listener, [early])
      end || {Start, ProtoOpts} <- [{start_http, [{env, [{dispatch, Dispatch}]}, {compress, true}]},
                                    {start_clear, #{env => #{dispatch => Dispatch}}}] ],
    ok.


%% Two applications of one name would be a matter of chance: the error names the other.
refuses_to_start_beside_the_real(Config) ->
    Real = fake_cowboy(Config),
    Peer = start_peer([proplists:get_value(ebin, Config), Real]),
    {error, {cowboy, {{real_cowboy_in_code_path, Beam}, _}}} =
        call(Peer, application, ensure_all_started, [cowboy]),
    Beam = filename:join(Real, "cowboy_http.beam"),
    peer:stop(Peer).


%% The same where it would be built: rebar3 says why and fails.
refuses_to_build_beside_the_real(Config) ->
    Project = filename:join(proplists:get_value(priv_dir, Config), "project"),
    ok = filelib:ensure_path(Project),
    Shim = cowboy_peer:above("erlang_cowboy/cowboy"),
    _ = os:cmd(["cp -R ", Shim, "/rebar.config ", Shim, "/rebar.config.script ", Shim, "/src ", Project]),
    Libs = filename:dirname(filename:dirname(fake_cowboy(Config))),
    Build = fun(Env) -> os:cmd(["cd ", Project, " && ", Env, " rebar3 compile 2>&1; echo status $?"]) end,
    {match, _} = re:run(Build("ERL_LIBS="), "status 0"),
    Refused = Build(["ERL_LIBS=", Libs]),
    {match, _} = re:run(Refused, "The real Cowboy is in the code path"),
    {match, _} = re:run(Refused, "status 1"),
    ok.


%%% Helpers.


compile(Source, Ebin) ->
    compile:file(Source, [{outdir, Ebin}, return, warnings_as_errors, warn_missing_spec, debug_info]).


source(Handler, Config) ->
    filename:join(proplists:get_value(data_dir, Config), atom_to_list(Handler) ++ ".erl").


start_peer(Ebins) ->
    Own = filename:dirname(code:which(drover_req)),
    {ok, Peer, _} = peer:start(#{connection => standard_io, args => lists:append([ ["-pa", Dir] || Dir <- [Own | Ebins] ])}),
    Peer.


call(Peer, Module, Function, Args) ->
    peer:call(Peer, Module, Function, Args).


dispatch(Peer) ->
    Paths = [{"/room/:room", [{room, int}], shim_v2_h, []}, {"/v2pre", shim_v2pre_h, []}, {"/http", shim_http_h, []}],
    call(Peer, cowboy_router, compile, [[{'_', Paths}]]).


get(Path, Config) ->
    ws_client:request(proplists:get_value(port, Config), ["GET ", Path, " HTTP/1.1\r\nhost: a\r\n\r\n"]).


functions(Beam) ->
    {ok, {_, [{exports, Exports}]}} = beam_lib:chunks(Beam, [exports]),
    lists:sort([ Export || {Name, _} = Export <- Exports, Name =/= module_info ]).


%% A code path with a module that only the real Cowboy has.
fake_cowboy(Config) ->
    Ebin = filename:join(proplists:get_value(priv_dir, Config), "fake/cowboy/ebin"),
    ok = filelib:ensure_path(Ebin),
    ok = file:write_file(filename:join(Ebin, "cowboy_http.beam"), <<>>),
    Ebin.
