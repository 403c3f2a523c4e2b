"""Charts in SVG, drawn without any library."""

from html import escape
from math import floor, log10

import fit
from report import ORDER, digits, group, is_echo
from rows import CPU, LOAD, MAIN, RATE, RSS, TOTAL_CPU, TOTAL_RSS
from servers import ALL

COLOURS = {server.name: server.colour for server in ALL}
WIDTH = 930
LEFT = 370
BAR = 15
QUANTILES = [("p50", "50 %"), ("p90", "90 %"), ("p99", "99 %"), ("p99_9", "99.9 %")]


def write(result: dict, base: str) -> None:
    """One file for each question that the results answer."""
    main = group(result, MAIN)
    memory, work = fit.growth(result, TOTAL_RSS), fit.growth(result, TOTAL_CPU)
    drawings = {
        "cpu": bars("Server CPU per message, µs: less is better", [row for row in main if row["metric"] == CPU], CPU),
        "rate": bars("Messages per second: more is better", [row for row in main if is_echo(row)], RATE),
        "memory": bars("Resident memory per connection, KiB: less is better", [row for row in main if row["metric"] == RSS], RSS),
        "load": lines("Server CPU per message, µs, by number of connections", *load(group(result, LOAD))),
        "growth-memory": straight("Resident memory of the server, MiB, by number of connections", memory),
        "growth-cpu": straight("Server CPU, ms a second, by number of connections that say a message a second", work),
    }
    for row in main:
        if row["name"] in ("text-125", "paced", "flood"):
            title = row["title"].removesuffix(": p99")
            drawings[f"latency-{row['name']}"] = lines(f"Latency, µs: {title}", *latency(row))
    for name, drawing in drawings.items():
        if drawing:
            with open(f"{base}-{name}.svg", "w") as file:
                file.write(drawing)


def figures(row: dict, metric: str) -> dict[str, float]:
    """Of each server that has this figure, in the order of the tables."""
    medians = row["median"]
    return {name: medians[name][metric] for name in ORDER if metric in medians.get(name, {})}


def bars(title: str, rows: list[dict], metric: str) -> str:
    """A group of bars for each row, each group on a scale of its own: rows differ by a factor of a thousand."""
    parts, y = [], 50
    for row in rows:
        values = figures(row, metric)
        if not values:
            continue
        parts.append(text(LEFT - 10, y + BAR * len(values) / 2 + 4, row["title"], "end"))
        longest = max(values.values())
        for name, value in values.items():
            width = max(1.0, max(value, 0) / longest * (WIDTH - LEFT - 210))
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{COLOURS[name]}"/>')
            parts.append(text(LEFT + width + 6, y + BAR - 4, f"{digits(value)}  {name}"))
            y += BAR
        y += 14
    return svg(title, y + 6, parts) if parts else ""


def lines(title: str, labels: list[str], series: dict[str, list[float | None]]) -> str:
    """A line for each server over evenly spaced labels, on a logarithmic scale."""
    values = [value for line in series.values() for value in line if value and value > 0]
    if not values or len(labels) < 2:
        return ""
    low, high = log10(min(values)) - 0.1, log10(max(values)) + 0.1
    x = lambda index: 70 + index * (WIDTH - 260) / (len(labels) - 1)
    y = lambda value: 350 - (log10(value) - low) / (high - low) * 290
    parts = [text(x(index), 375, label, "middle") for index, label in enumerate(labels)]
    parts += [grid(y(value), digits(value)) for value in ticks(low, high)]
    ends = []
    for name, line in series.items():
        points = [(x(index), y(value)) for index, value in enumerate(line) if value and value > 0]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{COLOURS[name]}"/>' for px, py in points]
        if points:
            ends.append((points[-1][1], name, name))
    return svg(title, 395, parts + names(ends, WIDTH - 180))


def names(ends: list[tuple[float, str, str]], x: float) -> list[str]:
    """The servers' names at the right ends of their lines, moved apart where they would overlap."""
    parts, free = [], 0.0
    for y, name, label in sorted(ends):
        free = max(free, y)
        parts.append(text(x, free + 4, label, colour=COLOURS[name]))
        free += 16
    return parts


def ticks(low: float, high: float) -> list[float]:
    steps = [factor * 10**power for power in range(-3, 9) for factor in (1, 2, 5)]
    return [step for step in steps if low <= log10(step) <= high]


def grid(y: float, label: str) -> str:
    line = f'<line x1="70" y1="{y:.1f}" x2="{WIDTH - 190}" y2="{y:.1f}" stroke="#e5e7eb"/>'
    return line + text(62, y + 4, label, "end")


def latency(row: dict) -> tuple[list[str], dict[str, list[float | None]]]:
    medians = {name: row["median"][name] for name in ORDER if "latency_us_p50" in row["median"].get(name, {})}
    series = {name: [median.get(f"latency_us_{key}") for key, _ in QUANTILES] for name, median in medians.items()}
    return [label for _, label in QUANTILES], series


def load(rows: list[dict]) -> tuple[list[str], dict[str, list[float | None]]]:
    present = [name for name in ORDER if any(name in figures(row, CPU) for row in rows)]
    series = {name: [figures(row, CPU).get(name) for row in rows] for name in present}
    return [f"{int(row['name'].removeprefix('load-')):,}" for row in rows], series


def straight(title: str, series: dict[str, list[tuple[float, float]]]) -> str:
    """Points, and the straight lines through them, on plain scales."""
    if not any(len(points) > 2 for points in series.values()):
        return ""
    widest = max(x for points in series.values() for x, _ in points)
    highest = max(y for points in series.values() for _, y in points) * 1.05
    x = lambda value: 70 + value / widest * (WIDTH - 360)
    y = lambda value: 350 - value / highest * 290
    parts = [text(x(value), 375, f"{value:,.0f}", "middle") for value in sorted({x for points in series.values() for x, _ in points})]
    parts += [grid(y(value), digits(value)) for value in steps(highest)]
    ends = []
    for name, points in series.items():
        found = fit.line(points)
        at = lambda value: found.intercept + found.slope * value
        path = f'x1="{x(0):.1f}" y1="{y(at(0)):.1f}" x2="{x(widest):.1f}" y2="{y(at(widest)):.1f}"'
        parts.append(f'<line {path} stroke="{COLOURS[name]}" stroke-width="1.5"/>')
        parts += [f'<circle cx="{x(px):.1f}" cy="{y(py):.1f}" r="4" fill="{COLOURS[name]}"/>' for px, py in points]
        ends.append((y(at(widest)), name, f"{name}, R² {found.r2:.4f}"))
    return svg(title, 395, parts + names(ends, WIDTH - 280))


def steps(highest: float) -> list[float]:
    """Four or more round values up to the highest."""
    power = 10 ** floor(log10(highest))
    step = next(power * factor for factor in (1, 0.5, 0.2, 0.1) if highest / (power * factor) >= 4)
    return [step * index for index in range(int(highest / step) + 1)]


def text(x: float, y: float, content: str, anchor: str = "start", colour: str = "#111827") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(content)}</text>'


def svg(title: str, height: float, parts: list[str]) -> str:
    box = f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box}>'
    back = f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>'
    heading = f'<text x="20" y="26" font-size="16" font-weight="bold" fill="#111827">{escape(title)}</text>'
    return "\n".join([head, back, heading, *parts, "</svg>", ""])
