%% The command lists that callbacks return: frames to send and changes to the connection.
%%
%% Pure. Frames of one list leave in one send, so a list is sorted into what goes out and what is set
%% before anything happens, and a list with a mistake in it does nothing.
-module(drover_commands).

-export([frames/1]).
-export([leading_frames/1]).
-export([split/1]).

-type frame() ::
        {text | binary, iodata()} |
        ping |
        pong |
        {ping | pong, iodata()} |
        close |
        {close, iodata()} |
        {close, 0..65535, iodata()}.

-type setting() ::
        {active, boolean()} |
        {set_options, map()} |
        {shutdown_reason, term()}.

-type command() :: frame() | {deflate, boolean()} | setting().

-export_type([frame/0, setting/0, command/0]).

%% The bodies of control frames are limited to 125 bytes, two of which a close code takes (RFC 6455, 5.5).
-define(MAX_CONTROL,      125).
-define(MAX_CLOSE_REASON, 123).


%% @doc The frames of a reply, which may hold nothing but frames. All of them are good, up to a close frame.
-spec frames(frame() | [frame()]) -> [frame()].
frames(Frames) when is_list(Frames) ->
    ok = all_frames(Frames),
    Frames;
frames(Frame) ->
    frames([Frame]).


%% @doc The frames of a reply up to the first bad one.
-spec leading_frames(frame() | [frame()]) -> [frame()] | {part, [frame()], Why :: term()}.
leading_frames(Frames) when is_list(Frames) ->
    leading(Frames, Frames, []);
leading_frames(Frame) ->
    leading_frames([Frame]).


%% @doc Sort a command list into what is sent, in order, and what is set. After a close frame the
%% rest of the list is ignored.
-spec split([command()]) -> {[drover_native:out_item()], [setting()], open | close}.
split(Commands) ->
    split(Commands, [], []).


split([], Items, Settings) ->
    {lists:reverse(Items), lists:reverse(Settings), open};
split([{deflate, On} = Item | Tail], Items, Settings) when is_boolean(On) ->
    split(Tail, [Item | Items], Settings);
split([{active, Active} = Setting | Tail], Items, Settings) when is_boolean(Active) ->
    split(Tail, Items, [Setting | Settings]);
split([{set_options, Options} = Setting | Tail], Items, Settings) when is_map(Options) ->
    split(Tail, Items, [Setting | Settings]);
split([{shutdown_reason, _} = Setting | Tail], Items, Settings) ->
    split(Tail, Items, [Setting | Settings]);
split([Frame | Tail], Items, Settings) ->
    case accept(kind(Frame)) of
        open -> split(Tail, [Frame | Items], Settings);
        close -> {lists:reverse(Items, [Frame]), lists:reverse(Settings), close}
    end.


all_frames([]) ->
    ok;
all_frames([Frame | Tail]) ->
    case accept(kind(Frame)) of
        open -> all_frames(Tail);
        close -> ok
    end.


leading([], All, _Good) ->
    All;
leading([Frame | Tail], All, Good) ->
    case kind_of_then(Frame) of
        open -> leading(Tail, All, [Frame | Good]);
        close -> All;
        {bad, Why} -> {part, lists:reverse(Good), Why}
    end.


%% Payloads had to be binaries in the time of these replies.
kind_of_then({_Type, Payload}) when not is_binary(Payload) -> {bad, badarg};
kind_of_then({close, _Code, Payload}) when not is_binary(Payload) -> {bad, badarg};
kind_of_then(Frame) -> kind(Frame).


accept({bad, Why}) -> erlang:error(Why);
accept(Kind) -> Kind.


%% The reasons of bad frames are those with which a process of Cowboy ends.
kind({text, _}) -> open;
kind({binary, _}) -> open;
kind(ping) -> open;
kind(pong) -> open;
kind({ping, Payload}) -> control(open, Payload, ?MAX_CONTROL);
kind({pong, Payload}) -> control(open, Payload, ?MAX_CONTROL);
kind(close) -> close;
kind({close, Reason}) -> control(close, Reason, ?MAX_CLOSE_REASON);
kind({close, Code, Reason}) when is_integer(Code) -> control(close, Reason, ?MAX_CLOSE_REASON);
kind(_) -> {bad, function_clause}.


control(Kind, Payload, Max) ->
    case iolist_size(Payload) =< Max of
        true -> Kind;
        false -> {bad, {badmatch, false}}
    end.
