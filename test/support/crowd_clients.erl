%% The process that holds the clients of a crowd and counts those that are still connected.
-module(crowd_clients).

-behaviour(gen_server).

-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-define(AT_A_TIME, 20).

-type state() :: {inet:port_number(), #{gen_tcp:socket() => open}}.


-spec init(inet:port_number()) -> {ok, state()}.
init(Port) ->
    {ok, {Port, #{}}}.


-spec handle_call({join, non_neg_integer()} | {talk, non_neg_integer(), list()} | leave | count, gen_server:from(), state()) -> {reply, any(), state()}.
handle_call({join, N}, _From, {Port, Sockets}) ->
    {reply, ok, {Port, maps:merge(Sockets, maps:from_keys(connect(Port, N), open))}};
handle_call({talk, N, Frames}, _From, {Port, Sockets}) ->
    {reply, ok, {Port, maps:merge(Sockets, maps:from_keys([ talked(Port, Frames) || _ <- lists:seq(1, N) ], open))}};
handle_call(leave, _From, {Port, Sockets}) ->
    ok = lists:foreach(fun gen_tcp:close/1, maps:keys(Sockets)),
    {reply, ok, {Port, #{}}};
handle_call(count, _From, {_Port, Sockets} = State) ->
    {reply, map_size(Sockets), State}.


-spec handle_cast(any(), state()) -> {noreply, state()}.
handle_cast(_Request, State) ->
    {noreply, State}.


%% A reset counts as the end, too.
-spec handle_info(tuple(), state()) -> {noreply, state()}.
handle_info({tcp_error, _Socket, _Reason}, State) ->
    {noreply, State};
handle_info({tcp_closed, Socket}, {Port, Sockets}) ->
    {noreply, {Port, maps:remove(Socket, Sockets)}}.


%% Several at a time, so that nobody waits for a single handshake, but not so many that what is measured is the memory of handshakes.
connect(_Port, 0) ->
    [];
connect(Port, N) ->
    Now = min(N, ?AT_A_TIME),
    Clients = [ element(2, {ok, _} = ws_client:open(Port, #{tcp_opts => [{buffer, 1024}]})) || _ <- lists:seq(1, Now) ],
    ok = lists:foreach(fun(Client) -> ws_client:send(Client, {raw, ws_client:handshake("/")}) end, Clients),
    [ opened(Client) || Client <- Clients ] ++ connect(Port, N - Now).


talked(Port, Frames) ->
    Opts = #{tcp_opts => [{buffer, 1024}], extensions => "permessage-deflate"},
    {ok, Client, {101, _}} = ws_client:connect(Port, "/", Opts),
    [ begin
          ok = ws_client:send(Client, Frame),
          {frame, true, 4, _, _} = ws_client:recv(Client)
      end
      || Frame <- Frames ],
    Socket = ws_client:socket(Client),
    ok = inet:setopts(Socket, [{active, true}]),
    Socket.


opened(Client) ->
    {_Version, 101, _Headers} = ws_client:recv_head(Client),
    Socket = ws_client:socket(Client),
    ok = inet:setopts(Socket, [{active, true}]),
    Socket.
