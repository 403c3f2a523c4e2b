%% A handler that answers by itself and knows Cowboy only.
-module(shim_http_h).

-behaviour(cowboy_handler).

-export([init/2]).


-spec init(cowboy_req:req(), any()) -> {ok, cowboy_req:req(), any()}.
init(Req, State) ->
    #{n := N} = cowboy_req:match_qs([{n, int, 0}], Req),
    {ok, cowboy_req:reply(200, #{}, integer_to_binary(N + 1), Req), State}.
