%% The demo as a newcomer meets it: started by its script, looked at in a real browser.
%%
%% Every case has a server and a browser of its own; both end with the case.
-module(browser_SUITE).

-compile(export_all).
-compile(nowarn_export_all).

-include_lib("common_test/include/ct.hrl").


all() ->
    [{group, browser}, {group, server}].


groups() ->
    [{browser,
      [],
      [two_windows_talk, who_is_here, names_and_rooms, markup_is_text, compression, chart_moves, echo_of_every_kind,
       ping, lost_and_back, reconnect_now, keyboard_alone, narrow_window, theme]},
     {server, [], [files, other_origin_refused, busy_port, bad_port, ends_on_sigterm]}].


suite() ->
    [{timetrap, {minutes, 3}}].


init_per_suite(Config) ->
    {ok, _} = application:ensure_all_started(inets),
    [{root, root(code:lib_dir(drover))} | Config].


end_per_suite(_Config) ->
    ok.


init_per_group(Group, Config) ->
    [{group, Group} | Config].


end_per_group(_Group, _Config) ->
    ok.


init_per_testcase(_Case, Config) ->
    Server = start_server(Config, "0"),
    try
        Url = await_url(Server),
        [{server, Server}, {url, Url} | browser(?config(group, Config), Url)] ++ Config
    catch
        %% A crash here would only skip the case.
        error:Reason ->
            ok = os_program:stop(Server),
            {fail, Reason}
    end.


browser(browser, Url) ->
    Browser = webdriver:start(),
    ok = webdriver:open(Browser, Url),
    [{browser, Browser}];
browser(server, _Url) ->
    [].


end_per_testcase(_Case, Config) ->
    _ = [ webdriver:stop(Browser) || {browser, Browser} <- Config ],
    ok = os_program:stop(?config(server, Config)).


%%% The chat.


%% What one window says appears in the other, and the other way round.
two_windows_talk(Config) ->
    Browser = ?config(browser, Config),
    First = webdriver:window(Browser),
    await_connected(Browser),
    Second = open_second(Config),
    say(Browser, "Hello from the second"),
    await_message(Browser, <<"Hello from the second">>),
    webdriver:switch(Browser, First),
    await_message(Browser, <<"Hello from the second">>),
    say(Browser, "And back from the first"),
    webdriver:switch(Browser, Second),
    await_message(Browser, <<"And back from the first">>),
    no_errors(Browser).


%% Both windows are on the list; closing one takes it off. Who comes later finds what was said.
who_is_here(Config) ->
    Browser = ?config(browser, Config),
    First = webdriver:window(Browser),
    await_connected(Browser),
    await_count(Browser, "#here li", 1),
    say(Browser, "Said before"),
    await_message(Browser, <<"Said before">>),
    Second = open_second(Config),
    await_message(Browser, <<"Said before">>),
    await_count(Browser, "#here li", 2),
    webdriver:switch(Browser, First),
    await_count(Browser, "#here li", 2),
    webdriver:switch(Browser, Second),
    webdriver:close_window(Browser),
    webdriver:switch(Browser, First),
    await_count(Browser, "#here li", 1),
    no_errors(Browser).


%% A new name shows on the list; a name that is taken is made one's own; rooms are apart.
names_and_rooms(Config) ->
    Browser = ?config(browser, Config),
    First = webdriver:window(Browser),
    await_connected(Browser),
    change(Browser, "Ölaf Žižek 🐑", "lobby"),
    await_text(Browser, "#here li.me", <<"Ölaf Žižek 🐑 (you)"/utf8>>),
    _ = open_second(Config),
    change(Browser, "Ölaf Žižek 🐑", "lobby"),
    await_text(Browser, "#here li.me", <<"Ölaf Žižek 🐑 2 (you)"/utf8>>),
    change(Browser, "Olga", "meadow"),
    await_text(Browser, "#here li.me", <<"Olga (you)">>),
    await_count(Browser, "#here li", 1),
    say(Browser, "Only in the meadow"),
    await_message(Browser, <<"Only in the meadow">>),
    webdriver:switch(Browser, First),
    await_count(Browser, "#here li", 1),
    false = has_message(Browser, <<"Only in the meadow">>),
    no_errors(Browser).


