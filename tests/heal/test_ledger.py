"""The ledger, certificates and keys: what holds, and what any change of any byte comes to."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infratest.errors import HealError, UserError
from infratest.heal import certificate as certificates
from infratest.heal import chain, ledger, signing
from infratest.heal.certificate import BOUND, Certificate, Figures
from infratest.heal.ledger import Entry, Ledger
from infratest.heal.signing import Key
from infratest.heal.trust import trust
from infratest.store.directory import StateDir

NOON = 1_800_000_000.0
BOUND_NOW = {name: f"sha256:{name}" for name in BOUND}
ORDER = ("observe", "propose", "auto")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return signing.make(tmp_path_factory.mktemp("keys") / "heal.key")


def entry(level: str, at: float = NOON, rule: str = "mend", env: str = "prod", why: str = "") -> Entry:
    return Entry(rule=rule, env=env, level=level, time=at, by="alice(1000)@desk", why=why)


def typed_here(*words: str) -> str:
    return " ".join(["infratest", *words])


class Project:
    """A project's folder and its state, with a ledger of two grants and a loss in between."""

    def __init__(self, folder: Path, key: Key) -> None:
        self.folder, self.key = folder, key
        self.state = StateDir(folder / "state")
        self.keys = {"alice": key.public}

    def grant(self, level: str, at: float = NOON, **more: str) -> None:
        ledger.grant(self.folder, "shop", self.keys, entry(level, at, **more), self.key)

    def lose(self, level: str, at: float = NOON, why: str = "a heal was not verified") -> None:
        ledger.lose(self.state, "shop", entry(level, at, why=why))

    def read(self, now: float = NOON + 3600, note: bool = False) -> Ledger:
        return ledger.read(self.folder, self.state, "shop", self.keys, now, note=note)

    def accept(self) -> None:
        ledger.accept(self.folder, self.state, "shop", self.keys, NOON + 60)

    def level(self, now: float = NOON + 3600, otherwise: str = "propose") -> str:
        return trust("mend", "prod", self.read(now), otherwise=otherwise, command=typed_here).level


@pytest.fixture
def project(tmp_path: Path, key: Key) -> Project:
    return Project(tmp_path, key)


def test_nothing_granted_proposes_and_a_rule_that_needs_no_grant_stays_auto(project: Project) -> None:
    assert project.level() == "propose"
    assert project.level(otherwise="auto") == "auto"


def test_what_is_lost_counts_until_it_is_granted_again(project: Project) -> None:
    project.grant("auto", NOON)
    assert project.level() == "auto"
    project.lose("propose", NOON + 10)
    told = trust("mend", "prod", project.read(), otherwise="propose", command=typed_here)
    assert told.level == "propose"
    assert told.why == "lost at 2027-01-15 08:00:10 UTC: a heal was not verified"
    project.grant("auto", NOON + 20)
    assert project.level() == "auto"
    project.grant("observe", NOON + 30)
    assert project.level() == "observe"


def test_another_rule_and_another_environment_are_others(project: Project) -> None:
    project.grant("auto", rule="other")
    project.grant("auto", env="dev")
    assert project.level() == "propose"


def test_a_key_that_is_not_trusted_grants_nothing(project: Project, tmp_path: Path) -> None:
    other = signing.make(tmp_path / "other.key")
    with pytest.raises(UserError, match=r"none of the stack's: add it to `heal: trusted-keys:`"):
        ledger.grant(project.folder, "shop", project.keys, entry("auto"), other)
    assert not (project.folder / "heal-ledger.jsonl").exists()
    forged = chain.link(entry("auto").as_dict("shop", "grant"), "", other)
    (project.folder / "heal-ledger.jsonl").write_bytes(forged)
    assert project.read().broken.startswith("heal-ledger.jsonl:1: is not signed by one of the trusted keys; have it as")
    assert project.level(otherwise="auto") == "observe"


