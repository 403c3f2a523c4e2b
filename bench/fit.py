"""Straight lines through what was measured with ever more connections."""

from dataclasses import dataclass

from rows import GROWTH, TOTAL_CPU, TOTAL_RSS
from servers import ALL


@dataclass(frozen=True)
class Line:
    """A least-squares line, and how much of what varies it explains."""

    intercept: float
    slope: float
    r2: float


def line(points: list[tuple[float, float]]) -> Line | None:
    count = len(points)
    if count < 3:
        return None
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    xx = sum((x - mean_x) ** 2 for x, _ in points)
    xy = sum((x - mean_x) * (y - mean_y) for x, y in points)
    yy = sum((y - mean_y) ** 2 for _, y in points)
    slope = xy / xx
    return Line(mean_y - slope * mean_x, slope, xy * xy / (xx * yy) if yy else 1.0)


def growth(result: dict, metric: str) -> dict[str, list[tuple[float, float]]]:
    """Of each server, the number of connections and the figure; memory in MiB, CPU time in milliseconds a second."""
    scale = {TOTAL_RSS: 1 / 1024, TOTAL_CPU: 1000}[metric]
    rows = [row for row in result["rows"] if row["group"] == GROWTH]
    found = {}
    for server in ALL:
        medians = [row["median"].get(server.name, {}) for row in rows]
        points = [(median["connections"], median[metric] * scale) for median in medians if metric in median]
        if points:
            found[server.name] = points
    return found
