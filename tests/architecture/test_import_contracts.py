"""The architecture is declared in pyproject.toml (`tool.importlinter`); here it fails the build."""

from pathlib import Path

import pytest
from importlinter import cli
from importlinter.api import read_configuration

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
CONTRACTS = read_configuration(str(PYPROJECT))["contracts_options"]


@pytest.mark.parametrize("contract", [pytest.param(contract["id"], id=contract["name"]) for contract in CONTRACTS])
def test_contract_is_kept(contract):
    exit_code = cli.lint_imports(str(PYPROJECT), limit_to_contracts=(contract,), no_cache=True)

    assert exit_code == cli.EXIT_STATUS_SUCCESS  # what broke it is in the captured output
