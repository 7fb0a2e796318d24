"""A secret planted wherever one can be used is looked for in everything that every command prints and keeps."""

from __future__ import annotations

import base64
import html
import json
import shlex
import urllib.parse
from pathlib import Path

import pytest

from tests.worlds.installed import Place

#: As a password manager makes them: of characters that a shell, JSON, XML, a URL and Python each write otherwise.
SECRET = """hun"ter's \\ p\u00e4ss<&>w%rd {param.x} $(id) 7"""

STACK = """
stack: guarded
provider: {name: fake, world: world, transport: {otherwise: run}}
parameters:
  password: {type: string, secret: true, from: {env: SHOP_PASSWORD}}
  host: {type: string, default: web}
hosts:
  web: {groups: [web], labels: {note: "{param.password}"}, provision: [{shell: provision.sh}]}
outputs: {login: "admin {param.password}"}
heal:
  fix:
    when: {tags: "@web"}
    confirm: 1
    at-most: 100%
    mode: auto
    do:
      - {run: "echo with {param.password}; echo {param.password} >&2; exit 1"}
      - {hook: [./hook.sh, "{param.password}"]}
"""
FEATURE = """
Feature: f
  @web
  Scenario: login
    Then the command "echo {param.password}; echo {param.password} >&2; exit 3" prints "{param.password}!"
    And the command "printf %s {output.login}" exits 4
    And the command "printf '%s' {param.password}" prints a number less than 4
    And the file "/nowhere/{param.password}" exists
    And the file "/etc/passwd" contains "{param.password}"
    And the process "{param.password}" is running
  Scenario: labelled
    Given the hosts where "note={param.password}"
    Then the file "/etc/passwd" exists
  Scenario: wrong
    Then the service "{param.password}" is running
    And the user "{param.password}" exists
"""
SCRIPT = """#!/bin/sh
echo "provisioned with $INFRATEST_PARAM_PASSWORD"; echo "$INFRATEST_PARAM_PASSWORD" >&2
ps -eo args >processes.txt
exit ${STATUS:-0}
"""
HOOK = """#!/bin/sh
cat >>hook.json; printf '%s' "$*"; env | grep ^INFRATEST_; exit 1
"""
TESTS = """
def test_it(host):
    assert host.run("echo x").stdout == "y"
"""

COMMANDS = [
    "infratest up -vv", "infratest provision -vv", "infratest status", "infratest lint", "infratest steps",
    "infratest schema", "infratest plan", "infratest plan -v", "infratest test -vv",
    "infratest test --format json:r.json", "infratest test --format json", "infratest test --format junit",
    "infratest test --format nagios", "infratest test --format html", "infratest test --format markdown",
    "infratest test --format github", "infratest check", "check_infratest", "check_infratest -v", "check_infratest",
    "infratest check --heal -vv", "check_infratest --heal", "infratest heal r.json", "infratest run web 'echo $0'",
    "infratest reap --dry-run", "infratest test --host nobody", "infratest test --tags '{param.password'",
    "infratest destroy -vv",
]  # fmt: skip


def forms(secret: str) -> set[str]:
    """What must stand nowhere: the secret, and how it is written in each language, in whole and in another's quotes."""
    words = {secret, shlex.quote(secret)}
    texts = words | {
        text for word in words for text in (json.dumps(word), json.dumps(word, ensure_ascii=False), repr(word))
    }
    texts |= {json.dumps(text)[1:-1] for text in texts} | {html.escape(text) for text in texts}
    data = secret.encode()
    rows = {base64.b64encode(data).decode(), data.hex(), data.hex(" "), data.hex().upper()}
    return {*texts, *rows, urllib.parse.quote(secret), urllib.parse.quote_plus(secret)}


@pytest.fixture
def project(place: Place) -> Place:
    place.write({"stack.yaml": STACK, "features/f.feature": FEATURE, "provision.sh": SCRIPT, "hook.sh": HOOK})
    (place.folder / "hook.sh").chmod(0o755)
    place.write({"ok.feature": None})
    place.variables["SHOP_PASSWORD"] = SECRET
    return place


def leaks(place: Place) -> list[str]:
    """Return the files of a place that hold the secret in any form."""
    texts = {path: path.read_bytes() for path in place.root.rglob("*") if path.is_file()}
    return [f"{path}: {form}" for path, data in texts.items() for form in forms(SECRET) if form.encode() in data]


