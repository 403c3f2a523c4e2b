%% Routes, under the name of Cowboy's module; see `drover_router'.
-module(cowboy_router).

-export([compile/1]).

-export_type([routes/0, dispatch_rules/0, bindings/0, tokens/0]).

-type routes() :: drover_router:routes().
-type dispatch_rules() :: drover_router:rules().
-type bindings() :: drover_router:bindings().
-type tokens() :: drover_router:tokens().


-spec compile(routes()) -> dispatch_rules().
compile(Routes) ->
    drover_router:compile(Routes).
