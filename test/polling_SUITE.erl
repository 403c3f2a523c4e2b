%% Who polls the sockets: an I/O thread while traffic is sparse, a process on a scheduler while it is dense.
-module(polling_SUITE).

-export([all/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([helpers_poll_while_traffic_is_dense/1,
         helpers_rest_afterwards/1,
         helpers_that_die_lose_nothing/1,
         suspended_helpers_are_done_without/1,
         busy_schedulers_lose_nothing/1,
         application_stops_under_load/1,
         helpers_can_be_left_out/1]).
-export([no_leaks/1]).

%% Clients that wait for each answer. So many are dense.
-define(CLIENTS, 16).


all() ->
    [helpers_poll_while_traffic_is_dense,
     helpers_rest_afterwards,
     helpers_that_die_lose_nothing,
     suspended_helpers_are_done_without,
     busy_schedulers_lose_nothing,
     application_stops_under_load,
     helpers_can_be_left_out,
     no_leaks].


init_per_suite(Config) ->
    case drover_target:only(drover) of
        ok ->
            %% The first listener starts the I/O threads, which stay.
            ok = end_per_testcase(first, init_per_testcase(first, Config)),
            [{leaks, leak_check:snapshot()} | Config];
        Skip ->
            Skip
    end.


end_per_suite(_Config) ->
    ok.


init_per_testcase(no_leaks, Config) ->
    Config;
init_per_testcase(_Case, Config) ->
    ok = drover_target:ensure_started(),
    {ok, Port} = drover_target:start(?MODULE, [{"/", echo_v2_h, #{}}], #{}),
    [{port, Port} | Config].


end_per_testcase(no_leaks, _Config) ->
    ok;
end_per_testcase(_Case, _Config) ->
    _ = drover_target:stop(?MODULE),
    ok.


helpers_poll_while_traffic_is_dense(Config) ->
    Work = work(),
    Clients = clients(Config),
    ok = until(fun() -> work() > Work + 100000 end),
    ok = stop(Clients).


%% One that goes on polling would keep a processor busy.
helpers_rest_afterwards(Config) ->
    ok = stop(clients(Config)),
    ok = until(fun() ->
                       Work = work(),
                       timer:sleep(200),
                       work() =:= Work
               end).


helpers_that_die_lose_nothing(Config) ->
    Clients = clients(Config),
    %% Seldom enough for their supervisor.
    [ begin
          timer:sleep(300),
          Before = helpers(),
          [ exit(Helper, kill) || Helper <- Before ],
          ok = until(fun() -> length(helpers() -- Before) =:= length(Before) end)
      end
      || _ <- lists:seq(1, 5) ],
    ok = stop(Clients).


suspended_helpers_are_done_without(Config) ->
    Clients = clients(Config),
    [ ok = sys:suspend(Helper) || Helper <- helpers() ],
    ok = stop(clients(Config)),
    [ ok = sys:resume(Helper) || Helper <- helpers() ],
    ok = stop(Clients).


%% A helper that waits for a scheduler is one that does not poll.
busy_schedulers_lose_nothing(Config) ->
    Clients = clients(Config),
    Busy = [ spawn_link(fun Loop() -> Loop() end) || _ <- lists:seq(1, 2 * erlang:system_info(schedulers)) ],
    ok = stop(clients(Config)),
    [ begin unlink(Pid), exit(Pid, kill) end || Pid <- Busy ],
    ok = stop(Clients).


%% The clients see the end of their connections, and a listener that is started afterwards works as the first did.
application_stops_under_load(Config) ->
    Clients = clients(Config),
    ok = application:stop(drover),
    [ receive {'EXIT', Client, {{badmatch, {close, _, _}}, _}} -> ok; {'EXIT', Client, {{badmatch, {error, _}}, _}} -> ok end || Client <- Clients ],
    [] = helpers(),
    helpers_poll_while_traffic_is_dense(init_per_testcase(again, Config)).


helpers_can_be_left_out(_Config) ->
    ok = application:stop(drover),
    ok = application:set_env(drover, scheduler_polling, false),
    try
        Config = init_per_testcase(again, []),
        [] = helpers(),
        ok = stop(clients(Config))
    after
        ok = application:unset_env(drover, scheduler_polling),
        ok = application:stop(drover),
        ok = drover_target:ensure_started()
    end.


no_leaks(Config) ->
    ok = drover_target:ensure_started(),
    leak_check:verify(proplists:get_value(leaks, Config)).


%%% The helpers.


helpers() ->
    case whereis(drover_sup) of
        undefined -> [];
        Sup -> [ Pid || {{drover_helper, _}, Pid, worker, _} <- supervisor:which_children(Sup), is_pid(Pid) ]
    end.


%% What they have done since they were started. It does not change while they wait.
work() ->
    lists:sum([ Reductions || Helper <- helpers(), {reductions, Reductions} <- [process_info(Helper, reductions)] ]).


until(Fun) ->
    until(Fun, erlang:monotonic_time(second) + 60).


until(Fun, Deadline) ->
    case Fun() of
        true ->
            ok;
        false ->
            true = erlang:monotonic_time(second) < Deadline,
            timer:sleep(10),
            until(Fun, Deadline)
    end.


%%% The clients: processes that send numbers and fail if something else comes back.


clients(Config) ->
    process_flag(trap_exit, true),
    Port = proplists:get_value(port, Config),
    [ spawn_link(fun() -> client(Port) end) || _ <- lists:seq(1, ?CLIENTS) ].


client(Port) ->
    {ok, Client, {101, _}} = ws_client:connect(Port, "/"),
    client(Client, 0).


client(Client, N) ->
    Message = {text, integer_to_binary(N)},
    ok = ws_client:send(Client, Message),
    Message = ws_client:recv(Client),
    receive
        {stop, Enough, From} when N >= Enough ->
            ok = ws_client:close(Client),
            From ! {self(), stopped}
    after
        0 ->
            client(Client, N + 1)
    end.


%% Each when it has got so many answers.
stop(Clients) ->
    [ Client ! {stop, 200, self()} || Client <- Clients ],
    [ receive
          {Client, stopped} -> ok;
          {'EXIT', Client, Reason} when Reason =/= normal -> error(Reason)
      end || Client <- Clients ],
    ok.
