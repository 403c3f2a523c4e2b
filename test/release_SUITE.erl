%% A release that goes from one version of drover to the next, and back, under open connections.
%%
%% The next version is this one, compiled with a function more in each module. The release has drover and the application of
%% projects/rebar3, which has a listener in its supervision tree; it runs in a node of its own.
-module(release_SUITE).

-export([suite/0, all/0]).
-export([init_per_suite/1, end_per_suite/1]).
-export([upgrade_and_downgrade/1, another_library/1]).
%% Called on the node.
-export([version/0, connections/0]).

-define(PATIENCE_MS, 60000).
-define(OLD,         "1").
-define(NEW,         "2").


suite() ->
    [{timetrap, {minutes, 5}}].


all() ->
    [upgrade_and_downgrade, another_library].


init_per_suite(Config) ->
    ok = hello(Config),
    [{old, drover("0.1.0", [], Config)}, {new, drover("0.2.0", [next_version], Config)} | Config].


end_per_suite(_Config) ->
    ok.


%% Every connection answers with the new code, with the old one again, and so on; none has noticed. Each is in the middle of a
%% message when the code changes, and new ones come.
upgrade_and_downgrade(Config) ->
    Dir = proplists:get_value(priv_dir, Config),
    {0, _} = appup(proplists:get_value(old, Config), proplists:get_value(new, Config)),
    ok = release(?OLD, "0.1.0", Config),
    ok = release(?NEW, "0.2.0", Config),
    [Old, New] = [ rel(Vsn, Dir) || Vsn <- [?OLD, ?NEW] ],
    ok = made(systools:make_relup(New, [Old], [Old], [silent | options(?NEW, Config)])),
    ok = release_handler:create_RELEASES(code:root_dir(), releases(Dir), Old ++ ".rel", libraries("0.1.0", Config)),
    Node = start(Config),
    {ok, ?NEW} = call(Node, release_handler, set_unpacked, [New ++ ".rel", libraries("0.2.0", Config)]),
    Port = call(Node, drover, get_port, [hello]),
    Clients = [ begun(connect(Port)) || _ <- lists:seq(1, 5) ],
    Pids = call(Node, ?MODULE, connections, []),
    5 = length(Pids),
    [ begin
          {ok, _, _} = call(Node, release_handler, install_release, [Vsn]),
          Vsn = call(Node, ?MODULE, version, []),
          [] = Pids -- call(Node, ?MODULE, connections, []),
          [ ok = answered(Client) || Client <- [begun(connect(Port)) | Clients] ],
          [ begun(Client) || Client <- Clients ]
      end || Vsn <- [?NEW, ?OLD, ?NEW, ?OLD, ?NEW] ],
    ok = call(Node, release_handler, make_permanent, [?NEW]),
    [ ok = answered(Client) || Client <- Clients ],
    peer:stop(Node).


%% There is no way to another native library under open connections, and one is told so.
another_library(Config) ->
    New = drover("0.3.0", [], Config),
    Library = filename:join(New, "priv/libdrover_nif.so"),
    ok = file:write_file(Library, <<0>>, [append]),
    {1, Told} = appup(proplists:get_value(old, Config), New),
    {match, _} = re:run(Told, "native libraries .* differ"),
    {error, enoent} = file:read_file_info(filename:join(New, "ebin/drover.appup")),
    ok.


%%% On the node.


-spec version() -> string().
version() ->
    Modules = changed(element(2, application:get_key(drover, modules))),
    case lists:usort([ erlang:function_exported(Module, next_version, 0) || Module <- Modules ]) of
        [false] -> ?OLD;
        [true] -> ?NEW
    end.


-spec connections() -> [pid()].
connections() ->
    lists:sort([ Pid || Pid <- processes(), is_connection(process_info(Pid, dictionary)) ]).


is_connection({dictionary, Dictionary}) -> lists:member({'$initial_call', {cowboy_clear, connection_process, 4}}, Dictionary);
is_connection(undefined) -> false.


%%% Clients.


connect(Port) ->
    {ok, Client, {101, _}} = ws_client:connect(Port, "/hello"),
    Client.


begun(Client) ->
    ok = ws_client:send(Client, {fragment, false, text, "J"}),
    Client.


answered(Client) ->
    ok = ws_client:send(Client, {fragment, true, continuation, "oe"}),
    {text, <<"Hello Joe">>} = ws_client:recv(Client),
    ok.


%%% Applications.


%% A folder of drover as in a release.
drover(Vsn, Functions, Config) ->
    Dir = filename:join(library(Config), "drover-" ++ Vsn),
    [ ok = filelib:ensure_path(filename:join(Dir, Sub)) || Sub <- ["ebin", "priv"] ],
    {ok, _} = file:copy(filename:join(code:priv_dir(drover), "libdrover_nif.so"), filename:join(Dir, "priv/libdrover_nif.so")),
    {ok, [{application, drover, Keys}]} = file:consult(code:where_is_file("drover.app")),
    ok = write(filename:join(Dir, "ebin/drover.app"), {application, drover, lists:keystore(vsn, 1, Keys, {vsn, Vsn})}),
    Modules = proplists:get_value(modules, Keys),
    [ ok = module(Module, Functions, filename:join(Dir, "ebin")) || Module <- changed(Modules) ],
    [ ok = module(Module, [], filename:join(Dir, "ebin")) || Module <- Modules -- changed(Modules) ],
    Dir.


