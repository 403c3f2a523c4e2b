%% No handler and no client can tell drover from a real Cowboy: the same scenarios against both, and all that is seen compared.
%%
%% Each case is a scenario of test/parity, played in every way in which bytes may travel (see parity_ways), or plays random ones. What is known to differ stands in test/parity.differences. See README.md.
-module(parity_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

%% Random sequences altogether, unless PARITY_SEQUENCES says how many.
-define(SEQUENCES, 2000).
%% So many in one call of the other node.
-define(CHUNK, 50).


%% Empty where there is no Cowboy to test against, see README.md.
all() ->
    case filelib:wildcard(filename:join(cowboy_peer:above("_peers"), "cowboy/*/ebin")) of
        [] -> [];
        _ -> [ {group, Group} || {Group, _} <- parity_compare:scenarios() ] ++ [{group, random}, differences_are_met, guides_show_differences, no_leaks]
    end.


groups() ->
    [{random, [], [random_plain, random_limited, random_returning, random_compressed, random_passive, random_older]} | scenarios()].


scenarios() ->
    [ {Group, [], [ element(1, Scenario) || Scenario <- Scenarios ]} || {Group, Scenarios} <- parity_compare:scenarios() ].


names() ->
    [ element(1, Scenario) || {_, Scenarios} <- parity_compare:scenarios(), Scenario <- Scenarios ].


%% A node with a real Cowboy and all the listeners.
init_per_suite(Config) ->
    Names = names(),
    Names = lists:uniq(Names),
    {ok, Peer} = cowboy_peer:start(?MODULE),
    Modules = [parity_run, script_v2_h, ws_client],
    ok = cowboy_peer:call(Peer, code, add_pathsa, [[ filename:dirname(code:which(Module)) || Module <- Modules ]]),
    ok = cowboy_peer:call(Peer, parity_compare, start, []),
    Version = cowboy_peer:call(Peer, parity_ways, cowboy_version, []),
    [{peer, Peer},
     {version, Version},
     {differences, parity_differences:load(Version)},
     {leaks, cowboy_peer:call(Peer, leak_check, snapshot, [])} | Config].


end_per_suite(Config) ->
    cowboy_peer:stop(proplists:get_value(peer, Config)).


%% A case that has no function is a scenario.
'$handle_undefined_function'(Name, [Config] = Args) when is_list(Config) ->
    case parity_compare:scenario(Name) of
        none -> error_handler:raise_undef_exception(?MODULE, Name, Args);
        Scenario -> played(Scenario, Config)
    end;
'$handle_undefined_function'(Name, Args) ->
    error_handler:raise_undef_exception(?MODULE, Name, Args).


played(Scenario, Config) ->
    Differences = cowboy_peer:call(proplists:get_value(peer, Config), parity_compare, differences, [element(1, Scenario)]),
    verdict(parity_differences:judge(Scenario, Differences, proplists:get_value(differences, Config))).


verdict(#{unlisted := [], stale := [], met := Met}) ->
    _ = [ persistent_term:put({?MODULE, Entry}, met) || Entry <- Met ],
    ok;
verdict(#{unlisted := Unlisted, stale := Stale}) ->
    ct:fail("~s~s", [[ parity_compare:show(Each) || Each <- Unlisted ], [ io_lib:format("listed, but the same: ~p~n", [Each]) || Each <- Stale ]]).


%% Good and bad frames of all kinds.
random_plain(Config) -> random(plain, Config).


%% With a limit that many frames exceed.
random_limited(Config) -> random(limited, Config).


%% Callbacks that return whatever they may return, or what they must not, and messages.
random_returning(Config) -> random(returning, Config).


%% With compressed messages.
random_compressed(Config) -> random(compressed, Config).


%% Now and then without reading.
random_passive(Config) -> random(passive, Config).


%% Handlers of arity 3, for whom drover's own listener is the reference.
random_older(Config) -> random(older, Config).


%% PARITY_SEED and PARITY_FIRST repeat what has failed.
random(Kind, Config) ->
    Seed = setting("PARITY_SEED", erlang:phash2({erlang:system_time(), Kind}, 1000000)),
    First = setting("PARITY_FIRST", 1),
    Kinds = length(parity_random:kinds()),
    Last = First + (setting("PARITY_SEQUENCES", ?SEQUENCES) + Kinds - 1) div Kinds - 1,
    ct:pal("~s: PARITY_SEED=~b PARITY_FIRST=~b, to ~b", [Kind, Seed, First, Last]),
    random(Kind, Seed, First, Last, Config).


setting(Name, Default) ->
    case os:getenv(Name) of
        false -> Default;
        Value -> list_to_integer(Value)
    end.


random(_Kind, _Seed, From, Last, _Config) when From > Last ->
    ok;
random(Kind, Seed, From, Last, Config) ->
    To = min(Last, From + ?CHUNK - 1),
    case cowboy_peer:call(proplists:get_value(peer, Config),
                          parity_random,
                          run,
                          [Kind, Seed, From, To, proplists:get_value(differences, Config)]) of
        ok ->
            random(Kind, Seed, To + 1, Last, Config);
        {differs, N, Scenario, Text} ->
            ct:fail("PARITY_SEED=~b PARITY_FIRST=~b PARITY_SEQUENCES=1~n~0p~n~s", [Seed, N, Scenario, Text])
    end.


%% No entry is about what does not differ any more. After all scenarios; those that entries name have said so themselves.
differences_are_met(Config) ->
    Names = names(),
    Entries = proplists:get_value(differences, Config),
    [] = [ Name || #{scenarios := Listed} <- Entries, Name <- Listed, not lists:member(Name, Names) ],
    [] = [ Entry || #{details := _} = Entry <- Entries, persistent_term:get({?MODULE, Entry}, not_met) =:= not_met ],
    ok.


%% Each entry is a row of a table in one of the guides.
guides_show_differences(Config) ->
    {ok, Files} = file:list_dir(cowboy_peer:above("guides")),
    Guides = [ Text || File <- Files, {ok, Text} <- [file:read_file(filename:join(cowboy_peer:above("guides"), File))] ],
    [] = [ Row || Entry <- proplists:get_value(differences, Config),
                  Row <- [parity_differences:row(Entry)],
                  not lists:any(fun(Text) -> binary:match(Text, unicode:characters_to_binary(Row)) =/= nomatch end, Guides) ],
    ok.


no_leaks(Config) ->
    cowboy_peer:call(proplists:get_value(peer, Config), leak_check, verify, [proplists:get_value(leaks, Config)]).
