"""Wrong use: options, names and combinations that cannot be, and what is not in this version. Nothing runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from infratest import later
from tests.worlds.installed import LOCAL_STACK, OK_FEATURE, Place, one_monitoring_line


@dataclass(frozen=True)
class Row:
    """A command line, its exit status, and fragments of what is said on standard error, or on a plugin's line."""

    command: str
    status: int
    says: tuple[str, ...]
    files: Mapping[str, str | bytes | None] = field(default_factory=dict)


def row(command: str, status: int, *says: str, **files: str) -> Row:
    """Return a row; a file is named by its stem."""
    endings = {"stack": "stack.yaml"}
    return Row(command, status, says, {endings.get(name, f"{name}.feature"): text for name, text in files.items()})


ACTING = 'Feature: a\n  Scenario: b\n    When the command "true" is run\n    Then the file "/etc/passwd" exists\n'
TWO = (
    LOCAL_STACK + "environments: {dev: {}, prod: {production: true}}\nparameters: {size: {type: integer, default: 1}}\n"
)
TESTS_ONLY = OK_FEATURE.replace("  Scenario", "  @test\n  Scenario")

ROWS = [
    # what is selected
    row("test --tags web ok.feature", 3, "--tags 'web' selects no scenario of 1"),
    row("test --tags 'web and (' ok.feature", 3, "--tags 'web and ('", "no tag expression", "'web and not slow'"),
    row("test --scenario passwd-is-here ok.feature", 3, "'passwd-is-here'", "did you mean 'passwd-is-there'?"),
    row("test --host 'nix-*' ok.feature", 3, "--host 'nix-*' selects no host: known are web"),
    row("check ok.feature", 3, "the one scenario of the features given is tagged @test, which", ok=TESTS_ONLY),
    row("check --tags web ok.feature", 3, "--tags 'web' selects no scenario of 1"),
    row("test features", 3, "features", "no such feature or folder"),
    row("test @linux-basline", 3, "'@linux-basline'", "did you mean '@linux-baseline'?"),
    # which stack
    row("check ok.feature", 3, "stack.yaml has 2 environments: name one of dev, prod with --env", stack=TWO),
    row("check --env prd ok.feature", 3, "'prd'", "did you mean 'prod'?", stack=TWO),
    row("up --env prd", 2, "'prd'", "did you mean 'prod'?", stack=TWO),
    row("test -D sise=3 ok.feature", 3, "'sise'", "did you mean 'size'?", stack=TWO),
    row("test -D size=big ok.feature", 3, "size", "'big'", "whole number", stack=TWO),
    row("test -D size ok.feature", 3, "-D 'size': write -D name=value", stack=TWO),
    row("test --stack shop.yaml ok.feature", 3, "no stack file shop.yaml"),
    row("check --host local --stack shop.yaml ok.feature", 3, "no stack file shop.yaml"),
    row("up --stack .", 2, ". is a directory; name the stack file in it"),
    # what may not be
    row("check ok.feature", 3, "'b' changes something, and a check only looks", "(ok.feature:2)", "@test", ok=ACTING),
    row(
        "test --env prod ok.feature",
        3,
        "ok.feature:2: 'b' changes something",
        "shop is production",
        "`infratest test --yes-production`",
        ok=ACTING,
        stack=TWO,
    ),
    row("test --yes-production", 3, "features: no such feature or folder"),
    row("check --env prod --yes-production ok.feature", 3, "'--yes-production'", ok=ACTING, stack=TWO),
    row("test ok.feature:99", 3, "ok.feature:99: no such line; the file has 3"),
    # options
    row("test --timeout banana ok.feature", 3, "--timeout", "'banana'", "ms, s, min", "`infratest test --help`"),
    row("check --timeout -1s ok.feature", 3, "--timeout", "-1s"),
    row("check --timeout 0 ok.feature", 3, "'0' is not more than zero"),
    row("test --format xml ok.feature", 3, "unknown output 'xml'", "junit, markdown, nagios, prometheus, text"),
    row("test --format jsn ok.feature", 3, "unknown output 'jsn': did you mean 'json'?"),
    row("check --format json --format junit ok.feature", 3, "only one can have standard output", "NAME:PATH"),
    row("test --jobs 0 ok.feature", 3, "--jobs", "0"),
    row("test --fail-on never ok.feature", 3, "--fail-on", "'never'", "critical"),
    row("check --nosuch ok.feature", 3, "--nosuch", "`infratest check --help`"),
    row("up --nosuch", 2, "--nosuch", "`infratest up --help`"),
    row("ssh", 2, "HOST", "`infratest ssh --help`"),
    row("tset", 2, "unknown verb 'tset'", "did you mean 'test'? `infratest --help`"),
    row("--env dev test", 3, "'--env'; options stand after the verb, as in `infratest test --env dev`"),
    row("--env dev up", 2, "options stand after the verb"),
    row("watch --nosuch", 2, "'--nosuch'; `infratest watch --help`"),
    row("test --on-failure restart.sh", 3, "--on-failure: not in this version"),
    row("run web", 2, "COMMAND"),
    row("heal nowhere.json", 3, "nowhere.json"),
]


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.command)
def test_infratest(place: Place, case: Row) -> None:
    place.write(case.files)
    before = place.files()
    done = place.run(f"infratest {case.command}")
    assert (done.status, [words for words in case.says if words not in done.all]) == (case.status, []), done
    if case.command.startswith("check"):
        one_monitoring_line(done, "UNKNOWN")
    place.nothing_left(before)


