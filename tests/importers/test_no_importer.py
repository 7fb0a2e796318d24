"""Tools whose files need no importer: who names one is told how they run."""

from __future__ import annotations

import importlib

from click.testing import CliRunner

from infratest.errors import UserError


def test_testinfras_tests_are_said_to_run_as_they_are():
    command = importlib.import_module("infratest.cli.verbs.import").command
    told = CliRunner().invoke(command, ["testinfra", "tests/my test.py"])
    assert isinstance(told.exception, UserError)
    for words in ("under pytest", "'infratest[ssh,testinfra]'", "`pytest --stack stack.yaml 'tests/my test.py'`"):
        assert words in str(told.exception)