@pytest.mark.parametrize(
    "stack, at, words",
    [
        ("other", NOON, "is of the stack 'other', not of 'shop'"),
        ("shop", NOON + 3700, "is of the future"),
    ],
)
def test_a_line_that_is_signed_but_not_for_here_and_now(project: Project, stack: str, at: float, words: str) -> None:
    line = chain.link(entry("auto", at).as_dict(stack, "grant"), "", project.key)
    (project.folder / "heal-ledger.jsonl").write_bytes(line)
    assert words in project.read().broken
    assert project.level(otherwise="auto") == "observe"


def test_a_line_taken_off_the_end_is_missed(project: Project) -> None:
    project.grant("auto", NOON)
    project.grant("observe", NOON + 10)
    assert project.read(note=True).broken == ""
    path = project.folder / "heal-ledger.jsonl"
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(first)
    assert "a line that was there is gone" in project.read().broken
    assert project.level() == "observe"
    ledger.accept(project.folder, project.state, "shop", project.keys, NOON + 60)
    assert project.level() == "auto"


@pytest.mark.parametrize("what", ["emptied", "removed", "first line alone"])
def test_a_loss_that_was_taken_off_is_missed(project: Project, what: str) -> None:
    project.grant("auto", NOON)
    project.lose("propose", NOON + 10)
    project.lose("observe", NOON + 20)
    path = Path(project.state.file("lost.jsonl"))
    if what == "removed":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().splitlines(keepends=True)[0] if what != "emptied" else b"")
    assert project.level() == "observe"


def test_what_accepting_a_missing_loss_comes_to_is_that_all_is_granted_anew(project: Project) -> None:
    project.grant("auto", NOON)
    project.grant("auto", NOON, env="dev")
    project.lose("propose", NOON + 10)
    Path(project.state.file("lost.jsonl")).unlink()
    assert "`infratest heal trust --accept` begins it anew" in project.read().broken
    project.accept()
    assert (project.read().broken, project.level()) == ("", "propose")
    told = trust("mend", "dev", project.read(), otherwise="propose", command=typed_here)
    assert (told.level, told.why.endswith("what lost.jsonl said before is gone, and was accepted")) == ("propose", True)
    project.grant("auto", NOON + 120)
    assert project.level() == "auto"


@pytest.mark.parametrize("what", ["key gone", "key readable by others", "no key", "torn", "head unreadable"])
def test_losses_that_cannot_be_read_let_nothing_act_and_accepting_begins_them_anew(project: Project, what: str) -> None:
    project.grant("auto", NOON)
    project.lose("propose", NOON + 10)
    project.grant("auto", NOON + 20)
    lost, key = Path(project.state.file("lost.jsonl")), Path(project.state.file("keys/healer.key"))
    if what == "key gone":
        key.unlink()
    elif what == "key readable by others":
        key.chmod(0o644)
    elif what == "no key":
        key.write_text("nonsense")
    elif what == "torn":
        lost.write_bytes(lost.read_bytes()[:-20])
    else:
        project.state.write("lost.json", "[")
    broken = project.read().broken
    assert "`infratest heal trust --accept`" in broken
    assert "--new-key" not in broken
    assert project.level(otherwise="auto") == "observe"
    project.accept()
    assert (project.read().broken, project.level()) == ("", "propose")
    project.lose("observe", NOON + 70)
    assert project.level() == "observe"


def test_a_key_that_is_no_longer_trusted_has_a_way_out(project: Project, tmp_path: Path) -> None:
    project.grant("auto", NOON)
    assert project.read(note=True).broken == ""
    project.key = signing.make(tmp_path / "next.key")
    project.keys = {"bob": project.key.public}
    assert "in `trusted-keys:` again; or move the file away, `infratest heal trust --accept`" in project.read().broken
    with pytest.raises(HealError, match="move the file away"):
        project.accept()
    (project.folder / "heal-ledger.jsonl").rename(tmp_path / "old.jsonl")
    project.accept()
    assert project.level() == "propose"
    project.grant("auto", NOON + 60)
    assert project.level() == "auto"


def test_a_grant_counts_over_all_before_it_also_where_a_clock_was_ahead(project: Project) -> None:
    project.grant("auto", NOON + 50)
    project.lose("propose", NOON + 50)
    assert project.level(NOON) == "propose"
    project.grant("auto", NOON)
    assert (project.read(NOON).broken, project.level(NOON)) == ("", "auto")


