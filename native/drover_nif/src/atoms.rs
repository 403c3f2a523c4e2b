//! Every atom that crosses the boundary. None is ever made from what a peer sent.

rustler::atoms! {
    // messages
    drover = "$drover",
    request, body, closed, events, idle, parked, sent, help, more, fin,
    // results
    yield_ = "yield",
    ok, error, wait, busy, early, none, infinity, again, rest,
    badheader, badbody, internal,
    // frames and events
    text, binary, ping, pong, close, deflate,
    badframe, badencoding, badsize,
    // send modes
    cork, flush, taken,
    // request map
    method, version, scheme, host, port, path, qs, headers, peer, sock, cert, has_body, body_length, undefined, local,
    http_1_0 = "HTTP/1.0",
    http_1_1 = "HTTP/1.1",
    // information
    connections, all_connections, accepted, listeners, contexts,
    // errno
    etimedout, ehostunreach, enetunreach, econnrefused, enobufs, enomem, enetdown, emfile, enfile, einval, ebadf, enotsock,
}
