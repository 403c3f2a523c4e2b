%% A node with the real Cowboy in its code path, to ask how it would have answered.
%%
%% A node of its own, since the shim has modules of the same names.
-module(cowboy_peer).

-export([start/1, stop/1, call/4]).
-export([above/1]).

-type peer() :: pid().


%% The Cowboy is the one that scripts/fetch-cowboy has fetched. Functions of Suite can be called there.
-spec start(Suite :: module()) -> {ok, peer()} | {skip, string()}.
start(Suite) ->
    case filelib:wildcard(filename:join(above("_peers"), "cowboy/*/ebin")) of
        [] ->
            {skip, "no real Cowboy under _peers"};
        Ebins ->
            Own = [ filename:dirname(code:which(Module)) || Module <- [drover_req, Suite] ],
            Args = lists:append([ ["-pa", Dir] || Dir <- Own ++ Ebins ]),
            {ok, Peer, _} = peer:start(#{connection => standard_io, args => Args}),
            {ok, _} = call(Peer, application, ensure_all_started, [cowboy]),
            {ok, Peer}
    end.


-spec stop(peer()) -> ok.
stop(Peer) ->
    peer:stop(Peer).


-spec call(peer(), module(), atom(), [any()]) -> any().
call(Peer, Module, Function, Args) ->
    peer:call(Peer, Module, Function, Args, 60000).


%% The file or folder of this name in the root of the project, which is somewhere above the build directory.
-spec above(file:filename()) -> file:filename().
above(Name) ->
    filename:join(root(filename:absname(filename:dirname(code:which(?MODULE)))), Name).


root("/") ->
    "/";
root(Dir) ->
    case filelib:is_regular(filename:join(Dir, "Cargo.toml")) of
        true -> Dir;
        false -> root(filename:dirname(Dir))
    end.
