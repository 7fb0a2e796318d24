"""Tests written for testinfra mean here what they mean there: on which hosts, by which shell, in which bytes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.hosts import Host
from infratest.providers.base import HostSpec
from infratest.providers.existing import HostOptions
from infratest.pytest_plugin.testinfras import Options, Way, options, ways
from infratest.stack.declared import StackFile
from infratest.stack.open import opened
from tests.faces.far_project import stack
from tests.worlds.small_project import STACK, run, write
from tests.worlds.sshd import running_sshd

QUIET = ("-p", "no:randomly", "-p", "no:cacheprovider", "-q", "-rA", "--tb=short")
FAR = StackFile(
    name="far",
    path=Path("stack.yaml"),
    folder=Path(),
    provider="existing",
    hosts=(
        HostSpec(name="web-1", groups=("web",), options=HostOptions(address="192.0.2.1", user="deploy")),
        HostSpec(name="web-2", groups=("web",), options=HostOptions(address="192.0.2.2", user="deploy", port=2222)),
        HostSpec(name="db", groups=("data",), options=HostOptions(address="2001:db8::3")),
    ),
)
HERE = StackFile(name="here", path=Path("stack.yaml"), folder=Path(), provider="local", hosts=(HostSpec(name="me"),))
BOXES = StackFile(name="boxes", path=Path("stack.yaml"), folder=Path(), hosts=(HostSpec(name="box"),))


@pytest.mark.parametrize(
    "specs, named",
    [
        (["db"], [Way("db")]),
        (["db", "db"], [Way("db")]),
        (["db", "web-1"], [Way("web-1"), Way("db")]),
        (["web"], [Way("web-1"), Way("web-2")]),
        (["web-*"], [Way("web-1"), Way("web-2")]),
        (["all"], [Way("web-1"), Way("web-2"), Way("db")]),
        (["ansible://all"], [Way("web-1"), Way("web-2"), Way("db")]),
        (["ansible://"], [Way("web-1"), Way("web-2"), Way("db")]),
        (["ansible://data"], [Way("db")]),
        (["ssh://deploy@web-1"], [Way("web-1")]),
        (["paramiko://deploy@web-2:2222"], [Way("web-2")]),
        (["192.0.2.2"], [Way("web-2")]),
        (["ssh://[2001:db8::3]:22"], [Way("db")]),
        (["db?sudo=true"], [Way("db", sudo=True)]),
        (["ssh://db?sudo=true&sudo_user=postgres"], [Way("db", sudo=True, sudo_user="postgres")]),
        (("db", "ssh://db?sudo=True"), [Way("db"), Way("db", sudo=True)]),
        ([], []),
    ],
)  # fmt: skip
def test_hosts_of_the_stack_by_testinfras_words(specs, named):
    assert ways(specs, "testinfra_hosts", FAR) == named


@pytest.mark.parametrize(
    "specs, words",
    [
        (["nobody"], "no such host or group in stack.yaml; known are web-1, web-2, db, data, web"),
        (["db", ""], "no such host"),
        (["local://"], "reached by paramiko or safe-ssh or ssh; leave 'local' out"),
        (["docker://db"], "leave 'docker' out"),
        (["salt://*"], "leave 'salt' out"),
        (["ssh://root@web-1"], "logs in to web-1 as deploy"),
        (["root@db"], "logs in to db as its provider or ssh_config says"),
        (["web-2:22"], "port 22 is not that of web-2"),
        (["db?ssh_config=x"], "ssh_config"),
        (["db?sudo_user=postgres"], "add sudo=true"),
        ("db", "write a list"),
        (None, "write a list"),
    ],
)
def test_hosts_that_are_none_of_the_stack_are_refused(specs, words):
    with pytest.raises(UserError, match="testinfra_hosts") as caught:
        ways(specs, "testinfra_hosts", FAR)
    assert words in str(caught.value)


def test_a_host_and_a_group_of_one_name_are_named_once():
    pair = StackFile(name="p", path=Path("stack.yaml"), folder=Path(), hosts=(HostSpec(name="db", groups=("db", "x")),))
    with pytest.raises(UserError, match=r"known are db, x$"):
        ways(["nobody"], "testinfra_hosts", pair)


def test_this_machine_and_containers():
    assert ways(["local://"], "x", HERE) == [Way("me")]
    assert ways(["me"], "x", HERE) == [Way("me")]
    assert ways(["docker://box", "podman://box", "ssh://box"], "x", BOXES) == [Way("box")]


class Given:
    """Options as pytest holds them."""

    def __init__(self, **given: Any) -> None:
        self.given = given

    def getoption(self, name: str, default: Any = None) -> Any:
        return self.given.get(name, default)


def test_options_that_are_obeyed():
    assert options(Given(), FAR) == Options()
    assert options(Given(hosts="db,web-1", connection="ssh"), FAR) == Options(hosts=("db", "web-1"))
    assert options(Given(connection="docker", sudo=True, sudo_user="git"), BOXES) == Options(None, True, "git")


@pytest.mark.parametrize(
    "given, words",
    [
        ({"ssh_config": "x"}, "--ssh-config"),
        ({"ssh_identity_file": "x"}, "`key:`"),
        ({"ssh_extra_args": "-4"}, "--ssh-extra-args"),
        ({"ansible_inventory": "hosts.ini"}, "--ansible-inventory"),
        ({"force_ansible": True}, "--force-ansible"),
        ({"connection": "ansible"}, "leave 'ansible' out"),
        ({"connection": "local"}, "leave 'local' out"),
        ({"sudo_user": "git"}, "add --sudo"),
    ],
)
def test_options_that_say_otherwise_than_the_stack_are_refused(given, words):
    with pytest.raises(UserError) as caught:
        options(Given(**given), FAR)
    assert words in str(caught.value)


def test_a_modules_hosts_and_the_options(tmp_path):
    """Each file says which hosts it is for; `--hosts` is above that, as in testinfra, and narrows features too."""
    names = "def test_a(host): open('ran', 'a').write(f'{__name__} {host.backend.hostname}\\n')\n"
    feature = 'Feature: f\n  Scenario: s\n    Then the command "true" exits 0\n'
    write(tmp_path, {
        "stack.yaml": STACK, "a.feature": feature, "test_db.py": f"testinfra_hosts = ['db']\n{names}",
        "test_web.py": f"testinfra_hosts = ['local://'][:0] + ['web']\n{names}", "test_all.py": names,
        "bad/test_bad.py": f"testinfra_hosts = ['nobody']\n{names}",
    })  # fmt: skip

    def ran(*words: str) -> tuple[int, list[str], str]:
        done = run(tmp_path, "pytest", *QUIET, *words)
        path = tmp_path / "ran"
        lines = sorted(path.read_text().splitlines()) if path.exists() else []
        path.unlink(missing_ok=True)
        return done.returncode, lines, done.stdout + done.stderr

    files = ("test_db.py", "test_web.py", "test_all.py")
    everywhere = ["test_all db", "test_all web-1", "test_all web-2"]
    assert ran(*files)[:2] == (0, sorted([*everywhere, "test_db db", "test_web web-1", "test_web web-2"]))
    status, lines, said = ran("--hosts=web-2", "a.feature", *files)
    assert (status, lines) == (0, ["test_all web-2", "test_db web-2", "test_web web-2"]), said
    assert "a.feature::s[web-2]" in said
    assert "a.feature::s[db]" not in said
    assert ran("--host", "web-*", *files)[:2] == (
        0,
        ["test_all web-1", "test_all web-2", "test_web web-1", "test_web web-2"],
    )
    status, lines, said = ran("bad")
    assert (status, lines) == (2, [])
    assert "testinfra_hosts: 'nobody': no such host or group" in said
    for words in (["--hosts=nobody"], ["--connection=ssh"], ["--ansible-inventory=x"], ["--host=nobody"]):
        status, lines, said = ran(*words, *files)
        assert (status, lines) == (4, []), said
        assert words[0].partition("=")[0] in said
        assert "Traceback" not in said


def test_a_host_that_is_called_as_a_group_is_one_host(tmp_path):
    stack = "stack: one\nprovider: local\nhosts:\n  web: {}\n  db: {groups: [web]}\n"
    feature = 'Feature: f\n  Scenario: s\n    Then the command "true" exits 0\n'
    write(tmp_path, {"stack.yaml": stack, "a.feature": feature})
    done = run(tmp_path, "pytest", *QUIET, "--hosts=w*", "a.feature")
    assert done.returncode == 0, done.stdout
    assert "a.feature::s[web]" in done.stdout
    assert "a.feature::s[db]" not in done.stdout


# The shell

BASH = """
def test_brackets(host): assert host.run("[[ abc == a* ]]").rc == 0
def test_pipefail(host): assert host.run("set -o pipefail; false | true").rc == 1
def test_array(host): assert host.run('a=(1 2 3); echo "${a[1]}"').stdout == "2\\n"
def test_braces(host): assert host.check_output("echo {1..3}") == "1 2 3"
def test_process(host): assert host.run("cat <(echo in)").stdout == "in\\n"
def test_both_streams(host): assert host.run("ls /nowhere &> /dev/null").stderr == ""
def test_source(host):
    assert host.run("source /dev/null && echo %s", "it's \\\\ a\\nb!").stdout == "it's \\\\ a\\nb!\\n"
