"""`check_infratest --from-monitor`: what the monitor saw last, in the words of a check; else a check, which says so."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds import forked
from tests.worlds.monitor_world import PATIENCE, World, until, world

COUNTED = '  Scenario: counted\n    Then the command "echo x >>{log}" exits 0\n'
SKIPPED = '  @skip:later\n  Scenario: left out\n    Then the file "/" exists\n'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        feature = made.folder / "features" / "x.feature"
        feature.write_text(feature.read_text() + COUNTED.format(log=tmp_path / "asked") + SKIPPED)
        yield made


def check(shop: World, *words: str) -> tuple[int, list[str]]:
    """Return the plugin's status and its lines; the time is another one each time."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST")}
    cache = {"XDG_CACHE_HOME": str(shop.folder / "cache")}
    done = forked.run(
        ["-t", "100", *words], program="check_infratest", cwd=shop.folder, env=kept | cache, timeout=PATIENCE
    )
    assert done.stderr == ""
    return done.returncode, re.sub(r" time=\S+", "", done.stdout).splitlines()


def asked(shop: World) -> int:
    """Return how often the command ran."""
    path = shop.folder / "asked"
    return len(path.read_text().splitlines()) if path.exists() else 0


def without(pattern: str, lines: list[str]) -> list[str]:
    return [re.sub(r"; since .*| / used'=[^ ]+", "", line) for line in lines if not re.match(pattern, line)]


@pytest.mark.timeout(600)
def test_it_answers_as_a_check_would_and_asks_nobody(shop: World):
    stack = shop.folder / "stack.yaml"
    stack.write_text(stack.read_text().replace("interval: 2s", "interval: 600s").replace("stale: 100", "stale: 2"))
    process = shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    (mine, own), looked = check(shop), asked(shop)
    assert (mine, own[0].partition(" | ")[0]) == (0, "INFRATEST OK - shop here: 3 scenarios ok, 1 skipped")
    for _ in range(2):  # as the whole command line has it, and by a kept plan
        status, lines = check(shop, "--from-monitor")
        assert (status, without("from the monitor", lines)) == (0, without("-", own))
        assert re.match(r"from the monitor: looked at [\d.]+ m?(s|in|h) ago$", lines[1])
    assert asked(shop) == looked, "the host was asked nothing"
    assert check(shop, "--from-monitor", "-s", "there", "-H", "here")[1][0].startswith(
        "INFRATEST OK - shop here: 1 scenario ok | scenarios=1;;;0 "
    )

    shop.there.unlink()
    assert check(shop, "--from-monitor")[0] == 0, "nobody has looked since"
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, own = check(shop)
    looked = asked(shop)
    for _ in range(2):
        status, lines = check(shop, "--from-monitor")
        assert status == 2
        assert without("checked here", lines) == without("-", own)
        assert lines[1].startswith("checked here: no monitor runs on ")
    assert asked(shop) == looked + 2


@pytest.mark.timeout(600)
def test_what_is_seen_counts_before_it_is_confirmed(shop: World):
    stack = shop.folder / "stack.yaml"
    stack.write_text(stack.read_text().replace("attempts: 2", "attempts: 50"))
    process = shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    shop.there.unlink()
    until(lambda: check(shop, "--from-monitor")[0] == 2, "it is seen")
    assert shop.run("status")[0] == 0, "and not confirmed"
    _, lines = check(shop, "--from-monitor")
    assert re.search(r'\[CRITICAL\] .*"[^"]+there" does not exist; since 20', "\n".join(lines))
    shop.there.touch()
    until(lambda: check(shop, "--from-monitor")[0] == 0, "it is well again")
    process.send_signal(signal.SIGSTOP)
    try:
        status, lines = check(shop, "--from-monitor")
        assert status == 0
        assert re.match("checked here: the monitor of .* did not answer in 25 s", lines[1])
    finally:
        process.send_signal(signal.SIGCONT)


def test_what_it_does_not_watch_is_checked_here(shop: World):
    shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    (shop.folder / "new.feature").write_text('Feature: n\n  Scenario: new\n    Then the file "/etc/passwd" exists\n')
    status, lines = check(shop, "--from-monitor", "new.feature")
    assert (status, lines[1]) == (0, "checked here: the monitor does not watch new.feature#new@here")
    status, lines = check(shop, "--from-monitor", "--heal")
    assert (status, "--from-monitor looks at nothing" in lines[0]) == (3, True)
