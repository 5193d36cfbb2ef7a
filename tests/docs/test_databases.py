"""Databases: what the page declares can be declared. Its tables of types are run by tests/databases/test_types.py."""

from pipelines.declarations import Table


def test_the_declarations_shown_can_be_made(page):
    (block,) = (part for part in page("docs/databases.md") if part.kind == "python")
    *statements, last = block.text.split("\n\n")
    names: dict = {}
    exec("\n".join(statements), names)  # noqa: S102 (our own page)

    tables = [eval(line, names) for line in last.splitlines()]  # noqa: S307 (our own page)

    assert len(tables) == 3
    assert all(isinstance(table, Table) for table in tables)
