"""`infratest heal` and `check --heal` as commands, on this machine: what they print, what they return, what they do."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from infratest import rfc3339
from infratest.cli._checking import checked
from infratest.cli.verbs.heal import _of_its_features
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.model import Report
from infratest.project.session import session_of
from infratest.store import history
from infratest.store.directory import StateDir
from tests.worlds import forked
from tests.worlds.heal_world import make_report, make_result
from tests.worlds.own_name import own_name
from tests.worlds.small_project import BIN

STACK = """\
stack: shop
provider: local
environments:
  dev: {{}}
  prod: {{}}
hosts:
  here: {{groups: [web]}}
features: [features]
heal:
  put-it-there:
    when: {{tags: "@web", state: critical}}
    confirm: 2
    do: [{{run: "{command}"}}]
    mode: {mode}
"""
FEATURE = """\
@web
Feature: The shop
  Scenario: it is there
    Then the file "{folder}/there" exists
"""
ID = "features/shop.feature#it-is-there@here"


class Project:
    """A folder with a stack file and a feature whose one file is not there."""

    def __init__(self, folder: Path, mode: str = "auto", command: str = "") -> None:
        self.folder = folder
        self.there = folder / "there"
        (folder / "features").mkdir(exist_ok=True)
        (folder / "features" / "shop.feature").write_text(FEATURE.format(folder=folder))
        written = STACK.format(mode=mode, command=command or f"touch {self.there}")
        (folder / "stack.yaml").write_text(written.replace("stack: shop", f"stack: {own_name(folder)}"))

    def run(self, *words: str, stdin: str = "", program: str = "infratest") -> tuple[int, str]:
        """Run a command; return its status and everything it said."""
        done = forked.run(words, program=program, cwd=self.folder, input=stdin, timeout=60)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def audit(self) -> list[str]:
        path = self.folder / ".infratest" / "heal.jsonl"
        return [json.loads(line)["event"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def project() -> Iterator[Project]:
    # A short path: what a line says of a command is cut, and pytest's own folders are long where workers share it.
    with tempfile.TemporaryDirectory(prefix="heal-") as folder:
        yield Project(Path(folder))


def test_the_second_failure_in_a_row_is_healed_and_the_line_says_so(project: Project) -> None:
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert "not healed: failure 1 in a row, 2 confirm" in words
    assert not project.there.exists()

    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 0
    assert "INFRATEST OK" in words
    assert f"healed: run touch {project.there}, was CRITICAL" in words
    assert project.there.exists()
    assert project.audit() == ["refused", "try", "tried"]


@pytest.mark.parametrize(
    ("features", "refused"),
    [
        (["elsewhere.feature"], True),
        (["features/shop.feature"], False),
        (["elsewhere.feature", "features/shop.feature"], False),
    ],
)
def test_a_report_of_features_that_its_check_alone_was_given_is_refused_once(
    project: Project, features: list[str], refused: bool
) -> None:
    session = session_of(project.folder / "stack.yaml", env="prod")
    report = make_report([make_result("critical", "here", id=f"{one}#x@here", feature=one) for one in features])
    if not refused:
        return _of_its_features(report, session, "report.json")
    with pytest.raises(
        UserError, match=r"report.json: elsewhere.feature is no feature of this stack, .* or heal as you"
    ):
        _of_its_features(report, session, "report.json")


def test_the_plugin_says_what_it_would_do_and_keeps_nothing_of_it(project: Project) -> None:
    def kept() -> dict[str, bytes]:
        state = project.folder / ".infratest"
        return {str(path): path.read_bytes() for path in state.rglob("*") if path.is_file()}

    project.run("--env", "prod", "--heal", program="check_infratest")
    before = kept()
    status, words = project.run("--env", "prod", "--heal", "--dry-run", program="check_infratest")
    assert status == 2
    assert f"would run touch {project.there} (dry run)" in words
    assert not project.there.exists()
    assert kept() == before

    status, words = project.run("--env", "prod", "--heal", program="check_infratest")
    assert status == 0
    assert f"healed: run touch {project.there}, was CRITICAL" in words
    assert project.there.exists()


def test_a_heal_that_has_no_time_left_says_what_took_it(tmp_path: Path) -> None:
    """Whatever is asked then is ended at once; the provider that did not answer is not what is wrong."""
    late = "stack: shop\nprovider: {name: fake, delay: 1s}\nhosts: {web: {}}\n"
    (tmp_path / "stack.yaml").write_text(late)
    seen = Report("shop", "", rfc3339.now(), 9.5, [make_result("critical", "web")])
    going = session_of(tmp_path / "stack.yaml")
    work = checked(lambda: going, (), (), None, Deadline(0.0), heal=True, dry_run=True, made=seen)
    (note,) = work(lambda note: None).notes
    assert note == ("not healed: the scenarios took 9.5 s of the 0 ms that this run has; give it more with --timeout")


def test_a_heal_is_verified_by_its_own_feature_wherever_one_stands(tmp_path: Path) -> None:
    """Another project that has a feature of the same name, which holds, is no witness of it."""
    (tmp_path / "shop").mkdir()
    project = Project(tmp_path / "shop", command="exit 3")
    here = tmp_path / "other"
    (here / "features").mkdir(parents=True)
    (here / "features" / "shop.feature").write_text(FEATURE.format(folder=here))
    (here / "there").touch()
    asked = ("check", "--env", "prod", "--heal", "--stack", "../shop/stack.yaml")
    forked.run(asked, cwd=here)
    done = forked.run(asked, cwd=here)
    assert (done.returncode, "run exit 3 did not help" in done.stdout) == (2, True), done.stdout
    assert project.audit() == ["refused", "try", "tried"]


def test_what_was_named_from_elsewhere_is_looked_at_again_there(project: Project) -> None:
    """A feature that all stacks share is none of the stack file's folder, and its heal is verified all the same."""
    stack = project.folder / "stacks" / "stack.yaml"
    stack.parent.mkdir()
    stack.write_text((project.folder / "stack.yaml").read_text().replace("features: [features]", "features: [nothing]"))
    for status in (2, 0):
        done = project.run("check", "--env", "prod", "--heal", "--stack", str(stack), "features")
        assert done[0] == status, done
    assert f"healed: run touch {project.there}, was CRITICAL" in done[1]


