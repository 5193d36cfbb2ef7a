"""Loading: a package of context files as a portfolio of contexts, or every problem in all of them at once.

The package may live in another repository: it is imported by name, with the working directory on the path. What sound
declarations are is `soundness`'s; how one is made and noted as broken, `declared`'s.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import EnumType
from pathlib import Path
from types import ModuleType

from pandera.errors import SchemaDefinitionError, SchemaInitError

from pipelines import declarations, settings
from pipelines.declarations import Context
from pipelines.declared import collecting, is_unfinished, place_of
from pipelines.errors import CoexistError, DeclarationError, Problem, did_you_mean, nearest
from pipelines.portfolio import Portfolio
from pipelines.soundness import Spot, problems_of

VARIABLE = "COEXIST_CONTEXTS"
DEFAULT = "assets.contexts"

# What a mistake in a context file raises while it is imported. Not a catch-all: an interrupt or a full memory is none.
_MISTAKES = (
    SyntaxError, ImportError, NameError, TypeError, AttributeError, ValueError, LookupError, ArithmeticError,
    AssertionError, OSError, RuntimeError, CoexistError, SchemaDefinitionError, SchemaInitError,
)  # fmt: skip
_NOT_THE_USERS = (f"{Path(__file__).parent}{os.sep}", *sysconfig.get_paths().values(), "<frozen")


def load(package: str | None = None) -> Portfolio:
    """All contexts of a package: the argument's, else `$COEXIST_CONTEXTS`, else `assets.contexts`. Always read afresh.

    Raises DeclarationError with every problem of every file.
    """
    name = package or os.environ.get(VARIABLE) or DEFAULT
    with collecting() as problems, _compiled_anew():
        gathered = _gather(name, _tried(package))
    problems += [*settings.misspelt(), *gathered.problems]
    problems += problems_of(
        [(context, _spot(context, file)) for context, file in gathered.contexts], unread=gathered.unread
    )
    if not gathered.contexts and not problems:
        problems.append(_without_contexts(name, _tried(package)))
    if problems:
        raise DeclarationError(sorted(dict.fromkeys(map(_shown, problems)), key=_reading_order))
    return Portfolio(
        tuple(context for context, _ in gathered.contexts),
        {context.name: _relative(file) for context, file in gathered.contexts},
    )


@dataclass
class _Gathered:
    """What importing a package came to."""

    contexts: list[tuple[Context, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


@contextmanager
def _compiled_anew() -> Iterator[None]:
    """Keep nothing that is compiled here: Python takes a file of the same second and length for the one it compiled."""
    kept_from, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = kept_from


def _gather(package: str, tried: str) -> _Gathered:
    gathered, seen = _Gathered(), set[int]()
    for name in _modules(package, tried):
        try:
            module = importlib.import_module(name)
        except _MISTAKES as mistake:
            gathered.problems += _problems(name, mistake)
            gathered.unread.append(name.rpartition(".")[2])
            continue
        file = str(module.__file__ or name)
        for context in _contexts_in(module):
            if id(context) not in seen:
                seen.add(id(context))
                gathered.contexts.append((context, file))
                gathered.problems += _misnamed(context, name, file)
    return gathered


def _modules(package: str, tried: str) -> Iterator[str]:
    """The names of all modules of a package, itself last: a context is of the module that declares it, not a re-export.

    Modules of an earlier load are forgotten, so that files are read as they are now.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # behind everything installed: nothing of ours is shadowed by a folder's name
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    folders = _folders(package, tried)
    yield from (module.name for module in pkgutil.walk_packages(folders, f"{package}.", onerror=lambda _: None))
    yield package


def _folders(package: str, tried: str) -> list[str]:
    try:
        found = importlib.util.find_spec(package)
    except ModuleNotFoundError as missing:
        if not package.startswith(f"{missing.name}."):
            raise DeclarationError(_problems(package, missing)) from None
        found = None
    except _MISTAKES as mistake:
        raise DeclarationError(_problems(package, mistake)) from None
    if found is None or found.submodule_search_locations is None:
        what = (
            "there is no such package on the Python path" if found is None else "is a module, not a package of modules"
        )
        near = _near(package) if found is None else package.rpartition(".")[0]
        hint = f'{tried}; did you mean "{near}"?' if near else tried
        raise DeclarationError([Problem(package, "package", f"{what} (working directory: {Path.cwd()})", hint)])
    return list(found.submodule_search_locations)