PLUGIN = [
    row("-w banana ok.feature", 3, "-w 'banana'", "10:20"),
    row("-c 10:5 ok.feature", 3, "-c '10:5'"),
    row("-t soon ok.feature", 3, "-t", "'soon'"),
    row("-H nobody ok.feature", 3, "-H 'nobody'", "web (127.0.0.1)"),
    row("-s nowhere ok.feature", 3, "'nowhere'", "passwd-is-there"),
    row("--nosuch", 3, "--nosuch"),
    row("-t", 3, "-t"),
    row("--nosuch x", 3, "'--nosuch'; `check_infratest --help`"),
    row("--on-failure restart.sh ok.feature", 3, "--on-failure: not in this version"),
    row("-D x ok.feature", 3, "-D 'x'"),
    row("-D x=1 --host local ok.feature", 3, "'x'"),
    row("ok.feature", 3, "name one of dev, prod with --env", stack=TWO),
    row("--env prod ok.feature", 3, "'b' changes something", ok=ACTING, stack=TWO),
    row("nowhere.feature", 3, "nowhere.feature: no such feature or folder"),
]


@pytest.mark.parametrize("case", PLUGIN, ids=lambda case: case.command)
def test_check_infratest(place: Place, case: Row) -> None:
    place.write(case.files)
    before = place.files()
    done = place.run(f"check_infratest {case.command}")
    line = one_monitoring_line(done, "UNKNOWN")
    assert (done.status, [words for words in case.says if words not in line]) == (case.status, []), done
    place.nothing_left(before)


def test_version_and_help_of_the_plugin(place: Place) -> None:
    for option in ("-V", "--help", "-h"):
        assert place.run(f"check_infratest {option}").status == 3


def test_verbs_of_later_are_refused_by_name(place: Place) -> None:
    # Two stand for all here; that none of them has a file yet is what the set says.
    assert {"scale", "guest", "gate", "package"} <= later.names("verb")
    for verb in ("scale", "guest --env dev"):
        done = place.run(f"infratest {verb}")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(f"infratest: {verb.split()[0]}: not in this version; ")
    for verb in ("gate",):  # its exit status is a state, and wrong use of it unknown
        done = place.run(f"infratest {verb}")
        assert (done.status, "not in this version" in done.err) == (3, True)