def test_a_stored_report_is_healed_once(project: Project) -> None:
    project.run("check", "--env", "prod", "--heal")
    project.run("check", "--env", "prod", "--format", "json:report.json")
    status, words = project.run("heal", "--env", "prod", "--dry-run", "report.json")
    assert (status, words.splitlines()) == (
        2,
        [
            f"{ID}: would: run touch {project.there}",
            f"critical: 1 of 1 scenarios not ok: would run touch {project.there} (dry run)",
        ],
    )
    assert not project.there.exists()

    status, words = project.run("heal", "--env", "prod", "-", stdin=(project.folder / "report.json").read_text())
    assert (status, words.splitlines()) == (
        0,
        [
            f"{ID}: healed: run touch {project.there}: done",
            f"ok: 0 of 1 scenarios not ok: healed: run touch {project.there}, was CRITICAL",
        ],
    )
    project.there.unlink()
    status, words = project.run("heal", "--env", "prod", "report.json")
    assert status == 3
    assert words.splitlines()[-1].startswith("unknown: 1 of 1 scenarios not ok: not healed: stale: it was looked at")
    assert not project.there.exists()


def test_the_kill_switch_needs_no_environment_and_holds_for_all(project: Project) -> None:
    project.run("check", "--env", "prod", "--heal")
    status, words = project.run("heal", "pause", "2h")
    state = project.folder / ".infratest"
    assert (status, words.startswith(f"healing from {state} is paused until ")) == (0, True), words
    assert words.endswith(" UTC; `infratest heal resume` ends it\n"), words
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert "not healed: paused until" in words
    assert not project.there.exists()
    assert project.run("heal", "resume") == (0, f"healing from {state} is allowed again\n")
    assert project.run("heal", "resume") == (0, f"healing from {state} was not paused\n")
    assert project.run("check", "--env", "prod", "--heal")[0] == 0


