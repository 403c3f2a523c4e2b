%% Which handler serves a host and path.
%%
%% Routes are written once, compiled when the listener starts and matched on every
%% request, top to bottom: the first host that matches is searched for the first path.
%% A host is compared from its last label and a path from its first segment, so both
%% are kept as lists of segments in the order of comparison.
-module(drover_router).

-export([compile/1, match/3]).

-export_type([routes/0, route/0, rules/0, dispatch/0, bindings/0, tokens/0]).

%% Segments of a host or a path.
-type tokens() :: [binary()].
-type bindings() :: #{atom() => any()}.

%% `'_'' matches everything. Otherwise a match such as `"[www.]example.org"' or
%% `"/rooms/:id/[...]"': `:name' binds a segment, brackets make their content optional,
%% and `[...]' takes the rest (in front of a host, at the end of a path).
-type route_match() :: '_' | iodata().
-type path() ::
        {route_match(), Handler :: module(), HandlerOpts :: any()} |
        {route_match(), drover_constraints:fields(), Handler :: module(), HandlerOpts :: any()}.
-type route() ::
        {route_match(), [path()]} |
        {route_match(), drover_constraints:fields(), [path()]}.
-type routes() :: [route()].

-type pattern() :: [binary() | atom()].
%% `<<"*">>', the target of `OPTIONS *'.
-type any_resource() :: binary().
-type path_rule() :: {'_' | any_resource() | pattern(), drover_constraints:fields(), Handler :: module(), HandlerOpts :: any()}.
-type host_rule() :: {'_' | pattern(), drover_constraints:fields(), [path_rule()]}.
-type rules() :: [host_rule()].
%% Compiled routes; large ones may be kept as a persistent term.
-type dispatch() :: rules() | {persistent_term, Key :: any()}.


%% Compile routes. Fails with `{bad_route, Match, Why}' on a match that has no meaning.
-spec compile(routes()) -> rules().
compile(Routes) ->
    lists:append([ compile_host(Route) || Route <- Routes ]).


-spec compile_host(route()) -> [host_rule()].
compile_host({HostMatch, Paths}) ->
    compile_host({HostMatch, [], Paths});
compile_host({HostMatch, Fields, Paths}) ->
    PathRules = lists:append([ compile_path(Path) || Path <- Paths ]),
    [ {Pattern, Fields, PathRules} || Pattern <- host_patterns(HostMatch) ].


-spec host_patterns(route_match()) -> ['_' | pattern()].
host_patterns('_') ->
    ['_'];
host_patterns(HostMatch) ->
    drover_route_pattern:compile(to_binary(HostMatch), $.).


-spec compile_path(path()) -> [path_rule()].
compile_path({PathMatch, Handler, Opts}) ->
    compile_path({PathMatch, [], Handler, Opts});
compile_path({PathMatch, Fields, Handler, Opts}) when is_atom(Handler) ->
    [ {Pattern, Fields, Handler, Opts} || Pattern <- path_patterns(PathMatch) ].


-spec path_patterns(route_match()) -> ['_' | any_resource() | pattern()].
path_patterns('_') ->
    ['_'];
path_patterns(PathMatch) ->
    case to_binary(PathMatch) of
        <<"*">> ->
            [<<"*">>];
        <<$/, Rest/binary>> ->
            [ lists:reverse(Pattern) || Pattern <- drover_route_pattern:compile(Rest, $/) ];
        Binary ->
            error({bad_route, Binary, "a path must begin with a slash"})
    end.


-spec to_binary(iodata()) -> binary().
to_binary(Match) ->
    try
        iolist_to_binary(Match)
    catch
        error:badarg -> error({bad_route, Match, "not '_' nor iodata"})
    end.


%% Find the handler. `HostInfo' and `PathInfo' are what `[...]' took, if it was there.
-spec match(dispatch(), Host :: binary(), Path :: binary()) ->
          {ok, Handler :: module(), HandlerOpts :: any(), bindings(), HostInfo, PathInfo} |
          {error, notfound, host | path} |
          {error, badrequest, path}
              when HostInfo :: tokens() | undefined, PathInfo :: tokens() | undefined.
match({persistent_term, Key}, Host, Path) ->
    match(persistent_term:get(Key), Host, Path);
match(Rules, Host, Path) ->
    match_host(Rules, Host, Path).


%% `Host' becomes a list of labels, last first, when the first pattern needs it.
-spec match_host(rules(), binary() | tokens(), binary()) -> tuple().
match_host([], _, _) ->
    {error, notfound, host};
