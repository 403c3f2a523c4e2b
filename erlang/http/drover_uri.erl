%% URIs as routing and query strings need them: hosts and paths in segments,
%% percent-decoding, `application/x-www-form-urlencoded' text, and putting one together.
-module(drover_uri).

-export([host_labels/1, path_segments/1, parse_qs/1, format/2]).


%% The labels of a host name, which may end in a dot. An empty label is an error.
-spec host_labels(binary()) -> {ok, [binary()]} | error.
host_labels(<<>>) ->
    {ok, []};
host_labels(Host) ->
    Labels = drop_last_empty(binary:split(Host, <<".">>, [global])),
    case lists:member(<<>>, Labels) of
        false -> {ok, Labels};
        true -> error
    end.


%% The decoded segments of an absolute path, with `.' and `..' resolved. Empty segments
%% count, but for the one after a final slash.
-spec path_segments(binary()) -> [binary()] | badrequest.
path_segments(<<$/, Path/binary>>) ->
    Segments = drop_last_empty(binary:split(Path, <<"/">>, [global])),
    try
        resolve_dots([ percent_decode(Segment) || Segment <- Segments ], [])
    catch
        error:badarg -> badrequest
    end;
path_segments(_) ->
    badrequest.


-spec drop_last_empty([binary()]) -> [binary()].
drop_last_empty([<<>>]) -> [];
drop_last_empty([Last]) -> [Last];
drop_last_empty([Segment | Tail]) -> [Segment | drop_last_empty(Tail)].


-spec resolve_dots([binary()], [binary()]) -> [binary()].
resolve_dots([], Done) -> lists:reverse(Done);
resolve_dots([<<".">> | Tail], Done) -> resolve_dots(Tail, Done);
resolve_dots([<<"..">> | Tail], [_ | Done]) -> resolve_dots(Tail, Done);
resolve_dots([<<"..">> | Tail], []) -> resolve_dots(Tail, []);
resolve_dots([Segment | Tail], Done) -> resolve_dots(Tail, [Segment | Done]).


%% Replace `%XX' by the byte it stands for. Text that cannot stand in a path segment as
%% it is (RFC 3986 3.3), and a percent sign without two digits, are an `error:badarg'.
-spec percent_decode(binary()) -> binary().
percent_decode(Text) ->
    lists:all(fun is_pchar/1, binary_to_list(Text)) orelse error(badarg),
    unescape(Text).


-spec is_pchar(byte()) -> boolean().
is_pchar(C) when C >= $a, C =< $z; C >= $A, C =< $Z; C >= $0, C =< $9 -> true;
is_pchar(C) -> lists:member(C, "%-._~!$&'()*+,;=:@").


-spec unescape(binary()) -> binary().
unescape(Text) ->
    case binary:split(Text, <<"%">>, [global]) of
        [Text] -> Text;
        [Plain | Escaped] -> iolist_to_binary([Plain | [ unescape_first(E) || E <- Escaped ]])
    end.


-spec unescape_first(binary()) -> iolist().
unescape_first(<<High, Low, Rest/binary>>) ->
    [hex(High) bsl 4 bor hex(Low), Rest];
unescape_first(_) ->
    error(badarg).


-spec hex(byte()) -> 0..15.
hex(Digit) when Digit >= $0, Digit =< $9 -> Digit - $0;
hex(Digit) when Digit >= $A, Digit =< $F -> Digit - $A + 10;
hex(Digit) when Digit >= $a, Digit =< $f -> Digit - $a + 10;
hex(_) -> error(badarg).


%% The pairs of a query string in order; `true' stands for a name without `='. A value
%% without a name, or a bad percent sequence, is an `error:badarg'.
-spec parse_qs(binary()) -> [{binary(), binary() | true}].
parse_qs(Qs) ->
    Pairs = binary:split(Qs, <<"&">>, [global]),
    [ qs_pair(binary:split(Pair, <<"=">>)) || Pair <- Pairs, Pair =/= <<>> ].


-spec qs_pair([binary()]) -> {binary(), binary() | true}.
qs_pair([<<>>, _]) -> error(badarg);
qs_pair([Name]) -> {form_decode(Name), true};
qs_pair([Name, Value]) -> {form_decode(Name), form_decode(Value)}.


-spec form_decode(binary()) -> binary().
form_decode(Text) ->
    unescape(binary:replace(Text, <<"+">>, <<" ">>, [global])).


%% Put a URI together. Without a scheme it is one that begins with `//'; whether the port
%% is the default one then depends on the scheme that the URI is relative to.
-spec format(drover_req:uri_opts(), BaseScheme :: binary()) -> iolist().
format(Parts, BaseScheme) ->
    [authority(binary(scheme, Parts), BaseScheme, binary(host, Parts), maps:get(port, Parts)),
     path_and_qs(binary(path, Parts), binary(qs, Parts)),
     prefixed($#, binary(fragment, Parts))].


-spec binary(atom(), drover_req:uri_opts()) -> binary().
binary(Part, Parts) ->
    case maps:get(Part, Parts, undefined) of
        undefined -> <<>>;
        Text -> iolist_to_binary(Text)
    end.


-spec authority(binary(), binary(), binary(), undefined | inet:port_number()) -> iodata().
authority(_, _, <<>>, _) -> <<>>;
authority(<<>>, Base, Host, Port) -> ["//", Host, port(Base, Port)];
authority(Scheme, _, Host, Port) -> [Scheme, "://", Host, port(Scheme, Port)].


-spec port(binary(), undefined | inet:port_number()) -> iodata().
port(_, undefined) -> <<>>;
port(<<"http">>, 80) -> <<>>;
port(<<"https">>, 443) -> <<>>;
port(_, Port) -> [$:, integer_to_binary(Port)].


%% The target of `OPTIONS *' is the server itself, which has neither.
-spec path_and_qs(binary(), binary()) -> iodata().
path_and_qs(<<"*">>, _) -> <<>>;
path_and_qs(Path, Qs) -> [Path, prefixed($?, Qs)].


-spec prefixed(char(), binary()) -> iodata().
prefixed(_, <<>>) -> <<>>;
prefixed(Prefix, Text) -> [Prefix, Text].
