%% Plays scenarios in all ways that make sense, and says where one way differs from its reference.
-module(parity_compare).

-export([start/0]).
-export([differences/1]).
-export([scenario/1]).
-export([ways/2]).
-export([scenarios/0]).
-export([apart/2]).
-export([show/1]).

-export_type([difference/0, variant/0]).

-type variant() :: {api(), Hibernate :: boolean()}.
-type api() :: v2 | v2pre | hybrid.

%% The parts that differ, each with what the reference showed and what this way shows; or what is on record, and what is shown.
-type difference() :: #{
                        scenario := atom(),
                        api := api(),
                        hibernate := boolean(),
                        way := parity_ways:way(),
                        parts := [{parity_transcript:part() | recorded, Reference :: any(), Here :: any()}]
                       }.

-define(GROUPS,
        [parity_handshake, parity_messages, parity_processes, parity_framing, parity_limits, parity_close, parity_results,
         parity_timeouts, parity_compress, parity_flow, parity_older]).


%% All of them, by the module that holds them. Made once, since Common Test asks often.
-spec scenarios() -> [{module(), [parity_run:scenario()]}].
scenarios() ->
    case persistent_term:get(?MODULE, none) of
        none ->
            Scenarios = [ {Group, Group:scenarios()} || Group <- ?GROUPS ],
            ok = persistent_term:put(?MODULE, Scenarios),
            Scenarios;
        Scenarios ->
            Scenarios
    end.


-spec scenario(atom()) -> parity_run:scenario() | none.
scenario(Name) ->
    case [ Scenario || {_, Scenarios} <- scenarios(), Scenario <- Scenarios, element(1, Scenario) =:= Name ] of
        [Scenario] -> Scenario;
        [] -> none
    end.


