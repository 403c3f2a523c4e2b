%% The pieces that header grammars are made of (RFC 9110 5.6): tokens, lists, quoted
%% strings, parameters.
%%
%% A scanner takes text and gives what it read with the text after it. Anything that
%% does not fit the grammar is an `error:badarg'.
-module(drover_hd_scan).

-export([list/2, token/1, token_ci/1, quoted/1, word/1, parameters/1]).
-export([skip_space/1, lower/1, take_while/2, is_token_char/1]).

-export_type([scanner/1]).

-type scanner(Item) :: fun((binary()) -> {Item, Rest :: binary()}).


%% A comma-separated list of one item at least; empty elements do not count.
-spec list(binary(), scanner(Item)) -> [Item].
list(Text, Scanner) ->
    case items(Text, Scanner) of
        [] -> error(badarg);
        Items -> Items
    end.


-spec items(binary(), scanner(Item)) -> [Item].
items(<<>>, _) ->
    [];
items(<<C, Rest/binary>>, Scanner) when C =:= $\s; C =:= $\t; C =:= $, ->
    items(Rest, Scanner);
items(Text, Scanner) ->
    {Item, Rest} = Scanner(Text),
    [Item | items(after_item(skip_space(Rest)), Scanner)].


-spec after_item(binary()) -> binary().
after_item(<<>>) -> <<>>;
after_item(<<$,, Rest/binary>>) -> Rest;
after_item(_) -> error(badarg).


-spec token(binary()) -> {binary(), binary()}.
token(Text) ->
    case take_while(fun is_token_char/1, Text) of
        {<<>>, _} -> error(badarg);
        Scanned -> Scanned
    end.


%% A token whose case does not matter, in lower case.
-spec token_ci(binary()) -> {binary(), binary()}.
token_ci(Text) ->
    {Token, Rest} = token(Text),
    {lower(Token), Rest}.


-spec is_token_char(byte()) -> boolean().
is_token_char(C) when C >= $a, C =< $z; C >= $A, C =< $Z; C >= $0, C =< $9 -> true;
is_token_char(C) -> lists:member(C, "!#$%&'*+-.^_`|~").


%% A quoted string, from its opening quote on, without quotes and escapes.
-spec quoted(binary()) -> {binary(), binary()}.
quoted(<<$", Text/binary>>) -> quoted(Text, <<>>);
quoted(_) -> error(badarg).


-spec quoted(binary(), binary()) -> {binary(), binary()}.
quoted(<<$", Rest/binary>>, Done) -> {Done, Rest};
quoted(<<$\\, C, Rest/binary>>, Done) when C =:= $\t; C >= $\s, C =/= 127 -> quoted(Rest, <<Done/binary, C>>);
quoted(<<C, Rest/binary>>, Done) when C =/= $\\, C =:= $\t orelse C >= $\s, C =/= 127 -> quoted(Rest, <<Done/binary, C>>);
quoted(_, _) -> error(badarg).


%% A token or a quoted string.
-spec word(binary()) -> {binary(), binary()}.
word(<<$", _/binary>> = Text) -> quoted(Text);
word(Text) -> token(Text).


%% `; name=value' any number of times, names in lower case.
-spec parameters(binary()) -> {[{binary(), binary()}], binary()}.
parameters(Text) ->
    case skip_space(Text) of
        <<$;, Tail/binary>> ->
            {Name, <<$=, Tail2/binary>>} = token_ci(skip_space(Tail)),
            {Value, Tail3} = word(Tail2),
            {Parameters, Rest} = parameters(Tail3),
            {[{Name, Value} | Parameters], Rest};
        Rest ->
            {[], Rest}
    end.


-spec skip_space(binary()) -> binary().
skip_space(<<C, Rest/binary>>) when C =:= $\s; C =:= $\t -> skip_space(Rest);
skip_space(Text) -> Text.


%% ASCII lower case.
-spec lower(binary()) -> binary().
lower(Text) ->
    << <<(lower_char(C))>> || <<C>> <= Text >>.


-spec lower_char(byte()) -> byte().
lower_char(C) when C >= $A, C =< $Z -> C + 32;
lower_char(C) -> C.


-spec take_while(fun((byte()) -> boolean()), binary()) -> {binary(), binary()}.
take_while(Fits, Text) ->
    take_while(Fits, Text, 0).


-spec take_while(fun((byte()) -> boolean()), binary(), non_neg_integer()) -> {binary(), binary()}.
take_while(Fits, Text, Length) ->
    case Text of
        <<_:Length/binary, C, _/binary>> ->
            case Fits(C) of
                true -> take_while(Fits, Text, Length + 1);
                false -> split_binary(Text, Length)
            end;
        _ ->
            {Text, <<>>}
    end.
