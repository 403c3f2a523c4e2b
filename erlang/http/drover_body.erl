%% Reads the body of one request for the process that asks for it.
%%
%% Used by the connection process. Bytes are asked of the native core only when somebody wants them,
%% so a client cannot fill memory with a body that nobody reads.
-module(drover_body).

-export([none/0]).
-export([new/2]).
-export([wants_continue/1]).
-export([read/5]).
-export([received/2]).
-export([period_over/2]).

-record(body, {
          conn :: undefined | drover_native:conn(),
          %% The client waits for 100 Continue before it sends the body.
          expects = false :: boolean(),
          fin = true :: boolean(),
          buffer = [] :: iolist(),
          size = 0 :: non_neg_integer(),
          total = 0 :: non_neg_integer(),
          %% The core was asked and has not answered yet.
          asked = false :: boolean(),
          reader :: undefined | {pid(), reference(), non_neg_integer() | auto},
          timer :: undefined | reference()
         }).

-opaque body() :: #body{}.

-export_type([body/0]).

-define(CHUNK, 65536).


%% @doc No request, no body.
-spec none() -> body().
none() ->
    #body{}.


%% @doc The body of a request that has just been received.
-spec new(drover_native:conn(), map()) -> body().
new(_Conn, #{has_body := false}) ->
    none();
new(Conn, #{version := Version, headers := Headers}) ->
    #body{conn = Conn, fin = false, expects = Version =:= 'HTTP/1.1' andalso expects(Headers)}.


expects(#{<<"expect">> := Expect}) -> drover_hd_scan:lower(Expect) =:= <<"100-continue">>;
expects(#{}) -> false.


%% @doc Whether 100 Continue is to be sent now that somebody reads. True once at most.
-spec wants_continue(body()) -> {boolean(), body()}.
wants_continue(#body{expects = Expects} = Body) ->
    {Expects, Body#body{expects = false}}.


%% @doc Send Pid up to Length bytes or what came when Period is over, as Cowboy's request_body message.
-spec read(pid(), reference(), non_neg_integer() | auto, timeout(), body()) -> body().
read(Pid, Ref, Length, Period, Body) ->
    answer(Body#body{reader = {Pid, Ref, Length}, timer = start_timer(Period)}).


start_timer(infinity) -> undefined;
start_timer(Period) -> erlang:start_timer(Period, self(), read_body).


%% @doc Take what the core has read.
-spec received({more | fin, binary()}, body()) -> body().
received({Fin, Data}, #body{buffer = Buffer, size = Size, total = Total} = Body) ->
    answer(Body#body{
             asked = false,
             fin = Fin =:= fin,
             buffer = [Buffer, Data],
             size = Size + byte_size(Data),
             total = Total + byte_size(Data)
            }).


%% @doc The period of a read may be over.
-spec period_over(reference(), body()) -> body().
period_over(Timer, #body{timer = Timer, reader = {_, _, _}} = Body) ->
    deliver(Body#body{timer = undefined});
period_over(_Older, Body) ->
    Body.


answer(#body{reader = undefined} = Body) ->
    Body;
answer(#body{fin = true} = Body) ->
    deliver(Body);
answer(#body{reader = {_, _, auto}, size = Size} = Body) when Size > 0 ->
    deliver(Body);
answer(#body{reader = {_, _, Length}, size = Size} = Body) when is_integer(Length), Size >= Length ->
    deliver(Body);
answer(#body{asked = true} = Body) ->
    Body;
answer(#body{conn = Conn, reader = {_, _, Length}, size = Size} = Body) ->
    ok = drover_native:read_body(Conn, ask_for(Length, Size)),
    Body#body{asked = true}.


ask_for(auto, _Size) -> ?CHUNK;
ask_for(Length, Size) -> min(Length - Size, ?CHUNK).


deliver(#body{reader = {Pid, Ref, _}, buffer = Buffer, fin = Fin, total = Total, timer = Timer} = Body) ->
    cancel(Timer),
    Data = iolist_to_binary(Buffer),
    _ =
        case Fin of
            true -> Pid ! {request_body, Ref, fin, Total, Data};
            false -> Pid ! {request_body, Ref, nofin, Data}
        end,
    Body#body{reader = undefined, timer = undefined, buffer = [], size = 0}.


cancel(undefined) -> ok;
cancel(Timer) -> ok = erlang:cancel_timer(Timer, [{async, true}, {info, false}]).
