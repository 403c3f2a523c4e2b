%% A handler of arity 3 that knows Cowboy only.
-module(shim_v2pre_h).

-behaviour(cowboy_websocket).

-export([init/2, websocket_handle/3, websocket_info/3]).


-spec init(cowboy_req:req(), any()) -> {ok | cowboy_websocket, cowboy_req:req(), any()}.
init(Req, State) ->
    case cowboy_req:header(<<"upgrade">>, Req) of
        undefined ->
            {ok, cowboy_req:reply(403, [{<<"x-why">>, <<"no upgrade">>}], <<"no">>, Req), State};
        _ ->
            self() ! hello,
            {cowboy_websocket, Req, State}
    end.


-spec websocket_handle(cowboy_websocket:in_frame(), cowboy_req:req(), State) ->
          cowboy_websocket:reply_result(State).
websocket_handle({text, Text}, Req, State) ->
    {reply, {text, Text}, Req, State};
websocket_handle(_, Req, State) ->
    {ok, Req, State}.


-spec websocket_info(any(), cowboy_req:req(), State) -> cowboy_websocket:reply_result(State).
websocket_info(hello, Req, State) ->
    Version = cowboy_req:meta(websocket_version, Req),
    {reply, {text, integer_to_binary(Version)}, Req, State}.
