from __future__ import annotations

import re
from pathlib import Path

import pytest
from click import Context

from infratest.cli.check_infratest import command as check_infratest
from infratest.cli.main import infratest_command
from infratest.errors import UserError
from infratest.project.heal import _hook_variables
from infratest.project.session import Session, mirrored, parameters, seconds, session_of
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
    assert (mirrored("tags"), mirrored("no-prefetch")) == (None, "1")


@pytest.mark.parametrize(
    "name, value",
    [("JOBS", "many"), ("VERBOSE", "-1"), ("TIMEOUT", "0s"), ("DEFINE", "a"), ("DEFINE", "a='hunter2")],
)
def test_what_no_option_could_be_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"INFRATEST_{name}", value)
    words = r"-D 'a'|is no whole number|not more than zero|INFRATEST_DEFINE: a quote or a backslash in it has no end"
    with pytest.raises(UserError, match=words) as refused:
        session_of(None)
    assert "hunter2" not in str(refused.value)


#: Of a stack that is made for one region, and what may stand in a value.
DEFINED = {"region": "eu", "motd": """it's "two words", $HOME \\ and\na line""", "none": ""}


def test_what_a_hook_is_told_leads_to_the_stack_of_its_call(tmp_path, monkeypatch):
    """By `infratest` in it, by check_infratest, and by the other faces; of a secret nobody is told."""
    text = STACK + "environments: {prod: {}, dev: {}}\nparameters:\n  password: {type: string, secret: true}\n"
    text += "".join(f"  {name}: {{type: string, default: other}}\n" for name in DEFINED)
    stack_path = write(tmp_path, {"stack.yaml": text}) / "stack.yaml"
    given = DEFINED | {"password": "hunter2hunter2"}
    call = Session(stack_path=stack_path, env="dev", state_path=str(tmp_path / "state"), parameters=given)
    told = _hook_variables(call)
    assert "hunter2" not in str(told)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    there = session_of(None)
    assert (there.stack_path, there.env, there.state_path) == (stack_path, "dev", str(tmp_path / "state"))
    assert there.parameters == DEFINED
    run = infratest_command.get_command(Context(infratest_command), "run")
    assert run is not None
    for command, words in ((run, ["web", "true"]), (check_infratest, [])):
        assert parameters(command.make_context("", words).params["define"]) == DEFINED


def test_times_and_parameters():
    assert (seconds("10"), seconds("1.5"), seconds("90s"), seconds("2min")) == (10.0, 1.5, 90.0, 120.0)
    assert parameters(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
