from __future__ import annotations

import pytest

from infratest.model import Evidence, Observation, Report, Result, StepResult
from infratest.outputs.text import Text


def result(host: str, state: str = "ok", **more: object) -> Result:
    return Result(f"features/a.feature#s@{host}", "features/a.feature", "it works", 3, host, state, **more)


def report(*results: Result, **more: object) -> Report:
    return Report("shop", "dev", "2026-01-31T12:00:00Z", 1.0, results, **more)


def test_no_escape_sequence_without_colour():
    text = Text().render(report(result("a", "critical", reason="\x1b[31mred\x07")))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_colour_is_always_ended():
    text = Text(colour=True).render(report(result("a", "critical", reason="no"), result("b")))
    for line in text.splitlines():
        assert line.count("\x1b[0m") * 2 == line.count("\x1b[")


def test_hosts_that_are_ok_share_a_line():
    text = Text().render(report(*(result(f"web-{number}") for number in range(1, 5))))
    assert "  ✓ it works  web-1, web-2, web-3, web-4\n" in text


def test_many_hosts_are_counted():
    text = Text().render(report(*(result(f"web-{number}") for number in range(1, 101))))
    assert "web-1, web-2, web-3, web-4, web-5 and 95 more\n" in text


def test_each_failure_has_its_own_block():
    text = Text().render(report(result("a", "critical", reason="one"), result("b", "critical", reason="two")))
    assert "      one\n" in text
    assert "      two\n" in text


def test_verbosity_adds_sentences_that_hold_and_then_their_evidence():
    step = StepResult(
        "port 80 is listening",
        4,
        "ok",
        "",
        [Observation("port 80", 1.0)],
        [Evidence("sockets", "ss -ltn", 0, "LISTEN", 0.1)],
    )
    good = report(result("a", steps=[step]))
    assert "port 80 is listening" not in Text().render(good)
    once = Text(verbosity=1).render(good)
    assert "✓ port 80 is listening  port 80 1\n" in once
    assert "$ ss -ltn" not in once
    assert "        $ ss -ltn\n        │ LISTEN\n" in Text(verbosity=2).render(good)


def test_blocked_scenarios_are_named_with_v_alone():
    blocked = result("a", "unknown", blocked_by="reachable@a")
    other = result("a", "unknown", blocked_by="reachable@a").changed(scenario="it is new", id="x")
    text = Text().render(report(blocked, other))
    assert "2 scenarios blocked by reachable@a" in text
    assert "it is new" not in text
    assert "it is new" in Text(verbosity=1).render(report(blocked, other))


@pytest.mark.parametrize(
    "given, line",
    [
        (result("web-1"), "✓ it works  web-1\n"),
        (result("-"), "✓ it works\n"),
        (result("web-1", "critical", reason="no\nline"), "✗ it works  web-1  no line\n"),
        (result("web-1", "unknown", blocked_by="reachable@web-1"), ""),
    ],
)
def test_live_line(given, line):
    assert Text().on_result(given) == line


def test_a_host_that_floods_is_cut():
    steps = [StepResult("x", 4, "critical", "no", (), [Evidence("command", "yes", 0, "y\n" * 100000, 1.0)])]
    text = Text().render(report(result("a", "critical", reason="no", steps=steps)))
    assert len(text.splitlines()) < 25
    assert "more lines" in text


def test_raw_answers_of_our_own_snippets_are_shown_with_v_alone():
    ours = Evidence("sockets", "ss -ltn", 0, "nothing", 0.1)
    theirs = Evidence("command", "nginx -t", 1, "unknown directive", 0.1)
    steps = [StepResult("x", 4, "critical", "no", (), [ours, theirs])]
    given = report(result("a", "critical", reason="no", steps=steps))
    assert "ss -ltn" not in Text().render(given)
    assert "        $ nginx -t  exit 1\n        │ unknown directive\n" in Text().render(given)
    assert "        $ ss -ltn\n        │ nothing\n" in Text(verbosity=1).render(given)


def failing(host: str, seen: str = "port 80 is not listening", **more: object) -> Result:
    steps = [StepResult("port 80 is listening", 14, "critical", seen, (), more.pop("evidence", ()))]
    return result(host, "critical", reason=seen, steps=steps, **more)


def test_failures_alike_on_many_hosts_are_one_block():
    hosts = [f"web-{number}" for number in range(1, 13)]
    text = Text().render(report(*map(failing, hosts), failing("db", "it is another reason")))
    assert text.count("port 80 is not listening") == 1
    assert "  ✗ it works  web-1, web-2, web-3, web-4, web-5 and 7 more  critical\n" in text
    assert "  ✗ it works  db  critical\n" in text
    assert text.count("web-1") == 1
    # With -v each stands alone.
    assert Text(verbosity=1).render(report(*map(failing, hosts))).count("port 80 is not listening") == 12


def test_what_is_shown_of_two_hosts_must_be_alike():
    """Words of a command of the user's own are shown, so two that differ are two blocks; ours are not, without -v."""
    for fact, blocks in (("command", 2), ("processes", 1)):
        pair = [failing(name, evidence=[Evidence(fact, "x", 1, f"on {name}", 0.1)]) for name in ("a", "b")]
        assert Text().render(report(*pair)).count("port 80 is not listening") == blocks
    warned = [result(name, "warning", reason="84 % full") for name in ("a", "b")]
    assert "  ▲ it works  a, b  warning\n      84 % full\n" in Text().render(report(*warned))


@pytest.mark.parametrize("length", [10, 40, 52, 53, 60, 200])
def test_a_place_is_never_broken_at_80_columns(length):
    step = StepResult("x" * length, 14, "critical", "no")
    lines = Text().render(report(result("a", "critical", steps=[step]))).splitlines()
    place = next(line for line in lines if "features/a.feature:14" in line)
    assert len(place) <= 80
    assert place.endswith("features/a.feature:14")


def test_a_feature_of_which_nothing_is_shown_has_no_heading():
    blocked = result("a", "unknown", blocked_by="reachable@a")
    other = result("b").changed(feature="features/b.feature", id="features/b.feature#s@b")
    text = Text().render(report(blocked, other))
    assert "features/a.feature" not in text
    assert "features/b.feature\n" in text
    assert "features/a.feature\n" in Text(verbosity=1).render(report(blocked, other))


def test_a_host_that_is_down_is_no_scenario():
    down = [Result(f"reachable@{name}", "", "reachable", 0, name, "critical", "no route") for name in ("a", "b")]
    blocked = [result(name, "unknown", blocked_by=f"reachable@{name}") for name in ("a", "b")]
    lines = Text().render(report(*down, *blocked, result("c"))).splitlines()
    assert lines[-2] == "CRITICAL  shop/dev: 2 hosts not reached, 2 blocked, 1 ok"
    assert lines[-1].startswith("3 scenarios on 3 hosts · ")


def test_what_runs_once_has_no_host():
    text = Text().render(report(result("-"), result("-", "critical", reason="no")))
    assert "  ✓ it works\n" in text
    assert "  ✗ it works  critical\n" in text
