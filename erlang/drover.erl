%% drover's public functions: starting, stopping and asking about listeners.
%%
%% The functions have the names and arguments of Cowboy's and Ranch's, so that a project that changes
%% over replaces the name of a module. The options are described in drover_opts.
-module(drover).

%% Listeners of drover's own supervision tree.
-export([start_clear/3]).
-export([stop_listener/1]).
%% Listeners of the caller's supervision tree.
-export([child_spec/1]).
-export([child_spec/3]).
-export([start_link/1]).
%% Questions.
-export([get_addr/1]).
-export([get_port/1]).
-export([info/0]).
-export([info/1]).
%% Changes.
-export([suspend_listener/1]).
-export([resume_listener/1]).
-export([get_max_connections/1]).
-export([set_max_connections/2]).
-export([get_protocol_options/1]).
-export([set_protocol_options/2]).
-export([get_env/2]).
-export([get_env/3]).
-export([set_env/3]).

%% The name of a listener.
-type ref() :: term().

%% What child_spec/1 and start_link/1 take: ref (default: drover); port, ip and the other keys of
%% drover_opts:transport_opts(); routes (see drover_router:compile/1) or dispatch (what that returned); the
%% keys of drover_opts:protocol_opts().
-type listener_opts() :: #{atom() => term()} | [{atom(), term()}].

-export_type([ref/0, listener_opts/0]).

-define(TRANSPORT_KEYS, [socket_opts, max_connections, num_acceptors, num_conns_sups, num_listen_sockets, shutdown]).


%% @doc Start a listener for clear TCP. Errors of gen_tcp:listen/2 are returned as they are.
-spec start_clear(ref(), drover_opts:transport_opts(), drover_opts:protocol_opts()) ->
          {ok, pid()} | {error, term()}.
start_clear(Ref, TransportOpts, ProtocolOpts) ->
    drover_sup:start_listener(Ref, TransportOpts, ProtocolOpts).


%% @doc Stop a listener that start_clear/3 started, and end its connections.
-spec stop_listener(ref()) -> ok | {error, not_found}.
stop_listener(Ref) ->
    drover_sup:stop_listener(Ref).


%% @doc The specification of a listener in a supervision tree of one's own. The application drover must be
%% running.
-spec child_spec(ref(), drover_opts:transport_opts(), drover_opts:protocol_opts()) ->
          supervisor:child_spec().
child_spec(Ref, TransportOpts, ProtocolOpts) ->
    #{
      id => {drover, Ref},
      start => {drover_listener_sup, start_link, [Ref, TransportOpts, ProtocolOpts]},
      type => supervisor,
      shutdown => infinity
     }.


