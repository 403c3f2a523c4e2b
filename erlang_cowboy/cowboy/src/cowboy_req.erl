%% Requests and responses, under the name of Cowboy's module; see `drover_req' and `drover_req_early'.
-module(cowboy_req).

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

-export_type([req/0, read_body_opts/0, cookie_opts/0, resp_body/0]).

-type req() :: drover_req:req().
-type read_body_opts() :: drover_req:read_body_opts().
-type cookie_opts() :: drover_cookie:opts().
-type resp_body() :: drover_req:resp_body().


-spec method(req()) -> binary().
method(Req) ->
    drover_req:method(Req).


-spec version(req()) -> atom().
version(Req) ->
    drover_req:version(Req).


-spec peer(req()) -> drover_req:address().
peer(Req) ->
    drover_req:peer(Req).


-spec sock(req()) -> drover_req:address().
sock(Req) ->
    drover_req:sock(Req).


-spec cert(req()) -> binary() | undefined.
cert(Req) ->
    drover_req:cert(Req).


-spec scheme(req()) -> binary().
scheme(Req) ->
    drover_req:scheme(Req).


-spec host(req()) -> binary().
host(Req) ->
    drover_req:host(Req).


-spec host_info(req()) -> drover_router:tokens() | undefined.
host_info(Req) ->
    drover_req:host_info(Req).


-spec port(req()) -> inet:port_number().
port(Req) ->
    drover_req:port(Req).


-spec path(req()) -> binary().
path(Req) ->
    drover_req:path(Req).


-spec path_info(req()) -> drover_router:tokens() | undefined.
path_info(Req) ->
    drover_req:path_info(Req).


-spec qs(req()) -> binary().
qs(Req) ->
    drover_req:qs(Req).


-spec parse_qs(req()) -> drover_req:qs_pairs().
parse_qs(Req) ->
    drover_req:parse_qs(Req).


-spec match_qs(drover_constraints:fields(), req()) -> #{atom() => any()}.
match_qs(Fields, Req) ->
    drover_req:match_qs(Fields, Req).


-spec uri(req()) -> iolist().
uri(Req) ->
    drover_req:uri(Req).


-spec uri(req(), drover_req:uri_opts()) -> iolist().
uri(Req, Opts) ->
    drover_req:uri(Req, Opts).


-spec binding(atom(), req()) -> any() | undefined.
binding(Name, Req) ->
    drover_req:binding(Name, Req).


-spec binding(atom(), req(), Default) -> any() | Default.
binding(Name, Req, Default) ->
    drover_req:binding(Name, Req, Default).


-spec bindings(req()) -> drover_router:bindings().
bindings(Req) ->
    drover_req:bindings(Req).


-spec header(binary(), req()) -> binary() | undefined.
header(Name, Req) ->
    drover_req:header(Name, Req).


-spec header(binary(), req(), Default) -> binary() | Default.
header(Name, Req, Default) ->
    drover_req:header(Name, Req, Default).


-spec headers(req()) -> #{binary() => binary()}.
headers(Req) ->
    drover_req:headers(Req).


-spec parse_header(binary(), req()) -> any().
parse_header(Name, Req) ->
    drover_req:parse_header(Name, Req).


-spec parse_header(binary(), req(), any()) -> any().
parse_header(Name, Req, Default) ->
    drover_req:parse_header(Name, Req, Default).


-spec parse_cookies(req()) -> [{binary(), binary()}].
parse_cookies(Req) ->
    drover_req:parse_cookies(Req).


-spec match_cookies(drover_constraints:fields(), req()) -> #{atom() => any()}.
match_cookies(Fields, Req) ->
    drover_req:match_cookies(Fields, Req).


-spec filter_cookies([atom() | iodata()], req()) -> req().
filter_cookies(Names, Req) ->
    drover_req:filter_cookies(Names, Req).


-spec has_body(req()) -> boolean().
has_body(Req) ->
    drover_req:has_body(Req).


-spec body_length(req()) -> non_neg_integer() | undefined.
body_length(Req) ->
    drover_req:body_length(Req).


-spec read_body(req()) -> {ok | more, binary(), req()}.
read_body(Req) ->
    drover_req:read_body(Req).


-spec read_body(req(), read_body_opts()) -> {ok | more, binary(), req()}.
read_body(Req, Opts) ->
    drover_req:read_body(Req, Opts).


-spec read_urlencoded_body(req()) -> {ok, drover_req:qs_pairs(), req()}.
read_urlencoded_body(Req) ->
    drover_req:read_urlencoded_body(Req).


-spec read_urlencoded_body(req(), read_body_opts()) -> {ok, drover_req:qs_pairs(), req()}.
read_urlencoded_body(Req, Opts) ->
    drover_req:read_urlencoded_body(Req, Opts).


-spec read_and_match_urlencoded_body(drover_constraints:fields(), req()) ->
          {ok, #{atom() => any()}, req()}.
read_and_match_urlencoded_body(Fields, Req) ->
    drover_req:read_and_match_urlencoded_body(Fields, Req).


-spec read_and_match_urlencoded_body(drover_constraints:fields(), req(), read_body_opts()) ->
          {ok, #{atom() => any()}, req()}.
read_and_match_urlencoded_body(Fields, Req, Opts) ->
    drover_req:read_and_match_urlencoded_body(Fields, Req, Opts).


-spec set_resp_cookie(iodata(), iodata(), req()) -> req().
set_resp_cookie(Name, Value, Req) ->
    drover_req:set_resp_cookie(Name, Value, Req).


-spec set_resp_cookie(iodata(), iodata(), req(), drover_cookie:opts()) -> req().
set_resp_cookie(Name, Value, Req, Opts) ->
    drover_req:set_resp_cookie(Name, Value, Req, Opts).


-spec set_resp_header(binary(), iodata(), req()) -> req().
set_resp_header(Name, Value, Req) ->
    drover_req:set_resp_header(Name, Value, Req).


-spec set_resp_headers(drover_req:resp_headers(), req()) -> req().
set_resp_headers(Headers, Req) ->
    drover_req:set_resp_headers(Headers, Req).


-spec resp_header(binary(), req()) -> iodata() | undefined.
resp_header(Name, Req) ->
    drover_req:resp_header(Name, Req).


-spec resp_header(binary(), req(), Default) -> iodata() | Default.
resp_header(Name, Req, Default) ->
    drover_req:resp_header(Name, Req, Default).


-spec resp_headers(req()) -> #{binary() => iodata()}.
resp_headers(Req) ->
    drover_req:resp_headers(Req).


-spec has_resp_header(binary(), req()) -> boolean().
has_resp_header(Name, Req) ->
    drover_req:has_resp_header(Name, Req).


-spec delete_resp_header(binary(), req()) -> req().
delete_resp_header(Name, Req) ->
    drover_req:delete_resp_header(Name, Req).


-spec set_resp_body(resp_body(), req()) -> req().
set_resp_body(Body, Req) ->
    drover_req:set_resp_body(Body, Req).


-spec has_resp_body(req()) -> boolean().
has_resp_body(Req) ->
    drover_req:has_resp_body(Req).


-spec inform(drover_req:status(), req()) -> ok.
inform(Status, Req) ->
    drover_req:inform(Status, Req).


-spec inform(drover_req:status(), drover_req:resp_headers(), req()) -> ok.
inform(Status, Headers, Req) ->
    drover_req:inform(Status, Headers, Req).


-spec reply(drover_req:status(), req()) -> req().
reply(Status, Req) ->
    drover_req:reply(Status, Req).


-spec reply(drover_req:status(), drover_req:resp_headers(), req()) -> req().
reply(Status, Headers, Req) ->
    drover_req:reply(Status, Headers, Req).


-spec reply(drover_req:status(), drover_req:resp_headers(), resp_body(), req()) -> req().
reply(Status, Headers, Body, Req) ->
    drover_req:reply(Status, Headers, Body, Req).


-spec stream_reply(drover_req:status(), req()) -> req().
stream_reply(Status, Req) ->
    drover_req:stream_reply(Status, Req).


-spec stream_reply(drover_req:status(), drover_req:resp_headers(), req()) -> req().
stream_reply(Status, Headers, Req) ->
    drover_req:stream_reply(Status, Headers, Req).


-spec stream_body(resp_body(), fin | nofin, req()) -> ok.
stream_body(Data, Fin, Req) ->
    drover_req:stream_body(Data, Fin, Req).


-spec stream_trailers(drover_req:resp_headers(), req()) -> ok.
stream_trailers(Trailers, Req) ->
    drover_req:stream_trailers(Trailers, Req).


-spec cast(any(), req()) -> ok.
cast(Message, Req) ->
    drover_req:cast(Message, Req).


-spec meta(atom(), req()) -> any() | undefined.
meta(Name, Req) ->
    drover_req:meta(Name, Req).


-spec meta(atom(), req(), any()) -> any().
meta(Name, Req, Default) ->
    drover_req:meta(Name, Req, Default).


-spec set_meta(atom(), any(), req()) -> req().
set_meta(Name, Value, Req) ->
    drover_req:set_meta(Name, Value, Req).


-spec host_url(req()) -> binary().
host_url(Req) ->
    drover_req_early:host_url(Req).


-spec url(req()) -> binary().
url(Req) ->
    drover_req_early:url(Req).


-spec body(req()) -> {ok | more, binary(), req()}.
body(Req) ->
    drover_req_early:body(Req).


-spec body(req(), [{atom(), any()}]) -> {ok | more, binary(), req()}.
body(Req, Opts) ->
    drover_req_early:body(Req, Opts).


-spec body_qs(req()) -> {ok, drover_req:qs_pairs(), req()} | {badlength, req()}.
body_qs(Req) ->
    drover_req_early:body_qs(Req).


-spec body_qs(req(), [{atom(), any()}]) -> {ok, drover_req:qs_pairs(), req()} | {badlength, req()}.
body_qs(Req, Opts) ->
    drover_req_early:body_qs(Req, Opts).


-spec continue(req()) -> ok.
continue(Req) ->
    drover_req_early:continue(Req).


-spec chunked_reply(drover_req:status(), req()) -> req().
chunked_reply(Status, Req) ->
    drover_req_early:chunked_reply(Status, Req).


-spec chunked_reply(drover_req:status(), drover_req:resp_headers(), req()) -> req().
chunked_reply(Status, Headers, Req) ->
    drover_req_early:chunked_reply(Status, Headers, Req).


-spec chunk(iodata(), req()) -> ok.
chunk(Data, Req) ->
    drover_req_early:chunk(Data, Req).
