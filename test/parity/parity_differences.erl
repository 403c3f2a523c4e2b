%% The known differences, kept in test/parity.differences: Erlang terms, one map for each.
%%
%% What is not listed must not differ. An entry about scenarios has to show in each of them, in every way and part that it names; one
%% about details, which may be met anywhere, has to be met at least once.
-module(parity_differences).

-export([load/1]).
-export([judge/3]).
-export([row/1]).

-export_type([entry/0]).

-type entry() :: #{
                   %% What the guides say: a row of a table.
                   point := string(),
                   cowboy := string(),
                   drover := string(),
                   why := string(),
                   %% Scenarios, and which parts of their transcripts.
                   scenarios => [atom()],
                   parts => [atom()],
                   %% And those in which a difference may show or not, by how fast who is.
                   may => [atom()],
                   %% And what more differs in some ways.
                   more => #{parity_ways:way() => [atom()]},
                   %% Or what is met in any of them: an innermost place in this part, as Cowboy has it, and as drover has it; '_' is anything.
                   details => [{parity_transcript:part(), Place :: any(), any(), any()}],
                   %% All ways of drover's, and all APIs, unless they are named. Hibernating or not, unless it is said.
                   ways => [parity_ways:way()],
                   apis => [v2 | v2pre | hybrid],
                   %% With Cowboys before this version alone.
                   before => {non_neg_integer(), non_neg_integer()},
                   %% From this version on.
                   since => {non_neg_integer(), non_neg_integer()}
                  }.

-type verdict() :: #{
                     %% Differences that nobody has listed.
                     unlisted := [parity_compare:difference()],
                     %% What is listed and did not show.
                     stale := [tuple()],
                     %% The entries about details that were met.
                     met := [entry()]
                    }.


%% Those that hold beside a Cowboy of this version.
-spec load({non_neg_integer(), non_neg_integer()}) -> [entry()].
load(Version) ->
    {ok, Entries} = file:consult(filename:join(cowboy_peer:above("test"), "parity.differences")),
    [ Entry || Entry <- Entries, Version < maps:get(before, Entry, {1000, 0}), Version >= maps:get(since, Entry, {0, 0}) ].


-spec judge(parity_run:scenario(), [parity_compare:difference()], [entry()]) -> verdict().
judge(Scenario, Differences, Entries) ->
    Details = [ {Entry, Detail} || #{details := All} = Entry <- Entries, Detail <- All ],
    {Rest, Met} = lists:unzip([ without(Details, Difference) || Difference <- Differences ]),
    Scenarios = [ Entry || #{scenarios := _} = Entry <- Entries ],
    Listed = lists:usort(lists:append([ listed(Entry, Scenario) || Entry <- Scenarios ])),
    Allowed = lists:append([ listed(Entry#{parts := May}, Scenario) || #{may := May} = Entry <- Scenarios ]),
    Found = lists:usort([ {Api, Way, Part} || #{api := Api, way := Way, parts := Parts} <- Rest, {Part, _, _} <- Parts ]),
    #{
      unlisted => lists:append([ unlisted(Difference, Listed ++ Allowed) || Difference <- Rest ]),
      stale => Listed -- Found,
      met => lists:usort(lists:append(Met))
     }.


%% A difference without the parts in which all details are known.
without(Details, #{parts := Parts} = Difference) ->
    Known = [ Each || {Entry, _} = Each <- Details, concerns(Entry, Difference) ],
    Judged = [ {Part, known(Part, Known)} || Part <- Parts ],
    {Difference#{parts := [ Part || {Part, unknown} <- Judged ]}, lists:append([ Met || {_, Met} <- Judged, Met =/= unknown ])}.


concerns(Entry, #{api := Api, way := Way}) ->
    lists:member(Api, maps:get(apis, Entry, [Api])) andalso lists:member(Way, maps:get(ways, Entry, [Way])).


known({Part, Expected, Here}, Known) ->
    Met = [ [ Entry || {Entry, Detail} <- Known, matches(Detail, {Part, hd(Where ++ [top]), Is, Shown}) ]
            || {Where, Is, Shown} <- parity_compare:apart(Expected, Here) ],
    case lists:member([], Met) of
        true -> unknown;
        false -> lists:append(Met)
    end.


matches('_', _Term) ->
    true;
matches(Pattern, Term) when is_tuple(Pattern), tuple_size(Pattern) =:= tuple_size(Term) ->
    lists:all(fun(N) -> matches(element(N, Pattern), element(N, Term)) end, lists:seq(1, tuple_size(Pattern)));
matches(Pattern, Term) ->
    Pattern =:= Term.


unlisted(#{api := Api, way := Way, parts := Parts} = Difference, Listed) ->
    [ Difference#{parts := Rest}
      || Rest <- [[ Each || {Part, _, _} = Each <- Parts, not lists:member({Api, Way, Part}, Listed) ]],
         Rest =/= [] ].


listed(#{scenarios := Names, parts := Parts} = Entry, {Name, _, Options, _} = Scenario) ->
    [ {Api, Way, Part}
      || lists:member(Name, Names),
         Api <- lists:flatten([maps:get(api, Options, v2)]),
         Way <- parity_compare:ways(Api, Scenario),
         Way =/= parity_ways:reference(Way, Api),
         concerns(Entry, #{api => Api, way => Way}),
         Part <- Parts ++ maps:get(Way, maps:get(more, Entry, #{}), []) ].


%% As it stands in a table of the guides.
-spec row(entry()) -> string().
row(#{point := Point, cowboy := Cowboy, drover := Drover, why := Why}) ->
    lists:flatten(lists:join(" ", ["|", Point, "|", Cowboy, "|", Drover, "|", Why, "|"])).
