%% Connections whose handler does what the test says.
%%
%% A script is a map that travels to the handler (script_v2_h or script_v2pre_h) in a header of the
%% handshake. It says what each callback does; later the test can have a callback do something else
%% with `perform/3'. Each call of a callback is told to the process that connected.
%%
%% The same cases run for both APIs, each with and without hibernation: a suite takes its groups
%% from `groups/3' and its configuration functions from here.
-module(ws_script).

%% A suite's configuration.
-export([all/0]).
-export([groups/3]).
-export([init_per_suite/1, end_per_suite/1]).
-export([init_per_group/2, init_per_group/3, end_per_group/2]).
-export([init_per_testcase/3]).
-export([no_leaks/1]).

%% What a case does.
-export([connect/1, connect/2, connect/3]).
-export([release/2]).
-export([perform/3]).
-export([resume/1]).
-export([at/3, at/4]).
-export([positions/1]).
-export([event/2]).
-export([events/1]).
-export([ended/1]).
-export([down/1]).
-export([close/1]).
-export([handler/1]).
-export([listener/1]).
-export([header/1]).

%% What the scripted handlers call.
-export([script/1]).
-export([upgrade/2]).
-export([act/3]).
-export([seen/2]).
-export([tuple/2]).
-export([count/1]).
-export([terminate/3]).

-export_type([conn/0, script/0, act/0, callback/0, position/0]).

-type conn() :: #{client := ws_client:client(), pid := pid(), monitor := reference(), status := 100..999, headers := map()}.

-type callback() :: init_2 | init | handle | info | terminate | req.
-type position() :: init | handle | info.

-type act() ::
        ok |
        stop |
        {reply, Frames :: any()} |
        {commands, [any()]} |
        {return, Result :: any()} |
        %% A tuple in which `state', and `req' with arity 3, stand for what the callback is to return.
        {tuple, [any()]} |
        %% Handlers of arity 3: nothing but another request.
        {return_with, fun((Req :: map()) -> map())} |
        {crash, error | exit | throw, any()} |
        {run, fun((Argument :: any()) -> act())} |
        %% Not before resume/1.
        {wait, act()}.

