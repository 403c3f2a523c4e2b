%% Finds the handler of a request, runs its init/2 and acts on what that returns.
%%
%% In the dialect v2 this is the code of the request process, in which Cowboy 2 runs init/2. In the dialect
%% v2pre the connection process calls it.
-module(drover_request).

-export([find/2]).
-export([start_link/1]).
-export([run/1]).
-export([websocket/2]).
%% Of the request process.
-export([init/1]).

-include_lib("kernel/include/logger.hrl").

-type task() :: #{
                  req := map(),
                  handler := module(),
                  handler_opts := term(),
                  api := drover_dialect:api() | none,
                  protocol := drover_opts:protocol()
                 }.

%% What the connection process needs to switch to frames: drover_conn:takeover() but for what is that
%% process's own, and the options of the native core.
-type upgrade() :: #{
                     dialect := module(),
                     handler := module(),
                     req := term(),
                     local := drover_dialect:local(),
                     hibernate := boolean(),
                     native := drover_native:upgrade_opts(),
                     %% Of concern to streams of HTTP/2, which are only there under Cowboy.
                     delivery := #{data_delivery := stream_handlers | relay, data_delivery_flow := pos_integer()}
                    }.

-type result() ::
        ok |
        {upgrade, drover_response:headers(), upgrade()} |
        {crash, error | exit | throw, term(), Stacktrace :: list()}.

-export_type([task/0, upgrade/0, result/0]).


%% @doc Find the handler, or the status with which to refuse the request.
-spec find(map(), drover_opts:protocol()) -> {ok, task()} | {refuse, 400 | 404 | 500}.
find(Req, #{websocket_api := Forced} = Protocol) ->
    case match(Req, Protocol) of
        {ok, Handler, HandlerOpts, Bindings, HostInfo, PathInfo} ->
            {ok, #{
                   req => Req#{bindings => Bindings, host_info => HostInfo, path_info => PathInfo},
                   handler => Handler,
                   handler_opts => HandlerOpts,
                   api => drover_dialect:api(Handler, Forced),
                   protocol => Protocol
                  }};
        {error, notfound, path} ->
            {refuse, 404};
        {error, _, _} ->
            {refuse, 400};
        crash ->
            {refuse, 500}
    end.


%% Constraints are functions of the user's.
match(#{host := Host, path := Path}, #{env := #{dispatch := Dispatch}}) ->
    try
        drover_router:match(Dispatch, Host, Path)
    catch
        Class:Reason:Stacktrace ->
            ?LOG_ERROR(#{
                         label => {drover, router_crash},
                         class => Class,
                         reason => Reason,
                         stacktrace => Stacktrace
                        }),
            crash
    end.


%% @doc Start a request process, linked to the connection process.
-spec start_link(task()) -> pid().
start_link(Task) ->
    proc_lib:spawn_link(?MODULE, init, [Task]).


