%% The request: everything that a handler may ask of it, and the response.
%%
%% A request is Cowboy 2's map, and the functions have the names, results and failures of
%% Cowboy 2's `cowboy_req', which works on these requests as well. Besides there is what
%% `cowboy_req' had in the time of handlers of arity 3: `meta', and headers given as lists. Names
%% that went away then are in `drover_req_early'.
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
-export([meta/2, meta/3, set_meta/3]).

-export_type([req/0, status/0, address/0, qs_pairs/0, uri_opts/0]).
-export_type([resp_headers/0, resp_body/0, read_body_opts/0]).

-type req() :: #{
                 method := binary(),
                 version := 'HTTP/1.0' | 'HTTP/1.1' | atom(),
                 scheme := binary(),
                 host := binary(),
                 port := inet:port_number(),
                 path := binary(),
                 qs := binary(),
                 %% Names are in lower case.
                 headers := #{binary() => binary()},
                 peer := address(),
                 atom() => any()
                }.
-type address() :: {inet:ip_address(), inet:port_number()}.
%% A binary is the whole of the status line after the version, such as `<<"404 Not Found">>'.
-type status() :: 100..999 | binary().
-type resp_headers() :: #{binary() => iodata()} | [{binary(), iodata()}].
-type resp_body() ::
        iodata() | {sendfile, Offset :: non_neg_integer(), non_neg_integer(), file:name_all()}.
-type read_body_opts() :: #{
                            %% Give what has come when it is that much; `auto': as soon as there is anything.
                            %% Default: 8000000.
                            length => non_neg_integer() | auto,
                            %% Give what has come after that many milliseconds. Default: 15000.
                            period => timeout(),
                            %% Exit if nothing was given by then. Default: a second after the period.
                            timeout => timeout()
                           }.
%% What to put in the place of the request's own; `undefined' leaves it out.
-type uri_opts() :: #{
                      scheme => iodata() | undefined,
                      host => iodata() | undefined,
                      port => inet:port_number() | undefined,
                      path => iodata() | undefined,
                      qs => iodata() | undefined,
                      fragment => iodata() | undefined
                     }.
-type qs_pairs() :: [{binary(), binary() | true}].

%% The request.


