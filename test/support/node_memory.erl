%% The memory that this node takes, and the largest amount since a moment of the test's choice, in KiB (0 where the system does
%% not tell).
-module(node_memory).

-export([reset_peak/0]).
-export([peak/0]).
-export([resident/0]).


%% Forgets what was before. Says what the node takes now.
-spec reset_peak() -> non_neg_integer().
reset_peak() ->
    _ = file:write_file("/proc/self/clear_refs", "5"),
    peak().


-spec peak() -> non_neg_integer().
peak() ->
    read("VmHWM").


-spec resident() -> non_neg_integer().
resident() ->
    read("VmRSS").


read(Name) ->
    case file:read_file("/proc/self/status") of
        {ok, Status} ->
            {match, [Value]} = re:run(Status, Name ++ ":\\s+(\\d+)", [{capture, all_but_first, binary}]),
            binary_to_integer(Value);
        {error, _} ->
            0
    end.
