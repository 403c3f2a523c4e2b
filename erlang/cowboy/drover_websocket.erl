%% A sub-protocol of Cowboy's that makes a request a WebSocket connection of drover's.
%%
%% drover_handler uses it for whatever returns {cowboy_websocket, ...}. Where the middlewares are to stay as they are, a handler
%% names it itself: {drover_websocket, Req, State, Opts}.
%%
%% upgrade/4,5 run in the request process, takeover/7 in that of the connection, which it never gives back.
-module(drover_websocket).

%% A cowboy_sub_protocol. Not declared as one, because drover is compiled without Cowboy.
-export([upgrade/4]).
-export([upgrade/5]).
-export([takeover/7]).
%% For drover_handler.
-export([upgrade_as/3]).

-type req() :: map().
-type env() :: map().

%% What takeover/7 gets: the options of the core, what drover_conn is to know, and what init/2 has sent to itself.
-type switch() :: {drover_native:upgrade_opts(), map(), [term()]}.


%% @doc Upgrade with the options that hold by default.
-spec upgrade(req(), env(), module(), term()) -> {ok, req(), env()} | no_return().
upgrade(Req, Env, Handler, State) ->
    upgrade_as({cowboy_websocket, Req, State}, Handler, Env).


%% @doc Upgrade with options, or with what stood in their place in older versions of the API.
-spec upgrade(req(), env(), module(), term(), map() | timeout() | hibernate) -> {ok, req(), env()} | no_return().
upgrade(Req, Env, Handler, State, Opts) ->
    upgrade_as({cowboy_websocket, Req, State, Opts}, Handler, Env).


%% @private Act on a result of init/2.
-spec upgrade_as(tuple(), module(), env()) -> {ok, req(), env()} | no_return().
upgrade_as(Result, Handler, Env) ->
    Req = element(2, Result),
    {ok, #{websocket_api := Forced} = Protocol} = drover_opts:protocol(maps:get(drover, Env, #{})),
    Api = drover_dialect:api(Handler, Forced),
    Task = #{req => Req, handler => Handler, handler_opts => undefined, api => Api, protocol => Protocol},
    case drover_request:websocket(Result, Task) of
        ok ->
            {ok, Req, Env};
        {upgrade, Headers, Upgrade} ->
            {Native, Takeover} = maps:take(native, Upgrade),
            switch(Req, Env, drover_response:standard(Headers), {Native, Takeover, sent_to_self(Api)});
        {crash, Class, Reason, Stacktrace} ->
            erlang:raise(Class, Reason, Stacktrace)
    end.


%% A stream of HTTP/2 has no process of its own but that of its request.
-spec switch(req(), env(), drover_response:headers(), switch()) -> {ok, req(), env()} | no_return().
switch(#{version := 'HTTP/2', pid := Pid, streamid := StreamId}, _Env, Headers, {Native, Takeover, _Messages} = Switch) ->
    Stream = {Pid, StreamId},
    #{data_delivery := Delivery} = Opts = delivery(maps:get(delivery, Takeover), drover_relay_pipe:known()),
    Pid ! {Stream, {switch_protocol, Headers, ?MODULE, Opts#{data_delivery_pid => self()}}},
    enter(Pid, drover_takeover:stream(Stream, Delivery, Native), Switch);
switch(#{pid := Pid, streamid := StreamId} = Req, Env, Headers, Switch) ->
    Pid ! {{Pid, StreamId}, {switch_protocol, Headers, ?MODULE, Switch}},
    {ok, Req, Env}.


%% A Cowboy that knows no other way than through the stream's handlers looks at none of this.
delivery(Opts, true) -> Opts;
delivery(Opts, false) -> Opts#{data_delivery := stream_handlers}.


%% With callbacks of arity 3 init/2 used to run in the process of the connection, where messages to self() were
%% those of websocket_info. Cowboy runs it in another one, whose messages are taken along.
sent_to_self(v2pre) ->
    receive
        Message -> [Message | sent_to_self(v2pre)]
    after
        0 ->
            []
    end;
sent_to_self(_) ->
    [].


%% @doc Become the process of a WebSocket connection. The answer to the handshake is out.
-spec takeover(pid(), Ref :: term(), Socket :: term(), module(), map(), binary(), switch()) -> no_return().
takeover(Parent, Ref, Socket, Transport, Opts, Buffer, {Native, _Takeover, _Messages} = Switch) ->
    ok = uncount(Ref),
    %% A handler starts with a process that does not trap exits.
    _ = process_flag(trap_exit, false),
    enter(Parent, drover_takeover:carrier(Socket, Transport, Opts, Buffer, Native), Switch).


-spec enter(pid(), drover_carrier:carrier(), switch()) -> no_return().
enter(Parent, Carrier, {_Native, Takeover, Messages}) ->
    %% As in the processes of drover's own listeners: it keeps an idle connection small.
    _ = process_flag(fullsweep_after, 0),
    _ = [ self() ! Message || Message <- Messages ],
    drover_conn:enter(Takeover#{carrier => Carrier, parent => Parent}).


%% Open WebSocket connections do not count against ranch's max_connections.
uncount(Ref) ->
    ok = (ranch()):remove_connection(Ref).


%% Only known where Cowboy is.
ranch() ->
    ranch.
