"""What changes a host is never asked ahead, and nothing that was fetched before it is believed after it.

Learned is what tests read when they do not act; then they act, each in another way, and must see it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from infratest.testing.waiting import wait_until
from tests.faces.far_project import Project, stack

#: How a test may change a host: each makes a file, with `path` for its place. The last ones leave a way open.
ACTS = {
    "run": 'host.run("touch %s", path)',
    "check_output": 'host.check_output("touch %s", path)',
    "run_test": 'host.run_test("touch %s", path)',
    "run_expect": 'host.run_expect([0], "touch %s", path)',
    "module": 'host.file(path).run("touch %s", path)',
    "module_class": 'host.user.check_output("touch %s", path)',
    "command": 'host.command("touch %s", path)',
    "backend": 'host.backend.run("touch %s", path)',
    "sudo": 'with host.sudo(): host.run("touch %s", path)',
    "named_program": "host.pip(path, pip_path='{folder}/touches').is_installed",
    "unquoted_name": 'host.addr("localhost; touch " + path).ip_addresses',
    "defined_here": "assert Mine.get_module(host)(path).exists",
    "process": 'subprocess.run(["touch", path], check=True)',
    "file": 'open(path, "w").close()',
    "connection": "http.client.HTTPConnection('127.0.0.1', {port}).request('GET', path); seen(path)",
    "connection_kept": "kept.sendall(b'GET %s HTTP/1.1\\r\\n\\r\\n' % path.encode()); seen(path)",
    "other_backend": 'testinfra.get_host("local://").run("touch %s", path)',
}
HEAD = """
import http.client, os, pytest, socket, subprocess, time, testinfra
from testinfra.modules.base import Module

ACTS = "ACTS" in os.environ

class Mine(Module):
    def __init__(self, path): self.path = path
    @property
    def exists(self): return self.run_test("touch %s", self.path).rc == 0

def seen(path):
    while not os.path.exists(path): time.sleep(0.01)

@pytest.fixture(scope="module")
def kept():
    with socket.create_connection(("127.0.0.1", {port})) as kept: yield kept
"""
TEST = """
def test_{name}(host{fixture}):
    path = "{folder}/{name}"
    assert not host.file(path).exists
    if ACTS:
        {act}
    assert host.file(path).is_file is ACTS

def test_{name}_after(host{fixture}):
    assert host.file("{folder}/{name}").is_file is ACTS