%% @private
-spec init(task()) -> ok.
init(#{req := #{pid := Pid, streamid := StreamId}} = Task) ->
    case run(Task) of
        ok ->
            ok;
        {upgrade, Headers, Upgrade} ->
            Pid ! {{Pid, StreamId}, {switch_protocol, Headers, drover_conn, Upgrade}},
            ok;
        {crash, exit, Reason, Stacktrace} ->
            erlang:raise(exit, {Reason, Stacktrace}, Stacktrace);
        {crash, Class, Reason, Stacktrace} ->
            erlang:raise(Class, Reason, Stacktrace)
    end.


%% @doc Call init/2 in the calling process.
-spec run(task()) -> result().
run(#{req := Req, handler := Handler, handler_opts := HandlerOpts} = Task) ->
    try Handler:init(Req, HandlerOpts) of
        Result -> returned(Result, Task)
    catch
        Class:Reason:Stacktrace ->
            terminate({crash, Class, Reason}, Req, HandlerOpts, Handler),
            {crash, Class, Reason, Stacktrace}
    end.


%% @doc Act on what init/2 has returned, run by somebody else, if it asks for a WebSocket.
-spec websocket(tuple(), task()) -> result().
websocket(Result, Task) when element(1, Result) =:= cowboy_websocket ->
    returned(Result, Task).


%% The fourth element tells the versions of the API apart: options, or a timeout of the time before there
%% were any.
returned({ok, Req, State}, #{handler := Handler}) ->
    terminate(normal, Req, State, Handler),
    ok;
returned({cowboy_websocket, Req, State}, Task) ->
    upgrade(Req, State, by_default(Task), false, Task);
returned({cowboy_websocket, Req, State, hibernate}, Task) ->
    upgrade(Req, State, drover_opts:websocket_pre(infinity, protocol(Task)), true, Task);
returned({cowboy_websocket, Req, State, Opts}, Task) when is_map(Opts) ->
    upgrade(Req, State, drover_opts:websocket(Opts), false, Task);
returned({cowboy_websocket, Req, State, Timeout}, Task)
  when is_integer(Timeout); Timeout =:= infinity ->
    upgrade(Req, State, drover_opts:websocket_pre(Timeout, protocol(Task)), false, Task);
returned({cowboy_websocket, Req, State, Timeout, hibernate}, Task) ->
    upgrade(Req, State, drover_opts:websocket_pre(Timeout, protocol(Task)), true, Task);
returned({cowboy_websocket, _Req, _State, Opts}, _Task) ->
    {crash, error, {badmap, Opts}, []};
returned(Invalid, _Task) ->
    {crash, error, {try_clause, Invalid}, []}.


by_default(#{api := v2pre, protocol := Protocol}) -> drover_opts:websocket_pre(infinity, Protocol);
by_default(_Task) -> drover_opts:websocket(#{}).


protocol(#{protocol := Protocol}) -> Protocol.


upgrade(Req, _State, _Settings, _Hibernate, #{api := none, handler := Handler}) ->
    ?LOG_ERROR(
      "drover: ~p returned cowboy_websocket from init/2 but exports neither websocket_handle/2 and "
      "websocket_info/2 nor the same of arity 3",
      [Handler]),
    reply(500, #{}, Req);
upgrade(Req, State, Settings, Hibernate, Task) ->
    case drover_upgrade:check(Req, maps:with([compress, deflate_opts], Settings)) of
        {ok, #{headers := Headers} = Accepted} ->
            Upgrade = accepted(Accepted, Req, State, Settings, Task),
            {upgrade, drover_response:headers(Headers, Req), Upgrade#{hibernate => Hibernate}};
        {reply, Status, Headers} ->
            reply(Status, Headers, Req)
    end.


accepted(#{deflate := Deflate, version := Version}, Req, State, Settings, #{api := Api, handler := Handler}) ->
    Dialect = drover_dialect:module(Api),
    #{
      dialect => Dialect,
      handler => Handler,
      req => kept(Req, Settings, Api),
      local => Dialect:new(
                 Req#{websocket_version => Version, websocket_compress => Deflate =/= none}, State),
      native => native(Deflate, Settings, Api),
      delivery => maps:with([data_delivery, data_delivery_flow], Settings)
     }.


%% In the dialect v2pre the whole request is part of the local state.
kept(_Req, _Settings, v2pre) -> undefined;
kept(Req, #{req_filter := undefined}, v2) -> partial(Req);
kept(Req, #{req_filter := Filter}, v2) -> Filter(Req).


%% What terminate/3 gets of the request in the dialect v2. Written out, since the keys of a literal take no
%% room in the heap of an idle connection.
partial(#{
          method := Method,
          version := Version,
          scheme := Scheme,
          host := Host,
          port := Port,
          path := Path,
          qs := Qs,
          peer := Peer,
          streamid := StreamId
         }) ->
    #{
      method => Method,
      version => Version,
      scheme => Scheme,
      host => Host,
      port => Port,
      path => Path,
      qs => Qs,
      peer => Peer,
      streamid => StreamId
     }.


native(Deflate, Settings, Api) ->
    Kept = maps:with([max_frame_size, validate_utf8, idle_timeout, idle_policy], Settings),
    Kept#{deflate => Deflate, early_data => early_data(Api)}.


%% Bytes that came together with the handshake were lost in the time of v2pre.
early_data(v2) -> keep;
early_data(v2pre) -> drop.


reply(Status, Headers, #{pid := Pid, streamid := StreamId} = Req) ->
    All = drover_response:standard(drover_response:headers(Headers, Req)),
    Pid ! {{Pid, StreamId}, {response, Status, All#{<<"content-length">> => <<"0">>}, <<>>}},
    ok.


terminate(Reason, Req, State, Handler) ->
    case erlang:function_exported(Handler, terminate, 3) of
        true ->
            _ = Handler:terminate(Reason, Req, State),
            ok;
        false ->
            ok
    end.