%% @doc The same from one map or keyword list, as supervisors of Elixir take it:
%% `{:drover, port: 4000, routes: [{:_, [{"/ws", MyHandler, []}]}]}'.
-spec child_spec(listener_opts()) -> supervisor:child_spec().
child_spec(Opts) ->
    {Ref, TransportOpts, ProtocolOpts} = listener_args(Opts),
    child_spec(Ref, TransportOpts, ProtocolOpts).


%% @doc Start such a listener, linked to the caller.
-spec start_link(listener_opts()) -> supervisor:startlink_ret().
start_link(Opts) ->
    {Ref, TransportOpts, ProtocolOpts} = listener_args(Opts),
    drover_listener_sup:start_link(Ref, TransportOpts, ProtocolOpts).


listener_args(Opts) when is_list(Opts) ->
    listener_args(maps:from_list(Opts));
listener_args(Opts) ->
    {Transport0, Rest} = take(?TRANSPORT_KEYS, Opts),
    {Address, Rest2} = take([port, ip], Rest),
    {Routing, Rest3} = take([ref, routes, dispatch], Rest2),
    SocketOpts = maps:to_list(Address) ++ maps:get(socket_opts, Transport0, []),
    {maps:get(ref, Routing, drover),
     Transport0#{socket_opts => SocketOpts},
     with_dispatch(Routing, Rest3)}.


take(Keys, Opts) ->
    {maps:with(Keys, Opts), maps:without(Keys, Opts)}.


with_dispatch(#{routes := Routes}, Opts) -> dispatch(drover_router:compile(Routes), Opts);
with_dispatch(#{dispatch := Dispatch}, Opts) -> dispatch(Dispatch, Opts);
with_dispatch(#{}, Opts) -> Opts.


dispatch(Dispatch, Opts) ->
    Env = maps:get(env, Opts, #{}),
    Opts#{env => Env#{dispatch => Dispatch}}.


%% @doc The address on which a listener listens.
-spec get_addr(ref()) -> drover_listener:address().
get_addr(Ref) ->
    drover_listener:address(listener(Ref)).


%% @doc The port on which a listener listens.
-spec get_port(ref()) -> inet:port_number() | undefined.
get_port(Ref) ->
    case get_addr(Ref) of
        {_Ip, Port} when is_integer(Port) -> Port;
        _Local -> undefined
    end.


%% @doc All listeners and what info/1 says about them.
-spec info() -> #{ref() => map()}.
info() ->
    maps:from_list([ {Ref, drover_listener:info(Pid)} || {Ref, Pid} <- drover_registry:listeners() ]).


%% @doc What a listener is and does, under the names of ranch:info/1. active_connections are those in
%% their HTTP phase, all_connections includes those for WebSocket.
-spec info(ref()) -> map().
info(Ref) ->
    drover_listener:info(listener(Ref)).


%% @doc Close the listening socket. Connections stay.
-spec suspend_listener(ref()) -> ok.
suspend_listener(Ref) ->
    drover_listener:suspend(listener(Ref)).


%% @doc Open it again, on the same port.
-spec resume_listener(ref()) -> ok | {error, term()}.
resume_listener(Ref) ->
    drover_listener:resume(listener(Ref)).


%% @doc How many connections may be in their HTTP phase.
-spec get_max_connections(ref()) -> pos_integer() | infinity.
get_max_connections(Ref) ->
    maps:get(max_connections, info(Ref)).


%% @doc Change it.
-spec set_max_connections(ref(), pos_integer() | infinity) -> ok.
set_max_connections(Ref, Max) when Max =:= infinity; is_integer(Max), Max > 0 ->
    drover_listener:set_max_connections(listener(Ref), Max).


%% @doc The protocol options, complete with defaults.
-spec get_protocol_options(ref()) -> drover_opts:protocol().
get_protocol_options(Ref) ->
    maps:get(protocol_options, info(Ref)).


%% @doc Change the protocol options of new connections. Limits and timeouts of request heads change when the
%% listener is resumed next.
-spec set_protocol_options(ref(), drover_opts:protocol_opts()) -> ok | drover_opts:error().
set_protocol_options(Ref, ProtocolOpts) ->
    case drover_opts:protocol(ProtocolOpts) of
        {ok, Protocol} -> drover_listener:set_protocol(listener(Ref), Protocol);
        {error, _} = Error -> Error
    end.


%% @doc A value of the listener's environment.
-spec get_env(ref(), atom()) -> term().
get_env(Ref, Name) ->
    #{env := #{Name := Value}} = get_protocol_options(Ref),
    Value.


%% @doc The same with a default.
-spec get_env(ref(), atom(), term()) -> term().
get_env(Ref, Name, Default) ->
    #{env := Env} = get_protocol_options(Ref),
    maps:get(Name, Env, Default).


%% @doc Change a value of the environment, most often dispatch, for new connections.
-spec set_env(ref(), atom(), term()) -> ok | drover_opts:error().
set_env(Ref, Name, Value) ->
    #{env := Env} = Protocol = get_protocol_options(Ref),
    set_protocol_options(Ref, Protocol#{env := Env#{Name => Value}}).


%% As in Ranch, an unknown listener is a badarg.
listener(Ref) ->
    case drover_registry:whereis({listener, Ref}) of
        undefined -> erlang:error(badarg, [Ref]);
        Pid -> Pid
    end.
