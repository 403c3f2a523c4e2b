%% max_frame_size: what it counts, when it strikes, and that nothing passes beside it.
-module(limits_SUITE).

-compile(export_all).
-compile(nowarn_export_all).


all() -> ws_script:all().


groups() ->
    V2 = [default_limit, at_the_limit, infinity, decided_on_the_header, control_frames, single_fragment,
          sum_of_fragments, sum_decided_on_the_header, fragments_at_the_limit, sum_starts_anew, compressed_on_the_wire, inflated, inflated_at_the_limit,
          inflated_in_segments, inflated_at_the_limit_in_segments, inflated_fragments, uncompressed_with_compression,
          set_options, set_options_raised, set_options_infinity, set_options_same_segment, set_options_raised_same_segment, frames_before_are_handled],
    ws_script:groups([], V2, [no_limit, limit_of_the_listener]).


init_per_suite(Config) -> ws_script:init_per_suite(Config).


end_per_suite(Config) -> ws_script:end_per_suite(Config).


init_per_group(Group, Config) -> ws_script:init_per_group(Group, Config).


end_per_group(Group, Config) -> ws_script:end_per_group(Group, Config).


init_per_testcase(Case, Config) ->
    ws_script:init_per_testcase(Case,
                                Config,
                                #{
                                  set_options => {2, 18},
                                  set_options_raised => {2, 18},
                                  set_options_infinity => {2, 18},
                                  set_options_same_segment => {2, 18},
                                  set_options_raised_same_segment => {2, 18},
                                  default_limit => {2, 17},
                                  inflated => {2, 18},
                                  inflated_in_segments => {2, 18},
                                  inflated_fragments => {2, 18},
                                  sum_decided_on_the_header => drover
                                 }).


