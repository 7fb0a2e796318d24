"""For which stack file a folder's files were written, and when another one may replace them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.exports.base import What, refuse_anothers
from infratest.exports.json_sd import JsonSd, Options
from infratest.hosts import Host


def test_files_of_a_stack_file_that_is_gone_are_replaced(tmp_path: Path) -> None:
    """CI exports from a new checkout each time; what is on another machine may be of a third one."""
    first, second = tmp_path / "1" / "stack.yaml", tmp_path / "2" / "stack.yaml"
    for path in (first, second):
        path.parent.mkdir()
        path.touch()
    what = What(stack="shop", env="", stack_file=str(first), hosts=(Host("web", address="192.0.2.1"),))
    other = replace(what, stack_file=str(second))
    there = dict(JsonSd(Options()).write(what, tmp_path).files)
    assert refuse_anothers(what, there) == []
    with pytest.raises(UserError, match=r"is of another stack file, .* say --replace if it is the same stack"):
        refuse_anothers(other, there)
    first.unlink()
    told = [f"{path} was of '{first}', which is gone: replaced" for path in there]
    assert refuse_anothers(other, there) == told
    first.parent.rmdir()
    assert refuse_anothers(other, there) == told
    with pytest.raises(UserError, match="is of another stack file"):
        refuse_anothers(other, there, remote=True)
    first.parent.symlink_to(first.parent)  # nobody sees whether it is there
    with pytest.raises(UserError, match="is of another stack file"):
        refuse_anothers(other, there)
