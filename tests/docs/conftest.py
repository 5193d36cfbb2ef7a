"""Documentation as data: headings, fenced blocks, tables and comments of a page, in the order they stand there."""

import itertools
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?$")


@dataclass(frozen=True)
class Part:
    """One piece of a page: `kind` is heading, comment, prose, table, or the language of a fenced block."""

    kind: str
    text: str
    line: int
    section: str
    title: str = ""
    rows: list[dict[str, str]] = field(default_factory=list)


def parts_of(page: str) -> list[Part]:
    lines = page.splitlines()
    found, section, at = [], "", 0
    while at < len(lines):
        start, line = at, lines[at]
        at += 1
        if fence := _FENCE.match(line):
            at = lines.index("```", at) + 1
            text = "\n".join(lines[start + 1 : at - 1])
            found.append(Part(fence["language"] or "plain", text, start + 1, section, fence["title"] or ""))
        elif line.startswith("#"):
            section = line.lstrip("# ")
            found.append(Part("heading", section, start + 1, section))
        elif line.startswith("<!--"):
            found.append(Part("comment", line.removeprefix("<!--").removesuffix("-->").strip(), start + 1, section))
        elif line.startswith("|"):
            while at < len(lines) and lines[at].startswith("|"):
                at += 1
            found.append(Part("table", "\n".join(lines[start:at]), start + 1, section, rows=_rows(lines[start:at])))
        elif line:
            found.append(Part("prose", line, start + 1, section))
    return found


def _rows(lines: list[str]) -> list[dict[str, str]]:
    r"""The rows of a table by its heads; a bar inside a cell is written `\|`."""
    head, _, *body = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    return [dict(zip(head, [cell.replace("\\|", "|") for cell in row], strict=True)) for row in body]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def page():
    """The parts of a page by its path from the root of the repository."""
    return lambda path: parts_of((ROOT / path).read_text(encoding="utf-8"))


CHANGING = (
    (re.compile(r"[ ─]*─[ ─]*"), "─"),  # how wide a table is drawn says nothing
    (re.compile(r" +"), " "),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "ID"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|min)\b"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*"), "INSTANT"),
)


@dataclass(frozen=True)
class Command:
    """A command of a page: what is shown for it, what it printed, whether it failed only where the page says so."""

    text: str
    shown: list[str]
    printed: str
    ended_as_said: bool

    @property
    def printed_what_is_shown(self):
        return fits(comparable(self.shown), comparable(self.printed.splitlines()))


class Session:
    """A shell in which the commands of a page are run one after the other: environment and exit code live on."""

    def __init__(self, folder, **environment):
        self.folder, self.status = folder, 0
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("COEXIST_", "COV_", "COLUMNS"))
        }
        self.environment = kept | {"PATH": path, "TERM": "dumb"} | environment

    def follow(self, block):
        """Run the commands of a block; one that fails must be followed by `echo $?`, which shows the exit code."""
        for (command, shown), (after, _) in itertools.pairwise([*commands_of(block.text), ("", [])]):
            printed = self.run(command)
            yield Command(command, shown, printed, self.status == 0 or after == "echo $?")

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


def commands_of(block):
    """Commands with the output shown after each: `$ ` begins a command, `> ` goes on with it."""
    commands = []
    for line in block.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif line.startswith(">") and not commands[-1][1]:
            command, shown = commands.pop()
            commands.append((f"{command}\n{line[2:]}", shown))
        else:
            commands[-1][1].append(line)
    return commands


def comparable(lines):
    kept = [line for line in lines if line.strip()]
    for pattern, name in CHANGING:
        kept = [pattern.sub(name, line) for line in kept]
    return [line.strip() for line in kept]


def fits(shown, printed):
    """Whether lines are as shown; a line `...` stands for any number of them."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(fits(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    return bool(printed) and shown[0] == printed[0] and fits(shown[1:], printed[1:])


@pytest.fixture(scope="session")
def session():
    return Session