-type script() :: #{
                    %% Gives the result of init/2, in place of an upgrade.
                    init_2 => fun((Req :: map(), RouteState :: any()) -> any()),
                    %% Stands behind the state in the tuple that init/2 returns: options, or a timeout and `hibernate'.
                    upgrade => [any()],
                    init => act(),
                    handle => act(),
                    info => act(),
                    terminate => act(),
                    hibernate => boolean(),
                    %% Handlers of arity 3 report the request that each callback gets.
                    reqs => boolean(),
                    %% Filled in by connect.
                    pid => pid(),
                    %% How many callbacks have returned.
                    calls => non_neg_integer()
                   }.

-define(TIMEOUT, 10000).

%%% A suite's configuration.


-spec all() -> [term()].
all() ->
    [{group, v2}, {group, v2_hibernate}, {group, v2pre}, {group, v2pre_hibernate}, no_leaks].


%% Cases for both APIs, those for arity 2 alone, and those for arity 3 alone.
-spec groups([atom()], [atom()], [atom()]) -> [term()].
groups(Both, V2, V2pre) ->
    [{v2, [], Both ++ V2},
     {v2_hibernate, [], Both ++ V2},
     {v2pre, [], Both ++ V2pre},
     {v2pre_hibernate, [], Both ++ V2pre}].


%% Loads everything once, so that what stays afterwards has been leaked.
-spec init_per_suite(list()) -> list().
init_per_suite(Config) ->
    ok = drover_target:ensure_started(),
    Warm = init_per_group(v2, Config),
    ok = close(connect(Warm)),
    _ = end_per_group(v2, Warm),
    [{leaks, leak_check:snapshot()} | Config].


-spec end_per_suite(list()) -> ok.
end_per_suite(_Config) ->
    ok.


-spec init_per_group(atom(), list()) -> list() | {skip, string()}.
init_per_group(Group, Config) ->
    init_per_group(Group, Config, #{}).


%% A listener for the group, with the scripted handler on every path.
-spec init_per_group(atom(), list(), map()) -> list() | {skip, string()}.
init_per_group(Group, Config, ProtoOpts) ->
    {Api, Hibernate} = group(Group),
    case Api =:= v2pre andalso drover_target:only(drover) of
        {skip, _} = Skip ->
            Skip;
        _ ->
            {ok, Port} = drover_target:start({?MODULE, Group}, [{"/[...]", handler(Api), route_state}], ProtoOpts),
            [{api, Api}, {hibernate, Hibernate}, {port, Port}, {listener, {?MODULE, Group}} | Config]
    end.


-spec end_per_group(atom(), list()) -> ok.
end_per_group(Group, _Config) ->
    drover_target:stop({?MODULE, Group}).


group(v2) -> {v2, false};
group(v2_hibernate) -> {v2, true};
group(v2pre) -> {v2pre, false};
group(v2pre_hibernate) -> {v2pre, true}.


%% Skips a case that holds for one target alone, or since a version of Cowboy that the target has not reached.
-spec init_per_testcase(atom(), list(), #{Case :: atom() => drover_target:name() | drover_target:version()}) ->
          list() | {skip, string()}.
init_per_testcase(Case, Config, Limits) ->
    case drover_target:check(maps:get(Case, Limits, {0, 0})) of
        {skip, _} = Skip -> Skip;
        ok -> Config
    end.


%% The last case of a suite.
-spec no_leaks(list()) -> ok.
no_leaks(Config) ->
    leak_check:verify(proplists:get_value(leaks, Config)).


%% The name of the group's listener.
-spec listener(list()) -> any().
listener(Config) ->
    proplists:get_value(listener, Config).


-spec handler(v2 | v2pre) -> module().
handler(v2) -> script_v2_h;
handler(v2pre) -> script_v2pre_h.


%%% What a case does.


-spec connect(list()) -> conn().
connect(Config) ->
    connect(Config, #{}).


-spec connect(list(), script()) -> conn().
connect(Config, Script) ->
    connect(Config, Script, #{}).


%% The connection process is monitored from before the handshake is answered.
-spec connect(list(), script(), ws_client:opts()) -> conn().
connect(Config, Script, Opts) ->
    {ok, Client} = ws_client:open(proplists:get_value(port, Config), Opts),
    Hibernate = proplists:get_value(hibernate, Config, false),
    Header = header(maps:merge(#{pid => self(), hibernate => Hibernate}, Script)),
    Headers = [Header | maps:get(headers, Opts, [])],
    Handshake = ws_client:handshake(proplists:get_value(path, Config, "/"), Opts#{headers => Headers}),
    ok = ws_client:send(Client, {raw, [Handshake, maps:get(early, Opts, [])]}),
    {Pid, Monitor} = release_init(),
    {_, Status, Answer} = ws_client:recv_head(Client),
    #{client => Client, pid => Pid, monitor => Monitor, status => Status, headers => maps:from_list(Answer)}.


release_init() ->
    receive
        {?MODULE, InitPid, init_2, Req} -> release(InitPid, Req)
    after
        ?TIMEOUT ->
            error({no_call_of, init_2})
    end.


%% Lets init/2, which has been reported by InitPid, go on. The process of the connection and its monitor.
-spec release(pid(), Req :: map()) -> {pid(), reference()}.
release(InitPid, Req) ->
    Pid = connection(InitPid, Req),
    Monitor = monitor(process, Pid),
    ok = monitored(Pid),
    ok = resume(InitPid),
    {Pid, Monitor}.


%% Until the monitor has reached the process: one that dies before has no exit reason.
monitored(Pid) ->
    {monitored_by, Monitors} = process_info(Pid, monitored_by),
    case lists:member(self(), Monitors) of
        true -> ok;
        false -> monitored(Pid)
    end.


%% On a stream of HTTP/2 all callbacks run in one process.
connection(InitPid, #{version := 'HTTP/2'}) -> InitPid;
connection(_InitPid, #{pid := Pid}) -> Pid.


%% Lets a callback go on that waits.
-spec resume(pid()) -> ok.
resume(Pid) ->
    Pid ! {?MODULE, go},
    ok.


%% The header that carries a script.
-spec header(script()) -> {string(), binary()}.
header(Script) ->
    {"X-Script", base64:encode(term_to_binary(Script))}.


%% Has websocket_handle or websocket_info do this.
-spec perform(conn(), handle | info, act()) -> ok.
perform(#{client := Client}, handle, Act) ->
    ws_client:send(Client, {binary, term_to_binary({act, Act})});
perform(#{pid := Pid}, info, Act) ->
    Pid ! {act, Act},
    ok.


-spec at(list(), position(), act()) -> conn().
at(Config, Position, Act) ->
    at(Config, Position, Act, #{}).


%% A new connection whose callback at this position does this.
-spec at(list(), position(), act(), script()) -> conn().
at(Config, init, Act, Script) ->
    connect(Config, Script#{init => Act});
at(Config, Position, Act, Script) ->
    Conn = connect(Config, Script),
    ok = perform(Conn, Position, Act),
    Conn.


%% The callbacks that the group's API has.
-spec positions(list()) -> [position()].
positions(Config) ->
    case proplists:get_value(api, Config) of
        v2 -> [init, handle, info];
        v2pre -> [handle, info]
    end.


%% The argument of the next call of this callback that has not been asked for yet.
-spec event(conn(), callback()) -> any().
event(#{pid := Pid}, Callback) ->
    receive
        {?MODULE, Pid, Callback, Argument} -> Argument
    after
        ?TIMEOUT ->
            error({no_call_of, Callback, process_info(self(), messages)})
    end.


%% All calls that have not been asked for yet, without waiting.
-spec events(conn()) -> [{callback(), any()}].
events(#{pid := Pid} = Conn) ->
    receive
        {?MODULE, Pid, Callback, Argument} -> [{Callback, Argument} | events(Conn)]
    after
        0 ->
            []
    end.


%% Waits for the connection process to exit: why terminate/3 was called (`none' if it was not) and why it exited.
-spec ended(conn()) -> {none | {called, Reason :: any()}, Exit :: any()}.
ended(Conn) ->
    Exit = down(Conn),
    case [ Reason || {terminate, {Reason, _Req, _State}} <- events(Conn) ] of
        [] -> {none, Exit};
        [Reason] -> {{called, Reason}, Exit}
    end.


