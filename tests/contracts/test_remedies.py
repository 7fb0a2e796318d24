"""What every remedy must do, asked of all of them, over a real transport to this machine and with real programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import HealError, ProviderError, UserError
from infratest.outsiders import get, names
from infratest.remedies.base import Outcome, Remedy, Surroundings
from infratest.transports.local import Local
from tests.worlds.heal_world import make_result, surroundings

#: Stands where systemctl would: keeps its arguments, and fails for the unit that is not there.
SYSTEMCTL = """#!/bin/sh
printf '%s\\n' "$*" >>"$SYSTEMCTL_LOG"
case $* in
*absent*) echo "Unit absent.service not found." >&2; exit 5 ;;
*slow*) exec sleep 60 ;;
esac
"""


@dataclass(frozen=True)
class Case:
    """Values behind a remedy's name: one that works, one that fails, one that takes too long, and what is refused."""

    works: Any
    fails: Any
    slow: Any
    refused: tuple[Any, ...]


CASES = {
    "restart-service": Case("nginx", "absent", "slow", (None, "", 5, ["nginx"], "-rf", "a b", "x;y", "a\0b", {})),
    "run": Case("touch run.done", "echo no room >&2; exit 3", "sleep 60", (None, "", "  ", 5, ["true"], "a\0b")),
    "provision": Case({}, {}, {}, ("site.yml", [1], {"a": 1}, 0)),
    "hook": Case(["touch", "hook.done"], ["sh", "-c", "echo no room; exit 3"], ["sleep", "60"],
                 (None, "", [], [""], 5, [5], {}, "a\0b")),
    "fake": Case({}, {"fail": "no room"}, {"takes": 60.0}, ("x", [], {"fails": "x"}, {"takes": "long"})),
}  # fmt: skip


@pytest.fixture(params=names("remedy"))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SYSTEMCTL_LOG", str(tmp_path / "systemctl.log"))
    monkeypatch.chdir(tmp_path)
    plain = surroundings(tmp_path, INFRATEST_HOST="web-1")
    transport = Local(plain.host)
    transport.open(Deadline(5))
    yield replace(plain, transport=transport)
    transport.close()


def apply(remedy: Remedy, around: Surroundings, seconds: float = 10.0) -> Outcome:
    return remedy.apply(make_result("critical"), around, Deadline(seconds))


def refuse(name: str, deadline: Deadline) -> str:
    raise ProviderError("no room")


def hang(name: str, deadline: Deadline) -> str:
    raise HealError(f"no end within {deadline.seconds:g} s")


def test_every_remedy_has_a_case() -> None:
    assert sorted(CASES) == names("remedy")


def test_doing_it_twice_is_safe(name: str, around: Surroundings) -> None:
    remedy: Remedy = get("remedy", name)(CASES[name].works)
    first, second = apply(remedy, around), apply(remedy, around)
    assert first == second
    assert first.words
    assert first.command


def test_it_says_what_it_would_do(name: str) -> None:
    words = get("remedy", name)(CASES[name].works).describe()
    assert words.startswith(name)
    assert words.isprintable()


def test_a_failure_is_a_heal_error_with_the_words(name: str, around: Surroundings) -> None:
    around = replace(around, provision=refuse) if name == "provision" else around
    with pytest.raises(HealError, match=r"no room|not found") as caught:
        apply(get("remedy", name)(CASES[name].fails), around)
    assert name in str(caught.value)


def test_the_deadline_ends_it(name: str, around: Surroundings) -> None:
    around = replace(around, provision=hang) if name == "provision" else around
    begun = monotonic()
    with pytest.raises(HealError, match="end within"):
        apply(get("remedy", name)(CASES[name].slow), around, 0.2)
    assert monotonic() - begun < 5


def test_a_remedy_on_the_host_without_a_way_to_it_says_so(name: str, around: Surroundings) -> None:
    remedy: Remedy = get("remedy", name)(CASES[name].works)
    if not remedy.on_host:
        assert apply(remedy, replace(around, transport=None)).words
        return
    with pytest.raises(HealError, match="no connection to web-1"):
        apply(remedy, replace(around, transport=None))


@pytest.mark.parametrize("name, argument", [(name, bad) for name, case in CASES.items() for bad in case.refused])
def test_a_value_it_cannot_use_is_refused_when_it_is_made(name: str, argument: Any) -> None:
    with pytest.raises(UserError, match=name):
        get("remedy", name)(argument)
