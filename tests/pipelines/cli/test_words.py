import pytest

from pipelines.cli import words


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0.0, "0 %"), (None, "-"), (0.001, "0.1 %"), (1.0, "100 %"), (0.05, "5 %"), (0.0051429, "0.514 %"),
        (0.99857, "99.86 %"), (1e-7, "<0.001 %"), (0.000285, "0.028 %"), (0.1, "10 %"),
    ],
)  # fmt: skip
def test_percent(rate, expected):
    assert words.percent(rate) == expected


def test_nearly_all_is_not_shown_as_all():
    assert words.percent(0.999999) == ">99.99 %"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (7200, "2 h"),
        (518018, "5 d 23 h"),
        (7862400, "91 d"),
        (3661, "1 h 1 min"),
        (None, "-"),
    ],
)
def test_duration(seconds, expected):
    assert words.duration(seconds) == expected


def test_a_trend_tells_none_from_not_measured_and_little_from_much():
    shown = words.trend([0.0, None, 0.001, 0.01], ["met", "not_measured", "met", "breached"])

    assert shown.plain == "· ▁█"


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [
        (1, "breach", "1 breach"),
        (2, "breach", "2 breaches"),
        (0, "partition", "0 partitions"),
        (3, "entity", "3 entities"),
    ],
)
def test_plural(count, noun, expected):
    assert words.plural(count, noun) == expected
