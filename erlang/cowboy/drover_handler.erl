%% A middleware of Cowboy's to stand where cowboy_handler stood, so that drover carries the WebSocket connections:
%%
%%     middlewares => [cowboy_router, drover_handler]
%%
%% It calls init/2 and acts on the result as cowboy_handler does, but for {cowboy_websocket, ...}, which becomes a
%% connection of drover's in any of the shapes that handlers of either API return. What Plug.Cowboy returns for a
%% WebSocket, of Phoenix for example, becomes one, too.
%%
%% env may hold options of drover's listeners that concern handlers: #{drover => #{compress => true}}.
-module(drover_handler).

%% A cowboy_middleware. Not declared as one, because drover is compiled without Cowboy.
-export([execute/2]).

-type req() :: map().
-type env() :: #{handler := module(), handler_opts := term(), atom() => term()}.


%% @doc Run the handler that the router has found.
-spec execute(req(), env()) -> {ok, req(), env()} | term().
execute(Req, #{handler := Handler, handler_opts := HandlerOpts} = Env) ->
    try Handler:init(Req, HandlerOpts) of
        Result -> returned(Result, Handler, Env)
    catch
        Class:Reason:Stacktrace ->
            _ = terminate({crash, Class, Reason}, Req, HandlerOpts, Handler),
            erlang:raise(Class, Reason, Stacktrace)
    end.


%% What is an error here is one in cowboy_handler, too.
returned({ok, Req, State}, Handler, Env) ->
    {ok, Req, Env#{result => terminate(normal, Req, State, Handler)}};
returned(Result, Handler, Env) when element(1, Result) =:= cowboy_websocket ->
    drover_websocket:upgrade_as(Result, Handler, Env);
returned({'Elixir.Plug.Cowboy.Handler', Req, {Handler, State}, Opts}, _Plug, Env) when is_map(Opts) ->
    %% Its upgrade/5 does nothing but to call that of cowboy_websocket.
    drover_websocket:upgrade(Req, Env, Handler, State, Opts);
returned({Module, Req, State}, Handler, Env) ->
    Module:upgrade(Req, Env, Handler, State);
returned({Module, Req, State, Opts}, Handler, Env) ->
    Module:upgrade(Req, Env, Handler, State, Opts);
returned(Invalid, _Handler, _Env) ->
    erlang:error({try_clause, Invalid}).


terminate(Reason, Req, State, Handler) ->
    case erlang:function_exported(Handler, terminate, 3) of
        true -> Handler:terminate(Reason, Req, State);
        false -> ok
    end.
