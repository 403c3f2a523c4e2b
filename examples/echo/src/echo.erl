%% The server behind `make echo`: it sends every message back, for Autobahn and for measurements.
%%
%% Any path is served by a handler with callbacks of arity 2, and any path under /v2pre by one of arity 3.
-module(echo).

-export([main/0]).


%% PORT in the environment is the port on 127.0.0.1. With 0 the system chooses; the line printed tells.
-spec main() -> ok.
main() ->
    Port = list_to_integer(os:getenv("PORT", "9001")),
    {ok, _} = application:ensure_all_started(drover),
    TransportOpts = #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, Port}], max_connections => infinity},
    %% An arity-3 handler has no options of its own: its compression is asked for here.
    ProtoOpts = #{env => #{dispatch => drover_router:compile(routes())}, compress => true},
    case drover:start_clear(?MODULE, TransportOpts, ProtoOpts) of
        {ok, _} ->
            io:format("listening on 127.0.0.1:~b pid ~s~n", [drover:get_port(?MODULE), os:getpid()]);
        {error, Reason} ->
            io:format(standard_error, "cannot listen on 127.0.0.1:~b: ~0p~n", [Port, Reason]),
            halt(1)
    end.


routes() ->
    [{'_', [{"/v2pre/[...]", echo_v2pre, []}, {"/[...]", echo_v2, []}]}].
