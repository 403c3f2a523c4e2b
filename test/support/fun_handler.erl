%% Handlers whose behaviour a case gives as a fun, once for all dialects.
%%
%% `start/3' runs a listener whose one route has a scripted handler of the dialect; `join/1,2' connects to it. Every
%% callback is reported to the process that started the listener, before the fun is asked what it shall answer:
%% `next/1' takes these reports in their order. The fun is called with the event in the connection process.
-module(fun_handler).

%% For cases.
-export([groups/1, init_suite/1, init_group/2, since/3, no_leaks/1]).
-export([open/2, open/3, start/3, join/1, join/2, stop_all/0]).
-export([next/1, take/2, silent/1, died/1, alive/1]).

%% For the handlers.
-export([report/2, prepare/2, v2_options/1, pre_init/2, run_v2/2, run_p/3, terminated/3]).

-export_type([dialect/0, event/0, answer/0, step/0, server/0]).

-type dialect() :: v2 | p | hybrid.

%% `init' is websocket_init/1, which the dialect p does not have.
-type event() :: init | {handle, any()} | {info, any()}.

-type answer() ::
        ok |
        stop |
        {reply, any()} |
        {hibernate, answer()} |
        %% Whatever Cowboy 2 calls commands: for v2 and hybrid.
        {commands, any()} |
        %% The value that the callback returns, as it is; the fun gets the Req (undefined in arity 2) and the state.
        {raw, fun((Req :: any(), script()) -> any())}.

-type step() :: fun((event()) -> answer()).

-type options() :: #{
                     compress => boolean(),
                     %% idle_timeout, or the Timeout of the older dialects.
                     timeout => timeout(),
                     %% From the very beginning.
                     hibernate => boolean(),
                     %% More options of a Cowboy 2 handler.
                     ws => map(),
                     %% init/2 sends these messages to the connection process.
                     messages => [any()],
                     %% What init/2 does to its Req.
                     prepare => fun((Req) -> Req),
                     %% What terminate/3 does after its report.
                     terminate => fun((Reason :: any()) -> any()),
                     proto => map(),
                     socket => list()
                    }.

-type script() :: #{pid := pid(), step := step(), dialect := dialect(), options := options(), any() => any()}.
-type server() :: #{port := inet:port_number(), ref := any(), dialect := dialect()}.

%% Long enough for a loaded machine; reached only where a test fails.
-define(TIMEOUT, 10000).

%%% For cases.


%% The same cases for a handler of every dialect.
-spec groups([atom()]) -> [{dialect(), [], [atom()]}].
groups(Cases) ->
    [ {Dialect, [], Cases} || Dialect <- [v2, p, hybrid] ].


