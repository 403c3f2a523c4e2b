%% The `accept' headers: what a client would like to get, with weights from 0 to 1000.
-module(drover_hd_accept).

-export([media_ranges/1, charsets/1, encodings/1, languages/1]).

-type weight() :: 0..1000.
-type media_range() :: {{Type :: binary(), SubType :: binary(), [{binary(), binary()}]},
                        weight(),
                        Extensions :: [binary() | {binary(), binary()}]}.


-spec media_ranges(binary()) -> [media_range()].
media_ranges(Value) ->
    drover_hd_scan:possibly_empty_list(Value, fun media_range/1).


-spec media_range(binary()) -> {media_range(), Rest :: binary()}.
media_range(Value) ->
    {{Type, SubType}, Rest} = drover_hd_scan:media_type(Value),
    {Parameters, Rest2} = drover_hd_scan:parameters(Rest, until_weight),
    {Weight, Rest3} = weight(Rest2),
    {Extensions, Rest4} = extensions(Rest3),
    {{{Type, SubType, Parameters}, Weight, Extensions}, Rest4}.


%% What follows the weight.
-spec extensions(binary()) -> {[binary() | {binary(), binary()}], Rest :: binary()}.
extensions(Text) ->
    case drover_hd_scan:next_parameter(Text) of
        {ok, Parameter} ->
            {Extension, Rest} = extension(drover_hd_scan:token_ci(Parameter)),
            {Extensions, Rest2} = extensions(Rest),
            {[Extension | Extensions], Rest2};
        none ->
            {[], Text}
    end.


-spec extension({binary(), binary()}) -> {binary() | {binary(), binary()}, Rest :: binary()}.
extension({Name, <<$=, Rest/binary>>}) ->
    {Value, Rest2} = drover_hd_scan:word(Rest),
    {{Name, Value}, Rest2};
extension({Name, Rest}) ->
    {Name, Rest}.


-spec charsets(binary()) -> [{binary(), weight()}].
charsets(Value) ->
    drover_hd_scan:list(Value, weighted(fun drover_hd_scan:token_ci/1)).


-spec encodings(binary()) -> [{binary(), weight()}].
encodings(Value) ->
    drover_hd_scan:possibly_empty_list(Value, weighted(fun drover_hd_scan:token_ci/1)).


-spec languages(binary()) -> [{binary(), weight()}].
languages(Value) ->
    drover_hd_scan:list(Value, weighted(fun language/1)).


-spec language(binary()) -> {binary(), Rest :: binary()}.
language(Text) ->
    {Range, Rest} = drover_hd_scan:token_ci(Text),
    match = re:run(Range, "^([*]|[a-z]{1,8}(-[a-z0-9]{1,8})*)$", [{capture, none}, dollar_endonly]),
    {Range, Rest}.


-spec weighted(drover_hd_scan:scanner(binary())) -> drover_hd_scan:scanner({binary(), weight()}).
weighted(Scanner) ->
    fun(Text) ->
            {Item, Rest} = Scanner(Text),
            {Weight, Rest2} = weight(Rest),
            {{Item, Weight}, Rest2}
    end.


-spec weight(binary()) -> {weight(), Rest :: binary()}.
weight(Text) ->
    case drover_hd_scan:next_parameter(Text) of
        {ok, <<"q=", QValue/binary>>} ->
            {Digits, Rest} = drover_hd_scan:take_while(fun is_qvalue_char/1, QValue),
            {thousandths(Digits), Rest};
        none ->
            {1000, Text}
    end.


-spec is_qvalue_char(byte()) -> boolean().
is_qvalue_char(C) -> C =:= $. orelse (C >= $0 andalso C =< $9).


-spec thousandths(binary()) -> weight().
thousandths(<<Whole>>) ->
    thousandths(<<Whole, $.>>);
thousandths(<<Whole, $., Fraction/binary>>) when byte_size(Fraction) =< 3 ->
    Padding = binary:copy(<<$0>>, 3 - byte_size(Fraction)),
    case binary_to_integer(<<Whole, Fraction/binary, Padding/binary>>) of
        Weight when Weight =< 1000 -> Weight
    end.
