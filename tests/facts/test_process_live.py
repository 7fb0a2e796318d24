"""Processes as they really are: named by others or by themselves, without their first thread, there for us alone."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.facts.base import Answer
from infratest.hosts import Host
from infratest.outsiders import get
from tests.facts.both_ways import here, snippet
from tests.worlds.sshd import running_sshd, wait_until
from tests.worlds.tiny_container import running_container

PERL, SLEEP = shutil.which("perl"), shutil.which("sleep")
ROOT = Path(__file__).parents[2]
#: Number of the system call `exit`, which ends one thread.
EXIT = {"x86_64": 60, "aarch64": 93}[platform.machine()]


@contextlib.contextmanager
def started(*commands, **options):
    """Start programs that print a line when they are ready; end them."""
    with contextlib.ExitStack() as kept:
        pids = []
        for command in commands:
            one = kept.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, **options))
            kept.callback(one.kill)
            pids.append(one.pid)
            assert one.stdout.readline() == b"ready\n"
        yield pids


def titled(title):
    """A program that writes its own title, as perl's daemons do."""
    return [PERL, "-e", "$| = 1; $0 = shift; print qq(ready\\n); sleep 600", title]


def called(pid, looked):
    (one,) = [process for process in looked if process.pid == pid]
    return one


def both():
    return snippet("process", [()])[()], here("process", [()])[()]


def holds(name, looked, pids):
    """Whether one of these processes is called so; None where it cannot be told."""
    if any(one.pid in pids for one in looked.named(name)):
        return True
    return None if any(one.pid in pids for one in looked.perhaps(name)) else False


@pytest.mark.parametrize(
    "title, names, others",
    [
        ("/usr/sbin/postgrey --pidfile=/var/run/postgrey.pid", ["postgrey"], ["postgrey.pid", "sbin"]),
        ("ngcp-faxd --cfg-file /etc/ngcp/faxserver.conf", ["ngcp-faxd"], ["faxserver.conf", "ngcp"]),
        ("it-pool: worker 12 of /srv/x", ["it-pool"], ["x", "it-pool:", "it-poo"]),
        ("it-very-long-name-of-a-daemon: idle", ["it-very-long-name-of-a-daemon"], ["it-very-long-name-of-a-daemons"]),
        ("it-alone", ["it-alone"], ["perl"]),
        ("it-front: of /usr/bin/perl", ["it-front"], ["perl"]),
    ],
)
def test_a_title_is_no_path(title, names, others):
    with started(titled(title)) as pids:
        told, seen = both()
        assert called(pids[0], told) == called(pids[0], seen).changed(rss=called(pids[0], told).rss)
        for looked in (told, seen):
            assert [holds(name, looked, pids) for name in [*names, title]] == [True] * (len(names) + 1)
            assert [holds(name, looked, pids) for name in others] == [False] * len(others)


def test_a_name_of_more_than_15_bytes_is_the_whole_name(tmp_path):
    program, script = tmp_path / "it-modules-extra-long", tmp_path / "it-script-with-a-long-name"
    shutil.copy(SLEEP, program)
    script.write_text("#!/bin/sh -u\necho ready\nread -r line\n")
    script.chmod(0o755)
    with contextlib.ExitStack() as kept:
        children = [
            kept.enter_context(subprocess.Popen([program, "600"])),
            kept.enter_context(subprocess.Popen(["worker 1", "600"], executable=program)),
            kept.enter_context(subprocess.Popen([script, "x"], stdin=subprocess.PIPE)),
        ]
        for child in children:
            kept.callback(child.kill)
        pids = [child.pid for child in children]
        wait_until(lambda: all(Path(f"/proc/{pid}/comm").read_text()[:3] == "it-" for pid in pids))
        for looked in both():
            for pid in pids[:2]:
                assert called(pid, looked).name == "it-modules-extr"
                assert holds("it-modules-extra-long", looked, [pid]) is True
                assert holds("it-modules-extra-long2", looked, [pid]) is False
                assert holds("it-modules-extra", looked, [pid]) is False
            assert holds(script.name, looked, pids) is True
            assert holds(script.name + "r", looked, pids) is False
        program.unlink()  # replaced by a new version, as packages do
        for looked in both():
            assert holds("it-modules-extra-long", looked, pids[1:2]) is True


def test_a_name_of_which_only_15_bytes_are_known_is_told_to_be_so():
    rename = (
        "import ctypes, time; ctypes.CDLL(None).prctl(15, b'it-renamed-thread'); print('ready', flush=True); "
        "time.sleep(600)"
    )
    with started([sys.executable, "-c", rename]) as pids:
        for looked in both():
            assert holds("it-renamed-thre", looked, pids) is True
            assert holds("it-renamed-thread", looked, pids) is None
            assert holds("it-renamed-threads", looked, pids) is None
            assert holds("it-renamed", looked, pids) is False


#: Its first thread ends, another one goes on.
WITHOUT_ITS_FIRST_THREAD = (
    "import ctypes, threading, time\n"
    "threading.Thread(target=lambda: time.sleep(600)).start()\n"
    "print('ready', flush=True)\n"
    f"ctypes.CDLL(None).syscall({EXIT}, 0)\n"
)


