%% The options of listeners and of WebSocket connections: types, defaults, checks.
%%
%% Options are checked once and become maps in which every key is present, so that nobody
%% downstream knows a default.
-module(drover_opts).

-export([transport/1]).
-export([protocol/1]).
-export([websocket/1]).
-export([websocket_pre/2]).

%% The second argument of drover:start_clear/3, as a map or as a list of socket options. Ranch's
%% num_acceptors, num_listen_sockets, connection_type, handshake_timeout, logger and alarms are
%% accepted and have no effect.
-type transport_opts() ::
        [gen_tcp:listen_option()] |
        #{
          %% Options of gen_tcp:listen/2, port and ip among them. backlog is 1024, nodelay and reuseaddr
          %% are true and send_timeout is 30000 unless given. Those that say how Erlang is to deliver
          %% data (active, packet, mode, ...) have no effect. Default: [].
          socket_opts => [gen_tcp:listen_option()],
          %% How many connections may be in their HTTP phase. WebSocket connections do not
          %% count. Default: 1024.
          max_connections => pos_integer() | infinity,
          %% How many processes share the work of starting connection processes.
          %% Default: the number of schedulers.
          num_conns_sups => pos_integer(),
          %% How long connection processes that trap exits may take to end when the listener
          %% stops, in milliseconds. Default: 5000.
          shutdown => timeout() | brutal_kill,
          atom() => term()
         }.

-type transport() :: #{
                       socket_opts := [gen_tcp:listen_option()],
                       send_timeout := timeout(),
                       nodelay := boolean(),
                       max_connections := pos_integer() | infinity,
                       num_conns_sups := pos_integer(),
                       shutdown := timeout() | brutal_kill
                      }.

%% The third argument of drover:start_clear/3, as a map or, as in the early days of Cowboy 2, a list. Those of
%% Cowboy's options that are listed in the macro IGNORED below are accepted and have no effect.
-type protocol_opts() ::
        [{atom(), term()}] |
        #{
          %% dispatch: what drover_router:compile/1 returned, or {persistent_term, Key}.
          %% Default: no routes.
          env => #{dispatch => term(), atom() => term()} | [{atom(), term()}],
          %% Whether connections of handlers with callbacks of arity 3 are compressed if the client
          %% can. Handlers of arity 2 ask for it themselves. Default: false.
          compress => boolean(),
          %% The largest frame or message for handlers with callbacks of arity 3, in bytes. Handlers of arity 2
          %% say it themselves. Default: infinity, as it was.
          max_frame_size => non_neg_integer() | infinity,
          %% Which API handlers speak: auto looks at what a module exports. Default: auto.
          websocket_api => auto | v2 | v2pre | #{module() => v2 | v2pre},
          %% From the opening of a connection, or the end of a response, to the whole of the next
          %% request head. Default: 5000.
          request_timeout => timeout(),
          %% Limits of a request head, in bytes. Defaults: 8000, 64, 4096, 65536.
          max_request_line_length => pos_integer(),
          max_header_name_length => pos_integer(),
          max_header_value_length => pos_integer(),
          max_head_length => pos_integer(),
          %% How many headers. Default: 100.
          max_headers => pos_integer(),
          %% How many empty lines before a request. Default: 5.
          max_empty_lines => non_neg_integer(),
          %% How much of a body that nobody read is skipped before the connection is closed instead.
          %% Default: 1000000.
          max_skip_body_length => non_neg_integer(),
          %% How many requests one connection may make. Default: 1000.
          max_keepalive => pos_integer(),
          %% How long a closing connection hears out a client that is still sending, so that it sees the close, in
          %% milliseconds. What is left to be written has the socket's send_timeout. Default: 1000.
          linger_timeout => non_neg_integer(),
          atom() => term()
         }.

-type protocol() :: #{
                      env := #{dispatch := term(), atom() => term()},
                      compress := boolean(),
                      max_frame_size := non_neg_integer() | infinity,
                      websocket_api := auto | v2 | v2pre | #{module() => v2 | v2pre},
                      request_timeout := timeout(),
                      max_request_line_length := pos_integer(),
                      max_header_name_length := pos_integer(),
                      max_header_value_length := pos_integer(),
                      max_head_length := pos_integer(),
                      max_headers := pos_integer(),
                      max_empty_lines := non_neg_integer(),
                      max_skip_body_length := non_neg_integer(),
                      max_keepalive := pos_integer(),
                      linger_timeout := non_neg_integer()
                     }.

