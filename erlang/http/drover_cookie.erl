%% Cookies (RFC 6265): those a client sends, and those that a response sets.
-module(drover_cookie).

-export([parse/1, filter/2, format/3]).

-export_type([opts/0]).

%% All are left out of the cookie unless given.
-type opts() :: #{
                  domain => iodata(),
                  http_only => boolean(),
                  %% In seconds; 0 deletes the cookie.
                  max_age => non_neg_integer(),
                  path => iodata(),
                  same_site => default | none | lax | strict,
                  secure => boolean()
                 }.


%% The pairs of a `cookie' header. A cookie without `=' is a value without a name.
-spec parse(binary()) -> [{binary(), binary()}].
parse(Header) ->
    case drover_hd_scan:take_while(fun is_separator/1, Header) of
        {_, <<>>} ->
            [];
        {_, Text} ->
            {Pair, Rest} = drover_hd_scan:take_while(fun(C) -> C =/= $; end, Text),
            [pair(binary:split(Pair, <<"=">>)) | parse(Rest)]
    end.


-spec pair([binary()]) -> {binary(), binary()}.
pair([Value]) ->
    {<<>>, trim(name(Value))};
pair([<<_, _/binary>> = Name, Value]) ->
    {name(Name), trim(value(Value))};
pair([<<>>, _]) ->
    error(badarg).


-spec is_separator(byte()) -> boolean().
is_separator(C) -> lists:member(C, "\s\t,;").


-spec name(binary()) -> binary().
name(Text) ->
    reject(Text, [<<$,>> | whitespace()]).


-spec value(binary()) -> binary().
value(Text) ->
    reject(Text, whitespace()).


%% Other than the space, which is allowed inside names and values.
-spec whitespace() -> [binary()].
whitespace() ->
    [<<$\t>>, <<$\r>>, <<$\n>>, <<$\v>>, <<$\f>>].


-spec reject(binary(), [binary()]) -> binary().
reject(Text, Forbidden) ->
    nomatch = binary:match(Text, Forbidden),
    Text.


%% Values need not be UTF-8, so that the functions of `string' are of no use here.
-spec trim(binary()) -> binary().
trim(Text) ->
    Length = byte_size(Text) - 1,
    case Text of
        <<Shorter:Length/binary, $\s>> -> trim(Shorter);
        _ -> Text
    end.


%% Keep the cookies of these names in a `cookie' header.
-spec filter(binary(), [binary()]) -> binary().
filter(Header, Names) ->
    Cookies = binary:split(Header, <<";">>, [global]),
    iolist_to_binary(lists:join($;, [ C || C <- Cookies, lists:member(cookie_name(C), Names) ])).


-spec cookie_name(binary()) -> binary().
cookie_name(Cookie) ->
    hd(binary:split(drover_hd_scan:skip_space(Cookie), <<"=">>)).


%% The value of a `set-cookie' header, whose attributes have the same order on each version of OTP.
-spec format(iodata(), iodata(), opts()) -> iolist().
format(Name, Value, Opts) ->
    nomatch = binary:match(iolist_to_binary(Name), [<<$=>> | forbidden()]),
    nomatch = binary:match(iolist_to_binary(Value), forbidden()),
    [Name, $=, Value | [ attribute(Key, Option) || {Key, Option} <- lists:sort(maps:to_list(Opts)) ]].


-spec forbidden() -> [binary()].
forbidden() ->
    [<<$,>>, <<$;>>, <<$\s>> | whitespace()].


-spec attribute(atom(), any()) -> iolist().
attribute(domain, Domain) -> ["; Domain=", Domain];
attribute(http_only, true) -> "; HttpOnly";
attribute(max_age, Seconds) -> max_age(Seconds);
attribute(path, Path) -> ["; Path=", Path];
attribute(same_site, none) -> "; SameSite=None";
attribute(same_site, lax) -> "; SameSite=Lax";
attribute(same_site, strict) -> "; SameSite=Strict";
attribute(secure, true) -> "; Secure";
attribute(_, _) -> [].


%% Old browsers know `Expires' only.
-spec max_age(any()) -> iolist().
max_age(0) ->
    "; Expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0";
max_age(Seconds) when is_integer(Seconds), Seconds > 0 ->
    Now = calendar:datetime_to_gregorian_seconds(calendar:universal_time()),
    Expires = calendar:gregorian_seconds_to_datetime(Now + Seconds),
    ["; Expires=", date(Expires), "; Max-Age=", integer_to_binary(Seconds)];
max_age(Other) ->
    error({badarg, {max_age, Other}}).


%% As in RFC 2109: an RFC 1123 date with dashes between day, month and year.
-spec date(calendar:datetime()) -> binary().
date(DateTime) ->
    <<Weekday:5/binary, Day:2/binary, $\s, Month:3/binary, $\s, Rest/binary>> =
        drover_response:rfc1123(DateTime),
    <<Weekday/binary, Day/binary, $-, Month/binary, $-, Rest/binary>>.
