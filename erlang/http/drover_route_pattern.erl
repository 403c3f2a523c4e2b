%% The syntax of a host or path match, as patterns that `drover_router' compares.
%%
%% A match with optional parts stands for several patterns, tried in the order given
%% here: those without a part before those with it. Segments come out last first, as
%% a host is compared.
-module(drover_route_pattern).

-export([compile/2]).

-type pattern() :: [binary() | atom()].
%% The text of the segment being read, or the name that it binds.
-type segment() :: binary() | atom().
%% `$.' in a host, `$/' in a path.
-type separator() :: $. | $/.


%% All patterns of a match. Fails with `{bad_route, Match, Why}'.
-spec compile(binary(), separator()) -> [pattern()].
compile(Match, Separator) ->
    try
        patterns(Match, Separator, [], <<>>)
    catch
        throw:{bad_syntax, Why} -> error({bad_route, Match, Why})
    end.


-spec patterns(binary(), separator(), pattern(), segment()) -> [pattern()].
patterns(<<>>, _, Done, Segment) ->
    [push(Segment, Done)];
patterns(<<S, Rest/binary>>, S, Done, Segment) ->
    patterns(Rest, S, push(Segment, Done), <<>>);
patterns(<<$:, Rest/binary>>, S, Done, <<>>) ->
    {Name, Tail} = binding(Rest, S),
    patterns(Tail, S, Done, Name);
patterns(<<"[...]", Rest/binary>>, S, Done, Segment) ->
    patterns(Rest, S, ['...' | push(Segment, Done)], <<>>);
patterns(<<$[, S, Rest/binary>>, S, Done, Segment) ->
    optional(Rest, S, [Segment | Done]);
patterns(<<$[, Rest/binary>>, S, Done, <<>>) ->
    optional(Rest, S, Done);
patterns(<<$[, _/binary>>, _, _, _) ->
    bad("an optional part must begin at the start of a segment");
patterns(<<$], _/binary>>, _, _, _) ->
    bad("a closing bracket without an opening one");
patterns(<<C, Rest/binary>>, S, Done, Segment) ->
    patterns(Rest, S, Done, <<Segment/binary, C>>).


-spec push(segment(), pattern()) -> pattern().
push(<<>>, Done) -> Done;
push(Segment, Done) -> [Segment | Done].


-spec optional(binary(), separator(), pattern()) -> [pattern()].
optional(Text, Separator, Done) ->
    {Part, Rest} = closing_bracket(Text, 0, 0),
    patterns(Rest, Separator, Done, <<>>) ++
    patterns(<<Part/binary, Rest/binary>>, Separator, Done, <<>>).


-spec closing_bracket(binary(), non_neg_integer(), non_neg_integer()) -> {binary(), binary()}.
closing_bracket(Text, Position, Depth) ->
    case Text of
        <<Part:Position/binary, $], Rest/binary>> when Depth =:= 0 -> {Part, Rest};
        <<_:Position/binary, $], _/binary>> -> closing_bracket(Text, Position + 1, Depth - 1);
        <<_:Position/binary, $[, _/binary>> -> closing_bracket(Text, Position + 1, Depth + 1);
        <<_:Position/binary, _, _/binary>> -> closing_bracket(Text, Position + 1, Depth);
        _ -> bad("an opening bracket without a closing one")
    end.


-spec binding(binary(), separator()) -> {atom(), binary()}.
binding(Text, Separator) ->
    Length =
        case binary:match(Text, [<<Separator>>, <<"[">>, <<"]">>]) of
            {Position, _} -> Position;
            nomatch -> byte_size(Text)
        end,
    Length > 0 orelse bad("a colon without a name"),
    <<Name:Length/binary, Rest/binary>> = Text,
    %% Routes are written by the developer, so this cannot exhaust the atom table.
    {binary_to_atom(Name, utf8), Rest}.


-spec bad(string()) -> no_return().
bad(Why) ->
    throw({bad_syntax, Why}).
