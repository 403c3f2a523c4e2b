%% What req_v2_h and req_v2pre_h have in common.
-module(req_reader).

-export([answer/2]).

-define(PART, 1000).


-spec answer(drover_req:req(), State) -> {ok, drover_req:req(), State}.
answer(Req, State) ->
    case drover_req:has_body(Req) of
        true -> {ok, echo(drover_req:read_body(Req, #{length => ?PART}), []), State};
        false -> {ok, stream(Req), State}
    end.


echo({more, Part, Req}, Parts) -> echo(drover_req:read_body(Req, #{length => ?PART}), [Parts, Part]);
echo({ok, Part, Req}, Parts) -> drover_req:reply(200, #{}, [Parts, Part], Req).


stream(Req) ->
    Streaming = drover_req:stream_reply(200, Req),
    ok = drover_req:stream_body(<<"one">>, nofin, Streaming),
    ok = drover_req:stream_body([<<"two">>], fin, Streaming),
    Streaming.