def test_no_verb_shows_the_help_and_is_wrong_use(place: Place) -> None:
    done = place.run("infratest")
    assert (done.status, done.out, done.err) == (2, "", place.run("infratest --help").out)
    assert done.err.startswith("Usage: infratest VERB")


def test_the_help_groups_every_verb_once(place: Place) -> None:
    listed = [
        line.split()[0] for line in place.run("infratest --help").out.splitlines() if re.match(r"  [a-z-]+  ", line)
    ]
    verbs = (
        "init up provision test watch check heal halt suspend resume reboot rebuild snapshot destroy status ip keypair "
        "keystore ssh run cp forward ssh-config console box plan lint steps schema reap doctor demo import learn drift "
        "coverage mutate monitor drill runbook"
    )
    assert sorted(listed) == sorted(verbs.split())
    assert listed[:3] == ["init", "demo", "doctor"]  # what one meets first


#: A variable of the environment, and what it makes of `infratest test`, or of what is said where it cannot be.
VARIABLES = [
    ("INFRATEST_TAGS", "web and not slow", "infratest test", 3, "--tags 'web and not slow' selects no scenario of 1"),
    ("INFRATEST_TAGS", "web and not slow", "check_infratest", 3, "--tags 'web and not slow' selects no scenario of 1"),
    ("INFRATEST_SCENARIO", "nowhere", "infratest test", 3, "'nowhere'"),
    ("INFRATEST_SCENARIO", "nowhere", "check_infratest", 3, "'nowhere'"),
    ("INFRATEST_HOST", "nix-*", "infratest test", 3, "--host 'nix-*' selects no host"),
    ("INFRATEST_HOST", "nix-*", "check_infratest", 3, "--host 'nix-*' selects no host"),
    ("INFRATEST_STACK", "shop.yaml", "infratest test", 3, "no stack file shop.yaml"),
    ("INFRATEST_STACK", "shop.yaml", "check_infratest", 3, "no stack file shop.yaml"),
    ("INFRATEST_ENV", "prod", "infratest test", 3, "--env names 'prod'"),
    ("INFRATEST_DEFINE", "size=3 depth=2", "infratest test", 3, "-D size"),
    ("INFRATEST_TIMEOUT", "soon", "infratest test", 3, "'soon'"),
    ("INFRATEST_TIMEOUT", "soon", "check_infratest", 3, "'soon'"),
    ("INFRATEST_FORMAT", "jsn", "infratest test", 3, "did you mean 'json'?"),
    ("INFRATEST_JOBS", "many", "infratest up", 2, "INFRATEST_JOBS"),
    ("INFRATEST_VERBOSE", "very", "infratest up", 2, "INFRATEST_VERBOSE"),
    ("NO_COLOR", "please", "infratest test ok.feature", 0, "1 ok"),
]


@pytest.mark.parametrize(("name", "value", "command", "status", "says"), VARIABLES)
def test_the_environment_mirrors_options(
    place: Place, name: str, value: str, command: str, status: int, says: str
) -> None:
    place.variables[name] = value
    place.write({"features/ok.feature": OK_FEATURE})
    done = place.run(command)
    assert (done.status, says in done.all) == (status, True), done


def test_a_kept_plan_is_not_of_another_environment(place: Place) -> None:
    # The plugin program keeps its plan after the first run: what the variables say must be asked again.
    assert place.run("check_infratest ok.feature").status == 0
    place.variables["INFRATEST_SCENARIO"] = "nowhere"
    assert place.run("check_infratest ok.feature").status == 3


def test_init_names_a_folder_that_a_shell_can_enter(place: Place) -> None:
    done = place.run(["infratest", "init", "my shop"])
    assert (done.status, "next: cd 'my shop' && infratest up" in done.err) == (0, True), done


def test_production_is_acted_on_when_one_says_so(place: Place) -> None:
    place.write({"stack.yaml": TWO, "ok.feature": ACTING})
    done = place.run("infratest test --env prod --yes-production ok.feature")
    assert (done.status, "OK  shop/prod: 1 ok" in done.out) == (0, True), done