%% Loads everything once, so that what stays after the cases has been leaked.
-spec init_suite(list()) -> list().
init_suite(Config) ->
    %% Compressed, since that too starts what stays.
    Server = start(v2, fun(_Event) -> ok end, #{compress => true}),
    {Client, Pid} = join(Server, #{extensions => "permessage-deflate"}),
    ok = alive({Client, Pid}),
    ok = ws_client:close(Client),
    _ = died(Pid),
    ok = stop_all(),
    [{leaks, leak_check:snapshot()} | Config].


-spec no_leaks(list()) -> ok.
no_leaks(Config) ->
    leak_check:verify(proplists:get_value(leaks, Config)).


%% A real Cowboy of today speaks one dialect.
-spec init_group(atom(), list()) -> list() | {skip, string()}.
init_group(Dialect, Config) when Dialect =:= p; Dialect =:= hybrid ->
    case drover_target:only(drover) of
        ok -> [{dialect, Dialect} | Config];
        Skip -> Skip
    end;
init_group(v2, Config) ->
    [{dialect, v2} | Config];
init_group(Name, Config) ->
    [{Name, true} | Config].


%% For init_per_testcase: skips a case that an older Cowboy does not pass, or none.
-spec since(atom(), #{atom() => drover_target:version() | drover}, list()) -> list() | {skip, string()}.
since(Case, Since, Config) ->
    case maps:get(Case, Since, always) of
        always -> Config;
        drover -> skip_or(drover_target:only(drover), Config);
        Version -> skip_or(drover_target:since(Version), Config)
    end.


skip_or(ok, Config) -> Config;
skip_or(Skip, _Config) -> Skip.


%% One connection to a listener of its own. The reports of its beginning are taken already.
-spec open(list() | dialect(), step()) -> {ws_client:client(), pid()}.
open(Config, Step) ->
    open(Config, Step, #{}).


-spec open(list() | dialect(), step(), options()) -> {ws_client:client(), pid()}.
open(Config, Step, Options) ->
    join(start(Config, Step, Options)).


-spec start(list() | dialect(), step(), options()) -> server().
start(Config, Step, Options) when is_list(Config) ->
    start(proplists:get_value(dialect, Config, v2), Step, Options);
start(Dialect, Step, Options) ->
    Ref = {?MODULE, erlang:unique_integer()},
    Script = #{pid => self(), step => Step, dialect => Dialect, options => Options},
    Socket = [{ip, {127, 0, 0, 1}}, {port, 0}] ++ maps:get(socket, Options, []),
    {ok, Port} = drover_target:start(Ref, [{"/", handler(Dialect), Script}], proto(Dialect, Options), #{socket_opts => Socket}),
    ok = persistent_term:put(Ref, listening),
    #{port => Port, ref => Ref, dialect => Dialect}.


handler(v2) -> fun_v2_h;
handler(p) -> fun_p_h;
handler(hybrid) -> fun_hybrid_h.


%% A handler of Cowboy 2 asks for compression itself, for an older one its listener does.
proto(v2, Options) ->
    maps:get(proto, Options, #{});
proto(_Older, Options) ->
    maps:merge(maps:with([compress], Options), maps:get(proto, Options, #{})).


-spec join(server()) -> {ws_client:client(), pid()}.
join(Server) ->
    join(Server, #{}).


-spec join(server(), ws_client:opts()) -> {ws_client:client(), pid()}.
join(#{port := Port, dialect := Dialect}, ConnectOptions) ->
    {ok, Client, {101, _}} = ws_client:connect(Port, "/", ConnectOptions),
    Pid = upgraded(),
    ok = begun(Dialect, Pid),
    {Client, Pid}.


upgraded() ->
    receive
        {?MODULE, InitPid, {upgrade, Req}} -> process_of(Req, InitPid)
    after
        ?TIMEOUT ->
            error(no_upgrade)
    end.


%% On a stream of HTTP/2 all callbacks run in one process.
process_of(#{version := 'HTTP/2'}, InitPid) -> InitPid;
process_of(#{pid := Pid}, _InitPid) -> Pid.


begun(p, _Pid) ->
    ok;
begun(_Dialect, Pid) ->
    init = next(Pid),
    ok.


-spec stop_all() -> ok.
stop_all() ->
    Refs = [ Ref || {{?MODULE, _} = Ref, listening} <- persistent_term:get() ],
    [ ok = drover_target:stop(Ref) || Ref <- Refs ],
    [ true = persistent_term:erase(Ref) || Ref <- Refs ],
    ok.


%% The next callback of this connection: an event, or {terminate, Reason, Req, Script}.
-spec next(pid()) -> any().
next(Pid) ->
    receive
        {?MODULE, Pid, Event} -> Event
    after
        ?TIMEOUT ->
            error({no_callback, erlang:process_info(self(), messages)})
    end.


-spec take(pid(), non_neg_integer()) -> [any()].
take(Pid, N) ->
    [ next(Pid) || _ <- lists:seq(1, N) ].


%% No callback of this process is left untaken.
-spec silent(pid()) -> ok.
silent(Pid) ->
    receive
        {?MODULE, Pid, Event} -> error({unexpected, Event})
    after
        0 ->
            ok
    end.


%% The exit reason of the connection process.
-spec died(pid()) -> any().
died(Pid) ->
    receive
        {down, Pid, Reason} -> Reason
    after
        ?TIMEOUT ->
            error({still_alive, erlang:process_info(Pid)})
    end.


%% The connection answers a ping with a pong and nothing else, and its handler sees the ping and nothing else.
-spec alive({ws_client:client(), pid()}) -> ok.
alive({Client, Pid}) ->
    ok = ws_client:send(Client, {ping, <<"alive">>}),
    {pong, <<"alive">>} = ws_client:recv(Client),
    {handle, {ping, <<"alive">>}} = next(Pid),
    ok.


%%% For the handlers.


-spec report(script(), any()) -> any().
report(#{pid := Pid}, Event) ->
    Pid ! {?MODULE, self(), Event}.


-spec prepare(script(), Req) -> Req.
prepare(#{options := Options} = Script, Req) ->
    Pid = process_of(Req, self()),
    ok = watch(Pid, Script),
    [ Pid ! Message || Message <- maps:get(messages, Options, []) ],
    (maps:get(prepare, Options, fun(Same) -> Same end))(Req).


%% From before the handshake, so that no exit reason is missed. The question whether the process lives is there to be
%% sure that the monitor has reached it.
watch(Pid, #{pid := Case}) ->
    Init = self(),
    Watcher = spawn(fun() -> watcher(Pid, Init, Case) end),
    receive
        {watching, Watcher} -> ok
    end.


watcher(Pid, Init, Case) ->
    Ref = erlang:monitor(process, Pid),
    ok = monitored(Pid),
    Init ! {watching, self()},
    receive
        {'DOWN', Ref, process, Pid, Reason} -> Case ! {down, Pid, Reason}
    end.


%% Until the monitor has reached the process: one that dies before has no exit reason.
monitored(Pid) ->
    {monitored_by, Monitors} = process_info(Pid, monitored_by),
    case lists:member(self(), Monitors) of
        true -> ok;
        false -> monitored(Pid)
    end.


-spec v2_options(script()) -> map().
v2_options(#{options := Options}) ->
    Idle = [ {idle_timeout, T} || T <- maps:values(maps:with([timeout], Options)) ],
    Own = maps:merge(maps:from_list(Idle), maps:get(ws, Options, #{})),
    maps:merge(drover_target:websocket_opts(), maps:merge(maps:with([compress], Options), Own)).


-spec pre_init(Req, script()) -> tuple() when Req :: any().
pre_init(Req, #{dialect := Dialect, options := Options} = Script) ->
    Timeout = [ T || T <- [maps:get(timeout, Options, default_timeout(Dialect))], T =/= default ],
    Hibernate = [ hibernate || maps:get(hibernate, Options, false) ],
    list_to_tuple([cowboy_websocket, Req, Script | Timeout ++ Hibernate]).


%% It is by what init/2 returns that the hybrid differs from Cowboy 2.
default_timeout(p) -> default;
default_timeout(hybrid) -> infinity.


-spec run_v2(script(), event()) -> any().
run_v2(#{step := Step} = Script, Event) ->
    _ = report(Script, Event),
    v2(first_hibernate(Event, Step(Event), Script), Script).


%% What the older dialects ask for in the result of init/2, Cowboy 2 does in that of websocket_init/1.
first_hibernate(init, {hibernate, _} = Answer, _Script) -> Answer;
first_hibernate(init, Answer, #{dialect := v2, options := #{hibernate := true}}) -> {hibernate, Answer};
first_hibernate(_Event, Answer, _Script) -> Answer.


v2(ok, Script) -> {ok, Script};
v2(stop, Script) -> {stop, Script};
v2({reply, Frames}, Script) -> {reply, Frames, Script};
v2({commands, Commands}, Script) -> {Commands, Script};
v2({hibernate, Answer}, Script) -> erlang:append_element(v2(Answer, Script), hibernate);
v2({raw, Raw}, Script) -> Raw(undefined, Script).


-spec run_p(script(), any(), event()) -> any().
run_p(#{step := Step} = Script, Req, Event) ->
    _ = report(Script, Event),
    p(Step(Event), Req, Script).


p(ok, Req, Script) -> {ok, Req, Script};
p(stop, Req, Script) -> {stop, Req, Script};
p({reply, Frames}, Req, Script) -> {reply, Frames, Req, Script};
p({hibernate, Answer}, Req, Script) -> erlang:append_element(p(Answer, Req, Script), hibernate);
p({raw, Raw}, Req, Script) -> Raw(Req, Script).


-spec terminated(script(), any(), any()) -> any().
terminated(#{options := Options} = Script, Reason, Req) ->
    _ = report(Script, {terminate, Reason, Req, Script}),
    (maps:get(terminate, Options, fun(_Reason) -> ok end))(Reason).
