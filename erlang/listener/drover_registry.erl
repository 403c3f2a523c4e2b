%% Which listeners there are, and what their connections need to know.
%%
%% Listener processes and their connection supervisors are found in a table that drover_sup owns. The
%% configuration of connections is a persistent term, since every new connection reads it and none
%% should hold a copy.
-module(drover_registry).

-export([new/0]).
-export([put/2]).
-export([delete/2]).
-export([whereis/1]).
-export([listeners/0]).
-export([set_config/2]).
-export([erase_config/1]).
-export([config/1]).

-type key() :: {listener, drover:ref()} | {conn_sup, drover:ref(), pos_integer()}.
-type config() :: #{protocol := drover_opts:protocol(), send_timeout := timeout()}.

-export_type([config/0]).


%% @doc Create the table. The calling process owns it.
-spec new() -> ok.
new() ->
    ?MODULE = ets:new(?MODULE, [named_table, public, {read_concurrency, true}]),
    ok.


%% @doc Register a process.
-spec put(key(), pid()) -> ok.
put(Key, Pid) ->
    true = ets:insert(?MODULE, {Key, Pid}),
    ok.


%% @doc Forget a process, unless another has taken its place.
-spec delete(key(), pid()) -> ok.
delete(Key, Pid) ->
    true = ets:delete_object(?MODULE, {Key, Pid}),
    ok.


%% @doc Find a process that is alive.
-spec whereis(key()) -> pid() | undefined.
whereis(Key) ->
    case ets:lookup(?MODULE, Key) of
        [{_, Pid}] -> alive(Pid);
        [] -> undefined
    end.


%% A process that was killed did not delete its entry.
alive(Pid) ->
    case is_process_alive(Pid) of
        true -> Pid;
        false -> undefined
    end.


%% @doc All listeners.
-spec listeners() -> [{drover:ref(), pid()}].
listeners() ->
    Found = ets:select(?MODULE, [{{{listener, '$1'}, '$2'}, [], [{{'$1', '$2'}}]}]),
    [ {Ref, Pid} || {Ref, Pid} <- lists:sort(Found), is_process_alive(Pid) ].


%% @doc Set what new connections of a listener read.
-spec set_config(drover:ref(), config()) -> ok.
set_config(Ref, Config) ->
    persistent_term:put({?MODULE, Ref}, Config).


%% @doc The listener is gone.
-spec erase_config(drover:ref()) -> ok.
erase_config(Ref) ->
    _ = persistent_term:erase({?MODULE, Ref}),
    ok.


%% @doc What a new connection needs to know.
-spec config(drover:ref()) -> {ok, config()} | undefined.
config(Ref) ->
    case persistent_term:get({?MODULE, Ref}, undefined) of
        undefined -> undefined;
        Config -> {ok, Config}
    end.
