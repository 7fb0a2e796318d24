"""The provider of machines under QEMU, on the real one: what is refused, what fails, and the whole way of a machine.

Machines go on from one that was booted before, which the first test that needs it boots where nobody has. What boots
further is marked `machines` and is run by `./run test-machines`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, TransportError, UnknownName, UserError
from infratest.hosts import GONE, PAUSED, STOPPED, Host
from infratest.images.seed import END
from infratest.providers import _host_ports
from infratest.providers.base import Context, HostSpec, Lease, Request, Resource
from infratest.providers.qemu import HostOptions, Options, Qemu, folder, process
from infratest.providers.qemu.folder import Folder, Record
from infratest.providers.qemu.port import Port
from infratest.providers.qemu.qmp import monitor
from infratest.stack.open import open_transport
from infratest.testing.waiting import wait_until
from infratest.transports.base import CommandResult

pytestmark = pytest.mark.timeout(900)  # a fresh machine builds a disk and boots it once

LONG = 600.0
LABELS = Lease(owner="tests", state_id="s", stack="shop", env="", expires=4102444800).labels()


@dataclass
class Stack:
    """A stack's provider with a state directory of its own."""

    folder: Path
    options: Options

    def __post_init__(self) -> None:
        self.state_id = secrets.token_hex(8)
        state = self.folder / "state"
        state.mkdir(mode=0o700, parents=True)
        (state / "id").write_text(self.state_id + "\n")
        self.provider = Qemu(self.options, Context(folder=self.folder, state=state, stack="shop", env=""))
        self.lease = Lease(owner="tests", state_id=self.state_id, stack="shop", env="", expires=4102444800)

    def create(self, spec: HostSpec) -> Resource:
        return self.provider.create(Request(kind="host", name=spec.name, lease=self.lease, spec=spec), Deadline(LONG))

    def host(self, spec: HostSpec) -> Host:
        return self.provider.hosts([spec], Deadline(60))[0]

    def mine(self) -> list[Resource]:
        found = self.provider.existing(Deadline(60))
        return [each for each in found if each.labels["infratest.state"] == self.state_id]

    def remove(self) -> None:
        for each in self.mine():
            self.provider.destroy(each, Deadline(60))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path, Options())
    try:
        yield stack
    finally:
        stack.remove()
    assert stack.mine() == []


@pytest.fixture
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for machines of the test's own."""
    place = tmp_path_factory.mktemp("s")
    monkeypatch.setenv("XDG_STATE_HOME", str(place))
    return place


def run(host: Host, command: str) -> CommandResult:
    transport = open_transport(host)
    try:
        transport.open(Deadline(30))
        return transport.run(["sh", "-c", command], Deadline(60))
    finally:
        transport.close()


def answer(look: Callable[[], Host], command: str) -> str:
    """Return what a command prints on a host, which may not answer yet."""

    def ask() -> str:
        try:
            done = run(look(), command)
        except TransportError:
            return ""
        assert done.exit == 0, done.stderr
        return done.stdout.decode() or " "

    return wait_until(ask, 240).strip()


def record(**values: object) -> Record:
    given: dict[str, object] = {
        "id": "m" + secrets.token_hex(4), "name": "web", "network": "n", "labels": LABELS, "image": "debian-12",
        "memory": 64 << 20, "cpus": 1, "mac": "52:54:01:00:00:01", "address": "10.219.0.1/24",
        "group": "239.255.255.250:9",
    }  # fmt: skip
    return Record(**(given | values))  # type: ignore[arg-type]


def begun(one: Record) -> Folder:
    """Return the folder of a machine with an empty disk, which boots nothing."""
    with folder.registry():
        found = folder.folder(one.id)
        found.begin(one)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(found.disk), "1M"], check=True)
    return found


# What is refused before anything is made


def foresee(tmp_path: Path, options: Options, *specs: HostSpec) -> None:
    Qemu(options, Context(folder=tmp_path, state=tmp_path / "state", stack="shop", env="")).foresee(specs)


