"""The pytest face: sessions of pytest in folders of their own, as subprocesses."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.worlds.small_project import STACK, run, started, write

FEATURE = """\
@web
Feature: commands
  Background:
    Given the hosts in group "web"
  @smoke
  Scenario: holds
    Then the command "true" exits 0
  Scenario: breaks
    Then the command "echo hello; exit 4" exits 0
    And the command "true" exits 0
  @warning
  Scenario: not so bad
    Then the command "false" exits 0
  Scenario: nobody knows
    Then nobody knows this
  @skip:not-today
  Scenario: later
    Then the command "true" exits 0
  @xfail
  Scenario Outline: rows
    Then the command "exit <n>" exits 0
    Examples:
      | n |
      | 0 |
      | 5 |
"""
ACTS = """\
Feature: acts
  Scenario: acts
    When the command "touch {param.folder}/acted" is run on "db"
    Then the command "test -e {param.folder}/acted" exits 0 on "db"
"""
TESTS = """\
import pytest

def test_any(host, stack):
    assert host.run("echo %s", "a b").stdout == "a b\\n"
    assert host.file("/etc/passwd").exists
    assert host.backend.hostname in stack.hosts

@pytest.mark.infratest_hosts("web")
def test_group(host): assert host.backend.hostname.startswith("web-")

@pytest.mark.infratest_hosts("*-2", "db")
def test_names(host): assert host.backend.hostname in ("web-2", "db")

def test_stack(stack):
    assert sorted(stack.hosts) == ["db", "web-1", "web-2"]
    assert stack["db"].run("exit 3").rc == 3
    assert [one.backend.hostname for one in stack.group("web")] == ["web-1", "web-2"]
