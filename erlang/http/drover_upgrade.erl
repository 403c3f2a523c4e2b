%% The answer to an opening handshake, as data: is a request one for WebSocket, and
%% what goes into the 101.
%%
%% The policy is Cowboy 2's, for handlers of either API: what is no upgrade to
%% WebSocket gets 426, what claims to be one and is malformed gets 400.
-module(drover_upgrade).

-export([check/2]).

-export_type([opts/0, accepted/0, version/0]).

-type opts() :: #{
                  %% Accept a compression extension if the client offers one. Default: false. The offer
                  %% is parsed in any case, and a malformed one answered with 400.
                  compress => boolean(),
                  %% What to offer and ask for, see `drover_native:negotiate/2'. Default: #{}.
                  deflate_opts => map(),
                  %% Other options of a handler are not looked at.
                  atom() => any()
                 }.
-type version() :: 7 | 8 | 13.
-type accepted() :: #{
                      %% To be merged into the headers of the 101.
                      headers := #{binary() => iodata()},
                      version := version(),
                      %% What `drover_native:upgrade/2' takes under the same key.
                      deflate := none | Params :: term()
                     }.


%% Judge a request. A reply has no body.
-spec check(drover_req:req(), opts()) ->
          {ok, accepted()} | {reply, 400 | 426 | 501, #{binary() => iodata()}}.
check(#{version := 'HTTP/1.1'} = Req, Opts) ->
    try wants_websocket(Req) andalso accept(Req, Opts) of
        false -> {reply, 426, #{<<"connection">> => <<"upgrade">>, <<"upgrade">> => <<"websocket">>}};
        Accepted -> {ok, Accepted}
    catch
        throw:bad_request -> {reply, 400, #{}};
        exit:{request_error, {header, _}, _} -> {reply, 400, #{}}
    end;
check(#{version := 'HTTP/2'} = Req, Opts) ->
    check_stream(Req, Opts);
check(_, _) ->
    %% HTTP/1.0 has no upgrade.
    {reply, 501, #{<<"connection">> => <<"close">>}}.


%% Under Cowboy. There is nothing to prove on a stream (RFC 8441, 5), so there is no key.
-spec check_stream(drover_req:req(), opts()) ->
          {ok, accepted()} | {reply, 400 | 501, #{binary() => iodata()}}.
check_stream(#{method := <<"CONNECT">>, protocol := Protocol} = Req, Opts) ->
    try string:lowercase(Protocol) =:= <<"websocket">> andalso accept_stream(Req, Opts) of
        false -> {reply, 501, #{}};
        Accepted -> {ok, Accepted}
    catch
        throw:bad_request -> {reply, 400, #{}};
        exit:{request_error, {header, _}, _} -> {reply, 400, #{}}
    end;
check_stream(_, _) ->
    {reply, 501, #{}}.


-spec wants_websocket(drover_req:req()) -> boolean().
wants_websocket(#{method := <<"GET">>} = Req) ->
    has_token(<<"upgrade">>, drover_req:parse_header(<<"connection">>, Req, [])) andalso
    has_token(<<"websocket">>, drover_req:parse_header(<<"upgrade">>, Req));
wants_websocket(_) ->
    false.


%% `Connection: upgrade' without saying to what is malformed, not an invitation.
-spec has_token(binary(), [binary()] | undefined) -> boolean().
has_token(_, undefined) -> throw(bad_request);
has_token(Token, Tokens) -> lists:member(Token, Tokens).


-spec accept(drover_req:req(), opts()) -> accepted().
accept(Req, Opts) ->
    Key = required(drover_req:header(<<"sec-websocket-key">>, Req)),
    #{headers := Headers} = Accepted = accept_stream(Req, Opts),
    Accepted#{
      headers := Headers#{
                   <<"connection">> => <<"Upgrade">>,
                   <<"upgrade">> => <<"websocket">>,
                   <<"sec-websocket-accept">> => drover_native:accept_key(Key)
                  }
     }.


-spec accept_stream(drover_req:req(), opts()) -> accepted().
accept_stream(Req, Opts) ->
    Version = version(drover_req:parse_header(<<"sec-websocket-version">>, Req)),
    Offer = drover_req:header(<<"sec-websocket-extensions">>, Req),
    {Deflate, Headers} = extensions(Offer, Opts),
    #{version => Version, deflate => Deflate, headers => Headers}.


-spec required(undefined | binary()) -> binary().
required(undefined) -> throw(bad_request);
required(Value) -> Value.


-spec version(undefined | 0..255) -> version().
version(Version) when Version =:= 7; Version =:= 8; Version =:= 13 -> Version;
version(_) -> throw(bad_request).


-spec extensions(undefined | binary(), opts()) -> {none | term(), #{binary() => iodata()}}.
extensions(undefined, _) ->
    {none, #{}};
extensions(Offer, #{compress := true} = Opts) ->
    case drover_native:negotiate(Offer, maps:get(deflate_opts, Opts, #{})) of
        {ok, Params, Answer} -> {Params, #{<<"sec-websocket-extensions">> => Answer}};
        none -> {none, #{}};
        {error, badheader} -> throw(bad_request)
    end;
extensions(Offer, _) ->
    case drover_native:check_extensions(Offer) of
        ok -> {none, #{}};
        {error, badheader} -> throw(bad_request)
    end.
