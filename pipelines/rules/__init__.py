"""Translation rules: how a legacy value becomes a value in the service's language.

A rule is a declared object that renders canonical SQL: its `value`, and the `failures` that make a row untranslatable
for that field. Rules nest (`Decode(Clean("STATUS"), {...})`): wherever a rule takes `of`, a column name or another rule
will do. A missing input gives a missing value; an input that is there but cannot be translated is a failure.
Add a kind of rule in the module of what it works on; how values are compared lives in `comparators`.
"""

from pipelines.rules.codes import CodeTable, Constant, Decode, UnknownCode
from pipelines.rules.numbers import Currency, Number, Scale
from pipelines.rules.reach import Reference, Sql
from pipelines.rules.rule import Failure, Operand, Rule, Step
from pipelines.rules.text import Case, Clean, Combine, NullIf, Same, Split
from pipelines.rules.times import DateSpelling, LegacyDate, LocalTime, ParsedDate

__all__ = [
    "Case", "Clean", "CodeTable", "Combine", "Constant", "Currency", "DateSpelling", "Decode", "Failure", "LegacyDate",
    "LocalTime", "NullIf", "Number", "Operand", "ParsedDate", "Reference", "Rule", "Same", "Scale", "Split", "Sql",
    "Step", "UnknownCode",
]  # fmt: skip
