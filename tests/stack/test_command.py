from __future__ import annotations

from pathlib import Path

import pytest

from infratest.stack.command import command
from infratest.stack.declared import StackFile
from infratest.store.directory import StateDir

FILE = Path("stack.yaml")


@pytest.mark.parametrize(
    ("path", "env", "environments", "state", "line"),
    [
        (FILE, "", (), ".infratest", "infratest destroy"),
        (FILE, "dev", ("dev",), ".infratest", "infratest destroy"),
        (FILE, "dev", ("dev", "prod"), ".infratest", "infratest destroy --env dev"),
        (Path("../my shop/stack.yaml"), "", (), "../my shop/.infratest",
         "infratest destroy --stack '../my shop/stack.yaml'"),
        (FILE, "", (), "/var/lib/infratest/shop", "infratest destroy --state /var/lib/infratest/shop"),
        (Path(), "", (), ".infratest", "infratest destroy"),
    ],
)  # fmt: skip
def test_the_options_that_lead_to_a_stack_from_here(path, env, environments, state, line):
    stack = StackFile(name="shop", path=path, folder=path.parent, env=env, environments=environments)
    assert command(stack, StateDir(state), "destroy") == line


def test_more_words_go_before_them(tmp_path):
    stack = StackFile(name="shop", path=tmp_path / "a.yaml", folder=tmp_path)
    asked = command(stack, StateDir(tmp_path / ".infratest"), "destroy", "--host", "web~old")
    assert asked == f"infratest destroy --host 'web~old' --stack {tmp_path}/a.yaml"
