%% Counts how often a process had a scheduler for more than a millisecond at a stretch, under several loads.
%%
%% The time is the clock's. It also runs while the system lets something else have the processor, so that a figure says little
%% beside that of another server under the same load. The loads leave the machine much idle time for the same reason.
-module(bench_schedules).

-export([main/1]).

-define(SECONDS, 2).

-type found() :: #{{Process :: atom(), In :: mfa() | undefined, Out :: mfa() | undefined} => [Milliseconds :: pos_integer()]}.


%% The arguments are bench_server's. BENCH_BIN in the environment is the folder of the load generator.
-spec main([atom()]) -> no_return().
main(Args) ->
    Address = "127.0.0.1:" ++ integer_to_list(bench_server:start(Args)),
    [ tell(Args, Name, under(Load ++ [ "--tls" || lists:member(tls, Args) ], Address)) || {Name, Load} <- loads() ],
    halt(0).


loads() ->
    Echo = fun(More) -> ["echo", "--connections", "16" | string:lexemes(More, " ")] end,
    [{"125 B text", Echo("--size 125 --rate 8000")},
     {"125 B text, 256 at once", Echo("--size 125 --outstanding 256 --connections 1")},
     {"16 KiB UTF-8", Echo("--size 16384 --kind utf8 --rate 2000")},
     {"1 MiB binary", Echo("--size 1048576 --kind binary --rate 50")},
     {"8 MiB UTF-8", Echo("--size 8388608 --kind utf8 --rate 5")},
     {"1 KiB JSON, deflate", Echo("--size 1024 --kind json --deflate --rate 2000")},
     {"30 KiB JSON, deflate", Echo("--size 30000 --kind json --deflate --rate 200")},
     {"1 MiB JSON, deflate", Echo("--size 1048576 --kind json --deflate --rate 5")},
     {"handshakes", ["connect", "--connections", "2"]}].


under(Load, Address) ->
    Counter = spawn_link(fun() -> counter(#{}) end),
    Generator = filename:join(os:getenv("BENCH_BIN", "target/release"), "drover_bench"),
    Args = Load ++ ["--addr", Address, "--warmup", "0.5", "--seconds", integer_to_list(?SECONDS)],
    Before = erlang:system_monitor(Counter, [{long_schedule, 1}]),
    Port = open_port({spawn_executable, Generator}, [{args, Args}, exit_status, stderr_to_stdout, binary]),
    ok = ended(Port),
    _ = erlang:system_monitor(Before),
    Counter ! {tell, self()},
    receive
        {Counter, Found} -> Found
    end.


ended(Port) ->
    receive
        {Port, {data, _}} -> ended(Port);
        {Port, {exit_status, 0}} -> ok
    end.


-spec counter(found()) -> any().
counter(Found) ->
    receive
        {monitor, Process, long_schedule, Info} ->
            Key = {kind(Process), proplists:get_value(in, Info), proplists:get_value(out, Info)},
            counter(maps:update_with(Key,
                                     fun(Times) -> [proplists:get_value(timeout, Info) | Times] end,
                                     [proplists:get_value(timeout, Info)],
                                     Found));
        {tell, From} ->
            From ! {self(), Found}
    end.


%% What the process was started to do, as far as it lives.
kind(Port) when is_port(Port) ->
    port;
kind(Pid) ->
    case process_info(Pid, dictionary) of
        {dictionary, Dictionary} -> element(1, proplists:get_value('$initial_call', Dictionary, {process, none, 0}));
        undefined -> gone
    end.


tell(Args, Name, Found) ->
    Times = lists:append(maps:values(Found)),
    Most = lists:sublist(lists:reverse(lists:sort([ {lists:max(Of), length(Of), Key} || {Key, Of} <- maps:to_list(Found) ])), 3),
    Columns = [lists:join(" ", [ atom_to_list(Arg) || Arg <- Args ]), Name | [ integer_to_list(length([ T || T <- Times, T >= Least ])) || Least <- [2, 5, 10] ]] ++
        [integer_to_list(lists:max([0 | Times])), lists:join("; ", [ where(Place) || Place <- Most ])],
    io:format("| ~s |~n", [lists:join(" | ", Columns)]).


where({Longest, Times, {Kind, In, Out}}) ->
    io_lib:format("~s ~s to ~s: ~b times, ~b ms", [Kind, place(In), place(Out), Times, Longest]).


place({Module, Function, Arity}) -> io_lib:format("`~s:~s/~b`", [Module, Function, Arity]);
place(Other) -> io_lib:format("~p", [Other]).