def test_every_shell_tells_the_same(look, tmp_path):
    program = tmp_path / "it-modules-extra-long"
    shutil.copy(SLEEP, program)
    with (
        started(
            titled("it-very-long-name-of-a-daemon: idle"), [sys.executable, "-c", WITHOUT_ITS_FIRST_THREAD]
        ) as pids,
        subprocess.Popen(["worker 1", "600"], executable=program) as child,
    ):
        try:
            wait_until(lambda: "\nState:\tZ" in Path(f"/proc/{pids[1]}/status").read_text())
            wait_until(lambda: Path(f"/proc/{child.pid}/comm").read_text() == "it-modules-extr\n")
            told, seen = look("process", ())[()], here("process", [()])[()]
        finally:
            child.kill()
    for pid in (*pids, child.pid):
        assert called(pid, told).changed(rss=0) == called(pid, seen).changed(rss=0)
    assert called(child.pid, told).names == ("it-modules-extr", "worker", "worker 1", "it-modules-extra-long")
    assert os.getpid() not in {one.pid for one in told}


def test_a_process_whose_first_thread_has_ended_runs():
    with started([sys.executable, "-c", WITHOUT_ITS_FIRST_THREAD], ["sh", "-c", "echo ready; sleep 600"]) as (
        pid,
        other,
    ):
        wait_until(lambda: "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text())
        for looked in both():
            one = called(pid, looked)
            assert (one.state, one.program) == ("S", sys.executable)
            assert 2**20 < one.rss < 2**30
            assert holds(Path(sys.executable).name, looked, [pid]) is True
            assert holds("sh", looked, [other]) is True
    assert here("process", [()])[()].named("nosuch") == []


def test_we_are_no_process_of_this_machine_but_what_a_test_has_started_is():
    with started(["sh", "-c", "echo ready; sleep 600"]) as (pid,):
        for looked in both():
            assert os.getpid() not in {one.pid for one in looked}
            assert called(pid, looked).parent == os.getpid()


ABOVE = """
import os
from pathlib import Path
from tests.facts.both_ways import here, snippet
above, pid = [], os.getpid()
while pid != int(os.environ["TESTS"]):
    above.append(pid)
    pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
child = os.fork()
if not child:
    os.read(os.pipe()[0], 1)
for looked in (here("process", [()])[()], snippet("process", [()])[()]):
    pids = {one.pid for one in looked}
    print(*[pid in pids for pid in above], pid in pids, child in pids)
os.kill(child, 9)
os.waitpid(child, 0)
"""


@pytest.mark.parametrize(
    "front, counts",
    [
        (["sh", "-c", '"$@"; exit $?', "sh"], [False, False]),
        (["timeout", "60"], [False, False]),
        (["timeout", "60", "bash", "-lc", '"$@"; exit $?', "bash"], [False, False, False]),
        (["sh", "SCRIPT"], [False, True]),  # a script of the user's is there for more than this question
        (["timeout", "60", "sh", "SCRIPT"], [False, True, True]),
    ],
)
def test_what_stands_above_us_for_the_question_alone_does_not_count(front, counts, tmp_path):
    script = tmp_path / "all-checks"
    script.write_text('"$@"; exit $?\n')
    done = subprocess.run(
        [*(word.replace("SCRIPT", str(script)) for word in front), sys.executable, "-c", ABOVE],
        capture_output=True, text=True, timeout=60, cwd=ROOT, env=os.environ | {"TESTS": str(os.getpid())},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # The test, which has started all that, is a process as any other; a copy of ourselves is none.
    assert done.stdout.splitlines() == [" ".join(map(str, [*counts, True, False]))] * 2


def test_a_container_is_not_seen_to_be_asked():
    fact = get("fact", "process")()
    with running_container() as name:
        transport = get("transport", "container")(Host(name=name, transport="container"))
        transport.open(Deadline(60))
        result = transport.run_script(fact.ask([()]).encode(), Deadline(60))
        transport.close()
    looked = fact.read(Answer(result.exit, result.stdout.decode(), result.stderr.decode()), [()])[()]
    assert [one.names[-1] for one in looked][-1:] == ["sleep"]
    assert len(looked) == 2  # the engine's init and what it has started


@pytest.mark.parametrize("client", ["ssh", "openssh"])
def test_our_own_login_is_no_process_of_the_host(client, tmp_path):
    fact = get("fact", "process")()
    with running_sshd(tmp_path / "sshd") as server:
        options = server.options()
        transport = get("transport", client)(Host(name="one", transport=client, options=options))
        transport.open(Deadline(30))
        try:
            result = transport.run_script(fact.ask([()]).encode(), Deadline(30))
            family = {server.process.pid, *server.sessions()}
        finally:
            transport.close()
        assert result.exit == 0, result.stderr
        looked = fact.read(Answer(result.exit, result.stdout.decode(), result.stderr.decode()), [()])[()]
        assert len(family) > 1
        assert {one.pid for one in looked} & family == {server.process.pid}
        assert server.process.pid in {one.pid for one in looked.named("sshd")}
