%% A transport of ranch's that is not ranch_tcp, so that nobody knows that its sockets are sockets of TCP.
-module(foreign_tcp).

-export([name/0, secure/0, messages/0]).
-export([listen/1, accept/2, handshake/2, handshake/3, handshake_continue/2, handshake_continue/3, handshake_cancel/1]).
-export([connect/3, connect/4, recv/3, recv_proxy_header/2, send/2]).
-export([sendfile/2, sendfile/4, sendfile/5, setopts/2, getopts/2, getstat/1, getstat/2]).
-export([controlling_process/2, peername/1, sockname/1, shutdown/2, close/1, cleanup/1]).


name() -> foreign_tcp.


secure() -> false.


messages() -> ranch_tcp:messages().


listen(Opts) -> ranch_tcp:listen(Opts).


accept(Socket, Timeout) -> ranch_tcp:accept(Socket, Timeout).


handshake(Socket, Timeout) -> ranch_tcp:handshake(Socket, Timeout).


handshake(Socket, Opts, Timeout) -> ranch_tcp:handshake(Socket, Opts, Timeout).


handshake_continue(Socket, Timeout) -> ranch_tcp:handshake_continue(Socket, Timeout).


handshake_continue(Socket, Opts, Timeout) -> ranch_tcp:handshake_continue(Socket, Opts, Timeout).


handshake_cancel(Socket) -> ranch_tcp:handshake_cancel(Socket).


connect(Host, Port, Opts) -> ranch_tcp:connect(Host, Port, Opts).


connect(Host, Port, Opts, Timeout) -> ranch_tcp:connect(Host, Port, Opts, Timeout).


recv(Socket, Length, Timeout) -> ranch_tcp:recv(Socket, Length, Timeout).


recv_proxy_header(Socket, Timeout) -> ranch_tcp:recv_proxy_header(Socket, Timeout).


send(Socket, Data) -> ranch_tcp:send(Socket, Data).


sendfile(Socket, File) -> ranch_tcp:sendfile(Socket, File).


sendfile(Socket, File, Offset, Bytes) -> ranch_tcp:sendfile(Socket, File, Offset, Bytes).


sendfile(Socket, File, Offset, Bytes, Opts) -> ranch_tcp:sendfile(Socket, File, Offset, Bytes, Opts).


setopts(Socket, Opts) -> ranch_tcp:setopts(Socket, Opts).


getopts(Socket, Opts) -> ranch_tcp:getopts(Socket, Opts).


getstat(Socket) -> ranch_tcp:getstat(Socket).


getstat(Socket, Opts) -> ranch_tcp:getstat(Socket, Opts).


controlling_process(Socket, Pid) -> ranch_tcp:controlling_process(Socket, Pid).


peername(Socket) -> ranch_tcp:peername(Socket).


sockname(Socket) -> ranch_tcp:sockname(Socket).


shutdown(Socket, How) -> ranch_tcp:shutdown(Socket, How).


close(Socket) -> ranch_tcp:close(Socket).


cleanup(Opts) -> ranch_tcp:cleanup(Opts).