def test_a_loss_waits_for_nobody_who_works_on_the_stack(project: Project) -> None:
    project.grant("auto", NOON)
    with StateDir(project.state.path).lock(purpose="up"):
        project.lose("propose", NOON + 10)
    assert project.level() == "propose"


def test_what_is_noted_is_never_older_than_what_another_has_noted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.grant("auto", NOON)
    project.lose("propose", NOON + 10)
    really = ledger._lost_links
    read = []

    def meanwhile(*about: object) -> object:
        found = really(*about)  # type: ignore[arg-type]
        if not read:
            read.append(found)
            project.lose("observe", NOON + 20)
        return found

    monkeypatch.setattr(ledger, "_lost_links", meanwhile)
    assert project.read(note=True).broken == ""
    monkeypatch.undo()
    assert project.level() == "observe"
    path = Path(project.state.file("lost.jsonl"))
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert "a line that was there is gone" in project.read().broken


def test_who_only_looks_writes_nothing(project: Project) -> None:
    project.grant("auto", NOON)
    assert project.read().broken == ""
    assert not project.state.exists


def test_without_trusted_keys_a_ledger_counts_for_nothing(project: Project) -> None:
    project.grant("auto", NOON)
    project.keys = {}
    assert "no key is trusted" in project.read().broken


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_any_byte_changed_anywhere_lowers_and_never_raises(
    data: st.DataObject, key: Key, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("project")
    project = Project(folder, key)
    at = NOON
    for level, loses in data.draw(st.lists(st.tuples(st.sampled_from(ORDER), st.booleans()), min_size=1, max_size=4)):
        at += 10
        if loses:
            project.lose(level, at)
        else:
            project.grant(level, at)
    project.read(note=True)
    before = project.level()
    files = [folder / "heal-ledger.jsonl", Path(project.state.file("lost.jsonl"))]
    path = data.draw(st.sampled_from([file for file in files if file.exists()]))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != whole[place]))
    change = data.draw(st.sampled_from(("replaced", "removed", "added", "cut")))
    changed = {
        "replaced": whole[:place] + bytes([byte]) + whole[place + 1 :],
        "removed": whole[:place] + whole[place + 1 :],
        "added": whole[:place] + bytes([byte]) + whole[place:],
        "cut": whole[:place],
    }[change]
    path.write_bytes(changed)
    after = project.level()
    if changed != whole:
        assert after == "observe"
    assert ORDER.index(after) <= ORDER.index(before)
    shutil.rmtree(folder)


def certified(**changes: object) -> Certificate:
    fields: dict[str, object] = {
        "drill": "killed-nginx", "rule": "mend", "stack": "shop", "env": "dev", "time": NOON, "by": "alice(1000)@desk",
        "bound": BOUND_NOW, "figures": Figures(runs=2, red=(1.0, 2.0), green=(10.0, 20.0)),
        "details": {"image web": "sha256:1"},
    }  # fmt: skip
    return Certificate(**fields | changes)  # type: ignore[arg-type]


def judged(one: Certificate, **changes: object) -> tuple[bool, str]:
    fields: dict[str, object] = {
        "drill": "killed-nginx", "rule": "mend", "stack": "shop", "env": "dev", "bound": BOUND_NOW,
        "details": {"image web": "sha256:1"}, "now": NOON + 60, "valid": 86400.0, "green_at_most": 30.0,
    }  # fmt: skip
    return certificates.judged(one, **fields | changes)  # type: ignore[arg-type]


def test_a_certificate_holds_and_says_where_it_was_proven() -> None:
    assert judged(certified()) == (True, "proven on dev by drill killed-nginx")


