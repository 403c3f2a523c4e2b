%% What a client and a handler have seen of each other, in a form in which two servers can be compared.
%%
%% This is the one place where things are made equal that have to differ: pids, references, ports (of Erlang and of TCP),
%% the date, the stack below the handler, the bytes that a compressor chooses, and the names of the two things that belong to the
%% test itself, its script and the header that carries it. Everything else is left as it is.
-module(parity_transcript).

-export([new/1]).
-export([in_the_clear/1]).
-export([frames/1]).
-export([answers/1]).

-export_type([transcript/0, part/0]).

-type part() :: wire | ended | calls | processes | exit | observed.

-type transcript() :: #{
                        %% Response heads and bodies as they came, but for the date, then frames.
                        wire := [binary() | {head, [binary()]} | ws_client:received() | {inflated, atom(), binary()} | {rest, binary()}],
                        ended := [any()],
                        %% The callbacks with their arguments.
                        calls := [{ws_script:callback(), any()}],
                        %% The kind of process that each ran in.
                        processes := [{ws_script:callback(), connection | request}],
                        exit := alive | {exited, any()},
                        observed := [any()]
                       }.

%% Modules of handlers, whose frames of a stack are kept.
-define(HANDLERS, [script_v2_h, script_v2pre_h, script_bare_v2_h]).


%% From what parity_run has collected.
-spec new(map()) -> transcript().
new(#{wire := Wire, calls := Calls} = Seen) ->
    #{
      wire => wire(Wire),
      ended => maps:get(ended, Seen),
      calls => [ {Callback, neutral(Argument)} || {Callback, _, Argument} <- Calls ],
      processes => [ {Callback, Role} || {Callback, Role, _} <- Calls ],
      exit => neutral(maps:get(exit, Seen)),
      observed => neutral(maps:get(observed, Seen))
     }.