def test_it_is_in_nothing_that_is_printed_or_kept(project):
    said = {}
    for command in COMMANDS:
        done = project.run(command)
        said[command] = done
        assert [form for form in forms(SECRET) if form in done.all] == [], command
    assert said["infratest up -vv"].status == 0
    assert said["infratest provision -vv"].status == 0, said["infratest provision -vv"]
    assert said["check_infratest"].status == 2, said["check_infratest"]
    assert "********" in said["infratest test -vv"].out
    assert "********" in said["infratest check --heal -vv"].out
    assert (project.folder / "hook.json").exists()
    assert (project.folder / ".infratest" / "heal.jsonl").exists()
    assert "provisioned with ********" in (project.folder / ".infratest/logs/guarded/provision-web.log").read_text()
    assert leaks(project) == []


def test_the_plan_of_a_check_that_uses_it_is_not_kept(place):
    stack = STACK.replace("{name: fake, world: world, transport: {otherwise: run}}", "local").replace(
        "provision: [{shell: provision.sh}]", ""
    )
    place.write({"stack.yaml": stack, "ok.feature": FEATURE, "hook.sh": HOOK})
    place.variables["SHOP_PASSWORD"] = SECRET
    for _ in range(2):
        assert place.run("check_infratest ok.feature").status == 2
    assert place.plans() == []
    assert leaks(place) == []


def test_on_the_command_line_it_is_told_once_that_others_can_read_it(project):
    del project.variables["SHOP_PASSWORD"]
    done = project.run(["infratest", "lint", "-D", f"password={SECRET}"])
    assert done.err.count("-D password is a secret: everyone on this machine can read it in the process list") == 1
    assert SECRET not in done.all


def test_pytest_and_behave_do_not_show_it(project):
    project.write({"tests/test_it.py": TESTS})
    project.variables["INFRATEST_STATE"] = str(project.root / "state")
    assert project.run("infratest up").status == 0
    for command in ("pytest -p no:cacheprovider features", "behave features -D x=y"):
        done = project.run(command)
        assert done.status == 1, done.all
        assert [form for form in forms(SECRET) if form in done.all] == []
    assert leaks(project) == []


@pytest.mark.parametrize(
    "source, words",
    [
        (
            "{env: NO_SUCH}",
            "parameters.p.from: the environment variable NO_SUCH is not set; set it where",
        ),
        ("{file: no-such}", "/no-such cannot be read: No such file or directory"),
        ("{command: [no-such-program]}", "no-such-program cannot be run: No such file or directory"),
        ('{command: [sh, -c, "echo $((2))x3; echo locked >&2; exit 2"]}', "ended with exit 2: locked"),
        ("{command: []}", "from.command"),
        ("{env: A, file: b}", "a map with one key: env, file or command"),
        ("{vault: x}", "unknown key 'vault'"),
        ('{command: [printf, "abc"]}', "a secret has at least 4 characters"),
        ('{command: [printf, "abcd\\\\377"]}', "what command gives is not UTF-8"),
        ('{command: [printf, "ab\\\\0cd"]}', "holds a NUL character"),
    ],
)
def test_a_source_that_cannot_be_read(place, source, words):
    parameter = f"{{type: string, secret: true, from: {source}}}"
    place.write({"stack.yaml": f"stack: s\nprovider: local\nparameters: {{p: {parameter}}}\n"})
    done = place.run("check_infratest ok.feature")
    assert done.status == 3
    assert words in done.out, done.out
    assert "2x3" not in done.all  # what it printed


def test_each_source_gives_its_text_without_its_last_line_break(place):
    place.write(
        {
            "stack.yaml": "stack: s\nprovider: local\nparameters:\n"
            "  a: {type: string, secret: true, from: {env: VALUE_OF_A}}\n"
            "  b: {type: string, secret: true, from: {file: secret.txt}}\n"
            "  c: {type: string, secret: true, from: {command: [cat, secret.txt]}}\n"
            "  d: {type: integer, from: {env: VALUE_OF_D}}\n",
            "secret.txt": "two words\n",
            "x.feature": "Feature: f\n  Scenario: s\n"
            '    Then the command "printf %s {param.a}" prints exactly "from env"\n'
            '    And the command "printf %s {param.b}" prints exactly "two words"\n'
            '    And the command "printf %s {param.c}" prints exactly "two words"\n'
            '    And the command "exit {param.d}" exits 7\n',
        }
    )
    place.variables |= {"VALUE_OF_A": "from env", "VALUE_OF_D": "7"}
    done = place.run("infratest test x.feature")
    assert done.status == 0, done.all


def test_nothing_of_it_stands_in_the_hosts_list_of_processes(project):
    assert project.run("infratest up").status == 0
    script = 'tr "\\\\0" " " </proc/$PPID/cmdline >parent.txt; tr "\\\\0" " " </proc/self/cmdline >>parent.txt\n'
    project.write({"provision.sh": f"#!/bin/sh\ncd {shlex.quote(str(project.folder))}\n{script}"})
    assert project.run("infratest provision").status == 0
    assert "sh" in Path(project.folder / "parent.txt").read_text()
    assert leaks(project) == []
