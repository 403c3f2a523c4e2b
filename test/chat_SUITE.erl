%% A chat that was written for Cowboy, run by Cowboy and, with one line changed, by drover under that Cowboy: nobody in it can tell.
%%
%% CHAT_SECONDS says for how long people come and go, CHAT_RATE how many of them a second (`make soak-chat'), CHAT_SEED repeats a run.
-module(chat_SUITE).

-export([suite/0, all/0]).
-export([people_come_and_go/1]).

-define(DEFAULT_SECONDS, 20).
-define(DEFAULT_RATE,    20).
-define(WORKERS,         10).
-define(PATIENCE_MS,     60000).

%% So many states of the node are shown in between.
-define(SAMPLES, 10).

%% KiB and atoms by which a node may differ between two states of rest.
-define(MEMORY_KIB, 16 * 1024).
-define(ATOMS,      200).


suite() ->
    [{timetrap, {seconds, 3 * seconds() + 300}}].


%% Empty where there is no Cowboy to test against, see README.md.
all() ->
    case filelib:is_dir(cowboy_peer:above("_peers")) of
        true -> [people_come_and_go];
        false -> []
    end.


%% Whatever is said is heard once and in order by everybody who is there, people see the same of both servers, and neither
%% holds anything more afterwards than before.
people_come_and_go(Config) ->
    Seed = from_env("CHAT_SEED", rand:uniform(1000000000)),
    ct:pal("~b seconds; CHAT_SEED=~b repeats them", [seconds(), Seed]),
    Dir = proplists:get_value(priv_dir, Config),
    Handlers = [cowboy_handler, drover_handler],
    Runs = [ spawn_monitor(fun() -> exit({run, run(Handler, Dir, Seed)}) end) || Handler <- Handlers ],
    [Cowboy, Drover] = [ result(Run) || Run <- Runs ],
    Both = maps:intersect_with(fun(_N, OfCowboy, OfDrover) -> {OfCowboy, OfDrover} end, Cowboy, Drover),
    [] = [ Different || {_, {OfCowboy, OfDrover}} = Different <- maps:to_list(Both), OfCowboy =/= OfDrover ],
    true = map_size(Both) > 0,
    {comment, io_lib:format("~b visitors compared, seed ~b", [map_size(Both), Seed])}.


result({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {run, Seen}} -> Seen;
        {'DOWN', Monitor, process, Pid, Failure} -> error(Failure)
    end.


%% What each visitor has seen.
run(Handler, Dir, Seed) ->
    Site = chat_site:start(Handler, Dir),
    %% What is made only once is made by the first tenth.
    _ = visits(Site, Seed + 1, seconds() * 100),
    Before = at_rest(Site, fun(_Counts) -> [] end),
    Residents = [ chat_visitor:reside(Site, Way) || Way <- [clear, tls, http2] ],
    Sampler = spawn_link(fun() -> sample(Handler, Site, seconds() * 1000 div ?SAMPLES) end),
    Visits = visits(Site, Seed, seconds() * 900),
    ok = stop(Sampler),
    [ ok = heard_all(Visits, chat_visitor:leave(Resident)) || Resident <- Residents ],
    After = at_rest(Site, fun(Counts) -> worse(Handler, Before, Counts) end),
    ct:pal("~p: ~b visitors said ~b things~nbefore ~p~nafter  ~p",
           [Handler, length(Visits), lists:sum([ Said || #{said := Said} <- Visits ]), shown(Before), shown(After)]),
    ok = chat_site:stop(Site),
    maps:from_list([ {Name, Seen} || #{name := Name, seen := Seen} <- Visits ]).


%%% People.


visits(Site, Seed, Ms) ->
    Deadline = erlang:monotonic_time(millisecond) + Ms,
    Workers = [ spawn_monitor(fun() -> exit({visits, work(Site, Seed, N, Deadline, [])}) end) || N <- lists:seq(1, ?WORKERS) ],
    lists:append([ visited(Worker) || Worker <- Workers ]).


%% One visitor after the other, at this worker's share of the rate.
work(Site, Seed, N, Deadline, Visits) ->
    Began = erlang:monotonic_time(millisecond),
    case Began < Deadline of
        true ->
            Visit = chat_visitor:visit(Site, Seed, N),
            Took = erlang:monotonic_time(millisecond) - Began,
            timer:sleep(max(0, ?WORKERS * 1000 div rate() - Took)),
            work(Site, Seed, N + ?WORKERS, Deadline, [Visit | Visits]);
        false ->
            Visits
    end.


visited({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {visits, Visits}} -> Visits;
        {'DOWN', Monitor, process, Pid, Failure} -> error(Failure)
    end.


%% A resident tells apart what is missing, doubled or out of order by itself, so that the last thing heard of each says it all.
heard_all(Visits, Heard) ->
    [] = [ {Name, Said, maps:get(Name, Heard, 0)} || #{name := Name, said := Said} <- Visits, Said =/= maps:get(Name, Heard, 0) ],
    ok.


seconds() ->
    from_env("CHAT_SECONDS", ?DEFAULT_SECONDS).


rate() ->
    from_env("CHAT_RATE", ?DEFAULT_RATE).


from_env(Name, Default) ->
    case os:getenv(Name, "") of
        "" -> Default;
        Value -> list_to_integer(Value)
    end.


%%% The node.


%% Once nobody is there and nothing is worse: what has ended may take a moment to be gone.
at_rest(Site, Worse) ->
    at_rest(Site, Worse, erlang:monotonic_time(millisecond) + ?PATIENCE_MS).


at_rest(Site, Worse, Deadline) ->
    Counts = chat_site:count(Site),
    case there(Counts) ++ Worse(Counts) of
        [] ->
            Counts;
        Left ->
            erlang:monotonic_time(millisecond) < Deadline orelse error({still_there, Left}),
            timer:sleep(100),
            at_rest(Site, Worse, Deadline)
    end.


there(#{native := #{connections := Native}, connections := Ranch, members := Members}) ->
    [ {Key, N} || {Key, N} <- [{native, Native}, {connections, Ranch}, {members, Members}], N > 0 ].


sample(Handler, Site, Interval) ->
    receive
        {stop, From} -> From ! {stopped, self()}
    after
        Interval ->
            ct:pal("~p ~p", [Handler, shown(chat_site:count(Site))]),
            sample(Handler, Site, Interval)
    end.


stop(Sampler) ->
    Sampler ! {stop, self()},
    receive
        {stopped, Sampler} -> ok
    end.


shown(#{complaints := Complaints} = Counts) ->
    Counts#{complaints := length(Complaints)}.


%% What there is more of than there was. Cowboy itself reports the end of each WebSocket on a stream of HTTP/2 as a crash.
worse(Handler, Before, After) ->
    Kept = maps:without([ complaints || Handler =:= cowboy_handler ], After),
    [ {Key, maps:get(Key, Before), Value} || {Key, Value} <- maps:to_list(Kept), is_worse(Key, maps:get(Key, Before), Value) ].


is_worse(complaints, _, Complaints) -> Complaints =/= [];
is_worse(cpu_ms, _, _) -> false;
is_worse(native, Before, After) -> After =/= Before;
is_worse(resident, Before, After) -> After - Before > ?MEMORY_KIB;
is_worse(atoms, Before, After) -> After - Before > ?ATOMS;
is_worse(_Key, Before, After) -> After > Before.
