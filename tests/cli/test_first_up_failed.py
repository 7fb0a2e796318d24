"""A first `up` that asked for nothing leaves a state directory like a new one: no provider is asked about it after."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds.small_project import run, write

STACK = "stack: one\nprovider: PROVIDER\nhosts: {web: {}, db: {}}\n"
#: Providers that cannot be asked without a program, a daemon or a login. (What QEMU runs is read from a folder.)
PROVIDERS = ("container", "virtualbox", "libvirt", "{name: cloud, driver: ec2}")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_status_needs_no_provider_after_an_up_that_asked_for_nothing(
    tmp_path: Path, around: dict[str, str], provider: str
) -> None:
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", provider)})
    before = run(tmp_path, "infratest", "status", **around)
    assert before.returncode == 0, before
    up = run(tmp_path, "infratest", "up", "--timeout", "20s", **around)
    assert up.returncode in (1, 2), up
    after = run(tmp_path, "infratest", "status", **around)
    assert (after.returncode, after.stdout) == (0, before.stdout), after
    assert not (tmp_path / ".infratest/id").exists()
    assert not (tmp_path / ".infratest/journal.jsonl").exists()


def test_what_was_asked_for_keeps_its_id(tmp_path: Path) -> None:
    """A host that was refused may have been made all the same: its provider is asked from then on."""
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", "{name: fake, lose: [create web], fail: [destroy]}")})
    up = run(tmp_path, "infratest", "up")
    assert up.returncode == 1, up
    assert (tmp_path / ".infratest/id").exists()
    status = run(tmp_path, "infratest", "status")
    assert "host web" in status.stdout + status.stderr, status


def test_an_earlier_id_outlives_a_failure_that_asked_for_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", "fake")})
    assert run(tmp_path, "infratest", "up").returncode == 0
    id = (tmp_path / ".infratest/id").read_text()
    write(tmp_path, {"stack.yaml": STACK.replace("PROVIDER", "{name: fake, fail: [existing]}")})
    assert run(tmp_path, "infratest", "up").returncode == 1
    assert (tmp_path / ".infratest/id").read_text() == id
