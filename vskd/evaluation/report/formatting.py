"""Numbers as people read them, the same in every table, and the HTML templates that hold them."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

NBSP = "\u00a0"  # keeps a number and its unit on one line


def percent(value: float) -> str:
    """0.8326 -> `83.3 %`."""
    return f"{100 * value:.1f}{NBSP}%"


def percent_interval(interval: tuple[float, float] | None) -> str:
    """(0.8, 0.871) -> `80.0–87.1 %`; None -> `–`."""
    if interval is None:
        return "–"
    return f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}{NBSP}%"


def percent_spread(mean: float, std: float | None) -> str:
    """(0.8326, 0.011) -> `83.3 ± 1.1 %`; without a standard deviation `83.3 %`."""
    return percent(mean) if std is None else f"{100 * mean:.1f} ± {100 * std:.1f}{NBSP}%"


def points(difference: float) -> str:
    """0.0123 -> `+1.2`: percentage points with their sign."""
    return f"{100 * difference:+.1f}"


def points_interval(interval: tuple[float, float] | None) -> str:
    """(-0.012, 0.03) -> `-1.2 to +3.0`; None -> `–`."""
    if interval is None:
        return "–"
    return f"{points(interval[0])} to {points(interval[1])}"


def p_value(value: float) -> str:
    """`p = 0.031`, or `p < 0.001`."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def duration(seconds: float) -> str:
    """3725.4 -> `1 h 2 min`; 65.2 -> `1 min 5 s`; 3.21 -> `3.2 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: int) -> str:
    """Bytes in decimal units: 11_400_000 -> `11.4 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def render(template: str, context: Mapping[str, Any]) -> str:
    """Fill one of the package's HTML templates. Every value is escaped; a missing one is an error, not a blank."""
    environment = Environment(
        loader=PackageLoader("vskd.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for helper in (percent, percent_interval, points, points_interval, p_value, duration, size):
        environment.filters[helper.__name__] = helper
    environment.globals["percent_spread"] = percent_spread
    return environment.get_template(template).render(context)
