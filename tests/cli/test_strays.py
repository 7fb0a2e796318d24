"""Hosts that nothing leads to any more, and hosts chosen by group and list: no verb passes over them in silence."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.worlds.shop_stack import STACK, Place

REMOVE = "web-2 exists and the stack file no longer names it; `infratest destroy --host web-2` removes it"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_a_host_taken_out_of_the_file_is_told_by_every_verb_that_looks(place):
    place.run("up")
    place.write(STACK.replace("count: 2", "count: 1"))
    assert REMOVE in place.run("status")[0]
    assert [one["name"] for one in json.loads(place.run("status", "--format", "json")[0])["undeclared"]] == ["web-2"]
    assert REMOVE in place.run("up", "--dry-run")[1]
    assert REMOVE in place.run("up")[1]
    assert REMOVE in place.run("reap", "--dry-run")[1]
    assert REMOVE in place.run("reap")[1]
    assert "web-2" in place.there()
    assert place.run("destroy", "--dry-run", "--host", "web-2")[0] == "host web-2 would be removed\n"
    assert "removed: host web-2\n" in place.run("destroy", "--host", "web-2")[1]
    assert sorted(place.there()) == ["db", "shop", "web-1"]
    for words in (("status",), ("up", "--dry-run"), ("reap",)):
        assert "no longer" not in "".join(place.run(*words))


def test_of_an_environment_that_is_taken_out_too(place):
    place.write(f"{STACK}environments: {{dev: {{}}, blue: {{}}}}\n")
    place.run("up")
    place.run("up", "--env", "blue", "--host", "db")
    assert "no longer" not in place.run("status")[0]  # another environment that is declared has its own status
    place.write(f"{STACK}environments: {{dev: {{}}}}\n")
    out, _ = place.run("status")
    assert "db of shop/blue exists and was made from here, and the stack file no longer names that" in out
    place.write(f"{STACK}environments: {{dev: {{}}}}\n".replace("stack: shop", "stack: market"))
    assert out.count("no longer names") == 1
    assert place.run("status")[0].count("of shop/dev exists and was made from here") == 3


def test_a_lost_state_directory_hides_no_host(place):
    place.run("up")
    there = place.there()
    shutil.rmtree(place.folder / ".infratest")
    lost = "made from another state directory, of your stack shop too: db, web-1, web-2; that directory, "
    out, _ = place.run("status")
    assert lost in out
    assert "is not here any more: `infratest reap --expired` removes them (its lease ends in " in out
    assert len(json.loads(place.run("status", "--format", "json")[0])["elsewhere"]) == 3
    assert lost in place.run("up", "--dry-run")[1]
    assert lost in place.run("reap", "--dry-run")[1]
    assert lost in place.run("reap")[1]
    assert lost in place.run("destroy")[1]
    assert place.there() == there
    _, err = place.run("up", "--host", "db")
    assert err.index(lost) < err.index("db: making")


def test_a_second_checkout_is_told_with_the_way_to_it(place):
    place.run("up", "--host", "db")
    state = place.folder / ".infratest"
    _, err = place.run("up", "--host", "db", "--state", "other")
    assert f"of your stack shop too: db; `infratest destroy --state {state}` removes what was made from there" in err
    place.run("destroy", "--state", str(state))
    assert "another state directory" not in place.run("status", "--state", "other")[0]


def test_hosts_of_another_owner_or_stack_are_nobodys_business_here(place):
    place.run("up", "--host", "db")
    for path in (place.folder / "world").glob("*.json"):
        one = json.loads(path.read_text())
        one["labels"] |= {"infratest.owner": "jane@there", "infratest.state": "f"}
        path.write_text(json.dumps(one))
    assert "another state directory" not in place.run("status")[0]


def test_what_could_not_be_asked_is_not_denied(place):
    place.write(STACK.replace("  world: world", "  world: world\n  fail: [existing]"))
    out, _ = place.run("status")
    assert "whether hosts run that the stack file does not name is not known: fake: existing" in out


def test_a_host_that_was_never_made_is_not_gone(place):
    assert [line.split()[1:3] for line in place.run("status")[0].splitlines()[2:5]] == [["not", "made"]] * 3
    assert "db is not made; run `infratest up --host db` first" in place.run("ssh", "db", "true", status=1)[1]
    assert "db | not made; run `infratest up --host db`" in place.run("run", "db", "true", status=255)[1]
    assert "not up: db (not made)" in place.run("provision", status=1)[1]
    (place.folder / "x.feature").write_text('Feature: f\n  Scenario: s\n    Then the command "true" exits 0\n')
    assert (
        "db is not made, by its provider's word; make it with `infratest up`"
        in place.run("test", "x.feature", "--host", "db", status=2)[0]
    )
    place.run("up")
    for path in (place.folder / "world").glob("host-*.json"):
        if json.loads(path.read_text())["name"] == "db":
            path.unlink()
    hosts = json.loads(place.run("status", "--format", "json")[0])["hosts"]
    assert [host["state"] for host in hosts] == ["gone", "running", "running"]


def test_a_host_that_is_paused_is_started(place):
    place.run("up")
    for path in (place.folder / "world").glob("host-*.json"):
        path.write_text(path.read_text().replace('"running"', '"paused"'))
    assert json.loads(place.run("status", "--format", "json")[0])["hosts"][0]["state"] == "paused"
    assert "db is paused; run `infratest up --host db` first" in place.run("ssh", "db", "true", status=1)[1]
    assert "db would be started" in place.run("up", "--dry-run")[0]
    assert "db: starting (was paused)" in place.run("up")[1]
    assert set(place.there().values()) == {"running"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--host", "web"], ["web-1", "web-2"]),
        (["--host", "db,web-1"], ["db", "web-1"]),
        (["--host", "data, web-[2-9]"], ["db", "web-2"]),
        (["--host", "web-1", "--host", "data"], ["db", "web-1"]),
    ],
)
def test_hosts_by_group_and_list(place, words, expected):
    place.run("up")
    assert place.run("halt", "--dry-run", *words)[0].splitlines() == [f"{name} would be halted" for name in expected]
    listed = json.loads(place.run("status", "--format", "json", *words)[0])["hosts"]
    assert [host["name"] for host in listed] == expected
    (place.folder / "x.feature").write_text('Feature: f\n  Scenario: s\n    Then the command "true" exits 0\n')
    results = json.loads(place.run("test", "x.feature", "--format", "json", *words)[0])["results"]
    assert sorted({result["host"] for result in results}) == expected


def test_a_part_of_a_list_that_selects_nothing_is_told(place):
    _, err = place.run("halt", "--host", "db,wbe", status=2)
    assert "--host 'wbe' selects no host: known are db, web-1, web-2; groups are data, web" in err


def test_run_takes_lists_and_a_command_behind_two_hyphens(place):
    place.run("up")
    assert place.run("run", "data,web-2", "--", "echo", "a  b")[0].splitlines() == ["db    | a  b", "web-2 | a  b"]
    assert place.run("ssh", "db", "--", "echo", "a  b")[0] == "a  b\n"
    assert place.run("ssh", "db", "--", "echo one; exit 4", status=4)[0] == "one\n"
    assert place.run("ssh", "db", "printf", "%s\n", "--", "x")[0] == "--\nx\n"  # only the first one is ours
    assert "COMMAND is missing" in place.run("run", "db", "--", status=2)[1]


@pytest.mark.parametrize(
    ("provider", "hosts", "words"),
    [
        ("local", "{me: {}}", "1 host ready; provider local makes and removes nothing"),
        ("existing", "{me: {transport: local}}", "1 host ready; provider existing makes and removes nothing"),
        ("fake", "{me: {}, you: {}}", "2 hosts ready; `infratest destroy` removes what was made"),
    ],
)
def test_nothing_is_said_to_be_removed_that_was_never_made(place, provider, hosts, words):
    place.write(f"stack: here\nprovider: {provider}\nhosts: {hosts}\n")
    assert place.run("up")[1].splitlines()[-1] == words
