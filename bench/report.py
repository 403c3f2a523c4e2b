"""The results as tables in Markdown. `report.py FILE.json` prints them; with --readme it puts a part of them into README.md."""

import json
import os
import re
import sys

import fit
from rows import CPU, GROWTH, LOAD, MAIN, P50, P99, RATE, RSS, TOTAL_CPU, TOTAL_RSS
from servers import ALL, COWBOY, DROVER, TCP, UNDER

ORDER = [server.name for server in ALL]
UNITS = {CPU: "µs CPU", RATE: "/s", RSS: "KiB", P50: "µs", P99: "µs", TOTAL_CPU: "cores"}
BUSY = 0.05
SATURATED = "\\*"
# drover under Cowboy is to cost this much more than with its own listener, at most.
WITHIN = 1.10
# What is nearer than this counts as equal.
EQUAL = 1.05
README, BEGIN, END = "README.md", "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def figure(metric: str, value: float) -> str:
    """A figure with its unit, three digits of it."""
    return f"{digits(value)} {UNITS[metric]}"


def digits(value: float) -> str:
    """Three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def markdown(result: dict) -> str:
    """Every row, with drover's part of Cowboy's figure and the goal for it."""
    main = group(result, MAIN)
    rates = [row | {"metric": RATE, "goal": None, "limit": None} for row in main if is_echo(row)]
    full = f"Messages per second in the same runs (more is better; {SATURATED} the generator had no more to give):"
    sections = [
        (None, table(main)),
        (full, table(rates)),
        ("The same connections, from drover's own listener and taken over from Cowboy:", both_ways(main)),
        ("With the number of connections that all say as much as they can:", table(group(result, LOAD))),
        (f"With the number of connections that say a message a second each, `+sbwt none`:", growth(result)),
        ("Where drover comes second:", lost(main)),
    ]
    return "\n".join([preface(result), *(section(heading, body) for heading, body in sections if body)])


def section(heading: str | None, body: str) -> str:
    return f"{heading}\n\n{body}" if heading else body


def group(result: dict, name: str) -> list[dict]:
    """The rows of a table of which something was measured."""
    return [row for row in result["rows"] if row["group"] == name and row["median"]]


def is_echo(row: dict) -> bool:
    return row["metric"] == CPU and row["load"].startswith("echo")


def preface(result: dict) -> str:
    machine, versions = result["machine"], result["versions"]
    lines = [
        f"{result['date'][:10]}, {rounds(result)}; {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}.",
        "; ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        "64 connections unless a row says otherwise. CPU is the server's, per message (per connection for handshakes; the",
        "kernel's part included); KiB are resident memory of the server per connection. Less is better.",
    ]
    busy = max(result["busy"])
    if busy > BUSY:
        others = f"Other programs used {busy:.0%} of the processors before, between or after"
        lines.append(f"**{others}: latencies and rates mean little, CPU figures not much.**")
    return "\n".join(lines) + "\n"


def rounds(result: dict) -> str:
    counts = [median["runs"] for row in result["rows"] for median in row["median"].values() if "runs" in median]
    least, most = min(counts, default=0), max(counts, default=0)
    if most <= 1:
        return "one short run each"
    return f"median of {least}" + (f" to {most} runs" if least < most else " runs")


def table(rows: list[dict]) -> str:
    if not rows:
        return ""
    names = [name for name in ORDER if any(name in row["median"] for row in rows)]
    goals = any(goal(row) for row in rows)
    head = ["", *names, "drover : Cowboy", *["goal"] * goals]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    lines += [[row["title"], *(cell(row, name) for name in names), ratio(part(row)), *[goal(row)] * goals] for row in rows]
    return written(lines)


def written(lines: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(row: dict, name: str) -> str:
    median = row["median"].get(name)
    if median is None:
        return ""
    if "error" in median:
        return "failed"
    limited = row["metric"] == RATE and median["client_cpu_cores"] > 0.95
    return figure(row["metric"], median[row["metric"]]) + (SATURATED if limited else "")


def value(row: dict, name: str) -> float | None:
    return row["median"].get(name, {}).get(row["metric"])


def own(row: dict) -> float | None:
    """drover's figure: where its own listener has none, that of drover under Cowboy."""
    found = value(row, DROVER.name)
    return value(row, UNDER.name) if found is None else found


