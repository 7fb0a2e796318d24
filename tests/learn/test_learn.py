"""`infratest learn` and `drift` on a machine with an init system, accounts and listeners of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.inits import KINDS, running

OBJECTS = r"""
ip link set lo up
echo 0 >/proc/sys/net/ipv4/ip_forward
ln -s /proc/self/fd /dev/fd
printf 'learnt:x:4711:4712:what he likes:/srv/learnt:/bin/false\nodd "na\\me:x:4713:4712::/srv:/bin/sh\n' >>/etc/passwd
printf 'learnt:x:4712:\nbuilders:x:4714:learnt\n' >>/etc/group
echo 'learnt:$y$j9T$secret$secrethash:19000:0:99999:7:::' >>/etc/shadow
cp /bin/sleep /usr/bin/works
sed -i 's|/bin/sleep|/usr/bin/works|' /etc/init.d/works
find /etc/init.d -mindepth 1 ! -name works ! -name idle ! -name killed ! -name mute -delete
cat >/etc/init.d/fickle <<'END'
#!/bin/sh
if [ -e /run/asked ]; then echo 'usage: start'; exit 1; fi
: >/run/asked
END
chmod +x /etc/init.d/fickle
"""
SERVERS = ("8201 127.0.0.1", "45001 127.0.0.1", "8202 0.0.0.0")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """What runs words of ours on the machine, this host being it."""
    init = KINDS["SysV init"]
    with running(init._replace(setup=init.setup + OBJECTS), tmp_path_factory.mktemp("machine")) as words:
        serve = "import socket, sys, time; s = socket.create_server((sys.argv[2], int(sys.argv[1]))); time.sleep(600)"
        servers = [
            subprocess.Popen([*words, "python3", "-c", serve, *server.split()], stderr=subprocess.DEVNULL)
            for server in SERVERS
        ]
        try:
            ready = "test -e /run/works.pid && [ $(ss -Hlnt | grep -Ec ':(8201|8202|45001) ') = 3 ]"
            assert wait_until(lambda: subprocess.run([*words, "sh", "-c", ready], check=False).returncode == 0)

            def run(*command: str) -> subprocess.CompletedProcess[str]:
                kept = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_")}
                place = [*words, "env", "-C", "/srv", *command]
                return subprocess.run(place, capture_output=True, text=True, check=False, env=kept, timeout=90)

            yield run
        finally:
            for server in servers:
                server.kill()
                server.wait()


@pytest.fixture(scope="module")
def learning(machine):
    """How learning from the machine ended, of whose services two cannot be learned."""
    subjects = "services,ports,users,groups,sysctls,files"
    done = machine(sys.executable, "-m", "infratest", "learn", "local", "--only", subjects)
    kept = machine("sh", "-c", 'printf %s "$1" >/srv/was.feature', "sh", done.stdout)
    assert kept.returncode == 0, kept.stderr
    return done


@pytest.fixture(scope="module")
def learned(learning):
    return learning.stdout


def test_what_is_there_is_learned(learned):
    for sentence in (
        'the service "works" is running', 'the service "works" is enabled', 'port 8201 is listening at "127.0.0.1"',
        "port 8202 is listening", 'the user "learnt" has uid 4711', 'the user "learnt" has the home "/srv/learnt"',
        'the user "learnt" has the shell "/bin/false"', r'the user "odd \"na\me" has uid 4713',
        'the group "learnt" has gid 4712', 'the group "learnt" has exactly the members ""',
        'the group "builders" has exactly the members "learnt"', 'the sysctl "net.ipv4.ip_forward" is "0"',
        'the file "/etc/shadow" has mode "0640"', 'the file "/etc/passwd" is owned by "root"',
    ):  # fmt: skip
        assert f" {sentence}\n" in learned, sentence


def test_a_service_of_which_it_is_not_known_whether_it_runs_is_told_and_not_left_out_silently(learning):
    assert learning.returncode == 1, learning.stderr
    lines = learning.stderr.splitlines()
    unknown = [line for line in lines if line.startswith("not known: ")]
    assert any("mute" in line and "its script has no status" in line for line in unknown), lines
    # Its script says that it runs when it is asked first, and then nothing.
    assert any("fickle" in line for line in unknown), lines
    assert "fickle" not in learning.stdout
    assert not any(line.startswith("left out") for line in lines), lines


def test_what_changes_by_itself_and_what_is_secret_is_not(learned):
    for words in ("45001", "secret", "what he likes", "pid", "package"):
        assert words not in learned


def test_it_is_sorted_and_grouped(learned):
    scenarios = [line.partition("Scenario: ")[2] for line in learned.splitlines() if "Scenario: " in line]
    assert scenarios == ["services", "ports", "users", "groups", "sysctls", "files"]
    groups = [line.split('"')[1] for line in learned.splitlines() if "has gid" in line]
    assert groups == sorted(groups)


def test_it_is_green_straight_back_and_nothing_has_drifted(machine, learned):
    lint = machine(sys.executable, "-m", "infratest", "lint", "was.feature")
    assert lint.returncode == 0, lint.stdout
    done = machine(sys.executable, "-m", "infratest", "check", "--host", "local", "was.feature", "--timeout", "60s")
    assert done.returncode == 0, done.stdout
    drift = machine(sys.executable, "-m", "infratest", "drift", "--host", "local", "was.feature")
    assert (drift.returncode, drift.stdout) == (0, "")
    assert "nothing drifted" in drift.stderr


def test_what_drifts_is_told_as_sentences_and_what_is_not_known_apart(machine, learned):
    change = "sed -i 's|/srv/learnt:/bin/false|/srv/learnt:/bin/sh|' /etc/passwd; chmod 0600 /etc/shadow"
    assert machine("sh", "-c", change).returncode == 0
    drift = machine(sys.executable, "-m", "infratest", "drift", "--host", "local", "was.feature")
    assert drift.returncode == 1, drift.stderr
    told = [line for line in drift.stdout.splitlines() if line.startswith("local: ")]
    assert told == [
        'local: the user "learnt" has the shell "/bin/false"', 'local: the file "/etc/shadow" has mode "0640"',
    ]  # fmt: skip
    assert 'the file "/etc/shadow" has mode 0600' in drift.stdout
    missing = machine(sys.executable, "-m", "infratest", "drift", "--host", "local", "nosuch.feature")
    assert missing.returncode == 3


def test_one_subject_alone_and_what_is_none(machine):
    done = machine(sys.executable, "-m", "infratest", "learn", "local", "--only", "groups")
    assert done.returncode == 0
    assert "gid" in done.stdout
    assert "user" not in done.stdout.replace("users", "")
    wrong = machine(sys.executable, "-m", "infratest", "learn", "local", "--only", "group")
    assert wrong.returncode == 2
    assert "did you mean 'groups'" in wrong.stderr


KEPT = "users,groups,ports,sysctls"


@pytest.fixture(scope="module")
def recorded(machine):
    """A run that was recorded, of the machine as it is now."""
    feature = "Feature: f\n  Scenario: s\n    Then port 8202 is listening\n"
    assert machine("sh", "-c", 'printf %s "$1" >/srv/now.feature', "sh", feature).returncode == 0
    done = machine(
        sys.executable, "-m", "infratest", "test", "--host", "local", "now.feature", "--record", "good.json",
        "--timeout", "60s",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "recorded: 1 host in good.json" in done.stderr
    return machine("stat", "-c", "%a", "good.json").stdout.strip()


def test_nothing_has_drifted_since_a_run_that_was_just_recorded(machine, recorded):
    assert recorded == "600"
    drift = machine(
        sys.executable, "-m", "infratest", "drift", "--host", "local", "--since", "good.json", "--only", KEPT
    )
    assert (drift.returncode, drift.stdout) == (0, ""), drift.stderr
    assert "1 host: nothing drifted since 2" in drift.stderr


def test_what_drifted_since_a_run_is_told_by_kind_gone_changed_and_new(machine, recorded):
    change = (
        "sed -i '/^learnt:/d' /etc/group; echo 'newcomer:x:4799:' >>/etc/group\n"
        "sed -i 's/^builders:.*/&,sshd/' /etc/group\n"
        "sed -i 's/^learnt:[^:]*:/learnt::/' /etc/shadow\n"
        "sed -i 's|:/srv/learnt:|:/srv/else:|' /etc/passwd; echo 1 >/proc/sys/net/ipv4/ip_forward"
    )
    assert machine("sh", "-c", change).returncode == 0
    drift = machine(
        sys.executable, "-m", "infratest", "drift", "--host", "local", "--since", "good.json", "--only", KEPT
    )
    assert drift.returncode == 1, drift.stderr
    lines = drift.stdout.splitlines()
    assert lines[0].startswith("local: since 2")
    assert lines[1:10] == [
        "  users: 1 drifted", '    the user "learnt" has the home "/srv/learnt"',
        '    the user "learnt" has a password',
        '        now: the user "learnt" has the home "/srv/else"; the user "learnt" has an empty password',
        "  groups: 3 drifted",
        '    the group "builders" has exactly the members "learnt"',
        '        now: the group "builders" has exactly the members "learnt, sshd"',
        '    the group "learnt" exists', '        now: the group "learnt" does not exist',
    ]  # fmt: skip
    assert '    the group "newcomer" does not exist' in lines
    assert '    the sysctl "net.ipv4.ip_forward" is "0"' in lines


def test_what_another_than_root_may_not_read_is_not_known_and_the_rest_is_told(machine, recorded):
    # Whoever is not root must get to the program and to the record.
    opened = 'for f; do while [ "$f" != / ]; do chmod a+rX "$f"; f=${f%/*}; f=${f:-/}; done; done; chmod 644 good.json'
    program = ("-m", "infratest", "drift", "--host", "local", "--since", "good.json", "--only", "users,groups,sysctls")
    ours = Path(__file__).parents[2]
    change = (
        "echo 'later:x:4801:' >>/etc/group; sed -i 's|:4713:4712::/srv:/bin/sh|:4713:4712::/srv:/bin/dash|' /etc/passwd"
    )
    assert machine("sh", "-c", change).returncode == 0
    assert (
        machine("sh", "-c", opened, "sh", sys.executable, os.path.realpath(sys.executable), str(ours)).returncode == 0
    )
    drift = machine("setpriv", "--reuid", "nobody", "--clear-groups", sys.executable, *program)
    assert drift.returncode == 3, drift.stderr
    lines = drift.stdout.splitlines()
    assert r'    the user "odd \"na\me" has the shell "/bin/sh"' in lines, lines
    assert '    the group "later" does not exist' in lines
    assert any(line.startswith("  users: not known: not seen: whether a password is set of ") for line in lines), lines
    assert any(line.startswith("  sysctls: not known: now: ") and "only root may read" in line for line in lines), lines


def test_what_cannot_be_compared_is_not_known(machine, recorded):
    def drift(*words):
        return machine(sys.executable, "-m", "infratest", "drift", "--host", "local", *words)

    for words, said in (
        ((), "no run was recorded"),
        (("--since", "nosuch.json"), "nosuch.json: No such file"),
        (("--since", "/etc/passwd"), "is no record of a run"),
        (("--since", "good.json", "was.feature"), "compare with one of them"),
        (("--since", "good.json", "--only", "user"), "did you mean 'users'"),
        (("--since", "good.json", "--tags", "a"), "name a FEATURE"),
    ):
        done = drift(*words)
        assert done.returncode == 3, words
        assert said in done.stderr, words
    assert machine("sh", "-c", 'sed \'s/"local": /"other": /\' good.json >other.json').returncode == 0
    other = drift("--since", "other.json", "--only", KEPT)
    assert other.returncode == 3
    assert "local: not known: when the run was recorded: the host was not in the run" in other.stdout
    assert machine("sh", "-c", 'sed \'s/"stack": "[^"]*"/"stack": "shop"/\' good.json >shop.json').returncode == 0
    shop = drift("--since", "shop.json")
    assert shop.returncode == 3
    assert "recorded of shop, and this is" in shop.stderr
