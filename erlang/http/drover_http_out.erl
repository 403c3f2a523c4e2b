%% Writes one response: whole, in pieces, or from a file.
%%
%% Used by the connection process. It keeps track of how far the response is and of whether the
%% connection is to be closed after it.
-module(drover_http_out).

-export([new/3]).
-export([started/1]).
-export([last/1]).
-export([inform/3]).
-export([response/4]).
-export([headers/3]).
-export([data/3]).
-export([trailers/2]).
-export([finish/1]).
-export([switch/2]).

-include_lib("kernel/include/logger.hrl").

-record(out, {
          carrier :: drover_carrier:carrier(),
          method :: binary(),
          version :: 'HTTP/1.1' | 'HTTP/1.0',
          %% The connection is closed after this response.
          last :: boolean(),
          phase = none :: none | chunked | plain | no_body | done,
          %% How many bytes of a body that was announced with a content-length are still to come.
          left = unknown :: unknown | integer()
         }).

-opaque out() :: #out{}.

-type fin() :: fin | nofin.
-type body() ::
        iodata() | {sendfile, non_neg_integer(), non_neg_integer(), file:name_all()}.
-type result() :: {ok, out()} | {error, term()}.

-export_type([out/0, body/0]).

-define(FILE_CHUNK, 65536).


