"""What counts while no witness answers, and what is told of it: once, and of nothing that is not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from infratest.alerting.subject import WITNESS
from infratest.monitor.cut_off import FRESH, Witnesses
from tests.senders.seen import result
from tests.worlds.monitor_world import THERE, until, world
from tests.worlds.notice_servers import Reply, endpoint


def outcome(witnesses: Witnesses, *states: str) -> list[tuple[str, str | None]]:
    found = witnesses.judged([result(state) for state in states])
    return [(each.state, each.blocked_by) for each in found]


def test_without_witnesses_everything_counts():
    assert outcome(Witnesses(()), "critical", "ok") == [("critical", None), ("ok", None)]


def test_what_failed_is_unknown_while_none_answers_and_what_holds_holds():
    now = [0.0]
    with endpoint() as there:
        witnesses = Witnesses([there.url], lambda: now[0])
        assert outcome(witnesses, "ok") == [("ok", None), ("ok", None)]  # asked once, to begin with
        assert outcome(witnesses, "ok") == [("ok", None)]
        assert len(there.requests) == 1
        assert outcome(witnesses, "critical") == [("critical", None), ("ok", None)]
        assert len(there.requests) == 1  # that is fresh
        now[0] += FRESH
        there.reply = Reply(status=503)
        assert outcome(witnesses, "critical", "unknown", "warning", "ok", "skipped", "waived") == [
            ("unknown", WITNESS), ("unknown", WITNESS), ("unknown", WITNESS), ("ok", None), ("skipped", None),
            ("waived", None), ("critical", None),
        ]  # fmt: skip
        now[0] += FRESH
        there.reply = Reply()
        assert outcome(witnesses, "ok") == [("ok", None), ("ok", None)]  # asked until one answers
        assert outcome(witnesses, "ok") == [("ok", None)]


def test_what_was_seen_is_still_said():
    with endpoint() as there:
        there.reply = Reply(status=500)
        first, witness = Witnesses([there.url]).judged([result("critical", "port 80 is not listening")])
    assert first.reason == "not known, for no witness answers; seen critical: port 80 is not listening"
    assert witness.reason == f"no witness answers, so it is we who are cut off: {there.url}: it answers 500"


@pytest.mark.timeout(600)
def test_a_monitor_that_is_cut_off_tells_that_once_and_nothing_else(tmp_path: Path):
    with endpoint() as there, world(tmp_path) as made:
        stack = (made.folder / "stack.yaml").read_text()
        (made.folder / "stack.yaml").write_text(stack.replace("monitor:\n", f'monitor:\n  witness: ["{there.url}"]\n'))
        there.reply = Reply(status=502)
        made.there.unlink()
        made.begin()
        until(lambda: made.notices() == [("problem", "critical", WITNESS)], "it is told that no witness answers")
        until(lambda: made.state() == "unknown", "what failed is hard unknown")
        assert made.notices() == [("problem", "critical", WITNESS)]
        there.reply = Reply()
        until(lambda: len(made.notices()) > 2, "a witness answers, and what is so is told")
        assert made.notices()[1:] == [("recovery", "ok", WITNESS), ("problem", "critical", THERE)]
