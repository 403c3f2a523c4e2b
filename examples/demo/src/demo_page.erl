%% Serves one file of the page; which one is the route's initial state.
-module(demo_page).

-export([init/2]).

-include_lib("kernel/include/file.hrl").


-spec init(cowboy_req:req(), file:filename()) -> {ok, cowboy_req:req(), file:filename()}.
init(Req, File) ->
    {ok, respond(cowboy_req:method(Req), File, Req), File}.


respond(Method, File, Req) when Method =:= <<"GET">>; Method =:= <<"HEAD">> ->
    {ok, #file_info{size = Size, mtime = Changed}} = file:read_file_info(File, [{time, posix}]),
    ETag = <<$", (integer_to_binary(Changed, 36))/binary, $-, (integer_to_binary(Size, 36))/binary, $">>,
    Headers = headers(File, ETag),
    case cowboy_req:header(<<"if-none-match">>, Req) of
        ETag -> cowboy_req:reply(304, Headers, Req);
        _ -> cowboy_req:reply(200, Headers, {sendfile, 0, Size, File}, Req)
    end;
respond(_Method, _File, Req) ->
    cowboy_req:reply(405, #{<<"allow">> => <<"GET, HEAD">>}, Req).


headers(File, ETag) ->
    #{
      <<"content-type">> => content_type(filename:extension(File)),
      %% The browser asks again each time and mostly hears 304: an edit shows at once.
      <<"cache-control">> => <<"no-cache">>,
      <<"etag">> => ETag,
      %% All that the page needs comes from here; nothing else may load, and no one may frame it.
      <<"content-security-policy">> =>
          <<"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'">>,
      <<"x-content-type-options">> => <<"nosniff">>,
      <<"referrer-policy">> => <<"no-referrer">>
     }.


content_type(".html") -> <<"text/html; charset=utf-8">>;
content_type(".css") -> <<"text/css; charset=utf-8">>;
content_type(".js") -> <<"text/javascript; charset=utf-8">>;
content_type(".svg") -> <<"image/svg+xml">>;
content_type(".erl") -> <<"text/plain; charset=utf-8">>.
