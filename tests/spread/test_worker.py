"""A worker keeps its connections from one portion to the next: by a real sshd, whose log counts the logins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from distributed.protocol import pickle

from infratest.collect.connections import Held
from infratest.gherkin.sentence import Tail
from infratest.hosts import Host
from infratest.plan.keep import of_host
from infratest.spread import portion
from infratest.spread.worker import WARM, Warm, answer
from tests.worlds.sshd import Server, running_sshd


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_sshd(tmp_path) as found:
        yield found
    WARM.close()


def text(server: Server, number: int, **changes: object) -> str:
    """Return a portion that asks whether root is there."""
    line = ["then", "Then", 'the user "root" exists', 3, False]
    look = ["far", "far", "infratest.steps.user", "UserExists", ["root"], None]
    tail = portion._written(Tail().values())
    task = [["x.feature", "f", "s", 2, [], ""], "far", "", "", [[line, [look], False, None, tail]]]
    host = Host("far", address=server.address, options=server.options())
    made = portion.written(number, portion._written(of_host(host)), [task], 60, 10, {})
    return json.dumps(json.loads(made) | changes)


def test_a_host_is_logged_in_to_once(server: Server):
    said = [json.loads(answer(text(server, number))) for number in (1, 2, 3)]
    assert [(each["number"], each["results"][0]["state"]) for each in said] == [(1, "ok"), (2, "ok"), (3, "ok")]
    assert [each["cost"]["logins"] for each in said] == [1, 0, 0]
    assert server.logins() == 1


def test_two_at_once_have_a_connection_each_and_one_stays(server: Server):
    said: list[str] = []
    both = [Thread(target=lambda number=number: said.append(answer(text(server, number)))) for number in (1, 2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert {json.loads(each)["results"][0]["state"] for each in said} == {"ok"}
    logins = server.logins()
    assert 1 <= logins <= 2
    answer(text(server, 3))
    assert server.logins() == logins


def test_a_connection_that_died_between_is_made_anew(server: Server):
    import os
    import signal

    answer(text(server, 1))
    for pid in server.sessions():
        os.kill(pid, signal.SIGKILL)
    said = json.loads(answer(text(server, 2)))
    assert (said["results"][0]["state"], said["cost"]["logins"]) == ("ok", 1)


def test_the_function_goes_by_its_name_and_no_code_does():
    sent = pickle.dumps(answer)
    assert b"infratest.spread.worker" in sent
    assert len(sent) < 100


@pytest.mark.parametrize("name", ["NoSuchCheck", "Sentence"])
def test_a_check_that_is_none_is_not_asked(server: Server, name: str):
    given = text(server, 1).replace("UserExists", name)
    assert json.loads(answer(given))["cannot"]
    assert server.logins() == 0


def test_another_format_is_another_version(server: Server):
    assert json.loads(answer(text(server, 7, format=0))) == {"number": 7, "version": "0.1.0"}


@pytest.mark.parametrize("given", ["", "[]", "{}", '{"number": 1}', "null", '"x"'])
def test_what_is_no_portion_is_not_asked(given: str):
    assert json.loads(answer(given))["cannot"]


class Counted(Held):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_those_used_longest_ago_go_first():
    warm, held = Warm(2), {name: Counted() for name in "abcd"}
    for name in "abc":
        warm.give(name, held[name])
    assert warm.take("b") is held["b"]
    warm.give("b", held["b"])
    warm.give("d", held["d"])
    assert {name: each.closed for name, each in held.items()} == {"a": 1, "b": 0, "c": 1, "d": 0}
    warm.close()
    assert {name: each.closed for name, each in held.items()} == {"a": 1, "b": 1, "c": 1, "d": 1}
