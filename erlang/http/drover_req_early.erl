%% Names that cowboy_req had in Cowboy 2.0.0-pre.1 to pre.3 and lost, in terms of `drover_req'.
%% The shim application gives them to handlers of arity 3.
-module(drover_req_early).

-export([host_url/1, url/1]).
-export([body/1, body/2, body_qs/1, body_qs/2]).
-export([continue/1, chunked_reply/2, chunked_reply/3, chunk/2]).

-type req() :: drover_req:req().
%% Of which `length' and `read_timeout' matter.
-type body_opts() :: [{atom(), any()}].


%% @doc Scheme, host and port of the URI.
-spec host_url(req()) -> binary().
host_url(Req) ->
    iolist_to_binary(drover_req:uri(Req, #{path => undefined, qs => undefined})).


%% @doc The URI.
-spec url(req()) -> binary().
url(Req) ->
    iolist_to_binary(drover_req:uri(Req)).


%% @doc `read_body/1'.
-spec body(req()) -> {ok | more, binary(), req()}.
body(Req) ->
    drover_req:read_body(Req).


%% @doc `read_body/2' with the options of then.
-spec body(req(), body_opts()) -> {ok | more, binary(), req()}.
body(Req, Opts) ->
    drover_req:read_body(Req, body_opts(Opts, 8_000_000)).


-spec body_opts(body_opts(), non_neg_integer()) -> drover_req:read_body_opts().
body_opts(Opts, Length) ->
    #{
      length => proplists:get_value(length, Opts, Length),
      period => proplists:get_value(read_timeout, Opts, 15_000)
     }.


%% @doc Read and parse a body of at most 64000 bytes.
-spec body_qs(req()) -> {ok, drover_req:qs_pairs(), req()} | {badlength, req()}.
body_qs(Req) ->
    body_qs(Req, []).


%% @doc The same with the options of `body/2'.
-spec body_qs(req(), body_opts()) -> {ok, drover_req:qs_pairs(), req()} | {badlength, req()}.
body_qs(Req0, Opts) ->
    case drover_req:read_body(Req0, body_opts(Opts, 64_000)) of
        {ok, Body, Req} -> {ok, drover_uri:parse_qs(Body), Req};
        {more, _, Req} -> {badlength, Req}
    end.


%% @doc Tell the client to send the body.
-spec continue(req()) -> ok.
continue(Req) ->
    drover_req:inform(100, Req).


%% @doc `stream_reply/2'.
-spec chunked_reply(drover_req:status(), req()) -> req().
chunked_reply(Status, Req) ->
    drover_req:stream_reply(Status, Req).


%% @doc `stream_reply/3'.
-spec chunked_reply(drover_req:status(), drover_req:resp_headers(), req()) -> req().
chunked_reply(Status, Headers, Req) ->
    drover_req:stream_reply(Status, Headers, Req).


%% @doc A piece of the body. The last is the last that there was when `init/2' returns.
-spec chunk(iodata(), req()) -> ok.
chunk(Data, Req) ->
    drover_req:stream_body(Data, nofin, Req).
