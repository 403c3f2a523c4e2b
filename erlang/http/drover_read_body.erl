%% Reading the body of a request, from the process that runs the handler's init/2.
-module(drover_read_body).

-export([read/2, read_urlencoded/2]).

-type req() :: drover_req:req().
-type opts() :: drover_req:read_body_opts().


-spec read(req(), opts()) -> {ok | more, binary(), req()}.
read(#{has_body := false} = Req, _) ->
    {ok, <<>>, Req};
read(#{has_read_body := true} = Req, _) ->
    {ok, <<>>, Req};
read(Req, Opts) ->
    Period = maps:get(period, Opts, 15_000),
    Timeout = maps:get(timeout, Opts, default_timeout(Period)),
    case ask(maps:get(length, Opts, 8_000_000), Period, Timeout, Req) of
        {request_body, _, nofin, Data} -> {more, Data, Req};
        {request_body, _, fin, Length, Data} -> {ok, Data, set_length(Length, Req)}
    end.


-spec default_timeout(timeout()) -> timeout().
default_timeout(infinity) -> infinity;
default_timeout(Period) when is_integer(Period) -> Period + 1000.


%% The connection process cannot wait for itself: it reads as the body comes.
-spec ask(non_neg_integer() | auto, timeout(), timeout(), req()) -> tuple().
ask(Length, Period, _, #{pid := Pid}) when Pid =:= self() ->
    drover_http:read_body(Length, Period);
ask(Length, Period, Timeout, Req) ->
    Ref = make_ref(),
    drover_reply:cast({read_body, self(), Ref, Length, Period}, Req),
    receive
        {request_body, Ref, nofin, _} = Answer -> Answer;
        {request_body, Ref, fin, _, _} = Answer -> Answer
    after
        Timeout ->
            exit(timeout)
    end.


%% The length of a chunked body is known at its end.
-spec set_length(non_neg_integer(), req()) -> req().
set_length(Length, #{headers := Headers} = Req) ->
    Req#{
      headers => Headers#{<<"content-length">> => integer_to_binary(Length)},
      body_length => Length,
      has_read_body => true
     }.


-spec read_urlencoded(req(), opts()) -> {ok, [{binary(), binary() | true}], req()}.
read_urlencoded(Req0, Opts) ->
    case read(Req0, Opts) of
        {ok, Body, Req} ->
            {ok, parse(Body), Req};
        {more, Body, _} ->
            case byte_size(Body) < maps:get(length, Opts, 64_000) of
                true ->
                    exit({request_error, timeout, 'The request body did not come in time.'});
                false ->
                    exit({request_error, payload_too_large, 'The request body is too large.'})
            end
    end.


-spec parse(binary()) -> [{binary(), binary() | true}].
parse(Body) ->
    try
        drover_uri:parse_qs(Body)
    catch
        error:badarg:Stack ->
            Reason = 'Malformed body; application/x-www-form-urlencoded expected.',
            erlang:raise(exit, {request_error, urlencoded_body, Reason}, Stack)
    end.
