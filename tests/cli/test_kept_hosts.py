"""suspend, resume, reboot, rebuild, snapshot and console by the installed command, on hosts that are files."""

from __future__ import annotations

import json

import pytest

from tests.worlds.shop_stack import STACK, Place


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


ALL = {"shop": "running", "db": "running", "web-1": "running", "web-2": "running"}


def test_suspended_hosts_go_on(place):
    place.run("up")
    out, _ = place.run("suspend", "--dry-run", "--host", "web-*")
    assert out.splitlines() == ["web-1 would be suspended", "web-2 would be suspended"]
    assert "suspended: web-1, web-2" in place.run("suspend", "--host", "web-*")[1]
    assert place.there() == ALL | {"web-1": "paused", "web-2": "paused"}
    place.run("halt", "--host", "db")
    assert place.run("resume", "--dry-run")[0].splitlines() == ["web-1 would be resumed", "web-2 would be resumed"]
    assert "resumed: web-1, web-2" in place.run("resume")[1]
    assert place.there() == ALL | {"db": "stopped"}  # halted hosts are for `up`
    assert "nothing was suspended" in place.run("resume")[1]


def test_reboot_waits_until_hosts_are_ready(place):
    place.run("up")
    place.run("halt", "--host", "web-2")
    assert place.run("reboot", "--dry-run")[0].splitlines() == ["db would be rebooted", "web-1 would be rebooted"]
    _, err = place.run("reboot")
    assert "rebooted: db, web-1" in err
    assert "web-1: ready" in err
    assert place.there() == ALL | {"web-2": "stopped"}


def test_rebuild_makes_hosts_anew_that_are_there(place):
    place.run("up")
    place.run("destroy", "--host", "web-2")
    before = place.there()
    said = place.run("rebuild", "--dry-run")[0].splitlines()
    assert said == ["db would be made anew", "web-1 would be made anew"]
    _, err = place.run("rebuild", "--host", "web-1")
    assert "web-1: removed" in err
    assert "web-1: ready" in err
    assert "rebuilt: web-1; " in err
    assert place.there() == before
    assert "web-2: not there" in place.run("rebuild", "--host", "web-2", status=1)[1]


def test_rebuild_of_production_wants_a_word_more(place):
    place.write((place.folder / "stack.yaml").read_text() + "production: true\n")
    place.run("up")
    assert "what its hosts hold is lost" in place.run("rebuild", status=2)[1]
    assert "rebuilt: db, web-1, web-2; " in place.run("rebuild", "--yes-production")[1]


def test_what_a_provider_cannot_do_is_refused_as_wrong_use(place):
    place.write("stack: shop\nprovider: local\nhosts: {here: {}}\n")
    for words in (["suspend"], ["resume"], ["reboot"], ["rebuild"], ["snapshot", "save", "x"], ["snapshot", "list"]):
        _, err = place.run(*words, status=2)
        assert "provider local" in err, words
    assert "provider local shows no console of its hosts" in place.run("console", "here", status=2)[1]


def test_snapshots_are_kept_listed_restored_and_forgotten(place):
    place.run("up")
    assert "kept as fresh: db, web-1, web-2" in place.run("snapshot", "save", "fresh")[1]
    place.run("halt", "--host", "web-1")
    place.run("snapshot", "save", "later", "--host", "web-1")
    found = json.loads(place.run("snapshot", "list", "--format", "json")[0])
    kept = {host: [(one["name"], one["running"]) for one in each] for host, each in found.items()}
    assert kept == {
        "db": [("fresh", True)], "web-1": [("fresh", True), ("later", False)], "web-2": [("fresh", True)],
    }  # fmt: skip
    out, _ = place.run("snapshot", "list", "--host", "web-1")
    assert out.splitlines()[0].split() == ["host", "snapshot", "taken", "of"]
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["web-1", "fresh"], ["web-1", "later"]]

    assert "restored fresh: db, web-1, web-2" in place.run("snapshot", "restore", "fresh")[1]
    assert place.there() == ALL
    _, err = place.run("snapshot", "restore", "later", status=1)
    assert "db, web-2: no snapshot 'later'; there are fresh" in err
    assert place.there() == ALL  # nothing was done
    assert "restored later: web-1" in place.run("snapshot", "restore", "later", "--host", "web-1")[1]
    assert place.there() == ALL | {"web-1": "stopped"}

    assert "forgotten fresh: db, web-1, web-2" in place.run("snapshot", "delete", "fresh")[1]
    assert "no host has a snapshot 'fresh'" in place.run("snapshot", "delete", "fresh", status=1)[1]
    assert json.loads(place.run("snapshot", "list", "--format", "json")[0])["db"] == []


def test_a_snapshot_is_of_all_hosts_or_of_none(place):
    place.run("up")
    place.write(STACK.replace("  world: world", "  world: world\n  fail: [snapshot web-2]"))
    _, err = place.run("snapshot", "save", "half", status=1)
    assert "fake: snapshot web-2: refused" in err
    place.write(STACK)
    assert set(map(len, json.loads(place.run("snapshot", "list", "--format", "json")[0]).values())) == {0}
    place.run("snapshot", "save", "twice")
    _, err = place.run("snapshot", "save", "twice", status=1)
    assert "db, web-1, web-2: there is a snapshot 'twice' already; `infratest snapshot delete twice` removes it" in err


def test_a_restore_brings_back_what_was_provisioned(place):
    place.run("up")
    place.run("snapshot", "save", "bare")
    place.run("provision")
    place.run("snapshot", "save", "whole")
    assert "not provisioned" not in place.run("status")[0]
    place.run("snapshot", "restore", "bare")
    assert "not provisioned since made: web-1, web-2" in place.run("status")[0]
    place.run("snapshot", "restore", "whole")
    assert "not provisioned" not in place.run("status")[0]


def test_names_of_snapshots_and_words_that_are_none(place):
    place.run("up")
    assert "'a b' is no name of a snapshot" in place.run("snapshot", "save", "a b", status=2)[1]
    assert "did you mean 'restore'?" in place.run("snapshot", "restor", "x", status=2)[1]


def test_a_production_stack_is_restored_only_when_said(place):
    place.run("up")
    place.run("snapshot", "save", "good")
    place.write(STACK + "production: true\n")
    _, err = place.run("snapshot", "restore", "good", status=2)
    assert "what its hosts hold since then is lost; say so with --yes-production" in err
    assert "restored good" in place.run("snapshot", "restore", "good", "--yes-production")[1]


def test_a_console_is_shown_and_stands_below_the_failure_of_up(place):
    place.run("up")
    assert place.run("console", "db")[0] == "db: a host that is a file; it is running\n"
    assert "did you mean 'web-1'?" in place.run("console", "wb-1", status=2)[1]
    assert "has no picture of its screen" in place.run("console", "db", "--screenshot", "x.png", status=1)[1]
    place.run("destroy")
    assert "db: not there; `infratest up` makes it" in place.run("console", "db", status=1)[1]
    place.write(STACK.replace("transport: {", "transport: {fail: {open: unreachable}, "))
    _, err = place.run("up", "--timeout", "3s", status=1)
    assert "no command was answered within" in err
    assert "db console: db: a host that is a file; it is running" in err
