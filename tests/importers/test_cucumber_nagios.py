"""cucumber-nagios' features as they were written, run through the pack on this machine."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
import tomllib
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.importers.cucumber_nagios import CucumberNagios
from infratest.importers.cucumber_nagios.declared import plain
from infratest.importers.cucumber_nagios.pack import LATER, STEPS
from tests.worlds.shop_pages import PASSWORD, shop
from tests.worlds.small_project import run, write

ROOT = Path(__file__).parents[2]
STACK = """\
stack: old
provider: local
hosts: {web: {}}
parameters: {password: {type: string, secret: true, from: {env: SHOP_PASSWORD}}}
"""
#: Each scenario's name says what it comes to.
FEATURE = """\
Feature: shop.example
  It should be up

  Scenario: ok, the page
    When I go to "URL/page"
    Then the request should succeed
    And I should see "Welcome"
    And I should see "v1\\.2"
    And I should not see "Traceback"

  Scenario: critical, a text that is not there
    When I go to URL/page
    Then the benchmark request should succeed
    And I should see "Traceback"

  Scenario: critical, a page that is not there
    When I go to "URL/nosuch"
    Then the request should succeed

  Scenario: ok, a page that must not be there
    When I go to "URL/nosuch"
    Then the request should fail

  Scenario: ok, a header
    When I fetch headers from "URL/page"
    Then the "Content-Length" header should be "19"

  Scenario: critical, a header
    When I fetch headers from "URL/page"
    Then the "Content-Length" header should be "20"

  Scenario: ok, a name
    When I lookup "localhost"
    Then the name should resolve to "127.0.0.1"

  Scenario: critical, a name
    When I lookup "localhost"
    Then the name should resolve to "192.0.2.1"

  Scenario: ok, in time
    Given I am benchmarking
    When I go to "URL/page"
    Then the request should succeed
    And the elapsed time should be less than 60 seconds

  Scenario: critical, out of time
    Given I am benchmarking
    Then the elapsed time should be less than 0 seconds

  Scenario: ok, a command
    When I run 'echo one; echo two >&2; exit 3'
    Then it should exit '3'
    And 'stdout' should have 'o.e$'
    And 'stdout' should not have 'two'
    And 'stderr' should have 'two'

  Scenario: unknown, that no lines fit together
    When I run 'echo one; echo two'
    Then 'stdout' should not have 'one.*two'

  Scenario: critical, a command
    When I run 'echo one'
    Then 'stderr' should have 'one'

  Scenario: critical, an exit
    When I run 'exit 1'
    Then it should exit '0'

  Scenario: ok, files
    Then a file named 'PLACE/page' should exist
    And a file named 'PLACE/nosuch' should not exist
    And a file named 'PLACE/page' should contain 'Wel.*v1'
    And a file named 'PLACE/page' should contain 'Wel' only '1' time
    And the file named 'PLACE/page' should be owned by 'root'
    And the file named 'PLACE/page' should have mode '644'
    And a directory named 'PLACE' should exist
    And a directory named 'PLACE/nosuch' should not exist
    And the directory named 'PLACE' should be owned by 'root'
    And the directory named 'PLACE' should have mode '0755'

  Scenario: critical, a directory is there where nothing should be
    Then a file named 'PLACE' should not exist

  Scenario: critical, a file
    Then a file named 'PLACE/nosuch' should exist

  Scenario: critical, how often
    Then a file named 'PLACE/page' should contain 'Wel' only '2' times

  Scenario: critical, a mode
    Then the directory named 'PLACE' should have mode '0700'

  Scenario: ok, by SSH
    Given I have no public keys set
    When I ssh to "web" with the following credentials:
      | username | password |
      | nagios   | unused   |
    And I run "echo load average"
    Then I should see "load" in the output
    When I run "echo to standard error >&2"
    Then I should see "^to +standard" in the output
    And I can ssh to the following hosts with these credentials:
      | hostname | username |
      | web      | nagios   |

  Scenario: unknown, a host that the stack has not
    Then I can ssh to "nosuch" with the following credentials:
      | username | password |
      | nagios   | unused   |

  Scenario: unknown, nothing said before
    Then the request should succeed

  Scenario: unknown, no queue
    Given I have a AMQP server on db
    Then it should have less than 3 messages

  Scenario: unknown, a file that is made
    Given we have an empty file named 'made.txt'

  Scenario: ok, a header as a pattern
    When I fetch headers from "SHOP/orders"
    Then the response should contain the "Set-Cookie" header
    And the "Set-Cookie" header should contain "^sid=.*HttpOnly"
    And the "Set-Cookie" header should not contain "Domain"

  Scenario: ok, the page whose headers were fetched
    When I fetch headers from "SHOP/orders"
    Then the request should succeed
    And I should see "Sign in"
    And the response should contain the "Content-Type" header

  Scenario: critical, the page whose headers were fetched
    When I go to "SHOP/"
    And I fetch headers from "SHOP/nosuch"
    Then the request should succeed

  Scenario: unknown, a pattern that RE2 has not
    When I go to "SHOP/"
    Then I should not see "(?=T)raceback"

  Scenario: ok, a login
    When I go to "SHOP/"
    And I follow "Sign in"
    And I fill in "User" with "ada"
    And I fill in "Password" with "{param.password}"
    And I uncheck "Remember me"
    And I press "Sign in"
    Then the request should succeed
    And I should see "remembered: no"
    And I should see "open.*open"
    And I should not see "Traceback.*"
    When I follow "Sign out"
    Then I should see "Sign in"

  Scenario: ok, a wrong password
    When I go to "SHOP/login"
    And I fill in "User" with "bob"
    And I fill in "Password" with "{param.password}"
    And I press "Sign in"
    Then I should see an error message

  Scenario: critical, no message
    When I go to "SHOP/"
    Then I should see an error message

  Scenario: unknown, a password in a feature
    When I go to "SHOP/login"
    And I fill in "Password" with "literal-pw"

  Scenario: ok, an order
    When I go to "SHOP/order"
    And I select "Express" from "Delivery"
    And I check "Terms"
    And I choose "Invoice"
    And I attach the file at "PLACE/page" to "Photo"
    And I press "Order now"
    Then I should see "photo=page:19"
    And I should see "pay=inv"

  Scenario: ok, a form by its name
    When I go to "SHOP/"
    And I submit the form named "search"
    Then I should see "searched: q="

  Scenario: ok, a login by the server
    Given I am HTTP digest authenticated with the following credentials:
      | username | password         |
      | ada      | {param.password} |
    When I go to "SHOP/headers"
    Then I should see "Authorization: Basic"

  Scenario: ok, headers with a login
    Given I am HTTP digest authenticated with the following credentials:
      | username | password         |
      | ada      | {param.password} |
    When I fetch headers from "SHOP/headers"
    Then the "Content-Type" header should contain "^text/"
    And I should see "Authorization: Basic"

  Scenario: critical, a link that is not there
    When I go to "SHOP/"
    And I follow "Shipping"
    Then I should not see "Traceback"

  Scenario: critical, an error
    When I go to "SHOP/"
    And I follow "Broken"
    Then I should not see "something"

  Scenario: ok, our own sentence in between
    When I go to "SHOP/"
    And the link "Sign in" is followed
    Then the page has the field "User"
    And I should see "Remember me"
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A project with the feature as it is, the verb's file beside it, and its report."""
    folder, place = tmp_path_factory.mktemp("old"), tmp_path_factory.mktemp("place")
    place.chmod(0o755)
    write(place, {"page": "Welcome to\nv1.2 ...\n"[:19]})
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, shop() as pages:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        text = FEATURE.replace("URL", f"http://127.0.0.1:{server.server_port}").replace("PLACE", str(place))
        write(folder, {"stack.yaml": STACK, "features/shop.feature": text.replace("SHOP", pages.url)})
        imported = run(folder, "infratest", "import", "cucumber-nagios", "features")
        lint = run(folder, "infratest", "lint")
        check = run(folder, "infratest", "check", "--format", "json", "--timeout", "120s", SHOP_PASSWORD=PASSWORD)
        made = [path for method, path, _ in pages.requests if method == "POST"]
        server.shutdown()
    assert check.stdout, check.stderr
    return folder, imported, lint, json.loads(check.stdout)["results"], made


