%% The bytes of a response's head. Pure.
%%
%% Names are lower case and sorted, as Cowboy sends them. What a handler puts into a header is checked,
%% so that it cannot smuggle in a second header or response.
-module(drover_response).

-export([headers/2]).
-export([standard/1]).
-export([head/2]).
-export([rfc1123/1]).

-type status() :: non_neg_integer() | binary().
-type headers() :: #{binary() => iodata() | [iodata()]}.

-export_type([status/0, headers/0]).


%% @doc The headers of a response to Req: what init/2 has set, cookies included, under what is given.
-spec headers(headers(), map()) -> headers().
headers(Headers, Req) ->
    All = maps:merge(maps:get(resp_headers, Req, #{}), Headers),
    case Req of
        #{resp_cookies := Cookies} when map_size(Cookies) > 0 ->
            All#{<<"set-cookie">> => maps:values(Cookies)};
        #{} ->
            All
    end.


%% @doc Headers with date and server, unless they are there already.
-spec standard(headers()) -> headers().
standard(#{<<"date">> := _, <<"server">> := _} = Headers) ->
    Headers;
standard(Headers) ->
    Date = rfc1123(calendar:universal_time()),
    maps:merge(#{<<"date">> => Date, <<"server">> => <<"Cowboy">>}, Headers).


%% @doc Status line and headers. A line break or a NUL in a name or a value is an error.
-spec head(status(), headers()) -> {ok, iodata()} | {error, {bad_header, binary()}}.
head(Status, Headers) ->
    Lines = lines(Headers),
    case [ Name || {Name, Value} <- [{<<"status">>, status(Status)} | Lines], unsafe(Name, Value) ] of
        [] ->
            Encoded = [ [Name, <<": ">>, Value, <<"\r\n">>] || {Name, Value} <- Lines ],
            {ok, [<<"HTTP/1.1 ">>, status(Status), <<"\r\n">>, Encoded, <<"\r\n">>]};
        [Name | _] ->
            {error, {bad_header, Name}}
    end.


%% Each cookie has a line of its own.
lines(Headers) ->
    case maps:take(<<"set-cookie">>, Headers) of
        {Cookies, Others} when is_list(Cookies) ->
            sorted(Others) ++ [ {<<"set-cookie">>, Cookie} || Cookie <- Cookies ];
        _ ->
            sorted(Headers)
    end.


sorted(Headers) ->
    lists:sort(maps:to_list(Headers)).


unsafe(Name, Value) ->
    breaks_name(Name) orelse breaks_line(iolist_to_binary(Value)).


%% Byte by byte: a list of patterns for binary:match/2 would be compiled for each header.
breaks_name(<<$:, _/binary>>) -> true;
breaks_name(<<C, _/binary>>) when C =:= $\r; C =:= $\n; C =:= 0 -> true;
breaks_name(<<_, Rest/binary>>) -> breaks_name(Rest);
breaks_name(<<>>) -> false.


breaks_line(<<C, _/binary>>) when C =:= $\r; C =:= $\n; C =:= 0 -> true;
breaks_line(<<_, Rest/binary>>) -> breaks_line(Rest);
breaks_line(<<>>) -> false.


%% @doc A date as HTTP wants it (RFC 9110, 5.6.7).
-spec rfc1123(calendar:datetime()) -> binary().
rfc1123({{Year, Month, Day} = Date, {Hour, Minute, Second}}) ->
    Weekday = element(calendar:day_of_the_week(Date), {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}),
    iolist_to_binary([[Weekday, ", ", two(Day), " ", month(Month), " ", integer_to_list(Year)],
                      [" ", two(Hour), ":", two(Minute), ":", two(Second), " GMT"]]).


month(Month) ->
    element(
      Month,
      {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}).


two(N) ->
    [$0 + N div 10, $0 + N rem 10].


status(Status) when is_binary(Status) -> Status;
status(Status) -> [integer_to_binary(Status), $\s, reason(Status)].


%% The registered phrases. An unknown status has an empty one, which RFC 9112 (section 4) allows.
reason(100) -> <<"Continue">>;
reason(101) -> <<"Switching Protocols">>;
reason(102) -> <<"Processing">>;
reason(103) -> <<"Early Hints">>;
reason(200) -> <<"OK">>;
reason(201) -> <<"Created">>;
reason(202) -> <<"Accepted">>;
reason(203) -> <<"Non-Authoritative Information">>;
reason(204) -> <<"No Content">>;
reason(205) -> <<"Reset Content">>;
reason(206) -> <<"Partial Content">>;
reason(300) -> <<"Multiple Choices">>;
reason(301) -> <<"Moved Permanently">>;
reason(302) -> <<"Found">>;
reason(303) -> <<"See Other">>;
reason(304) -> <<"Not Modified">>;
reason(305) -> <<"Use Proxy">>;
reason(307) -> <<"Temporary Redirect">>;
reason(308) -> <<"Permanent Redirect">>;
reason(400) -> <<"Bad Request">>;
reason(401) -> <<"Unauthorized">>;
reason(402) -> <<"Payment Required">>;
reason(403) -> <<"Forbidden">>;
reason(404) -> <<"Not Found">>;
reason(405) -> <<"Method Not Allowed">>;
reason(406) -> <<"Not Acceptable">>;
reason(407) -> <<"Proxy Authentication Required">>;
reason(408) -> <<"Request Timeout">>;
reason(409) -> <<"Conflict">>;
reason(410) -> <<"Gone">>;
reason(411) -> <<"Length Required">>;
reason(412) -> <<"Precondition Failed">>;
reason(413) -> <<"Request Entity Too Large">>;
reason(414) -> <<"Request-URI Too Long">>;
reason(415) -> <<"Unsupported Media Type">>;
reason(416) -> <<"Requested Range Not Satisfiable">>;
reason(417) -> <<"Expectation Failed">>;
reason(418) -> <<"I'm a teapot">>;
reason(421) -> <<"Misdirected Request">>;
reason(422) -> <<"Unprocessable Entity">>;
reason(425) -> <<"Too Early">>;
reason(426) -> <<"Upgrade Required">>;
reason(428) -> <<"Precondition Required">>;
reason(429) -> <<"Too Many Requests">>;
reason(431) -> <<"Request Header Fields Too Large">>;
reason(451) -> <<"Unavailable For Legal Reasons">>;
reason(500) -> <<"Internal Server Error">>;
reason(501) -> <<"Not Implemented">>;
reason(502) -> <<"Bad Gateway">>;
reason(503) -> <<"Service Unavailable">>;
reason(504) -> <<"Gateway Timeout">>;
reason(505) -> <<"HTTP Version Not Supported">>;
reason(507) -> <<"Insufficient Storage">>;
reason(511) -> <<"Network Authentication Required">>;
reason(_) -> <<>>.
