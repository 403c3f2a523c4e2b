%% The same handler on drover, on a real Cowboy and on drover under that Cowboy: whatever a client sends, it sees the same.
%%
%% Runs where COWBOY_EBIN names a Cowboy (see README.md), and is empty elsewhere.
-module(parity_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

%% Sequences of frames for each case; each has its own seed, so that a failure can be looked at.
-define(RUNS, 300).


all() ->
    case os:getenv("COWBOY_EBIN", "") of
        "" -> [];
        _ -> [plain, limited, not_validated, hibernating, compressed, no_leaks]
    end.


init_per_suite(Config) ->
    ok = on("cowboy", fun drover_target:ensure_started/0),
    on("drover", fun() -> ws_script:init_per_suite(Config) end).


end_per_suite(_Config) ->
    ok.


%% Frames, fragments, control frames, errors and closes.
plain(_Config) ->
    same(fun random_frames:plain/0, #{max_frame_size => infinity}, #{}).


%% With a limit that many frames exceed.
limited(_Config) ->
    same(fun random_frames:plain/0, #{max_frame_size => 20}, #{}).


%% With text that is handed over as it is.
not_validated(_Config) ->
    same(fun random_frames:plain/0, #{max_frame_size => infinity, validate_utf8 => false}, #{}).


%% With hibernation.
hibernating(_Config) ->
    same(fun random_frames:plain/0, #{max_frame_size => infinity}, #{hibernate => true}).


%% With compressed messages.
compressed(_Config) ->
    same(fun random_frames:compressed/0, #{max_frame_size => infinity, compress => true}, #{}).


no_leaks(Config) -> ws_script:no_leaks(Config).


same(Generate, Options, Script) ->
    Cowboy = on("cowboy", fun() -> transcripts(Generate, Options, Script) end),
    [ [] = differences(on(Target, fun() -> transcripts(Generate, Options, Script) end), Cowboy)
      || Target <- ["drover", "takeover", "codec", "tls"] ],
    ok.


differences(Drover, Cowboy) ->
    [ Both || {_Seed, D, C} = Both <- lists:zip3(lists:seq(1, ?RUNS), Drover, Cowboy), differ(D, C) ].


%% A client that is still sending when the server closes may lose the last frames to a reset.
differ({ClientD, HandlerD}, {ClientC, HandlerC}) ->
    HandlerD =/= HandlerC orelse not (lists:prefix(ClientD, ClientC) orelse lists:prefix(ClientC, ClientD)).


%% With this server as the target.
on(Target, Fun) ->
    Before = os:getenv("DROVER_TARGET", "drover"),
    true = os:putenv("DROVER_TARGET", Target),
    try
        Fun()
    after
        true = os:putenv("DROVER_TARGET", Before)
    end.


transcripts(Generate, Options, Script) ->
    {ok, Port} = drover_target:start(?MODULE, [{"/", script_v2_h, []}], #{}),
    Transcripts = [ transcript(Port, Seed, Generate, Options, Script) || Seed <- lists:seq(1, ?RUNS) ],
    ok = drover_target:stop(?MODULE),
    Transcripts.


transcript(Port, Seed, Generate, Options, Script) ->
    _ = rand:seed(exsss, Seed),
    Echo = {run, fun echo/1},
    Extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    #{client := Client} = Conn =
        ws_script:connect([{port, Port}], Script#{handle => Echo, upgrade => [Options]}, #{extensions => Extensions}),
    [ ok = ws_client:send(Client, {raw, Segment}) || Segment <- random_frames:segments(Generate()) ],
    Received = [ inflated(Frame) || Frame <- ws_client:recv_until_closed(Client), Frame =/= {error, closed} ],
    Exit = ws_script:down(Conn),
    Seen = [ without_state(Event) || Event <- ws_script:events(Conn) ],
    ok = ws_client:close(Client),
    {Received, {Seen, Exit}}.


echo({Type, _} = Frame) when Type =:= text; Type =:= binary -> {reply, Frame};
echo(_Control) -> ok.


without_state({terminate, {Reason, _Req, _State}}) -> {terminate, Reason};
without_state(Event) -> Event.


%% Two compressors need not agree on the bytes.
inflated({frame, true, 4, Opcode, Payload}) ->
    Z = zlib:open(),
    ok = zlib:inflateInit(Z, -15),
    Bytes = iolist_to_binary(zlib:inflate(Z, [Payload, <<0, 0, 255, 255>>])),
    ok = zlib:close(Z),
    {inflated, Opcode, Bytes};
inflated(Frame) ->
    Frame.