def _near(package: str) -> str | None:
    """The package whose name may have been misspelt, part by part: of the folders below the working directory."""
    found = Path.cwd()
    for part in re.split(r"[./\\]", package):
        near = nearest(part, _inside(found))
        if near is None:
            return None
        found /= near
    return ".".join(found.relative_to(Path.cwd()).parts)


def _inside(folder: Path) -> list[str]:
    """The names of folders that may be packages: they need no `__init__.py`."""
    return [each.name for each in folder.iterdir() if each.is_dir() and each.name.isidentifier()]


def _without_contexts(package: str, tried: str) -> Problem:
    """What is below the package is not looked into, unless it says so by an `__init__.py`."""
    folders = map(Path, _folders(package, tried))
    near = nearest("contexts", [name for folder in folders for name in _inside(folder)])
    hint = f'{tried}; did you mean "{package}.{near}"?' if near else tried
    return Problem(package, "context", "the package declares no context", hint)


def _tried(package: str | None) -> str:
    """Where the name of the package came from, for messages."""
    if package:
        return "the package that was asked for"
    set_to = os.environ.get(VARIABLE)
    return f"from {VARIABLE}={set_to}" if set_to else f"the default, since {VARIABLE} is not set"


def _contexts_in(module: ModuleType) -> list[Context]:
    return [value for value in vars(module).values() if isinstance(value, Context)]


def _misnamed(context: Context, module: str, file: str) -> list[Problem]:
    expected = module.rpartition(".")[2]
    if is_unfinished(context) or context.name == expected:
        return []
    message = f'a context is named like its module: "{context.name}" stands in {expected}.py'
    return [
        Problem(place_of(context) or file, f"{context.name}.name", message, f'rename it to "{expected}", or the file')
    ]


def _spot(context: Context, file: str) -> Spot:
    name = vars(context).get("name")
    return Spot(place_of(context) or file, name if isinstance(name, str) else Path(file).stem)


def _problems(module: str, mistake: Exception) -> list[Problem]:
    """What was raised while a module was imported, at the user's own line."""
    if isinstance(mistake, DeclarationError):
        return list(mistake.problems)
    if isinstance(mistake, SyntaxError) and mistake.filename:
        return [Problem(f"{mistake.filename}:{mistake.lineno}", module, f"{type(mistake).__name__}: {mistake.msg}")]
    text = mistake.msg.removesuffix(f" ({mistake.path})") if isinstance(mistake, ImportError) else str(mistake)
    frames = traceback.extract_tb(mistake.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_NOT_THE_USERS)]
    place = f"{own[-1].filename}:{own[-1].lineno}" if own else module
    return [Problem(place, module, f"{type(mistake).__name__}: {text}", _meant(mistake))]


def _meant(mistake: Exception) -> str:
    """The word of our own language that a misspelt name is nearest to."""
    if isinstance(mistake, AttributeError) and isinstance(mistake.obj, EnumType):
        return did_you_mean(str(mistake.name), mistake.obj.__members__)
    misspelt = re.search(r"cannot import name '(\w+)' from 'pipelines|name '(\w+)' is not defined", str(mistake))
    meant = nearest(misspelt[1] or misspelt[2], declarations.__all__) if misspelt else None
    if misspelt and meant == misspelt[2]:
        return "import it from pipelines.declarations"
    return f'did you mean "{meant}"?' if meant else ""


def _shown(problem: Problem) -> Problem:
    return Problem(_relative(problem.file), problem.path, problem.message, problem.suggestion)


def _reading_order(problem: Problem) -> tuple[str, int]:
    file, _, line = problem.file.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (problem.file, 0)


def _relative(file: str) -> str:
    """A file as the user would name it: from the working directory, when it is below that."""
    return file.removeprefix(f"{Path.cwd()}{os.sep}")
