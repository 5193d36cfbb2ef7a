"""Small modules, short bodies, no handler that swallows a bug: measured on every module of the product."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE_LINES = 300
BODY_LINES = 45
CATCH_ALL = {"Exception", "BaseException"}

MODULES = sorted(
    path.relative_to(ROOT)
    for package in ("pipelines", "checks", "assets", "data")
    for path in (ROOT / package).rglob("*.py")
    if (ROOT / "data" / "lake") not in path.parents
)


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Whether it is bare, or names the root of all exceptions, alone or in a tuple."""
    if handler.type is None:
        return True
    return any(
        getattr(node, "id", getattr(node, "attr", None)) in CATCH_ALL
        for node in ast.walk(handler.type)
        if isinstance(node, ast.Name | ast.Attribute)
    )


@pytest.fixture(params=MODULES, ids=str)
def module(request):
    return request.param


@pytest.fixture
def source(module):
    return (ROOT / module).read_text(encoding="utf-8")


@pytest.fixture
def tree(source):
    return ast.parse(source)


def test_module_is_small(source):
    lines = len(source.splitlines())

    assert lines <= MODULE_LINES


def test_bodies_are_short(module, tree):
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f"{module}:{function.lineno} {function.name}": body_lines(function) for function in functions}

    assert {where: lines for where, lines in long.items() if lines > BODY_LINES} == {}


def test_nothing_catches_everything(module, tree):
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]

    assert [f"{module}:{handler.lineno}" for handler in handlers if catches_all(handler)] == []


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("except:", True),
        ("except Exception:", True),
        ("except (ValueError, BaseException):", True),
        ("except builtins.Exception:", True),
        ("except ValueError:", False),
        ("except (OSError, duckdb.Error):", False),
    ],
)
def test_catch_all_is_recognised(handler, expected):
    statement = ast.parse(f"try:\n    pass\n{handler}\n    pass").body[0]

    assert catches_all(statement.handlers[0]) is expected


def test_a_docstring_is_not_body():
    function = ast.parse('def verb():\n    """One.\n\n    Two.\n    """\n    x = 1\n    return x').body[0]

    assert body_lines(function) == 2
