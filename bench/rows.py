"""What is measured: one row of the table each."""

from dataclasses import dataclass

from servers import COWBOY, DROVER, FASTWEBSOCKETS, TCP, TUNGSTENITE, Server

ALL = (DROVER, COWBOY, TUNGSTENITE, FASTWEBSOCKETS, TCP)
WEBSOCKETS = (DROVER, COWBOY, TUNGSTENITE, FASTWEBSOCKETS)
ERLANG = (DROVER, COWBOY)

CPU = "server_cpu_us_per_message"
RATE = "messages_per_second"
RSS = "rss_kib_per_connection"
P50 = "latency_us_p50"
P99 = "latency_us_p99"

# Schedulers without work wait in the kernel at once. As Erlang comes they first spin, which counts as CPU time.
NO_SPIN = "+sbwt none +sbwtdcpu none +sbwtdio none"


@dataclass(frozen=True)
class Row:
    """A load, and who is put under it."""

    name: str
    title: str
    load: str  # arguments of the load generator
    metric: str = CPU  # what the row is about
    servers: tuple[Server, ...] = ALL
    goal: float | None = None  # drover's figure as a part of Cowboy's, at most
    limit: float | None = None  # drover's figure itself, at most
    erl_flags: str = ""  # none: as Erlang comes


def rows(quick: bool) -> list[Row]:
    """The table, from the top."""
    return [*echo_rows(), *other_rows(200 if quick else 1000), *memory_rows(quick)]


def echo_rows() -> list[Row]:
    """Messages there and back, on 64 connections unless said otherwise."""
    small, deep = "echo --size 125", "echo --size 125 --outstanding 16"
    large = "echo --size 1048576 --kind binary --connections 8"
    deflate = "echo --size 1024 --kind json --deflate"
    return [
        Row("text-125", "125 B text, 1 outstanding", small, goal=0.45),
        Row("text-125-deep", "125 B text, 16 outstanding", deep, goal=0.10),
        Row("text-125-nospin", "125 B text, 1 outstanding, +sbwt none", small, CPU, ERLANG, erl_flags=NO_SPIN),
        Row("text-125-deep-nospin", "125 B text, 16 outstanding, +sbwt none", deep, CPU, ERLANG, erl_flags=NO_SPIN),
        Row("utf8-1k", "1 KiB UTF-8, 1 outstanding", "echo --size 1024 --kind utf8", goal=0.27),
        Row("binary-16k", "16 KiB binary, 1 outstanding", "echo --size 16384 --kind binary", goal=0.13),
        Row("utf8-16k", "16 KiB UTF-8, 1 outstanding", "echo --size 16384 --kind utf8", goal=0.10),
        Row("binary-1m", "1 MiB binary, 8 connections", large, goal=0.10),
        Row("deflate-1k", "permessage-deflate, 1 KiB JSON", deflate, CPU, ERLANG, 0.45),
    ]


def other_rows(pushed: int) -> list[Row]:
    """Pushes, handshakes, latencies."""
    push, paced = f"push --path /push --connections {pushed}", "echo --size 125 --rate 5000"
    single = "echo --size 125 --connections 1"
    return [
        Row("push-1k", f"1 KiB text pushed to {pushed:,} connections", push, CPU, ERLANG),
        Row("connect", "opening and closing handshake", "connect --connections 32", CPU, WEBSOCKETS, 0.40),
        Row("single", "1 connection, 1 outstanding: p50", single, P50, ALL, 1.0),
        Row("tail", "64 connections, 1 outstanding: p99", "echo --size 125", P99, ALL, 0.3),
        Row("paced", "5,000 messages a second: p99 from when each was due", paced, P99, ALL),
    ]


def memory_rows(quick: bool) -> list[Row]:
    """Connections on which nothing is said, or nothing any more."""
    idle = "idle --connections " + ("1000 --settle 0.7" if quick else "10000 --settle 3")
    deflate = "idle --connections " + ("300 --settle 0.7" if quick else "1000 --settle 3")
    deflate += " --deflate --prime 20 --size 1024 --kind json"
    asleep = idle + " --prime 1 --path /hibernate"
    used = "idle, permessage-deflate, after 20 times 1 KiB"
    return [
        Row("idle", "idle connection", idle, RSS, limit=3.0),
        Row("idle-used", "idle connection, after one message", f"{idle} --prime 1", RSS),
        Row("idle-asleep", "idle connection, hibernated", asleep, RSS, ERLANG, limit=2.0),
        Row("idle-deflate", used, deflate, RSS, ERLANG, limit=12.0),
    ]


def growth(quick: bool) -> list[Row]:
    """The same load on ever more connections: what a message and a connection cost."""
    counts = (1, 1000) if quick else (1, 10, 100, 1000, 5000, 10000, 15000)
    servers = ERLANG if quick else (DROVER, COWBOY, TUNGSTENITE)
    title = "{:,} connections, 1 outstanding"
    work = [Row(f"growth-{n}", title.format(n), f"echo --connections {n}", CPU, servers) for n in counts]
    rest = "--settle 0.7" if quick else "--settle 3"
    memory = [
        Row(f"memory-{n}", f"{n:,} idle connections", f"idle --connections {n} {rest} --prime 1", RSS, servers)
        for n in counts
        if n >= 1000
    ]
    return work + memory
