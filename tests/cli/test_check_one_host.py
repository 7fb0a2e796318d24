"""`check_infratest -H`: one host, the one that is named, and never others or the first of several."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.small_project import run, write

STACK = """stack: shop
provider: existing
hosts:
  web: {transport: local, address: 192.0.2.1}
  db: {transport: local, address: 192.0.2.2, groups: [web]}
  left: {transport: local, address: 192.0.2.9}
  right: {transport: local, address: 192.0.2.9}
"""
#: Holds on each of them.
FEATURE = 'Feature: f\n  Scenario: s\n    Then the file "/etc/passwd" exists\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path, {"stack.yaml": STACK, "features/f.feature": FEATURE})


def check(project: Path, *words: str, **variables: str) -> list[tuple[int, str]]:
    """Return status and line, without performance data, of two checks: the second has a kept plan if there is one."""
    made = [
        run(project, "check_infratest", *words, XDG_CACHE_HOME=str(project / "cache"), **variables) for _ in range(2)
    ]
    return [(done.returncode, done.stdout.partition(" |")[0]) for done in made]


@pytest.mark.parametrize("named, host", [("web", "web"), ("db", "db"), ("192.0.2.2", "db")])
def test_it_is_one_host_and_no_group_of_that_name(project: Path, named: str, host: str) -> None:
    assert check(project, "-H", named) == [(0, f"INFRATEST OK - shop {host}: 1 scenario ok")] * 2


def test_an_address_of_several_hosts_is_refused_with_their_names(project: Path) -> None:
    words = "INFRATEST UNKNOWN - shop: -H '192.0.2.9' is the address of 2 hosts: name one of them, left or right"
    assert check(project, "-H", "192.0.2.9") == [(3, words)] * 2


def test_what_is_selected_beside_it_adds_no_host(project: Path) -> None:
    assert check(project, "-H", "db", "--host", "web") == [(0, "INFRATEST OK - shop db: 1 scenario ok")] * 2
    answers = check(project, "-H", "db", INFRATEST_HOST="left")
    words = "INFRATEST UNKNOWN - shop: --host left (or INFRATEST_HOST) leaves db out: name one of the two"
    assert answers == [(3, words)] * 2


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("infratest", "test", "--scenario", "a", "--scenario", "b"), "--scenario"),
        (("infratest", "check", "--env", "dev", "--env", "prod"), "--env"),
        (("check_infratest", "-s", "a", "--scenario", "b"), "--scenario"),
        (("check_infratest", "-H", "web", "-H", "db"), "--hostname"),
    ],
)
def test_what_chooses_is_given_once(tmp_path, words, option):
    done = run(tmp_path, *words)
    assert done.returncode == 3
    assert f"{option} is given 2 times; give it once" in done.stdout + done.stderr
