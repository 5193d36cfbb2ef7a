"""Words: how numbers, rates, verdicts, times and trends are spelled on the screen, everywhere alike."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

_STYLES = {"met": "green", "warned": "yellow", "breached": "bold red", "not_measured": "dim"}
_BARS = "▁▂▃▄▅▆▇█"
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def number(value: object) -> str:
    """A count with thousands kept apart."""
    return "" if value is None else f"{value:,}"


def percent(rate: object) -> str:
    """A rate as a percentage of about three digits; a small one is never shown as none."""
    if not isinstance(rate, int | float):
        return "-"
    value = rate * 100
    if value == 0:
        return "0 %"
    if value < 0.001:  # noqa: PLR2004 (what three decimals can still show)
        return "<0.001 %"
    if 99.99 < value < 100:  # noqa: PLR2004 (likewise)
        return ">99.99 %"
    shown = f"{value:.3f}" if value < 1 else f"{value:.2f}"
    return f"{shown.rstrip('0').rstrip('.')} %"


def verdict(value: object) -> Text:
    """A verdict in its colour."""
    return Text(str(value).replace("_", " "), style=_STYLES.get(str(value), ""))


def duration(seconds: object) -> str:
    """A span of time in its two largest units."""
    if not isinstance(seconds, int | float):
        return "-"
    rest, parts = int(seconds), []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def trend(rates: Sequence[float | None], verdicts: Sequence[object]) -> Text:
    """A bar per partition, as high as its rate compared with the highest, in the colour of its verdict."""
    highest = max((rate for rate in rates if rate), default=0.0)
    text = Text()
    for rate, judged in zip(rates, verdicts, strict=True):
        if rate:
            text.append(_BARS[max(round(rate / highest * len(_BARS)), 1) - 1], style=_STYLES[str(judged)])
        else:
            text.append(" " if rate is None else "·", style="dim")
    return text


def plural(count: int, noun: str) -> str:
    """A count with its noun."""
    if count != 1:
        is_changed = noun.endswith("y") and noun[-2] not in "aeiou"
        noun = f"{noun.removesuffix('y')}ies" if is_changed else f"{noun}{'es' if noun.endswith('ch') else 's'}"
    return f"{count:,} {noun}"


def span(noun: str, first: int, count: int) -> str:
    """So many numbered things from one on: event 2, events 2 to 4."""
    return f"{noun} {first}" if count == 1 else f"{noun}s {first} to {first + count - 1}"
