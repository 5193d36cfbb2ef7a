"""Sources: what the page shows can be declared, and reads what it says it reads."""

import pyarrow as pa
import pytest

from pipelines import declarations
from pipelines.sources import Source
from tests.pipelines.sources.reading import DAY, read

NAMES = {name: getattr(declarations, name) for name in declarations.__all__}


@pytest.fixture(scope="module")
def shown(page):
    return page("docs/sources.md")


def test_every_declaration_shown_can_be_made(shown):
    declared = [eval(part.text, NAMES) for part in shown if part.kind == "python"]  # noqa: S307 (our own page)

    assert all(isinstance(source, Source) for source in declared)
    assert declared


def test_the_json_line_shown_is_read(shown, tmp_path):
    line = next(part.text for part in shown if part.kind == "json")
    source = next(eval(part.text, NAMES) for part in shown if part.kind == "python" and "JsonLines(" in part.text)  # noqa: S307 (our own page)
    (tmp_path / f"policies_{DAY}.jsonl").write_text(line)
    schema = pa.schema([("policy", pa.string()), ("zip", pa.string()), ("first_clause", pa.string())])

    rows, _, reading = read(source, tmp_path, schema)

    assert rows == {1: ("K-1", "01067", "A")}
    assert reading.undeclared == ("premium",)


def test_the_copybook_and_the_layout_have_the_same_items(shown):
    copybook = next(part.text for part in shown if part.kind == "cobol")
    source = next(eval(part.text, NAMES) for part in shown if part.kind == "python" and "Mainframe(" in part.text)  # noqa: S307 (our own page)
    pictured = [line.split()[1].replace("-", "_") for line in copybook.splitlines() if " PIC " in line]

    assert [item.name for item in source.layout] == [name for name in pictured if name not in ("DETAIL", "FILLER")]
    assert max(column.end for item in source.layout for column in item.columns()) == source.length
    assert list(source.misfits(())) == []
