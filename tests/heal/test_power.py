"""Hosts stopped and started by their provider to heal them, where the provider makes files and its calls can fail."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import DeadlineExceeded, HealError, ProviderError
from infratest.heal.healing import heal
from infratest.remedies.base import Power
from infratest.remedies.power_cycle import PowerCycle
from infratest.store.directory import StateDir
from tests.worlds import forked
from tests.worlds.heal_world import World, closed, make_result, make_rule, open_local, surroundings
from tests.worlds.own_name import own_name

INFRATEST = str(Path(sys.executable).with_name("infratest"))
STACK = """\
stack: {name}
provider: {provider}
hosts: {{web: {{groups: [web]}}, db: {{}}}}
heal:
  mend:
    when: {{tags: "@web"}}
    confirm: 1
    do: [{{power-cycle: {{}}}}]
    at-most: 100%
    mode: auto
"""
FEATURE = """\
@web
Feature: The shop
  Scenario: it is there
    Given the hosts in group "web"
    Then the file "/srv/not-there/at-all" exists
"""
FAILS, HOLDS = 'the file "/srv/not-there/at-all" exists', 'the directory "/etc" exists'
FAKE = "{{name: fake, world: world, transport: {{otherwise: run}}{more}}}"


def infratest(folder: Path, *words: str) -> tuple[int, str]:
    done = forked.run(words, cwd=folder, timeout=100)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def write(folder: Path, provider: str) -> None:
    (folder / "features").mkdir(exist_ok=True)
    (folder / "features" / "shop.feature").write_text(FEATURE)
    (folder / "stack.yaml").write_text(STACK.format(provider=provider, name=own_name(folder)))


def healed(folder: Path) -> dict[str, object]:
    infratest(folder, "check", "--heal", "--timeout", "300")
    lines = (folder / ".infratest" / "heal.jsonl").read_text().splitlines()
    last: dict[str, object] = json.loads(lines[-1])
    return last


@pytest.mark.parametrize(
    ("more", "key", "words"),
    [
        ("", "words", "it was stopped, started, and answers"),
        (", fail: [halt web]", "error", "power-cycle web: fake: halt web refused"),
        (", fail: [start web]", "error", "power-cycle web: fake: start web refused"),
    ],
)
def test_the_provider_is_asked_and_what_it_says_is_on_record(tmp_path: Path, more: str, key: str, words: str) -> None:
    write(tmp_path, FAKE.format(more=""))
    assert infratest(tmp_path, "up")[0] == 0
    write(tmp_path, FAKE.format(more=more))
    last = healed(tmp_path)
    assert last["event"] == "tried"
    assert str(last[key]).startswith(words[:20])
    states = {one["name"]: one.get("state") for one in map(_read, (tmp_path / "world").iterdir())}
    assert states["db"] == "running"
    assert states["web"] == ("stopped" if "start" in more else "running")


def test_a_simulated_host_boots_by_the_time_of_its_cloud(tmp_path: Path) -> None:
    write(tmp_path, "{name: simulator, boot: 90s, transport: {otherwise: run}}")
    assert infratest(tmp_path, "up")[0] == 0
    assert healed(tmp_path)["words"] == "it was stopped, started, and answers"


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text())
    return found


def test_a_provider_without_power_says_what_to_take(tmp_path: Path) -> None:
    write(tmp_path, "local")
    (tmp_path / "stack.yaml").write_text((tmp_path / "stack.yaml").read_text().replace(", db: {}", ""))
    last = healed(tmp_path)
    assert last["error"] == (
        "power-cycle web: provider local can neither stop nor start a host: take reboot, or a hook that reaches what "
        "holds its power"
    )


REACHABLE = "when: {tags: '@reachable'}"


def test_a_host_that_is_stopped_is_started_and_what_it_stood_in_the_way_of_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path, FAKE.format(more=""))
    stack, feature = tmp_path / "stack.yaml", tmp_path / "features" / "shop.feature"
    stack.write_text(stack.read_text().replace('when: {tags: "@web"}', REACHABLE))
    feature.write_text(feature.read_text().replace(FAILS, HOLDS))
    assert infratest(tmp_path, "up")[0] == 0
    assert infratest(tmp_path, "halt", "--host", "web")[0] == 0
    status, words = infratest(tmp_path, "check", "--heal", "--timeout", "300")
    assert "healed: power-cycle, was CRITICAL" in words, words
    assert (status, "blocked=0" in words) == (0, True), words


def test_a_host_that_was_reached_meanwhile_confirms_nothing(tmp_path: Path) -> None:
    write(tmp_path, FAKE.format(more=""))
    stack, feature = tmp_path / "stack.yaml", tmp_path / "features" / "shop.feature"
    text = stack.read_text().replace('when: {tags: "@web"}', REACHABLE).replace("confirm: 1", "confirm: 2")
    stack.write_text(text)
    feature.write_text(feature.read_text().replace(FAILS, HOLDS))
    assert infratest(tmp_path, "up")[0] == 0
    for _ in range(2):
        infratest(tmp_path, "halt", "--host", "web")
        assert "failure 1 in a row, 2 confirm" in infratest(tmp_path, "check", "--heal", "--timeout", "300")[1]
        infratest(tmp_path, "up")
        assert infratest(tmp_path, "check", "--heal", "--timeout", "300")[0] == 0


@dataclass
class Slow:
    """A provider by whose clock a stop takes `takes` seconds, whoever waits for it, and what it was asked when."""

    takes: float
    fails: str = ""
    now: float = 0.0
    state: str = "running"
    asked: list[tuple[str, float]] = field(default_factory=list)
    stops: float = float("inf")
    silent: float = 0.0

    def halt(self, deadline: Deadline) -> None:
        self.asked.append(("halt", deadline.left))
        if self.fails:
            raise ProviderError(self.fails)
        self.stops = self.now + self.takes
        self.pause(min(self.takes, deadline.left))
        if self.state == "running":
            raise DeadlineExceeded("stopping web-1 did not end in time")

    def start(self, deadline: Deadline) -> None:
        self.asked.append(("start", deadline.left))
        self.state, self.stops = "running", float("inf")

    def pause(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.stops:
            self.state = "stopped"

    def says(self, deadline: Deadline) -> str:
        if self.now < self.silent:
            raise ProviderError("503, try again")
        return self.state

    def cycled(self, folder: Path, seconds: float) -> str:
        """Cycle the host within so many seconds, and return the words."""
        power = Power(halt=self.halt, start=self.start, state=self.says, pause=self.pause)
        around = surroundings(folder)
        around = replace(around, power=power, connect=lambda deadline: open_local(around.host, deadline))
        deadline = Deadline(seconds, lambda: self.now)
        try:
            return PowerCycle({}).apply(make_result("critical"), around, deadline).words
        except HealError as error:
            return str(error)


def test_what_stops_late_is_started_in_the_time_that_was_kept_for_that(tmp_path: Path) -> None:
    slow = Slow(takes=95.0)
    words = slow.cycled(tmp_path, 180.0)
    assert [what for what, _ in slow.asked] == ["halt", "start"]
    assert slow.asked[0][1] == 90.0
    assert slow.asked[1][1] >= 80.0
    assert (slow.state, words) == (
        "running", "power-cycle web-1: stopping web-1 did not end in time; it was started again",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("takes", "fails", "silent", "words"),
    [
        (10.0, "", 400.0, "whether it has stopped is not known: 503, try again"),
        (240.0, "", 400.0, "whether it has stopped is not known: 503, try again"),
        (250.0, "", 400.0, "stopping web-1 did not end in time; what it is now is not known"),
        (250.0, "", 245.0, "stopping web-1 did not end in time"),
        (500.0, "502, try again", 400.0, "502, try again; what it is now is not known"),
    ],
)
def test_what_may_have_stopped_is_started_although_its_provider_does_not_say(
    tmp_path: Path, takes: float, fails: str, silent: float, words: str
) -> None:
    slow = Slow(takes, fails, silent=silent)
    assert slow.cycled(tmp_path, 420.0) == f"power-cycle web-1: {words}; it was started again"
    assert [what for what, _ in slow.asked] == ["halt", "start"]
    assert slow.asked[1][1] >= 155.0  # of the 180 s that are kept for it


def test_a_provider_that_says_so_only_when_asked_again_stops_no_cycle(tmp_path: Path) -> None:
    slow = Slow(takes=10.0, silent=60.0)
    assert slow.cycled(tmp_path, 420.0) == "it was stopped, started, and answers"


@pytest.mark.parametrize(("takes", "fails"), [(500.0, ""), (500.0, "no such call")])
def test_what_does_not_stop_is_not_started(tmp_path: Path, takes: float, fails: str) -> None:
    slow = Slow(takes, fails)
    words = slow.cycled(tmp_path, 420.0)
    assert [what for what, _ in slow.asked] == ["halt"]
    assert slow.asked[0][1] == 240.0
    assert words == f"power-cycle web-1: {fails or 'stopping web-1 did not end in time'}; it runs still"
    assert (slow.now == 0.0) is bool(fails)


def test_who_is_told_to_end_starts_it_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(takes=10.0)

    def ended(seconds: float) -> None:
        slow.state = "stopped"
        raise KeyboardInterrupt

    monkeypatch.setattr(slow, "pause", ended)
    with pytest.raises(KeyboardInterrupt):
        slow.cycled(tmp_path, 420.0)
    assert ([what for what, _ in slow.asked], slow.state) == (["halt", "start"], "running")


def test_a_check_of_ten_seconds_stops_nothing(tmp_path: Path) -> None:
    write(tmp_path, FAKE.format(more=""))
    assert infratest(tmp_path, "up")[0] == 0
    status, words = infratest(tmp_path, "check", "--heal")
    assert (status, "it is begun with 180 s at least; give it more with --timeout" in words) == (2, True), words
    states = {one["name"]: one.get("state") for one in map(_read, (tmp_path / "world").iterdir())}
    assert states["web"] == "running"


@pytest.mark.parametrize(("rung", "least"), [("reboot", "60"), ("power-cycle", "180")])
def test_what_has_to_come_back_is_not_begun_at_the_end_of_a_run(
    world: World, state: StateDir, rung: str, least: str
) -> None:
    means = world.means(deadline=Deadline(10))
    (record,) = heal(world.report(), [make_rule(do=((rung, {}),))], state, means, history={})
    assert (record.outcome, closed(record)) == ("refused", ["time"])
    assert f"it is begun with {least} s at least" in record.reason
