%% Very many idle connections: a node of its own serves them, and a node in another process of the system holds them.
%%
%% The nodes are reached through their standard input and output, so that neither needs distribution. They end with the
%% process that started them.
-module(crowd).

%% For cases.
-export([largest/1]).
-export([start/2, stop/1]).
-export([join/2, talk/3, leave/1, left/1]).
-export([kill_owners/1, stop_listener/1]).
-export([resident/1, counts/1, until_empty/1, until_parked/1, until/1]).

%% What the serving node runs.
-export([serve/2, settle/0, count/0, kill/0]).

-export_type([crowd/0]).

-type crowd() :: #{server := pid(), clients := pid(), port := inet:port_number()}.

-type counts() :: #{
                    owners := non_neg_integer(),
                    processes := non_neg_integer(),
                    descriptors := non_neg_integer(),
                    native := map()
                   }.

%% For all that ten thousand connections do at once.
-define(PATIENCE_MS, 120000).

%%% For cases.


%% How many connections the limit on open files allows, up to this many.
-spec largest(pos_integer()) -> integer().
largest(Wanted) ->
    case string:trim(os:cmd("ulimit -n")) of
        "unlimited" -> Wanted;
        Limit -> min(Wanted, list_to_integer(Limit) - 200)
    end.


%% Both nodes, and a listener whose one route has this handler.
-spec start(module(), any()) -> crowd().
start(Handler, HandlerOpts) ->
    [Server, Clients] = [ node_of_its_own() || _ <- [server, clients] ],
    {ok, Port} = call(Server, ?MODULE, serve, [Handler, HandlerOpts]),
    {ok, _} = call(Clients, gen_server, start, [{local, crowd_clients}, crowd_clients, Port, []]),
    #{server => Server, clients => Clients, port => Port}.


node_of_its_own() ->
    Paths = lists:append([ ["-pa", Path] || Path <- code:get_path(), filename:pathtype(Path) =:= absolute ]),
    {ok, Peer, _Node} = peer:start_link(#{connection => standard_io, args => Paths, wait_boot => ?PATIENCE_MS}),
    Peer.


-spec stop(crowd()) -> ok.
stop(#{server := Server, clients := Clients}) ->
    ok = peer:stop(Clients),
    peer:stop(Server).


%% Adds so many connections. Their handshakes are over.
-spec join(crowd(), non_neg_integer()) -> ok.
join(#{server := Server} = Crowd, N) ->
    ok = clients(Crowd, {join, N}),
    call(Server, ?MODULE, settle, []).


%% Adds so many connections with permessage-deflate, on each of which these frames were echoed.
-spec talk(crowd(), non_neg_integer(), [term()]) -> ok.
talk(#{server := Server} = Crowd, N, Frames) ->
    ok = clients(Crowd, {talk, N, Frames}),
    call(Server, ?MODULE, settle, []).


%% Closes all connections, from the clients' side.
-spec leave(crowd()) -> ok.
leave(Crowd) ->
    clients(Crowd, leave).


%% How many connections the clients hold, or wait until there is none.
-spec left(crowd()) -> ok.
left(Crowd) ->
    until(fun() -> clients(Crowd, count) =:= 0 end).


-spec kill_owners(crowd()) -> non_neg_integer().
kill_owners(#{server := Server}) ->
    call(Server, ?MODULE, kill, []).


-spec stop_listener(crowd()) -> ok.
stop_listener(#{server := Server}) ->
    call(Server, drover_target, stop, [crowd]).


%% KiB of memory that the serving node takes.
-spec resident(crowd()) -> non_neg_integer().
resident(#{server := Server}) ->
    {ok, Rollup} = file:read_file(["/proc/", call(Server, os, getpid, []), "/smaps_rollup"]),
    {match, [Rss]} = re:run(Rollup, "\nRss:\\s+(\\d+) kB", [{capture, all_but_first, binary}]),
    binary_to_integer(Rss).


-spec counts(crowd()) -> counts().
counts(#{server := Server}) ->
    call(Server, ?MODULE, count, []).


%% Until nothing on the server speaks of a connection.
-spec until_empty(crowd()) -> ok.
until_empty(Crowd) ->
    until(fun() -> is_empty(counts(Crowd)) end).


%% Until no connection holds a compression context.
-spec until_parked(crowd()) -> ok.
until_parked(Crowd) ->
    until(fun() -> #{native := #{contexts := Contexts}} = counts(Crowd), Contexts =:= 0 end).


is_empty(#{owners := Owners, native := #{connections := Connections}}) ->
    Owners + Connections =:= 0.


clients(#{clients := Clients}, Request) ->
    call(Clients, gen_server, call, [crowd_clients, Request, ?PATIENCE_MS]).


call(Peer, Module, Function, Args) ->
    peer:call(Peer, Module, Function, Args, ?PATIENCE_MS).


-spec until(fun(() -> boolean())) -> ok.
until(Fun) ->
    until(Fun, erlang:monotonic_time(millisecond) + ?PATIENCE_MS).


until(Fun, Deadline) ->
    case Fun() of
        true ->
            ok;
        false ->
            true = erlang:monotonic_time(millisecond) < Deadline,
            receive after 20 -> until(Fun, Deadline) end
    end.


%%% What the serving node runs.


-spec serve(module(), any()) -> {ok, inet:port_number()}.
serve(Handler, HandlerOpts) ->
    drover_target:start(crowd, [{"/", Handler, HandlerOpts}], #{}).


%% Until every process waits.
-spec settle() -> ok.
settle() ->
    until(fun() -> lists:all(fun(_) -> is_quiet() end, lists:seq(1, 10)) end).


is_quiet() ->
    receive after 10 -> erlang:statistics(total_run_queue_lengths_all) =:= 0 end.


-spec count() -> counts().
count() ->
    {ok, Descriptors} = file:list_dir("/proc/self/fd"),
    #{
      owners => length(owners()),
      processes => length(processes()),
      descriptors => length(Descriptors),
      native => drover_native:stats()
     }.


-spec kill() -> non_neg_integer().
kill() ->
    length([ exit(Pid, kill) || Pid <- owners() ]).


%% The processes of connections call themselves as Cowboy's do.
owners() ->
    [ Pid || Pid <- processes(),
             {dictionary, Dictionary} <- [process_info(Pid, dictionary)],
             lists:member({'$initial_call', {cowboy_clear, connection_process, 4}}, Dictionary) ].
