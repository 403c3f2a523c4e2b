%% Answers a plain request and leaves its body unread.
-module(http_ok_h).

-export([init/2]).


init(Req, State) ->
    {ok, (drover_target:req()):reply(200, #{}, <<"ok">>, Req), State}.