def test_profile(host): assert host.check_output("from_bashrc") == "from bashrc"
def test_status(host): assert host.run("exit 7").rc == 7
"""


def test_a_tests_own_command_is_the_login_shells(project):
    """As by `ssh HOST COMMAND`: bash, which reads ~/.bashrc there. (The server's HOME is its own folder.)"""
    (project.server.folder / ".bashrc").write_text('from_bashrc() { echo "from bashrc"; }\n')
    names = re.findall(r"def (\w+)", BASH)
    for _ in range(2):
        ran = project.tests(BASH).session()
        assert ran.outcomes == dict.fromkeys(names, "PASSED"), ran.said


@pytest.mark.parametrize("transport", ["ssh", "openssh"])
@pytest.mark.parametrize(
    "shell, line, said",
    [
        ("/usr/bin/fish", "set a 'x\\\\y'; echo $a[1]; count $version >/dev/null; and echo fish", "x\\y\nfish\n"),
        ("/usr/bin/zsh", "echo ${(U)${:-zsh}} 'a\\b'; print -r -- 'c\\d!'", "ZSH a\x08\nc\\d!\n"),
        ("/usr/bin/tcsh", "set a = (1 2); echo $a[2] $#a 'x\\y'", "2 2 x\\y\n"),
        ("/bin/dash", "echo one\necho 'two\nthree'", "one\ntwo\nthree\n"),
    ],
)  # fmt: skip
def test_other_login_shells(tmp_path, transport, shell, line, said):
    with running_sshd(tmp_path / "sshd", SetEnv=f"HOME={tmp_path} SHELL={shell}") as server:
        given = server.options() if transport == "ssh" else server.options(config="none")
        transport_open = opened(
            Host(name="far", address=server.address, transport=transport, options=given), Deadline(30)
        )
        try:
            assert transport_open.run_typed(line, Deadline(30)).stdout.decode() == said
        finally:
            transport_open.close()


# Bytes


def test_another_encoding(tmp_path, project, start):
    """The host's Python says what its locale's encoding is, as testinfra asks it."""
    programs, files = tmp_path / "programs", os.fsencode(tmp_path / "files")
    programs.mkdir()
    (programs / "python3").write_text("#!/bin/sh\necho ISO-8859-1\n")
    (programs / "python3").chmod(0o755)
    Path(os.fsdecode(files)).mkdir()
    for name in (b"\xe9", b"\xfc b"):
        Path(os.fsdecode(files + b"/" + name)).write_bytes(b"gr\xfc\xdfe\n")
    project.server = start(SetEnv=f"HOME={tmp_path} PATH={programs}:/usr/sbin:/usr/bin:/sbin:/bin")
    source = f"""
folder = "{os.fsdecode(files)}/"
def test_run(host): assert host.run("ls -d %s", folder + "é").stdout == folder + "é\\n"
def test_exists(host): assert host.file(folder + "ü b").exists
def test_content(host): assert host.file(folder + "é").content_string == "grüße\\n"
def test_search(host): assert host.file(folder + "é").contains("grüße")
"""
    project.tests(source, **{"stack.yaml": stack(project.server)})
    for _ in range(2):
        ran = project.session()
        assert set(ran.outcomes.values()) == {"PASSED"}, ran.said
        assert len(ran.outcomes) == 4


def test_what_is_no_text_raises(tmp_path, project):
    (tmp_path / "latin").write_bytes(b"caf\xe9\n")
    source = f"""
import pytest
def test_content(host):
    with pytest.raises(UnicodeDecodeError): "hello" not in host.file("{tmp_path}/latin").content_string
def test_output(host):
    with pytest.raises(UnicodeDecodeError): host.run("cat {tmp_path}/latin").stdout
def test_bytes(host):
    assert host.file("{tmp_path}/latin").content == b"caf\\xe9\\n"
    assert host.run("cat {tmp_path}/latin").stdout_bytes == b"caf\\xe9\\n"
"""
    ran = project.tests(source).session()
    assert ran.outcomes == {"test_content": "PASSED", "test_output": "PASSED", "test_bytes": "PASSED"}, ran.said


# Molecule's template


def test_hosts_by_ansibles_inventory_and_asked_ahead(tmp_path, project):
    """testinfra makes a host of this machine where its Ansible module is imported; nothing but a read is done by it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    inventory = '{"_meta": {"hostvars": {}}, "all": {"children": ["mine"]}, "mine": {"hosts": ["far"]}}'
    (programs / "ansible-inventory").write_text(f"#!/bin/sh\necho '{inventory}'\n")
    (programs / "ansible-inventory").chmod(0o755)
    source = """
import os, testinfra, testinfra.utils.ansible_runner
testinfra_hosts = testinfra.utils.ansible_runner.AnsibleRunner("hosts.ini").get_hosts("all")
def test_a(host): assert host.user("root").uid == 0
def test_b(host): assert host.file("/etc/passwd").mode == 0o644
def test_c(host): assert host.group("root").exists
"""
    project.tests(source)
    path = f"{programs}:{os.environ['PATH']}"
    for commands in (6, 1):
        ran = project.session(PATH=path)
        assert set(ran.outcomes.values()) == {"PASSED"}, ran.said
        assert len(ran.outcomes) == 3
        if commands == 1:
            assert ran.cost == (1, 1, 1), ran.said


# As whom


def test_as_another_user(project):
    """By a module's words for a host, and by the options; what was asked as one user is not told to another."""
    as_nobody = "testinfra_hosts = ['ssh://far?sudo=true&sudo_user=nobody']\n"
    tests = """
def test_who(host): assert host.check_output("id -un") == "{user}"
def test_reads(host): assert host.file("/root/.").is_executable is {root}
def test_user(host): assert host.user().name == "{user}"
"""
    project.tests(
        tests.format(user="root", root=True),
        **{"test_b.py": as_nobody + tests.format(user="nobody", root=False)},
    )
    for _ in range(2):
        ran = project.session()
        assert set(ran.outcomes.values()) == {"PASSED"}, ran.said
        assert "6 passed" in ran.said
    project.tests(tests.format(user="nobody", root=False))
    ran = project.session("--sudo", "--sudo-user=nobody", "test_a.py")
    assert set(ran.outcomes.values()) == {"PASSED"}, ran.said
