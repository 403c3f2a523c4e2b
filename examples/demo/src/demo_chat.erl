%% A chat room: a handler with callbacks of arity 2, as Cowboy 2.x calls them.
%%
%% The browser sends   say TEXT | name NAME | room ROOM
%% and receives lines whose fields are separated by tabs:
%%   welcome ROOM NAME | here NAME... | joined TIME NAME | left TIME NAME
%%   renamed TIME OLD NEW | said TIME NAME TEXT | error TEXT
-module(demo_chat).
-behaviour(cowboy_websocket).

-export([init/2, websocket_init/1, websocket_handle/2, websocket_info/2]).

-define(PING_EVERY, 25000).
-define(MAX_NAME,   24).
-define(MAX_TEXT,   2000).

-type state() :: #{room := binary(), name := binary()}.


%% Runs in the request's own process: check the request, choose the options.
-spec init(cowboy_req:req(), term()) ->
          {cowboy_websocket, cowboy_req:req(), state(), cowboy_websocket:opts()} |
          {ok, cowboy_req:req(), term()}.
init(Req, Opts) ->
    case same_origin(Req) of
        true ->
            #{room := Room, name := Name} =
                cowboy_req:match_qs([{room, [], <<"lobby">>}, {name, [], <<>>}], Req),
            State = #{room => label(Room, <<"lobby">>), name => label(Name, <<"guest">>)},
            WsOpts = #{compress => true, idle_timeout => 60000, max_frame_size => 16384},
            {cowboy_websocket, Req, State, WsOpts};
        false ->
            {ok, cowboy_req:reply(403, Req), Opts}
    end.


%% Runs in the connection's process, as everything below. Its pid is what joins the room.
-spec websocket_init(state()) -> cowboy_websocket:call_result(state()).
websocket_init(State = #{room := Room, name := Name}) ->
    _ = erlang:send_after(?PING_EVERY, self(), ping),
    ok = demo_rooms:enter(Room, Name),
    {[], State}.


-spec websocket_handle(ping | pong | {text | binary | ping | pong, binary()}, state()) ->
          cowboy_websocket:call_result(state()).
websocket_handle({text, <<"say ", Text/binary>>}, State) ->
    case clean(Text, ?MAX_TEXT) of
        <<>> -> ok;
        Clean -> demo_rooms:say(Clean)
    end,
    {[], State};
websocket_handle({text, <<"name ", Name/binary>>}, State) ->
    ok = demo_rooms:rename(label(Name, <<"guest">>)),
    {[], State};
websocket_handle({text, <<"room ", Room/binary>>}, State) ->
    ok = demo_rooms:move(label(Room, <<"lobby">>)),
    {[], State};
websocket_handle({Kind, _}, State) when Kind =:= text; Kind =:= binary ->
    {[line(error, [<<"Not understood.">>])], State};
websocket_handle(_PingOrPong, State) ->
    {[], State}.


-spec websocket_info(term(), state()) -> cowboy_websocket:call_result(state()).
websocket_info(ping, State) ->
    %% The browser's pong keeps a quiet connection from its idle timeout; a dead one runs into it.
    _ = erlang:send_after(?PING_EVERY, self(), ping),
    {[ping], State};
websocket_info({room, {welcome, Room, Name, Here, History}}, State) ->
    Greeting = [line(welcome, [Room, Name]), line(here, Here)],
    {Greeting ++ [ event(Event) || Event <- History ], State};
websocket_info({room, Event}, State) ->
    {[event(Event)], State};
websocket_info(_Other, State) ->
    {[], State}.


event({joined, Time, Name}) -> line(joined, [integer_to_binary(Time), Name]);
event({left, Time, Name}) -> line(left, [integer_to_binary(Time), Name]);
event({renamed, Time, Old, New}) -> line(renamed, [integer_to_binary(Time), Old, New]);
event({said, Time, Name, Text}) -> line(said, [integer_to_binary(Time), Name, Text]);
event({error, Text}) -> line(error, [Text]).


line(Tag, Fields) ->
    {text, lists:join($\t, [atom_to_binary(Tag) | Fields])}.


%% A page of another site may open a WebSocket to this server in its visitor's name; browsers
%% say in `origin' who asks. Clients that are no browsers send none.
same_origin(Req) ->
    Host = cowboy_req:header(<<"host">>, Req, <<>>),
    case cowboy_req:header(<<"origin">>, Req) of
        undefined -> true;
        <<"http://", Host:(byte_size(Host))/binary>> -> true;
        <<"https://", Host:(byte_size(Host))/binary>> -> true;
        _ -> false
    end.


label(Text, Default) ->
    case clean(Text, ?MAX_NAME) of
        <<>> -> Default;
        Clean -> Clean
    end.


%% At most Max characters, all printable. Text of a frame is valid UTF-8; that of a query
%% string need not be.
clean(Text, Max) ->
    case unicode:characters_to_list(Text) of
        Chars when is_list(Chars) ->
            Printable = lists:sublist([ C || C <- Chars, is_printable(C) ], Max),
            string:trim(unicode:characters_to_binary(Printable));
        _Invalid ->
            <<>>
    end.


%% No control characters (a tab separates fields), and none that turn the text's direction.
is_printable(C) when C < 32; C >= 127, C < 160 -> false;
is_printable(C) when C >= 16#202A, C =< 16#202E; C >= 16#2066, C =< 16#2069 -> false;
is_printable(_) -> true.
