"""The end of a ladder: who is told when nothing on it has helped, once a problem, by a real webhook."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import SendError, UserError
from infratest.heal import telling
from infratest.heal.audit import Audit
from infratest.heal.healing import heal
from infratest.heal.ladder import remedies
from infratest.heal.means import Pager
from infratest.heal.paging import paged
from infratest.heal.records import HealRecord, note
from infratest.model import Report, Result
from infratest.project.paging import pager
from infratest.project.session import Session
from infratest.store.directory import StateDir
from tests.worlds import forked
from tests.worlds.heal_world import World, closed, events, make_report, make_result, make_rule, result_id, run
from tests.worlds.notice_servers import endpoint, smtp_server

INFRATEST = str(Path(sys.executable).with_name("infratest"))


class Desk:
    """Who is told, unless they are away; `oncall` where nobody is named."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.away: set[str] = set()

    @property
    def pager(self) -> Pager:
        return Pager(receivers=lambda to: to or ["oncall"], deliver=self.deliver)

    def deliver(self, result: Result, name: str, deadline: Deadline) -> str:
        if name in self.away:
            raise SendError("nobody listens at 127.0.0.1:9")
        self.told.append((result.id, name, result.reason))
        return ""


def check(world: World, state: StateDir, desk: Desk, **rule: object) -> list[HealRecord]:
    world.now += 3000
    made = make_rule(**{"tries": 2, "per": 3600.0} | rule)
    return heal(world.report(), [made], state, world.means(page=desk.pager), history={})


def test_the_end_of_the_ladder_is_told_once_a_problem(world: World, state: StateDir) -> None:
    world.helps, desk = False, Desk()
    (first,) = check(world, state, desk)
    assert note([first]) == ["provision did not help, now CRITICAL; page: oncall was told"]
    ((id, to, reason),) = desk.told
    assert (id, to) == (first.before.id, "oncall")
    assert reason.startswith("port 80 is not listening; healing is at its end: provision: changed 1")
    for _ in range(3):
        (again,) = check(world, state, desk)
        assert "page" not in note([again])[0]
    assert len(desk.told) == 1
    world.helps = True
    check(world, state, desk)
    world.helps = False
    world.sick.add("web-1")
    check(world, state, desk)
    assert len(desk.told) == 2
    assert events(state).count("paged") == 2


def flaps(world: World, state: StateDir, desk: Desk, looks: str) -> None:
    rule = make_rule(confirm=2, confirm_of=3, tries=1, per=86400.0)
    for look in looks:
        world.sick = {"web-1"} if look == "c" else set()
        world.now += 60
        heal(world.report(), [rule], state, world.means(page=desk.pager), history={})


@pytest.mark.parametrize(
    ("looks", "times"),
    [
        ("c.c.c.c.c.c", 1),
        ("c.c.cc.c", 1),
        ("c.c..c.c", 2),  # what was told was no longer among the newest three when it failed anew
        ("c.c...c.c", 2),
        ("c" + ".c" * 52, 1),  # more looks than are kept
    ],
)
def test_what_flaps_is_told_once_as_long_as_what_was_told_confirms_it(
    world: World, state: StateDir, looks: str, times: int
) -> None:
    world.helps, desk = False, Desk()
    flaps(world, state, desk, looks)
    assert len(desk.told) == times


