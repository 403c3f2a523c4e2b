%% Fields of a query string, a body or cookies picked by name, with constraints and
%% defaults. What is picked has atoms for keys.
-module(drover_fields).

-export([match/2]).

-type pairs() :: [{binary(), binary() | true}].


%% @doc Pick the fields. All that is wrong is reported at once.
-spec match(drover_constraints:fields(), pairs()) ->
          {ok, #{atom() => any()}} |
          {error, #{atom() => required | drover_constraints:reason()}}.
match(Fields, Pairs) ->
    Values = values([ name(Field) || Field <- Fields ], Pairs),
    {Picked, Errors} = lists:foldl(fun pick/2, {Values, #{}}, Fields),
    case map_size(Errors) of
        0 -> {ok, Picked};
        _ -> {error, Errors}
    end.


-spec name(atom() | tuple()) -> atom().
name(Field) when is_tuple(Field) -> element(1, Field);
name(Name) -> Name.


%% Several values of a name become a list, last first.
-spec values([atom()], pairs()) -> #{atom() => any()}.
values(Names, Pairs) ->
    Atoms = maps:from_list([ {atom_to_binary(Name, utf8), Name} || Name <- Names ]),
    lists:foldl(
      fun({Key, Value}, Values) ->
              case Atoms of
                  #{Key := Name} -> maps:update_with(Name, fun(Old) -> add(Value, Old) end, Value, Values);
                  #{} -> Values
              end
      end,
      #{},
      Pairs).


-spec add(Value, Value | [Value]) -> [Value].
add(Value, Values) when is_list(Values) -> [Value | Values];
add(Value, Other) -> [Value, Other].


-spec pick(Field, {Values, Errors}) -> {Values, Errors}
              when Field :: atom() | tuple(), Values :: #{atom() => any()}, Errors :: #{atom() => any()}.
pick({Name, Constraints}, {Values, Errors}) ->
    constrain(Name, maps:get(Name, Values), Constraints, {Values, Errors});
pick({Name, Constraints, Default}, {Values, Errors}) ->
    case Values of
        #{Name := Value} -> constrain(Name, Value, Constraints, {Values, Errors});
        #{} -> {Values#{Name => Default}, Errors}
    end;
pick(Name, {Values, Errors}) when is_map_key(Name, Values) ->
    {Values, Errors};
pick(Name, {Values, Errors}) ->
    {Values, Errors#{Name => required}}.


-spec constrain(atom(), any(), Constraints, Picked) -> Picked
              when Constraints :: drover_constraints:constraint() | [drover_constraints:constraint()],
                   Picked :: {#{atom() => any()}, #{atom() => any()}}.
constrain(Name, Value, Constraints, {Values, Errors}) ->
    case drover_constraints:validate(Value, Constraints) of
        {ok, Converted} -> {Values#{Name := Converted}, Errors};
        {error, Reason} -> {Values, Errors#{Name => Reason}}
    end.
