%% Routes: what they match, in which order, what they bind, and that they do as in Cowboy.
-module(router_SUITE).

-compile(export_all).
-compile(nowarn_export_all).


all() ->
    [hosts, paths, order, bindings, constraints, failing_constraints, dots_and_percents, bad_paths, bad_hosts,
     any_resource, persistent_term, bad_routes, as_cowboy].


init_per_testcase(as_cowboy, Config) ->
    case cowboy_peer:start(?MODULE) of
        {ok, Peer} -> [{peer, Peer} | Config];
        Skip -> Skip
    end;
init_per_testcase(_, Config) ->
    Config.


end_per_testcase(as_cowboy, Config) -> cowboy_peer:stop(proplists:get_value(peer, Config));
end_per_testcase(_, _) -> ok.


%% A host matches label by label; brackets are optional, and [...] takes what is in front.
hosts(_) ->
    [ {Match, Host, Expected} = {Match, Host, host(Match, Host)}
      || {Match, Host, Expected} <- [{'_', <<"example.org">>, {#{}, undefined}},
                                     {'_', <<>>, {#{}, undefined}},
                                     {"example.org", <<"example.org">>, {#{}, undefined}},
                                     {<<"example.org">>, <<"example.org">>, {#{}, undefined}},
                                     {["example", $., <<"org">>], <<"example.org">>, {#{}, undefined}},
                                     {"example.org", <<"example.org.">>, {#{}, undefined}},
                                     {"example.org", <<"www.example.org">>, nomatch},
                                     {"example.org", <<"org">>, nomatch},
                                     {"[www.]example.org", <<"example.org">>, {#{}, undefined}},
                                     {"[www.]example.org", <<"www.example.org">>, {#{}, undefined}},
                                     {"[www.]example.org", <<"ftp.example.org">>, nomatch},
                                     {":sub.example.org", <<"a.example.org">>, {#{sub => <<"a">>}, undefined}},
                                     {":sub.example.org", <<"b.a.example.org">>, nomatch},
                                     {"example.:tld", <<"example.net">>, {#{tld => <<"net">>}, undefined}},
                                     {"[[:a.]:b.]org", <<"x.y.org">>, {#{a => <<"x">>, b => <<"y">>}, undefined}},
                                     {"[[:a.]:b.]org", <<"y.org">>, {#{b => <<"y">>}, undefined}},
                                     {"[[:a.]:b.]org", <<"org">>, {#{}, undefined}},
                                     {"[...]example.org", <<"example.org">>, {#{}, []}},
                                     {"[...]example.org", <<"b.a.example.org">>, {#{}, [<<"b">>, <<"a">>]}},
                                     {"[...]:last.org", <<"b.a.org">>, {#{last => <<"a">>}, [<<"b">>]}},
                                     {":_.org", <<"a.org">>, {#{}, undefined}}] ],
    ok.


%% A path matches segment by segment; [...] at its end takes the rest as path_info.
paths(_) ->
    [ {Match, Path, Expected} = {Match, Path, path(Match, Path)}
      || {Match, Path, Expected} <- [{'_', <<"/a/b">>, {#{}, undefined}},
                                     {'_', <<"a">>, {#{}, undefined}},
                                     {"/", <<"/">>, {#{}, undefined}},
                                     {"/", <<"/a">>, nomatch},
                                     {"/a/b", <<"/a/b">>, {#{}, undefined}},
                                     {"/a/b/", <<"/a/b">>, {#{}, undefined}},
                                     {"/a/b", <<"/a/b/">>, {#{}, undefined}},
                                     {"/a/b", <<"/a//b">>, nomatch},
                                     {"/a/b", <<"/a">>, nomatch},
                                     {"/A", <<"/a">>, nomatch},
                                     {"/rooms/:id", <<"/rooms/7">>, {#{id => <<"7">>}, undefined}},
                                     {"/rooms/:id", <<"/rooms">>, nomatch},
                                     {"/rooms/:id", <<"/rooms/7/8">>, nomatch},
                                     {"/rooms/[:id]", <<"/rooms">>, {#{}, undefined}},
                                     {"/rooms/[:id]", <<"/rooms/7">>, {#{id => <<"7">>}, undefined}},
                                     {"/rooms[/:id]", <<"/rooms/7">>, {#{id => <<"7">>}, undefined}},
                                     {"/[[[:y/]:m/]:d]", <<"/1/2/3">>, {#{y => <<"1">>, m => <<"2">>, d => <<"3">>}, undefined}},
                                     {"/[[[:y/]:m/]:d]", <<"/2/3">>, {#{m => <<"2">>, d => <<"3">>}, undefined}},
                                     {"/[[[:y/]:m/]:d]", <<"/">>, {#{}, undefined}},
                                     {"/a[:b]/c", <<"/a/c">>, bad_route},
                                     {"/static/[...]", <<"/static">>, {#{}, []}},
                                     {"/static/[...]", <<"/static/a/b.js">>, {#{}, [<<"a">>, <<"b.js">>]}},
                                     {"/:x/[...]", <<"/s/a">>, {#{x => <<"s">>}, [<<"a">>]}},
                                     {"/a:b", <<"/a:b">>, {#{}, undefined}},
                                     {"/:_/:_", <<"/a/b">>, {#{}, undefined}},
                                     {<<"/", 195, 169>>, <<"/%C3%A9">>, {#{}, undefined}}] ],
    ok.


%% The first host that matches is searched for the first path that matches, and no other host.
order(_) ->
    Dispatch =
        drover_router:compile([{"a.org", [{"/x", first, 1}, {"/:any", second, 2}]},
                               {"[...]org", [{"/y", third, 3}, {"/x", fourth, 4}]},
                               {'_', [{'_', fifth, 5}]}]),
    [ {Host, Path, Expected} = {Host, Path, element(2, drover_router:match(Dispatch, Host, Path))}
      || {Host, Path, Expected} <- [{<<"a.org">>, <<"/x">>, first},
                                    {<<"a.org">>, <<"/y">>, second},
                                    {<<"a.org">>, <<"/y/z">>, notfound},
                                    {<<"b.org">>, <<"/y">>, third},
                                    {<<"b.org">>, <<"/x">>, fourth},
                                    {<<"b.net">>, <<"/x">>, fifth}] ],
    %% Of an optional part, its absence is tried first.
    [{_, _, [Short, Long]}] = drover_router:compile([{'_', [{"/[:a/][...]", h, []}]}]),
    {['...'], ['a', '...']} = {element(1, Short), element(1, Long)},
    {error, notfound, path} = drover_router:match(Dispatch, <<"a.org">>, <<"/">>),
    {error, notfound, host} = drover_router:match([], <<"a.org">>, <<"/">>),
    ok.


%% A name in host and path, or twice in one, must stand for the same text.
bindings(_) ->
    Dispatch = drover_router:compile([{":x.org", [{"/:x/:y/:y", h, []}]}]),
    {ok, h, [], #{x := <<"a">>, y := <<"b">>}, undefined, undefined} =
        drover_router:match(Dispatch, <<"a.org">>, <<"/a/b/b">>),
    {error, notfound, path} = drover_router:match(Dispatch, <<"a.org">>, <<"/c/b/b">>),
    {error, notfound, path} = drover_router:match(Dispatch, <<"a.org">>, <<"/a/b/c">>),
    ok.


%% Constraints convert what they accept; one on an unbound name does not matter.
constraints(_) ->
    Upper =
        fun(forward, Value) -> {ok, string:uppercase(Value)};
           (_, Value) -> {ok, Value}
        end,
    Dispatch =
        drover_router:compile([{":id.org",
                                [{id, int}],
                                [{"/:name/[:n]", [name, {name, [nonempty, Upper]}, {n, int}, {none, int}], h, o}]}]),
    {ok, h, o, #{id := 12, name := <<"ABC">>, n := 3}, undefined, undefined} =
        drover_router:match(Dispatch, <<"12.org">>, <<"/abc/3">>),
    {ok, h, o, #{id := -1, name := <<"ABC">>} = Short, undefined, undefined} =
        drover_router:match(Dispatch, <<"-1.org">>, <<"/abc">>),
    2 = map_size(Short),
    ok.


%% A value that a constraint refuses makes the route match nothing, and the search goes on.
failing_constraints(_) ->
    Dispatch =
        drover_router:compile([{":id.org", [{id, int}], [{"/:n", [{n, int}], int, []}, {"/:n", other, []}]},
                               {":id.org", [{"/", host, []}]}]),
    [ Handler = element(2, drover_router:match(Dispatch, Host, Path))
      || {Host, Path, Handler} <- [{<<"1.org">>, <<"/2">>, int},
                                   {<<"1.org">>, <<"/x">>, other},
                                   {<<"1.org">>, <<"/">>, notfound},
                                   {<<"x.org">>, <<"/">>, host}] ],
    [ {error, {Constraint, Reason, Value}} = drover_constraints:validate(Value, Constraint)
      || {Constraint, Reason, Value} <- [{int, not_an_integer, <<"1x">>},
                                         {int, not_an_integer, <<>>},
                                         {nonempty, empty, <<>>}] ],
    {error, Why} = drover_constraints:validate(<<"1x">>, [nonempty, int]),
    true = is_binary(iolist_to_binary(drover_constraints:format_error(Why))),
    {ok, <<"12">>} = drover_constraints:reverse(12, int),
    ok.


%% Segments are decoded one by one and dots resolved after that; the path cannot leave the root.
dots_and_percents(_) ->
    [ {Path, Expected} = {Path, element(2, path("/[...]", Path))}
      || {Path, Expected} <- [{<<"/a%2Fb/c">>, [<<"a/b">>, <<"c">>]},
                              {<<"/%61">>, [<<"a">>]},
                              {<<"/a/./b">>, [<<"a">>, <<"b">>]},
                              {<<"/a/../b">>, [<<"b">>]},
                              {<<"/a/%2E%2e/b">>, [<<"b">>]},
                              {<<"/../../b">>, [<<"b">>]},
                              {<<"/a//b">>, [<<"a">>, <<>>, <<"b">>]},
                              {<<"/a//">>, [<<"a">>, <<>>]},
                              {<<"/a+b">>, [<<"a+b">>]}] ],
    ok.


%% A path that is no path, or has a broken escape, is a bad request.
bad_paths(_) ->
    Dispatch = drover_router:compile([{'_', [{"/[...]", h, []}, {'_', h, []}]}]),
    [ {error, badrequest, path} = drover_router:match(Dispatch, <<"a">>, Path)
      || Path <- [<<>>, <<"a">>, <<"/%">>, <<"/%4">>, <<"/%4g">>, <<"/a/%%41">>, <<"/a b">>, <<"/\"">>, <<"/", 233>>] ],
    ok.


%% A host with an empty label has no route but one for any host.
bad_hosts(_) ->
    [ nomatch = host("[...]", Host) || Host <- [<<".">>, <<"a..b">>, <<".a">>, <<"a..">>] ],
    {#{}, undefined} = host('_', <<"a..b">>),
    ok.


%% OPTIONS * goes to the route for "*" or to that for any path.
any_resource(_) ->
    {#{}, undefined} = path("*", <<"*">>),
    {#{}, undefined} = path('_', <<"*">>),
    nomatch = path("/[...]", <<"*">>),
    nomatch = path("*", <<"/">>),
    ok.


%% Routes may be kept as a persistent term.
persistent_term(_) ->
    persistent_term:put(?MODULE, drover_router:compile([{'_', [{"/", h, o}]}])),
    try
        {ok, h, o, #{}, undefined, undefined} =
            drover_router:match({persistent_term, ?MODULE}, <<"a">>, <<"/">>)
    after
        persistent_term:erase(?MODULE)
    end.


%% A match without meaning is named in the error, with the reason.
bad_routes(_) ->
    [ begin
          Routes =
              case Match of
                  {host, Host} -> [{Host, []}];
                  Path -> [{'_', [{Path, h, []}]}]
              end,
          try drover_router:compile(Routes) of
              Rules -> error({compiled, Match, Rules})
          catch
              error:{bad_route, _, Why} -> true = io_lib:printable_list(Why)
          end
      end || Match <- ["a",
                       "",
                       {host, "a[b]"},
                       {host, "[a"},
                       {host, "a]"},
                       {host, [300]},
                       "/[a",
                       "/a]",
                       "/:",
                       "/:/a",
                       "/a[b]",
                       "/[a[b]]",
                       "/:a[b]"] ],
    ok.


%% Generated routes, hosts and paths give what the real Cowboy gives.
as_cowboy(Config) ->
    Peer = proplists:get_value(peer, Config),
    {Matched, Refused} = cowboy_peer:call(Peer, ?MODULE, compare_many, [3000]),
    true = Matched > 100 andalso Refused > 100,
    ok.


%% Runs beside the real Cowboy.
compare_many(N) ->
    _ = rand:seed(exsss, {1, 2, 3}),
    Compared = lists:append([ compare(routes()) || _ <- lists:seq(1, N) ]),
    {length([ ok || ok <- Compared ]), length([ error || error <- Compared ])}.


compare(Routes) ->
    Ours =
        try
            drover_router:compile(Routes)
        catch
            error:{bad_route, _, _} -> error
        end,
    Cowboys =
        try
            cowboy_router:compile(Routes)
        catch
            error:_ -> error
        end,
    {Routes, Ours} = {Routes, Cowboys},
    [ compare(Ours, host(), path()) || Ours =/= error, _ <- lists:seq(1, 4) ].


compare(Dispatch, Host, Path) ->
    Ours = drover_router:match(Dispatch, Host, Path),
    {Dispatch, Host, Path, Ours} = {Dispatch, Host, Path, cowboys_match(Dispatch, Host, Path)},
    element(1, Ours).


cowboys_match(Dispatch, Host, Path) ->
    Req = #{host => Host, path => Path, method => <<"GET">>, pid => self(), streamid => 1},
    try cowboy_router:execute(Req, #{dispatch => Dispatch}) of
        {ok, #{host_info := HostInfo, path_info := PathInfo, bindings := Bindings}, #{handler := Handler, handler_opts := Opts}} ->
            {ok, Handler, Opts, Bindings, HostInfo, PathInfo};
        {stop, _} ->
            receive
                {_, {response, 404, _, _}} -> {error, notfound, path};
                {_, {response, 400, _, _}} ->
                    bad_request(Dispatch, Host, Path)
            end
    catch
        %% An empty label crashes there.
        error:{badmatch, true} -> {error, notfound, host}
    end.


%% Both kinds of error are a 400, so that our own word has to do for which it is.
bad_request(Dispatch, Host, Path) ->
    case drover_router:match(Dispatch, Host, Path) of
        {error, notfound, host} = Error -> Error;
        _ -> {error, badrequest, path}
    end.


routes() ->
    [ {pick(['_', text(["a", "b", ".", "[a.]", "[.b]", ":x", ":y", "[", ":x.", "]"], 5)]), fields(), path_routes()}
      || _ <- lists:seq(1, rand:uniform(2)) ].


path_routes() ->
    [ {pick(['_', "*", "/" ++ text(["a", "b", "/", "/[...]", "[a/]", "[/b]", ":x", ":y", "[", ":x/", "]", "/[:y]"], 6)]),
       fields(),
       h,
       N}
      || N <- lists:seq(1, rand:uniform(3)) ].


fields() -> pick([[], [{x, int}], [y, {y, nonempty}]]).


host() -> list_to_binary(pick(["a.b", "", text(["a", "b", "1", ".", "a."], 4)])).


path() ->
    list_to_binary(pick(["*", "", "/", "/" ++ text(["a", "b", "1", "/", "a/", "%61", "..", "./", "%", "%2f", "+", "\""], 5)])).


text(Pieces, N) -> lists:append([ pick(Pieces) || _ <- lists:seq(1, rand:uniform(N)) ]).


pick(List) -> lists:nth(rand:uniform(length(List)), List).


%%% Helpers.


host(Match, Host) ->
    case drover_router:match(drover_router:compile([{Match, [{'_', h, []}]}]), Host, <<"/">>) of
        {ok, h, [], Bindings, HostInfo, undefined} -> {Bindings, HostInfo};
        {error, notfound, host} -> nomatch
    end.


path(Match, Path) ->
    try drover_router:match(drover_router:compile([{'_', [{Match, h, []}]}]), <<"a">>, Path) of
        {ok, h, [], Bindings, undefined, PathInfo} -> {Bindings, PathInfo};
        {error, notfound, path} -> nomatch
    catch
        error:{bad_route, _, _} -> bad_route
    end.
