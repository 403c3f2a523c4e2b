%% One person in one room.
-module(chat_h).
-behaviour(cowboy_websocket).

-export([init/2]).
-export([websocket_init/1, websocket_handle/2, websocket_info/2]).

-type state() :: #{room := binary(), name := binary()}.


-spec init(cowboy_req:req(), term()) -> {cowboy_websocket, cowboy_req:req(), state(), cowboy_websocket:opts()}.
init(Req, _) ->
    #{name := Name} = cowboy_req:match_qs([{name, nonempty}], Req),
    State = #{room => cowboy_req:binding(room, Req), name => Name},
    {cowboy_websocket, Req, State, #{compress => true, max_frame_size => 65536}}.


-spec websocket_init(state()) -> cowboy_websocket:call_result(state()).
websocket_init(#{room := Room} = State) ->
    ok = pg:join(chat, Room, self()),
    {[{text, ["welcome ", Room]}], State}.


-spec websocket_handle(ping | pong | {text | binary | ping | pong, binary()}, state()) ->
          cowboy_websocket:call_result(state()).
websocket_handle({text, <<"say ", Text/binary>>}, #{room := Room, name := Name} = State) ->
    _ = [ Pid ! {said, Name, Text} || Pid <- pg:get_local_members(chat, Room) ],
    {[], State};
websocket_handle({text, <<"quit">>}, State) ->
    {[{close, 4000, <<"bye">>}], State};
websocket_handle(_, State) ->
    {[], State}.


-spec websocket_info(term(), state()) -> cowboy_websocket:call_result(state()).
websocket_info({said, Name, Text}, State) ->
    {[{text, [Name, ": ", Text]}], State};
websocket_info(_, State) ->
    {[], State}.
