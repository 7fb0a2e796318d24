from __future__ import annotations

import re
from pathlib import Path

import pytest

from infratest.errors import UserError
from infratest.project.session import Session, mirrored, mirrored_list, parameters, seconds, session_of
from tests.worlds.small_project import STACK, write

LABELLED = STACK.replace("groups: [data]", "groups: [data], labels: {role: store}")
HOSTS = ["web-1", "web-2", "db"]


def session(folder: Path, *host: str) -> Session:
    return Session(stack_path=write(folder, {"stack.yaml": LABELLED}) / "stack.yaml", host=host)


@pytest.mark.parametrize(
    "host, names",
    [
        ((), HOSTS),
        (("db",), ["db"]),
        (("web-*",), ["web-1", "web-2"]),
        (("web",), ["web-1", "web-2"]),
        (("data",), ["db"]),
        (("db,web-2",), ["web-2", "db"]),
        (("db, web", "web-1"), HOSTS),
        (("web and not web-2",), ["web-1"]),
        (("role=store", "web-2"), ["web-2", "db"]),
        (("(db or web-1)",), ["web-1", "db"]),
    ],
)
def test_hosts_by_name_pattern_group_and_list(tmp_path, host, names):
    assert session(tmp_path, *host).selected(HOSTS) == names


@pytest.mark.parametrize("host", ["nix-*", "web,nobody", "dat"])
def test_a_word_that_selects_none(tmp_path, host):
    with pytest.raises(UserError, match="selects no host: known are web-1, web-2, db; groups are data, web") as caught:
        session(tmp_path, host).selected(HOSTS)
    assert repr(host.rpartition(",")[2]) in str(caught.value)


@pytest.mark.parametrize(
    "host, message",
    [
        ("not wbe", "--host 'not wbe': unknown host or group 'wbe': did you mean 'web'"),
        ("not rloe=store", "unknown label 'rloe': did you mean 'role'"),
        ("role=none", "'role=none' selects no host"),
        ("web and", "a name is missing"),
    ],
)
def test_a_misspelt_name_in_an_expression_chooses_nobody(tmp_path, host, message):
    with pytest.raises(UserError, match=re.escape(message)):
        session(tmp_path, host).selected(HOSTS)


@pytest.mark.parametrize(
    "text, patterns",
    [
        ("web-1 db", ("web-1", "db")),
        ("web and not web-2", ("web and not web-2",)),
        (" role=store ", (" role=store ",)),
        ("", ()),
    ],
)
def test_the_environment_holds_several_or_one_expression(monkeypatch, text, patterns):
    monkeypatch.setenv("INFRATEST_HOST", text)
    assert session_of(None).host == patterns


def test_options_that_are_not_given_are_the_environments(monkeypatch):
    for name, value in {
        "STACK": "other.yaml", "ENV": "dev", "STATE": "/tmp/state", "HOST": "web-1 db", "DEFINE": "a=1 b=2",
        "TIMEOUT": "2min", "JOBS": "3", "VERBOSE": "1", "TAGS": "", "NO_PREFETCH": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"INFRATEST_{name}", value)
    made = session_of(None)
    assert (made.stack_path, made.env, made.state_path) == (Path("other.yaml"), "dev", "/tmp/state")
    assert (made.host, made.parameters) == (("web-1", "db"), {"a": "1", "b": "2"})
    assert (made.timeout, made.jobs, made.verbosity) == (120.0, 3, 1)
    given = session_of("mine.yaml", env="prod", host=["db"], defined={"c": "3"}, jobs=5)
    assert (given.stack_path, given.env, given.host) == (Path("mine.yaml"), "prod", ("db",))
    assert (given.parameters, given.jobs) == ({"c": "3"}, 5)
    assert (mirrored("tags"), mirrored("no-prefetch"), mirrored_list("scenario")) == (None, "1", ())


@pytest.mark.parametrize("name, value", [("JOBS", "many"), ("VERBOSE", "-1"), ("TIMEOUT", "0s"), ("DEFINE", "a")])
def test_what_no_option_could_be_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"INFRATEST_{name}", value)
    with pytest.raises(UserError, match=r"-D 'a'|is no whole number|not more than zero"):
        session_of(None)


def test_times_and_parameters():
    assert (seconds("10"), seconds("1.5"), seconds("90s"), seconds("2min")) == (10.0, 1.5, 90.0, 120.0)
    assert parameters(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
