%% The request: everything that a handler may ask of it, and the response.
%%
%% A request is Cowboy 2's map, and the functions have the names, results and failures of
%% Cowboy 2's `cowboy_req', which works on these requests as well. Besides there is what
%% `cowboy_req' had in the time of handlers of arity 3 and what can be told apart from
%% the newer: `meta', `url', `body', `chunked_reply', and headers given as lists.
%%
%% Server push, multipart bodies and server-sent events are left to Cowboy.
-module(drover_req).

%% The request.
-export([method/1, version/1, peer/1, sock/1, cert/1, scheme/1, host/1, host_info/1, port/1]).
-export([path/1, path_info/1, qs/1, parse_qs/1, match_qs/2, uri/1, uri/2]).
-export([binding/2, binding/3, bindings/1]).
-export([header/2, header/3, headers/1, parse_header/2, parse_header/3]).
-export([parse_cookies/1, match_cookies/2, filter_cookies/2]).
%% Its body.
-export([has_body/1, body_length/1, read_body/1, read_body/2]).
-export([read_urlencoded_body/1, read_urlencoded_body/2]).
-export([read_and_match_urlencoded_body/2, read_and_match_urlencoded_body/3]).
%% The response.
-export([set_resp_cookie/3, set_resp_cookie/4, set_resp_header/3, set_resp_headers/2]).
-export([resp_header/2, resp_header/3, resp_headers/1, has_resp_header/2, delete_resp_header/2]).
-export([set_resp_body/2, has_resp_body/1]).
-export([inform/2, inform/3, reply/2, reply/3, reply/4]).
-export([stream_reply/2, stream_reply/3, stream_body/3, stream_trailers/2]).
-export([cast/2]).
%% Of Cowboy 2.0.0-pre.1 to pre.3.
-export([meta/2, meta/3, set_meta/3, host_url/1, url/1]).
-export([body/1, body/2, body_qs/1, body_qs/2]).
-export([continue/1, chunked_reply/2, chunked_reply/3, chunk/2]).

-export_type([req/0, status/0, address/0, qs_pairs/0, uri_opts/0]).
-export_type([resp_headers/0, resp_body/0, read_body_opts/0]).


%% @doc The same with the options of `body/2'.
-spec body_qs(req(), [{atom(), any()}]) -> {ok, qs_pairs(), req()} | {badlength, req()}.
body_qs(Req0, Opts) ->
    case read_body(Req0, body_opts(Opts, 64_000)) of
        {ok, Body, Req} -> {ok, drover_uri:parse_qs(Body), Req};
        {more, _, Req} -> {badlength, Req}
    end.


%% @doc Tell the client to send the body.
-spec continue(req()) -> ok.
continue(Req) ->
    inform(100, Req).


%% @doc `stream_reply/2'.
-spec chunked_reply(status(), req()) -> req().
chunked_reply(Status, Req) ->
    stream_reply(Status, Req).


%% @doc `stream_reply/3'.
-spec chunked_reply(status(), resp_headers(), req()) -> req().
chunked_reply(Status, Headers, Req) ->
    stream_reply(Status, Headers, Req).


%% @doc A piece of the body. The last is the last that there was when `init/2' returns.
-spec chunk(iodata(), req()) -> ok.
chunk(Data, Req) ->
    stream_body(Data, nofin, Req).