def test_what_flaps_is_told_once_although_a_new_file_was_begun_while_it_was_well(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.helps, desk = False, Desk()
    flaps(world, state, desk, "c.c.")
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", "1KiB")
    Audit(state, "shop/prod", world.now)
    assert (state.path / "heal.1.jsonl").exists()
    flaps(world, state, desk, "c.c")
    assert len(desk.told) == 1


def test_a_milder_rung_that_did_not_help_is_no_end(world: World, state: StateDir) -> None:
    desk = Desk()
    records = check(world, state, desk, do=(("fake", {"fail": "no disk"}), ("provision", {}), ("page", "ops")))
    assert [one.remedy for one in records] == ["fake", "provision"]
    assert desk.told == []


def test_who_is_written_down_is_told_when_no_try_is_left(world: World, state: StateDir) -> None:
    world.helps, desk = False, Desk()
    desk.away = {"ops", "boss"}
    rule = {"do": (("fake", {"fail": "no disk"}), ("provision", {}), ("page", {"to": ["ops", "boss"]}))}
    records = check(world, state, desk, **rule)
    assert note(records)[0].startswith("provision did not help, now CRITICAL; page: nobody could be told: page ops, b")
    desk.away.clear()
    world.now -= 2000
    (gave_up,) = check(world, state, desk, **rule)
    assert note([gave_up])[0].startswith("healing gave up after 2 tries: it begins again ")
    assert [to for _, to, _ in desk.told] == ["ops", "boss"]


@pytest.mark.parametrize(
    ("tries", "words"), [(9, "healing gave up: 1 of 1 acts in 24 h"), (1, "healing gave up after 1 try: ")]
)
def test_a_group_whose_acts_are_used_up_is_an_end_too(world: World, state: StateDir, tries: int, words: str) -> None:
    world.helps, desk = False, Desk()
    rule = {"do": (("provision", {}), ("provision", {})), "tries": tries, "group": (1, 86400.0)}
    records = check(world, state, desk, **rule)
    assert [one.outcome for one in records] == ["tried", "refused"]
    assert note(records)[0].startswith(words)
    assert [to for _, to, _ in desk.told] == ["oncall"]
    check(world, state, desk, **rule)
    assert len(desk.told) == 1


def test_nobody_is_told_of_what_people_want_left_alone_until_they_want_that_no_longer(
    world: World, state: StateDir
) -> None:
    world.helps, desk, wanted = False, Desk(), ["left alone: it is in downtime night"]
    desk.away = {"oncall"}
    check(world, state, desk, tries=1, per=86400.0)
    desk.away.clear()
    world.now += 60
    rule, means = make_rule(tries=1, per=86400.0), world.means(page=desk.pager, suppressed=lambda result: wanted[0])
    (spent,) = heal(world.report(), [rule], state, means, history={})
    assert note([spent])[0].endswith("; page: nobody was told: left alone: it is in downtime night")
    wanted[0] = ""
    world.now += 60
    (spent,) = heal(world.report(), [rule], state, means, history={})
    wanted[0] = "left alone: acknowledged by alice"
    world.now += 60
    (after,) = heal(world.report(), [rule], state, means, history={})
    assert (spent.paged, after.paged, len(desk.told)) == ("oncall was told", "", 1)


def test_each_is_told_once_although_another_cannot_be(world: World, state: StateDir) -> None:
    world.helps, desk = False, Desk()
    desk.away = {"chat"}
    rule = {"do": (("provision", {}), ("page", {"to": ["oncall", "chat"]})), "tries": 1}
    words = [note(check(world, state, desk, **rule))[0].partition("; page: ")[2] for _ in range(3)]
    missed = "not told: page oncall, chat: chat: nobody listens at 127.0.0.1:9"
    assert [to for _, to, _ in desk.told] == ["oncall"]
    assert words == [f"oncall was told; {missed}", missed, missed]
    desk.away.clear()
    assert note(check(world, state, desk, **rule))[0].endswith("; page: chat was told")
    assert "page" not in note(check(world, state, desk, **rule))[0]
    assert [to for _, to, _ in desk.told] == ["oncall", "chat"]


@pytest.mark.parametrize("worse", [True, False])
def test_an_end_that_could_not_be_told_is_told_later_although_it_has_cost_the_rule_its_autonomy(
    world: World, state: StateDir, worse: bool
) -> None:
    world.helps, desk, shop = False, Desk(), result_id("web-1", "shop-answers")
    wanted, desk.away = [""], {"oncall"}

    def lost(rule: object, why: str) -> None:
        world.trust = "propose", why

    def rerun(ids: Sequence[str]) -> Report:
        broken = worse and world.acts
        return make_report([make_result("ok" if id == shop and not broken else "critical", id=id) for id in ids])

    def once() -> tuple[str, str]:
        world.now += 60
        means = world.means(
            rerun=rerun, neighbours=lambda rule: [shop], page=desk.pager, lost=lost,
            suppressed=lambda result: wanted[0],
        )  # fmt: skip
        rule = make_rule(tries=9 if worse else 1, per=86400.0, neighbours="@shop")
        records = heal(world.report(), [rule], state, means, history={})
        return records[-1].outcome, "".join(one.paged for one in records)

    outcome, said = once()
    assert (outcome, "told: " in said, desk.told) == ("tried", True, [])
    desk.away.clear()
    wanted[0] = "left alone: it is in downtime night"
    assert (once()[0], desk.told) == ("refused", [])
    wanted[0] = ""
    assert (once(), len(desk.told)) == (("refused", "oncall was told"), 1)
    assert ("healing is at its end: provision made " in desk.told[0][2]) == worse
    assert (once(), len(desk.told)) == (("refused", ""), 1)


@pytest.mark.parametrize(
    ("changes", "state_told", "words"),
    [
        ({"after": make_result("critical")}, "critical", "provision: it did not help, now critical"),
        ({"after": make_result("warning")}, "warning", "provision: it did not help, now warning"),
        ({"error": "no disk"}, "critical", "provision: no disk"),
        (
            {"worse": ("shop",), "beside": (make_result("warning"),), "undone": "not undone, it has no undo"},
            "warning",
            "provision made shop worse: not undone, it has no undo",
        ),
        ({"worse": ("shop",), "undone": "undone, done"}, "critical", "provision made shop worse: undone, done"),
    ],
)
def test_what_a_later_check_has_found_is_told_in_words_and_in_the_state_of_what_is_worst(
    world: World, state: StateDir, changes: dict[str, Any], state_told: str, words: str
) -> None:
    told = list[Result]()
    found = Pager(receivers=lambda to: ["oncall"], deliver=lambda result, name, deadline: told.append(result) or "")
    fields = {"after": make_result("ok") if "worse" in changes else None} | changes
    record = HealRecord(time=world.now, rule=make_rule(), outcome="tried", gates=(), rung=0, remedy="provision",
                        before=make_result("critical"), later=True, **fields)  # fmt: skip
    paged(record, world.means(page=found), Audit(state, "shop/prod", world.now), 20.0)
    (one,) = told
    said = "" if "worse" in changes else "port 80 is not listening; "
    assert (one.state, one.reason) == (state_told, f"{said}healing is at its end: {words}")


@pytest.mark.parametrize("how", ["503", "cut off"])
@pytest.mark.parametrize(
    ("level", "later", "outcome"), [("propose", 600, "proposed"), ("observe", 600, "would"), ("auto", 60, "refused")]
)
def test_a_last_rung_with_tries_left_is_told_later_where_it_could_not_be_at_once(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch, how: str, level: str, later: float, outcome: str
) -> None:
    world.helps, desk, rule = False, Desk(), make_rule(tries=9, per=86400.0)

    def lost(rule: object, why: str) -> None:
        world.trust = level, why

    def once() -> HealRecord:
        world.now += later
        (record,) = heal(world.report(), [rule], state, world.means(page=desk.pager, lost=lost), history={})
        return record

    if how == "cut off":
        monkeypatch.setattr(telling, "paged", cut_off)
        with pytest.raises(KeyboardInterrupt):
            once()
        monkeypatch.undo()
    else:
        desk.away = {"oncall"}
        assert once().paged.startswith("nobody could be told: ")
        desk.away.clear()
    record = once()
    assert (record.outcome, record.paged) == (outcome, "oncall was told")
    assert (once().paged, len(desk.told)) == ("", 1)


def cut_off(*about: object) -> None:
    raise KeyboardInterrupt("SIGTERM")


def test_what_somebody_has_undone_is_no_end(world: World, state: StateDir) -> None:
    desk = Desk()
    (record,) = check(world, state, desk, tries=9, per=86400.0)
    assert record.verified
    audit = Audit(state, "shop/prod", world.now, looking=True)
    audit.undo(str(audit.begun()[0]["try"]), "alice", world.now)
    world.sick.add("web-1")
    (record,) = check(world, state, desk, tries=9, per=86400.0)
    assert (closed(record)[0], desk.told) == ("given up", [])


MAILED = """\
stack: shop
provider: local
hosts: {{web-1: {{groups: [web]}}}}
monitor:
  receivers: {{oncall: {{mail: {{to: [ops@example.org, new@example.org], from: infratest@mon-1, server: "{server}"}}}}}}
  tell: [{{to: [oncall]}}]
"""


@pytest.mark.parametrize("answer", ["550 no such user", "451 greylisted"])
def test_mail_that_one_address_does_not_take_goes_once_to_those_who_do(
    tmp_path: Path, world: World, state: StateDir, answer: str
) -> None:
    world.helps = False
    with smtp_server() as post:
        post.box.refusals["new@example.org"] = answer
        (tmp_path / "stack.yaml").write_text(MAILED.format(server=post.server))
        means = world.means(page=pager(Session(stack_path=tmp_path / "stack.yaml")))
        words = []
        for _ in range(3):
            world.now += 3000
            records = heal(world.report(), [make_rule(tries=1, per=3600.0)], state, means, history={})
            words += [note(records)[0].partition("; page: ")[2]]
    assert [letter.recipients for letter in post.box.letters] == [("ops@example.org",)]
    assert events(state).count("paged") == 1
    assert words[0].startswith("oncall was told; oncall: mail ops@example.org and 1 more by ")
    assert words[0].endswith(f": it took it for all but new@example.org: {answer}")
    assert words[1:] == ["", ""]


def test_who_was_told_is_known_as_long_as_the_problem_lasts(
    world: World, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFRATEST_KEEP_SIZE", "8KiB")
    world.helps, desk = False, Desk()
    check(world, state, desk, tries=1)
    while not (state.path / "heal.1.jsonl").exists():
        run(world, state, make_rule(name=f"other-{world.now}", mode="observe"))
    check(world, state, desk, tries=1)
    assert len(desk.told) == 1
    world.sick.clear()
    run(world, state, make_rule())
    (state.path / "heal.1.jsonl").unlink()
    world.sick.add("web-1")
    while not (state.path / "heal.1.jsonl").exists():
        run(world, state, make_rule(name=f"more-{world.now}", mode="observe"))
    assert "paged" not in events(state)  # of a problem that is over


@pytest.mark.parametrize("how", [{"dry_run": True}, {"drilled": True}])
def test_a_dry_run_and_a_drill_tell_nobody(world: World, state: StateDir, how: dict[str, bool]) -> None:
    world.helps, desk = False, Desk()
    world.now += 60
    drilled = "mend-web" if how.pop("drilled", False) else ""
    heal(world.report(), [make_rule()], state, world.means(page=desk.pager, drilled=drilled), history={}, **how)
    assert desk.told == []


@pytest.mark.parametrize(
    ("do", "words"),
    [
        ((("page", {}),), "do holds page alone, which mends nothing"),
        ((("page", "ops"), ("provision", {})), "page must be the last rung"),
        ((("provision", {}), ("page", 5)), "page: expected receivers"),
    ],
)
def test_a_page_is_an_end_and_no_beginning(do: tuple[tuple[str, object], ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        remedies(make_rule(do=do))


STACK = """\
stack: paged
provider: local
hosts: {{web: {{groups: [web]}}}}
monitor:
  receivers: {{oncall: {{webhook: {{url: "{url}"}}}}, team: {{webhook: {{url: "http://127.0.0.1:9/"}}}}}}
  tell: [{{to: [oncall]}}, {{when: tag=other, to: [team]}}]
heal:
  mend:
    when: {{tags: "@web"}}
    confirm: 1
    do: [{{run: "true"}}{more}]
    at-most: 100%
    mode: auto
"""
FEATURE = '@web\nFeature: The shop\n  Scenario: it is there\n    Then the file "/srv/not-there/{name}" exists\n'


def test_a_check_that_heals_tells_a_real_receiver(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "shop.feature").write_text(FEATURE.format(name=tmp_path.name))
    with endpoint() as there:
        (tmp_path / "stack.yaml").write_text(STACK.format(url=f"{there.url}", more=""))
        words = ""
        for _ in range(2):  # the first has no time left to see that it did not help; the second says so
            words += _checked(tmp_path)
        bodies = [json.loads(one.body) for one in there.requests]
    assert "page: oncall was told" in words
    assert len(bodies) == 1
    assert "healing is at its end: run true" in json.dumps(bodies[0])


def test_a_receiver_that_nobody_declares_is_told_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "shop.feature").write_text(FEATURE.format(name=tmp_path.name))
    (tmp_path / "stack.yaml").write_text(STACK.format(url="http://127.0.0.1:9/", more=", {page: oncal}"))
    assert "rule mend: page: unknown receiver 'oncal': did you mean 'oncall'?" in _checked(tmp_path)


def _checked(folder: Path) -> str:
    done = forked.run(["check", "--heal", "--timeout", "60"], cwd=folder, timeout=100)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr
