"""The servers that are measured: how each is started, and what it is, exactly."""

import glob
import os
import re
import select
import signal
import subprocess
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass

BIN = os.environ.get("BENCH_BIN", "target/release")
PEERS = os.environ.get("BENCH_PEERS", "bench/peers/target/release")
PATIENCE = 30

# Another Erlang/OTP than the machine's, in the Debian of scripts/otp-root, and what was compiled with it.
OTP = os.environ.get("OTP", "")
_IN_OTP = ["bench/otp-exec", OTP] if OTP else []
_BUILT = f"_build/bench/otp-{OTP}" if OTP else "_build/bench"
_OWN = f"{_BUILT}/drover/ebin" if OTP else "_build/default/lib/drover/ebin"
_PEERS = f"{_BUILT}/_peers" if OTP else "_peers"
_COWBOY = f"{_PEERS}/cowboy/*/ebin"


@dataclass(frozen=True)
class Server:
    """A server by its name in tables and charts."""

    name: str
    command: list[str]
    colour: str
    arguments: tuple[str, ...] = ()  # for the load generator


def _erlang(target: str, *ebins: str) -> list[str]:
    paths = [path for pattern in ebins for path in sorted(glob.glob(pattern))]
    run = ["-pa", *paths, f"{_BUILT}/ebin", "-s", "bench_server", "main", target]
    return [*_IN_OTP, "erl", "-noinput", "+Bd", *run]


DROVER = Server("drover", _erlang("drover", _OWN), "#c2410c")
UNDER = Server("drover under Cowboy", _erlang("takeover", _OWN, _COWBOY), "#f59e0b")
COWBOY = Server("Cowboy", _erlang("cowboy", _COWBOY), "#2563eb")
TUNGSTENITE = Server("tokio-tungstenite", [f"{PEERS}/peer_tungstenite"], "#0f766e")
FASTWEBSOCKETS = Server("fastwebsockets", [f"{PEERS}/peer_fastwebsockets"], "#7c3aed")
TCP = Server("TCP echo", [f"{PEERS}/peer_tcp"], "#9ca3af", ("--raw",))

# In the order of tables and charts.
ALL = (DROVER, UNDER, COWBOY, TUNGSTENITE, FASTWEBSOCKETS, TCP)


@contextmanager
def running(server: Server, erl_flags: str = "", tls: bool = False):
    """The address and process of a server that was just started, and is stopped afterwards."""
    environment = os.environ | {"PORT": "0", "ERL_CRASH_DUMP_SECONDS": "0", "ERL_FLAGS": erl_flags}
    command = [*server.command, *["tls"] * tls]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        began, _, _ = select.select([process.stdout], [], [], PATIENCE)
        line = process.stdout.readline() if began else "it says nothing"
        found = re.match(r"listening on (\S+) pid (\d+)", line)
        if not found:
            raise RuntimeError(f"{server.name} did not start: {line.strip()}")
        yield found[1], found[2]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()


def versions() -> dict[str, str]:
    """What is compared, exactly."""
    otp = "io:put_chars(erlang:system_info(otp_release)), halt()."
    return {
        "drover": _output("git", "describe", "--always", "--dirty", "--tags"),
        "Erlang/OTP": _output(*_IN_OTP, "erl", "-noinput", "-eval", otp),
        "rustc": _output("rustc", "--version").split()[1],
        "Cowboy": _cowboy_version(),
        **_crates("tokio", "tokio-tungstenite", "fastwebsockets", "hyper"),
    }


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _cowboy_version() -> str:
    with open(f"{_PEERS}/cowboy/cowboy/ebin/cowboy.app") as app:
        return re.search(r'{vsn,\s*"([^"]+)"}', app.read())[1]


def _crates(*names: str) -> dict[str, str]:
    with open("bench/peers/Cargo.lock", "rb") as lock:
        packages = tomllib.load(lock)["package"]
    return {package["name"]: package["version"] for package in packages if package["name"] in names}
