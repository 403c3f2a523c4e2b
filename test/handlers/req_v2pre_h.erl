%% Answers with the body of the request, read in small parts, or in pieces if there is none. Arity 3.
-module(req_v2pre_h).

-export([init/2]).
-export([websocket_handle/3]).
-export([websocket_info/3]).


init(Req, State) ->
    req_reader:answer(Req, State).


websocket_handle(_, Req, State) -> {ok, Req, State}.


websocket_info(_, Req, State) -> {ok, Req, State}.
