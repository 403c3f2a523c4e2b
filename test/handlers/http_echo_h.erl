%% Answers a plain request with what it was: method, path, query and body.
-module(http_echo_h).

-export([init/2]).


init(#{method := Method, path := Path, qs := Qs} = Req0, State) ->
    {Body, Req} = read_body(Req0, <<>>),
    {ok, (drover_target:req()):reply(200, #{}, [Method, " ", Path, "?", Qs, " ", Body], Req), State}.


read_body(Req0, Read) ->
    case (drover_target:req()):read_body(Req0) of
        {more, Bytes, Req} -> read_body(Req, <<Read/binary, Bytes/binary>>);
        {ok, Bytes, Req} -> {<<Read/binary, Bytes/binary>>, Req}
    end.
