%% The chat of examples/chat_cowboy on a node of its own, under the real Cowboy: with the WebSocket connections left to Cowboy, or, by
%% one line of its source, carried by drover.
-module(chat_site).

-export([build/2]).
-export([start/2, stop/1]).
-export([port/2]).
-export([count/1]).
%% Called on the node.
-export([serve/0]).
-export([measure/0]).

-export_type([site/0, handler/0]).

-type handler() :: cowboy_handler | drover_handler.
-type way() :: clear | tls | http2.
-opaque site() :: #{node := pid(), ports := #{way() => inet:port_number()}, bridges := [term()]}.

-define(PATIENCE_MS, 60000).

%% The line, as it is in the source.
-define(MIDDLEWARES, <<"middlewares => [cowboy_router, cowboy_handler]">>).


%% Compiles the application into a folder for it. The line must be there, once.
-spec build(handler(), file:filename()) -> file:filename().
build(Handler, Dir) ->
    App = filename:join([Dir, Handler, "chat"]),
    Example = filename:join(cowboy_peer:above("examples"), "chat_cowboy"),
    [ ok = filelib:ensure_path(filename:join(App, Sub)) || Sub <- ["ebin", "priv", "src"] ],
    {ok, _} = file:copy(filename:join(Example, "priv/index.html"), filename:join(App, "priv/index.html")),
    {ok, _} = file:copy(filename:join(Example, "src/chat.app.src"), filename:join(App, "ebin/chat.app")),
    [ ok = compile(Handler, Source, App) || Source <- filelib:wildcard(filename:join(Example, "src/*.erl")) ],
    filename:join(App, "ebin").


compile(Handler, Source, App) ->
    {ok, Text} = file:read_file(Source),
    Copy = filename:join([App, "src", filename:basename(Source)]),
    ok = file:write_file(Copy, changed(Handler, filename:basename(Source), Text)),
    {ok, _} = compile:file(Copy, [{outdir, filename:join(App, "ebin")}, report_errors]),
    ok.


changed(Handler, "chat_app.erl", Text) ->
    [Before, After] = binary:split(Text, ?MIDDLEWARES, [global]),
    [Before, "middlewares => [cowboy_router, ", atom_to_list(Handler), "]", After];
changed(_Handler, _Name, Text) ->
    Text.


-spec start(handler(), file:filename()) -> site().
start(Handler, Dir) ->
    Own = [ Path || Path <- code:get_path(), filename:pathtype(Path) =:= absolute, not lists:prefix(code:lib_dir(), Path) ],
    Cowboy = filelib:wildcard(filename:join(cowboy_peer:above("_peers"), "cowboy/*/ebin")),
    Args = lists:append([ ["-pa", Path] || Path <- Own ++ Cowboy ++ [build(Handler, Dir)] ]),
    {ok, Node, _} = peer:start_link(#{connection => standard_io, args => Args, wait_boot => ?PATIENCE_MS}),
    {Clear, Tls} = peer:call(Node, ?MODULE, serve, [], ?PATIENCE_MS),
    %% The bridge to HTTP/2 needs its cowlib here, too.
    ok = code:add_pathsz([ Path || Path <- Cowboy, string:find(Path, "cowlib") =/= nomatch ]),
    Bridges = [{tls, bridge:start(tls_bridge, Tls)}, {http2, bridge:start(http2_bridge, Clear)}],
    Ports = maps:from_list([ {Way, bridge:port(Bridge)} || {Way, Bridge} <- Bridges ]),
    #{node => Node, ports => Ports#{clear => Clear}, bridges => [ Bridge || {_, Bridge} <- Bridges ]}.


-spec stop(site()) -> ok.
stop(#{node := Node, bridges := Bridges}) ->
    [ ok = bridge:stop(Bridge) || Bridge <- Bridges ],
    peer:stop(Node).


%% Where a client that speaks HTTP/1.1 in the clear connects to, for its bytes to travel in this way.
-spec port(way(), site()) -> inet:port_number().
port(Way, #{ports := Ports}) ->
    maps:get(Way, Ports).


%% What the node holds, and the processor time that it has used.
-spec count(site()) -> #{atom() => term()}.
count(#{node := Node}) ->
    peer:call(Node, ?MODULE, measure, [], ?PATIENCE_MS).


-spec serve() -> {inet:port_number(), inet:port_number()}.
serve() ->
    ok = soak_server:watch(),
    ok = application:load(chat),
    ok = application:set_env(chat, port, 0),
    ok = application:set_env(chat, tls, [{ip, {127, 0, 0, 1}}, {port, 0} | tls_bridge:server_options()]),
    {ok, _} = application:ensure_all_started(chat),
    {ranch:get_port(chat), ranch:get_port(chat_tls)}.


-spec measure() -> #{atom() => term()}.
measure() ->
    Counts = soak_server:count(),
    {Cpu, _} = erlang:statistics(runtime),
    Counts#{
      connections => lists:sum([ length(ranch:procs(Ref, connections)) || Ref <- [chat, chat_tls] ]),
      cpu_ms => Cpu,
      members => length(pg:get_members(chat, <<"lobby">>)),
      ports => length(erlang:ports())
     }.
