%% The process of one connection for as long as it speaks HTTP: it takes request heads from the native core,
%% finds the handler, writes responses, and becomes the process of the open WebSocket connection.
%%
%% Handlers speak to it with the messages of Cowboy's streams, {{Pid, StreamId}, Message}, so cowboy_req
%% works here as well as drover_req. Requests are taken one after the other: the core reads the
%% next head only when told that the response is out.
-module(drover_http).

-export([start_link/4]).
%% For drover_req, in the connection process.
-export([read_body/2]).
%% For drover_wait.
-export([handle/2]).
%% Of the connection process.
-export([init/5]).
-export([system_continue/3]).
-export([system_terminate/4]).
-export([system_code_change/4]).

-include_lib("kernel/include/logger.hrl").

-record(http, {
          carrier :: drover_carrier:carrier(),
          conn :: drover_native:conn(),
          id :: drover_native:id(),
          parent :: pid(),
          ref :: drover:ref(),
          protocol :: drover_opts:protocol(),
          streamid = 0 :: non_neg_integer(),
          %% The process that runs init/2.
          worker :: undefined | pid(),
          out :: undefined | drover_http_out:out(),
          body = drover_body:none() :: drover_body:body()
         }).

-opaque state() :: #http{}.

-export_type([state/0]).


%% @doc Start the process of a connection whose first request head has come.
%%
%% It collects its whole heap every time. That costs nothing measurable while a handler's state is small, and
%% keeps a process that has echoed some hundred messages at 4 KiB instead of 25. A handler with
%% megabytes of state may want process_flag(fullsweep_after, 65535).
-spec start_link(drover:ref(), drover_native:conn(), drover_native:id(), map()) -> pid().
start_link(Ref, Conn, Id, Head) ->
    Args = [self(), Ref, Conn, Id, Head],
    Pid = proc_lib:spawn_opt(?MODULE, init, Args, [link, {fullsweep_after, 0}]),
    true = is_pid(Pid),
    Pid.


