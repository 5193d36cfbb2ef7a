"""Traps in texts: what looks alike and is not the same, and what is the same and does not look it."""

from __future__ import annotations

from pipelines.declarations import Enumeration, Missing, Text
from tests.spec.traps.trap import Trap, agrees, differs

TEXTS = (
    Trap(
        "trailing blanks count",
        "id | t\n1 | 'a '\n2 | 'a'",
        "id | t\n1 | 'a'\n2 | 'a'",
        differs("1.t", same=1),
    ),
    Trap(
        "trailing blanks do not count",
        "id | t\n1 | 'a '\n2 | 'a b'",
        "id | t\n1 | ' a'\n2 | 'ab'",
        differs("2.t", same=1),
        compare={"t": Text(trim=True)},
    ),
    Trap(
        "a no-break space is a blank",
        "id | t\n1 | 'a\u00a0'\n2 | 'a\u00a0b'",
        "id | t\n1 | 'a'\n2 | 'a b'",
        agrees(2),
        compare={"t": Text(trim=True, inner_blanks=True)},
    ),
    Trap(
        "empty is not missing",
        "id | t\n1 | ''\n2 |\n3 |\n4 | ''",
        "id | t\n1 |\n2 | ''\n3 |\n4 | ''",
        differs("1.t", "2.t", same=2),
    ),
    Trap(
        "empty says missing",
        "id | t\n1 | ''\n2 | 'N/A'\n3 | 'x'",
        "id | t\n1 |\n2 | ''\n3 | 'N/A'",
        differs("3.t", same=2),
        missing=Missing(sentinels=("", "N/A")),
    ),
    Trap(
        "texts that say null are texts",
        "id | t\n1 | '<null>'\n2 | 'NULL'\n3 | 'None'\n4 | 'nan'\n5 | '<null>'",
        "id | t\n1 |\n2 |\n3 |\n4 |\n5 | '<null>'",
        differs("1.t", "2.t", "3.t", "4.t", same=1),
    ),
    Trap(
        "composed and decomposed accents are different texts",
        "id | t\n1 | 'Ren\u00e9'\n2 | 'Ren\u00e9'",
        "id | t\n1 | 'Rene\u0301'\n2 | 'Ren\u00e9'",
        differs("1.t", same=1),
    ),
    Trap(
        "NFC against NFD",
        "id | t\n1 | 'Ren\u00e9'\n2 | 'Ren\u00e9'",
        "id | t\n1 | 'Rene\u0301'\n2 | 'Rene'",
        differs("2.t", same=1),
        compare={"t": Text(nfc=True)},
    ),
    Trap(
        "compatibility forms",
        "id | t\n1 | '\ufb01n'\n2 | '\uff21\uff11'\n3 | '\ufb01n'",
        "id | t\n1 | 'fin'\n2 | 'A1'\n3 | 'fi'",
        differs("3.t", same=2),
        compare={"t": Text(nfkc=True)},
    ),
    Trap(
        "accents do not count",
        "id | t\n1 | 'M\u00fcller'\n2 | 'M\u00fcller'",
        "id | t\n1 | 'Mu\u0308ller'\n2 | 'Mueller'",
        differs("2.t", same=1),
        compare={"t": Text(ignore_accents=True)},
    ),
    Trap(
        "case does not count, beyond ASCII too",
        "id | t\n1 | '\u00c4BC'\n2 | 'stra\u00dfe'",
        "id | t\n1 | '\u00e4bc'\n2 | 'STRASSE'",
        differs("2.t", same=1),
        compare={"t": Text(ignore_case=True)},
    ),
    Trap(
        "small letters that share a capital differ in case only",
        "id | t\n1 | 'ΟΔΟΣ'\n2 | 'Ga\u017ft\u1e9b'\n3 | 'KIZ'\n4 | 'k\u0131z'",
        "id | t\n1 | 'οδο\u03c2'\n2 | 'GASTṠ'\n3 | 'kiz'\n4 | 'kiz'",
        differs("4.t", same=3),
        compare={"t": Text(ignore_case=True)},
    ),
    Trap(
        "letters that compose in one case only",
        "id | t\n1 | 'J\u030c'\n2 | 'H\u0331'\n3 | '\u0399\u0308\u0301'\n4 | 'J\u030c'",
        "id | t\n1 | '\u01f0'\n2 | '\u1e96'\n3 | '\u0390'\n4 | 'j'",
        differs("4.t", same=3),
        compare={"t": Text(ignore_case=True, nfc=True)},
    ),
    Trap(
        "nothing ends at a character of code 0",
        "id | t\n1 | '\u00e9\0a'\n2 | '\u00e9\0a'\n3 | '\u00e9\0'",
        "id | t\n1 | 'e\u0301\0b'\n2 | 'e\u0301\0a'\n3 | 'e\u0301'",
        differs("1.t", "3.t", same=1),
        compare={"t": Text(nfc=True)},
    ),
    Trap(
        "leading zeros and punctuation do not count",
        "id | t\n1 | '00-49/30'\n2 | '0'\n3 | '010'",
        "id | t\n1 | '4930'\n2 | '000'\n3 | '01'",
        differs("3.t", same=2),
        compare={"t": Text(ignore_leading_zeros=True, ignore_punctuation=True)},
    ),
    Trap(
        "letters that look alike",
        "id | t\n1 | 'A'\n2 | 'O'",
        "id | t\n1 | '\u0410'\n2 | '0'",
        differs("1.t", "2.t"),
    ),
    Trap(
        "text and number of one spelling",
        "id | t\n1 | '1'\n2 | '1.0'",
        "id | t\n1 | '1'\n2 | '1'",
        differs("2.t", same=1),
    ),
    Trap(
        "a difference behind the first thousand characters",
        f"id | t\n1 | '{'x' * 5000}a'\n2 | 'b'",
        f"id | t\n1 | '{'x' * 5000}b'\n2 | 'b'",
        differs("1.t", same=1),
    ),
    Trap(
        "words of two vocabularies",
        "id | t\n1 | 'A'\n2 | 'A'\n3 | 'C'",
        "id | t\n1 | 'active'\n2 | 'closed'\n3 | 'closed'",
        differs("2.t", same=2),
        compare={"t": Enumeration((("A", "active"), ("C", "closed")))},
    ),
)
