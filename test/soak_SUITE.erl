%% A node under clients that send garbage, break off anywhere and come and go at full speed: it survives, goes on
%% answering, complains of nothing, and holds nothing more afterwards than before.
%%
%% SOAK_SECONDS says for how long (`make soak SECONDS=600'), SOAK_SEED repeats what a seed has found.
-module(soak_SUITE).

-export([suite/0, all/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([garbage_does_no_harm/1]).

-define(DEFAULT_SECONDS, 20).
-define(WORKERS,         8).
-define(PATIENCE_MS,     60000).

%% KiB by which the node's memory may differ between two states of rest.
-define(MEMORY_KIB, 48 * 1024).

%% Atoms that the code of the node itself may make late.
-define(ATOMS, 200).


suite() ->
    [{timetrap, {seconds, 3 * seconds() + 300}}].


all() ->
    [garbage_does_no_harm].


init_per_suite(Config) ->
    Paths = lists:append([ ["-pa", Path] || Path <- code:get_path(), filename:pathtype(Path) =:= absolute ]),
    [{paths, Paths} | Config].


end_per_suite(_Config) ->
    ok.


%% Whatever clients do, the node survives it and comes back to where it was.
garbage_does_no_harm(Config) ->
    Seed = seed(),
    ct:pal("~b seconds of garbage; SOAK_SEED=~b repeats it", [seconds(), Seed]),
    {ok, Server, _} = peer:start_link(#{connection => standard_io, args => proplists:get_value(paths, Config), wait_boot => ?PATIENCE_MS}),
    {ok, Port} = call(Server, serve),
    %% What is only made once is made by the first tenth.
    _ = maltreat(Port, Seed, seconds() * 100),
    Before = at_rest(Server, fun(_Counts) -> [] end),
    Watch = watch(Port),
    Connections = maltreat(Port, Seed + 1, seconds() * 900),
    Echoed = watched(Watch),
    After = at_rest(Server, fun(Counts) -> worse(Before, Counts) end),
    ct:pal("~b connections; ~b echoes meanwhile~nbefore ~p~nafter  ~p", [Connections, Echoed, Before, After]),
    true = Echoed > 0,
    ok = peer:stop(Server),
    {comment, io_lib:format("~b connections, seed ~b", [Connections, Seed])}.


seconds() ->
    from_env("SOAK_SECONDS", ?DEFAULT_SECONDS).


seed() ->
    from_env("SOAK_SEED", rand:uniform(1000000000)).


from_env(Name, Default) ->
    case os:getenv(Name, "") of
        "" -> Default;
        Value -> list_to_integer(Value)
    end.


call(Server, Function) ->
    peer:call(Server, soak_server, Function, [], ?PATIENCE_MS).


%%% Clients.


%% Says how many connections there were.
maltreat(Port, Seed, Ms) ->
    Deadline = erlang:monotonic_time(millisecond) + Ms,
    Workers = [ spawn_monitor(fun() -> exit({done, soak_client:run(Port, Seed, N, Deadline)}) end) || N <- lists:seq(1, ?WORKERS) ],
    lists:sum([ done(Worker) || Worker <- Workers ]).


done({Pid, Ref}) ->
    receive
        {'DOWN', Ref, process, Pid, {done, N}} -> N;
        {'DOWN', Ref, process, Pid, Failure} -> error(Failure)
    end.


%% A well-behaved client all the while: one connection that lasts, and a new one each time. Both must be answered.
watch(Port) ->
    spawn_monitor(fun() -> echo_until_stopped(Port, connected(Port), 0) end).


echo_until_stopped(Port, Lasting, N) ->
    receive
        stop -> exit({echoed, N})
    after
        100 ->
            New = connected(Port),
            ok = echoed(New),
            ok = ws_client:close(New),
            ok = echoed(Lasting),
            echo_until_stopped(Port, Lasting, N + 1)
    end.


connected(Port) ->
    {ok, Client, {101, _}} = ws_client:connect(Port, "/lasting"),
    Client.


echoed(Client) ->
    Message = {binary, rand:bytes(rand:uniform(2000))},
    ok = ws_client:send(Client, Message),
    Message = ws_client:recv(Client, ?PATIENCE_MS),
    ok.


watched({Pid, Ref}) ->
    Pid ! stop,
    receive
        {'DOWN', Ref, process, Pid, {echoed, N}} -> N;
        {'DOWN', Ref, process, Pid, Failure} -> error({not_answered, Failure})
    end.


%%% The node.


%% The counts once all connections are over and nothing is worse: what has ended may take a moment to be gone.
at_rest(Server, Worse) ->
    at_rest(Server, Worse, erlang:monotonic_time(millisecond) + ?PATIENCE_MS).


at_rest(Server, Worse, Deadline) ->
    #{native := Native} = Counts = call(Server, count),
    case maps:to_list(maps:filter(fun(_Kind, N) -> N > 0 end, maps:with([connections, contexts], Native))) ++ Worse(Counts) of
        [] ->
            Counts;
        Left ->
            erlang:monotonic_time(millisecond) < Deadline orelse error({still_there, Left}),
            receive after 100 -> at_rest(Server, Worse, Deadline) end
    end.


%% What there is more of than there was.
worse(Before, After) ->
    [ {Key, maps:get(Key, Before), Value}
      || {Key, Value} <- maps:to_list(After), is_worse(Key, maps:get(Key, Before), Value) ].


is_worse(complaints, _, Complaints) -> Complaints =/= [];
is_worse(native, Before, After) -> After =/= Before;
is_worse(resident, Before, After) -> After - Before > ?MEMORY_KIB;
is_worse(atoms, Before, After) -> After - Before > ?ATOMS;
is_worse(_Key, Before, After) -> After > Before.