%% Markup, tabs and characters that turn the text's direction are shown or dropped, never obeyed.
markup_is_text(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    say(Browser, "<img src=x onerror=alert(1)> & <b>bold</b>"),
    await_message(Browser, <<"<img src=x onerror=alert(1)> & <b>bold</b>">>),
    0 = count(Browser, "#log img, #log li b b"),
    set_value(Browser, "#say-text", <<"one\ttwo", 16#202E/utf8, "three">>),
    webdriver:click(Browser, "#say button"),
    await_message(Browser, <<"onetwothree">>),
    no_errors(Browser).


%%% The echo.


%% Both connections compress, and the arity-3 handler knows it from its request.
compression(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    [ <<"permessage-deflate", _/binary>> = webdriver:text(Browser, Panel ++ " .extension")
      || Panel <- ["#chat", "#echo"] ],
    await_text(Browser, "#server-compress", <<"on">>),
    no_errors(Browser).


%% The counters rise and the charts change, again and again; Pause holds the counters.
chart_moves(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    lists:foreach(fun(_) -> one_move(Browser) end, lists:seq(1, 3)),
    webdriver:click(Browser, "#toggle"),
    await_text(Browser, "#flying", <<"0">>),
    Sent = number(Browser, "#sent"),
    await("all back", fun() -> number(Browser, "#received") =:= Sent end),
    webdriver:click(Browser, "#toggle"),
    await_more(Browser, ["#sent"], [Sent]),
    no_errors(Browser).


%% Text and binary, that compress well and do not, of all sizes up to 1 MiB come back as sent.
echo_of_every_kind(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    [ begin
          set_value(Browser, "#kind", Kind),
          set_value(Browser, "#content", Content),
          set_value(Browser, "#size", Size),
          await_more(Browser, ["#received"], [number(Browser, "#received") + 3])
      end || Kind <- [<<"text">>, <<"binary">>], Content <- [<<"words">>, <<"random">>], Size <- [<<"4">>, <<"16">>, <<"20">>] ],
    0 = number(Browser, "#wrong"),
    no_errors(Browser).


%% The server's ping is answered by the browser itself, and its round trip is shown.
ping(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    webdriver:click(Browser, "#ping"),
    await("a round trip",
          fun() -> re:run(webdriver:text(Browser, "#server-ping"), "^[0-9.]+ m?s$") =/= nomatch end),
    no_errors(Browser).


%%% When the server goes away.


%% The page says so, keeps what was typed, and comes back by itself, as the same person.
lost_and_back(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    change(Browser, "Olga", "meadow"),
    await_text(Browser, "#here li.me", <<"Olga (you)">>),
    webdriver:type(Browser, "#say-text", "half a sentence"),
    ok = os_program:stop(?config(server, Config)),
    await_lost(Browser),
    await("nothing on its way", fun() -> number(Browser, "#flying") =:= 0 end),
    Server = start_server(Config, port(Config)),
    try
        _ = await_url(Server),
        await_connected(Browser),
        await_text(Browser, "#here li.me", <<"Olga (you)">>),
        <<"meadow">> = value(Browser, "#room"),
        webdriver:type(Browser, "#say-text", ", completed\n"),
        await_message(Browser, <<"half a sentence, completed">>),
        one_move(Browser),
        0 = number(Browser, "#wrong")
    after
        os_program:stop(Server)
    end.


%% The button does not wait for the next attempt.
reconnect_now(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    ok = os_program:stop(?config(server, Config)),
    await_lost(Browser),
    Server = start_server(Config, port(Config)),
    try
        _ = await_url(Server),
        %% It may have come back by itself just before the click, and then there is no button.
        _ = webdriver:js(Browser, "document.querySelectorAll('.retry').forEach(b => b.click())"),
        await_connected(Browser)
    after
        os_program:stop(Server)
    end.


%%% Everybody's page.


%% From the top of the page, Tab and Enter alone lead into the chat.
keyboard_alone(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    webdriver:type(Browser, "body", [16#E004]),
    webdriver:type(Browser, ".skip", "\n"),
    await("the focus", fun() -> webdriver:js(Browser, "return document.activeElement.id") =:= <<"say-text">> end),
    say(Browser, "Without a mouse"),
    await_message(Browser, <<"Without a mouse">>),
    Unnamed = "return [...document.querySelectorAll('input, select, button')]"
              ".filter(e => !e.labels?.length && !e.textContent.trim() && !e.ariaLabel).map(e => e.id)",
    [] = webdriver:js(Browser, Unnamed),
    no_errors(Browser).


%% On a telephone's width nothing sticks out to the side.
narrow_window(Config) ->
    Browser = ?config(browser, Config),
    await_connected(Browser),
    ok = webdriver:resize(Browser, 500, 900),
    await("the width",
          fun() -> webdriver:js(Browser, "return document.documentElement.scrollWidth <= innerWidth") end),
    no_errors(Browser).


%% The button goes through automatic, light and dark, and the choice outlives a reload.
theme(Config) ->
    Browser = ?config(browser, Config),
    Background = fun() -> webdriver:js(Browser, "return getComputedStyle(document.body).backgroundColor") end,
    await_connected(Browser),
    webdriver:click(Browser, "#theme"),
    await_text(Browser, "#theme", <<"Theme: light">>),
    Light = Background(),
    webdriver:click(Browser, "#theme"),
    await_text(Browser, "#theme", <<"Theme: dark">>),
    true = Background() =/= Light,
    ok = webdriver:open(Browser, ?config(url, Config)),
    await_text(Browser, "#theme", <<"Theme: dark">>),
    no_errors(Browser).


%%% The server.


%% Types, caching and the policy that keeps everything foreign out.
files(Config) ->
    Url = ?config(url, Config),
    [ {200, Type, _} = get(Url ++ Path, [])
      || {Path, Type} <- [{"", "text/html; charset=utf-8"},
                          {"app.js", "text/javascript; charset=utf-8"},
                          {"style.css", "text/css; charset=utf-8"},
                          {"icon.svg", "image/svg+xml"},
                          {"source/demo_chat.erl", "text/plain; charset=utf-8"}] ],
    {200, _, Headers} = get(Url, []),
    "default-src 'none';" ++ _ = proplists:get_value("content-security-policy", Headers),
    "nosniff" = proplists:get_value("x-content-type-options", Headers),
    {304, _, _} = get(Url, [{"if-none-match", proplists:get_value("etag", Headers)}]),
    [ {404, _, _} = get(Url ++ Path, []) || Path <- ["source/demo.erl", "..%2fsrc/demo.erl", "none.js"] ],
    {ok, {{_, 405, _}, _, _}} = httpc:request(post, {Url, [], "text/plain", "x"}, [], []),
    ok.


%% A page of another site does not get into the chat; a client that is no browser does.
other_origin_refused(Config) ->
    Port = list_to_integer(port(Config)),
    Try = fun(Headers) ->
                  {ok, Client, {Status, _}} = ws_client:connect(Port, "/chat", #{headers => Headers}),
                  ws_client:close(Client),
                  Status
          end,
    403 = Try([{<<"origin">>, <<"http://elsewhere.example">>}]),
    403 = Try([{<<"origin">>, <<"null">>}]),
    101 = Try([]),
    ok.


%% A second demo on the same port says what is wrong and what to do, without a crash report.
busy_port(Config) ->
    Second = start_server(Config, port(Config)),
    {1, Output} = os_program:await_exit(Second),
    Expected = "^Port " ++ port(Config) ++ " is in use\\. [^\n]*\n$",
    {match, _} = re:run(Output, Expected),
    ok.


bad_port(Config) ->
    {1, <<"PORT must be a number from 0 to 65535.\n">>} = os_program:await_exit(start_server(Config, "http")),
    ok.


%% The script's process ends, and its port is free again at once.
ends_on_sigterm(Config) ->
    ok = os_program:terminate(?config(server, Config)),
    {0, _} = os_program:await_exit(?config(server, Config)),
    Next = start_server(Config, port(Config)),
    try
        {match, _} = re:run(await_url(Next), port(Config)),
        ok
    after
        os_program:stop(Next)
    end.


%%% The demo's process.


start_server(Config, Port) ->
    os_program:start(filename:join([?config(root, Config), "scripts", "run-example"]),
                     ["demo"],
                     [{"PORT", Port},
                      {"DROVER_EBIN", filename:join(code:lib_dir(drover), "ebin")},
                      {"EXAMPLE_EBIN", filename:join(?config(priv_dir, Config), "ebin")}]).


await_url(Server) ->
    os_program:await_output(Server, "(http://[0-9.:]+)\\s") ++ "/".


port(Config) ->
    #{port := Port} = uri_string:parse(?config(url, Config)),
    integer_to_list(Port).


%% The checkout that drover was compiled from.
root(Dir) ->
    case filelib:is_regular(filename:join([Dir, "scripts", "run-example"])) of
        true -> Dir;
        false when Dir =/= "/" -> root(filename:dirname(Dir))
    end.


get(Url, Headers) ->
    {ok, {{_, Status, _}, Answer, _}} = httpc:request(get, {Url, Headers}, [{timeout, 10000}], []),
    {Status, proplists:get_value("content-type", Answer), Answer}.


%%% The page.


open_second(Config) ->
    Browser = ?config(browser, Config),
    Window = webdriver:new_window(Browser),
    ok = webdriver:open(Browser, ?config(url, Config)),
    await_connected(Browser),
    Window.


say(Browser, Text) ->
    webdriver:type(Browser, "#say-text", [Text, "\n"]).


change(Browser, Name, Room) ->
    set_value(Browser, "#name", unicode:characters_to_binary(Name)),
    set_value(Browser, "#room", unicode:characters_to_binary(Room)),
    webdriver:click(Browser, "#who-form button").


set_value(Browser, Selector, Value) ->
    Script = "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
             "e.dispatchEvent(new Event('input', {bubbles: true}))",
    null = webdriver:js(Browser, Script, [list_to_binary(Selector), Value]).


value(Browser, Selector) ->
    webdriver:js(Browser, "return document.querySelector(arguments[0]).value", [list_to_binary(Selector)]).


count(Browser, Selector) ->
    webdriver:js(Browser, "return document.querySelectorAll(arguments[0]).length", [list_to_binary(Selector)]).


number(Browser, Selector) ->
    binary_to_integer(binary:replace(webdriver:text(Browser, Selector), <<",">>, <<>>, [global])).


has_message(Browser, Text) ->
    Script = "return [...document.querySelectorAll('#log .said')].some(e => e.textContent.includes(arguments[0]))",
    webdriver:js(Browser, Script, [Text]).


image(Browser, Selector) ->
    webdriver:js(Browser, "return document.querySelector(arguments[0]).toDataURL()", [list_to_binary(Selector)]).


%% Counters rise and both charts are drawn anew.
one_move(Browser) ->
    Counters = ["#sent", "#received", "#server-messages"],
    await("the server's view", fun() -> webdriver:text(Browser, "#server-messages") =/= <<"–"/utf8>> end),
    Before = [ number(Browser, C) || C <- Counters ],
    Images = [ {Chart, image(Browser, Chart)} || Chart <- ["#rtt-chart", "#bytes-chart"] ],
    await_more(Browser, Counters, Before),
    [ await(Chart, fun() -> image(Browser, Chart) =/= Image end) || {Chart, Image} <- Images ],
    ok.


await_more(Browser, Counters, Before) ->
    [ await(Counter, fun() -> number(Browser, Counter) > Old end) || {Counter, Old} <- lists:zip(Counters, Before) ],
    ok.


await_connected(Browser) ->
    await_count(Browser, ".status[data-state=open]", 2).


await_lost(Browser) ->
    await_count(Browser, ".status[data-state=closed], .status[data-state=connecting]", 2),
    await("a word about it",
          fun() -> re:run(webdriver:text(Browser, "#chat .status-text"), "^Disconnected") =/= nomatch end).


await_message(Browser, Text) ->
    await(Text, fun() -> has_message(Browser, Text) end).


await_count(Browser, Selector, Count) ->
    await({Selector, Count}, fun() -> count(Browser, Selector) =:= Count end).


await_text(Browser, Selector, Text) ->
    await({Selector, Text}, fun() -> count(Browser, Selector) > 0 andalso webdriver:text(Browser, Selector) =:= Text end).


await(What, Condition) ->
    webdriver:wait(What, Condition).


%% Neither the page nor its policy has complained in the console.
no_errors(Browser) ->
    [] = webdriver:log(Browser),
    ok.
