"""systemd asked over its bus, held against `systemctl show` in a real container; and a bus that is none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from infratest.collect.script import Apart, Question, build, read
from infratest.errors import FactError
from infratest.facts.base import Answer
from infratest.facts.service import ServiceFact, system_bus, units_of
from infratest.facts.service.system_bus import file_states, units
from infratest.facts.unit_file import UnitFileFact, unit_files_of
from infratest.monitor.hints.base import SERVICE, Hint
from infratest.monitor.hints.units import Units
from tests.worlds.hearing import hearing
from tests.worlds.monitor_world import until
from tests.worlds.tiny_container import engine, found

#: Units in every state that a container can have, by `SET_UP` or by the image.
UNITS = (
    "ssh", "sshd", "nosuch", "dbus", "dbus.socket", "multi-user.target", "getty@tty1", "systemd-journald",
    "dev-mqueue.mount",
    "a@b", "x\\x2dy", "dev-null.device", "stopped", "failing", "hidden", "oneshot", "broken", "sysv", "sysv-off",
    "1st", "elapsed.timer", "nosuch.timer", "daily.timer", "over.timer", "fresh.timer",
    *(f"many-{number}" for number in range(45)),
)  # fmt: skip

#: Units whose files say something each, and whether they are enabled: `systemctl is-enabled` is asked for each.
FILES = {
    "ssh": True, "sshd": True, "nosuch": False, "dbus": True, "oneshot": True, "stopped": False, "hidden": False,
    "generated": True, "generated-off": True, "sysv": True, "sysv-off": False, "indirect": True, "runtime": True,
    "aliased": True, "linked": False, "removed": False, "made": True, "transient": False, "getty@": True,
    "getty@tty1": True, "many@": False, "broken": True, "multi-user.target": True, "init.scope": False,
    "daily.timer": True, "fresh.timer": False, "systemd-journald": True, "dev-mqueue.mount": False,
    "masked-later": False,
}  # fmt: skip
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
for name in indirect runtime aliased removed made masked-later generated; do
  unit $name simple '/bin/sleep 1000' no
done
mv generated.service /root
printf '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nAlso=aliased.service\n' >indirect.service
printf '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nAlias=of-aliased.service\n' >aliased.service
mkdir -p /opt/units /etc/systemd/system-generators
unit /opt/units/linked simple '/bin/sleep 1000' no
cat >/etc/systemd/system-generators/it <<'END'
#!/bin/sh
cp /root/generated.service "$1"
cp /root/generated.service "$1/generated-off.service"
mkdir -p "$1/multi-user.target.wants"
ln -s ../generated.service "$1/multi-user.target.wants"
END
chmod +x /etc/systemd/system-generators/it
unit short oneshot /bin/true no
timer() { printf '[Timer]\n%s\nUnit=short.service\n[Install]\nWantedBy=timers.target\n' "$2" >"$1.timer"; }
timer elapsed OnActiveSec=1ms
timer over OnCalendar=2020-01-01
timer daily OnCalendar=daily
timer fresh OnActiveSec=1h
ln -s /dev/null hidden.service
for name in sysv sysv-off; do
  printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n# Default-Start: 2 3 4 5\n' $name >/etc/init.d/$name
  printf '### END INIT INFO\nexit 0\n' >>/etc/init.d/$name
  chmod +x /etc/init.d/$name
done
ln -sf ../init.d/sysv /etc/rc5.d/S01sysv
ln -sf ../init.d/gone /etc/rc3.d/S01sysv-off
systemctl daemon-reload
systemctl enable -q oneshot removed aliased daily.timer
systemctl enable -q --runtime runtime
systemctl link -q /opt/units/linked.service
systemctl start oneshot 1st elapsed.timer over.timer daily.timer fresh.timer
systemd-run -q --unit=transient sleep 1000
n=0
while [ "$(systemctl show -p SubState elapsed.timer)" != SubState=elapsed ] && [ $n -lt 100 ]; do
  sleep 0.1
  n=$((n + 1))
done
# All three without a daemon-reload: systemd has the old state in its memory, and has been asked for it.
systemctl show -p UnitFileState removed made masked-later >/dev/null
rm multi-user.target.wants/removed.service
ln -s ../made.service multi-user.target.wants/made.service
rm masked-later.service
ln -s /dev/null masked-later.service
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


def by_snippet(name, fact, arguments):
    script = build([Question(fact.ask(arguments), 60)])
    command = [found().program, "exec", "-i", name, "env", "LC_ALL=C", "sh", "-s", script.nonce]
    done = subprocess.run(command, input=script.text, capture_output=True, timeout=90)
    (answer,) = read(script, done.stdout)
    assert isinstance(answer, Answer), done.stderr
    return fact.read(answer, arguments)


@pytest.mark.hosts
def test_units_are_as_systemctl_shows_them(systemd):
    name, root = systemd
    arguments = [(unit,) for unit in UNITS]
    told = by_snippet(name, ServiceFact(), arguments)
    seen = dict(zip(arguments, units_of(arguments, root), strict=True))
    assert seen == told
    states = {unit: (seen[unit,].load, seen[unit,].active) for unit in UNITS}
    assert states["ssh"] == ("loaded", "active")
    assert states["nosuch"] == ("not-found", "inactive")
    assert states["failing"] == ("loaded", "failed")
    assert states["hidden"] == ("masked", "inactive")
    assert states["oneshot"] == ("loaded", "active")
    assert states["1st"] == ("loaded", "active")
    assert states["broken"][0] == "bad-setting"
    assert seen["broken",].error == "Unit broken.service has a bad unit file setting."
    assert seen["sshd",].id == "ssh.service"
    timers = {unit: (seen[unit,].active, seen[unit,].sub, seen[unit,].next) for unit in UNITS if ".timer" in unit}
    assert timers == {
        "elapsed.timer": ("active", "elapsed", False), "nosuch.timer": ("inactive", "dead", False),
        "daily.timer": ("active", "waiting", True), "fresh.timer": ("active", "waiting", True),
        "over.timer": ("active", "elapsed", False),
    }  # fmt: skip


@pytest.mark.hosts
def test_a_unit_is_enabled_where_systemctl_says_so(systemd):
    name, root = systemd
    oracle = (
        'for one; do systemctl is-enabled -q -- "$one" 2>/dev/null; echo "$?"; done; for one; do '
        'systemctl is-enabled -- "$one" 2>/dev/null || :; echo .; done'
    )
    answers = engine("exec", name, "sh", "-c", oracle, "sh", *FILES).split("\n")
    assert dict(zip(FILES, [code == "0" for code in answers[: len(FILES)]], strict=True)) == FILES
    words = [word.strip() for word in "\n".join(answers[len(FILES) :]).split(".")[:-1]]
    arguments = [(unit,) for unit in FILES]
    told = by_snippet(name, UnitFileFact(), arguments)
    assert {unit: told[unit,].enabled for unit in FILES} == FILES
    assert [told[argument].state for argument in arguments] == words
    assert {told[argument].problem for argument in arguments} == {""}
    # Each alone: some are left to systemctl.
    seen, left = {}, set()
    for unit in FILES:
        try:
            files = unit_files_of([(unit,)], root)
        except OSError:
            files = None
        if files is None:
            left.add(unit)
        else:
            seen[unit] = files[0]
    assert left == {"nosuch", "many@", "sysv", "sysv-off", "init.scope", "transient"}
    assert seen == {unit: told[unit,] for unit in FILES.keys() - left}
    together = [argument for argument in arguments if argument[0] not in left]
    assert unit_files_of(together, root) == [told[argument] for argument in together]
    assert by_snippet(name, UnitFileFact(), together) == {argument: told[argument] for argument in together}


@pytest.mark.hosts
def test_a_unit_that_systemctl_refuses_to_show_is_left_to_it(systemd):
    with pytest.raises(OSError, match="does not answer"):
        units_of([("ssh.service",), ("getty@.service",)], systemd[1])


@pytest.mark.hosts
def test_a_unit_that_systemctl_refuses_to_show_takes_no_others_answer_with_it(systemd):
    fact, units = ServiceFact(), ("ssh", "getty@", "nosuch", "failing")
    script = build([Question(fact.snippet(), 60, parts=tuple(fact.words((unit,)) for unit in units))])
    command = [found().program, "exec", "-i", systemd[0], "env", "LC_ALL=C", "sh", "-s", script.nonce]
    done = subprocess.run(command, input=script.text, capture_output=True, timeout=90)
    (answer,) = read(script, done.stdout)
    assert isinstance(answer, Apart), done.stderr
    ssh, template, nosuch, failing = answer.parts
    assert fact.read(ssh, [("ssh",)])["ssh",].active == "active"
    assert fact.read(failing, [("failing",)])["failing",].active == "failed"
    assert fact.read(nosuch, [("nosuch",)])["nosuch",].load == "not-found"
    with pytest.raises(FactError, match="getty@"):
        fact.read(template, [("getty@",)])


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
    for ask in (units, file_states):
        with pytest.raises(FileNotFoundError):
            ask(["ssh.service"], str(tmp_path / "nosuch"))


@pytest.mark.parametrize("fact", [ServiceFact(), UnitFileFact()])
def test_without_systemd_the_init_system_is_named(fact):
    if Path("/run/systemd/system").exists():
        pytest.skip("systemd has booted this machine")
    done = subprocess.run(["sh", "-c", fact.ask([("ssh",)])], capture_output=True, text=True)
    with pytest.raises(FactError) as told:
        fact.read(Answer(done.returncode, done.stdout, done.stderr), [("ssh",)])
    with pytest.raises(FactError) as seen:
        fact.look_here([("ssh",)])
    assert str(seen.value) == str(told.value)
    assert Path("/proc/1/comm").read_text().strip() in str(seen.value)


@pytest.mark.hosts
def test_what_happens_to_a_unit_is_a_hint_of_it(systemd):
    name, root = systemd
    engine("exec", name, "systemd-run", "-q", "--unit=hinted", "sleep", "1000")
    source = Units(lambda: ["ssh.service", "hinted.service"], root + system_bus.ADDRESS)
    with hearing(source) as came:
        until(lambda: source._signals is not None, "systemd is listened to")
        engine("exec", name, "systemctl", "kill", "hinted")
        assert came.get(timeout=60) == Hint("", SERVICE, "hinted.service")