%% The fourth element of {cowboy_websocket, Req, State, Opts}. active_n and dynamic_buffer have no effect,
%% because the native core sizes its own buffers; keys that are not known are ignored, as in Cowboy.
-type websocket_opts() :: #{
                            %% Compress if the client can. Default: false.
                            compress => boolean(),
                            %% How the bytes of a stream of HTTP/2 come under Cowboy 2.14 or newer: with relay they pass by the
                            %% stream handlers. Default: stream_handlers.
                            data_delivery => stream_handlers | relay,
                            %% The window that a client has on a stream that is relayed. Default: 131072.
                            data_delivery_flow => pos_integer(),
                            %% level (default 6), mem_level (5), strategy, server_context_takeover, client_context_takeover,
                            %% server_max_window_bits, client_max_window_bits. Default: #{}.
                            deflate_opts => map(),
                            %% Close when no byte has come for so long, in milliseconds. Default: 60000.
                            idle_timeout => timeout(),
                            %% Close with 1009 when a frame, a message of fragments, or what it inflates to is larger.
                            %% Default: 1000000.
                            max_frame_size => non_neg_integer() | infinity,
                            %% Makes what terminate/3 gets as its second argument. Default: method, version, scheme,
                            %% host, port, path, qs, peer and streamid of the request.
                            req_filter => fun((map()) -> term()),
                            %% Close with 1007 on text that is not UTF-8. Default: true.
                            validate_utf8 => boolean(),
                            atom() => term()
                           }.

%% idle_policy: the timeout is counted in tenths as in Cowboy 2, or exactly as before.
-type websocket() :: #{
                       compress := boolean(),
                       data_delivery := stream_handlers | relay,
                       data_delivery_flow := pos_integer(),
                       deflate_opts := map(),
                       idle_timeout := timeout(),
                       idle_policy := ticks | exact,
                       max_frame_size := non_neg_integer() | infinity,
                       req_filter := undefined | fun((map()) -> term()),
                       validate_utf8 := boolean()
                      }.

-type error() :: {error, {bad_option, Key :: term(), Value :: term()}}.

-export_type([transport_opts/0, transport/0]).
-export_type([protocol_opts/0, protocol/0]).
-export_type([websocket_opts/0, websocket/0]).
-export_type([error/0]).

-define(IGNORED_TRANSPORT, [num_acceptors, num_listen_sockets, connection_type, handshake_timeout, logger, alarms]).

-define(IGNORED, [active_n,
                  alpn_default_protocol,
                  chunked,
                  connection_type,
                  dynamic_buffer,
                  dynamic_buffer_initial_average,
                  dynamic_buffer_initial_size,
                  hibernate,
                  http10_keepalive,
                  idle_timeout,
                  inactivity_timeout,
                  initial_stream_flow_size,
                  logger,
                  max_authority_length,
                  max_method_length,
                  max_received_frame_rate,
                  metrics_callback,
                  protocols,
                  reset_idle_timeout_on_send,
                  sendfile,
                  shutdown_timeout,
                  stream_window_data_threshold,
                  tracer_callback,
                  tracer_flags,
                  tracer_match_specs]).

%% Socket options that would change how the listening socket itself behaves in Erlang.
-define(OWN_SOCKET_OPTS, [active, deliver, exit_on_close, header, line_delimiter, mode, packet, packet_size, list, binary]).


%% @doc Check and complete transport options.
-spec transport(transport_opts()) -> {ok, transport()} | error().
transport(SocketOpts) when is_list(SocketOpts) ->
    transport(#{socket_opts => SocketOpts});
transport(Opts) ->
    case complete(Opts, transport_table(), ?IGNORED_TRANSPORT) of
        {ok, Complete} -> {ok, sockets(Complete)};
        Error -> Error
    end.


transport_table() ->
    #{
      socket_opts => {[], list},
      max_connections => {1024, count_or_infinity},
      num_conns_sups => {erlang:system_info(schedulers_online), count},
      shutdown => {5000, shutdown}
     }.


sockets(#{socket_opts := Given} = Opts) ->
    Kept = [ Opt || Opt <- Given, not lists:member(key(Opt), ?OWN_SOCKET_OPTS) ],
    Defaults = [{backlog, 1024}, {nodelay, true}, {reuseaddr, true}, {send_timeout, 30000}],
    All = Kept ++ [ Opt || {Key, _} = Opt <- Defaults, not lists:keymember(Key, 1, Kept) ],
    Opts#{
      socket_opts := [binary, {active, false} | All],
      send_timeout => proplists:get_value(send_timeout, All),
      nodelay => proplists:get_value(nodelay, All)
     }.


key(Opt) when is_tuple(Opt) -> element(1, Opt);
key(Opt) -> Opt.


