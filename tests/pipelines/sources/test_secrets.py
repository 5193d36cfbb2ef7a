"""Secrets by reference: where they are is checked when declared, what they are is never repeated."""

import pytest
from pydantic import ValidationError

from pipelines.declarations import Env, Postgres, SchemaRegistry, SqlDatabase
from pipelines.declared import collecting
from pipelines.errors import SourceError


@pytest.mark.parametrize("name", ["", "HOST URL", "postgresql://role:hidden@host/database", "1ST"])
def test_what_is_no_name_of_a_variable_is_refused_and_may_be_the_secret(name):
    with pytest.raises(ValidationError) as refused:
        Env(name)

    assert [error["msg"] for error in refused.value.errors(include_input=False)] == [
        "Value error, name is that of an environment variable, such as HOST_DB_URL: never the secret itself"
    ]


def test_a_variable_that_is_not_set_is_told_with_the_one_that_may_be_meant(monkeypatch):
    monkeypatch.setenv("ACME_HR_DATABASE_URL", "hidden")

    with pytest.raises(SourceError) as refused:
        Env("ACME_HR_DATABSE_URL").reveal()

    assert str(refused.value) == (
        'the environment variable ACME_HR_DATABSE_URL is not set; did you mean "ACME_HR_DATABASE_URL"?'
    )


WANTED = "Input should be an instance of Secret"


@pytest.mark.parametrize(
    ("declare", "told"),
    [
        (SqlDatabase, f"SqlDatabase.url: {WANTED}"),
        (Postgres, f"Postgres.url: {WANTED}"),
        (lambda said: SqlDatabase(Env("URL"), password=said), f"SqlDatabase.password: {WANTED}"),
        (lambda said: SchemaRegistry(said, user=3), "SchemaRegistry.user: Input should be a valid string"),
        (Env, "Env: name is that of an environment variable"),
    ],
)
def test_a_secret_that_is_written_where_its_place_was_to_be_named_is_not_repeated(declare, told):
    with collecting() as problems:
        declare("mysql://role:hidden@host/database")

    (problem,) = problems
    assert told in str(problem)
    assert "hidden" not in str(problem)