%% Waits for the connection process to exit.
-spec down(conn()) -> ExitReason :: any().
down(#{pid := Pid, monitor := Monitor}) ->
    receive
        {'DOWN', Monitor, process, Pid, Reason} -> Reason
    after
        ?TIMEOUT ->
            error({still_alive, process_info(Pid)})
    end.


%% Ends a connection that is still open, and waits until its process is gone.
-spec close(conn()) -> ok.
close(#{client := Client, status := Status} = Conn) ->
    ok = ws_client:close(Client),
    Exit = down(Conn),
    true = Exit =:= normal orelse Status =/= 101,
    _ = events(Conn),
    ok.


%%% What the scripted handlers call.


-spec upgrade(map(), any()) -> any().
upgrade(Req, RouteState) ->
    Script = script(Req),
    report(init_2, Req, Script),
    ok = wait_for_monitor(Script),
    case Script of
        #{init_2 := Fun} -> Fun(Req, RouteState);
        _ -> list_to_tuple([cowboy_websocket, Req, Script | maps:get(upgrade, Script, [])])
    end.


%% The script that came with this request, as the handler's first state.
-spec script(map()) -> script().
script(#{headers := #{<<"x-script">> := Script}}) ->
    maps:merge(#{calls => 0}, binary_to_term(base64:decode(Script)));
script(_Req) ->
    #{calls => 0}.


wait_for_monitor(#{pid := _}) -> wait();
wait_for_monitor(_Script) -> ok.


wait() ->
    receive
        {?MODULE, go} -> ok
    after
        ?TIMEOUT ->
            exit(no_go)
    end.


-spec act(callback(), any(), script()) -> act().
act(Callback, Argument, Script) ->
    report(Callback, Argument, Script),
    run(choose(Argument, maps:get(Callback, Script, ok)), Argument).


choose({act, Act}, _Default) ->
    Act;
choose({binary, <<131, _/binary>> = Term}, _Default) ->
    {act, Act} = binary_to_term(Term),
    Act;
choose(_Argument, Default) ->
    Default.


run({crash, Class, Reason}, _Argument) ->
    erlang:Class(Reason);
run({run, Fun}, Argument) ->
    run(Fun(Argument), Argument);
run({wait, Act}, Argument) ->
    ok = wait(),
    run(Act, Argument);
run(Act, _Argument) ->
    Act.


%% Tells of the request that a callback of arity 3 has got, if it is asked for.
-spec seen(map(), script()) -> ok.
seen(Req, #{reqs := true} = Script) -> report(req, Req, Script);
seen(_Req, _Script) -> ok.


-spec tuple([any()], #{state | req => any()}) -> tuple().
tuple(Elements, Meant) ->
    list_to_tuple([ maps:get(Element, Meant, Element) || Element <- Elements ]).


%% The script as a callback's new state.
-spec count(script()) -> script().
count(Script) ->
    maps:update_with(calls, fun(N) -> N + 1 end, Script).


-spec terminate(any(), any(), script() | any()) -> any().
terminate(Reason, Req, #{pid := _} = Script) ->
    report(terminate, {Reason, Req, Script}, Script),
    run(maps:get(terminate, Script, ok), Reason);
terminate(Reason, #{headers := #{<<"x-script">> := _}} = Req, State) ->
    report(terminate, {Reason, Req, State}, script(Req));
terminate(_Reason, _Req, _State) ->
    ok.


report(Callback, Argument, #{pid := Pid}) ->
    Pid ! {?MODULE, self(), Callback, Argument},
    ok;
report(_Callback, _Argument, _Script) ->
    ok.
