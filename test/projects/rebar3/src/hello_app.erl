-module(hello_app).
-behaviour(application).
-behaviour(supervisor).

-export([start/2, stop/1]).
-export([init/1]).


start(_Type, _Args) ->
    supervisor:start_link({local, hello_sup}, ?MODULE, []).


stop(_State) ->
    ok.


init([]) ->
    Dispatch = drover_router:compile([{'_', [{"/hello", hello_h, []}]}]),
    TransportOpts = #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, 0}]},
    Listener = drover:child_spec(hello, TransportOpts, #{env => #{dispatch => Dispatch}}),
    {ok, {#{}, [Listener]}}.