match_host([{'_', [], Paths} | _], _, Path) ->
    match_path(Paths, undefined, Path, #{});
match_host(Rules, Host, Path) when is_binary(Host) ->
    case drover_uri:host_labels(Host) of
        {ok, Labels} -> match_host(Rules, lists:reverse(Labels), Path);
        error -> {error, notfound, host}
    end;
match_host([{Pattern, Fields, Paths} | Tail], Labels, Path) ->
    case match_pattern(Labels, Pattern, Fields, #{}) of
        {ok, Bindings, undefined} -> match_path(Paths, undefined, Path, Bindings);
        {ok, Bindings, HostInfo} -> match_path(Paths, lists:reverse(HostInfo), Path, Bindings);
        nomatch -> match_host(Tail, Labels, Path)
    end.


-spec match_path([path_rule()], tokens() | undefined, Path, bindings()) -> tuple()
              when Path :: binary() | tokens() | badrequest.
match_path([], _, _, _) ->
    {error, notfound, path};
match_path([{'_', [], Handler, Opts} | _], HostInfo, _, Bindings) ->
    {ok, Handler, Opts, Bindings, HostInfo, undefined};
match_path([{<<"*">>, _, Handler, Opts} | _], HostInfo, <<"*">>, Bindings) ->
    {ok, Handler, Opts, Bindings, HostInfo, undefined};
match_path([_ | Tail], HostInfo, <<"*">>, Bindings) ->
    match_path(Tail, HostInfo, <<"*">>, Bindings);
match_path(Rules, HostInfo, Path, Bindings) when is_binary(Path) ->
    match_path(Rules, HostInfo, drover_uri:path_segments(Path), Bindings);
match_path(_, _, badrequest, _) ->
    {error, badrequest, path};
match_path([{Pattern, Fields, Handler, Opts} | Tail], HostInfo, Segments, Bindings) ->
    case match_pattern(Segments, Pattern, Fields, Bindings) of
        {ok, PathBindings, PathInfo} -> {ok, Handler, Opts, PathBindings, HostInfo, PathInfo};
        nomatch -> match_path(Tail, HostInfo, Segments, Bindings)
    end.


-spec match_pattern(tokens(), '_' | any_resource() | pattern(), drover_constraints:fields(), bindings()) ->
          {ok, bindings(), Rest :: tokens() | undefined} | nomatch.
match_pattern(Tokens, Pattern, Fields, Bindings0) ->
    case match_tokens(Tokens, Pattern, Bindings0) of
        {ok, Bindings, Rest} -> constrain(Fields, Bindings, Rest);
        nomatch -> nomatch
    end.


-spec match_tokens(tokens(), '_' | any_resource() | pattern(), bindings()) ->
          {ok, bindings(), Rest :: tokens() | undefined} | nomatch.
match_tokens(Tokens, ['...'], Bindings) ->
    {ok, Bindings, Tokens};
match_tokens([_ | Tokens], ['_' | Pattern], Bindings) ->
    match_tokens(Tokens, Pattern, Bindings);
match_tokens([Token | Tokens], [Token | Pattern], Bindings) ->
    match_tokens(Tokens, Pattern, Bindings);
match_tokens([Token | Tokens], [Name | Pattern], Bindings) when is_atom(Name) ->
    %% A name used twice has to match the same text twice.
    case Bindings of
        #{Name := Token} -> match_tokens(Tokens, Pattern, Bindings);
        #{Name := _} -> nomatch;
        #{} -> match_tokens(Tokens, Pattern, Bindings#{Name => Token})
    end;
match_tokens([], [], Bindings) ->
    {ok, Bindings, undefined};
match_tokens(_, _, _) ->
    nomatch.


%% Constraints on names that are not bound do not matter: the part may be optional.
-spec constrain(drover_constraints:fields(), bindings(), Rest) ->
          {ok, bindings(), Rest} | nomatch
              when Rest :: tokens() | undefined.
constrain([], Bindings, Rest) ->
    {ok, Bindings, Rest};
constrain([Name | Fields], Bindings, Rest) when is_atom(Name) ->
    constrain(Fields, Bindings, Rest);
constrain([Field | Fields], Bindings, Rest) ->
    Name = element(1, Field),
    case Bindings of
        #{Name := Value} ->
            case drover_constraints:validate(Value, element(2, Field)) of
                {ok, Converted} -> constrain(Fields, Bindings#{Name := Converted}, Rest);
                {error, _} -> nomatch
            end;
        #{} ->
            constrain(Fields, Bindings, Rest)
    end.
