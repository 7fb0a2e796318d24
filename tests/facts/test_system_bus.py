"""systemd asked over its bus, held against `systemctl show` in a real container; and a bus that is none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from infratest.engine.script import Question, build, read
from infratest.errors import FactError
from infratest.facts._system_bus import units
from infratest.facts.base import Answer
from infratest.facts.service import ServiceFact, units_of
from infratest.names import unit_name
from tests.tiny_container import engine, found

#: Units in every state that a container can have, by `SET_UP` or by the image.
UNITS = (
    "ssh", "sshd", "nosuch", "dbus", "dbus.socket", "multi-user.target", "getty@tty1", "systemd-journald",
    "dev-mqueue.mount",
    "a@b", "x\\x2dy", "dev-null.device", "stopped", "failing", "hidden", "oneshot", "broken", "sysv", "sysv-off", "1st",
    *(f"many-{number}" for number in range(45)),
)  # fmt: skip
SET_UP = r"""
cd /etc/systemd/system
unit() {
  printf '[Service]\nType=%s\nExecStart=%s\nRemainAfterExit=%s\n' "$2" "$3" "$4" >"$1.service"
  printf '[Install]\nWantedBy=multi-user.target\n' >>"$1.service"
}
unit stopped simple '/bin/sleep 1000' no
unit failing oneshot /bin/false no
unit oneshot oneshot /bin/true yes
unit 1st simple '/bin/sleep 1000' no
printf '[Service]\nType=simple\n' >broken.service
ln -s /dev/null hidden.service
for name in sysv sysv-off; do
  printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n# Default-Start: 2 3 4 5\n' $name >/etc/init.d/$name
  printf '### END INIT INFO\nexit 0\n' >>/etc/init.d/$name
  chmod +x /etc/init.d/$name
done
ln -sf ../init.d/sysv /etc/rc3.d/S01sysv
ln -sf ../init.d/gone /etc/rc3.d/S01sysv-off
systemctl daemon-reload
systemctl enable -q oneshot
systemctl start oneshot 1st
systemctl start failing || true
"""


@pytest.fixture(scope="module")
def systemd(tmp_path_factory):
    """A container that systemd has booted: its name, and its root folder as seen from here."""
    if os.getuid() != 0:
        pytest.fail("only root can look into a container's file system: run these tests as root")
    folder = tmp_path_factory.mktemp("bus")
    (folder / "stack.yaml").write_text("stack: unitbus\nprovider: container\nhosts:\n  one: {}\n")
    program = str(Path(sys.executable).with_name("infratest"))
    found()
    try:
        done = subprocess.run([program, "up"], cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        (name,) = engine("ps", "--filter", "name=infratest-unitbus-one-", "--format", "{{.Names}}").split()
        engine("exec", "-i", name, "sh", "-e", stdin=SET_UP.encode())
        yield name, f"/proc/{engine('inspect', '-f', '{{.State.Pid}}', name)}/root"
    finally:
        subprocess.run([program, "destroy"], cwd=folder, capture_output=True, timeout=300)


@pytest.mark.hosts
def test_units_are_as_systemctl_shows_them(systemd):
    name, root = systemd
    fact, arguments = ServiceFact(), [(unit,) for unit in UNITS]
    script = build([Question(fact.ask(arguments), 60)])
    command = [found().program, "exec", "-i", name, "env", "LC_ALL=C", "sh", "-s", script.nonce]
    done = subprocess.run(command, input=script.text, capture_output=True, timeout=90)
    (answer,) = read(script, done.stdout)
    assert isinstance(answer, Answer), done.stderr
    told = fact.read(answer, arguments)
    seen = dict(zip(arguments, units_of([unit_name(unit) for unit in UNITS], root), strict=True))
    assert seen == told
    states = {unit: (seen[unit,].load, seen[unit,].active, seen[unit,].file) for unit in UNITS}
    assert states["ssh"] == ("loaded", "active", "enabled")
    assert states["nosuch"] == ("not-found", "inactive", "")
    assert states["failing"] == ("loaded", "failed", "disabled")
    assert states["hidden"] == ("masked", "inactive", "masked")
    assert states["oneshot"] == ("loaded", "active", "enabled")
    assert states["1st"] == ("loaded", "active", "disabled")
    assert states["broken"][0] == "bad-setting"
    assert seen["sshd",].id == "ssh.service"
    assert (seen["sysv",].boot_links, seen["sysv-off",].boot_links) == (True, False)


@pytest.mark.hosts
def test_a_unit_that_systemctl_refuses_to_show_is_left_to_it(systemd):
    with pytest.raises(OSError, match="does not tell Id of getty@"):
        units_of(["ssh.service", "getty@.service"], systemd[1])


@pytest.fixture
def bus(tmp_path):
    """A listener that says these bytes to whoever connects, and then closes, or keeps quiet."""
    stops = []

    def served(said, close=True):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "bus"))
        listener.listen()
        over = threading.Event()

        def serve():
            channel, _ = listener.accept()
            with channel:
                channel.recv(65536)
                channel.sendall(said)
                if not close:
                    over.wait(20)

        thread = threading.Thread(target=serve)
        thread.start()
        stops.append((over, thread, listener))
        return str(tmp_path / "bus")

    yield served
    for over, thread, listener in stops:
        over.set()
        thread.join()
        listener.close()


OK = b"OK 0123456789abcdef0123456789abcdef\r\n"


@pytest.mark.parametrize(
    "said",
    [
        b"", b"REJECTED EXTERNAL\r\n", b"OK", OK, OK + b"rubbish", OK + b"l\2\0\1" + b"\xff" * 12,
        OK + b"l\2" + bytes(200),
        b"HTTP/1.1 400 Bad Request\r\n\r\n", OK + b"l\2\0\1\0\0\0\0\1\0\0\0\x10\0\0\0\7\1x\0" + bytes(12),
    ],
)  # fmt: skip
def test_a_bus_that_is_none_is_an_error(bus, said):
    with pytest.raises(OSError):  # noqa: PT011 - each says it in its own words, and the snippet is asked instead
        units(["ssh.service"], bus(said))


def test_a_bus_that_keeps_quiet_is_not_waited_for(bus):
    with pytest.raises(TimeoutError):
        units(["ssh.service"], bus(OK, close=False), patience=0.1)


def test_no_bus_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        units(["ssh.service"], str(tmp_path / "nosuch"))


def test_without_systemd_the_init_system_is_named():
    if Path("/run/systemd/system").exists():
        pytest.skip("systemd has booted this machine")
    fact = ServiceFact()
    done = subprocess.run(["sh", "-c", fact.ask([("ssh",)])], capture_output=True, text=True)
    with pytest.raises(FactError) as told:
        fact.read(Answer(done.returncode, done.stdout, done.stderr), [("ssh",)])
    with pytest.raises(FactError) as seen:
        fact.look_here([("ssh",)])
    assert str(seen.value) == str(told.value)
    assert Path("/proc/1/comm").read_text().strip() in str(seen.value)
