%% A program of the operating system that never outlives the test that started it.
%%
%% It leads a process group of its own. A small shell holds the other end of the port: when that
%% is closed, by stop/1 or by the death of the port's owner, the shell kills the whole group.
-module(os_program).

-export([start/3, stop/1, terminate/1]).
-export([await_output/2, await_exit/1]).

-export_type([program/0]).

-opaque program() :: port().

-define(PATIENCE_MS, 30000).
-define(INTERVAL_MS, 20).

%% File 3 is the port's end: a shell gives its background jobs no standard input.
-define(GUARD,
        "exec 3<&0; setsid \"$0\" \"$@\" </dev/null 3<&- & group=$!; "
        "(cat <&3; kill -s KILL -- -$group) >/dev/null 2>&1 & guard=$!; "
        "trap 'kill -s TERM -- -$group' TERM; "
        "wait $group; status=$?; "
        "while kill -0 $group 2>/dev/null; do wait $group; status=$?; done; "
        "kill $guard; exit $status").


-spec start(file:filename(), [string()], [{string(), string()}]) -> program().
start(Path, Args, Env) ->
    open_port({spawn_executable, "/bin/sh"},
              [{args, ["-c", ?GUARD, Path | Args]}, {env, Env}, binary, stderr_to_stdout, exit_status]).


%% Kills it and all that it started, and waits until they are gone.
-spec stop(program()) -> ok.
stop(Program) ->
    case erlang:port_info(Program, os_pid) of
        {os_pid, Shell} ->
            true = port_close(Program),
            await_gone(Shell, deadline());
        undefined ->
            ok
    end.


%% Asks it to end, as a user or a service manager does.
-spec terminate(program()) -> ok.
terminate(Program) ->
    {os_pid, Shell} = erlang:port_info(Program, os_pid),
    [] = os:cmd("kill -TERM " ++ integer_to_list(Shell)),
    ok.


%% Waits for output that matches the pattern; gives the first group.
-spec await_output(program(), iodata()) -> string().
await_output(Program, Pattern) ->
    await_output(Program, Pattern, <<>>).


await_output(Program, Pattern, Output) ->
    case re:run(Output, Pattern, [{capture, [1], list}]) of
        {match, [Group]} ->
            Group;
        nomatch ->
            receive
                {Program, {data, More}} ->
                    await_output(Program, Pattern, <<Output/binary, More/binary>>);
                {Program, {exit_status, Status}} ->
                    error({ended, Status, Output})
            after
                ?PATIENCE_MS ->
                    error({not_put_out_in_time, Pattern, Output})
            end
    end.


%% Its exit status and the rest of its output.
-spec await_exit(program()) -> {non_neg_integer(), binary()}.
await_exit(Program) ->
    await_exit(Program, <<>>).


await_exit(Program, Output) ->
    receive
        {Program, {data, More}} ->
            await_exit(Program, <<Output/binary, More/binary>>);
        {Program, {exit_status, Status}} ->
            {Status, Output}
    after
        ?PATIENCE_MS ->
            error({still_running, Output})
    end.


await_gone(Pid, Deadline) ->
    case {filelib:is_dir("/proc/" ++ integer_to_list(Pid)), erlang:monotonic_time(millisecond) < Deadline} of
        {false, _} ->
            ok;
        {true, true} ->
            timer:sleep(?INTERVAL_MS),
            await_gone(Pid, Deadline);
        {true, false} ->
            error({still_there, Pid})
    end.


deadline() ->
    erlang:monotonic_time(millisecond) + ?PATIENCE_MS.
