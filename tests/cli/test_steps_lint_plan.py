"""`infratest steps`, `lint` and `plan`, as a user calls them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from infratest.gherkin.synonyms import SYNONYMS
from infratest.gherkin.vocabulary import vocabulary
from tests.worlds import forked

READY_MADE = sorted(path.stem for path in (Path(__file__).parents[2] / "features").glob("*.feature"))
STACK = """\
stack: shop
provider: existing
parameters: {stock: {type: integer, default: 42}}
hosts:
  web: {count: 2, groups: [web], labels: {role: web}}
  db: {address: 192.0.2.9, groups: [data]}
features: [features]
"""
#: For `plan`, where the hosts' addresses must be known.
LOCAL = """\
stack: desk
provider: local
hosts: {here: {groups: [desk]}}
features: [features]
"""


def infratest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_")}
    done = forked.run(words, cwd=folder, env=environment)
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "features").mkdir()
    (tmp_path / "stack.yaml").write_text(STACK)
    return tmp_path


def feature(project: Path, text: str, name: str = "a") -> None:
    (project / f"features/{name}.feature").write_text(text)


# steps


def test_steps_lists_all_kinds(tmp_path):
    done = infratest(tmp_path, "steps")
    assert done.returncode == 0
    for words in ("Given: which hosts", "When: acts", "Then: checks", "Bounds: less than,", "Values: {host.address}"):
        assert words in done.stdout
    assert '  the service "nginx" is running\n' in done.stdout
    assert 'not: the service "nginx" is not running' in done.stdout


def test_steps_by_a_part(tmp_path):
    done = infratest(tmp_path, "steps", "PORT")
    assert done.returncode == 0
    assert "port 80 is listening" in done.stdout
    assert "nginx" not in done.stdout
    assert "Bounds:" not in done.stdout


def test_steps_by_words_that_stand_together(tmp_path):
    done = infratest(tmp_path, "steps", "is", "running")
    assert done.returncode == 0
    assert 'the service "nginx" is running' in done.stdout
    assert "is installed" not in done.stdout


@pytest.mark.parametrize("words", ["YAML", "yaml", "as INI", "prints yaml with", "Is Running"])
def test_steps_are_found_by_a_format_and_in_letters_of_either_case(tmp_path, words):
    done = infratest(tmp_path, "steps", *words.split())
    assert done.returncode == 0, done.stderr
    assert "Then: checks" in done.stdout


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("dns", 'the name "shop.example" resolves to'),
        ("symlinks", "points to"),
        ("Permissions", " has mode "),
        ("kernel parameter", "the sysctl "),
        ("status code", " answers 200"),
    ],
)
def test_steps_are_found_by_words_of_the_field_that_no_sentence_has(tmp_path, words, sentence):
    done = infratest(tmp_path, "steps", *words.split())
    assert done.returncode == 0, done.stderr
    assert sentence in done.stdout


def test_each_word_of_the_field_finds_more_than_it_does_by_itself():
    texts = [f"{one.example} {one.pattern} {one.summary}".lower() for one in vocabulary().sentences]
    for word, ours in SYNONYMS.items():
        for each in ours:
            assert any(each in text for text in texts), (word, each)
        assert any(word not in text and any(each in text for each in ours) for text in texts), word


def test_steps_that_are_not_there(tmp_path):
    done = infratest(tmp_path, "steps", "the servise is running")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no sentence holds 'the servise is running'; the nearest: " in done.stderr


def test_steps_that_are_nowhere_near_tell_where_all_are(tmp_path):
    done = infratest(tmp_path, "steps", "zzzz")
    assert (done.returncode, done.stderr) == (1, "no sentence holds 'zzzz'; `infratest steps` lists all there are\n")


def test_what_may_stand_in_a_sentence_is_shown_with_it(tmp_path):
    shown = infratest(tmp_path, "steps", "is", "opened").stdout
    assert shown.count("may have, in this order: ") == 1
    line = " ".join(shown.partition("may have, in this order: ")[2].split())
    assert 'logged in as "LOGIN", with the token "TOKEN", with the request header "SENDS"' in line
    assert line.endswith('trusting any certificate, at "PLACE_OF", by the proxy "PROXY", whatever it answers')
    assert "may have" not in infratest(tmp_path, "steps", "takes less than 5 s").stdout


def test_options_of_many_sentences_are_shown_once_and_in_lines_of_a_screen(tmp_path):
    shown = infratest(tmp_path, "steps", "answers").stdout
    assert shown.count('with the request header "SENDS"') == 1
    assert shown.count("may have, in this order: those of [1]") > 3
    assert "\n  [1] asked by METHOD, with the body " in shown
    said = [line for line in shown.splitlines() if line.startswith("      ") and not line.startswith("      not: ")]
    assert max(map(len, said)) <= 100  # sentences are one line each
    assert '      not: "https://shop.example/" does not answer 200\n' in shown


def test_steps_tell_what_was_never_seen_for_real(tmp_path):
    assert (
        "      never seen for real: any bond, written after the kernel's" in infratest(tmp_path, "steps", "bond").stdout
    )
    assert "never seen" not in infratest(tmp_path, "steps", "bridge").stdout
    (found,) = json.loads(infratest(tmp_path, "steps", "SELinux is", "--format", "json").stdout)
    assert found["unseen"] == "any mode but disabled, written after getenforce(8)"


#: Files of sentences that need a page before them.
SESSION = ("browsing", "page", "page_element")


def test_every_example_of_steps_is_a_sentence(tmp_path):
    """Written into a feature, the whole catalogue lints clean."""
    printed = infratest(tmp_path, "steps", "--format", "json").stdout
    assert "{param.mail_password}" in printed  # of a password its parameter alone is told, which is no secret
    found = json.loads(printed)
    assert {item["kind"] for item in found} == {"setup", "act", "step", "check"}
    assert len(found) > 60
    (tmp_path / "features").mkdir()
    lines = ["Feature: all", ""]
    for number, item in enumerate(found):
        keyword = {"setup": "Given", "act": "When", "step": "When", "check": "Then"}[item["kind"]]
        opened = ['    When the page "http://x.example/" is opened'] if item["vocabulary"] in SESSION else []
        drill = item["vocabulary"] == "drill"
        opened += ['    When the process "nginx" is killed on "web-1"'] if drill else []
        lines += ["  @drill:restart-nginx"] if drill else []
        lines += [f"  Scenario: number {number}", *opened, f"    {keyword} {item['example']}"]
        heals = ['    Then the rule "restart-nginx" heals "web-1" by "restart-service" within 60 s'] if drill else []
        lines += ["    Then port 22 is listening", ""] if item["kind"] in ("setup", "act") else [*heals, ""]
    feature(tmp_path, "\n".join(lines))
    done = infratest(tmp_path, "lint")
    assert (done.returncode, done.stdout) == (0, "")
    assert f"{len(found)} scenarios" in done.stderr


# lint


@pytest.mark.parametrize("name", READY_MADE)
def test_ready_made_features_are_free_of_mistakes(tmp_path, name):
    done = infratest(tmp_path, "lint", f"@{name}")
    assert (done.returncode, done.stdout) == (0, "")


def test_there_are_ready_made_features():
    assert {"linux-baseline", "self-acts", "self-made-host"} <= set(READY_MADE)


@pytest.mark.parametrize(
    "text, line, words",
    [
        ("Feature: f\n  Scenario: s\n    Then the servise \"x\" is running\n", 3, "the service"),
        ("Feature: f\n  Scenario: s\n    Then the disk \"/\" is less than 9 GiB full\n", 3, "GiB"),
        ("Feature: f\n  Scenario: s\n    The port 80 is listening\n", 3, "'The port 80 is listening' stands before"),
        ("Feature: f\n  Scenario: s\n", 2, "s"),
        ("Feature: f\n  Scenario Outline: s\n    Then port <p> is listening\n", 2, ""),
        ("Feature: f\n  @tyme:1s\n  Scenario: s\n    Then port 80 is listening\n", 3, "@tyme:"),
        ("Feature: f\n  Scenario: s\n    Then port 1 is listening\n  Scenario: S!\n    Then port 2 is listening\n",
         4, "has the same id as"),
        ("Feature: f\n  Scenario: s\n    Given the hosts in group \"wbe\"\n    Then port 80 is listening\n", 3, "web"),
        ("Feature: f\n  Scenario: s\n    Given the host \"web-3\"\n    Then port 80 is listening\n", 3, "web-"),
        ("Feature: f\n  Scenario: s\n    Then \"http://{host.adress}/\" answers 200\n", 3, "address"),
        ("Feature: f\n  Scenario: s\n    Then the file \"/{param.stok}\" exists\n", 3, "stock"),
    ],
)  # fmt: skip
def test_lint_names_file_and_line(project, text, line, words):
    feature(project, text)
    done = infratest(project, "lint")
    assert done.returncode == 1
    first = done.stdout.splitlines()[0]
    place, _, message = first.partition(": ")
    assert place.endswith(f"features/a.feature:{line}"), first
    assert words in message
    assert re.search(r": [1-9] mistakes?\n$", done.stderr)


def test_lint_shows_the_mistakes_of_all_files(project):
    for name in "ab":
        feature(project, 'Feature: f\n  Scenario: s\n    Then the servise "x" runs\n    And port x listens\n', name)
    done = infratest(project, "lint")
    assert done.returncode == 1
    assert [line.split(": ")[0].rsplit("/", 1)[-1] for line in done.stdout.splitlines() if ".feature:" in line] == [
        "a.feature:3", "a.feature:4", "b.feature:3", "b.feature:4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("image: debain-12", "hosts.web.image: unknown image 'debain-12': did you mean 'debian-12'?"),
        ("user: Big:User", "user 'Big:User' is no user of a Linux host"),
        ("ready: [prt 22 is listening]", "ready: undefined: 'prt 22 is listening'"),
    ],
)
def test_lint_finds_in_the_stack_file_what_up_would_refuse(tmp_path, host, words):
    (tmp_path / "features").mkdir()
    feature(tmp_path, "Feature: f\n  Scenario: s\n    Then port 80 is listening\n")
    stack = f"stack: shop\nprovider: container\nhosts:\n  web:\n    {host}\n"
    (tmp_path / "stack.yaml").write_text(stack, encoding="utf-8")
    done = infratest(tmp_path, "lint")
    assert (done.returncode, done.stderr) == (1, "1 feature, 1 scenario: 1 mistake\n")
    assert done.stdout.startswith("stack.yaml:4: ")
    assert words in done.stdout
    for command in (["up"], ["up", "--dry-run"]):
        refused = infratest(tmp_path, *command)
        assert (refused.returncode, words in refused.stderr, refused.stdout) == (2, True, "")
    assert not (tmp_path / ".infratest").exists()  # nothing was begun


def test_hosts_that_differ_in_capitals_alone_are_refused_where_they_are_made(tmp_path):
    """A host that asks for the address of one would have that of the other: names have no capitals there."""
    (tmp_path / "features").mkdir()
    feature(tmp_path, "Feature: f\n  Scenario: s\n    Then port 80 is listening\n")
    for provider, status in (("container", 1), ("existing", 0)):
        hosts = "hosts:\n  web:\n    groups: [a]\n  Web:\n    groups: [b]\n"
        (tmp_path / "stack.yaml").write_text(f"stack: shop\nprovider: {provider}\n{hosts}", encoding="utf-8")
        done = infratest(tmp_path, "lint")
        words = "stack.yaml:6: hosts web and Web differ in capital letters alone"
        assert (done.returncode, words in done.stdout) == (status, status == 1), done


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{when: {tags: 'web and'}, do: [{restart-service: x}]}", "tags 'web and' is no tag expression"),
        ("{do: [{restart-service: x}, {hook: page.sh}]}", "hook page.sh: "),
        ("{do: [{hook: [no-such-program, x]}]}", "no-such-program is not there or cannot be executed"),
        ("{do: [{hook: [sh, -c, 'true']}]}", ""),
        ("{do: [{hook: there.sh}]}", ""),
    ],
)
def test_lint_looks_at_heal_rules_before_they_are_needed(project, rule, words):
    feature(project, "Feature: f\n  @heal:mend @web\n  Scenario: s\n    Then port 80 is listening\n")
    (project / "there.sh").write_text("#!/bin/sh\n")
    (project / "there.sh").chmod(0o755)
    (project / "stack.yaml").write_text(STACK + f"heal:\n  mend:\n    {rule}\n", encoding="utf-8")
    done = infratest(project, "lint")
    assert done.returncode == (1 if words else 0), done.stdout
    assert ("stack.yaml:9: rule mend: " in done.stdout, words in done.stdout) == (bool(words), True)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{do: [{restart-service: x}]}", "none is tagged @heal:mend"),
        (
            "{when: {tags: 'wbe and not slow'}, do: [{restart-service: x}]}",
            "its tags 'wbe and not slow' select none of 2",
        ),
        ("{when: {tags: web}, do: [{restart-service: x}]}", ""),
        ("{when: {tags: other}, do: [{restart-service: x}]}", ""),
    ],
)
def test_lint_names_a_heal_rule_that_no_scenario_is_for(project, rule, words):
    feature(project, "Feature: f\n  @web\n  Scenario: s\n    Then port 80 is listening\n")
    feature(project, "Feature: f\n  @other\n  Scenario: s\n    Then port 81 is listening\n", "b")
    (project / "stack.yaml").write_text(STACK + f"heal:\n  mend:\n    {rule}\n", encoding="utf-8")
    for arguments in ((), ("features/a.feature",)):
        done = infratest(project, "lint", *arguments)
        assert (done.returncode, bool(done.stdout)) == ((1, True) if words else (0, False)), done.stdout
        assert words in done.stdout
        if words:
            assert done.stdout.startswith("stack.yaml:9: rule mend: no scenario is healed by it: ")


def test_lint_tells_all_that_is_wrong_at_once(project):
    (project / "stack.yaml").write_text(STACK + "outputs: {url: x}\n", encoding="utf-8")
    feature(
        project,
        'Feature: f\n  Scenario: s\n    Given the host "web-1"\n    Then port 80 is listening on "wbe"\n'
        '    And "http://x/" answers from every host in "dat"\n    And the file "{output.x}" exists\n'
        '    And "orders" is runing\n    And the disk "/" is less than 90 GB full\n'
        '  Scenario: only a Given\n    Given the hosts in group "web"\n'
        "  Scenario: seen from nowhere\n    Then port 22 is listening from the controller\n",
    )
    (project / "features/b.feature").write_text(OPEN)
    done = infratest(project, "lint")
    assert done.returncode == 1
    told = [line.partition("/")[2].split(": ", 1) for line in done.stdout.splitlines()]
    assert sorted((place, words.partition("; ")[0].partition("? ")[0]) for place, words in told) == [
        ("a.feature:12", "from the controller: socket is seen on hosts alone"),
        ("a.feature:4", "unknown host 'wbe': did you mean 'web-2'"),
        ("a.feature:5", "unknown group 'dat': did you mean 'data'"),
        ("a.feature:6", "{output.x}: unknown name 'x'"),
        ("a.feature:7", "undefined: '\"orders\" is runing'"),
        (
            "a.feature:8",
            "'the disk \"/\" is less than 90 GB full': bound: '90 GB' is not a number with one of %, as 90 %",
        ),
        ("a.feature:9", "scenario 'only a Given' selects hosts and checks nothing: add a Then"),
        ("b.feature:6", "the table row '| 18080' is not closed: its last cell would be cut"),
    ]
    assert 'the nearest there is: the service "orders" is running\n' in done.stdout
    assert done.stderr.endswith(": 8 mistakes\n")


def test_a_wrong_tag_hides_nothing_that_does_not_fit_the_stack(project):
    feature(
        project,
        'Feature: f\n  @tset\n  Scenario: s\n    Given the host "wbe-1"\n    Then port 80 is listening on "wbe"\n'
        '    And the file "{param.stok}" exists\n  @id:x @id:y\n  Scenario: only a Given\n    Given the host "db"\n'
        '  @needs:nobody\n  Scenario: of {host.name}\n    Then the disk "/" is less than 90 GB full\n',
    )
    done = infratest(project, "lint")
    assert done.returncode == 1
    assert [line.split(":")[1] for line in done.stdout.splitlines()] == [
        "3", "8", "8", "11", "12", "8", "11", "4", "5", "6",
    ], done.stdout  # fmt: skip
    assert done.stderr == "1 feature, 3 scenarios: 10 mistakes\n"


def test_what_reads_otherwise_than_meant_hides_no_mistake_of_other_scenarios(project):
    feature(
        project,
        "Feature: f\n  Scenario: empty\n  @nedes:x\n  Scenario: tagged\n    Then port 80 is listning\n"
        "  Scenario: swallowed\n    Thne port 80 is listening\n    Then port 80 is listning\n"
        '  @needs:swallowed\n  Scenario: last\n    Then port 99999 is listening\n    And the host "x" is gone\n',
    )
    done = infratest(project, "lint")
    assert done.returncode == 1
    lines = [line.split(":")[1] for line in done.stdout.splitlines()]
    assert lines == ["2", "4", "5", "7", "11", "12"], done.stdout  # of line 8 nobody knows how it is meant
    assert done.stderr == "1 feature, 4 scenarios: 6 mistakes\n"


def test_lint_looks_at_the_features_that_a_wrong_stack_file_names(project):
    (project / "stack.yaml").write_text(
        STACK.replace("[features]", "[mine]") + "waivers: [{id: x, why: '', until: 2027-03-01}]\n", encoding="utf-8"
    )
    (project / "mine").mkdir()
    (project / "mine/a.feature").write_text("Feature: f\n  Scenario: s\n    Then port 99999 is listening\n")
    feature(project, "Feature: f\n  @tset\n  Scenario: s\n    Then port 80 is listening\n")
    done = infratest(project, "lint")
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == ["stack.yaml:8", "mine/a.feature:3"]


def test_no_act_is_proposed_where_none_may_stand(project):
    text = 'the process "nginx" is kild'
    feature(project, f"Feature: f\n  Scenario: s\n    Given {text}\n    When {text}\n    Then port 80 is listening\n")
    given, when = infratest(project, "lint").stdout.splitlines()
    assert when.endswith('did you mean: the process "nginx" is killed')
    assert "killed" not in given


def test_lint_goes_on_to_features_where_the_stack_file_is_wrong(project):
    (project / "stack.yaml").write_text(STACK + "budget: {cost: 1}\nhost: {}\n", encoding="utf-8")
    feature(project, "Feature: f\n  @tset\n  Scenario: s\n    Then port 80 is listening\n")
    done = infratest(project, "lint")
    assert done.returncode == 1
    assert [line.partition(": ")[0] for line in done.stdout.splitlines()] == [
        "stack.yaml:8", "stack.yaml:9", "features/a.feature:3",
    ]  # fmt: skip


OPEN = (
    "Feature: f\n  Scenario Outline: port <p>\n    Then port <p> is listening\n    Examples:\n"
    "      | p     |\n      | 18080\n"
)


@pytest.mark.parametrize(
    "source, words",
    [
        ("{env: NO_SUCH_VARIABLE}", "the environment variable NO_SUCH_VARIABLE is not set"),
        ("{file: none/token}", "none/token cannot be read"),
        ("{command: [/no/such/program]}", "/no/such/program cannot be run"),
    ],
)
def test_lint_needs_no_secret(project, source, words):
    """A pull request from a stranger is looked at without any; a run has use for them, and is refused."""
    key = f"{{type: string, secret: true, from: {source}}}"
    stack = f"stack: desk\nprovider: local\nhosts: {{here: {{}}}}\nparameters: {{key: {key}}}\n"
    (project / "stack.yaml").write_text(stack)
    feature(project, 'Feature: f\n  Scenario: s\n    Then the command "login {param.key}" exits 0\n')
    done = infratest(project, "lint")
    assert (done.returncode, done.stdout) == (0, "")
    assert words in done.stderr
    assert "1 feature, 1 scenario: no mistakes found" in done.stderr
    assert infratest(project, "test").returncode == 3
    feature(project, 'Feature: f\n  Scenario: s\n    Then the command "login {param.kay}" exits 0\n')
    assert "unknown name 'kay'" in infratest(project, "lint").stdout


def test_an_open_table_row_is_refused_by_every_verb(project):
    (project / "stack.yaml").write_text(LOCAL)
    (project / "features/a.feature").write_text(OPEN)
    for verb, status in (("lint", 1), ("plan", 2), ("test", 3), ("check", 3)):
        done = infratest(project, verb)
        assert done.returncode == status
        said = (done.stdout + done.stderr).replace("'/ 18080'", "'| 18080'")  # a Nagios line holds no pipe
        assert "the table row '| 18080' is not closed" in said
        assert "features/a.feature:6" in said
        assert "Malformed" not in done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("features/steps/deep/mine.py", "features/steps/deep/mine.py: steps that nobody reads: "),
        ("features/web/steps/mine.py", "features/web/steps/mine.py: steps that nobody reads: "),
        ("features/environment.py", ""),
        ("environment.py", "environment.py: hooks that never run: hooks lie beside the folder of steps, "),
    ],
)
def test_lint_names_steps_and_hooks_that_nobody_reads(project, name, words):
    feature(project, "Feature: f\n  Scenario: s\n    Then it is mine\n")
    path = project / name
    for place in (project / "features/steps/own.py", path):
        place.parent.mkdir(parents=True, exist_ok=True)
    (project / "features/steps/own.py").write_text(
        'from behave import then\n@then("it is mine")\ndef look(context): pass\n'
    )
    hooks = "def before_all(context):\n    pass\n"
    path.write_text(hooks if "environment" in name else 'from behave import given\n@given("x")\ndef x(context): pass\n')
    for each in (project, *project.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    done = infratest(project, "lint")
    assert done.returncode == (1 if words else 0), done.stdout
    assert words in done.stdout


def test_steps_lists_the_users_own_marked(project):
    (project / "features/steps").mkdir(mode=0o755)
    path = project / "features/steps/own.py"
    path.write_text(
        "import infratest\nfrom behave import given, then\n"
        '@then("the shop sells {what}")\n@infratest.checks\ndef sells(context, what):\n    """The shop has it."""\n'
        '@given("a full stock")\ndef stock(context): pass\n'
    )
    path.chmod(0o644)
    done = infratest(project, "steps")
    assert done.returncode == 0
    own = done.stdout.partition("Your own steps\n")[2].splitlines()
    assert [own[0], own[2]] == ["  Then the shop sells {what}", "  Given a full stock"]
    assert own[1].startswith("      The shop has it. (own, only looks; ")
    assert own[1].endswith("features/steps/own.py:3)")
    assert own[3].startswith("      (own, may change something; with @infratest.checks it only looks; ")
    one = infratest(project, "steps", "sells")
    assert (one.returncode, "full stock" in one.stdout) == (0, False)
    listed = json.loads(infratest(project, "steps", "sells", "--format", "json").stdout)
    assert [(item["vocabulary"], item["pattern"], item["kind"]) for item in listed] == [
        ("own", "the shop sells {what}", "check")
    ]


def test_lint_of_what_is_not_there(project):
    done = infratest(project, "lint", "features/b.feature")
    assert done.returncode == 2
    assert "no such feature or folder; looked in" in done.stderr


def test_lint_tells_what_is_wrong_in_the_stack_file_though_there_is_no_feature(project):
    (project / "stack.yaml").write_text(STACK + "productoin: true\n", encoding="utf-8")
    done = infratest(project, "lint", "features/b.feature")
    assert done.returncode == 1
    assert "unknown key 'productoin': did you mean 'production'" in done.stdout
    assert "no such feature or folder; looked in" in done.stdout


def test_lint_of_a_stack_without_features_tells_what_up_would_refuse(tmp_path):
    stack = "stack: shop\nprovider: container\nhosts:\n  web:\n    image: debain-12\n"
    (tmp_path / "stack.yaml").write_text(stack, encoding="utf-8")
    done = infratest(tmp_path, "lint")
    assert (done.returncode, done.stderr) == (1, "0 features, 0 scenarios: 2 mistakes\n")
    wrong, missing = done.stdout.splitlines()
    assert wrong.startswith("stack.yaml:4: hosts.web.image: unknown image 'debain-12'")
    assert missing.startswith("features: no such feature or folder; looked in ")


def test_lint_of_a_stack_without_features_and_mistakes_is_no_success(tmp_path):
    (tmp_path / "stack.yaml").write_text("stack: shop\nprovider: container\nhosts: {web: {}}\n", encoding="utf-8")
    done = infratest(tmp_path, "lint")
    assert (done.returncode, done.stdout) == (2, "")
    assert "features: no such feature or folder; looked in " in done.stderr


def test_lint_without_a_stack_file(tmp_path):
    (tmp_path / "features").mkdir()
    feature(tmp_path, 'Feature: f\n  Scenario: s\n    Given the hosts in group "any"\n    Then port 80 is listening\n')
    assert infratest(tmp_path, "lint").returncode == 0


# plan


@pytest.fixture
def desk(project: Path) -> Path:
    (project / "stack.yaml").write_text(LOCAL)
    feature(
        project,
        'Feature: f\n  Scenario: the note\n    Then the file "/etc/hosts" exists\n    And port 22 is listening\n'
        f'  Scenario: an act\n    When the command "touch {project}/mark" is run\n    Then port 22 is listening\n'
        "  @skip:not-yet\n  Scenario: left out\n    Then port 22 is listening\n",
    )
    return project


def test_plan_touches_nothing(desk):
    before = sorted(desk.rglob("*"))
    done = infratest(desk, "plan")
    assert done.returncode == 0
    assert "the-note@here: 2 checks\n" in done.stdout
    assert f'an-act@-: 1 check, acts: the command "touch {desk}/mark" is run on here\n' in done.stdout
    assert "left-out@here: skipped: not yet\n" in done.stdout
    assert "\nhere: 2 facts in one trip\n" in done.stdout
    assert sorted(desk.rglob("*")) == before


def test_plan_as_json(desk):
    document = json.loads(infratest(desk, "plan", "--format", "json").stdout)
    assert [(task["id"], task["acting"], task["skip"]) for task in document["tasks"]] == [
        ("features/a.feature#the-note@here", False, ""),
        ("features/a.feature#an-act@-", True, ""),
        ("features/a.feature#left-out@here", False, "not yet"),
    ]
    assert len(document["asks"]["here"]) == 2
    assert all(ask["command"] for ask in document["asks"]["here"])


def test_plan_lists_the_users_own_commands(desk):
    feature(
        desk,
        'Feature: f\n  Scenario: s\n    Then the command "nginx -t" as root exits 0\n'
        '    And the command "nginx -T | grep -c listen" prints "1"\n    And the command "nginx -t" as root exits 0\n',
    )
    printed = infratest(desk, "plan").stdout
    # Each once, however many sentences ask.
    assert printed.endswith(
        "\nhere: 2 facts in one trip\n"
        "  root-command of yours, as root: nginx -t\n"
        "  command of yours: nginx -T | grep -c listen\n"
    )


def test_plan_speaks_of_facts_and_paths_and_shows_the_shell_when_asked(desk):
    feature(
        desk,
        'Feature: f\n  Scenario: s\n    Then the file "/etc/hosts" contains "local host"\n'
        '    And the file "/etc/hosts" exists\n    And the file "/etc/fstab" exists\n    And port 22 is listening\n'
        '    And "http://127.0.0.1:1/" answers 200 from the controller\n',
    )
    printed = infratest(desk, "plan").stdout
    assert printed.endswith(
        '\nhere: 3 facts in one trip\n  content: /etc/hosts "local host"\n  file: /etc/hosts, /etc/fstab\n  socket\n'
        "\ncontroller:\n  http: http://127.0.0.1:1/\n"
    )
    whole = infratest(desk, "plan", "-v").stdout
    assert "\n  file: /etc/hosts, /etc/fstab\n    set -- " in whole
    document = json.loads(infratest(desk, "plan", "--format", "json").stdout)
    (ask,) = document["asks"]["controller"]
    assert ask == {"fact": "http", "arguments": [["http://127.0.0.1:1/"]], "command": None}
    assert document["asks"]["here"][0]["arguments"] == [["/etc/hosts", "local host"]]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--tags", "nothing"], "selects no scenario of 3"),
        (["--scenario", "the-nite"], "did you mean 'the-note'?"),
        (["--host", "web*"], "selects no host: known are here"),
        (["--format", "yaml"], "'yaml' is not one of"),
    ],
)
def test_plan_of_nothing_is_wrong_use(desk, words, message):
    done = infratest(desk, "plan", *words)
    assert done.returncode == 2
    assert message in done.stderr


#: What a folder without features has instead.
NONE = {"no folder": "no such feature or folder; looked in", "an empty folder": "holds no .feature file"}


@pytest.mark.parametrize(("folder", "words"), NONE.items(), ids=NONE)
def test_plan_without_features_shows_hosts_and_components_and_is_no_success(tmp_path, folder, words):
    stack = "stack: shop\nprovider: container\nhosts: {web: {count: 2, memory: 64MiB, cpus: 0.5}, db: {}}\n"
    stack += "components: {rule: {type: firewall, allow: [{port: 80, from: any}], to: {host: db}}}\n"
    (tmp_path / "stack.yaml").write_text(stack, encoding="utf-8")
    if folder == "an empty folder":
        (tmp_path / "features").mkdir()
    done = infratest(tmp_path, "plan", "--host", "web-*,db")
    assert done.returncode == 2, done
    hosts = [f"host web-{number}: not made; memory: 64MiB, cpus: 0.5" for number in (1, 2)] + ["host db: not made"]
    *shown, component = done.stdout.splitlines()
    assert (shown, component.startswith("firewall rule, for db: ")) == (hosts, True)
    (line,) = done.stderr.splitlines()
    assert words in line
    asked = infratest(tmp_path, "plan", "features/none.feature")
    assert (asked.returncode, asked.stdout) == (2, "")


def test_lint_tells_of_rules_that_tell_nobody(project):
    text = '@web\nFeature: f\n  Scenario: s\n    Given the hosts in group "web"\n    Then port 80 is listening\n'
    feature(project, text)
    monitor = (
        "monitor:\n"
        "  receivers: {ops: {webhook: {url: 'https://hooks.example/'}}}\n"
        "  tell:\n"
        "    - {when: tag=web and label.role=web, to: ops, stop: true}\n"
        "    - {when: WHEN, to: ops}\n"
    )
    hint = (
        "stack.yaml:8: monitor.tell: nobody is told where 3 of 5 results become unknown, such as reachable@web-1; "
        "where that is not meant, end `tell` with a rule without `when`\n"
    )

    def linted(when: str) -> tuple[int, str]:
        (project / "stack.yaml").write_text(STACK + monitor.replace("WHEN", when))
        done = infratest(project, "lint")
        return done.returncode, done.stdout

    assert linted("state=critical") == (0, hint)  # of the hosts themselves, which have no tags, too: no mistake
    assert linted("state!=warning") == (0, "")
    assert linted("tag=wbe")[1] == (
        "stack.yaml:12: monitor.tell[1].when: 'tag=wbe': unknown tag 'wbe': did you mean 'web'? known are web\n"
    )
    assert linted("id=features/*") == (
        1,
        "stack.yaml:12: monitor.tell[1].when: whatever it is for ends at a rule before it with `stop: true` "
        "(stack.yaml:11: monitor.tell[0].when); put it before that one\n",
    )
    assert linted("data and state=warning") == (
        1,
        "stack.yaml:12: monitor.tell[1].when: it is for no result that there can be; mend it, or remove the rule\n",
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("{webhok: {url: 'https://a/'}}", "unknown receiver 'webhok': did you mean 'webhook'?"),
        ("{webhook: {urls: 'https://a/'}}", "webhook: unknown key 'urls': did you mean 'url'?"),
        ("{webhook: {url: 'https://a/', token-file: none.txt}}", "none.txt cannot be read: No such file"),
    ],
)
def test_lint_tells_of_a_receiver_that_cannot_be_one(project, written, words):
    feature(project, 'Feature: f\n  Scenario: s\n    Then the file "/etc/hosts" exists\n')
    (project / "stack.yaml").write_text(STACK + f"monitor:\n  tell: []\n  receivers:\n    ops: {written}\n")
    done = infratest(project, "lint")
    assert done.returncode == 1
    assert done.stdout.startswith("stack.yaml:11: monitor.receivers.ops: ")
    assert words in done.stdout
