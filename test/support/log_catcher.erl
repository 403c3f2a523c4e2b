%% Collects what the server logs while a test does something.
-module(log_catcher).

-export([during/1]).
-export([log/2]).


%% The result of a function, and all that was logged at level warning or above by it or by any process meanwhile.
-spec during(fun(() -> Result)) -> {Result, [logger:log_event()]}.
during(Fun) ->
    #{level := Level} = logger:get_primary_config(),
    ok = logger:set_primary_config(level, warning),
    ok = logger:add_handler(?MODULE, ?MODULE, #{config => #{pid => self()}, level => warning}),
    try Fun() of
        Result -> {Result, collected()}
    after
        ok = logger:remove_handler(?MODULE),
        ok = logger:set_primary_config(level, Level)
    end.


collected() ->
    receive
        {?MODULE, Event} -> [Event | collected()]
    after
        0 ->
            []
    end.


%% The callback of logger's handlers.
-spec log(logger:log_event(), logger:handler_config()) -> ok.
log(Event, #{config := #{pid := Pid}}) ->
    Pid ! {?MODULE, Event},
    ok.
