"""The results as a table in Markdown."""

from rows import CPU, P50, P99, RATE, RSS

ORDER = ["drover", "Cowboy", "tokio-tungstenite", "fastwebsockets", "TCP echo"]
UNITS = {CPU: "µs CPU", RATE: "/s", RSS: "KiB", P50: "µs", P99: "µs"}
BUSY = 0.05
SATURATED = "\\*"


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
    found = [row for row in result["rows"] if not row["name"].startswith(("growth-", "memory-"))]
    parts = [preface(result), table(found)]
    rates = [row | {"metric": RATE, "goal": None, "limit": None} for row in found if row["metric"] == CPU and is_echo(row)]
    if rates:
        heading = f"Messages per second in the same runs (more is better; {SATURATED} the generator had no more to give):"
        parts.append(f"{heading}\n\n{table(rates)}")
    larger = [row for row in result["rows"] if row not in found]
    if larger:
        parts.append("With the number of connections:\n\n" + table(larger))
    return "\n".join(parts)


def is_echo(row: dict) -> bool:
    return row["load"].startswith("echo")


def preface(result: dict) -> str:
    machine, versions = result["machine"], result["versions"]
    kind = "one short run each" if result["quick"] else f"median of {result['rounds']}"
    lines = [
        f"{result['date']}, {kind}; {machine['processor']}, {machine['cores']} cores, Linux {machine['kernel']}.",
        "; ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        "64 connections unless a row says otherwise. CPU is the server's, per message (per connection for handshakes; the",
        "kernel's part included); KiB are resident memory of the server per connection. Less is better.",
    ]
    busy = max(result["busy"])
    if busy > BUSY:
        others = f"Other programs used {busy:.0%} of the processors before or after"
        lines.append(f"**{others}: latencies and rates mean little, CPU figures not much.**")
    return "\n".join(lines) + "\n"


def table(rows: list[dict]) -> str:
    names = [name for name in ORDER if any(name in row["median"] for row in rows)]
    goals = any(goal(row) for row in rows)
    head = ["", *names, "drover : Cowboy", *["goal"] * goals]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    lines += [[row["title"], *(cell(row, name) for name in names), ratio(row), *[goal(row)] * goals] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(row: dict, name: str) -> str:
    median = row["median"].get(name)
    if median is None:
        return ""
    if "error" in median:
        return "failed"
    limited = row["metric"] == RATE and median["client_cpu_cores"] > 0.95
    return figure(row["metric"], median[row["metric"]]) + (SATURATED if limited else "")


def part(row: dict) -> float | None:
    """drover's figure divided by Cowboy's."""
    values = [row["median"].get(name, {}).get(row["metric"]) for name in ("drover", "Cowboy")]
    return values[0] / values[1] if values[0] is not None and values[1] else None


def ratio(row: dict) -> str:
    found = part(row)
    return "" if found is None else f"{found:.2f}"


def goal(row: dict) -> str:
    """What drover should reach: a part of Cowboy's figure, or a figure of its own."""
    own = row["median"].get("drover", {}).get(row["metric"])
    if row["goal"] is not None:
        return f"≤ {row['goal']:.2f} {verdict(part(row), row['goal'])}"
    if row["limit"] is not None:
        return f"≤ {figure(row['metric'], row['limit'])} {verdict(own, row['limit'])}"
    return ""


def verdict(found: float | None, most: float) -> str:
    if found is None:
        return ""
    return "reached" if found <= most else "missed"
