"""A store in a real PostgreSQL: one of several monitors writes it, whatever is killed, stopped, cut off or refused."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import psycopg
import pytest

from infratest.alerting.downtime import Downtime, Fixed
from infratest.alerting.moments import Moment
from infratest.errors import LeaseLost, NoStore, NotKept, StateError, StoreDamaged, UserError
from infratest.project.left_alone import left_alone
from infratest.project.session import Session
from infratest.store.database import lease, people, schema
from infratest.store.database.postgresql import Address, holder, looked_into, opened
from tests.store.conftest import address
from tests.store.test_database_place import STEPS, later
from tests.worlds import servers, tls_servers
from tests.worlds.heal_world import make_result

NOW = Moment(1000.0, 1_764_432_000.0)
NAMES = (f"lease{each}" for each in count())


@pytest.fixture
def place(postgresql_port) -> Address:
    return address(postgresql_port, next(NAMES))


def noted(store, text: str) -> None:
    with store.transaction() as t:
        people.add_notes(t, [people.Note(NOW, text, "ada")])


def texts(place: Address) -> list[str]:
    with looked_into(place) as store, store.sight() as t:
        return [each.text for each in people.notes(t)]


class Ended(Exception):
    pass


def refuse(other) -> None:
    raise Ended(f"{other.holder} {other.number}")


def test_a_second_monitor_waits_and_is_told_for_whom(place):
    with opened(place) as first:
        noted(first, "first")
        assert (first.ours, first.number) == (True, 1)
        with pytest.raises(Ended, match=rf"process {os.getpid()} on {socket.gethostname()} 1"):
            opened(place, waiting=refuse)
    # Who ends gives it back: nobody waits for the end of its lease.
    with opened(place, waiting=refuse) as second:
        assert (second.number, texts(place)) == (2, ["first"])


def test_the_write_of_an_older_holder_is_refused(place):
    with opened(place, seconds=0.3) as first:
        noted(first, "first")
        time.sleep(0.4)
        assert not first.ours  # nobody has taken it, and it may be that somebody has
        noted(first, "still mine")
        with opened(place, seconds=60) as second:
            noted(second, "second")
            assert second.number == 2
            for _ in range(2):
                with pytest.raises(LeaseLost, match=rf"number 1, is over: it is {holder()}'s \(number 2\) now"):
                    noted(first, "too late")
            with pytest.raises(LeaseLost):
                first.renew()
            assert not first.ours
        assert texts(place) == ["first", "still mine", "second"]


def schema_of(place: Address) -> str:
    with looked_into(place, folder=schema.FOLDER) as store, store.sight() as t:
        (number,) = t.row("SELECT value FROM meta WHERE name = 'schema'") or ("",)
    return str(number)


def test_a_schema_is_brought_forward_by_who_works_and_never_under_another(place, tmp_path):
    newer, known = later(tmp_path / "newer", *STEPS), len(schema.migrations())
    with opened(place) as first:
        noted(first, "first")
        with pytest.raises(Ended):
            opened(place, folder=newer, waiting=refuse)
        assert schema_of(place) == str(known)
        noted(first, "still first")
    # Who reads for long holds up whoever wants to work, and the lease is nobody's meanwhile.
    with looked_into(place) as reader, reader.sight() as t:
        assert len(people.notes(t)) == 2
        with pytest.raises(Ended, match=r" 1$"):
            opened(place, folder=newer, waiting=refuse)
    with opened(place, folder=newer) as second, second.sight() as t:
        assert second.number == 2
        assert t.row("SELECT value FROM meta WHERE name = 'schema'") == (str(known + 2),)
        assert t.rows("SELECT name FROM extra ORDER BY name") == [("first-",), ("still first-",)]


def test_who_waited_does_not_take_over_what_a_newer_one_has_brought_forward_meanwhile(place, tmp_path):
    newer, known = later(tmp_path / "newer", *STEPS), len(schema.migrations())
    with opened(place) as first:

        def overtaken(other) -> None:
            first.close()
            opened(place, folder=newer).close()

        with pytest.raises(StateError, match=f"its schema is {known + 2}, and this infratest knows up to {known}"):
            opened(place, waiting=overtaken)
    with looked_into(place, folder=newer) as store, store.sight() as t:
        assert lease.seen(t).number == 2


#: Of a monitor: its process, what it says, its number, and for `told` when it saw that the lease is its own.
Word = tuple[int, str, int, float]

MONITOR = """
import sys, time
from infratest.errors import LeaseLost, NotKept
from infratest.store.database import people
from infratest.alerting.downtime import Downtime, Fixed
from infratest.alerting.moments import Moment
from infratest.store.database.postgresql import Address, opened

url, stack, password = sys.argv[1:]
place = Address(url=url, stack=stack, env="prod", password=password)
while True:
    with opened(place, seconds=1.0) as store:
        print("works", store.number, 0, flush=True)
        try:
            while True:
                try:
                    with store.transaction() as t:
                        people.add_notes(t, [people.Note(Moment(0.0, time.time()), str(store.number), "monitor")])
                except NotKept:  # stopped within it, so that the server ended it
                    continue
                looked = time.monotonic()  # what is stopped between this and its word says what was so then
                if store.ours:
                    print("told", store.number, looked, flush=True)
                time.sleep(0.05)
        except LeaseLost:
            print("lost", store.number, 0, flush=True)