"""
QUIET = ("-p", "no:randomly", "-p", "no:cacheprovider", "-q")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    stack = f"{STACK}parameters:\n  folder: {{type: string, default: '{folder}'}}\n"
    files = {"stack.yaml": stack, "pytest.ini": "[pytest]\naddopts = --strict-markers\n", "test_hosts.py": TESTS}
    return write(folder, {**files, "features/a.feature": FEATURE, "features/acts.feature": ACTS})


def session(folder: Path, *words: str, by=run, **environment: str) -> tuple[int, dict[str, str], str]:
    """Return pytest's status, the outcome of each item, and its output. Args: by: what starts it."""
    done = by(folder, "pytest", *QUIET, "-rA", *words, **environment)
    said = done.stdout + done.stderr
    found = re.findall(r"^(PASSED|FAILED|ERROR) (\S+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return done.returncode, {name: outcome for outcome, name in found}, said


ON_WEB = {
    "holds": "PASSED",
    "breaks": "FAILED",
    "not-so-bad": "PASSED",
    "rows/1": "PASSED",
    "rows/2": "FAILED",
}
EXPECTED = {
    **{f"features/a.feature::{name}[web-{n}]": outcome for name, outcome in ON_WEB.items() for n in (1, 2)},
    "features/a.feature::nobody-knows[-]": "ERROR",
    "features/acts.feature::acts[-]": "PASSED",
}
EXPECTED_TESTS = {
    **{f"test_hosts.py::test_any[{host}]": "PASSED" for host in ("web-1", "web-2", "db")},
    **{f"test_hosts.py::test_group[{host}]": "PASSED" for host in ("web-1", "web-2")},
    **{f"test_hosts.py::test_names[{host}]": "PASSED" for host in ("web-2", "db")},
    "test_hosts.py::test_stack": "PASSED",
}


def test_the_table_of_faces(project):
    status, outcomes, said = session(project, "--junitxml", "out.xml")
    assert outcomes == EXPECTED | EXPECTED_TESTS
    assert status == 1
    assert "Traceback" not in said
    # Why: expected, seen, where, evidence.
    assert (
        'critical: the command "echo hello; exit 4" exited 4: hello\n'
        "features/a.feature:9:\n"
        '    expected: the command "echo hello; exit 4" exits 0\n'
        '    seen: the command "echo hello; exit 4" exited 4: hello\n'
        "    $ echo hello; exit 4  (exit 4)\n"
        "    > hello\n"
    ) in said
    assert "ERROR at setup of nobody knows" in said
    assert "SKIPPED [2] features/a.feature:17: not today" in said
    assert "InfratestWarning: warning: the command" in said
    cases = {case.get("name"): case for case in ElementTree.parse(project / "out.xml").iter("testcase")}
    assert cases["breaks[web-1]"].find("failure") is not None
    assert cases["nobody-knows[-]"].find("error") is not None
    assert cases["later[web-1]"].find("skipped") is not None
    assert cases["not-so-bad[web-1]"].find("properties/property[@value='warning']") is not None
    assert len(list(cases["not-so-bad[web-1]"])) == 1


def test_workers(project):
    for distribution in ((), ("--dist", "loadgroup")):
        status, outcomes, said = session(project, "-n", "2", *distribution)
        plain = {name.partition("@")[0]: outcome for name, outcome in outcomes.items()}
        assert plain == EXPECTED | EXPECTED_TESTS, said
        assert status == 1


def test_workers_share_one_run_of_all_checks(tmp_path):
    where = tmp_path / "ran"
    scenarios = [f'  Scenario: {n}\n    Then the command "echo {n} >>{where}" exits 0 on "db"\n' for n in range(6)]
    write(tmp_path, {"stack.yaml": STACK, "a.feature": "Feature: f\n" + "".join(scenarios)})
    status, outcomes, said = session(tmp_path, "-n", "2")
    assert (status, len(outcomes)) == (0, 6), said
    assert sorted(where.read_text().split()) == [str(n) for n in range(6)]


@pytest.mark.parametrize(
    "words, names",
    [
        (["-k", "holds and web-2"], {"holds[web-2]"}),
        (["-k", "smoke"], {"holds[web-1]", "holds[web-2]"}),
        (["-m", "smoke"], {"holds[web-1]", "holds[web-2]"}),
        (["features/a.feature::rows/1"], {"rows/1[web-1]", "rows/1[web-2]"}),
        (["features/a.feature::rows/1[web-2]"], {"rows/1[web-2]"}),
    ],
)
def test_selection(project, words, names):
    status, outcomes, said = session(project, *words)
    assert ({name.partition("::")[2] for name in outcomes}, status) == (names, 0), said


def test_only_what_is_selected_runs(project, tmp_path):
    where = tmp_path / "ran"
    feature = f'Feature: f\n  Scenario: one\n    Then the command "echo one >>{where}" exits 0 on "db"\n'
    feature += f'  Scenario: two\n    Then the command "echo two >>{where}" exits 0 on "db"\n'
    write(tmp_path, {"stack.yaml": STACK, "a.feature": feature})
    assert session(tmp_path, "-k", "two")[0] == 0
    assert where.read_text() == "two\n"


def test_collect_only_asks_nobody(project):
    (project / "acted").unlink(missing_ok=True)
    done = run(project, "pytest", *QUIET, "--collect-only")
    assert done.returncode == 0
    assert set(EXPECTED) | set(EXPECTED_TESTS) <= set(done.stdout.splitlines())
    assert not (project / "acted").exists()


def test_nothing_selected_is_pytests_own_exit(project):
    assert session(project, "-k", "nobody_of_that_name")[0] == 5


def test_a_warning_survives_and_is_an_error_where_asked_for(project):
    assert session(project, "-k", "not-so-bad")[0] == 0
    status, outcomes, said = session(project, "-k", "not-so-bad", "-W", "error")
    assert (status, set(outcomes.values())) == (1, {"FAILED"})
    assert "Traceback" not in said
    assert session(project, "-k", "holds", "-W", "error")[0] == 0


@pytest.mark.parametrize(
    "feature, words",
    [
        ("Feature: x\n  Scenaro: y\n    Then port 80 is listening\n", "did you mean 'Scenario:'"),
        ("Feature: x\n  Scenario: y\n", "has no steps"),
        ("", "holds no Feature"),
        ("Feature: x\n  Scenario Outline: y\n    Then port <n> is listening\n", "has no rows"),
    ],
)
def test_lint_problems_are_errors_of_collection(tmp_path, feature, words):
    write(tmp_path, {"stack.yaml": STACK, "bad.feature": feature})
    status, outcomes, said = session(tmp_path)
    assert (status, outcomes, words in said) == (2, {"bad.feature": "ERROR"}, True), said
    assert "Traceback" not in said


def test_a_feature_of_checks_alone_is_empty(tmp_path):
    write(
        tmp_path,
        {"stack.yaml": STACK, "a.feature": "@check\nFeature: x\n  Scenario: y\n    Then port 1 is listening\n"},
    )
    assert session(tmp_path)[0] == 5


# Named or not


def test_inert_without_a_stack(tmp_path):
    files = {"a.feature": "nonsense", "test_a.py": "def test_a(request):\n    assert not request.config.pluginmanager."
             "has_plugin('infratest-stack')\n    import sys\n    assert not [name for name in sys.modules if"
             " name.startswith('infratest.') and name not in ('infratest.pytest_plugin', 'infratest.checks')]\n",
             "conftest.py": "def pytest_addoption(parser):\n    parser.addoption('--env')\n"}  # fmt: skip
    write(tmp_path, files)
    assert session(tmp_path, "--env", "mine", by=started)[:2] == (0, {"test_a.py::test_a": "PASSED"})


def test_the_ways_to_name_a_stack(tmp_path):
    one = 'Feature: x\n  Scenario: y\n    Then the command "true" exits 0 on "db"\n'
    write(tmp_path, {"deploy/shop.yaml": STACK, "tests/a.feature": one, "tests/pytest.ini": "[pytest]\n"})
    assert session(tmp_path / "tests")[0] == 5
    assert session(tmp_path / "tests", "--stack", "../deploy/shop.yaml")[0] == 0
    write(tmp_path, {"tests/pytest.ini": "[pytest]\ninfratest_stack = ../deploy/shop.yaml\n"})
    assert session(tmp_path / "tests")[0] == 0
    status, _, said = session(tmp_path / "tests", "--stack", "nobody.yaml")
    assert (status, "nobody.yaml" in said, "Traceback" in said) == (4, True, False)


def test_environments(tmp_path):
    stack = STACK + "environments:\n  dev: {}\n  prod: {production: true}\n"
    feature = (
        'Feature: x\n  Scenario: y\n    When the command "true" is run on "db"\n    Then port 0 is not listening\n'
    )
    write(
        tmp_path,
        {"stack.yaml": stack, "a.feature": feature, "test_a.py": "def test_a(stack): assert stack.env == 'prod'"},
    )
    _, outcomes, said = session(tmp_path, "--env", "prod")
    assert (outcomes, "is production" in said) == ({"a.feature": "ERROR"}, True)
    assert session(tmp_path, "--env", "prod", "test_a.py")[0] == 0
    assert session(tmp_path, "test_a.py", INFRATEST_ENV="prod")[0] == 0
    assert session(tmp_path, "test_a.py")[0] == 1
    assert session(tmp_path, "--env", "prod", "--infratest-up", "test_a.py")[0] == 4


def test_a_project_with_an_option_of_that_name(tmp_path):
    conftest = "def pytest_addoption(parser):\n    parser.addoption('--env')\n"
    write(tmp_path, {"stack.yaml": STACK + "environments:\n  dev: {}\n  prod: {}\n", "conftest.py": conftest,
                     "test_a.py": "def test_a(stack): assert stack.env == 'prod'"})  # fmt: skip
    assert session(tmp_path, "--env", "mine", "--infratest-env", "prod")[0] == 0


# Beside other plugins


def test_testinfras_own_host_without_a_stack(tmp_path):
    write(tmp_path, {"test_a.py": "def test_a(host): assert host.backend.NAME == 'local'"})
    assert session(tmp_path)[:2] == (0, {"test_a.py::test_a[local]": "PASSED"})


def test_a_projects_own_host_is_taken(tmp_path):
    conftest = "import pytest\n@pytest.fixture\ndef host(): return 'mine'\n"
    write(
        tmp_path, {"stack.yaml": STACK, "conftest.py": conftest, "test_a.py": "def test_a(host): assert host == 'mine'"}
    )
    assert session(tmp_path)[:2] == (0, {"test_a.py::test_a": "PASSED"})


def test_without_testinfra(tmp_path):
    hide = "import sys\nsys.modules['testinfra'] = None\nsys.modules['testinfra.host'] = None\n"
    write(tmp_path, {"stack.yaml": STACK, "conftest.py": hide, "test_a.py": "def test_a(host): pass"})
    status, outcomes, said = session(tmp_path, "-p", "no:testinfra", "-p", "no:pytest11.testinfra", by=started)
    assert (status, set(outcomes.values())) == (1, {"ERROR"})
    assert "`host` needs testinfra" in said
    assert "pip install 'infratest[testinfra]'" in said


def test_pytest_bdd_beside(project, tmp_path):
    source = """
from pytest_bdd import scenarios, given
scenarios("bdd.feature")
@given("a cup")
def _(): pass
"""
    write(tmp_path, {"test_bdd.py": source, "bdd.feature": "Feature: bdd\n  Scenario: cup\n    Given a cup\n"})
    assert session(tmp_path)[:2] == (0, {"test_bdd.py::test_cup": "PASSED"})


def test_unknown_hosts(tmp_path):
    source = "import pytest\n@pytest.mark.infratest_hosts('nobody')\ndef test_a(host): pass\n"
    write(tmp_path, {"stack.yaml": STACK, "test_a.py": source})
    status, _, said = session(tmp_path)
    assert status == 2
    assert "infratest_hosts('nobody'): no such host or group; known are" in said


# Hosts that are not there


def test_an_unreachable_host_blocks(tmp_path):
    stack = "stack: far\nprovider: existing\nhosts:\n  far: {address: 127.0.0.1, port: 1, user: nobody}\n"
    feature = (
        'Feature: f\n  Scenario: a\n    Then the command "true" exits 0\n  Scenario: b\n    Then port 1 is listening\n'
    )
    write(tmp_path, {"stack.yaml": stack, "a.feature": feature, "test_a.py": "def test_a(host): pass"})
    status, outcomes, said = session(tmp_path)
    assert (status, set(outcomes.values()), len(outcomes)) == (1, {"ERROR"}, 3)
    assert "blocked: blocked by reachable@far: " in said
    assert "refused" in said
    assert "Traceback" not in said


def test_of_a_large_table_what_matters_is_shown(tmp_path):
    """One process that is missing, among all of this machine's; and no value as Python writes it."""
    steps = ['the process "no-such-thing" is running', 'the file "/etc/passwd" has mode "0600"', "port 1 is listening"]
    lines = "".join(f"    Then {step}\n" for step in steps)
    write(tmp_path, {"stack.yaml": "stack: one\nprovider: local\nhosts:\n  here: {}\n",
                     "a.feature": f"Feature: f\n  Scenario: s\n{lines}"})  # fmt: skip
    status, _, said = session(tmp_path)
    assert status == 1
    assert re.search(r"> \d+ processes: ", said), said
    assert "> file, mode 0644, owner root (0), group root (0), " in said
    assert not re.search(r"\w\(\w+=|\{'|\('", said), said
    assert len(said.splitlines()) < 60


def test_up_and_destroy_of_what_cannot_be_made(tmp_path):
    """Provider local makes nothing: --infratest-up finds its hosts there and leaves them."""
    write(tmp_path, {"stack.yaml": STACK, "test_a.py": "def test_a(host): pass"})
    assert session(tmp_path, "--infratest-up")[0] == 0


@pytest.mark.hosts
def test_host_is_the_stacks_on_real_hosts(tmp_path):
    """With pytest-testinfra, pytest-bdd and xdist beside: by its hostname; brought up once and destroyed."""
    name = f"face-{tmp_path.name}"[-20:].strip("-").replace("_", "-")
    stack = f"stack: {name}\nprovider: container\nhosts:\n  web: {{count: 2, groups: [web]}}\n"
    tests = """
def test_hostname(host):
    assert host.check_output("hostname") == host.backend.hostname
def test_modules(host):
    assert host.service("ssh").is_running
    assert not host.package("nginx-light").is_installed
"""
    feature = 'Feature: f\n  Scenario: ssh\n    Then the service "ssh" is running\n'
    feature += '  Scenario: acts\n    When the command "touch /run/acted" is run on "web-1"\n'
    feature += '    Then the file "/run/acted" exists on "web-1"\n'
    write(tmp_path, {"stack.yaml": stack, "test_a.py": tests, "f.feature": feature})
    try:
        status, outcomes, said = session(tmp_path, "--infratest-up", "-n", "2")
        left = run(tmp_path, "infratest", "status")
    finally:
        run(tmp_path, "infratest", "destroy")
    assert {name: outcome for name, outcome in outcomes.items() if outcome != "PASSED"} == {}, said
    assert len(outcomes) == 7
    assert status == 0, said
    assert "not made" in left.stdout, left.stdout + left.stderr
