"""Hosts on OpenStack: its own services behind, real logins to every server, and what goes wrong put before its APIs."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infratest.testing.providers import Case, MakingContract, case_of
from tests.contracts.case_files import with_hosts
from tests.worlds.nodes import SSH_PORT
from tests.worlds.openstack.cloud import Project, cloud

OPTIONS = {"driver": "openstack"}


def host_options(**others: Any) -> dict[str, Any]:
    """Return options of hosts: the only user that its servers can let in, and where their sshd is."""
    return {"user": pwd.getpwuid(os.getuid()).pw_name, "ssh_port": SSH_PORT} | others


@contextmanager
def logged_in(login: dict[str, str]) -> Iterator[None]:
    """Have a shell's variables say who logs in, and nothing of the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("OS_")]:
            patch.delenv(name)
        for name, value in login.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def project() -> Iterator[Project]:
    with cloud().project() as project, logged_in(project.login()):
        yield project


@pytest.fixture(scope="module")
def name() -> str:
    return "cloud"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    with cloud().project() as project, logged_in(project.login()):
        made = case_of("cloud", tmp_path_factory.mktemp("openstack"), OPTIONS, **host_options())
        with with_hosts(made) as case:
            yield case


class TestContract(MakingContract):
    """What every provider must do."""
