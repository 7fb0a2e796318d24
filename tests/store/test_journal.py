"""What the journal holds as live, written out by hand; and the file: torn lines, undos, tidying, many writers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from infratest.errors import StateError
from infratest.providers.base import Resource
from infratest.store.directory import StateDir
from infratest.store.journal import Journal
from infratest.store.records import DONE, FAILED, Undo, begun, live
from infratest.store.terms import expires


def begin(op, stack="shop", env=""):
    return {"what": "begin", "time": 1, "op": op, "verb": "up", "stack": stack, "env": env, "pid": 7}


def end(op, outcome=DONE):
    return {"what": "end", "time": 9, "op": op, "outcome": outcome}


def about(what, op, id):
    return {"what": what, "time": 2, "op": op, "kind": "host", "name": f"name of {id}", "id": id}


@pytest.mark.parametrize(
    "records, ids",
    [
        ([], []),
        ([begin("a"), about("made", "a", "1"), end("a")], ["1"]),
        ([begin("a"), about("made", "a", "1")], []),
        ([begin("a"), about("made", "a", "1"), end("a", FAILED)], []),
        ([begin("a"), about("made", "a", "1"), end("b")], []),
        ([about("made", "a", "1"), end("a")], []),
        ([begin("a"), about("made", "a", "1"), end("a"), begin("b"), about("removing", "b", "1")], []),
        ([begin("a"), about("made", "a", "1"), end("a"), begin("b"), about("removed", "b", "1"), end("b")], []),
        ([begin("a"), about("made", "a", "1"), about("made", "a", "2"), about("removing", "a", "1"), end("a")], ["2"]),
        ([begin("a"), about("made", "a", "1"), end("a"), begin("b"), about("made", "b", "2")], ["1"]),
        ([begin("a"), about("made", "a", "1"), end("a"), begin("b"), about("made", "b", "2"), end("b")], ["1", "2"]),
    ],
)
def test_live_is_what_was_made_in_an_operation_that_ended_well(records, ids):
    assert list(live(records)) == ids


def test_live_says_whose_it_is():
    records = [begin("a", "shop", "dev"), about("made", "a", "1"), end("a")]
    held = live(records)["1"]
    assert (held.kind, held.name, held.stack, held.env, held.since) == ("host", "name of 1", "shop", "dev", 2)


def test_begun_are_those_without_an_end():
    assert [one.op for one in begun([begin("a"), begin("b"), end("a")])] == ["b"]


def test_the_last_lease_of_each_environment_counts():
    leases = [("shop", "dev", 5), ("shop", "qa", 9), ("shop", "dev", 7)]
    records = [{"what": "lease", "time": 1, "stack": s, "env": e, "expires": t} for s, e, t in leases]
    assert (expires(records, "shop", "dev"), expires(records, "shop", "qa"), expires(records, "x", "")) == (7, 9, None)


@pytest.fixture
def journal(tmp_path):
    return Journal(StateDir(tmp_path / "state"))


HOST = Resource(kind="host", id="h1", name="web-1")


def test_a_torn_last_line_is_no_record_and_harms_no_other(journal, tmp_path):
    operation = journal.begin("up", "shop", "")
    operation.made(HOST)
    operation.end(DONE)
    path = tmp_path / "state" / "journal.jsonl"
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines()[-1]) + 1):
        path.write_bytes(whole[: -cut - 1])
        assert journal.live() == {}
        journal.begin("reap", "shop", "").end(DONE)
        assert [record["what"] for record in journal.records()] == ["begin", "made", "begin", "end"]
    path.write_bytes(whole)
    assert list(journal.live()) == ["h1"]


def test_what_no_version_of_ours_wrote_and_blocks_never_written_are_left_out(journal, tmp_path):
    journal.begin("up", "shop", "")
    path = tmp_path / "state" / "journal.jsonl"
    path.write_bytes(path.read_bytes() + b'{"no": "what"}\n\0\0\0\0\n\n')
    assert [record["what"] for record in journal.records()] == ["begin"]


def test_a_journal_of_blocks_never_written_may_have_said_anything(journal, tmp_path):
    """A file system that lost its power may leave a whole file as that: it is no empty journal, by which all goes."""
    path = tmp_path / "state" / "journal.jsonl"
    journal.begin("up", "shop", "")
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(StateError, match=r"journal\.jsonl:1 is damaged"):
        journal.live()
    journal.set_aside()
    assert journal.records() == []
    assert (tmp_path / "state" / "journal.damaged.jsonl").read_bytes().strip(b"\0\n") == b""


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[1]", b'"text"', b'{"what": "begin", "op": "1"x}'])
def test_a_damaged_line_makes_nothing_left_over(journal, tmp_path, line):
    operation = journal.begin("up", "shop", "")
    operation.made(HOST)
    operation.end(DONE)
    path = tmp_path / "state" / "journal.jsonl"
    _, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(line + b"\n" + b"".join(others))
    with pytest.raises(StateError, match=r"journal\.jsonl:1 is damaged: .*mend it from a copy, or take the line out"):
        journal.live()
    path.write_bytes(b"".join(others))
    assert journal.live() == {}


def test_every_record_of_many_threads_is_there(journal):
    operation = journal.begin("up", "shop", "")
    hosts = [Resource(kind="host", id=f"h{n}", name=f"web-{n}") for n in range(100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(operation.made, hosts))
    operation.end(DONE)
    assert set(journal.live()) == {host.id for host in hosts}


def test_undos_are_open_until_done_the_last_asked_first(journal):
    journal.undo_asked("web-1", "rm /fill", "u1", "shop", "dev")
    journal.undo_asked("web-2", "iptables -D x", "u2", "shop", "dev")
    assert journal.open_undos() == [
        Undo(id="u2", host="web-2", command="iptables -D x", stack="shop", env="dev"),
        Undo(id="u1", host="web-1", command="rm /fill", stack="shop", env="dev"),
    ]
    journal.undo_done("u2")
    assert [undo.id for undo in journal.open_undos()] == ["u1"]


def test_tidy_keeps_what_is_live_open_or_of_another_environment(journal):
    for env, id, outcome in (("dev", "h1", DONE), ("dev", "h2", FAILED), ("qa", "h3", DONE), ("qa", "h4", FAILED)):
        journal.lease("shop", env, 100)
        operation = journal.begin("up", "shop", env)
        operation.asked("host", id)
        operation.made(Resource(kind="host", id=id, name=id))
        operation.end(outcome)
    for id, digest in (("h1", "old"), ("h1", "new"), ("gone", "old"), ("h3", "old")):
        journal.provisioned(id, id, digest)
    journal.undo_asked("h1", "true", "u1", "shop", "dev")
    journal.undo_asked("h1", "true", "u2", "shop", "dev")
    journal.undo_done("u2")
    held, undos = journal.live(), journal.open_undos()
    journal.tidy("shop", "dev")
    assert (journal.live(), journal.open_undos()) == (held, undos)
    ids = [record.get("id") for record in journal.records() if record["what"] == "made"]
    assert ids == ["h1", "h3", "h4"]
    last = [(one["id"], one["digest"]) for one in journal.records() if one["what"] == "provisioned"]
    assert last == [("h1", "new"), ("h3", "old")]
    assert expires(journal.records(), "shop", "dev") == 100


def test_tidy_leaves_no_file_where_nothing_is_left(journal, tmp_path):
    operation = journal.begin("up", "shop", "")
    journal.lease("shop", "", 100)
    operation.made(HOST)
    operation.end(DONE)
    operation.removed(HOST)
    journal.tidy("shop", "")
    assert not (tmp_path / "state" / "journal.jsonl").exists()


def test_a_full_disk_is_one_clear_message(tmp_path):
    class Full(StateDir):
        def append(self, name, *records):
            super().append("/dev/full", *records)

    with pytest.raises(StateError, match=r"could not be written: No space left on device; name another with --state"):
        Journal(Full(tmp_path / "state")).begin("up", "shop", "")
