"""docs/declaring.md, followed literally in an empty folder: files written, commands run, output compared."""

import dataclasses
import re
from datetime import date, timedelta
from enum import Enum
from pathlib import Path

import pytest

from pipelines import declarations
from pipelines.expressions import problems_of
from pipelines.rules import Rule

PAGE = "docs/declaring.md"
CONDITIONS = ("scope", "when", "compared_when")


def conditions_in(declaration):
    """All conditions and rules inside a declaration."""
    if isinstance(declaration, tuple | list):
        for member in declaration:
            yield from conditions_in(member)
    if not dataclasses.is_dataclass(declaration) or isinstance(declaration, type):
        return
    for name, value in vars(declaration).items():
        if name in CONDITIONS and value is not None:
            yield value
        if isinstance(value, Rule):
            yield value
        yield from conditions_in(value)


def write(folder, part):
    file = folder / part.title
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(part.text + "\n", encoding="utf-8")


@pytest.mark.slow
def test_commands_print_what_is_shown(page, tmp_path, session, subtests):
    told = session(tmp_path)
    for part in page(PAGE):
        if part.title:
            write(tmp_path, part)
        for command in told.follow(part) if part.kind == "console" else ():
            with subtests.test(command.text, line=part.line):
                assert command.ended_as_said, command.printed
                assert command.printed_what_is_shown, command.printed


def test_snippets_are_sound(page, tmp_path, monkeypatch, subtests):
    for part in page(PAGE):
        if part.title:
            write(tmp_path, part)
    monkeypatch.chdir(tmp_path)
    names = vars(declarations) | {"date": date, "timedelta": timedelta, "Path": Path}
    exec((tmp_path / "shop/contracts/sales.py").read_text(encoding="utf-8"), contracts := {})  # noqa: S102 (our own pages)
    names |= {name: contracts[name] for name in ("LegacyOrder", "ServiceOrder")}
    names |= dict.fromkeys(("LegacyBroker", "LegacyInvoice", "LegacyPolicy", "LegacyParty"), contracts["LegacyOrder"])
    for part in page(PAGE):
        if part.kind != "python" or part.title:
            continue
        with subtests.test(part.section, line=part.line):
            if part.text.startswith("class "):
                exec(part.text, dict(names))  # noqa: S102 (likewise)
                continue
            declaration = eval(part.text, dict(names))  # noqa: S307 (likewise)
            for found in conditions_in((declaration,)):
                assert (found.all_problems() if isinstance(found, Rule) else problems_of(found)) == []
            if isinstance(declaration, Rule):
                assert declaration.all_problems() == []


@pytest.mark.parametrize("kind", ["Context", "Entity", "Holder", "Field", "EventLog"])
def test_every_argument_is_told_with_its_default(kind):
    text = Path(PAGE).read_text(encoding="utf-8")
    (section,) = re.findall(rf"\n### `{kind}`\n(.*?)\n##", text, re.DOTALL)
    rows = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in section.strip().splitlines()[2:]]

    told = [(name, row[2:]) for row in rows for name in re.findall(r"`(\w+)`", row[0])]

    assert told == [(each.name, default(each)) for each in dataclasses.fields(getattr(declarations, kind))]


def default(field):
    """As the page shows it."""
    value = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    if value is dataclasses.MISSING:
        return []
    shown = {"Missing": "Missing()", "HardDelete": "HardDelete()", "ServiceLevel": "ServiceLevel(0.0)"}
    said = f"{type(value).__name__}.{value.name}" if isinstance(value, Enum) else repr(value)
    said = {"PosixPath('.')": "Path('.')", "datetime.timedelta(0)": "timedelta(0)"}.get(said, said)
    return [f"`{shown.get(type(value).__name__, said)}`"]
