%% A browser for a test: headless Chromium, driven through ChromeDriver by the WebDriver protocol.
%%
%% The driver and the browser are an os_program: no case, however it ends, leaves them behind.
-module(webdriver).

-export([start/0, stop/1]).
-export([open/2, window/1, new_window/1, switch/2, close_window/1, resize/3]).
-export([find/2, click/2, type/3, text/2, js/2, js/3, log/1]).
-export([wait/2, wait/3]).

-export_type([browser/0]).

-opaque browser() :: #{program := os_program:program(), url := string(), dir := file:filename()}.

-type selector() :: string().

-define(PATIENCE_MS, 15000).
-define(INTERVAL_MS, 25).
-define(REQUEST_MS,  60000).
-define(ELEMENT,     <<"element-6066-11e4-a52e-4f735466cecf">>).


%% Starts a browser with an empty profile; fails clearly where none is installed.
-spec start() -> browser().
start() ->
    Driver = installed("chromedriver", "chromium-driver"),
    Chromium = installed("chromium", "chromium"),
    {ok, _} = application:ensure_all_started(inets),
    Dir = temporary_dir(),
    {Program, Url} = start_driver(Driver),
    try request(post, Url ++ "/session", capabilities(Chromium, Dir)) of
        #{<<"sessionId">> := Id} ->
            #{program => Program, dir => Dir, url => Url ++ "/session/" ++ binary_to_list(Id)}
    catch
        Class:Reason:Stack ->
            kill(Program, Dir),
            erlang:raise(Class, Reason, Stack)
    end.