%% What every version may change.
changed(Modules) ->
    Modules -- [drover_nif, drover_wait].


%% The module with these functions more.
module(Module, Functions, Ebin) ->
    {ok, {_, [{abstract_code, {_, [File, Attribute | Forms]}}]}} = beam_lib:chunks(code:which(Module), [abstract_code]),
    More = [ erl_syntax:revert(function(Name)) || Name <- Functions ],
    Exports = {attribute, erl_anno:new(0), export, [ {Name, 0} || Name <- Functions ]},
    {eof, _} = End = lists:last(Forms),
    {ok, Module, Code} = compile:forms([File, Attribute, Exports] ++ lists:droplast(Forms) ++ More ++ [End], [debug_info, nowarn_export_all]),
    file:write_file(filename:join(Ebin, atom_to_list(Module) ++ ".beam"), Code).


function(Name) ->
    erl_syntax:function(erl_syntax:atom(Name), [erl_syntax:clause(none, [erl_syntax:atom(true)])]).


hello(Config) ->
    Ebin = filename:join(library(Config), "hello-1.0.0/ebin"),
    Sources = filename:join(cowboy_peer:above("test"), "projects/rebar3/src"),
    ok = filelib:ensure_path(Ebin),
    [ {ok, _} = compile:file(Source, [{outdir, Ebin}]) || Source <- filelib:wildcard(filename:join(Sources, "*.erl")) ],
    {ok, [{application, hello, Keys}]} = file:consult(filename:join(Sources, "hello.app.src")),
    write(filename:join(Ebin, "hello.app"), {application, hello, [{modules, [hello_app, hello_h]} | Keys]}).


%% scripts/appup: its status and what it said.
appup(Old, New) ->
    Script = filename:join(cowboy_peer:above("scripts"), "appup"),
    Program = os_program:start(Script, [Old, New], []),
    os_program:await_exit(Program).


%%% Releases.


release(Vsn, DroverVsn, Config) ->
    Dir = proplists:get_value(priv_dir, Config),
    Rel = rel(Vsn, Dir),
    ok = filelib:ensure_dir(Rel),
    Versions = [ {App, version_of(App)} || App <- [kernel, stdlib, sasl] ] ++ [{drover, DroverVsn}, {hello, "1.0.0"}],
    ok = write(Rel ++ ".rel", {release, {"station", Vsn}, {erts, erlang:system_info(version)}, Versions}),
    ok = write(filename:join(filename:dirname(Rel), "sys.config"), []),
    ok = made(systools:make_script(Rel, [silent, {variables, [{"LIB", library(Config)}]} | options(Vsn, Config)])),
    {ok, _} = file:copy(Rel ++ ".boot", filename:join(filename:dirname(Rel), "start.boot")),
    ok.


made({ok, _Module, _Warnings}) -> ok;
made({ok, _Relup, _Module, _Warnings}) -> ok;
made(Error) -> Error.


options(Vsn, Config) ->
    [{path, filelib:wildcard(filename:join(library(Config), "*/ebin"))},
     {outdir, filename:dirname(rel(Vsn, proplists:get_value(priv_dir, Config)))}].


version_of(App) ->
    _ = application:load(App),
    {ok, Vsn} = application:get_key(App, vsn),
    Vsn.


libraries(DroverVsn, Config) ->
    [ {App, Vsn, library(Config)} || {App, Vsn} <- [{drover, DroverVsn}, {hello, "1.0.0"}] ].


library(Config) ->
    filename:join(proplists:get_value(priv_dir, Config), "lib").


releases(Dir) ->
    filename:join(Dir, "releases").


rel(Vsn, Dir) ->
    filename:join([releases(Dir), Vsn, "station"]).


write(File, Term) ->
    file:write_file(File, io_lib:format("~p.~n", [Term])).


%% An own process of the system, which has of this one nothing but the modules of the tests.
start(Config) ->
    Dir = proplists:get_value(priv_dir, Config),
    Boot = filename:join(filename:dirname(rel(?OLD, Dir)), "start"),
    Args = ["-boot",
            Boot,
            "-boot_var",
            "LIB",
            library(Config),
            "-sasl",
            "releases_dir",
            io_lib:format("~p", [releases(Dir)]),
            "-pa",
            filename:dirname(code:which(?MODULE))],
    {ok, Node, _} = peer:start_link(#{connection => standard_io, args => [ lists:flatten(Arg) || Arg <- Args ], wait_boot => ?PATIENCE_MS}),
    Node.


call(Node, Module, Function, Args) ->
    peer:call(Node, Module, Function, Args, ?PATIENCE_MS).
