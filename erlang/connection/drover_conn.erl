%% The process of an open WebSocket connection: a loop over events from the core and messages from Erlang.
%%
%% It runs the handler's callbacks, in the order in which things arrived, and does what they return. What
%% a callback takes and returns is the dialect's business (drover_dialect), and where the frames go
%% to is the carrier's (drover_carrier).
%%
%% The native core sends all events of one read as one batch, and reads on once the batch was taken.
%% So the last callback of a batch sends its frames together with that answer (mode taken), and the
%% callbacks before it let the core hold their frames back for a moment (mode cork).
%%
%% The state is in two parts, because one of them changes with every message and the other hardly
%% ever: the connection's, and the dialect's local state, which holds the handler's.
-module(drover_conn).

-export([enter/1]).
%% For drover_wait.
-export([handle/3]).
-export([woken/3]).
%% For sys.
-export([system_continue/3]).
-export([system_terminate/4]).
-export([system_code_change/4]).
-export([system_get_state/1]).
-export([system_replace_state/2]).

%% Everything that the HTTP phase hands over. req is what terminate/3 is to get in the dialect v2.
-type takeover() :: #{
                      carrier := drover_carrier:carrier(),
                      parent := pid(),
                      dialect := module(),
                      handler := module(),
                      req := term(),
                      local := drover_dialect:local(),
                      hibernate := boolean()
                     }.

-record(conn, {
          carrier :: drover_carrier:carrier(),
          %% Marks the core's messages about this connection.
          id :: drover_native:id(),
          dialect :: module(),
          handler :: module(),
          parent :: pid(),
          speaks_otp :: boolean(),
          req :: term(),
          %% Asked for by a callback, done as soon as nothing is left to be handled.
          hibernate = false :: boolean(),
          %% Whether the socket is read, and the batches that came after it was to be read no more.
          active = true :: boolean(),
          held = [] :: [[drover_native:event()]],
          %% A limit that a callback has set, for events that the core had decoded before it knew.
          max_frame_size = infinity :: non_neg_integer() | infinity,
          idle_timer :: undefined | reference(),
          shutdown_reason = normal :: term()
         }).

-opaque state() :: #conn{}.

-type local() :: drover_dialect:local().
-type misc() :: {state(), local()}.

-export_type([takeover/0, state/0]).


