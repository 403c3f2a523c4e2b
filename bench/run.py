"""Measures the servers in turn, and writes what was found as JSON, as tables and as charts.

All rows are measured once, then all again: what has been measured when the run is broken off, or when MINUTES are over, is written as
well, and RESUME=FILE goes on with it. QUICK=1 measures once and briefly. ROWS=name,name restricts it to some rows, ROUNDS=3 sets
how often each is measured at most.
"""

import datetime
import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import asdict

import charts
import report
from rows import Row, rows
from servers import BIN, OTP, Server, running, versions

QUICK = os.environ.get("QUICK", "") not in ("", "0")
ROUNDS = int(os.environ.get("ROUNDS") or (1 if QUICK else 5))
MINUTES = float(os.environ.get("MINUTES") or "inf")
SECONDS = ["--warmup", "0.2", "--seconds", "0.5"] if QUICK else ["--warmup", "0.5", "--seconds", "1.5"]
DESCRIPTORS = 65536


class Progress:
    """A line for each measurement as it ends."""

    def __init__(self, total: int):
        self.total, self.done, self.began = total, 0, time.monotonic()

    def say(self, row: Row, server: Server, result: dict) -> None:
        self.done += 1
        spent = self.minutes()
        left = spent / self.done * (self.total - self.done)
        figure = result.get("error") or report.figure(row.metric, result[row.metric])
        where = f"[{self.done:3}/{self.total}, {spent:4.1f} min, {left:4.1f} to go]"
        print(f"{where} {row.title:60.60} {server.name:20} {figure}", flush=True)

    def minutes(self) -> float:
        return (time.monotonic() - self.began) / 60


def measure(row: Row, server: Server) -> dict[str, float]:
    """One run of the load generator against a server of its own."""
    with running(server, row.erl_flags, row.tls) as (address, pid):
        target = ["--addr", address, "--pid", pid, *["--tls"] * row.tls]
        command = [f"{BIN}/drover_bench", *row.load.split(), *target, *SECONDS, *server.arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def attempt(row: Row, server: Server) -> dict:
    """A failure is a result too: the table shows it, and the run ends with an error."""
    try:
        return measure(row, server)
    except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}


def all_rounds(result: dict, table: list[Row], save) -> None:
    """A B C, A B C, ...: what else the machine does meets all servers alike."""
    measured = [row for row in table if not row.of]
    runs = {row.name: entry["runs"] for row, entry in zip(table, result["rows"])}
    missing = lambda row, turn: [server for server in row.servers if len(runs[row.name][server.name]) <= turn]
    turns = [(turn, row) for turn in range(ROUNDS) for row in measured if turn < row.rounds]
    progress = Progress(sum(len(missing(row, turn)) for turn, row in turns))
    before = 0
    for turn, row in turns:
        if progress.minutes() > MINUTES:
            print(f"{MINUTES:g} minutes are over", flush=True)
            break
        if turn != before:
            result["busy"].append(busy())
            before = turn
        for server in missing(row, turn):
            found = attempt(row, server)
            runs[row.name][server.name].append(found)
            progress.say(row, server, found)
        save()


def entries(table: list[Row], earlier: list[dict]) -> list[dict]:
    """A row of the results for each of the table, with the runs that an earlier run made of it."""
    known = {entry["name"]: entry["runs"] for entry in earlier}
    result = []
    for row in table:
        entry = {name: value for name, value in asdict(row).items() if name != "servers"}
        runs = known.get(row.name, {})
        result.append(entry | {"median": {}, "runs": {server.name: runs.get(server.name, []) for server in row.servers}})
    return result


def summarize(result: dict) -> None:
    """The medians of what there is."""
    named = {entry["name"]: entry for entry in result["rows"]}
    for entry in result["rows"]:
        runs = named[entry["of"]]["runs"] if entry["of"] in named else entry["runs"]
        entry["median"] = {name: median(runs[name]) for name in entry["runs"] if runs[name]}


def median(results: list[dict]) -> dict:
    """Figure by figure, of the runs that came to their end."""
    good = [result for result in results if "error" not in result]
    if not good:
        return {"error": results[0]["error"]}
    found = {name: statistics.median(result[name] for result in good if name in result) for name in good[0]}
    return found | {"runs": len(good)}


def machine() -> dict[str, str | int]:
    """On what it was measured."""
    with open("/proc/cpuinfo") as info:
        model = next((line.split(":")[1].strip() for line in info if line.startswith("model name")), platform.machine())
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
    }


def busy() -> float:
    """The part of the processors' time that is used while nothing is measured. (A load average would remember the build.)"""
    before = ticks()
    time.sleep(1)
    total, idle = (now - then for now, then in zip(ticks(), before))
    return round(1 - idle / total, 3)


def ticks() -> tuple[int, int]:
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    return sum(fields), fields[3] + fields[4]


def chosen(table: list[Row]) -> list[Row]:
    names = [name for name in os.environ.get("ROWS", "").split(",") if name]
    return [row for row in table if not names or row.name in names or row.of in names]


def raise_descriptor_limit() -> None:
    """A descriptor for each connection, for the servers as for the generator."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, max(hard, DESCRIPTORS)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def beginning(table: list[Row]) -> dict:
    """What is known before anything was measured, or what an earlier run left."""
    earlier = {}
    if resumed := os.environ.get("RESUME"):
        with open(resumed) as file:
            earlier = json.load(file)
    date = earlier.get("date") or datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    result = {"date": date, "quick": QUICK, "machine": machine(), "versions": versions()}
    return result | {"busy": earlier.get("busy", []) + [busy()], "rows": entries(table, earlier.get("rows", []))}


def write_json(result: dict, base: str) -> None:
    """All or nothing: a run may be broken off at any time."""
    with open(f"{base}.json.new", "w") as file:
        json.dump(result, file, indent=1)
    os.replace(f"{base}.json.new", f"{base}.json")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped, too
    raise_descriptor_limit()
    table = chosen(rows(QUICK))
    result = beginning(table)
    base = f"bench/results/{result['date'][:10]}{f'-otp{OTP}' if OTP else ''}{'-quick' if QUICK else ''}"
    os.makedirs("bench/results", exist_ok=True)
    try:
        all_rounds(result, table, lambda: write_json(result, base))
        result["busy"].append(busy())
    except KeyboardInterrupt:
        print("broken off")
    summarize(result)
    write_json(result, base)
    with open(f"{base}.md", "w") as file:
        file.write(report.markdown(result))
    charts.write(result, base)
    print(f"\n{report.markdown(result)}\nwritten: {base}.json, .md, *.svg")
    return 1 if any("error" in run for row in result["rows"] for runs in row["runs"].values() for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