"""


@contextmanager
def monitors(place: Address, number: int):
    words = [sys.executable, "-u", "-c", MONITOR, place.url, place.stack, place.password]
    started = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(number)]
    heard: list[Word] = []
    threads = [threading.Thread(target=_hear, args=(each, heard)) for each in started]
    for each in threads:
        each.start()
    try:
        yield heard
    finally:
        for each in started:
            each.kill()  # which ends a stopped one, too
        for each, thread in zip(started, threads, strict=True):
            thread.join(60)
            each.stdout.close()
            each.wait()


def _hear(process: subprocess.Popen[str], heard: list[Word]) -> None:
    for line in process.stdout:
        word, number, looked = line.split()
        heard.append((process.pid, word, int(number), float(looked)))


def after(heard: list[Word], number: int, seconds: float = 60.0) -> tuple[int, int]:
    """Wait until a lease that is newer than a number has told; return whose it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pid, word, its, _ in list(heard):
            if word == "told" and its > number:
                return pid, its
        time.sleep(0.02)
    raise AssertionError(f"nobody took over from {number}: {heard[-9:]}")


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGSTOP])
def test_another_one_takes_over_from_one_that_is_killed_or_stopped(place, way):
    with monitors(place, 2) as heard:
        pid, number = after(heard, 0)
        for _ in range(4):
            os.kill(pid, way)
            other, newer = after(heard, number)
            assert other != pid
            assert newer == number + 1
            if way == signal.SIGKILL:
                break  # one is left, which goes on alone
            # One that was stopped, and does not know that it is over, writes and tells nothing any longer.
            taken = time.monotonic()
            os.kill(pid, signal.SIGCONT)
            for _ in range(600):
                if (pid, "lost", number, 0.0) in list(heard):
                    break
                time.sleep(0.05)
            assert (pid, "lost", number, 0.0) in heard
            assert [one for one in heard if one[:3] == (pid, "told", number) and one[3] > taken] == []
            pid, number = other, newer
    kept = [int(text) for text in texts(place)]
    assert kept == sorted(kept)  # never two at once


def test_one_that_is_stopped_in_the_midst_of_many_rows_is_ended(place):
    with contextlib.suppress(psycopg.OperationalError, NotKept), opened(place, seconds=1.0) as first:
        noted(first, "first")
        with first.transaction(), first._base.pipeline():
            first._base.execute("SELECT 1")
            # What ends a row comes with the last of them, so that to the server it is at work meanwhile, and not idle.
            with opened(place, seconds=1.0) as second:
                assert second.number == 2
                noted(second, "second")
    assert texts(place) == ["first", "second"]


def test_a_newer_schema_and_what_is_of_something_else(place):
    newest = len(schema.migrations())
    with opened(place) as store, store.transaction() as t:
        t.write("rows", "UPDATE meta SET value = ? WHERE name = 'schema'", [("73",)])
    with pytest.raises(StateError, match=f"its schema is 73, and this infratest knows up to {newest}"):
        opened(place)
    with pytest.raises(StateError, match=f"its schema is 73, and this infratest reads 1 to {newest}"):
        looked_into(place)
    other = replace(place, stack="other")
    port = int(place.url.rpartition(":")[2].partition("/")[0])
    servers.psql(port, 'CREATE SCHEMA "infratest other/prod"; CREATE TABLE "infratest other/prod".bookmarks (url TEXT)')
    for way in (opened, looked_into):
        with pytest.raises(StateError, match="the schema 'infratest other/prod' is of something else; move it away"):
            way(other)


def test_there_is_nothing_to_read_before_a_monitor_ran_and_nothing_that_people_want(place, tmp_path):
    with pytest.raises(NoStore, match=r"^store: .*no monitor has kept anything there yet; infratest monitor run"):
        looked_into(place)
    (tmp_path / "password").write_text(place.password)
    (tmp_path / "stack.yaml").write_text(
        f"stack: {place.stack}\nprovider: local\nhosts: {{web-1: {{}}}}\nenvironments: {{{place.env}: {{}}}}\n"
        f"monitor:\n  store: {{url: '{place.url}', password-file: password}}\n"
    )
    session = Session(stack_path=tmp_path / "stack.yaml", env=place.env)
    result, now = make_result("critical"), time.time()
    assert left_alone(session, "")(result) == ""
    with opened(place) as store, store.transaction() as t:
        people.write_downtimes(t, [Downtime("move", Fixed(now, now + 3600), frozenset([result.id]), "ann")])
    assert left_alone(session, "")(result).startswith("left alone: downtime 'move' by ann")


