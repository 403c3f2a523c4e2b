%% The behaviour of WebSocket handlers, in the versions of both APIs: callbacks have either
%% the request among their arguments (arity 3, Cowboy 2.0.0-pre.1 to pre.3) or not
%% (arity 2, since then). What they mean is in drover's guide to compatibility.
-module(cowboy_websocket).

-export_type([frame/0, in_frame/0, commands/0, call_result/1, reply_result/1, opts/0]).

-type opts() :: drover_opts:websocket_opts().
-type in_frame() :: ping | pong | {text | binary | ping | pong, binary()}.
-type frame() ::
        close |
        ping |
        pong |
        {text | binary | close | ping | pong, iodata()} |
        {close, non_neg_integer(), iodata()}.
-type commands() :: [frame() |
                     {active, boolean()} |
                     {deflate, boolean()} |
                     {set_options, #{idle_timeout => timeout(), max_frame_size => non_neg_integer() | infinity}} |
                     {shutdown_reason, any()}].
%% Of callbacks of arity 2.
-type call_result(State) ::
        {commands(), State} |
        {commands(), State, hibernate} |
        {ok, State} |
        {ok, State, hibernate} |
        {reply, frame() | [frame()], State} |
        {reply, frame() | [frame()], State, hibernate} |
        {stop, State}.
%% Of callbacks of arity 3.
-type reply_result(State) ::
        {ok, cowboy_req:req(), State} |
        {ok, cowboy_req:req(), State, hibernate} |
        {reply, frame() | [frame()], cowboy_req:req(), State} |
        {reply, frame() | [frame()], cowboy_req:req(), State, hibernate} |
        {stop, cowboy_req:req(), State}.


-callback init(Req, any()) ->
              {ok | module(), Req, any()} |
              {module(), Req, any(), opts() | timeout() | hibernate} |
              {module(), Req, any(), timeout(), hibernate}
                  when Req :: cowboy_req:req().
-callback terminate(Reason :: any(), Req :: any(), any()) -> any().

-callback websocket_init(State) -> call_result(State).
-callback websocket_handle(in_frame(), State) -> call_result(State).
-callback websocket_info(any(), State) -> call_result(State).

-callback websocket_handle(in_frame(), cowboy_req:req(), State) -> reply_result(State).
-callback websocket_info(any(), cowboy_req:req(), State) -> reply_result(State).

-optional_callbacks([terminate/3,
                     websocket_init/1,
                     websocket_handle/2,
                     websocket_info/2,
                     websocket_handle/3,
                     websocket_info/3]).
