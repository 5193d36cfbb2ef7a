"""The screen: results on stdout, all else on stderr, and either tables for people or one JSON document for programs.

What is shown is up to the commands and the modules named after what they render.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.status import Status

from pipelines.cli.exits import ExitCode

_PIPED_WIDTH = 140  # a file or a pager has no width of its own, and wrapped tables are no use there


class _Output(Console):
    """Standard output that ends quietly when its reader has had enough."""

    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(ExitCode.BROKEN_PIPE)


@dataclass(frozen=True)
class Screen:
    """Where a command writes."""

    as_json: bool
    out: Console
    err: Console

    @staticmethod
    def opened(*, as_json: bool) -> Screen:
        """The standard streams as they are now."""
        # What stands in brackets or between colons is data, not style.
        out, err = _Output(markup=False, emoji=False), Console(stderr=True, markup=False, emoji=False)
        return Screen(as_json, _console(out), _console(err))

    def emit(self, document: object) -> None:
        """Write the one JSON document, if that is what was asked for."""
        if not self.as_json:
            return
        try:
            told = json.dumps(_told(document), indent=2, ensure_ascii=False, default=str, allow_nan=False)
            self.out.file.write(f"{told}\n")
            self.out.file.flush()
        except BrokenPipeError:
            self.out.on_broken_pipe()

    def show(self, *parts: RenderableType) -> None:
        """Print for people, unless JSON was asked for."""
        if not self.as_json:
            for part in parts:
                self.out.print(part)

    def note(self, text: str, *, style: str = "") -> None:
        """Say something beside the result, on stderr."""
        self.err.print(text, style=style, markup=False, highlight=False, soft_wrap=True)

    def waiting(self, text: str) -> Status:
        """A sign of life on stderr while something takes its time; just the text when nobody would see it move."""
        if not self.err.is_terminal:
            self.note(f"{text} ...")
        return self.err.status(text)

    def progress(self) -> Progress:
        """A progress bar on stderr; nothing when nobody would see it move."""
        return Progress(
            TextColumn("[progress.description]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.err,
            transient=True,
            disable=self.as_json or not self.err.is_terminal,
        )


def _told(value: object) -> object:
    """A value as JSON knows it: that has no numbers that are none, or beyond all numbers; their names are told."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _told(part) for name, part in value.items()}
    return [_told(part) for part in value] if isinstance(value, list | tuple) else value


def indented(part: RenderableType, by: int = 2) -> Padding:
    """A part of the output, moved to the right."""
    return Padding(part, (0, 0, 0, by))


def _console(console: Console) -> Console:
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console