def test_a_sight_reads_only_and_is_of_one_moment(place):
    with opened(place) as store, looked_into(place) as reader:
        noted(store, "first")
        with reader.sight() as sight:
            assert len(people.notes(sight)) == 1
            noted(store, "second")
            assert len(people.notes(sight)) == 1
        with pytest.raises(StateError, match="read-only transaction"), reader.sight() as sight:
            people.add_notes(sight, [people.Note(NOW, "third", "ada")])
        with pytest.raises(StateError, match="to be read only"), reader.transaction():
            pass
        with store.transaction(), pytest.raises(StateError, match="a transaction is open already"), store.sight():
            pass


def test_what_ends_by_an_error_is_not_kept(place):
    with opened(place) as store:
        with contextlib.suppress(ZeroDivisionError), store.transaction() as t:
            people.add_notes(t, [people.Note(NOW, "first", "ada")])
            raise ZeroDivisionError
        noted(store, "second")
    assert texts(place) == ["second"]


def test_a_server_that_ends_a_connection_costs_one_commit(place, postgresql_port):
    with opened(place) as store:
        noted(store, "first")
        servers.psql(
            postgresql_port,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'infratest monitor'",
        )
        with pytest.raises(NotKept, match=r"could not be written: .*terminating connection.*; not kept: this commit"):
            noted(store, "second")
        assert store.ours
        noted(store, "third")
    assert texts(place) == ["first", "third"]


def test_a_database_that_is_damaged_is_no_refusal_of_one_commit_and_is_not_set_aside(place):
    with opened(place) as store:
        noted(store, "first")
        # By the server's own words of a page that is none; to damage its files would take the others' tests with it.
        harm = "DO $$BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'data_corrupted'; END$$"
        words = r"is damaged: invalid page in block 7.*; restore it from a backup"
        with pytest.raises(StoreDamaged, match=words), store.transaction() as t:
            t.rows(harm)
        with pytest.raises(StateError, match="restored by who keeps it"):
            store.begin_anew()
        noted(store, "second")
        assert store.aside == ()
    assert texts(place) == ["first", "second"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"url": "postgresql://admin@127.0.0.1:1/postgres"}, "[Cc]onnection refused"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_named(place, change, words):
    for way in (opened, looked_into):
        with pytest.raises(StateError, match=f"^store: postgresql://admin@127.*PostgreSQL says .*{words}") as raised:
            way(replace(place, **change))
        assert servers.PASSWORD not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://admin@db",
        "postgresql:///mon",
        "mysql://admin@db/mon",
        "postgresql://admin@db:x/mon",
        "postgresql://admin@db/mon/two",
        "postgresql://admin:secret@db/mon",
        "postgresql://admin@db/mon?sslmode=disable",
    ],
)
def test_what_is_no_address_is_refused_and_a_password_in_it_is_not_shown(url):
    with pytest.raises(UserError, match=r"^store: ") as raised:
        _ = Address(url=url, stack="shop", env="prod").words
    assert "secret" not in str(raised.value)


def test_a_server_that_vanishes_without_a_word_ends_the_wait(place):
    """Read back of the kernel, of a store that is written and one that is read: 5 s, then three questions 2 s apart."""
    with opened(place) as written, looked_into(place) as read:
        for store in (written, read):
            with socket.socket(fileno=os.dup(store._base.fileno())) as line:
                assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
                assert [line.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names] == [
                    5,
                    2,
                    3,
                    10_000,
                ]


def test_a_name_that_would_be_cut_is_refused():
    with pytest.raises(UserError, match="is longer than the 63 bytes of a name in PostgreSQL"):
        _ = Address(url="postgresql://a@db/mon", stack="s" * 60, env="prod").schema


def test_beyond_loopback_the_servers_certificate_is_verified():
    far = Address(url="postgresql://mon@db.example/mon", stack="shop", env="prod")
    assert (far.words["sslmode"], far.words["sslrootcert"]) == ("verify-full", "system")
    assert replace(far, ca="/etc/mon.pem").words["sslrootcert"] == "/etc/mon.pem"
    assert "sslmode" not in replace(far, url="postgresql://mon@127.0.0.1/mon").words


@pytest.fixture(scope="module")
def made():
    with servers.folder_of_nobody() as folder:
        yield tls_servers.authority(folder)


def started(place: Address):
    """Open a store of a server that may be starting."""
    end = time.monotonic() + 60
    while True:
        try:
            return opened(place)
        except StateError as error:
            if "is starting up" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_a_server_whose_certificate_another_authority_made_is_refused(made, tmp_path):
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    other = tls_servers.authority(stranger)
    with tls_servers.postgresql(made) as port:
        place = Address(url=f"postgresql://postgres@127.0.0.1:{port}/postgres", stack="shop", env="prod")
        with started(replace(place, ca=made.file("ca.pem"))) as store:
            noted(store, "first")
        with pytest.raises(StateError, match=r"SSL error: (certificate verify failed|provider signature)"):
            opened(replace(place, ca=other.file("ca.pem")))
        # It is the same server by its address, and not by another name.
        named = place.url.replace("127.0.0.1", "localhost")
        with pytest.raises(StateError, match=r'server certificate for "shop.example".*does not match host name'):
            opened(replace(place, url=named, ca=made.file("ca.pem")))
