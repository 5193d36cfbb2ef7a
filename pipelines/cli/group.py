"""The group of commands: turns every error raised on purpose into a message, a JSON document and an exit code."""

from __future__ import annotations

from collections.abc import Sequence

import click
import typer
from rich.console import Group, RenderableType
from rich.text import Text
from typer.core import TyperGroup

from pipelines.cli import exits
from pipelines.cli.exits import ExitCode
from pipelines.cli.screen import Screen, indented
from pipelines.errors import CoexistError, DeclarationError, Problem

_INTERRUPTED = "Query interrupted"


class Commands(TyperGroup):
    """Commands whose errors are answers. With `--json` an error is a document too."""

    def invoke(self, ctx: click.Context) -> object:
        screen = Screen.opened(as_json="--json" in ctx.args)
        try:
            return self._interruptible(ctx)
        except CoexistError as error:
            code = exits.of_error(error)
            problems = error.problems if isinstance(error, DeclarationError) else ()
            screen.emit(_document(type(error).__name__, str(error), code, problems))
            screen.err.print(listed(problems) if problems else Text(f"Error: {error}", style="red"), soft_wrap=True)
            raise typer.Exit(code) from None
        except click.UsageError as error:
            screen.emit(_document("UsageError", error.format_message(), ExitCode.USAGE))
            raise

    def _interruptible(self, ctx: click.Context) -> object:
        """The command; DuckDB tells an interrupt of a query as an error like others."""
        try:
            return super().invoke(ctx)
        except RuntimeError as error:
            if str(error) == _INTERRUPTED:
                raise KeyboardInterrupt from None
            raise


def listed(problems: Sequence[Problem]) -> RenderableType:
    """Declaration problems by file, each with where it is, what it is, and what to do."""
    parts: list[RenderableType] = [
        Text(f"{len(problems)} declaration problem{'s' if len(problems) != 1 else ''}", style="bold red")
    ]
    for file in dict.fromkeys(problem.file for problem in problems):
        parts.append(Text(f"\n{file}", style="bold"))
        for problem in (problem for problem in problems if problem.file == file):
            line = Text.assemble((problem.path, "cyan"), ": ", problem.message)
            parts.append(indented(line))
            if problem.suggestion:
                parts.append(indented(Text(problem.suggestion, style="green"), 4))
    return Group(*parts)


def _document(family: str, message: str, code: ExitCode, problems: Sequence[Problem] = ()) -> dict[str, object]:
    error: dict[str, object] = {"family": family, "message": message}
    if problems:
        error["problems"] = [vars(problem) for problem in problems]
    return {"exit_code": int(code), "error": error}
