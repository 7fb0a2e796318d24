from __future__ import annotations

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.testing.inventories import opened
from tests.contracts.case_files import programs
from tests.contracts.cases.inventories.vagrant import TEXT


def test_what_weakens_a_login_is_not_obeyed_and_said(tmp_path):
    (tmp_path / "machines").write_text(TEXT)
    answer = opened("vagrant", "machines", tmp_path).hosts(Deadline(5))
    assert answer.notes == (
        "UserKnownHostsFile of Vagrant is not obeyed: host keys are verified; `pin: true` takes new ones",
        "StrictHostKeyChecking of Vagrant is not obeyed: host keys are verified; `pin: true` takes new ones",
    )
    assert all(host.config == "" and not host.problem for host in answer.hosts)


def test_a_folder_is_asked_of_vagrant(tmp_path, monkeypatch):
    # A stand-in for the real program, which prints what that printed.
    (tmp_path / "machines").write_text(TEXT)
    script = f'#!/bin/sh\n[ "$1" = ssh-config ] && [ "$PWD" = \'{tmp_path}\' ] && cat machines\n'
    monkeypatch.setenv("PATH", f"{programs(tmp_path, {'vagrant': script})}:/usr/bin:/bin")
    answer = opened("vagrant", ".", tmp_path).hosts(Deadline(10))
    assert [host.name for host in answer.hosts] == ["web", "db"]
    assert answer.asked
    assert tmp_path / ".vagrant/machines" in answer.files
    (tmp_path / "bin/vagrant").write_text("#!/bin/sh\necho 'The provider reported not ready for SSH' >&2\nexit 1\n")
    with pytest.raises(
        InventoryError, match="ended with exit 1: The provider reported not ready for SSH; run `vagrant"
    ):
        opened("vagrant", ".", tmp_path).hosts(Deadline(10))


def test_a_folder_without_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InventoryError, match="`vagrant`, which knows its machines, is not in PATH"):
        opened("vagrant", ".", tmp_path).hosts(Deadline(5))


def test_a_keyword_that_is_not_known_is_said_of_its_host(tmp_path):
    (tmp_path / "machines").write_text(TEXT + "Host x\n  HostName y\n  ProxyCommand nc y 22\n")
    first, _, last = opened("vagrant", "machines", tmp_path).hosts(Deadline(5)).hosts
    assert first.problem == ""
    assert "'proxycommand' of `vagrant ssh-config` is not known here" in last.problem
