"""A host on which nothing can be executed where we may write: HOME and /tmp are noexec, in a session's own mounts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.installed import Place
from tests.worlds.sshd import Server, start_sshd

FEATURE = """\
Feature: The host
  Scenario: file
    Then the file "/etc/passwd" exists
  Scenario: noexec
    Then the command "cp /bin/true /tmp/probe && /tmp/probe" exits 126
  Scenario: home
    Then the command "cp /bin/true $HOME/probe && $HOME/probe" exits 126
  Scenario: user
    Then the user "root" exists
  Scenario: process
    Then the process "no-such-process" is not running
"""
PROVISION = """\
    provision:
      - file: {from: shop.conf, to: /tmp/shop.conf, mode: "0644"}
      - shell: web.sh
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that is not in /tmp, over which another one is mounted."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def server(tmp_path: Path, home: Path) -> Iterator[Server]:
    lines = (
        "#!/bin/sh",
        f"export HOME={home}",
        # Mounted from folders, so that what a session leaves there is seen outside; this machine's /tmp is left alone.
        f"mount --bind {home} {home} && mount -o remount,bind,noexec {home} || exit 90",
        f"mount --bind {tmp_path / 'temporary'} /tmp && mount -o remount,bind,noexec /tmp || exit 91",
        'exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"',
    )
    (tmp_path / "temporary").mkdir(mode=0o1777)
    inside = tmp_path / "inside"
    inside.write_text("\n".join(lines) + "\n")
    inside.chmod(0o755)
    server = start_sshd(tmp_path / "sshd", ForceCommand=f"exec unshare --mount {inside}")
    yield server
    server.stop()


def test_checks_and_provisioning_need_no_file_that_is_executed(
    place: Place, server: Server, home: Path, tmp_path: Path
) -> None:
    host = f"address: {server.address}\n    port: {server.port}\n    user: {server.user}\n    key: {server.key}\n"
    place.write({
        "stack.yaml": "stack: shop\n"
        f"provider: {{name: existing, known-hosts: {server.known_hosts}, config: none, agent: false}}\n"
        f"hosts:\n  web:\n    {host}{PROVISION}",
        "odd.feature": FEATURE,
        "shop.conf": "shop\n",
        "web.sh": "#!/bin/sh\ncat /tmp/shop.conf >/tmp/made\n",
    })  # fmt: skip
    done = place.run("infratest check --timeout 40s --format json odd.feature")
    states = {one["id"].rpartition("#")[2].partition("@")[0]: one["state"] for one in json.loads(done.out)["results"]}
    assert states == dict.fromkeys(("file", "noexec", "home", "user", "process"), "ok"), done
    assert done.status == 0
    seen = place.run("check_infratest -t 40s odd.feature")
    assert (seen.status, seen.out.startswith("INFRATEST OK - shop web: 5 scenarios ok")) == (0, True), seen
    # Nothing of ours was written there, let alone executed: the probes alone are left.
    temporary = tmp_path / "temporary"
    assert [path.name for path in temporary.iterdir()] == ["probe"]
    assert [path.name for path in home.iterdir()] == ["probe"]
    made = place.run("infratest provision")
    assert made.status == 0, made
    assert sorted(path.name for path in temporary.iterdir()) == ["made", "probe", "shop.conf"]
    assert (temporary / "made").read_text() == "shop\n"
    wait_until(lambda: not server.sessions())