def test_features_run_unchanged(world):
    results = world[3]
    assert len(results) == FEATURE.count("Scenario:")
    for each in results:
        assert each["state"] == each["scenario"].partition(",")[0], each


def test_what_does_not_hold_is_said_without_a_traceback(world):
    """What was expected, the page and its status: nothing of behave's own way to it."""
    reasons = {each["scenario"]: each["reason"] for each in world[3] if each["state"] == "critical"}
    assert reasons
    for reason in reasons.values():
        assert not any(words in reason for words in ("SUB-STEP", "Traceback (", "site-packages")), reason
    assert any(
        re.search(r'the page "http://127.0.0.1:\d+/nosuch" is opened: .* answered 404$', one)
        for one in reasons.values()
    )


def test_no_step_of_a_session_is_done_twice(world):
    assert sorted(world[4]) == ["/login", "/login", "/order"]


def test_lint_takes_them(world):
    assert world[2].returncode == 0, world[2].stdout + world[2].stderr


def test_what_is_not_there_yet_is_told_with_its_line(world):
    folder, imported, *_ = world
    assert imported.returncode == 1
    lines = (folder / "features/shop.feature").read_text().splitlines()
    texts = (
        "'stdout' should not have 'one.*two'", 'I should not see "(?=T)raceback"',
        "we have an empty file named 'made.txt'",
    )  # fmt: skip
    for text in texts:
        number = next(number for number, line in enumerate(lines, 1) if text in line)
        assert f"features/shop.feature:{number}: not carried over: {text}: " in imported.stderr
    assert imported.stderr.count("not carried over") == len(texts)
    assert imported.stderr.endswith("3 steps could not be\n")
    assert (folder / "features/steps/cucumber_nagios.py").exists()