def test_who_pauses_one_state_directory_sees_that_others_go_on(project: Project) -> None:
    stack = project.folder / "stack.yaml"
    stack.write_text(stack.read_text() + "monitor: {alive: {peer: 'https://other.example:8443/alive'}}\n")
    status, words = project.run("heal", "pause", "2h", "--state", "elsewhere")
    assert status == 0
    there = project.folder / "elsewhere"
    paused, empty, others = words.splitlines()
    assert paused.startswith(f"healing from {there} is paused until ")
    assert paused.endswith("; `infratest heal resume --state elsewhere` ends it")
    assert empty.startswith(f"nothing was ever healed from {there}: what heals from another directory goes on")
    assert others.startswith("the monitor at https://other.example:8443/alive (`alive: peer`) may heal the same hosts")
    assert not (project.folder / ".infratest" / "pause.json").exists()


def test_what_tells_of_a_pause_names_the_command_that_ends_it_there(project: Project) -> None:
    there = ("--env", "prod", "--state", "elsewhere")
    project.run("check", *there, "--heal")
    project.run("heal", "pause", "2h", "--state", "elsewhere")
    ends = "; `infratest heal resume --state elsewhere` ends it"
    assert ends in project.run("check", *there, "--heal")[1]
    assert ends in project.run("status", *there)[1]
    (project.folder / "elsewhere" / "pause.json").write_text("soon")
    assert "; `infratest heal resume --state elsewhere` removes it" in project.run("status", *there)[1]


def test_a_line_names_the_command_that_approves_it_here(tmp_path: Path) -> None:
    project = Project(tmp_path, mode="propose")
    for _ in range(2):
        words = project.run("check", "--env", "prod", "--heal", "--state", "elsewhere")[1]
    asked = words.partition("waits for approval: ")[2].partition("; `infratest ")[2].partition("`")[0].split()
    assert asked[3:] == ["--env", "prod", "--state", "elsewhere"]
    status, words = project.run(*asked)
    assert (status, words[:12]) == (0, "approved by ")


def test_observe_never_acts(tmp_path: Path) -> None:
    project = Project(tmp_path, mode="observe")
    for _ in range(3):
        status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert f"would run touch {project.there} (observe)" in words
    assert not project.there.exists()
    assert project.audit() == ["refused", "would"]


def test_a_remedy_that_does_not_help_leaves_it_critical(tmp_path: Path) -> None:
    project = Project(tmp_path, command="exit 3")
    project.run("check", "--env", "prod", "--heal")
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 2
    assert "run exit 3 did not help" in words


@pytest.mark.parametrize(
    "words, message",
    [
        (["heal"], "Missing argument"),
        (["heal", "backtest", "--env", "prod"], "there is nothing to replay"),
        (["heal", "--env", "prod", "undo", "7"], "heal '7': there is none of that id on record"),
        (["heal", "pause"], "say for how long, as `infratest heal pause 2h`"),
        (["heal", "pause", "soon"], "'soon' is not a number with one of ms, s, min"),
        (["heal", "pause", "0s"], "is not more than zero"),
        (["heal", "resume", "now"], "unexpected 'now' after 'resume'"),
        (["heal", "puase", "2h"], "unexpected '2h' after 'puase': did you mean 'pause'?"),
        (["heal", "--env", "prod", "no.json"], "report no.json: No such file or directory; write one with"),
        (["heal", "--env", "prod", "stack.yaml"], "report stack.yaml: is no report of this version"),
        (["heal", "--env", "prod", "other.json"], "is of stack 'other', this is stack 'shop-"),
        (
            ["heal", "--env", "prod", "shape.json"],
            "report shape.json: is no report of this version (it has no 'stack')",
        ),
        (["heal", "other.json"], "environment"),
    ],
)
def test_wrong_use_is_one_message_and_unknown(project: Project, words: list[str], message: str) -> None:
    report = {"stack": "other", "env": "", "started": "2026-01-31T12:00:00Z", "duration": 0.1, "results": []}
    more = {"production": False, "cost": {"logins": 0, "round_trips": 0, "commands": 0}}
    (project.folder / "other.json").write_text(json.dumps(report | more))
    (project.folder / "shape.json").write_text("{}")
    status, said = project.run(*words)
    assert status == 3
    assert message in said
    assert not (project.folder / ".infratest").exists()


