"""The machine that infratest runs on: a full disk, what cannot be written, two runs at once, bad streams."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.installed import OK_FEATURE, Place, one_monitoring_line, program
from tests.worlds.wheel import NOBODY
from tests.worlds.wheel import installed as installed_wheel

FAKE = """\
stack: shop
provider: {name: fake, world: world, transport: {otherwise: run}}
hosts:
  web: {count: 2, groups: [web]}
"""
ACTING = (
    'Feature: a\n  Scenario: b\n    When the command "touch acted" is run\n    Then the file "/etc/passwd" exists\n'
)
PAGE = 4096
FULL = "No space left on device"


@pytest.fixture
def mounted() -> Iterator[Callable[..., Path]]:
    """Mounts small file systems in memory, as root."""
    assert os.getuid() == 0, "this test mounts a small file system: run it as root"
    folders: list[Path] = []

    def mount(folder: Path, options: str) -> Path:
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
        folders.append(folder)
        return folder

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path, free: int) -> None:
    """Fill a file system up to so many free pages."""
    room = os.statvfs(folder)
    (folder / "filler").write_bytes(b"x" * ((room.f_bavail - free) * room.f_bsize))


@pytest.mark.parametrize("free", [0, 1, 2, 3, 4, 6])
def test_up_with_a_disk_that_is_full_or_becomes_so(place: Place, mounted: Callable[..., Path], free: int) -> None:
    """Wherever the disk fills up, what was made is removed again."""
    place.write({"stack.yaml": FAKE})
    fill(mounted(place.root / "disk", f"size={16 * PAGE},mode=700"), free)
    state = place.root / "disk" / "state"
    done = place.run(f"infratest up --state {state}")
    world = list((place.folder / "world").glob("*.json"))
    if done.status == 0:
        assert free > 2  # the lock, the id and the journal; an event that finds no room is let go
        assert len(world) == 3
        return
    assert (done.status, done.out) == (1, "")
    assert f"{state}" in done.err
    assert f"{FULL}; name another with --state" in done.err
    wait_until(lambda: not place.processes())
    if world:  # the disk filled up when all was made: the journal knows it, and destroy needs no more than room
        assert len(world) == 3
        (place.root / "disk" / "filler").unlink()
        assert place.run(f"infratest destroy --state {state}").status == 0
    assert list((place.folder / "world").glob("*.json")) == []


def test_a_run_with_a_full_disk(place: Place, mounted: Callable[..., Path]) -> None:
    fill(mounted(place.root / "disk", f"size={16 * PAGE},mode=700"), 0)
    place.variables["INFRATEST_STATE"] = str(place.root / "disk" / "state")
    before = place.files()

    check = place.run("check_infratest ok.feature")  # the answer is right without its history
    assert check.status == 0
    one_monitoring_line(check, "OK")
    assert place.run("infratest test ok.feature").status == 0

    place.write({"ok.feature": ACTING})
    act = place.run("infratest test ok.feature")  # an act is not begun without its lock
    assert act.status == 3
    assert FULL in act.out
    assert not (place.folder / "acted").exists()
    place.write({"ok.feature": OK_FEATURE})

    written = place.run(f"infratest test --format json:{place.root}/disk/report.json ok.feature")
    assert written.status == 3
    assert f"disk/report.json could not be written: {FULL}" in written.err
    left = sorted((place.root / "disk").rglob("*"))  # empty lock files at most, and no half-written report
    assert {path.stat().st_size for path in left if path.is_file() and path.name != "filler"} <= {0}
    shutil.rmtree(place.root / "disk" / "state")
    place.nothing_left(before)


@pytest.mark.parametrize("command, status", [("infratest test", 3), ("check_infratest", 3), ("infratest steps", 1)])
def test_standard_output_is_full(place: Place, command: str, status: int) -> None:
    with Path("/dev/full").open("wb") as full:
        done = place.run(f"{command} ok.feature" if status == 3 else command, stdout=full)
    assert done.status == status
    assert "Exception" not in done.err


def test_a_report_into_a_device_leaves_the_device(place: Place) -> None:
    kind = Path("/dev/full").stat().st_rdev
    done = place.run("infratest test --format json:/dev/full ok.feature")
    assert (done.status, "/dev/full could not be written" in done.err) == (3, True)
    assert (Path("/dev/full").is_char_device(), Path("/dev/full").stat().st_rdev) == (True, kind)
    assert not Path("/dev/.full.infratest").exists()

    link = place.folder / "link.json"
    link.symlink_to(place.folder / "report.json")
    assert place.run("infratest test --format json:link.json ok.feature").status == 0
    assert link.is_symlink()
    assert (place.folder / "report.json").read_text().startswith("{")


@pytest.mark.parametrize(
    "command, status",
    [("infratest up", 1), ("infratest test ok.feature", 0), ("check_infratest ok.feature", 0)],
)
def test_a_state_directory_on_a_read_only_disk(
    place: Place, mounted: Callable[..., Path], command: str, status: int
) -> None:
    place.write({"stack.yaml": FAKE} if status else {})
    disk = mounted(place.root / "disk", "ro")
    done = place.run(f"{command} --state {disk}/state")
    assert done.status == status
    if status:
        assert f"state directory: {disk}/state could not be made: Read-only file system" in done.err
        assert "--state" in done.err


def test_a_state_directory_that_others_could_write(place: Place) -> None:
    (place.folder / ".infratest").mkdir()
    (place.folder / ".infratest").chmod(0o777)
    before = place.files()
    done = place.run("infratest up")
    assert done.status == 1
    assert "others could write it" in done.err
    assert "chmod 700" in done.err
    assert place.run("check_infratest ok.feature").status == 0
    place.nothing_left(before)


@pytest.fixture
def public() -> Iterator[Place]:
    """A place that an unprivileged user can read and not write."""
    root = Path(tempfile.mkdtemp(prefix="infratest-faults-"))
    root.chmod(0o755)
    yield Place(root / "place")
    shutil.rmtree(root)


@pytest.mark.parametrize("home", ["none", "missing", "unreadable"])
def test_an_unprivileged_user_without_a_home(public: Place, home: str) -> None:
    assert os.getuid() == 0, "this test runs a program as another user: run it as root"
    public.home.chmod(0o700)
    environment = {"PATH": "/usr/bin:/bin"}
    environment |= {} if home == "none" else {"HOME": "/nonexistent" if home == "missing" else str(public.home)}
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "env": environment}
    before = public.files()

    check = public.ended(
        public.start("check_infratest ok.feature", executable=wheel_program("check_infratest"), **as_nobody)
    )
    assert check.status == 0, check
    one_monitoring_line(check, "OK")

    public.write({"stack.yaml": FAKE})
    up = public.ended(public.start("infratest up", executable=wheel_program("infratest"), **as_nobody))
    assert (up.status, up.out) == (1, "")
    assert "state directory: /var/lib/infratest/shop could not be made: Permission denied" in up.err
    assert "--state" in up.err
    public.write({"stack.yaml": None})
    assert {name for name in public.files() if name not in before} == set()


def wheel_program(name: str) -> str:
    return str(installed_wheel() / name)


HANGING = FAKE.replace("world: world", "world: world, hang: [create web-1]")


def test_up_while_up(place: Place) -> None:
    place.write({"stack.yaml": HANGING})
    first = place.start("infratest up")
    wait_until(lambda: list((place.folder / "world").glob("network-*.json")), 60)
    second = place.run("infratest up")
    assert (second.status, second.out) == (1, "")
    assert f"is in use by process {first.pid} (up of shop): wait for it to end" in second.err
    first.send_signal(signal.SIGINT)
    assert place.ended(first).status == 130
    assert list((place.folder / "world").glob("*.json")) == []


def parent(pid: int) -> int:
    """Return a process's parent: field 4 of proc(5), stat."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_an_act_while_another_run_acts(place: Place) -> None:
    slow = ACTING.replace("touch acted", f"touch {place.folder}/going; sleep 300")
    place.write({"slow.feature": slow, "act.feature": ACTING})
    first = place.start("infratest test slow.feature")
    wait_until(lambda: (place.folder / "going").exists())

    second = place.run("infratest test act.feature")
    assert second.status == 3
    holder = re.search(r"in use by process (\d+) \(an acting scenario\)", second.out)
    assert holder, second.out
    assert parent(int(holder[1])) == first.pid  # the run has a process of its own
    assert not (place.folder / "acted").exists()

    check = place.run("check_infratest ok.feature")  # one that only looks goes on beside it
    assert check.status == 0
    first.send_signal(signal.SIGINT)
    assert place.ended(first).status == 130
    wait_until(lambda: not place.processes())


@pytest.mark.parametrize("command", ["infratest test ok.feature", "check_infratest ok.feature"])
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_no_status(place: Place, command: str, closed: str) -> None:
    words = shlex.split(command)
    before = place.files()
    for _ in range(2):  # the second check has a kept plan
        shell = subprocess.run(
            ["sh", "-c", f'"$@" {closed}', "sh", program(words[0]), *words[1:]], cwd=place.folder, capture_output=True
        )
        assert shell.returncode == 0
        assert b"Traceback" not in shell.stdout + shell.stderr
    place.nothing_left(before)


@pytest.mark.parametrize("command", ["infratest test ok.feature", "check_infratest -v ok.feature", "infratest steps"])
def test_a_reader_that_has_gone(place: Place, command: str) -> None:
    """As `| head -1`: nothing is said of it, and a run's status is that of what was seen."""
    for _ in range(2):  # the second check has a kept plan
        read, write = os.pipe()
        os.close(read)
        done = place.ended(place.start(command, stdout=write))
        os.close(write)
        assert done.err == ""
        assert done.status == (1 if command == "infratest steps" else 0)
