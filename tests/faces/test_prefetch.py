"""What a user's own tests asked last time is asked ahead, in one trip: counts, what is never asked, what cannot be.

Each project's tests run more than once, in sessions of pytest of their own, over a real sshd.
"""

from __future__ import annotations

import pytest

from tests.faces.far_project import stack
from tests.worlds.small_project import write
from tests.worlds.turns import counting

READS = """
import pytest

@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/group", "/etc/nothing"])
def test_exists(host, path):
    assert host.file(path).exists

def test_mode(host): assert host.file("/etc/passwd").mode == 0o644
def test_contains(host): assert host.file("/etc/passwd").contains("^root:")
def test_package(host): assert host.package("no-such-package").is_installed
def test_user(host): assert host.user("root").uid == 0
def test_group(host): assert host.group("no-such-group").exists
def test_process(host): assert host.process.filter(comm="sshd")
def test_socket(host): assert not host.socket("tcp://127.0.0.1:1").is_listening
def test_mount(host): assert host.mount_point("/proc").filesystem == "proc"
def test_sysctl(host): assert host.sysctl("kernel.ostype") == "Linux"
def test_links(host): assert "passwd" in host.file("/etc").listdir()
def test_system(host): assert host.system_info.type == "linux"
def test_again(host): assert host.file("/etc/passwd").mode == 0o644
"""
VERDICTS = {
    "test_exists": "FAILED", "test_mode": "PASSED", "test_contains": "PASSED", "test_package": "FAILED",
    "test_user": "PASSED", "test_group": "FAILED", "test_process": "PASSED", "test_socket": "PASSED",
    "test_mount": "PASSED", "test_sysctl": "PASSED", "test_links": "PASSED", "test_system": "PASSED",
    "test_again": "PASSED",
}  # fmt: skip


def test_the_second_run_asks_everything_in_one_trip(project):
    project.tests(READS)
    first, second = project.session(), project.session()
    for ran in (first, second):
        assert ran.outcomes == VERDICTS, ran.said
        assert "3 failed, 12 passed" in ran.said
    # Fourteen reads (the system is known by then), and what testinfra asks to know the host: uname twice, os-release,
    # `command -v` of itself, of ss and of sysctl, and four times whether ps is busybox's.
    assert first.cost == (1, 24, 24)
    assert first.commands == 24
    assert second.cost == (1, 1, 1)
    assert second.commands == 1
    assert project.record.stat().st_mode & 0o777 == 0o600
    assert project.record.parent.stat().st_mode & 0o777 == 0o700


def test_on_the_wire_many_questions_are_as_many_turns_as_one(project):
    counts = []
    for source in ("def test_one(host): assert host.user('root').exists\n", READS):
        with counting(project.server.port) as turns:
            project.tests(source, **{"stack.yaml": stack(project.server, turns.port)})
            project.session()
            many = turns.answered
            assert project.session().commands == 1
            assert turns.connections == 2
            counts.append(turns.answered)
    # The answers may come in pieces, and the pieces be acknowledged; the questions went at once.
    assert counts[1] <= counts[0] + 3 < many - 10


@pytest.mark.parametrize("off", ["option", "environment", "ini"])
def test_switched_off(project, off):
    project.tests("def test_a(host): assert host.user('root').exists and host.user('root').uid == 0\n")
    project.session()
    kept = project.record.read_bytes()
    if off == "ini":
        write(project.folder, {"pytest.ini": "[pytest]\ninfratest_prefetch = false\n"})
    variables = {"INFRATEST_NO_PREFETCH": "1"} if off == "environment" else {}
    ran = project.session(*(["--no-prefetch"] if off == "option" else []), **variables)
    assert (ran.outcomes, ran.commands) == ({"test_a": "PASSED"}, 5)
    assert project.record.read_bytes() == kept
    project.record.unlink()
    project.session(*(["--no-prefetch"] if off == "option" else []), **variables)
    assert not project.record.exists()


def test_a_deselected_tests_command_never_runs(spied):
    project, commands = spied
    source = """
def test_one(host): assert host.file("/etc/one").exists
def test_two(host): assert host.file("/etc/passwd").exists
"""
    project.tests(source)
    project.session()
    assert "/etc/one" in commands()
    project.session("-k", "test_two")
    ran = commands()
    assert "/etc/one" not in ran
    assert "/etc/passwd" in ran
    assert project.session().outcomes == {"test_one": "FAILED", "test_two": "PASSED"}
    assert "/etc/one" in commands()


def test_a_test_that_is_marked_not_to_run_is_not_fetched_for(spied):
    project, commands = spied
    source = """
import pytest
def test_one(host): assert host.file("/etc/passwd").exists
{}
def test_two(host): assert host.file("/etc/two").exists
{}
def test_three(host): assert host.file("/etc/three").exists
"""
    project.tests(source.format("", ""))
    project.session()
    ran = commands()
    assert "/etc/two" in ran
    assert "/etc/three" in ran
    project.tests(source.format("@pytest.mark.skipif('True', reason='x')", "@pytest.mark.xfail(run=False)"))
    project.session()
    ran = commands()
    assert "/etc/passwd" in ran
    assert "/etc/two" not in ran
    assert "/etc/three" not in ran


