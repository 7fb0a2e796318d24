"""The projects of examples/, each used as its README says, on real hosts: those of web-and-db serve the others too."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.worlds import forked
from tests.worlds.tiny_container import engine
from tests.worlds.wheel import NOBODY, ROOT, folder, installed

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(600)]

EXAMPLES = ROOT / "examples"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_")}
#: A package that is installed before its sentences are known: tests/test_plugin_package.py does, and runs all of it.
PACKAGE = "plugin"
EVERY = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name != PACKAGE)


def infratest(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    done = forked.run(words, cwd=project, env=ENVIRONMENT, timeout=200)
    assert "Traceback" not in done.stderr
    return done


def copied(name: str, to: Path) -> Path:
    project = to / name
    shutil.copytree(EXAMPLES / name, project, ignore=shutil.ignore_patterns(".infratest", "__pycache__"))
    return project


@dataclass(frozen=True)
class Reached:
    """How a host of web-and-db is reached by plain SSH."""

    address: str
    port: int
    user: str
    key: Path
    known_host: str  # `type base64`


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example web-and-db, up and provisioned."""
    project = copied("web-and-db", tmp_path_factory.mktemp("examples"))
    try:
        up = infratest(project, "up", "--provision")
        assert up.returncode == 0, up.stderr
        yield project
    finally:
        gone = infratest(project, "destroy")
    assert gone.returncode == 0, gone.stderr


@pytest.fixture(scope="module")
def db(stack: Path) -> Reached:
    found = json.loads(infratest(stack, "status", "--format", "json").stdout)
    host = next(host for host in found["hosts"] if host["name"] == "db")
    address, port = host["endpoints"].get("22", (host["address"], 22))
    scan = infratest(stack, "ssh", "db", "cat", "/etc/ssh/ssh_host_ed25519_key.pub").stdout.split()
    (key,) = (
        path
        for path in (stack / ".infratest/keys").iterdir()
        if path.is_file() and b"OPENSSH PRIVATE" in path.read_bytes()
    )
    return Reached(address, port, "root", key, " ".join(scan[:2]))


@pytest.mark.parametrize("name", EVERY)
def test_every_example_is_free_of_mistakes(name):
    for words in ([], ["--env", "prod"]) if name == "web-and-db" else ([],):
        done = infratest(EXAMPLES / name, "lint", *words)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (EXAMPLES / name / "README.md").read_text().startswith(f"# {name}: ")


def test_every_example_is_run_here():
    assert EVERY == ["anywhere", "existing-hosts", "nagios", "pytest", "web-and-db"]


# web-and-db


def test_web_and_db_is_green_as_test_and_as_monitor(stack):
    test = infratest(stack, "test")
    assert test.returncode == 0, test.stdout
    assert "✓ the other one goes on" in test.stdout
    check = infratest(stack, "check", "--env", "dev")
    assert check.returncode == 0, check.stdout
    assert re.match(r"INFRATEST OK - web-and-db/dev 3 hosts: \d+ scenarios ok \| ", check.stdout)


def test_web_and_db_provisioned_again_changes_nothing(stack):
    look = "dpkg-query -W | sha256sum; find /etc /var/www -type f -exec sha256sum {} + | sort | sha256sum"
    look += "; systemctl show -p ExecMainStartTimestamp nginx redis-server"
    before = infratest(stack, "run", "*", look).stdout
    assert infratest(stack, "provision").returncode == 0
    assert infratest(stack, "run", "*", look).stdout == before
    assert before.count("db ") > 2


def test_web_and_db_follows_its_parameter(stack):
    red = infratest(stack, "test", "-D", "visitors=8", "features/web.feature")
    assert red.returncode == 2
    assert '"visitors: 8"' in red.stdout or "visitors: {param.visitors}" in red.stdout
    assert infratest(stack, "provision", "-D", "visitors=8").returncode == 0
    assert infratest(stack, "test", "-D", "visitors=8").returncode == 0
    assert infratest(stack, "provision").returncode == 0
    assert infratest(stack, "test").returncode == 0


def test_web_and_db_wants_to_know_which_environment(stack):
    done = infratest(stack, "check")
    assert done.returncode == 3
    assert "--env" in done.stdout
    assert "dev" in done.stdout
    assert "prod" in done.stdout


def test_web_and_db_in_production_nothing_is_changed(stack):
    for words in (["test", "--env", "prod"], ["destroy", "--env", "prod"]):
        done = infratest(stack, *words)
        assert done.returncode != 0
        assert "production" in done.stdout + done.stderr


# existing-hosts


def test_existing_hosts(tmp_path, db):
    project = copied("existing-hosts", tmp_path)
    known_hosts = project / "known_hosts"
    known_hosts.write_text(f"{db.address if db.port == 22 else f'[{db.address}]:{db.port}'} {db.known_host}\n")
    config = (project / "ssh_config").read_text()
    for old, new in (
        ("192.0.2.11", f"{db.address}\n    Port {db.port}"),
        ("User monitor", f"User {db.user}"),
        ("~/.ssh/id_ed25519", str(db.key)),
        ("~/.ssh/known_hosts", str(known_hosts)),
    ):
        assert old in config
        config = config.replace(old, new)
    (project / "ssh_config").write_text(config)

    assert infratest(project, "plan").returncode == 0
    test = infratest(project, "test")
    assert test.returncode == 0, test.stdout
    assert "✓ sshd is as we want it" in test.stdout
    check = infratest(project, "check")
    assert check.stdout.startswith("INFRATEST OK - office web-1: 10 scenarios ok | ")
    assert infratest(project, "run", "*", "hostname").stdout == "web-1 | db\n"
    assert infratest(project, "destroy").returncode == 2  # production
    again = infratest(project, "test", "--stack", "inventory.yaml", "--host", "role=front")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "OK  office: 10 ok" in again.stdout

    known_hosts.write_text("")
    unknown = infratest(project, "check")
    assert unknown.returncode == 3
    assert "host key" in unknown.stdout


