%% The answers of a connection process to the calls of the module supervisor.
%%
%% A connection process stands in a supervision tree as a supervisor of request processes, so tools that
%% walk the tree, and release upgrades, ask it for its children and wait for an answer. One that hands such calls to its
%% handler, as messages, says so, and stands there as a worker, which nobody asks.
-module(drover_children).

-export([reply/3]).
-export([stand_as/1]).
-export([type/1]).


%% @doc Answer a call.
-spec reply(term(), gen_server:from(), [pid()]) -> ok.
reply(Call, From, Children) ->
    gen_server:reply(From, answer(Call, Children)).


%% @doc Whether the calling process answers from now on.
-spec stand_as(supervisor | worker) -> ok.
stand_as(supervisor) ->
    ok;
stand_as(worker) ->
    _ = put(?MODULE, worker),
    ok.


%% @doc As what a connection process stands in the tree.
-spec type(pid()) -> supervisor | worker.
type(Pid) ->
    case process_info(Pid, dictionary) of
        {dictionary, Dictionary} -> proplists:get_value(?MODULE, Dictionary, supervisor);
        undefined -> worker
    end.


answer(which_children, Children) ->
    [ {drover_request, Pid, worker, [drover_request]} || Pid <- Children ];
answer(count_children, Children) ->
    Count = length(Children),
    [{specs, 1}, {active, Count}, {supervisors, 0}, {workers, Count}];
answer({start_child, _}, _Children) ->
    {error, start_child_disabled};
answer(_, _Children) ->
    {error, not_found}.
