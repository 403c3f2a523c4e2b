%% Sends one text of 1 KiB to every connection, every 50 milliseconds. It begins with the time of day in nanoseconds, as
%% twenty digits, so that the receiver knows how old it is.
-module(bench_push).
-behaviour(cowboy_websocket).

-export([start/0]).
-export([init/2, websocket_init/1, websocket_handle/2, websocket_info/2]).

-define(SIZE,     1024).
-define(INTERVAL, 50).


-spec start() -> ok.
start() ->
    Parent = self(),
    Publisher = spawn(fun() -> publisher(Parent) end),
    receive
        {Publisher, ready} -> ok
    end.


publisher(Parent) ->
    {ok, _} = pg:start(?MODULE),
    Parent ! {self(), ready},
    publish(erlang:monotonic_time(millisecond)).


%% By the clock, so that a slow round does not lengthen the next.
publish(Last) ->
    Next = Last + ?INTERVAL,
    timer:sleep(max(0, Next - erlang:monotonic_time(millisecond))),
    Message = {push, {text, message()}},
    [ Member ! Message || Member <- pg:get_members(?MODULE, subscribers) ],
    publish(Next).


message() ->
    Stamp = io_lib:format("~20..0b", [os:system_time(nanosecond)]),
    iolist_to_binary([Stamp, binary:copy(<<"x">>, ?SIZE - 20)]).


init(Req, State) ->
    {cowboy_websocket, Req, State, #{compress => true, idle_timeout => infinity}}.


websocket_init(State) ->
    ok = pg:join(?MODULE, subscribers, self()),
    {[], State}.


websocket_handle(_Frame, State) ->
    {[], State}.


websocket_info({push, Frame}, State) ->
    {[Frame], State};
websocket_info(_Message, State) ->
    {[], State}.
