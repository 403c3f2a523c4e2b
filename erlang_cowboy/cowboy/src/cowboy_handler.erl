%% The behaviour of handlers that answer a request themselves.
-module(cowboy_handler).


-callback init(Req, any()) -> {ok, Req, any()} | {module(), Req, any()} | {module(), Req, any(), any()}
                  when Req :: cowboy_req:req().
-callback terminate(Reason :: any(), cowboy_req:req(), any()) -> any().
-optional_callbacks([terminate/3]).
