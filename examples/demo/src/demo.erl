%% The demo behind `make run`: one page, a chat room and an echo, on drover's own listener.
%%
%% This module starts it. What is worth reading are the two handlers, one for each of Cowboy's
%% handler APIs: demo_chat (callbacks of arity 2) and demo_echo (callbacks of arity 3).
-module(demo).
-behaviour(supervisor).

-export([main/0]).
-export([init/1]).


%% Settings come from the environment: PORT, and DEMO_DIR, the folder of src/ and web/.
-spec main() -> ok.
main() ->
    case port_of(os:getenv("PORT", "8080")) of
        {ok, Port} ->
            %% A port in use is the user's news, not a supervisor's failure to report at length.
            ok = logger:set_module_level(supervisor, none),
            report(Port, start(Port, os:getenv("DEMO_DIR", "examples/demo"))),
            logger:unset_module_level(supervisor);
        error ->
            fail("PORT must be a number from 0 to 65535.~n", [])
    end.


start(Port, Dir) ->
    {ok, _} = application:ensure_all_started(drover),
    {ok, Rooms} = supervisor:start_link({local, ?MODULE}, ?MODULE, []),
    %% The process that runs main/0 ends when all is started.
    true = unlink(Rooms),
    %% The demo has no accounts, so that it stays on this machine.
    TransportOpts = #{socket_opts => [{ip, {127, 0, 0, 1}}, {port, Port}]},
    %% A handler with callbacks of arity 3 has no options of its own: its compression is asked for here.
    ProtocolOpts = #{env => #{dispatch => drover_router:compile(routes(Dir))}, compress => true},
    drover:start_clear(?MODULE, TransportOpts, ProtocolOpts).


%% Routes in Cowboy's syntax. Every file of the page has a route of its own: no part of a
%% request's path is ever used as a file name.
routes(Dir) ->
    File = fun(Path, Parts) -> {Path, demo_page, filename:join([Dir | Parts])} end,
    [{'_',
      [{"/chat", demo_chat, []},
       {"/echo", demo_echo, []},
       File("/", ["web", "index.html"])] ++
      [ File("/" ++ Name, ["web", Name]) || Name <- web_files() ] ++
      [ File("/source/" ++ Name, ["src", Name]) || Name <- ["demo_chat.erl", "demo_echo.erl"] ]}].


web_files() ->
    ["app.js", "body.js", "chart.js", "chat.js", "echo.js", "format.js", "icon.svg", "socket.js", "style.css"].


%% What the chat needs beside its connections.
-spec init([]) -> {ok, {supervisor:sup_flags(), [supervisor:child_spec()]}}.
init([]) ->
    {ok,
     {#{strategy => one_for_one},
      [#{id => pg, start => {pg, start_link, [demo_rooms:scope()]}},
       #{id => demo_rooms, start => {demo_rooms, start_link, []}}]}}.


port_of(Text) ->
    case string:to_integer(Text) of
        {Port, []} when Port >= 0, Port =< 65535 -> {ok, Port};
        _ -> error
    end.


report(_Port, {ok, _Listener}) ->
    Url = io_lib:format("http://127.0.0.1:~b", [drover:get_port(?MODULE)]),
    io:format("~n  The drover demo is at  ~s~n~n  Ctrl-C stops it.~n~n", [Url]);
report(Port, {error, eaddrinuse}) ->
    Other = (Port + 1) rem 65536,
    fail("Port ~b is in use. Stop what listens there, or choose another: PORT=~b make run~n", [Port, Other]);
report(Port, {error, eacces}) ->
    fail("This user may not listen on port ~b. Choose one above 1023: PORT=8080 make run~n", [Port]);
report(Port, {error, Reason}) ->
    fail("The demo could not start on port ~b: ~0p~n", [Port, Reason]).


-spec fail(io:format(), [term()]) -> no_return().
fail(Format, Args) ->
    io:format(standard_error, Format, Args),
    halt(1).
