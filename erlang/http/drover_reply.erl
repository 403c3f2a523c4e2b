%% The response to a request, as messages to the process of the connection.
%%
%% They are the messages that Cowboy's streams understand, so that it does not matter whether
%% a handler uses this or the real cowboy_req. In the dialect v2pre the sender is
%% the connection process itself, which takes them up when init/2 has returned.
-module(drover_reply).

-export([set_cookie/4, set_header/3, set_headers/2]).
-export([inform/3, reply/4, stream_reply/3, stream_body/3, stream_trailers/2, cast/2]).

-type req() :: drover_req:req().
-type headers() :: drover_req:resp_headers().


-spec set_cookie(iodata(), iodata(), drover_cookie:opts(), req()) -> req().
set_cookie(Name, Value, Opts, Req) ->
    put_cookie(Name, drover_cookie:format(Name, Value, Opts), Req).


-spec put_cookie(iodata(), iodata(), req()) -> req().
put_cookie(Name, Cookie, Req) ->
    Cookies = maps:get(resp_cookies, Req, #{}),
    Req#{resp_cookies => Cookies#{Name => Cookie}}.


-spec set_header(binary(), iodata(), req()) -> req().
set_header(Name, Value, Req) ->
    set_headers(#{Name => Value}, Req).


%% In a list a name may come several times: cookies are kept apart, others joined.
-spec set_headers(headers(), req()) -> req().
set_headers(List, Req0) when is_list(List) ->
    {Cookies, Others} = lists:partition(fun({Name, _}) -> Name =:= <<"set-cookie">> end, List),
    Req = lists:foldl(fun({_, Cookie}, Req) -> put_cookie(cookie_name(Cookie), Cookie, Req) end, Req0, Cookies),
    set_headers(join(Others), Req);
set_headers(Headers, Req) ->
    ok = refuse_cookies(Headers),
    Req#{resp_headers => maps:merge(maps:get(resp_headers, Req, #{}), Headers)}.


-spec cookie_name(iodata()) -> binary().
cookie_name(Cookie) ->
    hd(binary:split(iolist_to_binary(Cookie), <<"=">>)).


-spec join([{binary(), iodata()}]) -> #{binary() => iodata()}.
join(List) ->
    lists:foldl(
      fun({Name, Value}, Headers) ->
              maps:update_with(Name, fun(Before) -> [Before, <<", ">>, Value] end, Value, Headers)
      end,
      #{},
      List).


%% A map has room for one cookie, and `set_resp_cookie' checks what goes into it.
-spec refuse_cookies(#{binary() => iodata()}) -> ok | no_return().
refuse_cookies(#{<<"set-cookie">> := _}) ->
    exit(
      {response_error, invalid_header,
                       'Response cookies must be set using cowboy_req:set_resp_cookie/3,4.'});
refuse_cookies(#{}) ->
    ok.


-spec inform(drover_req:status(), headers(), req()) -> ok.
inform(Status, Headers, Req) ->
    ok = not_answered(Req),
    cast({inform, status(Status), to_map(Headers)}, Req).


-spec reply(drover_req:status(), headers(), drover_req:resp_body(), req()) -> req().
reply(Status, Headers, Body, Req) ->
    ok = not_answered(Req),
    Sized = with_length(bodiless(status(Status)), to_map(Headers), Body),
    cast({response, Status, all_headers(Sized, Req), sent_body(Req, Body)}, Req),
    answered(true, Req).


-spec with_length(boolean(), Headers, drover_req:resp_body()) -> Headers
              when Headers :: #{binary() => iodata()}.
with_length(true, Headers, Body) ->
    iolist_size(Body) =:= 0 orelse
    exit({response_error, payload_too_large, '204 and 304 responses must not include a body.'}),
    Headers;
with_length(false, Headers, {sendfile, _, Length, _}) ->
    Headers#{<<"content-length">> => integer_to_binary(Length)};
with_length(false, Headers, Body) ->
    Headers#{<<"content-length">> => integer_to_binary(iolist_size(Body))}.


-spec sent_body(req(), Body) -> Body when Body :: drover_req:resp_body().
sent_body(#{method := <<"HEAD">>}, _) -> <<>>;
sent_body(_, {sendfile, _, 0, _}) -> <<>>;
sent_body(_, Body) -> Body.


-spec stream_reply(drover_req:status(), headers(), req()) -> req().
stream_reply(Status, Headers, Req) ->
    case bodiless(status(Status)) of
        true ->
            reply(Status, Headers, <<>>, Req);
        false ->
            ok = not_answered(Req),
            cast({headers, Status, all_headers(to_map(Headers), Req)}, Req),
            answered(headers, Req)
    end.


%% Waits until the data was written.
-spec stream_body(drover_req:resp_body(), fin | nofin, req()) -> ok.
stream_body(_, _, #{method := <<"HEAD">>, has_sent_resp := headers}) ->
    ok;
stream_body(Data, Fin, #{has_sent_resp := headers} = Req) ->
    case {is_empty(Data), Fin} of
        {true, nofin} -> ok;
        {true, fin} -> send_data(<<>>, fin, Req);
        {false, _} -> send_data(Data, Fin, Req)
    end.


-spec is_empty(drover_req:resp_body()) -> boolean().
is_empty({sendfile, _, Length, _}) -> Length =:= 0;
is_empty(Data) -> iolist_size(Data) =:= 0.


-spec send_data(drover_req:resp_body(), fin | nofin, req()) -> ok.
send_data(Data, Fin, #{pid := Pid} = Req) when Pid =:= self() ->
    cast({data, Fin, Data}, Req);
send_data(Data, Fin, #{pid := Pid} = Req) ->
    cast({data, self(), Fin, Data}, Req),
    receive
        {data_ack, Pid} -> ok
    end.


-spec stream_trailers(headers(), req()) -> ok.
stream_trailers(Trailers, #{has_sent_resp := headers} = Req) ->
    cast({trailers, to_map(Trailers)}, Req).


-spec cast(any(), req()) -> ok.
cast(Message, #{pid := Pid, streamid := StreamId}) ->
    Pid ! {{Pid, StreamId}, Message},
    ok.


-spec not_answered(req()) -> ok | no_return().
not_answered(#{has_sent_resp := _}) ->
    exit({response_error, response_already_sent, 'The final response has already been sent.'});
not_answered(#{}) ->
    ok.


-spec answered(true | headers, req()) -> req().
answered(How, Req) ->
    maps:without([resp_cookies, resp_headers, resp_body], Req#{has_sent_resp => How}).


%% Lists of headers are what handlers of arity 3 give.
-spec to_map(headers()) -> #{binary() => iodata()}.
to_map(Headers) when is_list(Headers) -> join(Headers);
to_map(Headers) when is_map(Headers) -> Headers.


-spec all_headers(#{binary() => iodata()}, req()) -> drover_response:headers().
all_headers(Headers, Req) ->
    ok = refuse_cookies(Headers),
    drover_response:standard(drover_response:headers(Headers, Req)).


-spec status(Status) -> Status when Status :: drover_req:status().
status(Status) when is_integer(Status); is_binary(Status) -> Status.


%% RFC 9110 6.4.1.
-spec bodiless(drover_req:status()) -> boolean().
bodiless(204) -> true;
bodiless(304) -> true;
bodiless(<<"204", _/binary>>) -> true;
bodiless(<<"304", _/binary>>) -> true;
bodiless(_) -> false.
