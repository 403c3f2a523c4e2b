%% Constraints on route bindings, query parameters and cookies.
%%
%% A constraint checks a value and may convert it. Besides `int' and `nonempty' it is
%% a fun of two arguments: `Fun(forward, Value)' answers `{ok, Converted}' or
%% `{error, Reason}', `Fun(reverse, Converted)' undoes the conversion, and
%% `Fun(format_error, {Reason, Value})' puts a failure into words.
-module(drover_constraints).

-export([validate/2, reverse/2, format_error/1]).

-export_type([constraint/0, fields/0, reason/0]).

-type constraint() :: int | nonempty | fun((forward | reverse | format_error, any()) -> any()).
%% What `drover_req:match_qs/2' and friends take: a name must be present, a second
%% element constrains its value, a third is the default for an absent one.
-type fields() :: [atom() |
                   {atom(), constraint() | [constraint()]} |
                   {atom(), constraint() | [constraint()], any()}].
-type reason() :: {constraint(), Reason :: any(), Value :: any()}.


%% Apply the constraints in order, each to the result of the one before.
-spec validate(any(), constraint() | [constraint()]) -> {ok, any()} | {error, reason()}.
validate(Value, Constraints) when is_list(Constraints) ->
    apply_all(forward, Value, Constraints);
validate(Value, Constraint) ->
    apply_all(forward, Value, [Constraint]).


%% Turn a converted value back into what the constraint would accept; of several, the first
%% to be applied is the first in the list, here too.
-spec reverse(any(), constraint() | [constraint()]) -> {ok, any()} | {error, reason()}.
reverse(Value, Constraints) when is_list(Constraints) ->
    apply_all(reverse, Value, Constraints);
reverse(Value, Constraint) ->
    apply_all(reverse, Value, [Constraint]).


%% A sentence about a failure that `validate/2' or `reverse/2' reported.
-spec format_error({error, reason()} | reason()) -> iodata().
format_error({error, Reason}) ->
    format_error(Reason);
format_error({Constraint, Reason, Value}) ->
    apply_one(format_error, {Reason, Value}, Constraint).


-spec apply_all(forward | reverse, any(), [constraint()]) -> {ok, any()} | {error, reason()}.
apply_all(_, Value, []) ->
    {ok, Value};
apply_all(Direction, Value, [Constraint | Tail]) ->
    case apply_one(Direction, Value, Constraint) of
        {ok, Converted} -> apply_all(Direction, Converted, Tail);
        {error, Reason} -> {error, {Constraint, Reason, Value}}
    end.


-spec apply_one(forward | reverse | format_error, any(), constraint()) -> any().
apply_one(Operation, Value, int) -> int(Operation, Value);
apply_one(Operation, Value, nonempty) -> nonempty(Operation, Value);
apply_one(Operation, Value, Fun) when is_function(Fun, 2) -> Fun(Operation, Value).


-spec int(forward | reverse | format_error, any()) -> {ok, any()} | {error, atom()} | iolist().
int(forward, Value) ->
    convert(fun erlang:binary_to_integer/1, Value, not_an_integer);
int(reverse, Value) ->
    convert(fun erlang:integer_to_binary/1, Value, not_an_integer);
int(format_error, {not_an_integer, Value}) ->
    io_lib:format("~p is not an integer.", [Value]).


-spec convert(fun((any()) -> any()), any(), atom()) -> {ok, any()} | {error, atom()}.
convert(Fun, Value, Reason) ->
    try
        {ok, Fun(Value)}
    catch
        error:badarg -> {error, Reason}
    end.


-spec nonempty(forward | reverse | format_error, any()) -> {ok, any()} | {error, empty} | iolist().
nonempty(format_error, {empty, Value}) ->
    io_lib:format("~p is empty.", [Value]);
nonempty(_, <<>>) ->
    {error, empty};
nonempty(_, Value) when is_binary(Value) ->
    {ok, Value}.
