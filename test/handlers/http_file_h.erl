%% Answers with the file that the route names.
-module(http_file_h).

-export([init/2]).


init(Req, File) ->
    Headers = #{<<"content-type">> => <<"text/html">>},
    {ok, (drover_target:req()):reply(200, Headers, {sendfile, 0, filelib:file_size(File), File}, Req), File}.
