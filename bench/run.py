"""Measures the servers in turn, and writes what was found as JSON, as a table and as charts.

QUICK=1 does so once and briefly; otherwise each figure is the median of five. ROWS=name,name restricts it to some rows.
"""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import asdict

import charts
import report
from rows import Row, growth, rows
from servers import BIN, Server, running, versions

QUICK = os.environ.get("QUICK", "") not in ("", "0")
ROUNDS = int(os.environ.get("ROUNDS", 1 if QUICK else 5))
SECONDS = ["--warmup", "0.3", "--seconds", "0.8"] if QUICK else ["--warmup", "1", "--seconds", "3"]


def measure(row: Row, server: Server) -> dict[str, float]:
    """One run of the load generator against a server of its own."""
    with running(server, row.erl_flags) as (address, pid):
        target = ["--addr", address, "--pid", pid]
        command = [f"{BIN}/drover_bench", *row.load.split(), *target, *SECONDS, *server.arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def attempt(row: Row, server: Server) -> dict:
    """A failure is a result too: the table shows it, and the run ends with an error."""
    try:
        return measure(row, server)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}


def all_rounds(row: Row, say) -> dict:
    """A B C, A B C, ...: what else the machine does meets all servers alike."""
    runs = {server.name: [] for server in row.servers}
    for _ in range(ROUNDS):
        for server in row.servers:
            result = attempt(row, server)
            runs[server.name].append(result)
            say(row, server, result)
    medians = {name: median(results) for name, results in runs.items()}
    entry = {name: value for name, value in asdict(row).items() if name != "servers"}
    return entry | {"median": medians, "runs": runs}


def median(results: list[dict]) -> dict:
    """Figure by figure, of the runs that came to their end."""
    good = [result for result in results if "error" not in result]
    if not good:
        return {"error": results[0]["error"]}
    return {name: statistics.median(result[name] for result in good if name in result) for name in good[0]}


def progress(total: int):
    """A line for each measurement as it ends."""
    done = 0

    def say(row: Row, server: Server, result: dict) -> None:
        nonlocal done
        done += 1
        figure = result.get("error") or report.figure(row.metric, result[row.metric])
        print(f"[{done:3}/{total}] {row.title:52.52} {server.name:18} {figure}", flush=True)

    return say


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
    return [row for row in table if not names or row.name in names]


def main() -> int:
    now = datetime.datetime.now(datetime.UTC)
    table = chosen(rows(QUICK) + growth(QUICK))
    result = {"date": now.isoformat(timespec="seconds"), "quick": QUICK, "rounds": ROUNDS}
    result |= {"machine": machine(), "versions": versions(), "busy": [busy()]}
    say = progress(ROUNDS * sum(len(row.servers) for row in table))
    result["rows"] = [all_rounds(row, say) for row in table]
    result["busy"].append(busy())
    base = f"bench/results/{now:%Y-%m-%d}{'-quick' if QUICK else ''}"
    os.makedirs("bench/results", exist_ok=True)
    with open(f"{base}.json", "w") as file:
        json.dump(result, file, indent=1)
    with open(f"{base}.md", "w") as file:
        file.write(report.markdown(result))
    charts.write(result, base)
    print(f"\n{report.markdown(result)}\nwritten: {base}.json, .md, *.svg")
    return 1 if any("error" in run for row in result["rows"] for runs in row["runs"].values() for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
