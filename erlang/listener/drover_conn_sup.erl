%% The parent of a share of a listener's connection processes.
%%
%% A listener has several of these, so that no single process starts all connections. Each is sent
%% the request heads of its share by the native core. The list of its children is the list of its links,
%% which the VM keeps anyway.
-module(drover_conn_sup).

-behaviour(gen_server).

-export([start_link/3]).
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([handle_info/2]).
-export([terminate/2]).

-record(state, {
          ref :: drover:ref(),
          number :: pos_integer(),
          parent :: pid(),
          shutdown :: timeout() | brutal_kill
         }).


%% @doc Start the connection supervisor of that number.
%%
%% It keeps nothing of the request heads that pass through it. Collecting all of its heap each time costs no more than a part
%% of it, and old heads would take a megabyte.
-spec start_link(drover:ref(), pos_integer(), timeout() | brutal_kill) -> gen_server:start_ret().
start_link(Ref, Number, Shutdown) ->
    gen_server:start_link(?MODULE, {Ref, Number, self(), Shutdown}, [{spawn_opt, [{fullsweep_after, 0}]}]).


%% @private
-spec init({drover:ref(), pos_integer(), pid(), timeout() | brutal_kill}) -> {ok, #state{}}.
init({Ref, Number, Parent, Shutdown}) ->
    _ = process_flag(trap_exit, true),
    ok = drover_registry:put({conn_sup, Ref, Number}, self()),
    {ok, #state{ref = Ref, number = Number, parent = Parent, shutdown = Shutdown}}.


%% @private The calls of the module supervisor.
-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, term(), #state{}}.
handle_call(which_children, _From, State) ->
    Children = [ {drover_http, Pid, drover_children:type(Pid), [drover_http]} || Pid <- children(State) ],
    {reply, Children, State};
handle_call(count_children, _From, State) ->
    {Supervisors, Workers} = lists:partition(fun(Type) -> Type =:= supervisor end, lists:map(fun drover_children:type/1, children(State))),
    {S, W} = {length(Supervisors), length(Workers)},
    {reply, [{specs, 1}, {active, S + W}, {supervisors, S}, {workers, W}], State};
handle_call({start_child, _}, _From, State) ->
    {reply, {error, start_child_disabled}, State};
handle_call(_Call, _From, State) ->
    {reply, {error, not_found}, State}.


%% @private
-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Cast, State) ->
    {noreply, State}.


%% @private
-spec handle_info(term(), #state{}) -> {noreply, #state{}}.
handle_info({'$drover', _ListenerId, request, {Conn, Id, Head}}, #state{ref = Ref} = State) ->
    _ = drover_http:start_link(Ref, Conn, Id, Head),
    {noreply, State};
handle_info(_ExitOfAChild, State) ->
    {noreply, State}.


%% @private
-spec terminate(term(), #state{}) -> ok.
terminate(_Reason, #state{ref = Ref, number = Number, shutdown = Shutdown} = State) ->
    ok = drover_registry:delete({conn_sup, Ref, Number}, self()),
    stop(children(State), Shutdown).


children(#state{parent = Parent}) ->
    {links, Links} = process_info(self(), links),
    [ Pid || Pid <- Links, is_pid(Pid), Pid =/= Parent ].


stop(Children, brutal_kill) ->
    kill(Children);
stop(Children, Shutdown) ->
    lists:foreach(fun(Child) -> exit(Child, shutdown) end, Children),
    wait(maps:from_keys(Children, true), timer(Shutdown)).


timer(infinity) -> make_ref();
timer(Shutdown) -> erlang:start_timer(Shutdown, self(), shutdown).


wait(Children, _Timer) when map_size(Children) =:= 0 ->
    ok;
wait(Children, Timer) ->
    receive
        {'EXIT', Pid, _} -> wait(maps:remove(Pid, Children), Timer);
        {timeout, Timer, shutdown} -> kill(maps:keys(Children))
    end.


%% They are dead when this returns, and their sockets with them.
kill(Children) ->
    lists:foreach(fun(Child) -> exit(Child, kill) end, Children),
    wait(maps:from_keys(Children, true), make_ref()).