%% D40: the limit is 1000000 bytes if the handler does not say.
default_limit(Config) ->
    ok = passes(connect(Config, #{}), {binary, zeros(1000000)}),
    ok = too_big(connect(Config, #{}), {binary, zeros(1000001)}).


%% D40: handlers of arity 3 know no limit.
no_limit(Config) ->
    ok = passes(connect(Config, none), {binary, zeros(3000000)}).


%% D40: a listener may set one for them.
limit_of_the_listener(Config) ->
    Routes = [{"/[...]", ws_script:handler(v2pre), route_state}],
    {ok, Port} = drover_target:start(?FUNCTION_NAME, Routes, #{max_frame_size => 10}),
    Here = [{port, Port} | Config],
    ok = passes(connect(Here, none), {binary, zeros(10)}),
    ok = too_big(connect(Here, none), {binary, zeros(11)}),
    ok = drover_target:stop(?FUNCTION_NAME).


%% D40: `infinity' takes the limit away.
infinity(Config) ->
    ok = passes(connect(Config, #{max_frame_size => infinity}), {binary, zeros(3000000)}).


%% D40: a frame of exactly the limit passes, one byte more closes with 1009.
at_the_limit(Config) ->
    [ begin
          ok = passes(connect(Config, limit(Limit)), {Type, zeros(Limit - 1)}),
          ok = passes(connect(Config, limit(Limit)), {Type, zeros(Limit)}),
          ok = too_big(connect(Config, limit(Limit)), {Type, zeros(Limit + 1)})
      end
      || Type <- [text, binary], Limit <- [10, 125, 126, 65535, 65536, 200000] ],
    ok.


%% D41: the header decides, before anything of the payload has come.
decided_on_the_header(Config) ->
    [ ok = too_big(connect(Config, limit(10)), {raw, header(#{len => Length})})
      || Length <- [11, 126, 65536, 1 bsl 40, 1 bsl 63 - 1] ],
    ok.


%% D42: control frames count too.
control_frames(Config) ->
    ok = passes(connect(Config, limit(10)), {ping, zeros(10)}),
    ok = too_big(connect(Config, limit(10)), {ping, zeros(11)}),
    ok = too_big(connect(Config, limit(10)), {pong, zeros(11)}),
    ok = too_big(connect(Config, limit(10)), {close, 1000, zeros(9)}).


%% D43: a fragment alone may be too big, the first one and any other.
single_fragment(Config) ->
    ok = too_big(connect(Config, limit(10)), {fragment, false, text, zeros(11)}),
    ok = too_big(connect(Config, limit(10)), [{fragment, false, text, []}, {fragment, false, continuation, zeros(11)}]).


%% D43: the sum of the fragments counts, whether an intermediate or the final one exceeds it.
sum_of_fragments(Config) ->
    First = {fragment, false, text, zeros(6)},
    ok = too_big(connect(Config, limit(10)), [First, {fragment, false, continuation, zeros(5)}]),
    ok = too_big(connect(Config, limit(10)), [First, {fragment, true, continuation, zeros(5)}]),
    Empty = {fragment, false, continuation, []},
    ok = too_big(connect(Config, limit(10)), [First, Empty, {ping, zeros(10)}, {fragment, true, continuation, zeros(5)}]).


%% D43: the header decides here too.
sum_decided_on_the_header(Config) ->
    First = {fragment, false, text, zeros(6)},
    ok = too_big(connect(Config, limit(10)), [First, {raw, header(#{opcode => continuation, len => 5})}]).


%% D43: fragments of exactly the limit together pass; control frames between them do not count.
fragments_at_the_limit(Config) ->
    Frames = [{fragment, false, text, zeros(6)}, {ping, zeros(10)}, {fragment, true, continuation, zeros(4)}],
    ok = passes(connect(Config, limit(10)), Frames, [{ping, zeros(10)}, {text, zeros(10)}]).


%% D43: each message is counted by itself.
sum_starts_anew(Config) ->
    Message = [{fragment, false, text, zeros(6)}, {fragment, true, continuation, zeros(4)}],
    Expected = {text, zeros(10)},
    ok = passes(connect(Config, limit(10)), Message ++ Message ++ [Expected], [Expected, Expected, Expected]).


%% D44: the limit holds for a compressed frame as it is on the wire.
compressed_on_the_wire(Config) ->
    Compressed = deflate(crypto:strong_rand_bytes(100)),
    Limit = limit(byte_size(Compressed) - 1),
    ok = too_big(connect(Config, Limit), {raw, ws_client:frame(#{rsv => 4, opcode => binary, payload => Compressed})}).


%% D44: and for what it inflates to.
inflated(Config) ->
    ok = too_big(connect(Config, limit(1000)), compressed(zeros(1001))),
    ok = too_big(connect(Config, limit(1000)), compressed(zeros(100000000))).


%% D44: a message that inflates to exactly the limit passes.
inflated_at_the_limit(Config) ->
    [ ok = passes(connect(Config, limit(N)), compressed(zeros(N)), [{binary, zeros(N)}]) || N <- [100, 100000] ],
    ok.


%% D44: what has been inflated of a frame counts when it comes in several segments.
inflated_in_segments(Config) ->
    #{client := Client} = Conn = connect(Config, limit(1000)),
    ok = in_segments(Client, compressed(zeros(1001))),
    ok = ends_too_big(Conn).


%% D44: exactly the limit passes in several segments too.
inflated_at_the_limit_in_segments(Config) ->
    #{client := Client} = Conn = connect(Config, limit(1000)),
    ok = in_segments(Client, compressed(zeros(1000))),
    Expected = {binary, zeros(1000)},
    Expected = ws_script:event(Conn, handle),
    ws_script:close(Conn).


%% D44: of a compressed message in fragments the sum of what they inflate to counts.
inflated_fragments(Config) ->
    ok = passes(connect(Config, limit(1000)), compressed_fragments(zeros(1000)), [{binary, zeros(1000)}]),
    ok = too_big(connect(Config, limit(1000)), compressed_fragments(zeros(1001))).


%% D44: with compression in use, frames that are not compressed are counted as they are.
uncompressed_with_compression(Config) ->
    ok = passes(connect(Config, limit(1000)), {binary, zeros(1000)}),
    ok = too_big(connect(Config, limit(1000)), {binary, zeros(1001)}).


%% D45: a limit set by a callback holds from the next header on.
set_options(Config) ->
    [ begin
          Conn = with_limit_set(Config, Position, limit(1000), 10),
          ok = too_big(Conn, {text, zeros(11)})
      end
      || Position <- ws_script:positions(Config) ],
    ok.


%% D45: a limit may be raised.
set_options_raised(Config) ->
    [ ok = passes(with_limit_set(Config, Position, limit(60), 1000), {text, zeros(61)}) || Position <- [init, info] ],
    ok.


%% D45: a limit may be taken away.
set_options_infinity(Config) ->
    Conn = with_limit_set(Config, info, limit(10), infinity),
    ok = passes(Conn, {text, zeros(2000000)}).


%% D45: the next header may be in the segment of the frame that the callback got.
set_options_same_segment(Config) ->
    [ begin
          #{client := Client} = Conn = connect(Config, limit(1000)),
          ok = ws_client:send(Client, [set_limit_order(10), Frame]),
          ok = ends_too_big(Conn)
      end
      || Frame <- [{text, zeros(11)}, {ping, zeros(11)}] ],
    ok.


%% D45: that holds for a limit that is raised as well.
set_options_raised_same_segment(Config) ->
    [ begin
          #{client := Client} = Conn = connect(Config, limit(Before)),
          ok = ws_client:send(Client, [set_limit_order(100000), {text, zeros(Size)}]),
          {binary, _} = ws_script:event(Conn, handle),
          Expected = {text, zeros(Size)},
          Expected = ws_script:event(Conn, handle),
          ws_script:close(Conn)
      end
      || {Before, Size} <- [{100, 101}, {100, 100000}, {1000, 70000}] ],
    ok.


%% A frame that has a callback set the limit.
set_limit_order(Limit) ->
    {binary, term_to_binary({act, {commands, [{set_options, #{max_frame_size => Limit}}]}})}.


%% D40: frames before the one that is too big are handled and answered.
frames_before_are_handled(Config) ->
    Echo = {run, fun(Frame) -> {reply, Frame} end},
    #{client := Client} = Conn = ws_script:connect(Config, #{upgrade => [limit(10)], handle => Echo}),
    ok = ws_client:send(Client, [{text, "a"}, {text, "b"}, {raw, header(#{len => 11})}]),
    [{text, <<"a">>}, {text, <<"b">>}, {close, 1009, <<>>}, {error, closed}] = ws_client:recv_until_closed(Client),
    {{called, {error, badsize}}, normal} = ws_script:ended(Conn).


no_leaks(Config) -> ws_script:no_leaks(Config).


%%% Helpers.


%% With compression in use, which makes no difference to what is not compressed.
connect(Config, none) ->
    ws_script:connect(Config);
connect(Config, Options) ->
    Script = #{upgrade => [Options#{compress => true}]},
    ws_script:connect(Config, Script, #{extensions => "permessage-deflate; server_no_context_takeover"}).


limit(N) ->
    #{max_frame_size => N}.


%% A connection that began with some limit and got another one from a callback.
with_limit_set(Config, init, Options, Limit) ->
    Conn = ws_script:connect(Config, #{upgrade => [Options], init => set_limit(Limit)}),
    told(Conn);
with_limit_set(Config, Position, Options, Limit) ->
    Conn = ws_script:connect(Config, #{upgrade => [Options]}),
    ok = ws_script:perform(Conn, Position, set_limit(Limit)),
    told(Conn).


set_limit(Limit) ->
    {commands, [{set_options, #{max_frame_size => Limit}}, {text, <<"set">>}]}.


told(#{client := Client} = Conn) ->
    {text, <<"set">>} = ws_client:recv(Client),
    _ = ws_script:events(Conn),
    Conn.


passes(Conn, Frame) ->
    passes(Conn, Frame, [Frame]).


passes(#{client := Client} = Conn, Frames, Expected) ->
    ok = ws_client:send(Client, Frames),
    Expected = [ ws_script:event(Conn, handle) || _ <- Expected ],
    ws_script:close(Conn).


too_big(#{client := Client} = Conn, Frames) ->
    ok = ws_client:send(Client, Frames),
    ends_too_big(Conn).


ends_too_big(#{client := Client} = Conn) ->
    {close, 1009, <<>>} = last_frame(Client),
    {error, closed} = ws_client:recv(Client),
    {{called, {error, badsize}}, normal} = ws_script:ended(Conn),
    ws_client:close(Client).


%% Pongs may come before.
last_frame(Client) ->
    case ws_client:recv(Client) of
        {pong, _} -> last_frame(Client);
        Frame -> Frame
    end.


zeros(N) ->
    binary:copy(<<"0">>, N).


%% A frame without its payload.
header(Options) ->
    ws_client:frame(Options).


compressed(Payload) ->
    {raw, ws_client:frame(#{rsv => 4, opcode => binary, payload => deflate(Payload)})}.


compressed_fragments(Payload) ->
    Compressed = deflate(Payload),
    <<First:3/binary, Second:3/binary, Third/binary>> = Compressed,
    [{raw, ws_client:frame(#{fin => false, rsv => 4, opcode => binary, payload => First})},
     {fragment, false, continuation, Second},
     {fragment, true, continuation, Third}].


%% Byte by byte, each of them a segment as far as TCP lets us.
in_segments(Client, {raw, Bytes}) ->
    [ ok = ws_client:send(Client, {raw, <<Byte>>}) || <<Byte>> <= iolist_to_binary(Bytes) ],
    ok.


deflate(Payload) ->
    Z = zlib:open(),
    ok = zlib:deflateInit(Z, default, deflated, -15, 8, default),
    Bytes = iolist_to_binary(zlib:deflate(Z, Payload, sync)),
    ok = zlib:close(Z),
    binary:part(Bytes, 0, byte_size(Bytes) - 4).
