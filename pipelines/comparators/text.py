"""Comparing texts by what is left of them when spelling habits are taken away."""

from __future__ import annotations

from dataclasses import KW_ONLY

from pipelines.comparators.comparator import Comparator
from pipelines.declared import declared
from pipelines.rules.text import normalised


@declared
class Text(Comparator):
    """Text, equal after the normalisations that are switched on. What is stored and shown stays as it was.

    `ignore_case`: case does not matter, letter by letter: final sigma is sigma, ß is ẞ and not SS. `trim`: white space
    at both ends does not matter. `inner_blanks`: the length of runs of white space does not matter. `nfc`: Unicode
    composition does not matter. `nfkc`: nor do ligatures, full width and other compatibility forms. `ignore_accents`:
    accents do not matter. `ignore_leading_zeros`: leading zeros do not matter. `ignore_punctuation`: only letters and
    digits matter.
    """

    _: KW_ONLY
    ignore_case: bool = False
    trim: bool = False
    inner_blanks: bool = False
    nfc: bool = False
    nfkc: bool = False
    ignore_accents: bool = False
    ignore_leading_zeros: bool = False
    ignore_punctuation: bool = False

    def accepts(self, kind: str) -> bool:
        return kind == "VARCHAR"

    def canonical(self, value: str) -> str:
        return normalised(
            value,
            ("nfc", self.nfc),
            ("nfkc", self.nfkc),
            ("strip_accents", self.ignore_accents),
            ("fold_case", self.ignore_case),
            ("nfc", self.ignore_case and (self.nfc or self.nfkc)),  # some letters compose in one case only
            ("keep_alphanumeric", self.ignore_punctuation),
            ("squeeze_blanks", self.inner_blanks),
            ("trim_blanks", self.trim),
            ("strip_zeros", self.ignore_leading_zeros),
        )
