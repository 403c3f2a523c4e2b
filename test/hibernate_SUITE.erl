%% When the process of a connection hibernates, and that a client cannot tell.
-module(hibernate_SUITE).

-export([all/0, groups/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, end_per_group/2]).
-export([init_per_testcase/2, end_per_testcase/2]).
-export([holds_until_the_next_message/1,
         holds_until_the_next_frame/1,
         any_message_ends_it/1,
         from_the_beginning/1,
         from_the_beginning_with_a_timeout/1,
         kept_while_there_are_frames/1,
         in_the_middle_of_a_frame/1,
         no_client_can_tell/1]).
-export([no_leaks/1]).


all() ->
    [{group, v2}, {group, p}, {group, hybrid}, no_leaks].


groups() ->
    fun_handler:groups([holds_until_the_next_message,
                        holds_until_the_next_frame,
                        any_message_ends_it,
                        from_the_beginning,
                        from_the_beginning_with_a_timeout,
                        kept_while_there_are_frames,
                        in_the_middle_of_a_frame,
                        no_client_can_tell]).


init_per_suite(Config) ->
    fun_handler:init_suite(Config).


end_per_suite(_Config) ->
    ok.


init_per_group(Group, Config) ->
    fun_handler:init_group(Group, Config).


end_per_group(_Group, _Config) ->
    ok.


init_per_testcase(_Case, Config) ->
    Config.


end_per_testcase(_Case, _Config) ->
    fun_handler:stop_all().


%% I82: hibernate from websocket_info holds until the next message, whose callback must ask for it again.
holds_until_the_next_message(Config) ->
    {Client, Pid} = open(Config, #{}),
    looping = after_message(Client, Pid, run),
    [ State = after_message(Client, Pid, Ask)
      || {Ask, State} <- [{hibernate, hibernating}, {run, looping}, {hibernate, hibernating}, {hibernate, hibernating}] ].


%% I82, I85: and from websocket_handle until the next frame.
holds_until_the_next_frame(Config) ->
    {Client, Pid} = open(Config, #{}),
    [ State = after_frames(Client, Pid, [Ask])
      || {Ask, State} <- [{hibernate, hibernating}, {run, looping}, {hibernate, hibernating}, {hibernate, hibernating}] ].


%% I82: even a message that no callback sees ends it.
any_message_ends_it(Config) ->
    {Client, Pid} = open(Config, #{}),
    hibernating = after_message(Client, Pid, hibernate),
    Pid ! {timeout, make_ref(), cowboy_websocket},
    ok = becomes(looping, Pid).


%% I83: a connection may hibernate before its first frame.
from_the_beginning(Config) ->
    {Client, Pid} = open(Config, #{hibernate => true}),
    ok = becomes(hibernating, Pid),
    looping = after_frames(Client, Pid, [run]).


%% I83: also with a timeout.
from_the_beginning_with_a_timeout(Config) ->
    {Client, Pid} = open(Config, #{hibernate => true, timeout => 60000}),
    ok = becomes(hibernating, Pid),
    looping = after_frames(Client, Pid, [run]).


%% I84: what one of several frames of a segment asked for is done after the last of them.
kept_while_there_are_frames(Config) ->
    {Client, Pid} = open(Config, #{}),
    [ hibernating = after_frames(Client, Pid, Asks) || Asks <- [[run, hibernate], [hibernate, run], [run, hibernate, run]] ],
    looping = after_frames(Client, Pid, [run, run]).


%% I84: a process may hibernate while a frame is on its way.
in_the_middle_of_a_frame(Config) ->
    {Client, Pid} = open(Config, #{}),
    <<Half:10/binary, Rest/binary>> = iolist_to_binary(ws_client:frame(#{payload => <<"whole frame">>})),
    ok = ws_client:send(Client, {raw, Half}),
    _ = after_message(Client, Pid, hibernate),
    ok = ws_client:send(Client, {raw, Rest}),
    {text, <<"whole frame">>} = ws_client:recv(Client),
    {handle, {text, <<"whole frame">>}} = fun_handler:next(Pid).


%% I86: nothing of it shows to a client.
no_client_can_tell(Config) ->
    {Client, Pid} = fun_handler:open(Config,
                                     fun({handle, {Type, _} = Message}) when Type =:= text; Type =:= binary ->
                                             {hibernate, {reply, Message}};
                                        (_Event) -> {hibernate, ok}
                                     end,
                                     #{hibernate => true}),
    Large = rand:bytes(300000),
    [ begin
          ok = ws_client:send(Client, [{text, <<"1">>}, {ping, <<"2">>}, {fragment, false, binary, <<"3">>}]),
          ok = ws_client:send(Client, [{fragment, true, continuation, <<"4">>}, {binary, Large}]),
          [{text, <<"1">>}, {pong, <<"2">>}, {binary, <<"34">>}, {binary, Large}] = ws_client:recv_many(Client, 4)
      end || _ <- lists:seq(1, 20) ],
    ok = ws_client:send(Client, {close, 4321, <<"bye">>}),
    [{close, 4321, <<>>}, {error, closed}] = ws_client:recv_many(Client, 2),
    _ = fun_handler:take(Pid, 80),
    {terminate, {remote, 4321, <<"bye">>}, _, _} = fun_handler:next(Pid),
    normal = fun_handler:died(Pid).


%% Nothing of what the cases made is left.
no_leaks(Config) ->
    fun_handler:no_leaks(Config).


%%% Helpers.


%% Text and messages say themselves whether to hibernate; both are answered.
open(Config, Options) ->
    fun_handler:open(Config, fun obedient/1, maps:merge(#{timeout => infinity}, Options)).


obedient({handle, {text, Text} = Message}) -> ask(Text =:= <<"hibernate">>, {reply, Message});
obedient({info, Ask}) -> ask(Ask =:= hibernate, {reply, {text, atom_to_binary(Ask)}});
obedient(_Event) -> ok.


ask(true, Answer) -> {hibernate, Answer};
ask(false, Answer) -> Answer.


after_message(Client, Pid, Ask) ->
    Pid ! Ask,
    {text, _} = ws_client:recv(Client),
    {info, Ask} = fun_handler:next(Pid),
    rest(Pid).


after_frames(Client, Pid, Asks) ->
    ok = ws_client:send(Client, [ {text, atom_to_binary(Ask)} || Ask <- Asks ]),
    _ = ws_client:recv_many(Client, length(Asks)),
    _ = fun_handler:take(Pid, length(Asks)),
    rest(Pid).


%% How the process waits once it has nothing to do. A reply may be out before the callback's process has come to rest.
rest(Pid) ->
    rest(Pid, deadline()).


rest(Pid, Deadline) ->
    true = erlang:monotonic_time(millisecond) < Deadline,
    case erlang:process_info(Pid, [status, message_queue_len, current_function]) of
        [{status, waiting}, {message_queue_len, 0}, {current_function, {erlang, hibernate, 3}}] ->
            hibernating;
        [{status, waiting}, {message_queue_len, 0}, _] ->
            looping;
        _Busy ->
            erlang:yield(),
            rest(Pid, Deadline)
    end.


becomes(State, Pid) ->
    becomes(State, Pid, deadline()).


becomes(State, Pid, Deadline) ->
    true = erlang:monotonic_time(millisecond) < Deadline,
    case rest(Pid) of
        State -> ok;
        _Other -> becomes(State, Pid, Deadline)
    end.


deadline() ->
    erlang:monotonic_time(millisecond) + 10000.
