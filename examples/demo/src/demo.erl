%% The demo behind `make run`: one page, a chat room and an echo, on drover's own listener.
%%
%% This module starts and stops it. What is worth reading are the two handlers, one for each of
%% Cowboy's handler APIs: demo_chat (callbacks of arity 2) and demo_echo (callbacks of arity 3).
-module(demo).
-behaviour(supervisor).

-export([main/0, start/1, stop/0, routes/1]).
-export([init/1]).

-export_type([options/0]).

-type options() :: #{
                     %% Folder that holds src/ and web/.
                     dir := file:filename(),
                     %% Default 8080; 0 lets the system choose, `drover:get_port(demo)' tells.
                     port => inet:port_number(),
                     %% Default {127, 0, 0, 1}: the demo has no accounts, so it stays on this machine.
                     ip => inet:ip_address()
                    }.


%% Run from the command line: settings come from the environment, and errors are sentences.
-spec main() -> ok.
main() ->
    case port_of(os:getenv("PORT", "8080")) of
        {ok, Port} ->
            {ok, Cwd} = file:get_cwd(),
            %% A port in use is the user's news, not a supervisor's failure to report at length.
            ok = logger:set_module_level(supervisor, none),
            report(Port, start(#{dir => os:getenv("DEMO_DIR", Cwd), port => Port}));
        error ->
            fail("PORT must be a number from 0 to 65535.~n", [])
    end.


-spec start(options()) -> {ok, inet:port_number()} | {error, term()}.
start(Options = #{dir := Dir}) ->
    {ok, _} = application:ensure_all_started(drover),
    {ok, Sup} = supervisor:start_link({local, ?MODULE}, ?MODULE, []),
    %% The starter may go away; the demo stays until stop/0.
    unlink(Sup),
    Address = [{ip, maps:get(ip, Options, {127, 0, 0, 1})}, {port, maps:get(port, Options, 8080)}],
    ProtoOpts = #{env => #{dispatch => drover_router:compile(routes(Dir))}, compress => true},
    case drover:start_clear(?MODULE, #{socket_opts => Address}, ProtoOpts) of
        {ok, _} ->
            {ok, drover:get_port(?MODULE)};
        {error, Reason} ->
            stop_sup(),
            {error, Reason}
    end.


-spec stop() -> ok.
stop() ->
    _ = drover:stop_listener(?MODULE),
    stop_sup().


%% Routes in Cowboy's syntax. Every file of the page has a route of its own: no part of a
%% request's path is ever used as a file name.
-spec routes(file:filename()) -> [{'_', [{string(), module(), term()}]}].
routes(Dir) ->
    Web = fun(Name) -> {"/" ++ Name, demo_page, filename:join([Dir, "web", Name])} end,
    Source = fun(Name) -> {"/source/" ++ Name, demo_page, filename:join([Dir, "src", Name])} end,
    Index = {"/", demo_page, filename:join([Dir, "web", "index.html"])},
    [{'_',
      [{"/chat", demo_chat, []}, {"/echo", demo_echo, []}, Index] ++
      [ Web(Name) || Name <- web_files() ] ++
      [ Source(Name) || Name <- ["demo_chat.erl", "demo_echo.erl"] ]}].


-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    {ok,
     {#{strategy => one_for_one},
      [#{id => pg, start => {pg, start_link, [demo_rooms:scope()]}},
       #{id => demo_rooms, start => {demo_rooms, start_link, []}}]}}.


web_files() ->
    ["app.js", "body.js", "chart.js", "chat.js", "echo.js", "format.js", "icon.svg", "socket.js", "style.css"].


stop_sup() ->
    case whereis(?MODULE) of
        undefined ->
            ok;
        Sup ->
            Monitor = monitor(process, Sup),
            exit(Sup, shutdown),
            receive
                {'DOWN', Monitor, process, Sup, _} -> ok
            end
    end.


port_of(Text) ->
    case string:to_integer(Text) of
        {Port, []} when Port >= 0, Port =< 65535 -> {ok, Port};
        _ -> error
    end.


report(_Asked, {ok, Port}) ->
    ok = logger:unset_module_level(supervisor),
    io:format("~n  The drover demo is at  http://127.0.0.1:~b~n~n  Ctrl-C stops it.~n~n", [Port]);
report(Port, {error, eaddrinuse}) ->
    fail(
      "Port ~b is in use. Stop what listens there, or choose another: PORT=~b make run~n",
      [Port, (Port + 1) rem 65536]);
report(Port, {error, eacces}) ->
    fail("This user may not listen on port ~b. Choose one above 1023: PORT=8080 make run~n", [Port]);
report(Port, {error, Reason}) ->
    fail("The demo could not start on port ~b: ~0p~n", [Port, Reason]).


-spec fail(io:format(), [term()]) -> no_return().
fail(Format, Args) ->
    io:format(standard_error, Format, Args),
    halt(1).
