"""docs/declaring.md, followed literally in an empty folder: files written, commands run, output compared."""

import dataclasses
import itertools
import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines import declarations
from pipelines.expressions import problems_of
from pipelines.rules import Rule

PAGE = "docs/declaring.md"
CONDITIONS = ("scope", "when", "compared_when")
CHANGING = (
    (re.compile(r"[ ─]*─[ ─]*"), "─"),  # how wide a table is drawn says nothing
    (re.compile(r" +"), " "),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "ID"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|min)\b"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*"), "INSTANT"),
)


class Shell:
    """Commands one after the other, as in one session: environment, folder and exit code live on."""

    def __init__(self, folder):
        self.folder, self.status = folder, 0
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COEXIST_", "COV_"))}
        self.environment = kept | {"PATH": path, "TERM": "dumb"}
        self.environment.pop("COLUMNS", None)

    def run(self, command):
        script = f"(exit {self.status})\n{command}\nstatus=$?\nenv -0 > {self.folder}/.environment\nexit $status"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        entries = (self.folder / ".environment").read_text(encoding="utf-8").split("\0")
        self.environment = dict(entry.split("=", 1) for entry in entries if entry)
        self.status = done.returncode
        return done.stdout


def session_of(block):
    """Commands with the output shown after each: `$ ` begins a command, `> ` goes on with it."""
    commands = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif line.startswith(">") and commands and not commands[-1][1]:
            command, shown = commands.pop()
            commands.append((f"{command}\n{line[2:]}", shown))
        else:
            commands[-1][1].append(line)
    return commands


def comparable(lines):
    kept = [line.rstrip() for line in lines if line.strip()]
    for pattern, name in CHANGING:
        kept = [pattern.sub(name, line) for line in kept]
    return kept


def fits(shown, printed):
    """Whether lines are as shown; a line `...` stands for any number of them."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(fits(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and fits(shown[1:], printed[1:])


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
def test_commands_print_what_is_shown(page, tmp_path, subtests):
    shell = Shell(tmp_path)
    for part in page(PAGE):
        if part.title:
            write(tmp_path, part)
        commands = session_of(part.text) if part.kind == "console" else []
        for (command, shown), (after, _) in itertools.pairwise([*commands, ("", [])]):
            with subtests.test(command, line=part.line):
                printed = shell.run(command)

                assert shell.status == 0 or after == "echo $?", printed
                assert fits(comparable(shown), comparable(printed.splitlines())), printed


def test_snippets_are_sound(page, tmp_path, monkeypatch, subtests):
    for part in page(PAGE):
        if part.title:
            write(tmp_path, part)
    monkeypatch.chdir(tmp_path)
    names = vars(declarations) | {"date": date, "timedelta": timedelta, "Path": Path}
    exec((tmp_path / "shop/contracts/sales.py").read_text(encoding="utf-8"), contracts := {})  # noqa: S102 (our own pages)
    names |= {name: contracts[name] for name in ("LegacyOrder", "ServiceOrder")}
    names |= dict.fromkeys(("LegacyBroker", "LegacyPolicy", "LegacyParty"), contracts["LegacyOrder"])
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