%% @doc Check and complete protocol options.
-spec protocol(protocol_opts()) -> {ok, protocol()} | error().
protocol(Opts) when is_list(Opts) ->
    protocol(maps:from_list(Opts));
protocol(#{env := Env} = Opts) when is_list(Env) ->
    protocol(Opts#{env := maps:from_list(Env)});
protocol(Opts) ->
    case complete(without_defaults(Opts), protocol_table(), ?IGNORED) of
        {ok, #{env := Env} = Complete} -> {ok, Complete#{env := maps:merge(#{dispatch => []}, Env)}};
        Error -> Error
    end.


%% drover runs neither middlewares nor stream handlers. To pass over one that checks who may come in would
%% be dangerous, so only the defaults are accepted.
without_defaults(Opts) ->
    Defaults = #{
                 middlewares => [cowboy_router, cowboy_handler],
                 stream_handlers => [cowboy_stream_h],
                 proxy_header => false
                },
    maps:filter(fun(Key, Value) -> maps:find(Key, Defaults) =/= {ok, Value} end, Opts).


protocol_table() ->
    #{
      env => {#{}, map},
      compress => {false, boolean},
      max_frame_size => {infinity, natural_or_infinity},
      websocket_api => {auto, api},
      request_timeout => {5000, timeout},
      max_request_line_length => {8000, count},
      max_header_name_length => {64, count},
      max_header_value_length => {4096, count},
      max_head_length => {65536, count},
      max_headers => {100, count},
      max_empty_lines => {5, natural},
      max_skip_body_length => {1000000, natural},
      max_keepalive => {1000, count},
      linger_timeout => {1000, natural}
     }.


%% @doc Complete the options that a handler returns. A bad one is an error of the handler's.
-spec websocket(websocket_opts()) -> websocket().
websocket(Opts) ->
    Table = websocket_table(),
    case complete(maps:with(maps:keys(Table), Opts), Table, []) of
        {ok, Complete} -> Complete#{idle_policy => ticks};
        {error, Reason} -> erlang:error(Reason)
    end.


websocket_table() ->
    #{
      compress => {false, boolean},
      data_delivery => {stream_handlers, delivery},
      data_delivery_flow => {131072, count},
      deflate_opts => {#{}, map},
      idle_timeout => {60000, timeout},
      max_frame_size => {1000000, natural_or_infinity},
      req_filter => {undefined, filter},
      validate_utf8 => {true, boolean}
     }.


%% @doc What held before handlers could return options: only a timeout could be given.
-spec websocket_pre(timeout(), protocol()) -> websocket().
websocket_pre(Timeout, #{compress := Compress, max_frame_size := Max}) ->
    Opts = #{idle_timeout => Timeout, max_frame_size => Max, compress => Compress},
    (websocket(Opts))#{idle_policy := exact}.


%% Checking.


complete(Opts, Table, Ignored) when is_map(Opts) ->
    Known = maps:without(Ignored, Opts),
    case [ Bad || {Key, Value} = Bad <- maps:to_list(Known), not valid(Key, Value, Table) ] of
        [] -> {ok, maps:merge(maps:map(fun(_Key, {Default, _}) -> Default end, Table), Known)};
        [{Key, Value} | _] -> {error, {bad_option, Key, Value}}
    end;
complete(Opts, _Table, _Ignored) ->
    {error, {bad_option, options, Opts}}.


valid(Key, Value, Table) ->
    case Table of
        #{Key := {_Default, Type}} -> is(Type, Value);
        #{} -> false
    end.


is(boolean, Value) -> is_boolean(Value);
is(list, Value) -> is_list(Value);
is(map, Value) -> is_map(Value);
is(natural, Value) -> is_integer(Value) andalso Value >= 0;
is(natural_or_infinity, Value) -> Value =:= infinity orelse is(natural, Value);
is(count, Value) -> is_integer(Value) andalso Value > 0;
is(count_or_infinity, Value) -> Value =:= infinity orelse is(count, Value);
is(timeout, Value) -> is(natural_or_infinity, Value);
is(shutdown, Value) -> Value =:= brutal_kill orelse is(timeout, Value);
is(delivery, Value) -> Value =:= stream_handlers orelse Value =:= relay;
is(filter, Value) -> Value =:= undefined orelse is_function(Value, 1);
is(api, Value) when is_map(Value) -> lists:all(fun is_api/1, maps:values(Value));
is(api, Value) -> Value =:= auto orelse is_api(Value).


is_api(Value) -> Value =:= v2 orelse Value =:= v2pre.
