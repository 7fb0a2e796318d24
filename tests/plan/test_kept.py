"""The kept plan of a check: the same answer with it as without, and never believed when something has changed."""

from __future__ import annotations

import marshal
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from infratest.cli._kept_plan import TICK, keep_plan
from infratest.identity import account
from infratest.plan import kept
from infratest.project.prepare import Request, prepare
from infratest.project.session import Session
from tests.worlds.wheel import installed

PROGRAM = str(Path(sys.executable).with_name("check_infratest"))
FEATURE = 'Feature: f\n  Scenario: {0}\n    Then the file "{1}" exists\n'


@dataclass
class Place:
    """A project on this machine, with a cache of its own."""

    folder: Path
    cache: Path
    program: str = PROGRAM

    def write(self, name: str, title: str, path: str) -> Path:
        target = self.folder / "features" / name
        target.parent.mkdir(exist_ok=True)
        target.write_text(FEATURE.format(title, path), encoding="utf-8")
        return target

    def check(self, *words: str, **environment: str) -> tuple[int, str]:
        """Return exit status and output, with what differs from run to run taken out."""
        known = {key: value for key, value in os.environ.items() if not key.startswith(("INFRATEST_", "XDG_"))}
        done = subprocess.run(
            [self.program, "--host", "local", *words], cwd=self.folder, capture_output=True, encoding="utf-8",
            timeout=60, check=False, env=known | {"XDG_CACHE_HOME": str(self.cache)} | environment,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, re.sub(r"time=[\d.]+s", "time=", done.stdout)

    def plans(self) -> list[Path]:
        return sorted((self.cache / "infratest" / "plans").glob("*"))


@pytest.fixture
def place(tmp_path):
    (tmp_path / "project").mkdir()
    found = Place(tmp_path / "project", tmp_path / "cache")
    found.write("a.feature", "one", "/etc/passwd")
    return found


def test_the_answer_is_the_same_with_a_kept_plan(place):
    place.write("b.feature", "two", "/nonexistent")
    first = place.check("features")
    assert first[0] == 2
    (plan,) = place.plans()
    assert place.check("features") == first
    assert place.plans() == [plan]
    assert plan.stat().st_mode & 0o777 == 0o600


def test_what_changes_behind_a_link_to_a_folder_is_seen(place, tmp_path):
    shared = tmp_path / "shared"
    (shared / "deep").mkdir(parents=True)
    (place.folder / "features" / "shared").symlink_to(shared)
    assert place.check("features")[0] == 0
    assert len(place.plans()) == 1
    (shared / "deep" / "s.feature").write_text(FEATURE.format("behind", "/nonexistent"), encoding="utf-8")
    assert place.check("features")[0] == 2


@pytest.mark.parametrize("line, status", [(3, 0), (4, 2), (6, 0), (7, 0), (9, 2)])
def test_a_line_of_an_outline_is_the_same_with_a_kept_plan(place, line, status):
    rows = 'Feature: f\n  Scenario: o\n    Then the file "/etc/passwd" exists\n  Scenario Outline: r\n'
    rows += '    Then the file "<p>" exists\n    Examples: good\n    | p |\n    | /etc/passwd |\n'
    rows += "    Examples: bad\n    | p |\n    | /nonexistent |\n"
    (place.folder / "features" / "a.feature").write_text(rows, encoding="utf-8")
    first = place.check(f"features/a.feature:{line}")
    assert (first[0], len(place.plans())) == (status, 1)
    assert place.check(f"features/a.feature:{line}") == first


@pytest.mark.parametrize("make", ["pipe", "undecodable", "unlistable name"])
def test_a_file_that_cannot_be_read_is_unknown_each_time_and_at_once(place, make):
    if make == "pipe":
        os.mkfifo(place.folder / "features" / "z.feature")
    else:
        name = os.fsdecode(b"z\xe9.feature" if make == "undecodable" else b"z\n.feature")
        (place.folder / "features" / name).write_text(FEATURE.format("z", "/"), encoding="utf-8")
    for _ in range(2):
        status, out = place.check("features", "-t", "20")
        assert (status, out[:19]) == (3, "INFRATEST UNKNOWN -")
    assert place.plans() == []


def test_a_feature_that_is_added_is_seen(place):
    assert place.check("features")[0] == 0
    place.write("b.feature", "two", "/nonexistent")
    assert place.check("features")[0] == 2


def test_a_feature_that_is_removed_is_seen(place):
    other = place.write("b.feature", "two", "/nonexistent")
    assert place.check("features")[0] == 2
    other.unlink()
    assert place.check("features")[0] == 0


def test_a_file_swapped_for_one_of_equal_size_and_time_is_seen(place):
    feature = place.write("a.feature", "one", "/etc/passwd")
    assert place.check("features")[0] == 0
    times = feature.stat()
    other = place.folder / "other"
    other.write_text(feature.read_text(encoding="utf-8").replace("/etc/passwd", "/etc/passwx"), encoding="utf-8")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(feature)
    assert feature.stat().st_size == times.st_size
    assert place.check("features")[0] == 2


def test_a_stack_file_that_appears_is_seen(place):
    assert place.check("features")[0] == 0
    (place.folder / "stack.yaml").write_text("stack: s\nprovider: existing\nhosts: {a: {address: 127.0.0.1}}\n")
    assert place.check("features")[0] == 3


def test_steps_of_the_users_own_that_appear_are_seen(place):
    assert place.check("features")[0] == 0
    (place.folder / "steps").mkdir()
    (place.folder / "steps" / "own.py").write_text(
        "from behave import then\n@then('the file \"/etc/passwd\" exists')\ndef own(context): pass\n"
    )
    status, output = place.check("features")
    assert status == 3
    assert "ambiguous" in output


@pytest.mark.parametrize("size", [0, 1, 40, -1])
def test_a_plan_that_is_cut_off_is_made_anew(place, size):
    good = place.check("features")
    (plan,) = place.plans()
    data = plan.read_bytes()
    plan.write_bytes(data[:size])
    assert place.check("features") == good
    assert place.plans()[0].read_bytes() == data


@pytest.mark.parametrize(
    "named",
    [
        ("os", "system", ("touch MARK",)),
        ("infratest.checks.files", "FileExists", ("/nosuch",)),  # where checks were, a version ago
        ("infratest.steps.file", "human", (1, "B")),  # what a file of sentences imports is none
    ],
)
def test_rubbish_in_a_plan_is_never_carried_out(place, named):
    good = place.check("features")
    (plan,) = place.plans()
    question, about, stamps, tasks, host, waivers = marshal.loads(plan.read_bytes()[kept.CHECKSUM :])
    head, name, problem, skip, steps = tasks[0]
    line, looks, *rest = steps[0]
    subject, location, _, _, _, measure = looks[0]
    mark = place.folder / "mark"
    module, function, values = named
    values = tuple(f"touch {mark}" if value == "touch MARK" else value for value in values)
    evil = (subject, location, module, function, values, measure)
    steps[0] = (line, [evil], *rest)
    data = marshal.dumps((question, about, stamps, [(head, name, problem, skip, steps)], host, waivers))
    plan.write_bytes(kept.checksum(data) + data)
    assert place.check("features") == good
    assert not mark.exists()


def test_a_plan_answers_its_own_question_alone(place):
    """A file's name is a short digest: what it stands for is compared whole."""
    assert place.check("features")[0] == 0
    (plan,) = place.plans()
    assert place.check("features", "-w", "1:")[0] == 1
    (other,) = set(place.plans()) - {plan}
    plan.write_bytes(other.read_bytes())
    assert place.check("features")[0] == 0
    assert plan.read_bytes() != other.read_bytes()


def test_a_plan_of_a_wheel_lasts_until_the_next_installation(tmp_path):
    """pip writes the list of files anew with each; the files themselves need not be looked at."""
    place = Place(tmp_path, tmp_path / "cache", str(installed() / "check_infratest"))
    place.write("a.feature", "one", "/etc/passwd")
    good = place.check("features")
    (plan,) = place.plans()
    first = plan.read_bytes()
    packages = next(installed().parent.glob("lib/python3*/site-packages"))
    (record,) = packages.glob("infratest-*.dist-info/RECORD")
    looked_at = marshal.loads(first[kept.CHECKSUM :])[2]
    assert [name for name in looked_at if name.startswith(str(packages))] == [str(record)]
    assert place.check("features") == good
    assert plan.read_bytes() == first
    again = record.with_name("again")
    again.write_bytes(record.read_bytes())
    again.replace(record)
    assert place.check("features") == good
    assert plan.read_bytes() != first


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_plan_that_somebody_else_could_have_written_is_refused(place, which):
    assert place.check("features")[0] == 0
    (plan,) = place.plans()
    other = place.write("b.feature", "two", "/nonexistent")
    status = place.check("features")[0]
    assert status == 2
    (plan,) = place.plans()
    other.unlink()
    bad = place.check("features")
    assert bad[0] == 0
    # Now a plan that would say critical, in a place where anybody could have put it.
    place.write("b.feature", "two", "/nonexistent")
    place.check("features")
    data = plan.read_bytes()
    other.unlink()
    place.check("features")
    plan.write_bytes(data)
    (plan if which == "file" else plan.parent).chmod(0o777)
    assert place.check("features")[0] == 0


@pytest.mark.parametrize("environment", [{"HOME": "", "XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "/proc/nowhere"}])
def test_without_a_place_to_keep_it_the_answer_is_the_same(place, environment):
    good = place.check("features")
    assert place.check("features", **environment) == good


def test_other_arguments_and_another_folder_have_plans_of_their_own(place):
    place.check("features")
    place.check("features", "-w", "1:")
    place.check("features", "-v")
    assert len(place.plans()) == 3
    assert place.check("features", "-w", "1:")[0] == 1


def test_with_a_state_directory_results_are_kept_and_since_is_told(place):
    place.write("b.feature", "two", "/nonexistent")
    state = place.folder / "state"
    place.check("features", "--state", str(state))
    status, output = place.check("features", "--state", str(state))
    assert status == 2
    assert "since " in output
    events = (state / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(events) == 4
    assert (state / "counts.json").exists()


def test_without_a_stack_file_nothing_is_left_in_the_folder(place):
    place.check("features")
    assert sorted(path.name for path in place.folder.iterdir()) == ["features"]


@pytest.mark.parametrize(
    "sentence", ['"http://127.0.0.1:9/" does not answer', 'the service "x" does not exist from the controller']
)
def test_what_is_looked_at_from_the_controller_is_kept_too(place, sentence):
    (place.folder / "features" / "a.feature").write_text(f"Feature: f\n  Scenario: s\n    Then {sentence}\n")
    first = place.check("features")
    assert len(place.plans()) == 1
    assert place.check("features") == first


@pytest.mark.parametrize("source", ["{file: path}", "{env: WHERE}", "{command: [cat, path]}"])
def test_a_parameter_that_is_read_from_elsewhere_keeps_no_plan(place, source):
    parameters = f"parameters: {{p: {{type: string, from: {source}}}}}"
    (place.folder / "stack.yaml").write_text(f"stack: s\nprovider: local\n{parameters}\nhosts: {{local: {{}}}}\n")
    place.write("a.feature", "one", "{param.p}")
    for path, status in (("/etc/passwd", 0), ("/nonexistent", 2)):
        (place.folder / "path").write_text(path)
        assert place.check("features", WHERE=path)[0] == status
    assert place.plans() == []


def test_a_step_of_the_users_own_keeps_no_plan(place):
    (place.folder / "steps").mkdir()
    (place.folder / "steps" / "own.py").write_text(
        "from behave import then\nfrom infratest import checks\n@checks\n@then('all is well')\ndef own(context): pass\n"
    )
    (place.folder / "features" / "a.feature").write_text("Feature: f\n  Scenario: s\n    Then all is well\n")
    assert place.check("features")[0] == 0
    assert place.plans() == []


def test_a_bit_that_turned_over_is_no_other_question(place):
    place.write("a.feature", "one", "/nonexistent")
    assert place.check("features")[0] == 2
    (plan,) = place.plans()
    good = plan.read_bytes()
    # It would be a question of the same length whose answer is ok.
    plan.write_bytes(good.replace(b"/nonexistent", b"/etc/./hosts"))
    assert plan.read_bytes() != good
    assert place.check("features")[0] == 2


def test_a_plan_that_is_damaged_anywhere_is_none(place):
    place.check("features")
    (plan,) = place.plans()
    good = plan.read_bytes()
    question = marshal.loads(good[kept.CHECKSUM :])[0]
    chance = random.Random(20261125)
    for size in range(len(good)):
        plan.write_bytes(good[:size])
        assert kept.load(str(plan), question) is None, size
    for bit in chance.sample(range(len(good) * 8), 1000):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        plan.write_bytes(bad)
        assert kept.load(str(plan), question) is None, bit
    plan.write_bytes(good)
    assert kept.load(str(plan), question) is not None


@pytest.mark.parametrize("name", ["x:80.feature", "a:b/x.feature"])
def test_a_colon_in_a_path_is_not_taken_for_a_line(place, name):
    target = place.folder / "features" / name
    target.parent.mkdir(exist_ok=True)
    target.write_text(FEATURE.format("one", "/etc/passwd"), encoding="utf-8")
    for words in (f"features/{name}", f"features/{name}:2"):
        target.write_text(FEATURE.format("one", "/etc/passwd"), encoding="utf-8")
        assert place.check(words)[0] == 0
        target.write_text(FEATURE.format("one", "/nonexistent"), encoding="utf-8")
        assert place.check(words)[0] == 2


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_in_a_plans_place_is_passed_over(place, make):
    good = place.check("features")
    (plan,) = place.plans()
    plan.unlink()
    make(plan)
    assert place.check("features") == good


def test_a_folder_that_was_removed_under_a_check_is_unknown(place):
    gone = place.folder / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD"; exec "$0" --host local features', PROGRAM], cwd=gone, capture_output=True,
        encoding="utf-8", timeout=60, check=False, env=os.environ | {"XDG_CACHE_HOME": str(place.cache)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout.startswith("INFRATEST UNKNOWN - ")


def test_folders_of_plans_are_private_whatever_the_umask(place):
    before = os.umask(0)
    try:
        place.check("features")
    finally:
        os.umask(before)
    for made in (place.cache, place.cache / "infratest", place.cache / "infratest" / "plans"):
        assert made.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("environment", [{"XDG_CACHE_HOME": "near"}, {"XDG_CACHE_HOME": "", "HOME": "near"}])
def test_a_cache_that_is_not_an_absolute_path_is_none(place, tmp_path, environment):
    assert place.check("features", **{"HOME": str(tmp_path / "home")} | environment)[0] == 0
    assert os.listdir(place.folder) == ["features"]


def test_nothing_is_made_in_the_home_of_another_user(place, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    assert place.check("features", HOME=str(home), XDG_CACHE_HOME="")[0] == 0
    assert os.listdir(home) == []


@pytest.mark.parametrize("changes", [False, True])
def test_what_changed_while_it_was_read_is_not_kept(place, monkeypatch, changes):
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place.cache))
    session = Session(stack_path=Path("stack.yaml"), host=("local",), require_env=True)
    # By the clock of the file system, and later than a tick: what was written before is settled.
    written = (place.folder / "features" / "a.feature").stat().st_ctime_ns
    while (began := time.time_ns()) <= written + 2 * TICK:
        pass
    plan = prepare(session, Request(features=["features"], face="check")).plan
    if changes:
        place.write("a.feature", "one", "/nonexistent")
    about = {"warning": "", "critical": "", "timeout": 10.0, "verbosity": 0, "heal": False}
    keep_plan(session, plan, ["features"], about, began)
    assert len(place.plans()) == (0 if changes else 1)


@pytest.mark.parametrize("name", ["AWS_PROFILE", "HCLOUD_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS", "NETBOX_API"])
def test_a_plan_with_hosts_that_another_account_was_told_is_made_anew(monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    now = time.time()
    about = {"answers": (now - 60, now + 600, account())}
    assert not kept._too_old(about)
    monkeypatch.setenv(name, "hunter2")
    assert kept._too_old(about)
    assert "hunter2" not in account()


@pytest.mark.parametrize(
    ("name", "value", "shared"),
    [
        *[("AWS_SHARED_CREDENTIALS_FILE", value, False) for value in ("keys", "../keys", "~/keys")],
        ("AWS_SHARED_CREDENTIALS_FILE", "/etc/keys", True),
        *[("KUBECONFIG", value, False) for value in ("keys", "/etc/keys:keys", "keys:/etc/keys")],
        *[("KUBECONFIG", value, True) for value in ("/etc/keys", "/etc/keys::/srv/keys", ":")],
    ],
)
def test_a_relative_file_of_accounts_is_another_one_in_another_folder(tmp_path, monkeypatch, name, value, shared):
    monkeypatch.setenv(name, value)
    told = set()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        told.add(account())
        assert account() in told
    assert len(told) == (1 if shared else 2)
    monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", value)  # a name, and no file
    told = {account()}
    monkeypatch.chdir(tmp_path)
    assert told == {account()}
