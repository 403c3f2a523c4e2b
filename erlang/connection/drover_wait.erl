%% Where processes of connections wait for their next message.
%%
%% A process that waits stands in the code of this module, and every other module is called by its
%% full name. So this module does not change, and the others can be reloaded any number of
%% times under open connections.
-module(drover_wait).

-export([message/2]).
-export([hibernated/2]).
-export([http/1]).


%% @doc Wait as an open WebSocket connection.
-spec message(drover_conn:state(), drover_dialect:local()) -> no_return().
message(State, Local) ->
    receive
        Message -> drover_conn:handle(Message, State, Local)
    end.


%% @doc The same, entered through hibernation.
-spec hibernated(drover_conn:state(), drover_dialect:local()) -> no_return().
hibernated(State, Local) ->
    receive
        Message -> drover_conn:woken(Message, State, Local)
    end.


%% @doc Wait as a connection that still speaks HTTP.
-spec http(drover_http:state()) -> no_return().
http(State) ->
    receive
        Message -> drover_http:handle(Message, State)
    end.