def test_workers(project):
    """Each worker knows its own test and the next one: fewer trips, the same verdicts."""
    project.tests(READS)
    first = project.session("-n", "2")
    second = project.session("-n", "2")
    assert first.outcomes == second.outcomes == VERDICTS, second.said
    assert (first.logins, second.logins) == (2, 2)
    # Both workers get to know the host by themselves; the first that asks is fetched for, with the one after it.
    assert second.commands < first.commands


def test_a_free_text_is_fetched_for_and_not_kept(project):
    source = """
import os, pytest
def test_literal(host): assert host.file("/etc/passwd").contains("literal-hunter2") is False
@pytest.mark.parametrize("text", ["it's a parameter-hunter2"])
def test_parameter(host, text): assert host.file("/etc/passwd").contains(text) is False
def test_elsewhere(host): assert host.file("/etc/passwd").contains(os.environ["TEXT"]) is False
"""
    project.tests(source)
    for commands in (6, 2):  # the last text is known nowhere before it is asked for
        ran = project.session(TEXT="variable-hunter2")
        assert set(ran.outcomes.values()) == {"PASSED"}, ran.said
        assert ran.commands == commands
    assert "grep -qs" in project.record.read_text()
    for path in (project.folder / ".infratest").rglob("*"):
        assert path.is_dir() or "hunter2" not in path.read_text()


# What cannot be believed


def test_a_command_that_hangs_costs_its_own_answer_alone(tmp_path, project, start):
    """It hangs once: in the trip. The test asks again, and is answered."""
    programs, flag = tmp_path / "programs", tmp_path / "hang"
    programs.mkdir()
    (programs / "getent").write_text(
        f'#!/bin/sh\nif rm {flag} 2>/dev/null; then sleep 600; fi\nexec /usr/bin/getent "$@"\n'
    )
    (programs / "getent").chmod(0o755)
    project.server = start(SetEnv=f"PATH={programs}:/usr/sbin:/usr/bin:/sbin:/bin")
    source = """
def test_before(host): assert host.user("root").uid == 0
def test_hangs(host): assert host.group("root").gid == 0
def test_after(host): assert host.file("/etc/passwd").mode == 0o644
"""
    project.tests(source, **{"stack.yaml": stack(project.server)})
    passed = {"test_before": "PASSED", "test_hangs": "PASSED", "test_after": "PASSED"}
    assert project.session().outcomes == passed
    flag.touch()
    ran = project.session()
    assert (ran.outcomes, ran.commands, ran.logins) == (passed, 2, 1), ran.said
    assert not flag.exists()
    # It is not asked ahead at once again, but when it has been seen to answer.
    assert project.session().commands == 2
    assert project.session().commands == 1


def test_an_answer_that_is_cut_off_is_asked_live(tmp_path, project, start):
    """The connection breaks in the middle of the trip's answers: what came whole counts, the rest is asked anew."""
    spy = tmp_path / "spy"
    spy.write_text(
        '#!/bin/sh\ncase $SSH_ORIGINAL_COMMAND in\n*INFRATEST_SCRIPT*) sh -c "$SSH_ORIGINAL_COMMAND" | head -c 300; '
        'kill -9 $PPID ;;\n*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;\nesac\n'
    )
    spy.chmod(0o755)
    project.server = start(ForceCommand=str(spy))
    project.tests(READS, **{"stack.yaml": stack(project.server)})
    assert project.session().outcomes == VERDICTS
    ran = project.session()
    assert ran.outcomes == VERDICTS, ran.said
    assert ran.logins == 2
    assert 2 < ran.commands <= 25


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"versions": [0, "0", "0"], "tests": {}}', "\0"])
def test_a_record_that_is_no_good(project, broken):
    project.tests("def test_a(host): assert host.user('root').exists and host.user('root').uid == 0\n")
    project.session()
    project.record.write_text(broken)
    ran = project.session()
    assert (ran.outcomes, ran.commands) == ({"test_a": "PASSED"}, 5), ran.said
    assert project.session().commands == 1


def test_an_answer_is_what_it_would_have_been_alone(tmp_path, project, start):
    """In the login's own PATH and locale, with every byte; what is no text is asked live, and raises."""
    folder = tmp_path / "names"
    folder.mkdir()
    for name in ("é", "b", "a  b"):
        (folder / name).touch()
    (folder / "link").symlink_to(b"/\xff")
    project.server = start(SetEnv="PATH=/usr/bin:/bin LC_ALL=C.UTF-8")
    source = f"""
import pytest
def test_path(host): assert not host.exists("sshd")
def test_names(host): assert sorted(host.file("{folder}").listdir()) == ["a  b", "b", "link", "é"]
def test_bytes(host):
    with pytest.raises(UnicodeDecodeError): host.file("{folder}/link").linked_to
def test_error(host):
    try: host.file("{folder}/nothing").mode
    except AssertionError as error: assert "stat: cannot stat" in str(error) or "stat: can't stat" in str(error)
"""
    project.tests(source, **{"stack.yaml": stack(project.server)})
    first, second = project.session(), project.session()
    assert set(first.outcomes.values()) == {"PASSED"}, first.said
    assert second.outcomes == first.outcomes, second.said
    assert second.commands == 2