@pytest.mark.parametrize(
    "options, kind, words",
    [
        (
            HostOptions(image="debian12"),
            UnknownName,
            r"^stack\.yaml:4: hosts\.web\.image: unknown image 'debian12': did",
        ),
        (
            HostOptions(image="disks/my.qcow2"),
            UserError,
            r"stack\.yaml:4: hosts\.web\.image: there is no disk .*my\.qcow2",
        ),
        (HostOptions(user="Not A User"), UserError, r"^stack\.yaml:4: user 'Not A User' is no user of a Linux host"),
        (
            HostOptions(disks=("1GiB", "4096TiB")),
            UserError,
            r"^stack\.yaml:4: hosts\.web\.disks: 4096TiB: a disk has a size of 1 MiB to 1024 TiB",
        ),
        (HostOptions(disks=("10 sheep",)), UserError, r"stack\.yaml:4: hosts\.web\.disks.*10 sheep"),
    ],
)
def test_what_can_never_be_made_is_refused_by_line(
    tmp_path: Path, options: HostOptions, kind: type[UserError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        foresee(tmp_path, Options(), HostSpec(name="web", where="stack.yaml:4", options=options))


@pytest.mark.parametrize(
    "subnet, words",
    [
        ("10.0.2.0/25", r"10\.0\.2\.0/25 overlaps with 10\.0\.2\.0/24, by which a host reaches the world"),
        ("10.1.0.0/31", r"10\.1\.0\.0/31 has no room for hosts"),
        ("10.1.0.0/30", r"10\.1\.0\.0/30 has 2 addresses, for 3 hosts; name a larger `subnet:`"),
        ("ten", r"subnet: .*'ten'.*; write one as 10\.219\.0\.0/24"),
    ],
)
def test_a_network_without_room_is_refused(tmp_path: Path, subnet: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        foresee(tmp_path, Options(subnet=subnet), *(HostSpec(name=f"web-{number}") for number in range(3)))


# What is there, and what fails, on machines that boot nothing


def test_nothing_is_said_of_machines_where_nobody_can_look(own_state: Path) -> None:
    assert folder.machines() == []
    (own_state / "infratest").mkdir()
    (own_state / "infratest" / "qemu").write_text("no folder")
    with pytest.raises(ProviderError, match=r"it cannot be told which machines there are: Not a directory"):
        folder.machines()


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", "[" * 200_000])
def test_a_machine_whose_notes_are_damaged_is_no_machine_that_is_gone(own_state: Path, text: str) -> None:
    one = begun(record())
    (one.path / "machine.json").write_text(text)
    with pytest.raises(ProviderError, match=r"machine\.json cannot be read: .*; where no such machine runs, remove "):
        folder.machines()


def test_a_path_too_long_for_a_socket_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / ("x" * 100)))
    with pytest.raises(ProviderError, match="the path is too long for a socket; name a shorter folder with XDG_STATE"):
        begun(record())


def test_a_folder_half_removed_is_no_machine_and_can_be_removed(own_state: Path) -> None:
    one = begun(record())
    (one.path / "machine.json").unlink()
    assert folder.machines() == []
    one.remove()
    one.remove()
    assert not one.path.exists()


def test_it_runs_as_long_as_its_process_and_no_longer(own_state: Path) -> None:
    one, about = folder.folder("m1"), record(id="m1")
    begun(about)
    qemu = process.find(Deadline(60))
    try:
        process.start(qemu, one, about, Deadline(60))
        assert one.runs()
        with pytest.raises(ProviderError, match="machine m1 runs already"):
            process.start(qemu, one, about, Deadline(60))
        # The first is still there, with all its files.
        os.kill(int(one.pid.read_text()), signal.SIGKILL)
        assert one.ended(Deadline(10))
    finally:
        process.end(one, "m1", Deadline(10))


def test_a_process_number_that_is_somebody_elses_by_now_is_never_ended(own_state: Path) -> None:
    one = begun(record())
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        one.pid.write_text(f"{stranger.pid}\n")
        process.end(one, "web", Deadline(10))
        one.kill(Deadline(10))
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_machine_that_does_not_answer_is_ended_all_the_same(own_state: Path) -> None:
    about = record()
    one = begun(about)
    process.start(process.find(Deadline(60)), one, about, Deadline(60))
    os.kill(int(one.pid.read_text()), signal.SIGSTOP)
    process.end(one, "web", Deadline(30))
    assert not one.runs()


@pytest.mark.parametrize(
    "values, spoil, words",
    [
        (
            {"memory": 1 << 50},
            lambda one: None,
            r"web: QEMU did not start: .*cannot give it 1073741824 MiB: say less with `memory:`",
        ),
        ({}, lambda one: one.disk.write_bytes(b"QFI\xfb" + b"\xff" * 600), r"web: QEMU did not start: .*disk\.qcow2"),
        ({}, lambda one: one.disk.unlink(), r"web: QEMU did not start: .*disk\.qcow2.*No such file"),
    ],
)
def test_a_machine_that_does_not_start_says_why(
    own_state: Path, values: dict[str, object], spoil: Callable[[Folder], object], words: str
) -> None:
    about = record(**values)
    one = begun(about)
    spoil(one)
    with pytest.raises(ProviderError, match=words):
        process.start(process.find(Deadline(60)), one, about, Deadline(60))
    assert not one.runs()


def test_a_port_that_somebody_has_taken_since_is_told(own_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFRATEST_CACHE", str(own_state / "cache"))
    about = record()
    one = begun(about)
    at = _host_ports.allot(about.id, [22])[22]
    with (
        socket.create_server(("127.0.0.1", at)),
        pytest.raises(ProviderError, match="somebody else has taken the port"),
    ):
        process.start(process.find(Deadline(60)), one, about, Deadline(60))
    assert not one.runs()


def test_without_qemu_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match=r"there is no qemu-system-.* in PATH; install QEMU"):
        process.find(Deadline(10))
    first = Qemu.doctor()[0]
    assert (first.name, first.usable) == ("provider qemu", False)
    assert "apt-get install qemu-system-x86" in first.advice


def test_a_machine_at_work_for_somebody_else_is_waited_for(own_state: Path) -> None:
    one = begun(record())
    with one.path.joinpath("busy").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ProviderError, match="another infratest has been at work on it"), one.busy(Deadline(0.2)):
            pass


# The whole way


BOOT = "cat /proc/sys/kernel/random/boot_id"


@pytest.mark.machines
def test_the_whole_way_of_a_machine(stack: Stack) -> None:
    spec = HostSpec(name="web-1", options=HostOptions(user="deploy", ports=(80,)))
    resource = stack.create(spec)

    def look() -> Host:
        return stack.host(spec)

    boot = is_who_it_was_told_to_be(look)
    is_brought_back_with_its_memory(stack, resource, look, boot)
    goes_on_where_it_was_suspended(stack, resource, look, boot)
    is_kept_by_its_disk_while_it_is_off(stack, resource, look, boot)
    stack.provider.destroy(resource, Deadline(LONG))
    stack.provider.destroy(resource, Deadline(LONG))
    assert look().state == GONE
    assert _host_ports.allotted(resource.id) == {}
    assert not folder.folder(resource.id).path.exists()


def is_who_it_was_told_to_be(look: Callable[[], Host]) -> str:
    """It is known by its key at the first connect; its machine id and clock are not those of the saved state."""
    said = answer(look, "id -un; hostname; sudo -n id -un; ip -4 -o address show eth1; cat /etc/machine-id; date +%s")
    user, name, root, address, machine, now = said.splitlines()
    assert (user, name, root) == ("deploy", "web-1", "root")
    assert f" {look().address}/24 " in address
    assert len(machine) == 32
    assert abs(float(now) - time.time()) < 120
    assert set(look().endpoints) == {22, 80}
    return answer(look, BOOT)


def is_brought_back_with_its_memory(stack: Stack, resource: Resource, look: Callable[[], Host], boot: str) -> None:
    stack.provider.take_snapshot(resource, "fresh", Deadline(LONG))
    with pytest.raises(ProviderError, match="there is a snapshot 'fresh' already"):
        stack.provider.take_snapshot(resource, "fresh", Deadline(LONG))
    answer(look, "echo changed > mark")
    stack.provider.restore_snapshot(resource, "fresh", Deadline(LONG))
    assert answer(look, f"test ! -e mark && {BOOT}") == boot
    kept = stack.provider.snapshots(resource, Deadline(60))
    assert [(each.name, each.running) for each in kept] == [("fresh", True)]


def goes_on_where_it_was_suspended(stack: Stack, resource: Resource, look: Callable[[], Host], boot: str) -> None:
    for _ in range(2):
        stack.provider.suspend(resource, Deadline(LONG))
    assert look().state == PAUSED
    stack.provider.start(resource, Deadline(LONG))
    assert answer(look, BOOT) == boot
    assert [each.name for each in stack.provider.snapshots(resource, Deadline(60))] == ["fresh"]


def is_kept_by_its_disk_while_it_is_off(stack: Stack, resource: Resource, look: Callable[[], Host], boot: str) -> None:
    """Halted it has no memory; one that was kept with its memory starts it again, one without leaves it off."""
    for _ in range(2):
        stack.provider.halt(resource, Deadline(LONG))
    assert look().state == STOPPED
    assert "reboot: Power down" in stack.provider.console(resource, Deadline(60)).text
    stack.provider.take_snapshot(resource, "off", Deadline(LONG))
    stack.provider.restore_snapshot(resource, "fresh", Deadline(LONG))
    assert answer(look, BOOT) == boot
    stack.provider.restore_snapshot(resource, "off", Deadline(LONG))
    assert look().state == STOPPED
    stack.provider.delete_snapshot(resource, "fresh", Deadline(LONG))
    with pytest.raises(ProviderError, match="there is no snapshot 'fresh'"):
        stack.provider.restore_snapshot(resource, "fresh", Deadline(LONG))
    kept = stack.provider.snapshots(resource, Deadline(60))
    assert [(each.name, each.running) for each in kept] == [("off", False)]


TIMER = f"TZ=UTC systemctl show --property=NextElapseUSecRealtime --value {END}.timer"


@pytest.mark.machines
def test_a_machine_powers_itself_off_when_the_budget_is_over_also_after_it_has_stood_still(stack: Stack) -> None:
    at = int(time.time()) + 7200
    stack.lease = replace(stack.lease, off_at=at)
    spec = HostSpec(name="web-1")
    resource = stack.create(spec)

    def look() -> Host:
        return stack.host(spec)

    assert answer(look, TIMER) == datetime.fromtimestamp(at, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")
    # As it is after going on from a saved memory where nobody has told it the time: its own clock went on.
    assert run(look(), "date -s @$(($(date +%s) - 7200))").exit == 0
    wait_until(lambda: abs(float(answer(look, "date +%s")) - time.time()) < 60, 120)
    stack.provider.suspend(resource, Deadline(LONG))
    stack.provider.start(resource, Deadline(LONG))
    assert answer(look, "systemctl is-active infratest-end.timer") == "active"
    # What it is told when it goes on after its end: that it is over. It waited for a moment of its former clock.
    with Port(folder.folder(resource.id).port, "web-1") as port:
        port.say(f"time {at + 1}\n", folder.folder(resource.id), Deadline(60))
    wait_until(lambda: look().state == STOPPED, 120)
    assert "reboot: Power down" in stack.provider.console(resource, Deadline(60)).text


@pytest.mark.machines
def test_hosts_of_a_stack_reach_each_other_and_nobody_elses(stack: Stack, tmp_path: Path) -> None:
    specs = [HostSpec(name=name) for name in ("one", "two")]
    other = Stack(tmp_path / "other", Options())
    try:
        for spec in specs:
            stack.create(spec)
        one, two = stack.provider.hosts(specs, Deadline(60))
        assert (one.address, two.address) == ("10.219.0.1", "10.219.0.2")
        answer(lambda: two, "true")
        greeting = f"timeout 20 bash -c 'exec 3<>/dev/tcp/{two.address}/22; head -n 1 <&3'"
        assert answer(lambda: one, greeting).startswith("SSH-2.0-")
        # The same address in another stack is another machine, and neither sees the other.
        spec = HostSpec(name="one")
        other.create(spec)
        assert other.host(spec).address == one.address
        assert answer(lambda: other.host(spec), f"{greeting} || echo nobody") == "nobody"
    finally:
        other.remove()


KILLED = """
import os, sys
from pathlib import Path
from infratest.deadline import Deadline
from infratest.providers.base import Context, HostSpec, Lease, Request
from infratest.providers.qemu import Options, Qemu
folder, state, memory = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) or None
provider = Qemu(Options(memory=memory), Context(folder=folder, state=folder / "state", stack="shop", env=""))
lease = Lease(owner="tests", state_id=state, stack="shop", env="", expires=4102444800)
print("begins", flush=True)
provider.create(Request(kind="host", name="web", lease=lease, spec=HostSpec(name="web")), Deadline(600))
print("made", flush=True)
"""


#: Memory of no host of these tests, so that it has no warm image yet: a run that makes one is struck, too.
OF_ITS_OWN = 259 << 20


@pytest.mark.parametrize("name, seen", [("web", each) for each in ("machine.json", "disk.qcow2", "alive", "pid", "qmp")]
                         + [("warm", "pid")])  # fmt: skip
def test_what_a_run_that_is_killed_leaves_is_found_and_removed(stack: Stack, name: str, seen: str) -> None:
    """Struck as soon as a file of the machine is seen, each a little later on the way than the one before."""
    memory = str(OF_ITS_OWN if name == "warm" else 0)
    answers = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(stack.folder), stack.state_id, memory], stdout=subprocess.PIPE, text=True
    )
    with answers:
        wait_until(lambda: answers.poll() is not None or _there(stack.state_id, name, seen), 300)
        answers.kill()
    left = stack.mine()
    assert sorted(each.name for each in left) == sorted({"web", name})
    mine = {each.id for each in left}
    pids = [int(one.pid.read_text()) for one, about in folder.machines() if about.id in mine and one.pid.exists()]
    assert pids or seen not in ("pid", "qmp")
    stack.remove()
    assert stack.mine() == []
    assert not [pid for pid in pids if _runs(pid)]
    assert [_host_ports.allotted(each.id) for each in left] == [{}] * len(left)


def _there(state: str, name: str, file: str) -> bool:
    mine = [one for one, about in folder.machines() if about.labels["infratest.state"] == state and about.name == name]
    return bool(mine) and (mine[0].path / file).exists()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_answer_that_somebody_before_has_not_waited_for_is_no_answer_to_us(own_state: Path) -> None:
    about = record()
    one = begun(about)
    process.start(process.find(Deadline(60)), one, about, Deadline(60))
    try:
        for _ in range(20):
            with socket.socket(socket.AF_UNIX) as before:
                before.connect(str(one.qmp))
                before.sendall(b'{"execute":"qmp_capabilities"}{"execute":"query-version"}{"execute":"query-version"}')
            with monitor(one.qmp, "web", Deadline(10)) as asked:
                assert asked.status(Deadline(10)) == "running"
    finally:
        process.end(one, "web", Deadline(10))