%% @doc The method, such as `<<"GET">>'.
-spec method(req()) -> binary().
method(#{method := Method}) -> Method.


%% @doc The version of HTTP.
-spec version(req()) -> atom().
version(#{version := Version}) -> Version.


%% @doc Address and port of the client, or of the proxy before it.
-spec peer(req()) -> address().
peer(#{peer := Peer}) -> Peer.


%% @doc The address and port to which the client is connected.
-spec sock(req()) -> address().
sock(#{sock := Sock}) -> Sock.


%% @doc The client's certificate, if it gave one.
-spec cert(req()) -> binary() | undefined.
cert(#{cert := Cert}) -> Cert.


%% @doc `<<"http">>' or `<<"https">>'.
-spec scheme(req()) -> binary().
scheme(#{scheme := Scheme}) -> Scheme.


%% @doc The host that the client asked for, in lower case and without the port.
-spec host(req()) -> binary().
host(#{host := Host}) -> Host.


%% @doc The labels that `[...]' of the route's host stands for.
-spec host_info(req()) -> drover_router:tokens() | undefined.
host_info(#{host_info := HostInfo}) -> HostInfo.


%% @doc The port that the client asked for.
-spec port(req()) -> inet:port_number().
port(#{port := Port}) -> Port.


%% @doc The path as it came, percent signs included.
-spec path(req()) -> binary().
path(#{path := Path}) -> Path.


%% @doc The decoded segments that `[...]' of the route's path stands for.
-spec path_info(req()) -> drover_router:tokens() | undefined.
path_info(#{path_info := PathInfo}) -> PathInfo.


%% @doc The query string as it came, without the question mark.
-spec qs(req()) -> binary().
qs(#{qs := Qs}) -> Qs.


%% @doc The pairs of the query string; `true' stands for a name without a value.
-spec parse_qs(req()) -> qs_pairs().
parse_qs(#{qs := Qs}) ->
    try
        drover_uri:parse_qs(Qs)
    catch
        error:badarg:Stack ->
            Reason = 'Malformed query string; application/x-www-form-urlencoded expected.',
            erlang:raise(exit, {request_error, qs, Reason}, Stack)
    end.


%% @doc Pick fields of the query string. Exits if one is missing or breaks a constraint.
-spec match_qs(drover_constraints:fields(), req()) -> #{atom() => any()}.
match_qs(Fields, Req) ->
    Reason = 'Query string validation constraints failed for the reasons provided.',
    match(Fields, parse_qs(Req), match_qs, Reason).


-spec match(drover_constraints:fields(), qs_pairs(), atom(), atom()) -> #{atom() => any()}.
match(Fields, Pairs, What, Reason) ->
    case drover_fields:match(Fields, Pairs) of
        {ok, Picked} -> Picked;
        {error, Errors} -> exit({request_error, {What, Errors}, Reason})
    end.


%% @doc The URI that was asked for.
-spec uri(req()) -> iolist().
uri(Req) ->
    uri(Req, #{}).


%% @doc The URI with parts of it replaced or left out.
-spec uri(req(), uri_opts()) -> iolist().
uri(Req, Opts) ->
    drover_uri:format(maps:merge(maps:with([scheme, host, port, path, qs], Req), Opts), scheme(Req)).


%% @doc What a name in the route is bound to.
-spec binding(atom(), req()) -> any() | undefined.
binding(Name, Req) ->
    binding(Name, Req, undefined).


%% @doc The same with a default.
-spec binding(atom(), req(), Default) -> any() | Default.
binding(Name, Req, Default) when is_atom(Name) ->
    maps:get(Name, bindings(Req), Default).


%% @doc All names in the route that are bound.
-spec bindings(req()) -> drover_router:bindings().
bindings(Req) ->
    maps:get(bindings, Req, #{}).


%% @doc The value of a header; its name is given in lower case.
-spec header(binary(), req()) -> binary() | undefined.
header(Name, Req) ->
    header(Name, Req, undefined).


%% @doc The same with a default.
-spec header(binary(), req(), Default) -> binary() | Default.
header(Name, #{headers := Headers}, Default) ->
    maps:get(Name, Headers, Default).


%% @doc All headers.
-spec headers(req()) -> #{binary() => binary()}.
headers(#{headers := Headers}) -> Headers.


%% @doc A header as the terms that it stands for. Exits if it is malformed, and for headers
%% that `drover_http_hd' does not know.
-spec parse_header(binary(), req()) -> any().
parse_header(<<"content-length">> = Name, Req) -> parse_header(Name, Req, 0);
parse_header(<<"cookie">> = Name, Req) -> parse_header(Name, Req, []);
parse_header(Name, Req) -> parse_header(Name, Req, undefined).


%% @doc The same with a default for an absent header.
-spec parse_header(binary(), req(), any()) -> any().
parse_header(Name, Req, Default) ->
    try
        Parse = drover_http_hd:parser(Name),
        case header(Name, Req) of
            undefined -> Default;
            Value -> as_of_then(Name, Parse(Value), Req)
        end
    catch
        _:_:Stack ->
            Reason = 'Malformed header. Please consult the relevant specification.',
            erlang:raise(exit, {request_error, {header, Name}, Reason}, Stack)
    end.


%% Handlers with callbacks of arity 3 were given the names of sub-protocols in lower case.
as_of_then(<<"sec-websocket-protocol">>, Protocols, #{websocket_api := v2pre}) ->
    lists:map(fun drover_hd_scan:lower/1, Protocols);
as_of_then(_Name, Parsed, _Req) ->
    Parsed.


%% @doc The cookies that came.
-spec parse_cookies(req()) -> [{binary(), binary()}].
parse_cookies(Req) ->
    parse_header(<<"cookie">>, Req).


%% @doc Pick cookies. Exits if one is missing or breaks a constraint.
-spec match_cookies(drover_constraints:fields(), req()) -> #{atom() => any()}.
match_cookies(Fields, Req) ->
    Reason = 'Cookie validation constraints failed for the reasons provided.',
    match(Fields, parse_cookies(Req), match_cookies, Reason).


%% @doc The request with only the cookies of these names.
-spec filter_cookies([atom() | iodata()], req()) -> req().
filter_cookies(Names, #{headers := #{<<"cookie">> := Cookie} = Headers} = Req) ->
    Binaries = [ name_to_binary(Name) || Name <- Names ],
    Req#{headers := Headers#{<<"cookie">> := drover_cookie:filter(Cookie, Binaries)}};
filter_cookies(_, Req) ->
    Req.


-spec name_to_binary(atom() | iodata()) -> binary().
name_to_binary(Name) when is_atom(Name) -> atom_to_binary(Name, utf8);
name_to_binary(Name) -> iolist_to_binary(Name).


%% Its body.


%% @doc Whether there is a body, be it an empty one of unknown length.
-spec has_body(req()) -> boolean().
has_body(#{has_body := HasBody}) -> HasBody.


%% @doc The length of the body; `undefined' if it is chunked and not read yet.
-spec body_length(req()) -> non_neg_integer() | undefined.
body_length(#{body_length := Length}) -> Length.


%% @doc Read the body.
-spec read_body(req()) -> {ok | more, binary(), req()}.
read_body(Req) ->
    read_body(Req, #{}).


%% @doc Read the body or, if there is `more', a part of it.
-spec read_body(req(), read_body_opts()) -> {ok | more, binary(), req()}.
read_body(Req, Opts) ->
    drover_read_body:read(Req, Opts).


%% @doc Read and parse a body of at most 64000 bytes within five seconds.
-spec read_urlencoded_body(req()) -> {ok, qs_pairs(), req()}.
read_urlencoded_body(Req) ->
    read_urlencoded_body(Req, urlencoded_limits()).


%% @doc The same with other limits. Exits if they are passed.
-spec read_urlencoded_body(req(), read_body_opts()) -> {ok, qs_pairs(), req()}.
read_urlencoded_body(Req, Opts) ->
    drover_read_body:read_urlencoded(Req, Opts).


-spec urlencoded_limits() -> read_body_opts().
urlencoded_limits() ->
    #{length => 64_000, period => 5000}.


%% @doc Read the body and pick fields of it.
-spec read_and_match_urlencoded_body(drover_constraints:fields(), req()) ->
          {ok, #{atom() => any()}, req()}.
read_and_match_urlencoded_body(Fields, Req) ->
    read_and_match_urlencoded_body(Fields, Req, urlencoded_limits()).


%% @doc The same with other limits.
-spec read_and_match_urlencoded_body(drover_constraints:fields(), req(), read_body_opts()) ->
          {ok, #{atom() => any()}, req()}.
read_and_match_urlencoded_body(Fields, Req0, Opts) ->
    {ok, Pairs, Req} = read_urlencoded_body(Req0, Opts),
    Reason = 'Urlencoded request body validation constraints failed for the reasons provided.',
    {ok, match(Fields, Pairs, read_and_match_urlencoded_body, Reason), Req}.


%% The response.


%% @doc Set a cookie.
-spec set_resp_cookie(iodata(), iodata(), req()) -> req().
set_resp_cookie(Name, Value, Req) ->
    set_resp_cookie(Name, Value, Req, #{}).


%% @doc Set a cookie with attributes.
-spec set_resp_cookie(iodata(), iodata(), req(), drover_cookie:opts()) -> req().
set_resp_cookie(Name, Value, Req, Opts) ->
    drover_reply:set_cookie(Name, Value, Opts, Req).


%% @doc Set a header of the response, whatever that will be: a reply or the 101.
-spec set_resp_header(binary(), iodata(), req()) -> req().
set_resp_header(Name, Value, Req) ->
    drover_reply:set_header(Name, Value, Req).


%% @doc Set several headers. In a list, cookies may be among them.
-spec set_resp_headers(resp_headers(), req()) -> req().
set_resp_headers(Headers, Req) ->
    drover_reply:set_headers(Headers, Req).


%% @doc A header of the response as it is set.
-spec resp_header(binary(), req()) -> iodata() | undefined.
resp_header(Name, Req) ->
    resp_header(Name, Req, undefined).


%% @doc The same with a default.
-spec resp_header(binary(), req(), Default) -> iodata() | Default.
resp_header(Name, Req, Default) ->
    maps:get(Name, resp_headers(Req), Default).


%% @doc All headers of the response that are set.
-spec resp_headers(req()) -> #{binary() => iodata()}.
resp_headers(Req) ->
    maps:get(resp_headers, Req, #{}).


%% @doc Whether a header of the response is set.
-spec has_resp_header(binary(), req()) -> boolean().
has_resp_header(Name, Req) ->
    maps:is_key(Name, resp_headers(Req)).


%% @doc Take a header of the response back.
-spec delete_resp_header(binary(), req()) -> req().
delete_resp_header(Name, #{resp_headers := Headers} = Req) ->
    Req#{resp_headers := maps:remove(Name, Headers)};
delete_resp_header(_, Req) ->
    Req.


%% @doc Set the body of the response.
-spec set_resp_body(resp_body(), req()) -> req().
set_resp_body(Body, Req) ->
    Req#{resp_body => Body}.


%% @doc Whether a body is set and not empty.
-spec has_resp_body(req()) -> boolean().
has_resp_body(#{resp_body := {sendfile, _, _, _}}) -> true;
has_resp_body(#{resp_body := Body}) -> iolist_size(Body) > 0;
has_resp_body(_) -> false.


%% @doc Send an informational response (1xx) before the real one.
-spec inform(status(), req()) -> ok.
inform(Status, Req) ->
    inform(Status, #{}, Req).


%% @doc The same with headers.
-spec inform(status(), resp_headers(), req()) -> ok.
inform(Status, Headers, Req) ->
    drover_reply:inform(Status, Headers, Req).


%% @doc Answer with the headers and the body that are set.
-spec reply(status(), req()) -> req().
reply(Status, Req) ->
    reply(Status, #{}, Req).


%% @doc The same with more headers.
-spec reply(status(), resp_headers(), req()) -> req().
reply(Status, Headers, Req) ->
    reply(Status, Headers, maps:get(resp_body, Req, <<>>), Req).


%% @doc Answer with this body.
-spec reply(status(), resp_headers(), resp_body(), req()) -> req().
reply(Status, Headers, Body, Req) ->
    drover_reply:reply(Status, Headers, Body, Req).


%% @doc Begin an answer whose body will follow in pieces.
-spec stream_reply(status(), req()) -> req().
stream_reply(Status, Req) ->
    stream_reply(Status, #{}, Req).


%% @doc The same with headers.
-spec stream_reply(status(), resp_headers(), req()) -> req().
stream_reply(Status, Headers, Req) ->
    drover_reply:stream_reply(Status, Headers, Req).


%% @doc A piece of the body; returns when it was written. `fin' marks the last.
-spec stream_body(resp_body(), fin | nofin, req()) -> ok.
stream_body(Data, Fin, Req) ->
    drover_reply:stream_body(Data, Fin, Req).


%% @doc End the body with trailers.
-spec stream_trailers(resp_headers(), req()) -> ok.
stream_trailers(Trailers, Req) ->
    drover_reply:stream_trailers(Trailers, Req).


%% @doc Send the connection process a message about this request.
-spec cast(any(), req()) -> ok.
cast(Message, Req) ->
    drover_reply:cast(Message, Req).


%% Of Cowboy 2.0.0-pre.1 to pre.3.


%% @doc `websocket_version', `websocket_compress', or what `set_meta/3' has kept.
-spec meta(atom(), req()) -> any() | undefined.
meta(Name, Req) ->
    meta(Name, Req, undefined).


%% @doc The same with a default.
-spec meta(atom(), req(), any()) -> any().
meta(Name, Req, Default) ->
    case Req of
        #{meta := #{Name := Value}} -> Value;
        #{Name := Value} when Name =:= websocket_version; Name =:= websocket_compress -> Value;
        #{} -> Default
    end.


%% @doc Keep a value with the request.
-spec set_meta(atom(), any(), req()) -> req().
set_meta(Name, Value, Req) ->
    Meta = maps:get(meta, Req, #{}),
    Req#{meta => Meta#{Name => Value}}.
