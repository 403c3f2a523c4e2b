-module(hello_app).
-behaviour(application).
-behaviour(supervisor).

-export([start/2, stop/1]).
-export([init/1]).


start(_Type, _Args) ->
    Dispatch = cowboy_router:compile([{'_', [{"/hello/[:greeting]", hello_h, []}]}]),
    {ok, _} = cowboy:start_clear(hello,
                                 [{ip, {127, 0, 0, 1}}, {port, 0}],
                                 #{
                                   env => #{dispatch => Dispatch},
                                   middlewares => [cowboy_router, drover_handler]
                                  }),
    supervisor:start_link({local, hello_sup}, ?MODULE, []).


stop(_State) ->
    cowboy:stop_listener(hello).


init([]) ->
    {ok, {#{}, []}}.
