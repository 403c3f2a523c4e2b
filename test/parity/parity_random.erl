%% Random scenarios: valid and broken frames, what handlers return, messages to the handler's process, and all bytes of
%% the client cut anywhere. A seed and a number say which.
%%
%% They are plain terms, so that one that fails can be made a scenario with a name. What Cowboy 2.8 is known to do wrong is not among them.
-module(parity_random).

-export([kinds/0]).
-export([scenario/3]).
-export([run/5]).

-export_type([kind/0]).

-type kind() :: plain | limited | returning | compressed | passive | older.

%% How many sequences are played at the same time, each in all ways.
-define(AT_ONCE, 3).


-spec kinds() -> [kind()].
kinds() ->
    [plain, limited, returning, compressed, passive, older].


%% Plays these sequences and tells the first that shows a difference.
-spec run(kind(), integer(), pos_integer(), pos_integer(), [parity_differences:entry()]) ->
          ok | {differs, pos_integer(), parity_run:scenario(), iolist()}.
run(Kind, Seed, From, To, Entries) ->
    case played(Kind, Seed, From, To, Entries) of
        [] ->
            ok;
        [{N, Scenario, Differences} | _] ->
            {differs, N, Scenario, [ parity_compare:show(Each) || Each <- Differences ]}
    end.


played(Kind, Seed, From, To, Entries) ->
    Workers = [ spawn_monitor(fun() -> exit({found, found(Kind, Seed, lists:seq(First, To, ?AT_ONCE), Entries)}) end)
                || First <- lists:seq(From, min(To, From + ?AT_ONCE - 1)) ],
    lists:sort(lists:append([ result(Worker) || Worker <- Workers ])).