def test_importing_again_changes_nothing_and_overwrites_nothing(world):
    folder = world[0]
    assert run(folder, "infratest", "import", "cucumber-nagios", "features").returncode == 1
    file = folder / "features/steps/cucumber_nagios.py"
    kept = file.read_text()
    file.write_text("# mine\n")
    done = run(folder, "infratest", "import", "cucumber-nagios", "features")
    assert (done.returncode, file.read_text()) == (2, "# mine\n")
    assert "is in the way" in done.stderr
    file.write_text(kept)


@pytest.mark.parametrize(
    ("stack", "features", "there", "steps"),
    [
        ("", "features", "", "features/steps"),
        ("", "cn", "", "steps"),  # beside the stack file
        ("", "checks/cn", "", "steps"),  # above
        ("", "features/cn", "", "features/steps"),
        ("", "features", "steps/mine.py", "steps"),  # beside those that are there
        ("", "cn", "features/steps/mine.py", "features/steps"),
        ("cn", "cn", "", "cn/steps"),
    ],
)
def test_the_steps_go_where_they_are_read(stack, features, there, steps, tmp_path):
    feature = 'Feature: a\n  Scenario: b\n    When I ping "127.0.0.1"\n    Then it should respond\n'
    write(
        tmp_path,
        {f"{stack or '.'}/stack.yaml": STACK, f"{features}/a.feature": feature, **({there: ""} if there else {})},
    )
    done = run(tmp_path, "infratest", "import", "cucumber-nagios", features)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"{steps}/cucumber_nagios.py\n2 steps carried over\n"
    (file,) = tmp_path.rglob("cucumber_nagios.py")
    assert file == tmp_path / steps / "cucumber_nagios.py"
    words = ("--stack", f"{stack}/stack.yaml") if stack else ()
    lint = run(tmp_path, "infratest", "lint", *words, features, SHOP_PASSWORD="long enough")
    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_without_a_stack_file_it_is_told_where_the_steps_are_read(tmp_path):
    write(tmp_path, {"cn/a.feature": 'Feature: a\n  Scenario: b\n    When I ping "127.0.0.1"\n'})
    done = run(tmp_path, "infratest", "import", "cucumber-nagios", "cn")
    assert "cn/steps/cucumber_nagios.py\n" in done.stderr
    assert "note: no stack.yaml is here or above: the steps are read where it lies in" in done.stderr


def test_each_step_that_it_ships_is_known():
    peers = tomllib.loads((ROOT / "docs/peers/cucumber-nagios.toml").read_text())
    rows = {row for part in peers.values() if isinstance(part, dict) for row in part}
    assert {step.row for step in (*STEPS, *LATER)} == rows
    assert not {step.row for step in STEPS} & {step.row for step in LATER}


def test_a_text_within_a_part_of_the_page_is_told(tmp_path):
    text = (
        'Feature: a\n  Scenario: b\n    When I go to "http://shop/"\n'
        '    Then I should not see "Welcome" within "h1"\n    And I should see "a "b" c"\n'
    )
    write(tmp_path, {"a.feature": text})
    made = CucumberNagios().read(tmp_path)
    assert made.carried == 2
    [remark] = made.left
    assert (remark.line, "no step of cucumber-nagios" in remark.words) == (4, True)


def test_steps_of_ones_own_are_told(tmp_path):
    write(tmp_path, {"a.feature": 'Feature: a\n  Scenario: b\n    Given I am logged in\n    When I ping "db"\n'})
    made = CucumberNagios().read(tmp_path)
    assert made.carried == 1
    [remark] = made.left
    assert (remark.line, "no step of cucumber-nagios" in remark.words) == (3, True)


def test_a_folder_without_features_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no features"):
        CucumberNagios().read(tmp_path)
    with pytest.raises(UserError, match="is no folder"):
        CucumberNagios().read(tmp_path / "nosuch")


@pytest.mark.parametrize(("text", "meant"), [(r"v1\.2", "v1.2"), ("a.b", "a.b"), ("a*", None), (r"\d", None), ("", "")])
def test_a_pattern_that_means_one_text(text, meant):
    assert plain(text) == meant
