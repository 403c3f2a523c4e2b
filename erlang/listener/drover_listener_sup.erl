%% The supervisor of one listener: the parents of its connections first, and then the listener itself,
%% which tells the native core about them.
%%
%% So stopping begins with the listening socket, and a new parent of connections makes the listener
%% start anew, while the listener alone may start anew at any time.
-module(drover_listener_sup).

-behaviour(supervisor).

-export([start_link/3]).
-export([init/1]).


%% @doc Start a listener. Options are checked here, so that an embedded listener is checked too.
-spec start_link(drover:ref(), drover_opts:transport_opts(), drover_opts:protocol_opts()) ->
          supervisor:startlink_ret().
start_link(Ref, TransportOpts, ProtocolOpts) ->
    case {drover_opts:transport(TransportOpts), drover_opts:protocol(ProtocolOpts)} of
        {{ok, Transport}, {ok, Protocol}} -> start_checked(Ref, Transport, Protocol);
        {{error, _} = Error, _} -> Error;
        {_, {error, _} = Error} -> Error
    end.


start_checked(Ref, Transport, Protocol) ->
    case supervisor:start_link(?MODULE, {Ref, Transport, Protocol}) of
        {error, {shutdown, {failed_to_start_child, drover_listener, {shutdown, {listen_error, Reason}}}}} ->
            {error, Reason};
        Result ->
            Result
    end.


%% @private
-spec init({drover:ref(), drover_opts:transport(), drover_opts:protocol()}) ->
          {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init({Ref, #{num_conns_sups := Count, shutdown := Shutdown} = Transport, Protocol}) ->
    ConnSups = [ conn_sup(Ref, Number, Shutdown) || Number <- lists:seq(1, Count) ],
    {ok, {#{strategy => rest_for_one}, ConnSups ++ [listener(Ref, Transport, Protocol)]}}.


%% It limits the time of its children by itself.
conn_sup(Ref, Number, Shutdown) ->
    #{
      id => {drover_conn_sup, Number},
      start => {drover_conn_sup, start_link, [Ref, Number, Shutdown]},
      type => supervisor,
      shutdown => infinity
     }.


listener(Ref, Transport, Protocol) ->
    #{id => drover_listener, start => {drover_listener, start_link, [Ref, Transport, Protocol]}}.
