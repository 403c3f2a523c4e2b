%% Asks for an upgrade and has no callbacks for it.
-module(no_callbacks_h).

-export([init/2]).


init(Req, State) ->
    {cowboy_websocket, Req, State}.
