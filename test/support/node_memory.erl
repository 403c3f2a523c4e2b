%% The largest amount of memory that this node has taken since a moment of the test's choice.
-module(node_memory).

-export([reset_peak/0]).
-export([peak/0]).


%% Forgets what was before. Says what the node takes now, in KiB (0 where the system does not tell).
-spec reset_peak() -> non_neg_integer().
reset_peak() ->
    _ = file:write_file("/proc/self/clear_refs", "5"),
    peak().


-spec peak() -> non_neg_integer().
peak() ->
    case file:read_file("/proc/self/status") of
        {ok, Status} ->
            {match, [Peak]} = re:run(Status, "VmHWM:\\s+(\\d+)", [{capture, all_but_first, binary}]),
            binary_to_integer(Peak);
        {error, _} ->
            0
    end.