"""
#: Makes the files that it is asked for, in a process of its own: that of pytest sees nothing of it.
SERVICE = """
import http.server, pathlib
class Touch(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        pathlib.Path(self.path).touch()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Touch)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextmanager
def service() -> Iterator[int]:
    """Start the service; yield its port."""
    command = [sys.executable, "-c", SERVICE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def test_what_a_test_changes_it_sees(project):
    """What it read when it did not act is held when it does: it must be dropped, for that test and for the next."""
    names = list(ACTS)
    with service() as port:
        source = HEAD.format(port=port)
        for name, act in ACTS.items():
            fixture = ", kept" if name == "connection_kept" else ""
            words = act.format(folder=project.folder, port=port)
            source += TEST.format(name=name, folder=project.folder, act=words, fixture=fixture)
        project.tests(source, touches='#!/bin/sh\ntouch "$2"\n')
        (project.folder / "touches").chmod(0o755)
        first = project.session()
        assert set(first.outcomes.values()) == {"PASSED"}, first.said
        for _ in range(2):
            acted = project.session(ACTS="1")
            assert {name for name, outcome in acted.outcomes.items() if outcome != "PASSED"} == set(), acted.said
            assert len(acted.outcomes) == 2 * len(names)
            for name in names:
                (project.folder / name).unlink()
    kept = project.record.read_text()
    assert "test -f" in kept
    assert "touch" not in kept


def test_exists_touch_exists(project):
    """As a user writes it: false, then true, on every run; what is read before the act is asked ahead each time."""
    path = project.folder / "touched"
    source = f"""
def test_touch(host):
    assert not host.file("{path}").exists
    host.run("touch {path}")
    assert host.file("{path}").exists

def test_remove(host):
    assert host.file("{path}").exists
    host.run("rm {path}")
    assert not host.file("{path}").exists
"""
    project.tests(source)
    for commands in (9, 6, 6):  # uname twice, os-release and six; then the trip, the act and a read, twice
        ran = project.session()
        assert ran.outcomes == {"test_touch": "PASSED", "test_remove": "PASSED"}, ran.said
        assert ran.cost == (1, commands, commands)
        assert ran.commands == commands


def test_a_loop_that_waits_sees_what_it_waits_for(project):
    """The file is there on the first run; on the second it comes after it was fetched as absent."""
    path = project.folder / "ready"
    source = f"""
import time
def test_wait(host):
    for _ in range(3000):
        if host.file("{path}").exists: return
        time.sleep(0.01)
    raise AssertionError("it never came")
"""
    path.touch()
    project.tests(source)
    assert project.session().outcomes == {"test_wait": "PASSED"}
    path.unlink()
    known = started(project)
    comes = threading.Thread(target=lambda: (wait_until(lambda: started(project) >= known + 3, 60), path.touch()))
    comes.start()
    ran = project.session()
    comes.join()
    assert ran.outcomes == {"test_wait": "PASSED"}, ran.said
    assert ran.commands >= 3


def started(project: Project) -> int:
    return project.server.log.read_text("utf-8", "replace").count("Starting session")


def test_what_moves_by_itself_has_moved(project):
    source = """
def test_moves(host):
    uuid = host.file("/proc/sys/kernel/random/uuid")
    seen = [uuid.md5sum for _ in range(3)]
    assert len(set(seen)) == 3
"""
    project.tests(source)
    assert project.session().outcomes == {"test_moves": "PASSED"}
    ran = project.session()
    assert (ran.outcomes, ran.commands) == ({"test_moves": "PASSED"}, 3), ran.said


def test_a_test_that_lets_time_go_by_is_told_what_is_so_then(project):
    """It waits for what it cannot see over `host`; all that was fetched is older than its waiting."""
    path = project.folder / "late"
    source = f"""
import os, time
def test_before(host): assert host.file("/etc/passwd").exists
def test_waits(host):
    end = time.monotonic() + 1.5
    while time.monotonic() < end or not os.path.exists("{path}"): time.sleep(0.01)
    assert host.file("{path}").exists
"""
    path.touch()
    project.tests(source)
    assert set(project.session().outcomes.values()) == {"PASSED"}
    path.unlink()
    known = started(project)
    comes = threading.Thread(target=lambda: (wait_until(lambda: started(project) > known, 60), path.touch()))
    comes.start()
    ran = project.session()
    comes.join()
    assert set(ran.outcomes.values()) == {"PASSED"}, ran.said


def test_features_in_the_same_session(project):
    """A sentence's command is the user's word that it only looks; nothing is built on that."""
    path = project.folder / "made"
    feature = f'Feature: f\n  Scenario: looks\n    Then the command "touch {path}" exits 0\n'
    # By `stack`, for tests that pytest makes one of for each host come before all others.
    last = f'import os\ndef test_c(stack): assert stack["far"].file("{path}").exists is ("MADE" in os.environ)\n'
    project.tests(
        'def test_a(stack): assert stack["far"].file("/etc/passwd").exists\n',
        **{"test_b.feature": feature, "test_c.py": last},
    )
    assert set(project.session("test_a.py", "test_c.py").outcomes.values()) == {"PASSED"}
    ran = project.session(MADE="1")
    assert ran.outcomes == {"test_a": "PASSED", "looks": "PASSED", "test_c": "PASSED"}, ran.said


def test_another_worker_acts(project):
    """One worker holds what it fetched for its next test; the other changes it before that test begins."""
    path, log = project.folder / "shared", project.server.log
    project.tests(
        f"""
import os, time
def test_holds(host):
    assert host.file("/etc/passwd").exists
    while "ACTS" in os.environ and not os.path.exists("{path}"): time.sleep(0.01)
def test_held(host): assert host.file("{path}").is_file is ("ACTS" in os.environ)
""",
        **{
            "test_b.py": f"""
import os, time
def test_acts(host):
    known = int(os.environ.get("ACTS", 0))
    while known and open("{log}").read().count("Starting session") <= known: time.sleep(0.01)
    if known: host.run("touch {path}")
"""
        },
    )
    assert set(project.session().outcomes.values()) == {"PASSED"}
    ran = project.session("-n", "2", "--dist", "loadfile", ACTS=str(started(project)))
    assert set(ran.outcomes.values()) == {"PASSED"}, ran.said


# sudo


def test_another_user(project):
    """`host.sudo()` is that user's view, on a host that is asked as root by sudo too."""
    source = """
def test_user(host):
    with host.sudo("nobody"):
        assert host.user().name == "nobody"
        assert host.check_output("id -un") == "nobody"
    assert host.user().name == "root"
def test_reads(host):
    with host.sudo("nobody"):
        assert not host.file("/root/.").is_executable
    assert host.file("/root/.").is_executable
"""
    project.tests(source, **{"stack.yaml": stack(project.server, more=", sudo: true")})
    for _ in range(2):
        ran = project.session()
        assert ran.outcomes == {"test_user": "PASSED", "test_reads": "PASSED"}, ran.said
