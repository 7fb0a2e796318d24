"""YAML as Ansible has it is read beside the stack file's YAML, and changes nothing of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.errors import StackFileError
from infratest.inventories.ansible.yaml_file import loaded
from infratest.stack import file


def test_an_inventory_does_not_change_how_the_stack_file_is_read(tmp_path: Path) -> None:
    assert loaded("a: yes\nb: 010\nc: 1:30\n", tmp_path / "hosts.yml") == {"a": True, "b": 8, "c": 90}
    stack = tmp_path / "stack.yaml"
    stack.write_text("stack: s\nproduction: yes\nhosts: {w: {}}\n")
    with pytest.raises(StackFileError, match="production: found 'yes', allowed is true or false"):
        file.load(stack)
