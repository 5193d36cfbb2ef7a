"""Comparators: what "equal" means for a field, each declared, none implicit.

A comparator renders canonical SQL over two values that are both there (`comparison` owns what a missing one means):
whether they are `equal`, whether they differ only `within` the declared tolerance, and by how much (`delta`, a DOUBLE
or nothing). Two values that are the same to the last bit are equal under every comparator. Add a kind in the module of
what it compares; which rows are compared at all lives in `comparison`.
"""

from pipelines.comparators.codes import Enumeration, Exact
from pipelines.comparators.comparator import INTEGERS, Comparator
from pipelines.comparators.custom import Custom
from pipelines.comparators.nested import Document, Items, Order
from pipelines.comparators.numbers import Amount, Floating
from pipelines.comparators.text import Text
from pipelines.comparators.times import Day, Elapsed, Instant, Rounding

__all__ = [
    "INTEGERS",
    "Amount",
    "Comparator",
    "Custom",
    "Day",
    "Document",
    "Elapsed",
    "Enumeration",
    "Exact",
    "Floating",
    "Instant",
    "Items",
    "Order",
    "Rounding",
    "Text",
]  # fmt: skip
