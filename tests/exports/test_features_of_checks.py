"""What a stack is to an export: its scenarios, each with a file that is the same one wherever the tool stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.gherkin.find import find
from infratest.project.exported import exported
from infratest.project.session import session_of
from tests.worlds.small_project import write

STACK = "stack: shop\nprovider: local\nhosts: {here: {}}\nfeatures: [features, '@linux-baseline']\n"
FEATURE = 'Feature: f\n  Scenario: there\n    Then the file "/tmp" exists\n'


@pytest.mark.parametrize("stands", ["shop", "other", "nowhere"])
def test_a_check_is_of_the_stacks_own_feature_wherever_the_tool_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stands: str
) -> None:
    """Another project there has a feature of the same name, which would be green in its place."""
    for name in ("shop", "other"):
        write(tmp_path / name, {"stack.yaml": STACK, "features/web.feature": FEATURE})
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    session = session_of(Path("stack.yaml"))
    watches = exported(session).watches
    assert {each.file for each in watches} == {str(tmp_path / "shop/features/web.feature"), "@linux-baseline"}
    monkeypatch.chdir(tmp_path / stands)
    for each in watches:
        (found,) = find([each.file], session.stack.features, session.stack.folder)
        assert found.name == each.feature