%% @doc Become the process of an open connection: the answer to the handshake is out.
-spec enter(takeover()) -> no_return().
enter(#{carrier := Carrier, dialect := Dialect, handler := Handler, local := Local} = Takeover) ->
    SpeaksOtp = Dialect:speaks_otp(),
    ok = drover_children:stand_as(type(SpeaksOtp)),
    State = arm_idle_timer(#conn{
                             carrier = Carrier,
                             id = drover_carrier:id(Carrier),
                             dialect = Dialect,
                             handler = Handler,
                             parent = maps:get(parent, Takeover),
                             speaks_otp = SpeaksOtp,
                             req = maps:get(req, Takeover),
                             hibernate = maps:get(hibernate, Takeover)
                            }),
    case Dialect:init(Handler, Local) of
        {Todo, Local2} ->
            start(do(Todo, flush, State, Local2), Local2);
        {Todo, Local2, hibernate} ->
            start(do(Todo, flush, State#conn{hibernate = true}, Local2), Local2);
        Crash ->
            crash(Crash, websocket_init, undefined, State, Local)
    end.


type(true) -> supervisor;
type(false) -> worker.


%% Frames that came with the handshake are handled even if the connection is passive by now.
start(#conn{carrier = Carrier, active = Active} = State, Local) ->
    case drover_carrier:start(Active, Carrier) of
        ok -> settle(State, Local);
        {early, Events} -> batch(Events, State, Local)
    end.


%% Most connections are idle from the start, and the heap of the HTTP phase is much too large for that. Hibernation
%% leaves one that just holds what is alive.
settle(State, Local) ->
    next(State#conn{hibernate = true}, Local).


%% Waiting.


next(#conn{active = true, held = [Events | Held]} = State, Local) ->
    batch(Events, State#conn{held = Held}, Local);
next(#conn{hibernate = true} = State, Local) ->
    proc_lib:hibernate(drover_wait, hibernated, [State, Local]);
next(State, Local) ->
    drover_wait:message(State, Local).


%% @private The first message after hibernation. A look at the idle timeout alone does not end it.
-spec woken(term(), state(), local()) -> no_return().
woken({'$drover', Id, idle, _} = Message, #conn{id = Id} = State, Local) ->
    handle(Message, State, Local);
woken({timeout, Timer, cowboy_websocket} = Message, #conn{idle_timer = Timer} = State, Local) ->
    handle(Message, State, Local);
woken(Message, State, Local) ->
    handle(Message, State#conn{hibernate = false}, Local).


%% @private
-spec handle(term(), state(), local()) -> no_return().
handle({'$drover', Id, events, Events}, #conn{id = Id, active = true} = State, Local) ->
    batch(Events, State, Local);
handle({'$drover', Id, Tag, Payload}, #conn{id = Id} = State, Local) ->
    told(Tag, Payload, State, Local);
handle({timeout, Timer, cowboy_websocket}, #conn{idle_timer = Timer} = State, Local) ->
    idle(State, Local);
handle({timeout, Older, cowboy_websocket}, State, Local) when is_reference(Older) ->
    next(State, Local);
handle({system, From, Request}, #conn{speaks_otp = true} = State, Local) ->
    system(Request, From, State, Local);
handle({'$gen_call', From, Call}, #conn{speaks_otp = true} = State, Local) ->
    drover_children:reply(Call, From, []),
    next(State, Local);
handle({'EXIT', Parent, Reason}, #conn{speaks_otp = true, parent = Parent} = State, Local) ->
    terminate(Reason, State, Local);
handle(Message, #conn{carrier = Carrier, active = Active, id = Id} = State, Local) ->
    case drover_carrier:message(Message, Active, Carrier) of
        none -> info(Message, State, Local);
        {events, Events} -> handle({'$drover', Id, events, Events}, State, Local)
    end.


%% The core had sent this batch when it was told to read no more.
told(events, Events, #conn{held = Held} = State, Local) ->
    next(State#conn{held = Held ++ [Events]}, Local);
told(idle, _, State, Local) ->
    idle(State, Local);
%% Nothing was said for a while. What is left of earlier messages goes, too.
told(parked, _, State, Local) ->
    next(State#conn{hibernate = true}, Local);
told(_Tag, _Payload, State, Local) ->
    next(State, Local).


%% Callbacks.


info(Message, #conn{dialect = Dialect, handler = Handler} = State, Local) ->
    case Dialect:info(Message, Handler, Local) of
        {Todo, Local2} ->
            next(do(Todo, flush, State, Local2), Local2);
        {Todo, Local2, hibernate} ->
            next(do(Todo, flush, State#conn{hibernate = true}, Local2), Local2);
        Crash ->
            crash(Crash, websocket_info, Message, State, Local)
    end.


batch([], State, Local) ->
    next(do([], taken, State, Local), Local);
batch(Events, State, Local) ->
    events(Events, State, Local).


events([], State, Local) ->
    next(State, Local);
events([{_, Payload} | _], #conn{max_frame_size = Max} = State, Local)
  when is_integer(Max), byte_size(Payload) > Max ->
    failed(badsize, State, Local);
events([{Type, _} = Frame | Rest], State, Local) when Type =:= text; Type =:= binary ->
    frame(Frame, Rest, State, Local);
events([ping | Rest], State, Local) ->
    pong(pong, Rest, State),
    frame(ping, Rest, State, Local);
events([{ping, Payload} = Ping | Rest], State, Local) ->
    pong({pong, Payload}, Rest, State),
    frame(Ping, Rest, State, Local);
events([close | _], State, Local) ->
    close(close, remote, State, Local);
events([{close, Code, Reason} | _], State, Local) ->
    close({close, Code, <<>>}, {remote, Code, Reason}, State, Local);
events([{error, Reason} | _], State, Local) ->
    failed(Reason, State, Local);
events([Pong | Rest], State, Local) ->
    frame(Pong, Rest, State, Local).


frame(Frame, Rest, #conn{dialect = Dialect, handler = Handler} = State, Local) ->
    case Dialect:handle(Frame, Handler, Local) of
        {Todo, Local2} ->
            events(Rest, do(Todo, mode(Rest), State, Local2), Local2);
        {Todo, Local2, hibernate} ->
            events(Rest, do(Todo, mode(Rest), State#conn{hibernate = true}, Local2), Local2);
        Crash ->
            crash(Crash, websocket_handle, Frame, State, Local)
    end.


%% A close frame or an error, which end a batch, answer for themselves.
mode([]) -> taken;
mode(_) -> cork.


%% The pong of a lone ping is not to wait for the handler.
pong(Pong, [], #conn{carrier = Carrier}) ->
    _ = drover_carrier:send(Carrier, [Pong], flush),
    ok;
pong(Pong, _Rest, #conn{carrier = Carrier}) ->
    _ = drover_carrier:send(Carrier, [Pong], cork),
    ok.


%% What callbacks ask for. Returns the new state, or does not return when the connection ends.


do([], taken, #conn{carrier = Carrier} = State, Local) ->
    sent(drover_carrier:taken(Carrier), State, Local);
do([], _Mode, State, _Local) ->
    State;
do([{Type, _}] = Frames, Mode, #conn{carrier = Carrier} = State, Local)
  when Type =:= text; Type =:= binary ->
    sent(drover_carrier:send(Carrier, Frames, Mode), State, Local);
do(stop, _Mode, State, Local) ->
    close({close, 1000, <<>>}, stop, State, Local);
do({part, Frames, Why}, _Mode, #conn{carrier = Carrier}, _Local) ->
    _ = drover_carrier:send(Carrier, Frames, flush),
    erlang:error(Why);
do(Commands, Mode, State, Local) ->
    {Items, Settings, End} = drover_commands:split(Commands),
    do_items(End, Items, Mode, lists:foldl(fun set/2, State, Settings), Local).


do_items(close, Items, _Mode, #conn{carrier = Carrier} = State, Local) ->
    _ = drover_carrier:send(Carrier, Items, flush),
    terminate(stop, State, Local);
do_items(open, [], Mode, State, Local) ->
    do([], Mode, State, Local);
do_items(open, Items, Mode, #conn{carrier = Carrier} = State, Local) ->
    sent(drover_carrier:send(Carrier, Items, Mode), State, Local).


sent(ok, State, _Local) ->
    State;
sent({error, _} = Error, State, Local) ->
    terminate(Error, State, Local).


set({active, Active}, #conn{active = Active} = State) ->
    State;
set({active, Active}, #conn{carrier = Carrier} = State) ->
    ok = drover_carrier:set_active(Carrier, Active),
    State#conn{active = Active};
set({shutdown_reason, Reason}, State) ->
    State#conn{shutdown_reason = Reason};
set({set_options, Options}, State) ->
    maps:fold(fun set_option/3, State, Options).


set_option(idle_timeout, Timeout, #conn{carrier = Carrier} = State) ->
    start_idle_timer(drover_carrier:set_idle_timeout(Carrier, Timeout), State);
set_option(max_frame_size, Max, #conn{carrier = Carrier} = State) ->
    ok = drover_carrier:set_max_frame_size(Carrier, Max),
    State#conn{max_frame_size = Max};
set_option(_Unknown, _Value, State) ->
    State.


%% The idle timeout. The core knows when bytes came last. It says so itself when that was too long ago, or, for a carrier
%% of Erlang's, one timer asks it now and then.


arm_idle_timer(#conn{carrier = Carrier} = State) ->
    start_idle_timer(drover_carrier:idle_left(Carrier), State).


start_idle_timer(Left, #conn{carrier = Carrier, idle_timer = Old} = State) ->
    cancel_timer(Old),
    State#conn{idle_timer = drover_carrier:idle_timer(Left, Carrier)}.


%% The message of a timer that has gone off already is swallowed like that of any other.
cancel_timer(undefined) ->
    ok;
cancel_timer(Timer) ->
    ok = erlang:cancel_timer(Timer, [{async, true}, {info, false}]).


idle(#conn{carrier = Carrier} = State, Local) ->
    case drover_carrier:idle_left(Carrier) of
        0 -> close({close, 1000, <<>>}, timeout, State, Local);
        Left -> next(State#conn{idle_timer = drover_carrier:idle_timer(Left, Carrier)}, Local)
    end.


%% The end of the connection.


-spec failed(atom(), state(), local()) -> no_return().
failed(badframe, State, Local) ->
    close({close, 1002, <<>>}, {error, badframe}, State, Local);
failed(badencoding, State, Local) ->
    close({close, 1007, <<>>}, {error, badencoding}, State, Local);
failed(badsize, State, Local) ->
    close({close, 1009, <<>>}, {error, badsize}, State, Local);
failed(Reason, State, Local) ->
    terminate({error, Reason}, State, Local).


-spec close(drover_commands:frame(), term(), state(), local()) -> no_return().
close(Frame, Reason, #conn{carrier = Carrier} = State, Local) ->
    _ = drover_carrier:send(Carrier, [Frame], flush),
    terminate(Reason, State, Local).


-spec terminate(term(), state(), local()) -> no_return().
terminate(Reason, #conn{carrier = Carrier} = State, Local) ->
    call_terminate(Reason, State, Local),
    ok = drover_carrier:close(Carrier),
    exit(exit_reason(State)).


exit_reason(#conn{shutdown_reason = normal}) -> normal;
exit_reason(#conn{shutdown_reason = Reason}) -> {shutdown, Reason}.


-spec crash(tuple(), drover_dialect:callback(), term(), state(), local()) -> no_return().
crash({crash, Class, Reason, _} = Crash, Callback, Message, State, Local) ->
    #conn{carrier = Carrier, dialect = Dialect, handler = Handler} = State,
    _ = drover_carrier:send(Carrier, [{close, 1011, <<>>}], flush),
    call_terminate({crash, Class, Reason}, State, Local),
    ok = drover_carrier:close(Carrier),
    Dialect:raise(Crash, Callback, Message, Handler, Local).


call_terminate(Reason, #conn{dialect = Dialect, handler = Handler, req = Req}, Local) ->
    _ = Dialect:terminate(Reason, Handler, Req, Local),
    ok.


%% System messages. Tools know the process as one of cowboy_websocket.


system(get_status, From, #conn{parent = Parent} = State, Local) ->
    Status = [get(), running, Parent, [], {State, Local}],
    gen_server:reply(From, {status, self(), {module, cowboy_websocket}, Status}),
    next(State, Local);
system(Request, From, #conn{parent = Parent} = State, Local) ->
    sys:handle_system_msg(Request, From, Parent, ?MODULE, [], {State, Local}).


%% @private
-spec system_continue(pid(), [sys:debug_option()], misc()) -> no_return().
system_continue(_Parent, _Debug, {State, Local}) ->
    next(State, Local).


%% @private
-spec system_terminate(term(), pid(), [sys:debug_option()], misc()) -> no_return().
system_terminate(Reason, _Parent, _Debug, {State, Local}) ->
    terminate(Reason, State, Local).


%% @private
-spec system_code_change(misc(), module(), term(), term()) -> {ok, misc()}.
system_code_change(Misc, _Module, _OldVsn, _Extra) ->
    {ok, Misc}.


%% @private The third element stands for Cowboy's parse state, which the core keeps here.
-spec system_get_state(misc()) -> {ok, {state(), local(), undefined}}.
system_get_state({State, Local}) ->
    {ok, {State, Local, undefined}}.


%% @private
-spec system_replace_state(fun((term()) -> term()), misc()) -> {ok, term(), misc()}.
system_replace_state(Replace, {State, Local}) ->
    {State2, Local2, _} = Result = Replace({State, Local, undefined}),
    {ok, Result, {State2, Local2}}.
