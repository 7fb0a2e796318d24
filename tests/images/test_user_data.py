"""User data as Debian's cloud-init reads them: the machine has our host key and name, and lets our user in."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infratest.images.seed import END, UNITS, Seed, user_data
from infratest.providers import _ssh_keys
from tests.worlds.node_network import node_network
from tests.worlds.nodes.machines import NodeMachines

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(1200)]  # the image may have to be built first


@pytest.fixture(scope="module")
def machines() -> Iterator[NodeMachines]:
    with node_network() as network:
        yield NodeMachines(**network)


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_cloud_init_does_what_they_say(machines: NodeMachines, user: str, tmp_path: Path) -> None:
    host = _ssh_keys.new_key()
    key, public = _ssh_keys.user_key(tmp_path)
    seed = Seed(
        instance=f"i-{user}", hostname="web-1", user=user, key=public,
        host_private=host.private.decode(), host_public=host.public,
    )  # fmt: skip
    told = user_data(seed, [["touch", "/run/told"]])
    address = machines.start(f"i-{user}", told)
    known = tmp_path / "known_hosts"
    known.write_text(f"{address} {host.public}\n")

    def asked(command: str) -> subprocess.CompletedProcess[str]:
        options = [f"UserKnownHostsFile={known}", "StrictHostKeyChecking=yes", "BatchMode=yes", "ConnectTimeout=10"]
        words = ["ssh", "-F", "none", "-i", str(key), *(f"-o{each}" for each in options)]
        words.append(f"{user}@{address}")
        return subprocess.run([*words, command], capture_output=True, text=True, timeout=60, env=os.environ)

    end = time.monotonic() + 120
    while asked("true").returncode != 0:
        assert time.monotonic() < end, asked("true").stderr
        time.sleep(0.2)
    done = asked("cloud-init status --wait")
    assert done.returncode == 0, done
    assert done.stdout.strip(". \n") == "status: done"
    assert asked("hostname; sudo -n id -u; ls /run/told; ls /etc/ssh/ssh_host_*.pub").stdout.split() == [
        "web-1", "0", "/run/told", "/etc/ssh/ssh_host_ed25519_key.pub",
    ]  # fmt: skip
    # A server that is started anew refuses who comes just then: nothing of ours may cause that.
    started = asked("sudo -n journalctl --unit=ssh --output=cat --no-pager").stdout
    assert started.count("Server listening on 0.0.0.0") == 1, started
    assert asked("sudo -n sshd -T").stdout.count("passwordauthentication no") == 1
    assert asked("sudo -n getent shadow $(id -un)").stdout.split(":")[1][:1] in ("!", "*")  # no password lets in
    assert host.private.decode().splitlines()[1] not in asked("sudo -n cat /var/log/cloud-init-output.log").stdout


def test_a_machine_powers_itself_off_when_it_was_told_to(machines: NodeMachines, tmp_path: Path) -> None:
    host, at = _ssh_keys.new_key(), int(time.time()) + 7200
    seed = Seed(
        instance="i-end", hostname="web-1", user="root", key=_ssh_keys.user_key(tmp_path)[1],
        host_private=host.private.decode(), host_public=host.public, off_at=at,
    )  # fmt: skip
    machines.start("i-end", user_data(seed))

    def wait(command: str) -> str:
        end = time.monotonic() + 240
        while (answer := machines.inside("i-end", command)) is None:
            assert time.monotonic() < end, command
            time.sleep(0.3)
        return answer

    wait("cloud-init status --wait")
    show = f"LC_ALL=C TZ=UTC systemctl show --property=NextElapseUSecRealtime --value {END}.timer"
    moment = datetime.fromtimestamp(at, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")
    assert wait(f"systemctl is-enabled --quiet {END}.timer && {show}").strip() == moment
    # Its time comes sooner: that the machine is off then is the units' own doing.
    soon = "$(date --utc --date='3 seconds' '+%F %T UTC')"
    anew = f"systemctl daemon-reload && systemctl restart {END}.timer"
    machines.inside("i-end", f'sed -i "s/OnCalendar=.*/OnCalendar={soon}/" {UNITS}/{END}.timer && {anew}')
    end = time.monotonic() + 120
    while machines.powered("i-end"):
        assert time.monotonic() < end, "it runs still"
        time.sleep(0.3)
