%% People of the chat, each in a process that fails where the server does what it should not.
%%
%% Visitors come, say something and leave, in every way there is. What the Nth of them does follows from the seed and N, and so does what
%% it must see of its own doings. Residents stay and hear everything.
%%
%% Everybody numbers what they say. So a listener can tell that nothing is missing, doubled or out of order.
-module(chat_visitor).

-export([visit/3]).
-export([reside/2, leave/1]).

-export_type([visit/0, heard/0, resident/0]).

-type name() :: binary().

%% The last number heard of each.
-type heard() :: #{name() => non_neg_integer()}.

%% seen: what must be the same on any server. said: how much, all of which has come back.
-type visit() :: #{name := name(), seen := [term()], said := non_neg_integer()}.

-opaque resident() :: {pid(), reference(), ws_client:client()}.

-define(ROOM,        "/chat/lobby?name=").
-define(PATIENCE_MS, 60000).

%% Within the server's idle timeout.
-define(PING_MS, 20000).

%%% Visitors.


-spec visit(chat_site:site(), Seed :: integer(), N :: pos_integer()) -> visit().
visit(Site, Seed, N) ->
    _ = rand:seed(exsss, {Seed, N, 0}),
    Name = <<"v", (integer_to_binary(N))/binary>>,
    Way = one_of([clear, clear, tls, http2]),
    Read = read_page(one_of([none, "/", "/rooms/empty", "/nothing"]), Site),
    {Client, Status} = join(Name, Way, Site),
    {Echoes, Heard} = talk(rand:uniform(6) - 1, Client, Name),
    Left = part(one_of([close, close_with_code, quit, gone, reset, half_closed, in_a_frame, in_a_message, unmasked, bad_text]), Client, Name, Heard),
    ok = ws_client:close(Client),
    #{name => Name, seen => [Way, Read, Status, Echoes, Left], said => length(Echoes)}.


read_page(none, _Site) ->
    none;