-spec stop(browser()) -> ok.
stop(#{program := Program, dir := Dir, url := Url}) ->
    %% Asked politely first; what does not listen is killed.
    _ = httpc:request(delete, {Url, []}, [{timeout, 5000}], []),
    kill(Program, Dir).


-spec open(browser(), string()) -> ok.
open(Browser, Address) ->
    null = post(Browser, "/url", #{url => list_to_binary(Address)}),
    ok.


%% The window that commands go to.
-spec window(browser()) -> binary().
window(#{url := Url}) ->
    request(get, Url ++ "/window", none).


-spec new_window(browser()) -> binary().
new_window(Browser) ->
    #{<<"handle">> := Handle} = post(Browser, "/window/new", #{type => <<"window">>}),
    switch(Browser, Handle),
    Handle.


-spec switch(browser(), binary()) -> ok.
switch(Browser, Handle) ->
    null = post(Browser, "/window", #{handle => Handle}),
    ok.


-spec close_window(browser()) -> ok.
close_window(#{url := Url}) ->
    _ = request(delete, Url ++ "/window", none),
    ok.


-spec resize(browser(), pos_integer(), pos_integer()) -> ok.
resize(Browser, Width, Height) ->
    #{} = post(Browser, "/window/rect", #{width => Width, height => Height}),
    ok.


%% An element by its CSS selector; it must be there.
-spec find(browser(), selector()) -> binary().
find(Browser, Selector) ->
    Query = #{using => <<"css selector">>, value => list_to_binary(Selector)},
    #{?ELEMENT := Element} = post(Browser, "/element", Query),
    Element.


-spec click(browser(), selector()) -> ok.
click(Browser, Selector) ->
    null = post(Browser, element_path(Browser, Selector, "/click"), #{}),
    ok.


%% Types as a user does, key by key; "\n" is Enter.
-spec type(browser(), selector(), unicode:chardata()) -> ok.
type(Browser, Selector, Text) ->
    Keys = #{text => unicode:characters_to_binary(Text)},
    null = post(Browser, element_path(Browser, Selector, "/value"), Keys),
    ok.


%% The text that a user sees, in one step: the element may be replaced at any time.
-spec text(browser(), selector()) -> binary().
text(Browser, Selector) ->
    js(Browser, "return document.querySelector(arguments[0]).innerText", [list_to_binary(Selector)]).


%% The value of a script's `return', with `arguments'.
-spec js(browser(), string()) -> tiny_json:value().
js(Browser, Script) ->
    js(Browser, Script, []).


-spec js(browser(), string(), [tiny_json:value()]) -> tiny_json:value().
js(Browser, Script, Arguments) ->
    Body = #{script => unicode:characters_to_binary(Script), args => Arguments},
    post(Browser, "/execute/sync", Body).


%% What the page's console has shown since the last call.
-spec log(browser()) -> [#{binary() => term()}].
log(Browser) ->
    post(Browser, "/se/log", #{type => <<"browser">>}).


%% Polls until the fun gives true; fails with the name of what did not come.
-spec wait(term(), fun(() -> boolean())) -> ok.
wait(What, Fun) ->
    wait(What, Fun, ?PATIENCE_MS).


-spec wait(term(), fun(() -> boolean()), pos_integer()) -> ok.
wait(What, Fun, Patience) ->
    wait_until(What, Fun, erlang:monotonic_time(millisecond) + Patience).


wait_until(What, Fun, Deadline) ->
    case {Fun(), erlang:monotonic_time(millisecond) < Deadline} of
        {true, _} ->
            ok;
        {false, true} ->
            timer:sleep(?INTERVAL_MS),
            wait_until(What, Fun, Deadline);
        {false, false} ->
            error({not_seen_in_time, What})
    end.


%%% The driver's process.


installed(Program, Package) ->
    case os:find_executable(Program) of
        false ->
            error({not_installed, Program, "scripts/setup installs Debian's package " ++ Package});
        Path ->
            Path
    end.


start_driver(Driver) ->
    Program = os_program:start(Driver, ["--port=0"], []),
    {Program, "http://127.0.0.1:" ++ os_program:await_output(Program, "started successfully on port (\\d+)")}.


kill(Program, Dir) ->
    ok = os_program:stop(Program),
    %% The kernel may still be taking the browser's last threads down.
    wait(profile_removed, fun() -> lists:member(file:del_dir_r(Dir), [ok, {error, enoent}]) end).


temporary_dir() ->
    Name = io_lib:format("drover-browser-~s-~b", [os:getpid(), erlang:unique_integer([positive])]),
    Dir = filename:join(os:getenv("TMPDIR", "/tmp"), lists:flatten(Name)),
    ok = file:make_dir(Dir),
    Dir.


capabilities(Chromium, Dir) ->
    Arguments = ["--headless=new",
                 "--no-sandbox",
                 "--disable-gpu",
                 "--disable-quic",
                 "--no-first-run",
                 "--disable-background-networking",
                 "--disable-component-update",
                 "--disable-sync",
                 "--disable-dev-shm-usage",
                 "--window-size=1280,1000",
                 "--user-data-dir=" ++ Dir],
    Options = #{args => [ list_to_binary(A) || A <- Arguments ], binary => list_to_binary(Chromium)},
    Always = #{'goog:chromeOptions' => Options, 'goog:loggingPrefs' => #{browser => <<"ALL">>}},
    #{capabilities => #{alwaysMatch => Always}}.


%%% The protocol.


element_path(Browser, Selector, Rest) ->
    "/element/" ++ binary_to_list(find(Browser, Selector)) ++ Rest.


post(#{url := Url}, Path, Body) ->
    request(post, Url ++ Path, Body).


request(Method, Url, Body) ->
    Request = case Body of
                  none -> {Url, []};
                  _ -> {Url, [], "application/json", iolist_to_binary(tiny_json:encode(Body))}
              end,
    Options = [{body_format, binary}],
    {ok, {{_, Status, _}, _, Answer}} = httpc:request(Method, Request, [{timeout, ?REQUEST_MS}], Options),
    case {Status, tiny_json:decode(Answer)} of
        {200, #{<<"value">> := Value}} ->
            Value;
        {_, #{<<"value">> := #{<<"error">> := Error, <<"message">> := Message}}} ->
            error({webdriver, Error, Message})
    end.