%% @private
-spec init(pid(), drover:ref(), drover_native:conn(), drover_native:id(), map()) -> ok | no_return().
init(Parent, Ref, Conn, Id, Head) ->
    %% As which Cowboy's connection processes are known to tools.
    put('$initial_call', {cowboy_clear, connection_process, 4}),
    case {drover_native:own(Conn), drover_registry:config(Ref)} of
        {ok, {ok, #{protocol := Protocol, send_timeout := SendTimeout}}} ->
            request(Head,
                    #http{
                      carrier = drover_carrier:new(Conn, Id, SendTimeout),
                      conn = Conn,
                      id = Id,
                      parent = Parent,
                      ref = Ref,
                      protocol = Protocol
                     });
        _Gone ->
            drover_native:close(Conn)
    end.


%% A request.


request(Head, #http{streamid = Previous, ref = Ref, protocol = Protocol} = State0) ->
    StreamId = Previous + 1,
    State = State0#http{
              streamid = StreamId,
              out = drover_http_out:new(State0#http.carrier, Head, is_last(StreamId, Protocol)),
              body = drover_body:new(State0#http.conn, Head)
             },
    case drover_request:find(Head#{ref => Ref, pid => self(), streamid => StreamId}, Protocol) of
        {ok, Task} -> dispatch(Task, State);
        {refuse, Status} -> refuse(Status, State)
    end.


is_last(StreamId, #{max_keepalive := Max}) ->
    StreamId >= Max.


refuse(Status, State) ->
    Headers = drover_response:standard(#{}),
    done(stream({response, Status, Headers, <<>>}, State)).


%% Where init/2 runs is part of the dialect.
dispatch(#{api := v2pre, req := Req} = Task, State) ->
    run_here(Task#{req := Req#{websocket_api => v2pre}}, State);
dispatch(Task, State) ->
    %% While there is a request process, its end is a message.
    true = not process_flag(trap_exit, true),
    drover_wait:http(State#http{worker = drover_request:start_link(Task)}).


%% init/2 in this process. Its responses are messages to itself, which are taken up afterwards; a body
%% is read through the process dictionary.
run_here(Task, State) ->
    undefined = put(?MODULE, State),
    Result = drover_request:run(Task),
    State2 = drain(erase(?MODULE)),
    case Result of
        ok -> done(State2);
        {upgrade, Headers, Upgrade} -> switch(Headers, Upgrade, State2);
        {crash, _, _, _} -> crashed_here(Result, Task, State2)
    end.


drain(#http{streamid = StreamId} = State) ->
    Self = self(),
    receive
        {{Self, StreamId}, Message} -> drain(stream(Message, State))
    after
        0 ->
            State
    end.


-spec crashed_here(tuple(), drover_request:task(), state()) -> no_return().
crashed_here({crash, Class, Reason, Stacktrace}, Task, #http{conn = Conn} = State) ->
    _ = abort(State),
    ok = drover_native:close(Conn),
    #{handler := Handler, handler_opts := HandlerOpts, req := Req} = Task,
    exit(
      {cowboy_handler, [{class, Class},
                        {reason, Reason},
                        {mfa, {Handler, init, 2}},
                        {stacktrace, Stacktrace},
                        {req, Req},
                        {opts, HandlerOpts}]}).


%% Messages.


%% @private
-spec handle(term(), state()) -> no_return().
handle({{Pid, StreamId}, {switch_protocol, Headers, drover_conn, Upgrade}}, #http{streamid = StreamId} = State)
  when Pid =:= self() ->
    %% A tail call: an open connection must have no return address in this module, which may be reloaded.
    switch(Headers, Upgrade, State);
handle({{Pid, StreamId}, Message}, #http{streamid = StreamId} = State) when Pid =:= self() ->
    drover_wait:http(stream(Message, State));
handle({'EXIT', Worker, Reason}, #http{worker = Worker} = State) ->
    worker_ended(Reason, State#http{worker = undefined});
handle({'EXIT', Parent, Reason}, #http{parent = Parent}) ->
    exit(Reason);
handle({'$drover', Id, Tag, Payload}, #http{id = Id} = State) ->
    native(Tag, Payload, State);
handle({timeout, Timer, read_body}, #http{body = Body} = State) ->
    drover_wait:http(State#http{body = drover_body:period_over(Timer, Body)});
handle({system, From, Request}, #http{parent = Parent} = State) ->
    sys:handle_system_msg(Request, From, Parent, ?MODULE, [], State);
handle({'$gen_call', From, Call}, #http{worker = Worker} = State) ->
    ok = drover_children:reply(Call, From, [ Worker || is_pid(Worker) ]),
    drover_wait:http(State);
handle({{Pid, _OtherStream}, _Message}, State) when Pid =:= self() ->
    drover_wait:http(State);
handle({'EXIT', _Other, _Reason}, State) ->
    drover_wait:http(State);
handle(Message, State) ->
    ?LOG_WARNING("drover: connection process ~p received stray message ~p", [self(), Message]),
    drover_wait:http(State).


native(request, Head, State) ->
    request(Head, State);
native(closed, _Reason, State) ->
    stop(State);
native(body, Result, State) ->
    drover_wait:http(body(Result, State));
native(_Tag, _Payload, State) ->
    drover_wait:http(State).


%% What handlers ask for. Returns the new state.


stream({read_body, Pid, Ref, Length, Period}, State) ->
    read(Pid, Ref, Length, Period, State);
stream({inform, Status, Headers}, #http{out = Out} = State) ->
    written(drover_http_out:inform(Status, Headers, Out), State);
stream({response, Status, Headers, Body}, State) ->
    unless_started(fun(Out) -> drover_http_out:response(Status, Headers, Body, Out) end, State);
stream({headers, Status, Headers}, State) ->
    unless_started(fun(Out) -> drover_http_out:headers(Status, Headers, Out) end, State);
stream({data, Pid, Fin, Data}, State) ->
    State2 = stream({data, Fin, Data}, State),
    Pid ! {data_ack, self()},
    State2;
stream({data, Fin, Data}, #http{out = Out} = State) ->
    written(drover_http_out:data(Fin, Data, Out), State);
stream({trailers, Trailers}, #http{out = Out} = State) ->
    written(drover_http_out:trailers(Trailers, Out), State);
stream(_WithoutEffect, State) ->
    State.


%% A second response to one request would be taken for that to the next.
unless_started(Write, #http{out = Out} = State) ->
    case drover_http_out:started(Out) of
        true -> State;
        false -> written(Write(Out), State)
    end.


written({ok, Out}, State) -> State#http{out = Out};
written({error, _}, State) -> stop(State).


read(Pid, Ref, Length, Period, #http{body = Body0} = State0) ->
    {Continue, Body} = drover_body:wants_continue(Body0),
    State = continue(Continue, State0#http{body = Body}),
    State#http{body = drover_body:read(Pid, Ref, Length, Period, Body)}.


continue(true, #http{out = Out} = State) -> written(drover_http_out:inform(100, #{}, Out), State);
continue(false, State) -> State.


body({error, badbody}, State) ->
    stop(stream({response, 400, #{<<"connection">> => <<"close">>}, <<>>}, State));
body({error, _}, State) ->
    stop(State);
body(Data, #http{body = Body} = State) ->
    State#http{body = drover_body:received(Data, Body)}.


%% @doc Read from the body in the connection process itself, where init/2 of the dialect v2pre runs. The
%% result is the message that other processes get.
-spec read_body(non_neg_integer() | auto, timeout()) ->
          {request_body, reference(), nofin, binary()} |
          {request_body, reference(), fin, non_neg_integer(), binary()}.
read_body(Length, Period) ->
    Ref = make_ref(),
    await_body(Ref, read(self(), Ref, Length, Period, get(?MODULE))).


await_body(Ref, #http{id = Id, body = Body} = State) ->
    receive
        Message when element(1, Message) =:= request_body, element(2, Message) =:= Ref ->
            _ = put(?MODULE, State),
            Message;
        {'$drover', Id, body, Result} ->
            await_body(Ref, body(Result, State));
        {timeout, Timer, read_body} ->
            await_body(Ref, State#http{body = drover_body:period_over(Timer, Body)})
    end.


%% The end of a request.


worker_ended(normal, State) ->
    done(State);
worker_ended({{request_error, timeout, _}, _}, State) ->
    done(failed_request(408, State));
worker_ended({{request_error, payload_too_large, _}, _}, State) ->
    done(failed_request(413, State));
worker_ended({{request_error, _, _}, _}, State) ->
    done(failed_request(400, State));
worker_ended(_Crash, State) ->
    done(abort(State)).


%% A handler that does not answer has nothing to say.
done(#http{out = Out} = State) ->
    case drover_http_out:started(Out) of
        true -> finished(written(drover_http_out:finish(Out), State));
        false -> finished(stream({response, 204, #{}, <<>>}, State))
    end.


%% The peer can tell a response that broke off only by the end of the connection.
abort(State) ->
    failed_request(500, State).


failed_request(Status, #http{out = Out} = State) ->
    case drover_http_out:started(Out) of
        true -> stop(State);
        false -> stream({response, Status, #{<<"content-length">> => <<"0">>}, <<>>}, State)
    end.


finished(#http{out = Out, conn = Conn} = State) ->
    case drover_http_out:last(Out) of
        true ->
            stop(State);
        false ->
            _ = process_flag(trap_exit, false),
            ok = drover_native:next_request(Conn),
            drover_wait:http(State#http{out = undefined, body = drover_body:none()})
    end.


-spec stop(state()) -> no_return().
stop(#http{conn = Conn, worker = Worker}) ->
    ok = stop_worker(Worker),
    ok = drover_native:close(Conn),
    exit(normal).


stop_worker(undefined) ->
    ok;
stop_worker(Worker) ->
    true = unlink(Worker),
    true = exit(Worker, shutdown),
    ok.


%% The end of HTTP.


-spec switch(drover_response:headers(), drover_request:upgrade(), state()) -> no_return().
switch(Headers, Upgrade, #http{carrier = Carrier, parent = Parent, out = Out} = State) ->
    %% Before the 101: who has seen it may send messages that are not to be forgotten.
    ok = forget_worker(State),
    _ = written(drover_http_out:switch(Headers, Out), State),
    {Native, Takeover} = maps:take(native, Upgrade),
    ok = drover_carrier:upgrade(Carrier, Native),
    drover_conn:enter(Takeover#{carrier => Carrier, parent => Parent}).


%% A handler starts with a clean process. What else is in the mailbox is for websocket_info.
forget_worker(#http{worker = undefined}) ->
    ok;
forget_worker(#http{worker = Worker, parent = Parent}) ->
    true = unlink(Worker),
    _ = process_flag(trap_exit, false),
    flush(Parent).


flush(Parent) ->
    Self = self(),
    receive
        {timeout, _, _} -> flush(Parent);
        {{Self, _}, _} -> flush(Parent);
        {'EXIT', Pid, _} when Pid =/= Parent -> flush(Parent)
    after
        0 ->
            ok
    end.


%% System messages.


%% @private
-spec system_continue(pid(), [sys:debug_option()], state()) -> no_return().
system_continue(_Parent, _Debug, State) ->
    drover_wait:http(State).


%% @private
-spec system_terminate(term(), pid(), [sys:debug_option()], state()) -> no_return().
system_terminate(_Reason, _Parent, _Debug, State) ->
    stop(State).


%% @private
-spec system_code_change(state(), module(), term(), term()) -> {ok, state()}.
system_code_change(State, _Module, _OldVsn, _Extra) ->
    {ok, State}.
