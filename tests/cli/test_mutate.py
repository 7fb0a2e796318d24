"""`infratest mutate` breaks nothing in hosts that it has not made, nor in production: refused before all else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.worlds import forked

FEATURE = 'Feature: f\n  Scenario: s\n    Then the file "{folder}/kept" exists\n'
EXISTING = "stack: there\nprovider: existing\nhosts: {web: {address: 192.0.2.1}}\n"
PRODUCTION = "stack: shop\nprovider: container\nproduction: true\nhosts: {web: {}}\n"
LOCAL = "stack: here\nprovider: local\nhosts: {here: {}}\n"


@pytest.mark.parametrize(
    "stack, words",
    [
        (EXISTING, "the hosts of there were there before (provider: existing), and each fault is a risk to them"),
        (LOCAL, "the hosts of here were there before (provider: local), and each fault is a risk to them"),
        (PRODUCTION, "shop is production: nothing in it is broken on purpose"),
        (None, "were there before (provider: local)"),
    ],
)
def test_what_infratest_has_not_made_is_left_alone(tmp_path: Path, stack: str | None, words: str) -> None:
    (tmp_path / "kept").touch()
    (tmp_path / "a.feature").write_text(FEATURE.format(folder=tmp_path))
    if stack is not None:
        (tmp_path / "stack.yaml").write_text(stack)
    more = () if stack else ("--host", "local")
    done = forked.run(["mutate", "a.feature", *more], cwd=tmp_path)
    assert done.returncode == 3
    assert words in done.stdout
    assert (tmp_path / "kept").exists()
    assert not (tmp_path / ".infratest" / "journal.jsonl").exists()


FAKE = "stack: two\nprovider: {name: fake, world: world, transport: {otherwise: run}}\nhosts: {web: {}}\n"


def test_hosts_that_do_not_answer_have_no_score(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(FAKE)
    (tmp_path / "a.feature").write_text(FEATURE.format(folder=tmp_path))

    def infratest(*words: str) -> subprocess.CompletedProcess[str]:
        return forked.run(words, cwd=tmp_path)

    assert infratest("up").returncode == 0
    assert infratest("halt").returncode == 0
    done = infratest("mutate", "a.feature")
    infratest("destroy")
    assert done.returncode == 3
    assert "no mutation score: nothing was broken, for no host of 1 sentence answers" in done.stdout
    assert "turned red" not in done.stdout