result({Pid, Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, {found, Found}} -> Found;
        {'DOWN', Monitor, process, Pid, Reason} -> error(Reason)
    end.


found(_Kind, _Seed, [], _Entries) ->
    [];
found(Kind, Seed, [N | Later], Entries) ->
    Scenario = scenario(Kind, Seed, N),
    case unlisted(Scenario, Entries) of
        [] -> found(Kind, Seed, Later, Entries);
        [_ | _] = Differences -> [{N, Scenario, Differences}]
    end.


unlisted(Scenario, Entries) ->
    #{unlisted := Unlisted} = parity_differences:judge(Scenario, parity_compare:differences(Scenario), Entries),
    [ Difference#{parts := Kept}
      || #{way := Way, parts := Parts} = Difference <- Unlisted,
         Kept <- [[ Part || Part <- Parts, matters(Way, Part) ]],
         Kept =/= [] ].


%% A client that is still sending when the server closes may see a reset, and with TLS lose the last frames to it.
matters(_Way, {ended, _, _}) -> false;
matters(tls, {wire, Expected, Here}) -> not (lists:prefix(Expected, Here) orelse lists:prefix(Here, Expected));
matters(_Way, _Part) -> true.


%%% What is played.


-spec scenario(kind(), integer(), pos_integer()) -> parity_run:scenario().
scenario(Kind, Seed, N) ->
    _ = rand:seed(exsss, {Seed, N, erlang:phash2(Kind)}),
    Elements = lists:append([ element_of(Kind) || _ <- lists:seq(1, rand:uniform(6)) ]),
    Steps = steps(Elements, [], 1) ++ [{if_open, [{close, 1000, <<>>}]}],
    {random, "", (options(Kind))#{handle => echo, hibernate => [one_of([true, false])]}, Steps}.


options(plain) ->
    #{opts => #{max_frame_size => infinity, validate_utf8 => one_of([true, true, false])}};
options(limited) ->
    #{opts => #{max_frame_size => one_of([20, 200])}};
options(returning) ->
    #{init => act(), opts => #{max_frame_size => infinity}};
options(compressed) ->
    #{
      opts => #{max_frame_size => infinity, compress => true},
      offer => "permessage-deflate; client_no_context_takeover" ++ one_of(["", "; server_no_context_takeover"])
     };
options(passive) ->
    #{opts => #{max_frame_size => infinity}, ways => http1};
options(older) ->
    #{api => v2pre}.


%% Frames may come in one segment with others. A message does not overtake them.
element_of(plain) -> [{frames, one_of([fun random_frames:good/0, fun random_frames:good/0, fun random_frames:bad/0])}];
element_of(limited) -> element_of(plain);
element_of(returning) -> one_of([[good()], [good()], [{act, act()}], [{act, act()}], [{info, act()}], [{message, rand:uniform(9)}], element_of(plain)]);
element_of(compressed) ->
    one_of([[{frames, fun random_frames:deflated/0}],
            [{frames, fun random_frames:deflated/0}],
            [good()],
            [{act, {commands, [{deflate, one_of([true, false])}, frame(), frame()]}}],
            [{info, {reply, [frame(), frame()]}}]]);
element_of(passive) ->
    one_of([[good()],
            [{info, act()}],
            [{passive, one_of([[], [good()]]), one_of([[], [good()], [good(), good()]]), one_of([ok, {reply, frame()}])}]]);
element_of(older) ->
    one_of([[good()], [{act, older_act()}], [{info, older_act()}], element_of(plain)]).


good() ->
    {frames, fun random_frames:good/0}.


%% What a callback may return, rarely something wrong.
act() ->
    case rand:uniform(40) of
        1 -> stop;
        2 -> {reply, close};
        3 -> {reply, [frame(), {close, one_of([1000, 1001, 4000, 0]), <<"bye">>}, frame()]};
        4 -> {crash, one_of([error, throw]), boom};
        5 -> {return, nonsense};
        6 -> {reply, [frame(), {unknown, frame}]};
        7 -> {reply, {ping, binary:copy(<<"p">>, 126)}};
        8 -> {tuple, [stop, state]};
        N when N < 13 -> ok;
        N when N < 18 -> {tuple, [reply, frame(), state]};
        N when N < 22 -> {tuple, [reply, [frame(), frame()], state, hibernate]};
        N when N < 26 -> {tuple, [[frame()], state, hibernate]};
        N when N < 28 -> {tuple, [ok, state, hibernate]};
        _ -> {commands, [ command() || _ <- lists:seq(0, rand:uniform(4)) ]}
    end.


command() ->
    case rand:uniform(8) of
        1 -> {active, true};
        2 -> {deflate, one_of([true, false])};
        3 -> {set_options, #{idle_timeout => 30000}};
        4 -> {shutdown_reason, why};
        _ -> frame()
    end.


older_act() ->
    case rand:uniform(16) of
        1 -> stop;
        2 -> {reply, close};
        3 -> {reply, [frame(), {close, 4000, <<"bye">>}]};
        4 -> {crash, one_of([error, exit, throw]), boom};
        5 -> {return, nonsense};
        6 -> {reply, [frame(), {ping, binary:copy(<<"p">>, 126)}, frame()]};
        N when N < 9 -> {tuple, [ok, req, state, hibernate]};
        _ -> {reply, [ frame() || _ <- lists:seq(1, rand:uniform(3)) ]}
    end.


frame() ->
    one_of([{text, <<"some text">>}, {text, <<>>}, {binary, binary:copy(<<7>>, one_of([1, 125, 126, 300]))}, ping, pong, {ping, <<"p">>}]).


%%% As steps.


%% Bytes are collected up to the next thing that has to wait for them.
steps([], Bytes, _N) ->
    cut(Bytes);
steps([{frames, Generate} | Elements], Bytes, N) ->
    steps(Elements, [Bytes, Generate()], N);
steps([{act, Act} | Elements], Bytes, N) ->
    steps(Elements, [Bytes, asked(Act)], N);
steps([{info, Act} | Elements], Bytes, N) ->
    steps([{message, {act, Act}} | Elements], Bytes, N);
steps([{message, Message} | Elements], Bytes, N) ->
    cut(Bytes) ++ [{if_open, [{barrier, N}, {message, Message}, {seen, info, Message}]}] ++ steps(Elements, [], N + 1);
steps([{passive, AtHand, Unread, Act} | Elements], Bytes, N) ->
    Passive = {commands, [{shutdown_reason, N}, {active, false}]},
    Active = {act, {commands, [{active, true}]}},
    Meanwhile = {act, {tuple, [meant(Act), state]}},
    AtHandFrames = [ Generate() || {frames, Generate} <- AtHand ],
    UnreadFrames = [ Generate() || {frames, Generate} <- Unread ],
    %% Which frames are at hand is certain only for what is sent at once, to a server that has read everything else.
    cut(Bytes) ++
    [{if_open,
      [{barrier, N}] ++
      at_once(iolist_to_binary([asked(Passive) | AtHandFrames])) ++
      %% The callback is reported before what it returns is done.
      [{seen, handle, {binary, term_to_binary({act, Passive})}}, {message, Meanwhile}, {seen, info, Meanwhile}] ++
      cut(UnreadFrames) ++
      [{message, Active}, {seen, info, Active}]}] ++
    steps(Elements, [], N + 1).


meant(ok) -> [];
meant({reply, Frame}) -> [Frame].


asked(Act) ->
    ws_client:frame(#{opcode => binary, payload => term_to_binary({act, Act})}).


%% At once, in a few parts, or byte by byte.
cut(Frames) ->
    case iolist_to_binary(Frames) of
        <<>> -> [];
        Bytes -> (one_of([fun at_once/1, fun in_parts/1, fun byte_by_byte/1]))(Bytes)
    end.


at_once(Bytes) ->
    [{if_open, [{raw, Bytes}]}].


in_parts(Bytes) ->
    At = rand:uniform(byte_size(Bytes)),
    {Part, Rest} = split_binary(Bytes, At),
    at_once(Part) ++ lists:append([ (one_of([fun at_once/1, fun in_parts/1]))(Rest) || Rest =/= <<>> ]).


byte_by_byte(Bytes) ->
    [{if_open, [{pieces, 1, {raw, Bytes}}]}].


one_of(List) ->
    lists:nth(rand:uniform(length(List)), List).
