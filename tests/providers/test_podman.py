"""Containers on the real podman: what every provider must do, and that docker beside it is another engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.testing.providers import Case, MakingContract, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds.small_project import run, write

pytestmark = [pytest.mark.machines, pytest.mark.hosts]

STACK = """
stack: one
provider: {name: container, engine: ENGINE}
hosts: {web: {memory: 64MiB, cpus: 0.5, ports: [80]}}
"""
FEATURE = """
Feature: a host on podman
  Scenario: it is a machine
    Then the service "ssh" is running
    And port 22 is listening
    And the file "/note" exists
"""


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with with_hosts(case_of("container", tmp_path_factory.mktemp("podman"), {"engine": "podman"})) as case:
        yield case


@pytest.fixture(scope="module")
def name() -> str:
    return "container"


class TestOnPodman(MakingContract):
    """The provider's contract."""


def test_a_stack_lives_on_it_and_docker_is_told_to_be_another_engine(tmp_path: Path) -> None:
    write(tmp_path, {"stack.yaml": STACK.replace("ENGINE", "podman"), "features/a.feature": FEATURE})
    try:
        up = run(tmp_path, "infratest", "up")
        assert (up.returncode, "1 host ready" in up.stderr) == (0, True), up
        assert run(tmp_path, "infratest", "test").returncode == 2
        assert run(tmp_path, "infratest", "run", "web", "touch", "/note").returncode == 0
        test = run(tmp_path, "infratest", "test")
        assert test.returncode == 0, test
        write(tmp_path, {"stack.yaml": STACK.replace("ENGINE", "docker")})
        again = run(tmp_path, "infratest", "up")
        assert again.returncode == 2, again
        assert "provider container (podman at " in again.stderr
        assert "made host web, network" in again.stderr
        assert "say provider container (docker at " in again.stderr
        write(tmp_path, {"stack.yaml": STACK.replace("ENGINE", "podman")})
        assert run(tmp_path, "infratest", "halt").returncode == 0
        assert run(tmp_path, "infratest", "up").returncode == 0
        assert run(tmp_path, "infratest", "test").returncode == 0
    finally:
        destroyed = run(tmp_path, "infratest", "destroy")
    assert destroyed.returncode == 0, destroyed
