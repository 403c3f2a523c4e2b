%% Constraints, under the name of Cowboy's module; see `drover_constraints'.
-module(cowboy_constraints).

-export([validate/2, reverse/2, format_error/1]).

-export_type([constraint/0, reason/0]).

-type constraint() :: drover_constraints:constraint().
-type reason() :: drover_constraints:reason().


-spec validate(any(), constraint() | [constraint()]) -> {ok, any()} | {error, reason()}.
validate(Value, Constraints) ->
    drover_constraints:validate(Value, Constraints).


-spec reverse(any(), constraint() | [constraint()]) -> {ok, any()} | {error, reason()}.
reverse(Value, Constraints) ->
    drover_constraints:reverse(Value, Constraints).


-spec format_error({error, reason()} | reason()) -> iodata().
format_error(Reason) ->
    drover_constraints:format_error(Reason).
