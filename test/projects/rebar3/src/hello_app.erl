-module(hello_app).
-behaviour(application).
-behaviour(supervisor).

-export([start/2, stop/1]).
-export([init/1]).


start(_Type, _Args) ->
    {ok, Sup} = supervisor:start_link({local, hello_sup}, ?MODULE, []),
    io:format("hello listens on port ~b~n", [drover:get_port(hello)]),
    {ok, Sup}.


stop(_State) ->
    ok.


init([]) ->
    Dispatch = drover_router:compile([{'_', [{"/hello", hello_h, []}]}]),
    TransportOpts = #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, 0}]},
    Listener = drover:child_spec(hello, TransportOpts, #{env => #{dispatch => Dispatch}}),
    {ok, {#{}, [Listener]}}.
