%% What the server under test holds: descriptors, ports, processes, timers and native resources.
%%
%% A suite takes a snapshot once everything is loaded and running, and verifies at its end that
%% all has come back to it. Closing is asynchronous, so that verifying waits, for a bounded time.
-module(leak_check).

-export([snapshot/0]).
-export([verify/1]).

-export_type([snapshot/0]).

-type snapshot() :: #{
                      descriptors := #{Kind :: string() => pos_integer()},
                      ports := [{port(), string()}],
                      processes := #{term() => pos_integer()},
                      timers := non_neg_integer(),
                      native := map()
                     }.

-define(PATIENCE_MS, 10000).
-define(INTERVAL_MS, 20).


-spec snapshot() -> snapshot().
snapshot() ->
    #{
      descriptors => descriptors(),
      ports => ports(),
      processes => processes_of_server(),
      timers => timers(),
      native => native()
     }.


%% Fails with what has been leaked, where something is still there after a while.
-spec verify(snapshot()) -> ok.
verify(Before) ->
    verify(Before, erlang:monotonic_time(millisecond) + ?PATIENCE_MS).


verify(Before, Deadline) ->
    Leaks = leaks(Before, snapshot()),
    case erlang:monotonic_time(millisecond) < Deadline of
        _ when map_size(Leaks) =:= 0 ->
            ok;
        true ->
            timer:sleep(?INTERVAL_MS),
            verify(Before, Deadline);
        false ->
            error({leaked, Leaks})
    end.


leaks(Before, After) ->
    Found = #{
              descriptors => more(maps:get(descriptors, Before), maps:get(descriptors, After)),
              native => more(maps:get(native, Before), maps:get(native, After)),
              ports => maps:get(ports, After) -- maps:get(ports, Before),
              processes => more(maps:get(processes, Before), maps:get(processes, After)),
              timers => max(0, maps:get(timers, After) - maps:get(timers, Before))
             },
    maps:filter(fun(_Kind, Leaked) -> not lists:member(Leaked, [[], #{}, 0]) end, Found).


more(Before, After) ->
    maps:filter(fun(_Kind, N) -> N > 0 end, maps:map(fun(Kind, N) -> N - maps:get(Kind, Before, 0) end, After)).


%% Open descriptors by kind, where the system can tell: sockets, pipes, anon_inode:[eventpoll], files.
descriptors() ->
    Dir = "/proc/self/fd",
    case file:list_dir(Dir) of
        {ok, Names} -> count([ descriptor_kind(filename:join(Dir, Name)) || Name <- Names ]);
        {error, _} -> #{}
    end.


descriptor_kind(Path) ->
    case file:read_link(Path) of
        {ok, "socket:" ++ _} -> "socket";
        {ok, "pipe:" ++ _} -> "pipe";
        {ok, "anon_inode:" ++ _ = Kind} -> Kind;
        %% Files come and go with the code server and the logs of Common Test.
        _ -> "file"
    end.


count(Kinds) ->
    Counts = lists:foldl(fun(Kind, Acc) -> maps:update_with(Kind, fun(N) -> N + 1 end, 1, Acc) end, #{}, Kinds),
    maps:remove("file", Counts).


ports() ->
    [ {Port, Name} || Port <- erlang:ports(), {name, "tcp_inet" = Name} <- [erlang:port_info(Port, name)] ].


%% Processes of the server's applications by what they run, since a restarted application has new ones. They are known by
%% their group leader: Common Test's own come and go.
processes_of_server() ->
    Applications = [{ok, drover}, {ok, cowboy}, {ok, ranch}],
    count([ label(Pid) || Pid <- processes(), lists:member(application:get_application(Pid), Applications) ]).


label(Pid) ->
    case process_info(Pid, [registered_name, dictionary, initial_call]) of
        [{registered_name, Name}, _, _] when is_atom(Name) -> Name;
        [_, {dictionary, Dictionary}, {initial_call, Call}] -> proplists:get_value('$initial_call', Dictionary, Call);
        undefined -> gone
    end.


%% Those of the timer server. A timer of the runtime system itself is gone with the process that it is for.
timers() ->
    case ets:info(timer_tab, size) of
        undefined -> 0;
        Size -> Size
    end.


native() ->
    case code:is_loaded(drover_native) =/= false andalso erlang:function_exported(drover_native, stats, 0) of
        true -> drover_native:stats();
        false -> #{}
    end.
