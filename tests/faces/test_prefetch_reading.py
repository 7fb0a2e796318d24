"""Which of testinfra's commands only look: told by the code that made them, here by testinfra's own local backend."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import testinfra.host
from testinfra.backend.local import LocalBackend
from testinfra.modules import modules
from testinfra.modules.base import Module

from infratest.pytest_plugin import reading
from infratest.pytest_plugin.reading import ACT, LOOK, READ, SEARCH


class Told(LocalBackend):
    """Notes the kind of every command, and runs those alone that are no acts."""

    def __init__(self) -> None:
        super().__init__("local")
        self.kinds: list[str] = []

    def run(self, command: str, *args: Any, **kwargs: Any) -> Any:
        self.kinds.append(reading.kind(sys._getframe(1), command, args))
        if self.kinds[-1] == ACT:
            return self.result(0, command.encode(), b"", b"")
        return super().run(command, *args, **kwargs)


class Derived(Module):
    """A user's own module, with a function of a name that testinfra's has too."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def exists(self) -> Any:
        return self.run_test("test -e %s", self.path).rc == 0


def kinds(asks: str) -> set[str]:
    backend = Told()
    names = {"host": testinfra.host.Host(backend), "Derived": Derived}
    exec(f"try: {asks}\nexcept (AssertionError, RuntimeError, ValueError, IndexError): pass", names)
    return set(backend.kinds)


READING = """
host.system_info.distribution
host.exists("sh")
host.find_command("sh")
host.file("/etc/passwd").exists
host.file("/etc/passwd").mode
host.file("/etc/passwd").sha256sum
host.file("/bin").linked_to
host.file("/etc").listdir()
host.file("/a path; with 'all' of $(it)").exists
host.package("bash").is_installed
host.package("bash").version
host.service("ssh").is_running
host.service("ssh").is_enabled
host.socket("tcp://22").is_listening
host.socket("unix:///x").clients
host.socket.get_listening_sockets()
host.process.filter(comm="sh")
host.user("root").shell
host.user("root").password
host.user().name
host.group("root").gid
host.group("root").members
host.sysctl("kernel.ostype")
host.mount_point("/proc").exists
host.mount_point.get_mountpoints()
host.interface("lo").addresses
host.interface("lo", "inet").exists
host.interface("lo").link
host.interface("lo").routes("host")
host.interface.names()
host.interface.default()
""".strip().splitlines()
LOOKING = ["host.file('/etc/passwd').content", "host.file('/etc/passwd').content_string", "host.environment()"]
ACTING = """
host.run("true")
host.run("test -e %s", "/etc/passwd")
host.run_test("test -e %s", "/etc/passwd")
host.run_expect([0], "true")
host.check_output("true")
host.command("true")
host.backend.run("true")
host.file("/etc/passwd").run("test -e %s", "/etc/passwd")
host.file.run_test("true")
host.package.check_output("true")
Derived.get_module(host)("/etc/passwd").exists
host.file("-x").exists
host.file("a\\nb").exists
host.sysctl("kernel.domainname=x")
host.user("--help").exists
host.addr("localhost").is_reachable
host.addr("localhost").port(1).is_reachable
host.iptables.rules()
host.pip("x", pip_path="/tmp/x").is_installed
host.pip.check()
host.docker("x").is_running
host.docker.version("{{x}}")
host.podman("x").is_running
host.supervisor("x", "/tmp/x").status
host.puppet_resource("user")
host.facter()
host.salt("pkg.version", "x")
host.interface("lo", "inet link set lo down;").exists
""".strip().splitlines()


@pytest.mark.parametrize("asks", READING)
def test_reads(asks):
    assert kinds(asks) == {READ}


def test_a_search():
    assert kinds("host.file('/etc/passwd').contains('-root $(x)')") == {SEARCH, READ}


@pytest.mark.parametrize("asks", LOOKING)
def test_looks(asks):
    assert kinds(asks) - {READ} == {LOOK}


@pytest.mark.parametrize("asks", ACTING)
def test_acts(asks):
    assert ACT in kinds(asks)


def test_inside_double_quotes_quoting_does_not_hold():
    kinds_of = [reading.kind]

    def asked(name: str) -> str:
        def run(self: Any, command: str, *args: str) -> None:
            found.append(kinds_of[0](sys._getframe(1), command, args))

        found: list[str] = []
        from testinfra.modules.service import SystemdService

        made = type("Made", (SystemdService,), {"run_test": run})(name)
        with pytest.raises(AttributeError):
            _ = made.exists
        return found[0]

    assert asked("ssh.service") == READ
    assert asked("$(reboot)") == ACT


def test_every_name_is_a_function_of_testinfras():
    """One that is renamed would be asked live for ever, and nobody would see it."""
    for name in modules:
        __import__(f"testinfra.modules.{modules[name].partition(':')[0]}")
    missing = [
        f"{module}: {each}"
        for table in reading.TABLES.values()
        for module, names in table.items()
        for each in names.split()
        if reading._code(sys.modules[module], each) is None
    ]
    assert missing == []
