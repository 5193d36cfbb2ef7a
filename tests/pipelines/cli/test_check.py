import textwrap

import pytest


@pytest.fixture
def contexts(coexist, tmp_path, monkeypatch):  # noqa: ARG001 (after it: it clears the variable)
    """A package of contexts with two mistakes, chosen by COEXIST_CONTEXTS."""
    package = tmp_path / "spoilt_contexts"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "one.py").write_text(
        textwrap.dedent(
            """
            from datetime import date
            from pipelines.declarations import Context, Daily, Owner

            context = Context(
                "other", description="Misnamed, and without entities", owner=Owner("A team"),
                partitioning=Daily(date(2026, 1, 1)), entities=(),
            )
            """
        ),
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COEXIST_CONTEXTS", "spoilt_contexts")


def test_what_is_declared(coexist):
    said = coexist("check")

    assert said.code == 0
    assert "banks" in said.out
    assert "Payments platform" in said.out
    assert "Sound: " in said.out


def test_what_is_declared_as_a_document(coexist):
    said = coexist("check", "--json")

    banks = next(entity for entity in said.document["entities"] if entity["entity"] == "banks")
    assert (said.code, said.err) == (0, "")
    assert banks["fields"] == 2
    assert banks["file"].endswith("banks.py")


@pytest.mark.usefixtures("contexts")
def test_every_problem_is_named_with_its_place(coexist):
    said = coexist("check")

    assert said.code == 2
    assert said.out == ""
    assert "one.py" in said.err
    assert 'rename it to "one"' in said.err


@pytest.mark.usefixtures("contexts")
def test_every_problem_as_a_document(coexist):
    said = coexist("check", "--json")

    assert said.code == 2
    assert said.document["error"]["family"] == "DeclarationError"
    assert {"file", "path", "message", "suggestion"} == set(said.document["error"]["problems"][0])


@pytest.mark.usefixtures("contexts")
def test_no_command_runs_on_broken_declarations(coexist, tmp_path):
    assert coexist("reconcile", "--lake", tmp_path / "lake").code == 2
    assert not (tmp_path / "lake").exists()
