%% Listeners, under the name of Cowboy's module; see `drover'.
%%
%% There is `start_clear/3' of Cowboy 2 and, from the time of handlers of arity 3,
%% `start_clear/4' and `start_http/4', whose number of acceptors has no effect.
-module(cowboy).

-export([start_clear/3, start_clear/4, start_http/4, stop_listener/1]).
-export([get_env/2, get_env/3, set_env/3]).

-export_type([ref/0, opts/0, http_headers/0, http_status/0, http_version/0, fields/0]).

-type ref() :: drover:ref().
-type opts() :: drover_opts:protocol_opts().
-type http_headers() :: #{binary() => iodata()}.
-type http_status() :: drover_req:status().
-type http_version() :: 'HTTP/1.1' | 'HTTP/1.0'.
-type fields() :: drover_constraints:fields().


-spec start_clear(ref(), drover_opts:transport_opts(), opts()) -> {ok, pid()} | {error, any()}.
start_clear(Ref, TransportOpts, ProtocolOpts) ->
    drover:start_clear(Ref, TransportOpts, ProtocolOpts).


-spec start_clear(ref(), pos_integer(), drover_opts:transport_opts(), opts()) ->
          {ok, pid()} | {error, any()}.
start_clear(Ref, _, TransportOpts, ProtocolOpts) ->
    drover:start_clear(Ref, TransportOpts, ProtocolOpts).


-spec start_http(ref(), pos_integer(), drover_opts:transport_opts(), opts()) ->
          {ok, pid()} | {error, any()}.
start_http(Ref, _, TransportOpts, ProtocolOpts) ->
    drover:start_clear(Ref, TransportOpts, ProtocolOpts).


-spec stop_listener(ref()) -> ok | {error, not_found}.
stop_listener(Ref) ->
    drover:stop_listener(Ref).


-spec get_env(ref(), atom()) -> any().
get_env(Ref, Name) ->
    drover:get_env(Ref, Name).


-spec get_env(ref(), atom(), any()) -> any().
get_env(Ref, Name, Default) ->
    drover:get_env(Ref, Name, Default).


-spec set_env(ref(), atom(), any()) -> ok.
set_env(Ref, Name, Value) ->
    ok = drover:set_env(Ref, Name, Value).
