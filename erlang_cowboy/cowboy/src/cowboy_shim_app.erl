%% Refuses to start next to the real Cowboy, whose modules have the same names: which of
%% them would be loaded is a matter of chance.
-module(cowboy_shim_app).

-behaviour(application).
-behaviour(supervisor).

-export([start/2, stop/1]).
-export([init/1]).


-spec start(application:start_type(), any()) -> {ok, pid()} | {error, any()}.
start(_, _) ->
    %% A module that the real Cowboy has and this application has not.
    case code:where_is_file("cowboy_http.beam") of
        non_existing -> {ok, _} = supervisor:start_link({local, ?MODULE}, ?MODULE, []);
        Beam -> {error, {real_cowboy_in_code_path, Beam}}
    end.


-spec stop(any()) -> ok.
stop(_) ->
    ok.


%% An application has to have a process; this one supervises nothing.
-spec init([]) -> {ok, {supervisor:sup_flags(), []}}.
init([]) ->
    {ok, {#{}, []}}.