read_page(Path, Site) ->
    Request = ["GET ", Path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
    {Status, _, Body} = ws_client:request(chat_site:port(clear, Site), Request),
    {Path, Status, erlang:phash2(Body)}.


join(Name, Way, Site) ->
    {ok, Client, {Status, _}} = ws_client:connect(chat_site:port(Way, Site), [?ROOM, Name]),
    {text, <<"welcome lobby">>} = ws_client:recv(Client, ?PATIENCE_MS),
    {Client, Status}.


talk(Times, Client, Name) ->
    lists:foldl(fun(I, {Echoes, Heard}) ->
                        Line = <<(integer_to_binary(I))/binary, " ", (text())/binary>>,
                        ok = ws_client:send(Client, in_frames(<<"say ", Line/binary>>)),
                        ok = pause(),
                        {[erlang:phash2(Line) | Echoes], until_own(Line, Client, Name, Heard)}
                end,
                {[], #{}},
                lists:seq(1, Times)).


text() ->
    Most = one_of([10, 10, 100, 3000]),
    unicode:characters_to_binary([ one_of("abc \x{e9}\x{20ac}\x{1f600}") || _ <- lists:seq(1, rand:uniform(Most)) ]).


in_frames(Text) ->
    case rand:uniform(4) of
        1 ->
            {First, Last} = split_binary(Text, rand:uniform(byte_size(Text)) - 1),
            [{fragment, false, text, First}, {ping, <<"between">>}, {fragment, true, continuation, Last}];
        2 ->
            [{ping, <<"before">>}, {text, Text}, {pong, <<>>}];
        _ ->
            {text, Text}
    end.


pause() ->
    timer:sleep(rand:uniform(200)).


until_own(Line, Client, Name, Heard) ->
    case ws_client:recv(Client, ?PATIENCE_MS) of
        {text, Said} ->
            case binary:split(Said, <<": ">>) of
                [Name, Line] -> Heard;
                [Other, Words] when Other =/= Name -> until_own(Line, Client, Name, hear(Other, Words, Heard))
            end;
        {pong, _} ->
            until_own(Line, Client, Name, Heard)
    end.


%% The first that a visitor hears of somebody may have any number.
hear(Name, Words, Heard) ->
    N = number(Words),
    _ = [ error({missing_or_doubled, Name, Last, N}) || #{Name := Last} <- [Heard], N =/= Last + 1 ],
    Heard#{Name => N}.


number(Words) ->
    [N, _] = binary:split(Words, <<" ">>),
    binary_to_integer(N).


%%% How they leave, and what the server has to say to that.


part(close, Client, Name, Heard) ->
    told(close, Client, Name, Heard);
part(close_with_code, Client, Name, Heard) ->
    told({close, 3000 + rand:uniform(999), <<"enough">>}, Client, Name, Heard);
part(quit, Client, Name, Heard) ->
    told({text, <<"quit">>}, Client, Name, Heard);
part(unmasked, Client, Name, Heard) ->
    told({raw, ws_client:frame(#{opcode => text, mask => none, payload => <<"say 0 no">>})}, Client, Name, Heard);
part(bad_text, Client, Name, Heard) ->
    told({text, <<"say \xff">>}, Client, Name, Heard);
part(half_closed, Client, Name, Heard) ->
    ok = ws_client:shutdown(Client),
    %% What the other end makes of it depends on the way.
    _ = until_closed(Client, Name, Heard),
    half_closed;
part(gone, _Client, _Name, _Heard) ->
    gone;
part(reset, Client, _Name, _Heard) ->
    ok = ws_client:reset(Client),
    reset;
part(in_a_frame, Client, _Name, _Heard) ->
    Frame = iolist_to_binary(ws_client:frame(#{opcode => text, payload => <<"say 0 half of it">>})),
    ok = ws_client:send(Client, {raw, binary:part(Frame, 0, rand:uniform(byte_size(Frame) - 1))}),
    in_a_frame;
part(in_a_message, Client, _Name, _Heard) ->
    ok = ws_client:send(Client, {fragment, false, text, <<"say 0 nothing ">>}),
    in_a_message.


told(Frame, Client, Name, Heard) ->
    ok = ws_client:send(Client, Frame),
    until_closed(Client, Name, Heard).


%% The close frame, and that the connection is closed then. Others may still have been heard.
until_closed(Client, Name, Heard) ->
    case ws_client:recv(Client, ?PATIENCE_MS) of
        {text, Said} ->
            [Other, Words] = binary:split(Said, <<": ">>),
            true = Other =/= Name,
            until_closed(Client, Name, hear(Other, Words, Heard));
        {pong, _} ->
            until_closed(Client, Name, Heard);
        {error, closed} ->
            closed;
        Close ->
            {error, closed} = ws_client:recv(Client, ?PATIENCE_MS),
            Close
    end.


one_of(List) ->
    lists:nth(rand:uniform(length(List)), List).


%%% Residents.


-spec reside(chat_site:site(), clear | tls | http2) -> resident().
reside(Site, Way) ->
    Name = <<"resident ", (atom_to_binary(Way))/binary>>,
    {Client, 101} = join(uri_string:quote(Name), Way, Site),
    {Pid, Monitor} = spawn_monitor(fun() -> exit({heard, listen(Client, Name, #{})}) end),
    _ = spawn(fun() -> ping(Client, monitor(process, Pid)) end),
    {Pid, Monitor, Client}.


listen(Client, Name, Heard) ->
    case ws_client:recv(Client, infinity) of
        {text, Said} ->
            case binary:split(Said, <<": ">>) of
                [Name, <<"1 goodbye">>] -> Heard;
                [Other, Words] -> listen(Client, Name, hear(Other, Words, maps:merge(#{Other => 0}, Heard)))
            end;
        {pong, _} ->
            listen(Client, Name, Heard)
    end.


ping(Client, Monitor) ->
    receive
        {'DOWN', Monitor, process, _, _} -> ok
    after
        ?PING_MS ->
            _ = ws_client:send(Client, {ping, <<"still here">>}),
            ping(Client, Monitor)
    end.


%% What a resident has heard.
-spec leave(resident()) -> heard().
leave({Pid, Monitor, Client}) ->
    ok = ws_client:send(Client, {text, <<"say 1 goodbye">>}),
    receive
        {'DOWN', Monitor, process, Pid, {heard, Heard}} ->
            ok = ws_client:send(Client, close),
            close = until_close(Client),
            ok = ws_client:close(Client),
            Heard;
        {'DOWN', Monitor, process, Pid, Failure} ->
            error(Failure)
    end.


%% Other residents may say goodbye before this one has gone.
until_close(Client) ->
    case ws_client:recv(Client, ?PATIENCE_MS) of
        {Type, _} when Type =:= text; Type =:= pong -> until_close(Client);
        Close -> Close
    end.
