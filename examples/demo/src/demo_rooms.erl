%% The rooms of the chat: who is in which, and the last messages of each.
%%
%% One process orders what happens, so that everybody sees the same order; delivery goes to the
%% members of the room's process group as `{room, Event}'. A connection that goes away, however
%% it ends, is noticed by its monitor: handlers need no clean-up.
-module(demo_rooms).
-behaviour(gen_server).

-export([start_link/0, scope/0, enter/2, move/1, rename/1, say/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-export_type([event/0]).

-define(HISTORY,   50).
-define(MAX_ROOMS, 100).

-type room() :: binary().
-type name() :: binary().
-type time() :: integer().
-type event() ::
        {welcome, room(), name(), Here :: [name()], History :: [event()]} |
        {joined, time(), name()} |
        {left, time(), name()} |
        {renamed, time(), Old :: name(), New :: name()} |
        {said, time(), name(), Text :: binary()} |
        {error, Text :: binary()}.

-record(person, {
          room :: room(),
          name :: name(),
          monitor :: reference()
         }).

-record(state, {
          people = #{} :: #{pid() => #person{}},
          history = #{} :: #{room() => [event()]}
         }).


-spec start_link() -> gen_server:start_ret().
start_link() ->
    gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).


%% The scope of pg that the rooms use.
-spec scope() -> atom().
scope() ->
    demo_pg.


%% The calling process enters a room. It gets `welcome', or `error' where there are too many.
-spec enter(room(), name()) -> ok.
enter(Room, Name) ->
    gen_server:cast(?MODULE, {enter, self(), Room, Name}).


%% To another room, under the same name.
-spec move(room()) -> ok.
move(Room) ->
    gen_server:cast(?MODULE, {move, self(), Room}).


-spec rename(name()) -> ok.
rename(Name) ->
    gen_server:cast(?MODULE, {rename, self(), Name}).


-spec say(Text :: binary()) -> ok.
say(Text) ->
    gen_server:cast(?MODULE, {say, self(), Text}).


-spec init([]) -> {ok, #state{}}.
init([]) ->
    {ok, #state{}}.


-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, {error, unknown}, #state{}}.
handle_call(_Request, _From, State) ->
    {reply, {error, unknown}, State}.


-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast({enter, Pid, Room, Name}, State) ->
    {noreply, do_enter(Pid, Room, Name, State)};
handle_cast({move, Pid, Room}, State) ->
    {noreply, do_move(Pid, Room, State)};
handle_cast({rename, Pid, Name}, State) ->
    {noreply, do_rename(Pid, Name, State)};
handle_cast({say, Pid, Text}, State) ->
    {noreply, do_say(Pid, Text, State)}.


-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({'DOWN', _, process, Pid, _}, State) ->
    {noreply, do_leave(Pid, State)};
handle_info(_Other, State) ->
    {noreply, State}.


do_enter(Pid, Room, Wanted, State0) ->
    case open_room(Room, State0) of
        full ->
            deliver(Pid, {error, <<"There are too many rooms.">>}),
            State0;
        State1 ->
            State = do_leave(Pid, State1),
            Name = free_name(Wanted, names(Room, State)),
            publish(Room, {joined, now_ms(), Name}),
            ok = pg:join(scope(), Room, Pid),
            Person = #person{room = Room, name = Name, monitor = monitor(process, Pid)},
            Joined = State#state{people = (State#state.people)#{Pid => Person}},
            History = lists:reverse(maps:get(Room, State#state.history)),
            deliver(Pid, {welcome, Room, Name, names(Room, Joined), History}),
            Joined
    end.


do_move(Pid, Room, State = #state{people = People}) ->
    case People of
        #{Pid := #person{room = Room}} -> State;
        #{Pid := #person{name = Name}} -> do_enter(Pid, Room, Name, State);
        #{} -> State
    end.


do_leave(Pid, State = #state{people = People}) ->
    case maps:take(Pid, People) of
        {#person{room = Room, name = Name, monitor = Monitor}, Rest} ->
            demonitor(Monitor, [flush]),
            _ = pg:leave(scope(), Room, Pid),
            publish(Room, {left, now_ms(), Name}),
            State#state{people = Rest};
        error ->
            State
    end.


do_rename(Pid, Wanted, State = #state{people = People}) ->
    case People of
        #{Pid := #person{name = Wanted}} ->
            State;
        #{Pid := Person = #person{room = Room, name = Old}} ->
            Name = free_name(Wanted, names(Room, State) -- [Old]),
            publish(Room, {renamed, now_ms(), Old, Name}),
            State#state{people = People#{Pid := Person#person{name = Name}}};
        #{} ->
            State
    end.


do_say(Pid, Text, State = #state{people = People, history = History}) ->
    case People of
        #{Pid := #person{room = Room, name = Name}} ->
            Event = {said, now_ms(), Name, Text},
            publish(Room, Event),
            Add = fun(Events) -> lists:sublist([Event | Events], ?HISTORY) end,
            State#state{history = maps:update_with(Room, Add, History)};
        #{} ->
            State
    end.


%% Rooms that nobody is in are forgotten only when there are too many.
open_room(Room, State = #state{history = History})
  when is_map_key(Room, History); map_size(History) < ?MAX_ROOMS ->
    State#state{history = maps:merge(#{Room => []}, History)};
open_room(Room, State = #state{people = People, history = History}) ->
    Used = [ Used || #person{room = Used} <- maps:values(People) ],
    case maps:with(Used, History) of
        Kept when map_size(Kept) < ?MAX_ROOMS -> State#state{history = Kept#{Room => []}};
        _ -> full
    end.


names(Room, #state{people = People}) ->
    lists:sort([ Name || #person{room = In, name = Name} <- maps:values(People), In =:= Room ]).


free_name(Wanted, Taken) ->
    free_name(Wanted, Wanted, 2, Taken).


free_name(Name, Wanted, N, Taken) ->
    case lists:member(Name, Taken) of
        false -> Name;
        true -> free_name(<<Wanted/binary, " ", (integer_to_binary(N))/binary>>, Wanted, N + 1, Taken)
    end.


publish(Room, Event) ->
    lists:foreach(fun(Pid) -> deliver(Pid, Event) end, pg:get_members(scope(), Room)).


deliver(Pid, Event) ->
    Pid ! {room, Event},
    ok.


now_ms() ->
    erlang:system_time(millisecond).
