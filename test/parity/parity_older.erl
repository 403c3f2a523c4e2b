%% Scenarios for handlers of the older APIs: arity 3, and the hybrid. No packaged Cowboy runs them: what is on record about
%% 2.0.0-pre is compared with, and drover's ways with each other.
-module(parity_older).

-export([scenarios/0]).

-define(NORMAL(Frames, Reason), {Frames, {[Reason], {exited, normal}}}).


-spec scenarios() -> [parity_run:scenario()].
scenarios() ->
    init() ++ results() ++ messages() ++ hybrid().


init() ->
    [{pre_no_websocket_init, "B19", pre(?NORMAL([{text, <<"a">>}, close], remote)), [{text, <<"a">>}, close]},
     {pre_timeout, "H75 H78", (pre(?NORMAL([{close, 1000, <<>>}], timeout)))#{upgrade => [200]}, []},
     {pre_timeout_infinity, "H76", (pre(?NORMAL([close], remote)))#{upgrade => [infinity]}, [close]},
     {pre_timeout_and_hibernate, "H75 I83", (pre(?NORMAL([{close, 1000, <<>>}], timeout)))#{upgrade => [200, hibernate]}, []},
     {pre_hibernate, "I83", (pre(?NORMAL([{text, <<"a">>}, close], remote)))#{upgrade => [hibernate]}, [{text, <<"a">>}, close]},
     {pre_timeout_after_a_frame, "H77", (pre(?NORMAL([{text, <<"a">>}, {close, 1000, <<>>}], timeout)))#{upgrade => [200]}, [{text, <<"a">>}, {frames, 1}]},
     {pre_message_to_self_in_init, "B19",
                                   (pre(?NORMAL([{text, <<"a">>}, close], remote)))#{init_2 => fun to_oneself/2},
                                   [{called, info}, {text, <<"a">>}, close]},
     {pre_early_bytes_dropped, "A17",
                               (pre(?NORMAL([{text, <<"later">>}, close], remote)))#{early => [{text, <<"early">>}], ways => http1},
                               [{text, <<"later">>}, close]},
     {pre_reply_in_init, "A13", #{api => v2pre, ways => http1, init_2 => fun(Req, State) -> {ok, cowboy_req:reply(403, Req), State} end}, [hang_up]},
     {pre_crash_in_init, "A14", #{api => v2pre, ways => http1, init_2 => fun(_, _) -> error(boom) end}, [hang_up]},
     {pre_headers_of_init, "A15", #{api => v2pre, init_2 => fun with_header/2}, [close]}].


results() ->
    [{pre_ok, "F58", pre(?NORMAL([close], remote)), [{handle, {tuple, [ok, req, state]}}, close]},
     {pre_ok_hibernate, "F58 I82", pre(?NORMAL([close], remote)), [{handle, {tuple, [ok, req, state, hibernate]}}, close]},
     {pre_reply, "F58", pre(?NORMAL([{text, <<"r">>}, close], remote)), [{handle, {tuple, [reply, {text, <<"r">>}, req, state]}}, close]},
     {pre_reply_hibernate, "F58 I82",
                           pre(?NORMAL([{text, <<"r">>}, close], remote)),
                           [{handle, {tuple, [reply, [{text, <<"r">>}], req, state, hibernate]}}, close]},
     {pre_stop, "E53", pre(?NORMAL([{close, 1000, <<>>}], stop)), [{handle, {tuple, [stop, req, state]}}]},
     {pre_close, "E50", pre(?NORMAL([pong(), {close, 4000, <<"x">>}], stop)), [{info, {reply, {close, 4000, <<"x">>}}}]},
     {pre_req_carried_on, "F58 G70",
                          (pre(?NORMAL([pong(), {text, <<"a">>}, close], remote)))#{reqs => true},
                          [{info, {return_with, fun(Req) -> Req#{added => here} end}}, {called, info}, {text, <<"a">>}, {called, handle}, close]},
     {pre_frames_before_a_bad_one, "F60",
                                   pre({[{text, <<"a">>}], {[], {exited, {{badmatch, false}, []}}}}),
                                   [{handle, {reply, [{text, <<"a">>}, {ping, binary:copy(<<"p">>, 126)}]}}]},
     {pre_no_iodata, "F63", pre({[], {[], {exited, {badarg, []}}}}), [{handle, {reply, {text, ["a"]}}}]},
     {pre_commands, "F65", (pre())#{hibernate => [false]}, [{handle, {tuple, [[{text, <<"a">>}], state]}}]},
     {pre_invalid, "F65", pre(), [{handle, {return, nonsense}}]},
     {pre_throw, "F66", pre(), [{handle, {crash, throw, boom}}]},
     {pre_state_of_a_crash, "F66", pre(), [{text, <<"a">>}, {frames, 1}, {handle, {crash, error, boom}}]}].


%% Nothing but the handler's affair.
messages() ->
    [{pre_message, "B25", pre(?NORMAL([pong(), close], remote)), [{message, hello}, {called, info}, close]},
     {pre_system_message, "B28", pre(?NORMAL([pong(), close], remote)), [{message, {system, {self(), ref}, get_state}}, {called, info}, close]},
     {pre_supervisor_call, "B29", pre(?NORMAL([pong(), close], remote)), [{message, {'$gen_call', {self(), ref}, which_children}}, {called, info}, close]},
     {pre_exit_message_of_the_parent, "B26",
                                      pre(?NORMAL([pong(), close], remote)),
                                      [{message, fun(Pid) -> {dictionary, D} = process_info(Pid, dictionary), {'EXIT', hd(proplists:get_value('$ancestors', D)), shutdown} end},
                                       {called, info},
                                       close]},
     {pre_frames_before_a_queued_message, "B23",
                                          (pre())#{handle => {run, fun first_waits/1}},
                                          [[{text, <<"wait">>}, {text, <<"b">>}], {called, handle}, {message, queued}, go, {called, info}, close]},
     {pre_broken_framing, "C36", pre(?NORMAL([{close, 1002, <<>>}], {error, badframe})), [{frame, #{rsv => 1}}]},
     {pre_no_limit, "D40", #{api => v2pre, ways => [drover, takeover]}, [{binary, binary:copy(<<"x">>, 2000000)}, {called, handle}, close]},
     {pre_limit_of_the_listener, "D40", (pre())#{listener => #{max_frame_size => 10}}, [{text, <<"0123456789">>}, {text, <<"0123456789a">>}]},
     {pre_compress_of_the_listener, "J87",
                                    (pre())#{listener => #{compress => true}, offer => "permessage-deflate; server_no_context_takeover"},
                                    [{text, <<"a">>}, {frames, 1}, close]},
     {pre_broken_deflate_data, "J93", (pre())#{listener => #{compress => true}, offer => "permessage-deflate"}, [{frame, #{rsv => 4, payload => <<255, 255, 255>>}}]},
     {pre_hang_up, "E55", pre(), [{text, <<"a">>}, {frames, 1}, hang_up]}].


%% Callbacks of arity 2 with the older results of init/2.
hybrid() ->
    [{hybrid_timeout, "H75", (hybrid(?NORMAL([{close, 1000, <<>>}], timeout)))#{upgrade => [200]}, []},
     {hybrid_timeout_and_hibernate, "H75", (hybrid(?NORMAL([{close, 1000, <<>>}], timeout)))#{upgrade => [200, hibernate]}, []},
     {hybrid_hibernate, "I83", (hybrid(?NORMAL([{text, <<"a">>}, close], remote)))#{upgrade => [hibernate]}, [{text, <<"a">>}, close]},
     {hybrid_init, "B22", (hybrid(?NORMAL([{text, <<"first">>}, close], remote)))#{upgrade => [infinity], init => {reply, {text, <<"first">>}}}, [close]}].


pre() ->
    #{api => v2pre, handle => echo}.


pre(Recorded) ->
    (pre())#{recorded => Recorded}.


hybrid(Recorded) ->
    #{api => hybrid, handle => echo, recorded => Recorded}.


%% To the ping that goes before a message.
pong() ->
    {pong, <<>>}.


to_oneself(Req, _State) ->
    self() ! hello,
    {cowboy_websocket, Req, ws_script:script(Req)}.


with_header(Req, _State) ->
    {cowboy_websocket, cowboy_req:set_resp_header(<<"x-one">>, <<"1">>, Req), ws_script:script(Req)}.


first_waits({text, <<"wait">>}) -> {wait, ok};
first_waits(Frame) -> {reply, Frame}.