%% @doc The response to a request, not begun yet. Last says that the connection is to be closed after it in
%% any case.
-spec new(drover_carrier:carrier(), map(), boolean()) -> out().
new(Carrier, #{method := Method, version := Version} = Head, Last) ->
    #out{carrier = Carrier, method = Method, version = Version, last = Last orelse asks_to_close(Head)}.


asks_to_close(#{version := 'HTTP/1.0', headers := Headers}) ->
    not has_token(<<"keep-alive">>, maps:get(<<"connection">>, Headers, <<>>));
asks_to_close(#{headers := Headers}) ->
    has_token(<<"close">>, maps:get(<<"connection">>, Headers, <<>>)).


%% @doc Whether the head is out.
-spec started(out()) -> boolean().
started(#out{phase = Phase}) ->
    Phase =/= none.


%% @doc Whether the connection is to be closed after this response.
-spec last(out()) -> boolean().
last(#out{last = Last}) ->
    Last.


%% @doc Write an informational response. HTTP/1.0 knows none.
-spec inform(drover_response:status(), drover_response:headers(), out()) -> result().
inform(_Status, _Headers, #out{version = 'HTTP/1.0'} = Out) ->
    {ok, Out};
inform(Status, Headers, Out) ->
    write_head(Status, Headers, <<>>, Out).


%% @doc Write the answer to an opening handshake. The rest of the stream is not HTTP.
-spec switch(drover_response:headers(), out()) -> result().
switch(Headers, Out) ->
    write_head(101, drover_response:standard(Headers), <<>>, Out#out{phase = done}).


%% @doc Write a whole response.
-spec response(drover_response:status(), drover_response:headers(), body(), out()) -> result().
response(Status, Headers, Body, Out) ->
    case has_body(Status, Out) of
        true ->
            whole(Status, with_length(Status, Headers, Body), Body, Out);
        false ->
            whole(Status, with_length(Status, Headers, Body), <<>>, Out)
    end.


whole(Status, Headers0, {sendfile, Offset, Length, Path}, Out0) ->
    {Headers, Out} = connection(Headers0, Out0),
    case file:open(Path, [read, raw, binary]) of
        {ok, File} ->
            Result = whole_file(Status, Headers, Offset, Length, File, Out),
            ok = file:close(File),
            Result;
        {error, Reason} ->
            ?LOG_ERROR("drover could not open ~ts to send it: ~p", [Path, Reason]),
            failed(Out0)
    end;
whole(Status, Headers0, Body, Out0) ->
    {Headers, Out} = connection(Headers0, Out0),
    write_head(Status, Headers, Body, Out#out{phase = done}).


whole_file(Status, Headers, Offset, Length, File, Out) ->
    case write_head(Status, Headers, <<>>, Out) of
        {ok, Out2} -> send_file(File, Offset, Length, Out2#out{phase = done});
        Error -> Error
    end.


send_file(_File, _Offset, 0, Out) ->
    {ok, Out};
send_file(File, Offset, Left, #out{carrier = Carrier} = Out) ->
    case file:pread(File, Offset, min(Left, ?FILE_CHUNK)) of
        {ok, Data} ->
            Size = byte_size(Data),
            send_on(drover_carrier:write(Carrier, Data), File, Offset + Size, Left - Size, Out);
        _ ->
            %% The file is shorter than announced, which only a closed connection can tell.
            {ok, Out#out{last = true}}
    end.


send_on(ok, File, Offset, Left, Out) -> send_file(File, Offset, Left, Out);
send_on(Error, _File, _Offset, _Left, _Out) -> Error.


%% @doc Write the head of a response whose body follows in pieces.
-spec headers(drover_response:status(), drover_response:headers(), out()) -> result().
headers(Status, Headers0, Out0) ->
    {Headers1, Out1} = framing(Status, Headers0, Out0),
    {Headers, Out} = connection(Headers1, Out1),
    write_head(Status, Headers, <<>>, Out).


framing(Status, Headers, Out) ->
    case {has_body(Status, Out), Headers, Out} of
        {false, _, _} ->
            {Headers, Out#out{phase = no_body}};
        {true, #{<<"content-length">> := Length}, _} ->
            {Headers, Out#out{phase = plain, left = binary_to_integer(iolist_to_binary(Length))}};
        {true, _, #out{version = 'HTTP/1.0'}} ->
            {Headers, Out#out{phase = plain, last = true}};
        {true, _, _} ->
            {Headers#{<<"transfer-encoding">> => <<"chunked">>}, Out#out{phase = chunked}}
    end.


%% @doc Write a piece of the body.
-spec data(fin(), body(), out()) -> result().
data(Fin, {sendfile, Offset, Length, Path}, Out) ->
    case file:open(Path, [read, raw, binary]) of
        {ok, File} ->
            {ok, Data} = file:pread(File, Offset, Length),
            ok = file:close(File),
            data(Fin, Data, Out);
        {error, _} = Error ->
            Error
    end;
data(Fin, Data, #out{phase = chunked} = Out) ->
    write(chunk(Fin, Data), after_data(Fin, Out));
data(Fin, Data, #out{phase = plain, left = unknown} = Out) ->
    write(Data, after_data(Fin, Out));
data(Fin, Data, #out{phase = plain, left = Left} = Out) ->
    write(Data, after_data(Fin, Out#out{left = Left - iolist_size(Data)}));
data(Fin, _Data, Out) ->
    {ok, after_data(Fin, Out)}.


%% An empty chunk would end the body.
chunk(Fin, Data) ->
    case iolist_size(Data) of
        0 -> last_chunk(Fin);
        Size -> [integer_to_binary(Size, 16), <<"\r\n">>, Data, <<"\r\n">>, last_chunk(Fin)]
    end.


last_chunk(fin) -> <<"0\r\n\r\n">>;
last_chunk(nofin) -> <<>>.


%% A body shorter or longer than announced leaves the connection in an unknown state.
after_data(nofin, Out) -> Out;
after_data(fin, #out{left = Left} = Out) when is_integer(Left), Left =/= 0 -> Out#out{phase = done, last = true};
after_data(fin, Out) -> Out#out{phase = done}.


%% @doc End a chunked body with trailers.
-spec trailers(drover_response:headers(), out()) -> result().
trailers(Trailers, #out{phase = chunked} = Out) ->
    case drover_response:head(200, Trailers) of
        {ok, [_Version, _Status, _Eol, Lines, Eol]} -> write([<<"0\r\n">>, Lines, Eol], Out#out{phase = done});
        {error, _} -> data(fin, <<>>, Out)
    end;
trailers(_Trailers, Out) ->
    data(fin, <<>>, Out).


%% @doc The handler is done: end what it left unfinished.
-spec finish(out()) -> result().
finish(#out{phase = done} = Out) -> {ok, Out};
finish(Out) -> data(fin, <<>>, Out).


%% Helpers.


write_head(Status, Headers, Body, Out) ->
    case drover_response:head(Status, Headers) of
        {ok, Head} ->
            write([Head, Body], Out);
        {error, {bad_header, Name}} ->
            ?LOG_ERROR("drover refused a response: line break or NUL in header ~ts", [Name]),
            failed(Out)
    end.


failed(Out) ->
    {ok, Head} = drover_response:head(500,
                                      #{
                                        <<"connection">> => <<"close">>, <<"content-length">> => <<"0">>
                                       }),
    write(Head, Out#out{phase = done, last = true}).


write(Data, #out{carrier = Carrier} = Out) ->
    case drover_carrier:write(Carrier, Data) of
        ok -> {ok, Out};
        Error -> Error
    end.


has_body(_Status, #out{method = <<"HEAD">>}) -> false;
has_body(Status, _Out) -> not bodiless(Status).


bodiless(204) -> true;
bodiless(304) -> true;
bodiless(<<"204", _/binary>>) -> true;
bodiless(<<"304", _/binary>>) -> true;
bodiless(_) -> false.


with_length(_Status, #{<<"content-length">> := _} = Headers, _Body) ->
    Headers;
with_length(Status, Headers, Body) ->
    case bodiless(Status) of
        true -> Headers;
        false -> Headers#{<<"content-length">> => integer_to_binary(body_size(Body))}
    end.


body_size({sendfile, _Offset, Length, _Path}) -> Length;
body_size(Body) -> iolist_size(Body).


%% Tell the peer whether the connection stays, and let the handler decide to close it.
connection(#{<<"connection">> := Value} = Headers, #out{last = Last} = Out) ->
    case has_token(<<"close">>, iolist_to_binary(Value)) of
        true -> {Headers, Out#out{last = true}};
        false when Last -> {Headers#{<<"connection">> => <<"close">>}, Out};
        false -> {Headers, Out}
    end;
connection(Headers, #out{last = true} = Out) ->
    {Headers#{<<"connection">> => <<"close">>}, Out};
connection(Headers, #out{version = 'HTTP/1.0'} = Out) ->
    {Headers#{<<"connection">> => <<"keep-alive">>}, Out};
connection(Headers, Out) ->
    {Headers, Out}.


%% Any bytes may stand in a header, also such as are not text.
has_token(Token, Value) ->
    Tokens = binary:split(iolist_to_binary(Value), [<<",">>, <<" ">>, <<"\t">>], [global]),
    lists:member(Token, [ drover_hd_scan:lower(Each) || Each <- Tokens ]).
