%% A chat for Cowboy 2.x. The middlewares say who carries the WebSocket connections, and nothing else does.
-module(chat_app).
-behaviour(application).
-behaviour(supervisor).

-export([start/2, stop/1]).
-export([init/1]).


-spec start(application:start_type(), term()) -> {ok, pid()} | {error, term()}.
start(_Type, _Args) ->
    {ok, Port} = application:get_env(port),
    {ok, _} = cowboy:start_clear(chat, [{ip, {127, 0, 0, 1}}, {port, Port}], protocol_opts()),
    ok = start_tls(application:get_env(tls)),
    supervisor:start_link({local, chat_sup}, ?MODULE, []).


-spec stop(term()) -> ok.
stop(_State) ->
    _ = cowboy:stop_listener(chat_tls),
    ok = cowboy:stop_listener(chat).


start_tls({ok, [_ | _] = SocketOpts}) ->
    {ok, _} = cowboy:start_tls(chat_tls, SocketOpts, protocol_opts()),
    ok;
start_tls(_) ->
    ok.


protocol_opts() ->
    Dispatch = cowboy_router:compile([{'_',
                                       [{"/", cowboy_static, {priv_file, chat, "index.html"}},
                                        {"/rooms/:room", chat_room_h, []},
                                        {"/chat/:room", chat_h, []}]}]),
    #{
      env => #{dispatch => Dispatch},
      middlewares => [cowboy_router, cowboy_handler],
      enable_connect_protocol => true
     }.


-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    {ok, {#{}, [#{id => pg, start => {pg, start_link, [chat]}}]}}.
