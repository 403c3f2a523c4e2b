%% Returns from init/2 what its route says, to see where it leads to.
-module(init_result_h).

-export([init/2, upgrade/4, upgrade/5]).
-export([websocket_init/1, websocket_handle/2, websocket_info/2]).
-export([content_types_provided/2, to_text/2]).
-export([info/3, terminate/3]).


init(Req, ok) ->
    {ok, cowboy_req:reply(200, #{}, <<"ok">>, Req), ok};
init(Req, rest) ->
    {cowboy_rest, Req, rest};
init(Req, loop) ->
    self() ! now,
    {cowboy_loop, Req, loop};
init(Req, sub_protocol) ->
    {?MODULE, Req, sub_protocol};
init(Req, {sub_protocol, Opts} = State) ->
    {?MODULE, Req, State, Opts};
init(Req, crash) ->
    error({crash, Req});
init(Req, named) ->
    {drover_websocket, Req, named, (drover_target:websocket_opts())#{idle_timeout => infinity}};
init(Req, plug) ->
    {'Elixir.Plug.Cowboy.Handler', Req, {?MODULE, plug}, drover_target:websocket_opts()};
init(_Req, invalid) ->
    invalid.


upgrade(Req, Env, Handler, State) ->
    {ok, cowboy_req:reply(200, #{}, io_lib:format("~p", [{upgrade, Handler, State}]), Req), Env}.


upgrade(Req, Env, Handler, State, Opts) ->
    {ok, cowboy_req:reply(200, #{}, io_lib:format("~p", [{upgrade, Handler, State, Opts}]), Req), Env}.


websocket_init(State) ->
    {[{text, atom_to_binary(State)}], State}.


websocket_handle(Frame, State) ->
    {[Frame], State}.


websocket_info(_Message, State) ->
    {[], State}.


content_types_provided(Req, State) ->
    {[{<<"text/plain">>, to_text}], Req, State}.


to_text(Req, State) ->
    {<<"rest">>, Req, State}.


info(now, Req, State) ->
    {stop, cowboy_req:reply(200, #{}, <<"loop">>, Req), State}.


terminate(_Reason, _Req, _State) ->
    ok.