def test_a_downtime_heals_nothing(project: Project) -> None:
    for depth in ("1", "2", "in downtime"):
        status, words = project.run("--env", "prod", "--heal", "--suppressed", depth, program="check_infratest")
        assert status == 2
    assert f"not healed: suppressed by the caller ({depth}), as in a downtime" in words
    assert not project.there.exists()
    status, words = project.run("--env", "prod", "--heal", "--suppressed", "0", program="check_infratest")
    assert status == 0
    assert project.there.exists()
    assert "healed=1;;;0 tries=1;;;0" in words


def test_the_depths_of_two_downtimes_side_by_side_that_are_none_heal(project: Project) -> None:
    status, words = project.run("--env", "prod", "--heal", "--suppressed", "10", program="check_infratest")
    assert (status, project.there.exists()) == (2, False)
    status, words = project.run("--env", "prod", "--heal", "--suppressed", "00", program="check_infratest")
    assert (status, project.there.exists()) == (0, True), words


def test_a_remedy_that_takes_effect_late_is_verified_by_the_next_check(project: Project) -> None:
    late = f"sh -c 'while [ ! -e {project.folder}/go ]; do sleep 0.1; done; touch {project.there}' >/dev/null 2>&1 &"
    project = Project(project.folder, command=late)
    project.run("--env", "prod", "--heal", "-t", "8", program="check_infratest")
    status, words = project.run("--env", "prod", "--heal", "-t", "8", program="check_infratest")
    assert status == 2
    assert "verifying: " in words.splitlines()[0]
    (project.folder / "go").touch()
    end = monotonic() + 30
    while not project.there.exists():
        assert monotonic() < end
        sleep(0.05)
    status, words = project.run("--env", "prod", "--heal", program="check_infratest")
    assert status == 0
    assert "healed: run sh -c" in words.splitlines()[0]
    status, words = project.run("--env", "prod", "--heal", program="check_infratest")
    assert (status, "healed: " in words) == (0, False)
    assert project.audit()[-2:] == ["tried", "verified"]


def test_what_an_old_report_says_of_a_heal_before_it_is_not_kept_as_how_it_is_now(project: Project) -> None:
    project.there.touch()
    assert project.run("check", "--env", "prod", "--format", "json:old.json")[0] == 0
    state = StateDir(project.folder / ".infratest")
    place = f"{own_name(project.folder)}/prod"
    seen = history.last(state, place)[ID]
    waits = {"number": "1", "rule": "put-it-there", "remedy": "run true", "was": "critical", "ended": seen.time - 9}
    state.write("verifying.json", json.dumps({place: {ID: waits}}))
    status, words = project.run("heal", "old.json", "--env", "prod")
    assert (status, "healed: run true, was CRITICAL" in words) == (0, True), words
    assert history.last(state, place)[ID] == seen


def test_a_remedy_that_waits_is_ended_in_the_checks_time(project: Project) -> None:
    project = Project(project.folder, command="sleep 31418")
    project.run("--env", "prod", "--heal", program="check_infratest")
    status, words = project.run("--env", "prod", "--heal", "-t", "12", program="check_infratest")
    assert (status, "did not help" in words) == (2, True), words
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 31418" not in listed
    assert project.audit()[-1] == "tried"


