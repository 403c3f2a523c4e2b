%% The answers of a connection process to the calls of the module supervisor.
%%
%% A connection process stands in a supervision tree as a supervisor of request processes, so tools that
%% walk the tree ask it for its children.
-module(drover_children).

-export([reply/3]).


%% @doc Answer a call.
-spec reply(term(), gen_server:from(), [pid()]) -> ok.
reply(Call, From, Children) ->
    gen_server:reply(From, answer(Call, Children)).


answer(which_children, Children) ->
    [ {drover_request, Pid, worker, [drover_request]} || Pid <- Children ];
answer(count_children, Children) ->
    Count = length(Children),
    [{specs, 1}, {active, Count}, {supervisors, 0}, {workers, Count}];
answer({start_child, _}, _Children) ->
    {error, start_child_disabled};
answer(_, _Children) ->
    {error, not_found}.
