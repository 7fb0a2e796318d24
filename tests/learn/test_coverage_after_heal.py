"""A host that a heal provisions for the first time: coverage knows what was on it before, as after `provision`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds import forked

STACK = """\
stack: healed
provider: local
hosts: {here: {provision: [{shell: p.sh}]}}
heal:
  again: {when: {state: critical}, confirm: 1, do: [{provision: {}}], mode: auto}
"""
FEATURE = """\
Feature: made
  @heal:again
  Scenario: it is there
    Then the file "{folder}/made" exists
"""


@pytest.mark.parametrize("stored", [False, True], ids=["check --heal", "heal REPORT"])
def test_what_a_heal_provisioned_first_is_compared_with_what_was_before(tmp_path: Path, stored: bool) -> None:
    # In one of the folders that coverage looks into, by a name that nothing else has.
    other = Path(f"/opt/{tmp_path.parent.name}-{tmp_path.name}")
    (tmp_path / "stack.yaml").write_text(STACK)
    (tmp_path / "p.sh").write_text(f"set -e\ntouch {tmp_path}/made\necho made >{other}\n")
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "made.feature").write_text(FEATURE.format(folder=tmp_path))

    def run(*words: str, status: int) -> str:
        done = forked.run(words, cwd=tmp_path, timeout=120)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout

    try:
        if stored:
            run("check", "--format", "json:report.json", status=2)
            run("heal", "report.json", status=0)
        else:
            assert "healed: provision" in run("check", "--heal", "--timeout", "60s", status=0)
        assert f'    the file "{other}" exists' in run("coverage", "--only", "files", status=1)
    finally:
        other.unlink(missing_ok=True)
