"""What is measured: one row of a table each."""

from dataclasses import dataclass

from servers import ALL, COWBOY, DROVER, FASTWEBSOCKETS, TCP, TUNGSTENITE, UNDER, Server

PEERS = (DROVER, COWBOY, TUNGSTENITE, FASTWEBSOCKETS, TCP)
WEBSOCKETS = (DROVER, COWBOY, TUNGSTENITE, FASTWEBSOCKETS)
ERLANG = (DROVER, COWBOY)
BOTH_WAYS = (DROVER, UNDER, COWBOY)
# drover's own listener has no TLS.
SECURED = (UNDER, COWBOY)

CPU = "server_cpu_us_per_message"
RATE = "messages_per_second"
RSS = "rss_kib_per_connection"
P50 = "latency_us_p50"
P99 = "latency_us_p99"
TOTAL_RSS = "server_rss_kib"
TOTAL_CPU = "server_cpu_cores"

# Schedulers without work wait in the kernel at once. As Erlang comes they first spin, which counts as CPU time.
NO_SPIN = "+sbwt none +sbwtdcpu none +sbwtdio none"

# Which table a row belongs to.
MAIN, LOAD, GROWTH = "main", "load", "growth"


@dataclass(frozen=True)
class Row:
    """A load, and who is put under it."""

    name: str
    title: str
    load: str  # arguments of the load generator
    metric: str = CPU  # what the row is about
    servers: tuple[Server, ...] = PEERS
    goal: float | None = None  # drover's figure as a part of Cowboy's, at most
    limit: float | None = None  # drover's figure itself, at most
    erl_flags: str = ""  # none: as Erlang comes
    tls: bool = False
    of: str = ""  # the row whose runs have this figure too
    rounds: int = 5  # at most
    group: str = MAIN


def rows(quick: bool) -> list[Row]:
    """All tables, from the top."""
    return [*echo_rows(), *other_rows(200 if quick else 1000), *tls_rows(quick), *memory_rows(quick), *growth(quick)]


def echo_rows() -> list[Row]:
    """Messages there and back, on 64 connections unless said otherwise."""
    small, deep = "echo --size 125", "echo --size 125 --outstanding 16"
    large = "echo --size 1048576 --kind binary --connections 8"
    deflate = "echo --size 1024 --kind json --deflate"
    return [
        Row("text-125", "125 B text, 1 outstanding", small, CPU, ALL, 0.45),
        Row("text-125-deep", "125 B text, 16 outstanding", deep, CPU, ALL, 0.10),
        Row("text-125-nospin", "125 B text, 1 outstanding, +sbwt none", small, CPU, BOTH_WAYS, erl_flags=NO_SPIN),
        Row("text-125-deep-nospin", "125 B text, 16 outstanding, +sbwt none", deep, CPU, ERLANG, erl_flags=NO_SPIN, rounds=3),
        Row("utf8-1k", "1 KiB UTF-8, 1 outstanding", "echo --size 1024 --kind utf8", goal=0.27),
        Row("binary-16k", "16 KiB binary, 1 outstanding", "echo --size 16384 --kind binary", CPU, ALL, 0.13),
        Row("utf8-16k", "16 KiB UTF-8, 1 outstanding", "echo --size 16384 --kind utf8", goal=0.10),
        Row("binary-1m", "1 MiB binary, 8 connections", large, goal=0.10),
        Row("deflate-1k", "permessage-deflate, 1 KiB JSON", deflate, CPU, BOTH_WAYS, 0.45),
    ]


def other_rows(pushed: int) -> list[Row]:
    """Pushes, handshakes, latencies."""
    push = f"push --path /push --connections {pushed}"
    pushing = f"1 KiB text pushed to {pushed:,} connections"
    single, paced = "echo --size 125 --connections 1", "echo --size 125 --rate 5000"
    quiet = "echo --size 125 --connections 1000 --rate 1000"
    saying = "1,000 connections, a message a second each: p99"
    return [
        Row("push-1k", pushing, push, CPU, ERLANG, rounds=3),
        Row("push-deflate-1k", f"{pushing}, permessage-deflate", f"{push} --deflate", CPU, ERLANG, rounds=3),
        Row("connect", "opening and closing handshake", "connect --connections 32", CPU, WEBSOCKETS, 0.40),
        Row("single", "1 connection, 1 outstanding: p50", single, P50, PEERS, 1.0),
        Row("tail", "64 connections, 1 outstanding: p99", "echo --size 125", P99, PEERS, 0.3, of="text-125"),
        Row("paced", "5,000 messages a second: p99 from when each was due", paced, P99, PEERS, rounds=3),
        Row("quiet", saying, quiet, P99, WEBSOCKETS, rounds=3),
        Row("flood", f"{saying}, while one more floods", f"{quiet} --flood 1024", P99, WEBSOCKETS, rounds=3),
    ]


def tls_rows(quick: bool) -> list[Row]:
    """Erlang's own TLS carries the bytes for both."""
    idle = "idle --prime 1 --connections " + ("200 --settle 0.7" if quick else "500 --settle 2")
    return [
        Row("tls-125", "TLS: 125 B text, 1 outstanding", "echo --size 125", CPU, SECURED, tls=True, rounds=3),
        Row("tls-16k", "TLS: 16 KiB binary, 1 outstanding", "echo --size 16384 --kind binary", CPU, SECURED, tls=True, rounds=3),
        Row("tls-connect", "TLS: opening and closing handshake", "connect --connections 32", CPU, SECURED, tls=True, rounds=3),
        Row("tls-idle", "TLS: idle connection, after one message", idle, RSS, SECURED, tls=True, rounds=3),
    ]


def memory_rows(quick: bool) -> list[Row]:
    """Connections on which nothing is said, or nothing any more."""
    idle = "idle --connections " + ("1000 --settle 0.7" if quick else "5000 --settle 1")
    # Contexts are parked after half a second; what Erlang's allocators have of no more use they keep for some seconds.
    deflate = "idle --connections " + ("300 --settle 2" if quick else "1000 --settle 10")
    deflate += " --deflate --prime 20 --size 1024 --kind json"
    asleep = f"{idle} --prime 1 --path /hibernate"
    used = "idle, permessage-deflate, after 20 times 1 KiB"
    return [
        Row("idle", "idle connection", idle, RSS, limit=3.0, rounds=3),
        Row("idle-used", "idle connection, after one message", f"{idle} --prime 1", RSS, ALL, rounds=3),
        Row("idle-asleep", "idle connection, hibernated", asleep, RSS, ERLANG, limit=2.0, rounds=3),
        Row("idle-deflate", used, deflate, RSS, ERLANG, limit=12.0, rounds=3),
    ]


def growth(quick: bool) -> list[Row]:
    """Ever more connections: what a message costs when all say as much as they can, and what all cost when each says little."""
    busy, quiet = ((1, 1000), (500, 1000, 2000)) if quick else ((1, 100, 1000, 15000), (1000, 4000, 8000, 12000, 15000))
    servers = (DROVER, COWBOY, TUNGSTENITE)
    calm = "idle --prime 1 --settle 1 --rate {0} --connections {0}"
    return [
        Row(f"load-{n}", f"{n:,} connections, 1 outstanding", f"echo --connections {n}", CPU, servers, group=LOAD, rounds=2)
        for n in busy
    ] + [
        Row(f"growth-{n}", f"{n:,}", calm.format(n), TOTAL_CPU, servers, erl_flags=NO_SPIN, group=GROWTH, rounds=2)
        for n in quiet
    ]
