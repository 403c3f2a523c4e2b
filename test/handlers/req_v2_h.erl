%% Answers with the body of the request, read in small parts, or in pieces if there is none. Arity 2.
-module(req_v2_h).

-export([init/2]).
-export([websocket_handle/2]).
-export([websocket_info/2]).


init(Req, State) ->
    req_reader:answer(Req, State).


websocket_handle(_, State) -> {[], State}.


websocket_info(_, State) -> {[], State}.
