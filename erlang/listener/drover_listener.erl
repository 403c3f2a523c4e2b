%% One listener: it opens the socket, hands it to the native core, and answers for it.
%%
%% The socket is opened with gen_tcp so that all its options work; the core takes a duplicate of it.
-module(drover_listener).

-behaviour(gen_server).

-export([start_link/3]).
-export([address/1]).
-export([info/1]).
-export([set_max_connections/2]).
-export([set_protocol/2]).
-export([suspend/1]).
-export([resume/1]).
-export([io_threads/0]).
-export([init/1]).
-export([handle_call/3]).
-export([handle_cast/2]).
-export([terminate/2]).

-type address() ::
        {inet:ip_address(), inet:port_number()} | {local, binary()} | {undefined, undefined}.

-record(state, {
          ref :: drover:ref(),
          transport :: drover_opts:transport(),
          protocol :: drover_opts:protocol(),
          address = {undefined, undefined} :: address(),
          status = suspended :: running | suspended,
          native :: undefined | drover_native:listener(),
          %% Closed while it was suspended, but with connections that have made no request yet.
          former = [] :: [drover_native:listener()]
         }).

-export_type([address/0]).


%% @doc Open a listener.
-spec start_link(drover:ref(), drover_opts:transport(), drover_opts:protocol()) ->
          gen_server:start_ret().
start_link(Ref, Transport, Protocol) ->
    gen_server:start_link(?MODULE, {Ref, Transport, Protocol}, []).


%% @doc Where the listener listens.
-spec address(pid()) -> address().
address(Pid) ->
    gen_server:call(Pid, address).


%% @doc The state of the listener and its numbers.
-spec info(pid()) -> map().
info(Pid) ->
    gen_server:call(Pid, info).


%% @doc Change how many connections may be in their HTTP phase.
-spec set_max_connections(pid(), pos_integer() | infinity) -> ok.
set_max_connections(Pid, Max) ->
    gen_server:call(Pid, {set_max_connections, Max}).


%% @doc Change the protocol options of new connections. What concerns the reading of request heads
%% changes when the listener is resumed next.
-spec set_protocol(pid(), drover_opts:protocol()) -> ok.
set_protocol(Pid, Protocol) ->
    gen_server:call(Pid, {set_protocol, Protocol}).


%% @doc Close the socket. Connections stay.
-spec suspend(pid()) -> ok.
suspend(Pid) ->
    gen_server:call(Pid, suspend).


%% @doc Open the socket again, on the same port.
-spec resume(pid()) -> ok | {error, term()}.
resume(Pid) ->
    gen_server:call(Pid, resume).