def divided(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None


def part(row: dict) -> float | None:
    """drover's figure divided by Cowboy's."""
    return divided(own(row), value(row, COWBOY.name))


def ratio(found: float | None) -> str:
    return "" if found is None else f"{found:.2f}"


def goal(row: dict) -> str:
    """What drover should reach: a part of Cowboy's figure, or a figure of its own."""
    if row["goal"] is not None:
        return f"≤ {row['goal']:.2f} {verdict(part(row), row['goal'])}"
    if row["limit"] is not None:
        return f"≤ {figure(row['metric'], row['limit'])} {verdict(own(row), row['limit'])}"
    return ""


def verdict(found: float | None, most: float) -> str:
    if found is None:
        return ""
    return "reached" if found <= most else "missed"


def both_ways(rows: list[dict]) -> str:
    """How much more it costs to come by way of Cowboy."""
    lines = []
    for row in rows:
        found = divided(value(row, UNDER.name), value(row, DROVER.name))
        if found is not None:
            cells = [cell(row, DROVER.name), cell(row, UNDER.name), ratio(found)]
            lines.append([row["title"], *cells, f"≤ {WITHIN:.2f} {verdict(found, WITHIN)}"])
    head = [["", DROVER.name, UNDER.name, "under : own", "goal"], ["---"] + ["---:"] * 4]
    return written(head + lines) if lines else ""


def growth(result: dict) -> str:
    """All that the server takes, and straight lines through it."""
    memory, work = fit.growth(result, TOTAL_RSS), fit.growth(result, TOTAL_CPU)
    rows = group(result, GROWTH)
    if not rows:
        return ""
    lines = [["connections", *memory], ["---:"] * (1 + len(memory))]
    for row in rows:
        known = [row["median"].get(name, {}) for name in memory]
        cells = [taken(median) if TOTAL_CPU in median else "failed" if median else "" for median in known]
        lines.append([row["title"], *cells])
    lines.append(["each more", *(f"{more(memory[name], 1024)} KiB, {more(work[name], 1000)} µs" for name in memory)])
    lines.append(["R²", *(f"{explained(memory[name])}, {explained(work[name])}" for name in memory)])
    return written(lines)


def taken(median: dict) -> str:
    return f"{median[TOTAL_RSS] / 1024:,.1f} MiB, {median[TOTAL_CPU] * 1000:,.0f} ms/s"


def more(points: list[tuple[float, float]], scale: float) -> str:
    found = fit.line(points)
    return digits(found.slope * scale) if found else "?"


def explained(points: list[tuple[float, float]]) -> str:
    found = fit.line(points)
    return f"{found.r2:.4f}" if found else "?"


def lost(rows: list[dict]) -> str:
    """Every row in which another WebSocket server has the better figure."""
    found = []
    for row in rows:
        ahead = {name: divided(own(row), value(row, name)) for name in ORDER if name not in (DROVER.name, UNDER.name, TCP.name)}
        better = [f"{name} ({1 / factor:.2f} of drover's)" for name, factor in ahead.items() if factor and factor > EQUAL]
        if better:
            found.append(f"- {row['title']}: {', '.join(better)}\n")
    return "".join(found)


def short(result: dict, path: str) -> str:
    """The part for the front page."""
    main = [row for row in group(result, MAIN)]
    base = os.path.splitext(path)[0]
    chart = f"![Server CPU per message]({base}-cpu.svg)\n"
    more = f"All tables and charts are in [{os.path.dirname(base)}]({base}.md)."
    parts = [preface(result), chart, table(main), section("Where drover comes second:", lost(main)), more + "\n"]
    return "\n".join(parts)


def put_into_readme(text: str) -> None:
    with open(README) as file:
        readme = file.read()
    whole = re.compile(re.escape(BEGIN) + ".*" + re.escape(END), re.DOTALL)
    changed, count = whole.subn(lambda _: BEGIN + text + END, readme)
    if count != 1:
        sys.exit(f"{README} has no place for the results")
    with open(README, "w") as file:
        file.write(changed)


def main(arguments: list[str]) -> None:
    paths = [argument for argument in arguments if argument != "--readme"]
    if len(paths) != 1:
        sys.exit("usage: report.py [--readme] bench/results/DATE.json")
    with open(paths[0]) as file:
        result = json.load(file)
    if "--readme" in arguments:
        put_into_readme(short(result, paths[0]))
    else:
        print(markdown(result), end="")


if __name__ == "__main__":
    main(sys.argv[1:])
