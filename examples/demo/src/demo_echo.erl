%% An echo: a handler with callbacks of arity 3, as Cowboy 2.0.0-pre called them.
%%
%% Every message goes back as it came. Two lines are the page's own: `/ping' asks for a ping
%% frame to the browser, whose pong is timed here; once a second the server tells what it saw:
%%   stats MESSAGES BYTES MEMORY COMPRESS | pong MICROSECONDS      (fields separated by tabs)
-module(demo_echo).
-behaviour(cowboy_websocket).

-export([init/2, websocket_handle/3, websocket_info/3]).

-define(IDLE_TIMEOUT, 60000).
-define(PING_EVERY,   20).
-define(MAX_MESSAGE,  8388608).

-record(state, {
          messages = 0 :: non_neg_integer(),
          bytes = 0 :: non_neg_integer(),
          seconds = 0 :: non_neg_integer()
         }).

-type in_frame() :: ping | pong | {text | binary | ping | pong, binary()}.
-type out_frame() :: {text | binary | ping, binary()} | {close, 1009, binary()}.
-type result() ::
        {ok, cowboy_req:req(), #state{}} |
        {reply, out_frame() | [out_frame()], cowboy_req:req(), #state{}}.


%% Runs in the connection's process, so a timer on self() reaches websocket_info/3.
-spec init(cowboy_req:req(), term()) -> {cowboy_websocket, cowboy_req:req(), #state{}, timeout()}.
init(Req, _Opts) ->
    _ = erlang:send_after(1000, self(), second),
    {cowboy_websocket, Req, #state{}, ?IDLE_TIMEOUT}.


-spec websocket_handle(in_frame(), cowboy_req:req(), #state{}) -> result().
websocket_handle({text, <<"/ping">>}, Req, State) ->
    {reply, ping(), Req, State};
websocket_handle({pong, <<Sent:64/signed>>}, Req, State) ->
    RoundTrip = now_us() - Sent,
    {reply, {text, <<"pong\t", (integer_to_binary(RoundTrip))/binary>>}, Req, State};
websocket_handle({Kind, Data}, Req, State)
  when Kind =:= text orelse Kind =:= binary, byte_size(Data) =< ?MAX_MESSAGE ->
    #state{messages = Messages, bytes = Bytes} = State,
    {reply, {Kind, Data},
            Req,
            State#state{
              messages = Messages + 1, bytes = Bytes + byte_size(Data)
             }};
websocket_handle({Kind, _TooBig}, Req, State) when Kind =:= text; Kind =:= binary ->
    {reply, {close, 1009, <<"8 MiB at most">>}, Req, State};
websocket_handle(_PingOrPong, Req, State) ->
    {ok, Req, State}.


-spec websocket_info(term(), cowboy_req:req(), #state{}) -> result().
websocket_info(second, Req, State = #state{seconds = Seconds}) ->
    _ = erlang:send_after(1000, self(), second),
    %% The pong counts as life: an open page never meets the idle timeout, a dead one does.
    Ping = [ ping() || Seconds rem ?PING_EVERY =:= ?PING_EVERY - 1 ],
    {reply, [stats(Req, State) | Ping], Req, State#state{seconds = Seconds + 1}};
websocket_info(_Other, Req, State) ->
    {ok, Req, State}.


stats(Req, #state{messages = Messages, bytes = Bytes}) ->
    {memory, Memory} = process_info(self(), memory),
    Fields = [integer_to_binary(Messages),
              integer_to_binary(Bytes),
              integer_to_binary(Memory),
              atom_to_binary(maps:get(websocket_compress, Req, false))],
    {text, iolist_to_binary(lists:join($\t, [<<"stats">> | Fields]))}.


%% The payload comes back in the pong: nothing to remember.
ping() ->
    {ping, <<(now_us()):64/signed>>}.


now_us() ->
    erlang:monotonic_time(microsecond).
