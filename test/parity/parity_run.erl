%% Plays a scenario against a server, and writes down all that its client and its handler see of each other.
%%
%% A scenario is `{Name, Points, Options, Steps}'. The handler is told by Options what to do (see ws_script), and Steps are what the
%% client does after its opening handshake has been answered. A step that waits, waits for something that was seen, never for
%% time to pass; if that is not seen for long, the transcript says so.
-module(parity_run).

-export([transcript/3]).
-export([echo/1]).

-export_type([scenario/0, options/0, step/0]).

-type scenario() :: {Name :: atom(), Points :: string(), options(), [step()]}.

-type api() :: v2 | v2pre | hybrid.

-type options() :: #{
                     %% Which API the handler is written for (default v2), or several in turn.
                     api => api() | [api()],
                     %% Options of the connection, the fourth element that init/2 returns (default #{}).
                     opts => map(),
                     %% What else init/2 returns after the state, in place of opts.
                     upgrade => [any()],
                     %% The handler's script, where an act may also be `echo'.
                     init_2 | init | handle | info | terminate => ws_script:act() | echo | fun(),
                     reqs => boolean(),
                     %% Options of the listener.
                     listener => map(),
                     handler => module(),
                     %% Of the handshake: other headers, where `none' takes one away; the offered extensions; frames in the same segment.
                     headers => [{string(), iodata() | none}],
                     offer => string(),
                     method => string(),
                     version => string(),
                     early => [ws_client:frame()],
                     %% The ways in which it makes sense (default all), and whether the handler hibernates (default both).
                     ways => http1 | [parity_ways:way()],
                     hibernate => [boolean()],
                     %% What is on record about Cowboys that cannot be run: the frames, and the results of end/1.
                     recorded => {[any()], End :: any()}
                    }.

-type step() ::
        %% Frames, or lists of what goes out in one segment; or in pieces of so many bytes.
        ws_client:frame() |
        {frame, ws_client:frame_opts()} |
        [ws_client:frame() | {frame, ws_client:frame_opts()}] |
        {pieces, pos_integer(), step()} |
        %% Has the handler do this, asked for by a frame or by a message. A message is not sent before the first callback.
        {handle, ws_script:act()} |
        {info, ws_script:act()} |
        {message, any()} |
        {message, fun((pid()) -> any())} |
        {signal, Reason :: any()} |
        %% Waits until so many calls, or one of this callback, or so many frames have been seen altogether, or until the connection is closed, or its process dead.
        {calls, pos_integer()} |
        {called, ws_script:callback()} |
        {frames, pos_integer()} |
        closed |
        dead |
        %% Waits for a call with this argument, or until everything before has been handled; or until the connection is over.
        {seen, ws_script:callback(), any()} |
        {barrier, pos_integer()} |
        %% Steps that make no sense after the end.
        {if_open, [step()]} |
        %% Another handshake on the same connection, and the wait for so many answers.
        {again, options()} |
        {answers, pos_integer()} |
        %% Lets a callback go on that waits.
        go |
        %% The client closes without a close frame: wholly, its sending half, or with a reset.
        hang_up |
        shut_down |
        reset |
        %% Something that can be asked of the process.
        {observe, fun((pid()) -> any())} |
        %% Nothing but the other side's end is still to come.
        still_open.

-record(run, {
          client :: parity_client:client(),
          api :: api(),
          hibernate :: boolean(),
          %% Bytes from the server, and how they ended.
          wire = <<>> :: binary(),
          ended = [] :: [any()],
          hung_up = false :: boolean(),
          settled = false :: boolean(),
          pid :: pid() | undefined,
          monitor :: reference() | undefined,
          exit = alive :: alive | {exited, any()},
          %% In reverse.
          calls = [] :: [{ws_script:callback(), connection | request, any()}],
          observed = [] :: [any()]
         }).

%% Long enough for a loaded machine; reached only where servers differ, or a scenario is wrong.
-define(TIMEOUT, 8000).


%% To be called in a process of its own.
-spec transcript(parity_ways:way(), api(), {boolean(), scenario()}) -> parity_transcript:transcript().
transcript(Way, Api, {Hibernate, {_Name, _Points, Options, Steps}}) ->
    Port = parity_ways:port(Way, maps:get(listener, Options, #{})),
    Client = parity_client:open(parity_ways:carrier(Way), Port),
    {Head, Early} = request(Api, Hibernate, Options),
    Run = #run{client = parity_client:send_head(Head, Early, Client), api = Api, hibernate = Hibernate},
    try ended(lists:foldl(fun step/2, until(fun answered/1, handshake, Run), Steps)) of
        Done -> written(Done)
    catch
        {gave_up, What, Stuck} ->
            %% The connection is not to disturb what comes next.
            _ = [ exit(Stuck#run.pid, kill) || is_pid(Stuck#run.pid) ],
            written(Stuck#run{observed = [{gave_up, What} | Stuck#run.observed]})
    end.


%% Everything until both ends have come to an end.
ended(Run) ->
    Run2 = until(fun dead/1, dead, until(fun closed/1, closed, Run)),
    case parity_client:settle(Run2#run.client) of
        {asked, Client} -> closing(until(fun settled/1, settled, Run2#run{client = Client}));
        {nothing, Client} -> closing(Run2#run{client = Client})
    end.


closing(#run{client = Client} = Run) ->
    _ = [ parity_client:close(Client) || not Run#run.hung_up ],
    Run.


written(Run) ->
    parity_transcript:new(#{
                            wire => Run#run.wire,
                            ended => lists:reverse(Run#run.ended),
                            calls => lists:reverse(Run#run.calls),
                            exit => Run#run.exit,
                            observed => lists:reverse(Run#run.observed)
                           }).


%%% The handshake.


request(Api, Hibernate, Options) ->
    Changes = [ {"Sec-WebSocket-Extensions", Offer} || Offer <- maps:values(maps:with([offer], Options)) ] ++
        maps:get(headers, Options, []),
    Headers = lists:foldl(fun change/2,
                          [{"Host", "localhost"},
                           {"Connection", "Upgrade"},
                           {"Upgrade", "websocket"},
                           {"Sec-WebSocket-Version", "13"},
                           {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}],
                          Changes),
    Lines = [ [Name, ": ", Value, "\r\n"]
              || {Name, Value} <- Headers ++ [ws_script:header(script(Api, Hibernate, Options))] ],
    Path = parity_ways:path(maps:get(handler, Options, handler(Api))),
    Head = [maps:get(method, Options, "GET"), " ", Path, "/a%20b?q=1 ", maps:get(version, Options, "HTTP/1.1"), "\r\n", Lines, "\r\n"],
    {Head, bytes(maps:get(early, Options, []))}.


change({Name, none}, Headers) -> lists:keydelete(Name, 1, Headers);
change({"+" ++ Name, Value}, Headers) -> Headers ++ [{Name, Value}];
change({Name, Value}, Headers) -> lists:keystore(Name, 1, Headers, {Name, Value}).


handler(v2pre) -> script_v2pre_h;
handler(_Arity2) -> script_v2_h.


script(Api, Hibernate, Options) ->
    Script = maps:map(fun(_, Act) -> act(Act) end,
                      maps:with([init_2, init, handle, info, terminate, reqs], Options)),
    Script#{pid => self(), hibernate => Hibernate, upgrade => upgrade(Api, Options)}.


act(echo) -> {run, fun ?MODULE:echo/1};
act(Act) -> Act.


upgrade(v2, Options) -> maps:get(upgrade, Options, [maps:get(opts, Options, #{})]);
upgrade(_Older, Options) -> maps:get(upgrade, Options, []).


%% What the act `echo' does.
-spec echo(any()) -> ws_script:act().
echo({Type, _} = Frame) when Type =:= text; Type =:= binary -> {reply, Frame};
echo(_Control) -> ok.


