%% JSON, as much of it as a test needs, for Erlang/OTP before 27.
%%
%% Objects are maps with binary keys (atoms may stand for them when encoding), strings are UTF-8
%% binaries, and true, false and null are atoms.
-module(tiny_json).

-export([encode/1, decode/1]).

-export_type([value/0]).

-type value() :: null | boolean() | number() | binary() | [value()] | #{binary() | atom() => value()}.

-define(IS_SPACE(C), C =:= $\s; C =:= $\t; C =:= $\n; C =:= $\r).


-spec encode(value()) -> iodata().
encode(Map) when is_map(Map) ->
    [${, lists:join($,, [ [string(key(K)), $:, encode(V)] || {K, V} <- maps:to_list(Map) ]), $}];
encode(List) when is_list(List) ->
    [$[, lists:join($,, [ encode(V) || V <- List ]), $]];
encode(Text) when is_binary(Text) ->
    string(Text);
encode(Number) when is_integer(Number) ->
    integer_to_binary(Number);
encode(Number) when is_float(Number) ->
    float_to_binary(Number, [short]);
encode(Atom) when Atom =:= null; is_boolean(Atom) ->
    atom_to_binary(Atom).


%% Fails with badarg, as binary_to_term/1 does, where the text is not exactly one JSON value.
-spec decode(binary()) -> value().
decode(Text) ->
    case value(skip(Text)) of
        {Value, Rest} ->
            skip(Rest) =:= <<>> orelse error(badarg, [Text]),
            Value
    end.


key(Key) when is_atom(Key) -> atom_to_binary(Key);
key(Key) -> Key.


string(Text) ->
    [$", [ escape(C) || <<C/utf8>> <= Text ], $"].


escape($") -> <<"\\\"">>;
escape($\\) -> <<"\\\\">>;
escape(C) when C < 32 -> io_lib:format("\\u~4.16.0b", [C]);
escape(C) -> <<C/utf8>>.


skip(<<C, Rest/binary>>) when ?IS_SPACE(C) -> skip(Rest);
skip(Rest) -> Rest.


value(<<"null", Rest/binary>>) -> {null, Rest};
value(<<"true", Rest/binary>>) -> {true, Rest};
value(<<"false", Rest/binary>>) -> {false, Rest};
value(<<$", Rest/binary>>) -> text(Rest, []);
value(<<$[, Rest/binary>>) -> array(skip(Rest), []);
value(<<${, Rest/binary>>) -> object(skip(Rest), #{});
value(Text) -> number(Text).


array(<<$], Rest/binary>>, []) ->
    {[], Rest};
array(Text, Values) ->
    {Value, Rest} = value(Text),
    case skip(Rest) of
        <<$,, More/binary>> -> array(skip(More), [Value | Values]);
        <<$], More/binary>> -> {lists:reverse(Values, [Value]), More};
        _ -> error(badarg, [Text])
    end.


object(<<$}, Rest/binary>>, Map) when map_size(Map) =:= 0 ->
    {Map, Rest};
object(<<$", Text/binary>>, Map) ->
    {Key, Rest} = text(Text, []),
    {Value, After} = value(skip(colon(skip(Rest)))),
    case skip(After) of
        <<$,, More/binary>> -> object(skip(More), Map#{Key => Value});
        <<$}, More/binary>> -> {Map#{Key => Value}, More};
        _ -> error(badarg, [After])
    end;
object(Text, _) ->
    error(badarg, [Text]).


colon(<<$:, Rest/binary>>) -> Rest;
colon(Text) -> error(badarg, [Text]).


text(<<$", Rest/binary>>, Parts) ->
    {unicode:characters_to_binary(lists:reverse(Parts)), Rest};
%% A character outside the basic plane is escaped as two halves.
text(<<"\\u", High:4/binary, "\\u", Low:4/binary, Rest/binary>>, Parts)
  when High >= <<"D800">>, High < <<"DC00">>; High >= <<"d800">>, High < <<"dc00">> ->
    Char = 16#10000 + (hex(High) - 16#D800) * 16#400 + (hex(Low) - 16#DC00),
    text(Rest, [Char | Parts]);
text(<<"\\u", Hex:4/binary, Rest/binary>>, Parts) ->
    text(Rest, [hex(Hex) | Parts]);
text(<<$\\, C, Rest/binary>>, Parts) ->
    text(Rest, [unescape(C) | Parts]);
text(<<C/utf8, Rest/binary>>, Parts) ->
    text(Rest, [C | Parts]);
text(Text, _) ->
    error(badarg, [Text]).


hex(Digits) -> binary_to_integer(Digits, 16).


unescape($b) -> $\b;
unescape($f) -> $\f;
unescape($n) -> $\n;
unescape($r) -> $\r;
unescape($t) -> $\t;
unescape(C) when C =:= $"; C =:= $\\; C =:= $/ -> C.


number(Text) ->
    case re:run(Text, "^-?\\d+(\\.\\d+)?([eE][-+]?\\d+)?", [{capture, all, binary}]) of
        {match, [Digits]} ->
            {binary_to_integer(Digits), rest(Text, Digits)};
        {match, [Digits, _Fraction]} ->
            {binary_to_float(Digits), rest(Text, Digits)};
        {match, [Digits, <<>>, Exponent]} ->
            Mantissa = binary:part(Digits, 0, byte_size(Digits) - byte_size(Exponent)),
            {binary_to_float(<<Mantissa/binary, ".0", Exponent/binary>>), rest(Text, Digits)};
        {match, [Digits, _Fraction, _Exponent]} ->
            {binary_to_float(Digits), rest(Text, Digits)};
        nomatch ->
            error(badarg, [Text])
    end.


rest(Text, Digits) ->
    binary:part(Text, byte_size(Digits), byte_size(Text) - byte_size(Digits)).
