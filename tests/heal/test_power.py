"""Hosts stopped and started by their provider to heal them, where the provider makes files and its calls can fail."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.worlds import forked

INFRATEST = str(Path(sys.executable).with_name("infratest"))
STACK = """\
stack: shop
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
    (folder / "stack.yaml").write_text(STACK.format(provider=provider))


def healed(folder: Path) -> dict[str, object]:
    infratest(folder, "check", "--heal", "--timeout", "60")
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
    status, words = infratest(tmp_path, "check", "--heal", "--timeout", "60")
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
        assert "failure 1 in a row, 2 confirm" in infratest(tmp_path, "check", "--heal", "--timeout", "60")[1]
        infratest(tmp_path, "up")
        assert infratest(tmp_path, "check", "--heal", "--timeout", "60")[0] == 0