@pytest.mark.parametrize(
    "of_it, of_now, words",
    [
        ({"stack": "other"}, {}, "is of the stack 'other', not of 'shop'"),
        ({"rule": "other"}, {}, "is of the rule 'other', not of 'mend'"),
        ({"drill": "other"}, {}, "is of the drill 'other', not of 'killed-nginx'"),
        ({}, {"env": "prod"}, "is of the environment 'dev', not of 'prod'"),
        ({"time": NOON + 3600}, {}, "is of the future"),
        ({}, {"now": NOON + 86401}, "proven 24 h ago, which counts for 24 h; drill again"),
        ({}, {"green_at_most": 19.0}, "green after 20 s (p95), at most 19 s is asked for"),
        ({"bound": BOUND_NOW | {"rule": "x"}}, {},
         "was changed: the rule, a value in it, or what its remedies are given; drill again"),
        ({"bound": BOUND_NOW | {"provisioners": "x"}}, {}, "was changed: a provisioner, or a file that one reads"),
        ({}, {"bound": BOUND_NOW | {"images": "y"}, "details": {"image web": "sha256:2"}},
         "was changed: an image or the provider (image web); drill again"),
        ({"bound": BOUND_NOW | {"features": "x"}}, {}, "was changed: a feature of the drill"),
        ({"bound": BOUND_NOW | {"version": "x"}}, {}, "was changed: the version of infratest"),
    ],
)  # fmt: skip
def test_a_certificate_that_does_not_hold_says_why(
    of_it: dict[str, object], of_now: dict[str, object], words: str
) -> None:
    holds, why = judged(certified(**of_it), **of_now)
    assert not holds
    assert words in why


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(data=st.data())
def test_no_byte_of_a_certificate_may_be_another(
    data: st.DataObject, key: Key, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("drills") / "killed-nginx.json"
    whole = certificates.text(certified(), key)
    path.write_bytes(whole)
    assert certificates.read(path, {key.public}) == certified()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != whole[place]))
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    with pytest.raises(HealError):
        certificates.read(path, {key.public})


def test_a_certificate_of_a_stranger_and_one_that_is_not_there(key: Key, tmp_path: Path) -> None:
    path = tmp_path / "drills" / "killed-nginx.json"
    with pytest.raises(HealError, match="infratest drill killed-nginx --certify"):
        certificates.read(path, {key.public})
    path.parent.mkdir()
    path.write_bytes(certificates.text(certified(), signing.make(tmp_path / "other.key")))
    with pytest.raises(HealError, match="not signed by one of the trusted keys"):
        certificates.read(path, {key.public})


@pytest.mark.parametrize("format, by", [(None, "an older"), (1, "an older"), ("x", "an older"), (99, "a newer")])
def test_a_certificate_of_another_format_says_whose_it_is(key: Key, tmp_path: Path, format: object, by: str) -> None:
    path = tmp_path / "killed-nginx.json"
    record = {name: one for name, one in certified().as_dict().items() if name != "format"}
    record |= {} if format is None else {"format": format}
    path.write_bytes(chain.written(chain.signed(record, key)) + b"\n")
    with pytest.raises(HealError, match=f"was made by {by} infratest: drill again"):
        certificates.read(path, {key.public})


@pytest.mark.parametrize("share, expected", [(0.5, 3.0), (0.95, 5.0), (0.2, 1.0), (0.21, 2.0), (1.0, 5.0)])
def test_a_percentile_is_one_of_the_numbers(share: float, expected: float) -> None:
    assert certificates.percentile([5.0, 1.0, 4.0, 2.0, 3.0], share) == expected


def test_a_key_is_its_owners_alone_and_outside_the_project(tmp_path: Path) -> None:
    path = tmp_path / "config" / "heal.key"
    made = signing.make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing.load(path).public == made.public
    with pytest.raises(UserError, match="there is one already"):
        signing.make(path)
    with pytest.raises(UserError, match="lies in the project"):
        signing.load(path, tmp_path)
    path.chmod(0o640)
    with pytest.raises(UserError, match="others may read it"):
        signing.load(path)
    with pytest.raises(UserError, match="infratest heal trust --new-key"):
        signing.load(tmp_path / "none.key")


def test_a_signature_is_of_these_bytes_by_this_key(key: Key, tmp_path: Path) -> None:
    signed = key.sign(b"text")
    assert signing.verified(key.public, signed, b"text")
    assert not signing.verified(key.public, signed, b"other")
    assert not signing.verified(signing.make(tmp_path / "k").public, signed, b"text")
    assert not signing.verified("ed25519:none", signed, b"text")
    assert not signing.verified(key.public, "ed25519:", b"text")