%% As if the request had not come over TLS.
-spec in_the_clear(transcript()) -> transcript().
in_the_clear(#{calls := Calls, exit := Exit} = Transcript) ->
    Transcript#{calls := http(Calls), exit := http(Exit)}.


http(#{scheme := <<"https">>} = Req) -> Req#{scheme := <<"http">>};
http(List) when is_list(List) -> [ http(Each) || Each <- List ];
http(Tuple) when is_tuple(Tuple) -> list_to_tuple(http(tuple_to_list(Tuple)));
http(Other) -> Other.


%%% Bytes.


%% How many frames these bytes hold, behind the answer to the handshake.
-spec frames(binary()) -> non_neg_integer().
frames(Wire) ->
    {_, Rest} = heads(Wire, []),
    length([ Frame || Frame <- parse_frames(Rest), element(1, Frame) =:= frame ]).


%% How many responses they hold.
-spec answers(binary()) -> non_neg_integer().
answers(Wire) ->
    {Heads, _} = heads(Wire, []),
    length([ Head || {head, _} = Head <- Heads ]).


wire(Bytes) ->
    {Heads, Rest} = heads(Bytes, []),
    {Frames, _} = lists:mapfoldl(fun received/2, inflater(Heads), parse_frames(Rest)),
    Heads ++ Frames.


%% Whole responses, and the bytes behind them.
heads(<<"HTTP/", _/binary>> = Bytes, Before) ->
    case binary:split(Bytes, <<"\r\n\r\n">>) of
        [Head, Rest] ->
            [Status | Lines] = binary:split(Head, <<"\r\n">>, [global]),
            head(Status, Lines, Rest, Before);
        [_] ->
            {lists:reverse(Before), Bytes}
    end;
heads(Bytes, Before) ->
    {lists:reverse(Before), Bytes}.


head(Status, Lines, Rest, Before) ->
    Head = {head, [Status | [ dateless(Line) || Line <- Lines ]]},
    Length = lists:sum([ binary_to_integer(N) || <<"content-length: ", N/binary>> <- Lines ]),
    case Rest of
        <<Body:Length/binary, More/binary>> when Length > 0 -> heads(More, [Body, Head | Before]);
        More when Length =:= 0 -> heads(More, [Head | Before]);
        Part -> {lists:reverse(Before), Part}
    end.


dateless(<<"date: ", _/binary>>) -> <<"date: DATE">>;
dateless(Line) -> Line.


parse_frames(<<Fin:1, Rsv:3, Opcode:4, 0:1, 127:7, Size:64, Payload:Size/binary, Rest/binary>>) ->
    [{frame, Fin =:= 1, Rsv, Opcode, Payload} | parse_frames(Rest)];
parse_frames(<<Fin:1, Rsv:3, Opcode:4, 0:1, 126:7, Size:16, Payload:Size/binary, Rest/binary>>) ->
    [{frame, Fin =:= 1, Rsv, Opcode, Payload} | parse_frames(Rest)];
parse_frames(<<Fin:1, Rsv:3, Opcode:4, 0:1, Size:7, Payload:Size/binary, Rest/binary>>) when Size < 126 ->
    [{frame, Fin =:= 1, Rsv, Opcode, Payload} | parse_frames(Rest)];
parse_frames(<<>>) ->
    [];
parse_frames(Rest) ->
    [{rest, Rest}].


received({frame, true, 4, Opcode, Payload}, Inflater) ->
    {Bytes, Inflater2} = inflate(Payload, Inflater),
    {{inflated, name(Opcode), Bytes}, Inflater2};
received({frame, true, 0, 8, <<>>}, Inflater) ->
    {close, Inflater};
received({frame, true, 0, 8, <<Code:16, Reason/binary>>}, Inflater) ->
    {{close, Code, Reason}, Inflater};
received({frame, true, 0, Opcode, Payload}, Inflater) when Opcode =/= 0 ->
    {{name(Opcode), Payload}, Inflater};
received(Other, Inflater) ->
    {Other, Inflater}.


name(1) -> text;
name(2) -> binary;
name(9) -> ping;
name(10) -> pong;
name(Opcode) -> Opcode.


%% Two compressors need not agree on the bytes; on what was negotiated they do. `fresh' begins anew with every message.
inflater(Heads) ->
    Extensions = [ Line || {head, Lines} <- Heads, <<"sec-websocket-extensions: ", _/binary>> = Line <- Lines ],
    Kept = [ Line || Line <- Extensions,
                     binary:match(Line, [<<"server_no_context_takeover">>, <<"x-webkit">>]) =:= nomatch ],
    case {Extensions, Kept} of
        {[], _} -> none;
        {_, []} -> fresh;
        {_, _} -> open()
    end.


open() ->
    Z = zlib:open(),
    ok = zlib:inflateInit(Z, -15),
    Z.


%% An empty message has nothing at all in it with Cowboys before 2.13, and an empty block since.
inflate(_Payload, none) ->
    {<<"compressed, but not negotiated">>, none};
inflate(<<>>, Inflater) ->
    {<<>>, Inflater};
inflate(Payload, fresh) ->
    {Bytes, Z} = inflate(Payload, open()),
    ok = zlib:close(Z),
    {Bytes, fresh};
inflate(Payload, Z) ->
    try zlib:inflate(Z, [Payload, <<0, 0, 255, 255>>]) of
        Bytes -> {iolist_to_binary(Bytes), Z}
    catch
        error:Reason -> {{broken, Reason, Payload}, Z}
    end.


%%% Terms.


neutral(Pid) when is_pid(Pid) ->
    pid;
neutral(Ref) when is_reference(Ref) ->
    ref;
neutral(Port) when is_port(Port) ->
    port;
%% The script as a handler's state: how many callbacks have made it so.
neutral(#{calls := Calls, upgrade := _}) ->
    {state, Calls};
neutral(Map) when is_map(Map) ->
    maps:map(fun value/2, Map);
neutral({{A, B, C, D}, Port}) when is_integer(A), is_integer(B), is_integer(C), is_integer(D), is_integer(Port) ->
    {{A, B, C, D}, port};
neutral(Tuple) when is_tuple(Tuple) ->
    list_to_tuple(neutral(tuple_to_list(Tuple)));
neutral([{M, F, A, L} | _] = Stack) when is_atom(M), is_atom(F), is_list(L), (is_integer(A) orelse is_list(A)) ->
    [ {Module, Function, arity(Args)} || {Module, Function, Args, _} <- Stack, lists:member(Module, ?HANDLERS) ];
neutral([Head | Tail]) ->
    [neutral(Head) | neutral(Tail)];
neutral(Other) ->
    Other.


arity(Args) when is_list(Args) -> length(Args);
arity(Arity) -> Arity.


value(port, Port) when is_integer(Port) -> port;
value(ref, _) -> listener;
value(headers, Headers) when is_map(Headers) -> maps:remove(<<"x-script">>, Headers);
value(_Key, Value) -> neutral(Value).
