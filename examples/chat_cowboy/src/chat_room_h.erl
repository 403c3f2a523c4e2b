%% Says how many are in a room.
-module(chat_room_h).
-behaviour(cowboy_handler).

-export([init/2]).


-spec init(cowboy_req:req(), State) -> {ok, cowboy_req:req(), State}.
init(Req0, State) ->
    Here = length(pg:get_members(chat, cowboy_req:binding(room, Req0))),
    Req = cowboy_req:reply(200, #{<<"content-type">> => <<"text/plain">>}, integer_to_binary(Here), Req0),
    {ok, Req, State}.