# nagios


@pytest.fixture(scope="module")
def monitoring(db: Reached) -> Path:
    """The example nagios as installed for an unprivileged user, with a host that is there."""
    place = folder() / "etc"
    place.mkdir()
    project = copied("nagios", place)
    project.rename(place / "office")
    project = place / "office"
    stack = (project / "stack.yaml").read_text()
    assert "192.0.2.11" in stack
    stack = stack.replace("address: 192.0.2.11", f"address: {db.address}, port: {db.port}")
    (project / "stack.yaml").write_text(stack.replace("user: monitor", f"user: {db.user}"))
    (project / "keys").mkdir()
    key = project / "keys/monitor"
    key.write_bytes(db.key.read_bytes())
    os.chown(key, NOBODY, NOBODY)
    key.chmod(0o600)
    (project / "known_hosts").write_text(
        f"{db.address if db.port == 22 else f'[{db.address}]:{db.port}'} {db.known_host}\n"
    )
    state = place / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    return place


def commands() -> dict[str, str]:
    text = (EXAMPLES / "nagios/commands.cfg").read_text()
    return dict(re.findall(r"command_name +(\S+)\n +command_line +(.+)", text))


def services() -> dict[str, list[str]]:
    text = (EXAMPLES / "nagios/services.cfg").read_text()
    return {
        name: line.split("!") for name, line in re.findall(r"service_description +(.+)\n +check_command +(.+)", text)
    }


def as_nagios(command: str, place: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command line as a monitoring daemon does: as its own user, with no environment, in /."""
    assert "/usr/bin/check_infratest " in command
    command = command.replace("/usr/bin/check_infratest", str(installed("[ssh]") / "check_infratest"))
    if place:
        command = command.replace("/etc/infratest", str(place)).replace("/var/lib/nagios/infratest", f"{place}/state")
    return subprocess.run(
        shlex.split(command), user=NOBODY, group=NOBODY, extra_groups=[], env={}, cwd="/", capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip


def expanded(service: str, db: Reached) -> str:
    name, *arguments = services()[service]
    line = commands()[name].replace("$HOSTADDRESS$", db.address).replace("$HOSTNAME$", "web-1")
    for number, argument in enumerate(arguments, 1):
        line = line.replace(f"$ARG{number}$", argument)
    assert "$" not in line
    return line


@pytest.mark.parametrize(
    "service, begins",
    [
        ("infratest", "INFRATEST OK - office web-1: 10 scenarios ok | scenarios=10;;;0 failed=0;;0;0 "),
        ("administrators get in", "INFRATEST OK - office web-1: 1 scenario"),
    ],
)
def test_the_services_of_nagios(monitoring, db, service, begins):
    done = as_nagios(expanded(service, db), monitoring)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.startswith(begins)
    assert (monitoring / "state/office/events.jsonl").exists()


def test_a_service_of_nagios_that_is_broken(stack, monitoring, db):
    assert (
        infratest(stack, "run", "db", "systemctl stop ssh.service; systemctl show -p ActiveState ssh").returncode == 0
    )
    try:
        done = as_nagios(expanded("administrators get in", db), monitoring)
    finally:
        container = f"infratest-web-and-db-dev-db-{(stack / '.infratest/id').read_text()[:8]}"
        engine("exec", container, "systemctl", "start", "ssh")
    # Nobody answers at port 22: the host cannot be reached, which is critical.
    assert done.returncode == 2
    assert done.stdout.startswith("INFRATEST CRITICAL - office web-1: ")


def test_a_state_that_cannot_be_written(monitoring, db):
    line = expanded("infratest", db).replace("/var/lib/nagios/infratest", "/proc/nowhere")
    done = as_nagios(line, monitoring)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_line_of_nrpe():
    (line,) = re.findall(r"^command\[infratest\]=(.+)$", (EXAMPLES / "nagios/nrpe.cfg").read_text(), re.M)
    done = as_nagios(line)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("INFRATEST OK - local local: 8 scenarios ok | ")


# pytest


@pytest.fixture(scope="module")
def pytest_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    project = copied("pytest", tmp_path_factory.mktemp("pytest-example"))
    try:
        up = infratest(project, "up", "--provision")
        assert up.returncode == 0, up.stderr
        yield project
    finally:
        gone = infratest(project, "destroy")
    assert gone.returncode == 0, gone.stderr


def ran_pytest(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    words = ("-v", "-p", "no:cacheprovider", *words)
    return forked.run(words, program="pytest", module=True, cwd=project, env=ENVIRONMENT, timeout=200)


def test_pytest_runs_features_and_python_together(pytest_project):
    done = ran_pytest(pytest_project, "--junitxml", "report.xml")
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout
    assert "web.feature::nginx-answers[web] PASSED" in done.stdout
    assert "test_web.py::test_the_name_is_the_stacks[web] PASSED" in done.stdout
    assert 'tests="5"' in (pytest_project / "report.xml").read_text()


def test_pytest_by_keyword_and_red(pytest_project):
    assert infratest(pytest_project, "run", "web", "systemctl", "stop", "nginx").returncode == 0
    try:
        done = ran_pytest(pytest_project, "-k", "nginx-answers or nginx_runs")
    finally:
        assert infratest(pytest_project, "provision").returncode == 0
    assert done.returncode == 1, done.stdout
    assert "2 failed, 3 deselected" in done.stdout