%% Once in a node, before anything else.
-spec start() -> ok.
start() ->
    ok = logger:set_primary_config(level, none),
    ok = parity_ways:start(),
    [ _ = parity_ways:port(Way, #{}) || Way <- parity_ways:all() ],
    ok.


%% Of a scenario, or of one of this name.
-spec differences(atom() | parity_run:scenario()) -> [difference()].
differences(Name) when is_atom(Name) ->
    differences(scenario(Name));
differences({_Name, _Points, Options, _Steps} = Scenario) ->
    Apis = lists:flatten([maps:get(api, Options, v2)]),
    Played = played([ {Api, Hibernate} || Api <- Apis, Hibernate <- maps:get(hibernate, Options, [false, true]) ], Scenario),
    lists:append([ of_variant(Variant, maps:from_list([ {Way, T} || {V, Way, T} <- Played, V =:= Variant ]), Scenario)
                   || Variant <- lists:usort([ Variant || {Variant, _, _} <- Played ]) ]).


%% The listeners first: they are not to be started twice.
played(Variants, {_, _, Options, _} = Scenario) ->
    Listener = maps:get(listener, Options, #{}),
    Plays = [ {Variant, Way} || {Api, _} = Variant <- Variants, Way <- ways(Api, Scenario) ],
    _ = [ parity_ways:port(Way, Listener) || {_, Way} <- Plays ],
    Players = [ {Play, spawn_monitor(fun() -> exit({played, play(Play, Scenario)}) end)} || Play <- Plays ],
    Played = [ {Variant, Way, outcome(Player)} || {{Variant, Way}, Player} <- Players ],
    _ = [ parity_ways:stop(Way, Listener) || Listener =/= #{}, Way <- lists:usort([ Way || {_, Way} <- Plays ]) ],
    Played.


play({{Api, Hibernate}, Way}, Scenario) ->
    parity_run:transcript(Way, Api, {Hibernate, Scenario}).


outcome({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {played, Transcript}} -> Transcript;
        {'DOWN', Monitor, process, Pid, Reason} -> error({not_played, Reason})
    end.


%% In which a scenario is played with handlers of this API.
-spec ways(api(), parity_run:scenario()) -> [parity_ways:way()].
ways(Api, {_, _, Options, _}) ->
    Wanted = maps:get(ways, Options, all),
    [ Way || Way <- parity_ways:all(),
             wanted(Way, Wanted),
             %% No Cowboy runs the older APIs.
             Api =:= v2 orelse not lists:member(Way, [cowboy, cowboy_tls, cowboy_http2]) ].


wanted(_Way, all) -> true;
wanted(Way, http1) -> parity_ways:carrier(Way) =/= http2;
wanted(Way, tcp) -> parity_ways:carrier(Way) =:= tcp;
wanted(Way, http2) -> parity_ways:carrier(Way) =:= http2;
wanted(Way, Ways) -> lists:member(Way, Ways).


of_variant({Api, Hibernate}, Transcripts, {Name, _, Options, _}) ->
    [ #{scenario => Name, api => Api, hibernate => Hibernate, way => Way, parts => Parts}
      || {Way, Transcript} <- maps:to_list(Transcripts),
         Parts <- [parts(Api, Transcript, maps:get(parity_ways:reference(Way, Api), Transcripts)) ++
                   gave_up(Transcript) ++ recorded(Api, Transcript, Options)],
         Parts =/= [] ].


parts(Api, Transcript, Reference) ->
    Comparable = in_the_clear(Api, Transcript),
    [ {Part, Expected, Here}
      || {Part, Expected} <- maps:to_list(Reference),
         #{Part := Here} <- [Comparable],
         Here =/= Expected ].


%% For the older APIs there is no reference over TLS.
in_the_clear(v2, Transcript) -> Transcript;
in_the_clear(_Older, Transcript) -> parity_transcript:in_the_clear(Transcript).


%% A scenario that does not come to its end on the reference is wrong itself.
gave_up(#{observed := Observed} = Transcript) ->
    [ {gave_up, What, Transcript} || {gave_up, What} <- Observed ].


recorded(Api, #{wire := Wire, exit := Exit, calls := Calls}, #{recorded := {Frames, End}}) when Api =/= v2 ->
    Here = {[ Frame || Frame <- Wire, not is_tuple(Frame) orelse element(1, Frame) =/= head ],
            {[ Reason || {terminate, {Reason, _, _}} <- Calls ], Exit}},
    [ {recorded, {Frames, End}, Here} || Here =/= {Frames, End} ];
recorded(_Api, _Transcript, _Options) ->
    [].


%% For a reader.
-spec show(difference()) -> iolist().
show(#{scenario := Name, api := Api, hibernate := Hibernate, way := Way, parts := Parts}) ->
    [ io_lib:format("~s (~s~s), ~s: ~s~n~s",
                    [Name, Api, [ ", hibernating" || Hibernate ], Way, Part, [ show_at(Each) || Each <- apart(Expected, Here) ]])
      || {Part, Expected, Here} <- Parts ].


show_at({Where, Expected, Here}) ->
    io_lib:format("  ~0p~n    is    ~0P~n    here  ~0P~n", [lists:reverse(Where), Expected, 40, Here, 40]).


%% The smallest parts of two terms that are not the same, and where they are, the innermost place first.
-spec apart(any(), any()) -> [{Where :: [any()], any(), any()}].
apart(One, Other) ->
    apart(One, Other, []).


apart(Same, Same, _Where) ->
    [];
apart([A | As], [B | Bs], Where) when length(As) =:= length(Bs) ->
    lists:append([ apart(X, Y, [N | Where]) || {N, X, Y} <- lists:zip3(lists:seq(1, length(As) + 1), [A | As], [B | Bs]) ]);
apart([A | As], [B | Bs], Where) ->
    apart(A, B, [first | Where]) ++ apart(As, Bs, [rest | Where]);
apart(A, B, Where) when is_tuple(A), tuple_size(A) =:= tuple_size(B) ->
    lists:append([ apart(element(N, A), element(N, B), [N | Where]) || N <- lists:seq(1, tuple_size(A)) ]);
apart(A, B, Where) when is_map(A), is_map(B) ->
    lists:append([ apart(maps:get(Key, A, none), maps:get(Key, B, none), [Key | Where]) || Key <- maps:keys(maps:merge(A, B)) ]);
apart(A, B, Where) ->
    [{Where, A, B}].