def test_how_healing_is_itself_is_told_where_all_is_well(project: Project) -> None:
    project.there.touch()
    project.run("heal", "pause", "2h")
    for _ in range(2):
        status, words = project.run("--env", "prod", "--heal", program="check_infratest")
        assert (status, "healing is paused until " in words.splitlines()[0]) == (0, True)
    assert "healing is paused until " in project.run("status", "--env", "prod")[1]
    project.run("heal", "resume")
    (project.folder / ".infratest" / "heal.jsonl").write_text("{damaged}\n")
    for _ in range(2):
        status, words = project.run("--env", "prod", "--heal", program="check_infratest")
        assert "healing is disarmed: " in words.splitlines()[0]
    assert "healing is disarmed: " in project.run("status", "--env", "prod")[1]


def test_a_hook_is_about_this_stack(tmp_path: Path) -> None:
    project = Project(tmp_path)
    hook = f"#!/bin/sh\\n{BIN}/infratest status >{tmp_path}/said 2>&1 && touch {project.there}\\n".replace("\\n", "\n")
    (tmp_path / "hook.sh").write_text(hook)
    (tmp_path / "hook.sh").chmod(0o755)
    stack = (tmp_path / "stack.yaml").read_text()
    (tmp_path / "stack.yaml").write_text(stack.replace(f'run: "touch {project.there}"', "hook: hook.sh"))
    project.run("check", "--env", "prod", "--heal")
    status, words = project.run("check", "--env", "prod", "--heal")
    assert status == 0, words
    assert f"stack {own_name(tmp_path)}, environment prod" in (tmp_path / "said").read_text()


def test_a_young_report_of_what_is_well_again_leads_to_no_act(project: Project) -> None:
    for _ in range(2):
        project.run("check", "--env", "prod", "--format", "json:report.json")
    project.there.touch()
    status, words = project.run("heal", "--env", "prod", "report.json")
    assert (status, "recovered" in words) == (0, True), words
    assert "try" not in project.audit()


def _has_open(pid: int, path: Path) -> bool:
    """Whether a process, or the one that it heals in, has a file open."""
    with suppress(OSError):  # one that ends between
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return any(one.readlink() == path for each in (pid, *children) for one in Path(f"/proc/{each}/fd").iterdir())
    return False


@pytest.mark.parametrize("limits", ["confirm: 1", "confirm: 2", "confirm: 1\n    budget: {tries: 1, per: 1h}"])
def test_a_check_beside_a_heal_says_how_the_stack_is_then(project: Project, limits: str) -> None:
    """It waits for the one that acts, and looks again: what was seen before the act is nobody's word on it.

    The other's act begins the failures in a row anew and takes from the budget, so those gates are closed by then.
    """
    begun, go = project.folder / "begun", project.folder / "go"
    waits_and_mends = f"touch {begun}; while [ ! -e {go} ]; do sleep 0.05; done; touch {project.there}"
    project = Project(project.folder, command=waits_and_mends)
    stack = project.folder / "stack.yaml"
    stack.write_text(stack.read_text().replace("confirm: 2", limits))
    words = [str(BIN / "check_infratest"), "--env", "prod", "--heal", "-t", "40"]
    if limits == "confirm: 2":
        project.run(*words[1:], program="check_infratest")
    one = subprocess.Popen(words, cwd=project.folder, stdout=subprocess.PIPE, text=True)
    _until(begun.exists)
    two = subprocess.Popen(words, cwd=project.folder, stdout=subprocess.PIPE, text=True)
    _until(lambda: _has_open(two.pid, project.folder / ".infratest" / "lock"))
    go.touch()
    said = [process.communicate(timeout=60)[0] for process in (one, two)]
    assert [process.returncode for process in (one, two)] == [0, 0], said
    assert [text.partition(" - ")[0] for text in said] == ["INFRATEST OK", "INFRATEST OK"]
    assert project.audit().count("try") == 1


def _until(condition: Callable[[], bool]) -> None:
    end = monotonic() + 30
    while not condition():
        assert monotonic() < end
        sleep(0.02)