%%% Steps.


step({calls, N} = Step, Run) ->
    until(fun(#run{calls = Calls}) -> length(Calls) >= N end, Step, Run);
step({frames, N} = Step, Run) ->
    until(fun(#run{wire = Wire}) -> parity_transcript:frames(Wire) >= N end, Step, Run);
step({answers, N} = Step, Run) ->
    until(fun(#run{wire = Wire}) -> parity_transcript:answers(Wire) >= N end, Step, Run);
step({seen, Callback, Argument} = Step, Run) ->
    until(fun(#run{calls = Calls} = Now) -> [ 1 || {C, _, A} <- Calls, C =:= Callback, A =:= Argument ] =/= [] orelse over(Now) end,
          Step,
          Run);
step({if_open, Steps}, Run) ->
    #run{} = Now = taken(Run),
    case over(Now) of
        true -> Now;
        false -> lists:foldl(fun step/2, Now, Steps)
    end;
step({barrier, N}, Run) ->
    Ping = {ping, <<"barrier ", (integer_to_binary(N))/binary>>},
    step({seen, handle, Ping}, step(Ping, Run));
step({called, Callback} = Step, Run) ->
    until(fun(#run{calls = Calls}) -> lists:keymember(Callback, 1, Calls) end, Step, Run);
step(closed, Run) ->
    until(fun closed/1, closed, Run);
step(dead, Run) ->
    until(fun dead/1, dead, Run);
step(still_open, Run) ->
    #run{ended = Ended} = Run2 = taken(Run),
    observed({still_open, Ended =:= []}, Run2);
step({info, Act}, Run) ->
    step({message, {act, Act}}, Run);
step({message, Message}, Run) ->
    #run{pid = Pid} = Ready = ready(Run),
    Pid ! message(Message, Pid),
    Ready;
step({signal, Reason}, Run) ->
    #run{pid = Pid} = Ready = ready(Run),
    true = exit(Pid, Reason),
    Ready;
step(go, #run{pid = Pid} = Run) ->
    ok = ws_script:resume(Pid),
    Run;
step({observe, Fun}, Run) ->
    #run{pid = Pid} = Ready = ready(Run),
    observed(Fun(Pid), Ready);
step(hang_up, Run) ->
    gone(fun parity_client:close/1, Run);
step(reset, Run) ->
    gone(fun parity_client:reset/1, Run);
step(shut_down, #run{client = Client} = Run) ->
    Run#run{client = parity_client:shutdown(Client)};
step({pieces, Size, Step}, Run) ->
    lists:foldl(fun send/2, Run, pieces(Size, bytes(Step)));
step({again, Options}, #run{api = Api, hibernate = Hibernate} = Run) ->
    {Head, Early} = request(Api, Hibernate, Options),
    send([Head, Early], Run);
step(Frames, Run) ->
    send(bytes(Frames), Run).


message(Fun, Pid) when is_function(Fun) -> Fun(Pid);
message(Message, _Pid) -> Message.


%% Between the answer to the handshake and the first callback Cowboy may still drop messages. Arity 3 has no callback at that
%% time: there it takes a ping.
ready(#run{api = v2pre, calls = Calls} = Run) ->
    case [ Callback || {Callback, _, _} <- Calls, Callback =/= init_2 ] of
        [] -> step({seen, handle, ping}, step(ping, Run));
        [_ | _] -> Run
    end;
ready(Run) ->
    until(fun(#run{calls = Calls} = Now) -> lists:keymember(init, 1, Calls) orelse dead(Now) end, init, Run).


send(Bytes, #run{client = Client} = Run) ->
    Run#run{client = parity_client:send(Bytes, Client)}.


gone(How, #run{client = Client} = Run) ->
    Run#run{client = How(Client), hung_up = true}.


observed(What, #run{observed = Observed} = Run) ->
    Run#run{observed = [What | Observed]}.


-spec bytes(step()) -> iodata().
bytes(Frames) when is_list(Frames) -> [ bytes(Frame) || Frame <- Frames ];
bytes({handle, Act}) -> bytes({binary, term_to_binary({act, act(Act)})});
bytes({frame, Opts}) -> ws_client:frame(Opts);
bytes(Frame) -> ws_client:encode(Frame).


pieces(Size, Bytes) ->
    case iolist_to_binary(Bytes) of
        <<Piece:Size/binary, Rest/binary>> when Rest =/= <<>> -> [Piece | pieces(Size, Rest)];
        Last -> [Last]
    end.


%%% What is seen.


answered(#run{wire = Wire}) ->
    parity_transcript:answers(Wire) >= 1.


closed(#run{ended = Ended, hung_up = HungUp}) ->
    HungUp orelse Ended =/= [].


over(Run) ->
    closed(Run) orelse dead(Run).


dead(#run{pid = Pid, exit = Exit}) ->
    Pid =:= undefined orelse Exit =/= alive.


settled(#run{settled = Settled, ended = Ended, hung_up = HungUp}) ->
    Settled orelse HungUp orelse lists:member(connection_closed, Ended).


until(Condition, What, Run) ->
    case Condition(Run) of
        true ->
            Run;
        false ->
            receive
                Message -> until(Condition, What, seen(Message, Run))
            after
                ?TIMEOUT ->
                    throw({gave_up, What, Run})
            end
    end.


%% All that is there already.
taken(Run) ->
    receive
        Message -> taken(seen(Message, Run))
    after
        0 ->
            Run
    end.


seen({ws_script, From, init_2, Req}, #run{pid = undefined} = Run) ->
    {Pid, Monitor} = ws_script:release(From, Req),
    called(From, init_2, Req, Run#run{pid = Pid, monitor = Monitor});
seen({ws_script, From, init_2, Req}, Run) ->
    %% Another request of the same connection.
    ok = ws_script:resume(From),
    called(From, init_2, Req, Run);
seen({ws_script, From, Callback, Argument}, Run) ->
    called(From, Callback, Argument, Run);
seen({'DOWN', Monitor, process, _, Reason}, #run{monitor = Monitor} = Run) ->
    Run#run{exit = {exited, Reason}};
seen(Message, #run{client = Client} = Run) ->
    case parity_client:message(Message, Client) of
        {Events, Client2} -> lists:foldl(fun event/2, Run#run{client = Client2}, Events);
        none -> observed({message, Message}, Run)
    end.


called(From, Callback, Argument, #run{pid = Pid, calls = Calls} = Run) ->
    Role = case From of
               Pid -> connection;
               _ -> request
           end,
    Run#run{calls = [{Callback, Role, Argument} | Calls]}.


event({bytes, Bytes}, #run{wire = Wire} = Run) ->
    Run#run{wire = <<Wire/binary, Bytes/binary>>};
%% That the client's own end is heard says nothing about the server.
event({ended, _}, #run{hung_up = true} = Run) ->
    Run;
event({ended, How}, #run{ended = Ended} = Run) ->
    Run#run{ended = [How | Ended]};
event(settled, Run) ->
    Run#run{settled = true}.