%% @private
-spec init({drover:ref(), drover_opts:transport(), drover_opts:protocol()}) ->
          {ok, #state{}} | {stop, term()}.
init({Ref, Transport, Protocol}) ->
    _ = process_flag(trap_exit, true),
    case open(#state{ref = Ref, transport = Transport, protocol = Protocol}) of
        {ok, State} ->
            ok = drover_registry:put({listener, Ref}, self()),
            {ok, State};
        {error, Reason} ->
            {stop, {shutdown, {listen_error, Reason}}}
    end.


%% @private
-spec handle_call(term(), gen_server:from(), #state{}) -> {reply, term(), #state{}}.
handle_call(address, _From, #state{address = Address} = State) ->
    {reply, Address, State};
handle_call(info, _From, State) ->
    {reply, report(State), State};
handle_call({set_max_connections, Max}, _From, #state{transport = Transport} = State) ->
    ok = limit(Max, State),
    {reply, ok, State#state{transport = Transport#{max_connections := Max}}};
handle_call({set_protocol, Protocol}, _From, State) ->
    {reply, ok, publish(State#state{protocol = Protocol})};
handle_call(suspend, _From, State) ->
    {reply, ok, close(State)};
handle_call(resume, _From, #state{status = running} = State) ->
    {reply, ok, State};
handle_call(resume, _From, State) ->
    case open(State) of
        {ok, Opened} -> {reply, ok, Opened};
        {error, _} = Error -> {reply, Error, State}
    end.


%% @private
-spec handle_cast(term(), #state{}) -> {noreply, #state{}}.
handle_cast(_Cast, State) ->
    {noreply, State}.


%% @private
-spec terminate(term(), #state{}) -> ok.
terminate(_Reason, #state{ref = Ref} = State) ->
    #state{former = Former} = close(State),
    %% Nobody will take their requests.
    ok = lists:foreach(fun drover_native:stop_listener/1, Former),
    ok = drover_registry:delete({listener, Ref}, self()),
    drover_registry:erase_config(Ref).


%% Opening and closing.


open(#state{transport = Transport, address = Address} = State) ->
    #{socket_opts := SocketOpts} = Transport,
    Port = port(Address, SocketOpts),
    case gen_tcp:listen(Port, proplists:delete(port, SocketOpts)) of
        {ok, Socket} ->
            Result = hand_over(Socket, publish(State)),
            ok = gen_tcp:close(Socket),
            Result;
        {error, _} = Error ->
            Error
    end.


%% A listener that opens again keeps the port that it had.
port({_Ip, Port}, _SocketOpts) when is_integer(Port) -> Port;
port(_Address, SocketOpts) -> proplists:get_value(port, SocketOpts, 0).


hand_over(Socket, #state{transport = Transport, protocol = Protocol} = State) ->
    {ok, Fd} = inet:getfd(Socket),
    {ok, Address} = inet:sockname(Socket),
    Id = erlang:unique_integer([positive]),
    case drover_native:listen(Fd, Id, owners(State), native_opts(Transport, Protocol)) of
        {ok, Native} -> {ok, State#state{native = Native, address = Address, status = running}};
        {error, _} = Error -> Error
    end.


owners(#state{ref = Ref, transport = #{num_conns_sups := Count}}) ->
    list_to_tuple([ drover_registry:whereis({conn_sup, Ref, N}) || N <- lists:seq(1, Count) ]).


native_opts(#{max_connections := Max, nodelay := Nodelay, send_timeout := SendTimeout},
            #{linger_timeout := Linger} = Protocol) ->
    Heads = maps:with(
              [request_timeout,
               max_request_line_length,
               max_header_name_length,
               max_header_value_length,
               max_headers,
               max_head_length,
               max_empty_lines,
               max_skip_body_length],
              Protocol),
    Heads#{
      io_threads => io_threads(),
      max_connections => Max,
      nodelay => Nodelay,
      linger => Linger,
      send_timeout => SendTimeout
     }.


%% @doc How many I/O threads there are. Schedulers share the processors with them.
-spec io_threads() -> pos_integer().
io_threads() ->
    Default = max(1, erlang:system_info(schedulers_online) div 2),
    application:get_env(drover, io_threads, Default).


publish(#state{ref = Ref, transport = #{send_timeout := SendTimeout}, protocol = Protocol} = State) ->
    ok = drover_registry:set_config(Ref, #{protocol => Protocol, send_timeout => SendTimeout}),
    State.


close(#state{native = undefined} = State) ->
    State;
close(#state{native = Native, former = Former} = State) ->
    ok = drover_native:close_listener(Native),
    State#state{native = undefined, former = [ Each || Each <- [Native | Former], has_connections(Each) ], status = suspended}.


has_connections(Native) ->
    #{connections := InHttp} = drover_native:listener_info(Native),
    InHttp > 0.


limit(_Max, #state{native = undefined}) -> ok;
limit(Max, #state{native = Native}) -> drover_native:set_max_connections(Native, Max).


%% Under the names of ranch:info/1.
report(#state{address = {Ip, Port}, transport = Transport, protocol = Protocol} = State) ->
    #{connections := Active, all_connections := All, accepted := Accepted} = numbers(State),
    #{
      pid => self(),
      status => State#state.status,
      ip => Ip,
      port => Port,
      max_connections => maps:get(max_connections, Transport),
      active_connections => Active,
      all_connections => All,
      accepted => Accepted,
      transport => ranch_tcp,
      transport_options => maps:with([socket_opts, num_conns_sups, shutdown], Transport),
      protocol => cowboy_clear,
      protocol_options => Protocol
     }.


numbers(#state{native = undefined}) -> #{connections => 0, all_connections => 0, accepted => 0};
numbers(#state{native = Native}) -> drover_native:listener_info(Native).
