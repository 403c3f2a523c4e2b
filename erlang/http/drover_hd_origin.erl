%% The `origin' header (RFC 6454 7): where a page that opens a connection comes from.
-module(drover_hd_origin).

-export([parse/1]).

%% A reference stands for an origin that is like no other, such as `null'.
-type origin() ::
        {Scheme :: binary(), Host :: binary(), inet:port_number()} |
        reference().


-spec parse(binary()) -> [origin()].
parse(Value) ->
    [ origin(Origin) || Origin <- binary:split(Value, <<" ">>, [global]) ].


-spec origin(binary()) -> origin().
origin(<<"http://", Rest/binary>>) ->
    {Host, Port} = host_port(Rest, 80),
    {<<"http">>, Host, Port};
origin(<<"https://", Rest/binary>>) ->
    {Host, Port} = host_port(Rest, 443),
    {<<"https">>, Host, Port};
origin(<<First, Rest/binary>>) ->
    true = drover_hd_scan:is_token_char(First),
    {_, <<>>} = drover_hd_scan:take_while(fun is_opaque_char/1, Rest),
    make_ref().


-spec host_port(binary(), inet:port_number()) -> {binary(), inet:port_number()}.
host_port(Text, DefaultPort) ->
    {Host, Rest} = host(Text),
    {drover_hd_scan:lower(Host), port(Rest, DefaultPort)}.


-spec host(binary()) -> {binary(), Rest :: binary()}.
host(<<$[, Rest/binary>>) ->
    {Address, <<$], Rest2/binary>>} = drover_hd_scan:take_while(fun is_ipv6_char/1, Rest),
    {<<$[, Address/binary, $]>>, Rest2};
host(Text) ->
    drover_hd_scan:take_while(fun is_host_char/1, Text).


-spec port(binary(), inet:port_number()) -> inet:port_number().
port(<<>>, Default) ->
    Default;
port(<<$:, Digits/binary>>, _) ->
    {Digits, <<>>} = drover_hd_scan:take_while(fun(C) -> C >= $0 andalso C =< $9 end, Digits),
    binary_to_integer(Digits).


-spec is_opaque_char(byte()) -> boolean().
is_opaque_char(C) -> C =:= $/ orelse C =:= $: orelse drover_hd_scan:is_token_char(C).


-spec is_ipv6_char(byte()) -> boolean().
is_ipv6_char(C) when C >= $a, C =< $f; C >= $A, C =< $F; C >= $0, C =< $: -> true;
is_ipv6_char(C) -> C =:= $..


-spec is_host_char(byte()) -> boolean().
is_host_char(C) when C >= $a, C =< $z; C >= $A, C =< $Z; C >= $0, C =< $9 -> true;
is_host_char(C) -> lists:member(C, "!$&'()*+,-.;=_~").
