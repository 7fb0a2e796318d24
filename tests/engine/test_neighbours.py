"""What cannot be answered is unknown alone: every fact asked for a mix is answered as it is for each alone."""

from __future__ import annotations

import json
import random
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infratest.collect.asked import Ask, Facts, asks, fewer
from infratest.collect.here import look_here
from infratest.collect.here_shell import ask_shell
from infratest.deadline import Deadline
from infratest.errors import FactError, InfratestError
from infratest.facts.base import Answer, Argument, LooksForEach, Need
from infratest.facts.http.reply import Reply
from infratest.outsiders import get, names
from infratest.record import Record
from tests.facts.both_ways import alike
from tests.worlds.installed import Place
from tests.worlds.sshd import running_sshd

#: Stands for a word that is longer than any that a program can be given.
LONG = "<140 kB>"

#: Words that some tool takes for an option, a pattern, a path, a template, more than one, or not at all.
ODD = (
    "x@", "-x", "--help", "--", "-", "", "*", "?[", "a b", "it's", "$HOME", "`id`", "a\\nb", "a\nb", "caf\u00e9", "%s",
    "X", "x:y:z", "/", "/etc", "/proc/1/mem", "/nosuch\n/x", "/dev/full", "a" * 300, "/" + "a" * 5000, LONG,
    "a\0b", "\udcff", "\ud800", "http://127.0.0.1:1/", "http://[", "ftp://x/", "exit 3", "kill -9 $$", "printf 'a\\0b'",
    "root", "bash", "sleep 30 & echo started",
)  # fmt: skip
DATA = Path(__file__).parents[1] / "data" / "facts"


def recorded(name: str) -> list[Argument]:
    """Return the arguments that the fact's recorded cases are about: what it is made for."""
    texts = [path.read_text("utf-8") for path in sorted((DATA / name).glob("*.json"))]
    # Those of the recorded network are none of this machine's: what is sent to them would leave it.
    cases = [json.loads(re.sub(r"\b10\.88\.0\.\d+\b", "127.0.0.1", text)) for text in texts]
    return sorted({tuple(argument) for case in cases for argument in case["arguments"]})


def arguments(name: str) -> st.SearchStrategy[list[Argument]]:
    """Return mixes of arguments, good and impossible, each as long as the fact takes them."""
    good = recorded(name)
    odd = st.tuples(*[st.sampled_from(ODD)] * len(good[0]))
    return st.lists(st.one_of(st.sampled_from(good), odd), min_size=2, max_size=6, unique=True)


def by_shell(needs: list[Need]) -> dict[Need, object]:
    return shell(Facts(), asks(needs))


def natively(needs: list[Need]) -> dict[Need, object]:
    """As this machine is asked: natively, and by a shell what is left."""
    facts = Facts()
    return shell(facts, look_here("here", asks(needs), facts))


def shell(facts: Facts, left: list[Ask]) -> dict[Need, object]:
    before: list[Ask] = []
    while left and (not before or fewer(left, before)):
        ask_shell("here", left, Deadline(60), facts)
        before, left = left, facts.unread("here")
    return facts.at("here")


def settled(value: object) -> object:
    """Return a value without what differs from moment to moment; of a failure, that it is one."""
    if isinstance(value, InfratestError):
        return "unknown"
    if isinstance(value, Reply):  # its words tell how long it took
        return value.changed(seconds=0, refused=bool(value.refused))
    moving: dict[str, object] = {name: 0 for name in ("seconds", "took") if getattr(value, name, None) is not None}
    if getattr(value, "refused", ""):  # by which of two ends, a name server's or ours, its words tell
        moving["refused"] = "refused"
    if isinstance(value, Record) and moving:
        return value.changed(**moving)
    return alike(value)


#: Of mixes, where an answer is waited for: what says nothing takes its time again and again.
FEW = dict.fromkeys(("ntp-server", "ping", "ssh-host-key", "ssh-server", "trace"), 2)


@pytest.mark.parametrize("way", [by_shell, natively], ids=["shell", "natively"])
@pytest.mark.parametrize("name", [name for name in names("fact") if recorded(name)[0]])
def test_each_of_a_mix_is_answered_as_alone(way, name):
    @given(arguments(name))
    @settings(
        max_examples=FEW.get(name, 6),
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def asked(mix: list[Argument]) -> None:
        needs = [Need(name, tuple(word.replace(LONG, "b" * 140_000) for word in argument)) for argument in mix]
        together = way(needs)
        assert {need: settled(together[need]) for need in needs} == {need: settled(way([need])[need]) for need in needs}

    asked()


def test_every_fact_that_takes_many_names_can_be_asked_for_each_alone():
    for name in names("fact"):
        fact = get("fact", name)()
        assert not recorded(name)[0] or fact.alone or isinstance(fact, LooksForEach), name


def test_commands_run_in_the_order_in_which_they_are_written():
    needs = [Need("command", (text,)) for text in ("z", "b", "a")]
    assert [need for ask in asks(needs) for need in ask.needs] == needs


class Counting(LooksForEach):
    """Says how it was called, and reads no answer that holds an odd number beside others."""

    def snippet(self) -> str:
        return 'echo "$# $*"\n'

    def read(self, answer: Answer, arguments):
        numbers = answer.out.split()[1:]
        if "13" in numbers:
            raise FactError("13 is not understood")
        return {(number,): answer.out for number in numbers if number != "7"}


def test_what_is_read_for_some_alone_is_asked_once_more_for_the_rest():
    facts, needs = Facts(), tuple(Need("counting", (number,)) for number in ("1", "7", "2"))
    ask_shell("here", [Ask(Counting(), needs)], Deadline(20), facts)
    (again,) = facts.unread("here")
    assert (again.needs, again.apart) == ((needs[1],), True)
    assert facts.unread("here") == []


def test_an_answer_that_cannot_be_read_is_asked_for_one_by_one():
    facts, needs = Facts(), tuple(Need("counting", (number,)) for number in ("1", "13", "2"))
    ask_shell("here", [Ask(Counting(), needs)], Deadline(20), facts)
    assert {type(facts.at("here")[need]) for need in needs} == {FactError}
    ask_shell("here", facts.unread("here"), Deadline(20), facts)
    assert [facts.at("here")[need] for need in (needs[0], needs[2])] == ["1 1\n", "1 2\n"]
    assert str(facts.at("here")[needs[1]]) == "13 is not understood"
    assert facts.unread("here") == []


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        body = random.Random(self.path).randbytes(2**20)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


def test_pages_that_an_answer_has_no_room_for_together_are_asked_for_in_turn():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        needs = [Need("http", (f"http://127.0.0.1:{server.server_address[1]}/{number}",)) for number in range(8)]
        answers = by_shell(needs)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert [getattr(answers[need], "status", answers[need]) for need in needs] == [200] * 8


# Over SSH, as a user runs it.

FEATURE = """\
Feature: f
  Scenario: small
    Then the file "/etc/hosts" contains "localhost"
"""


def over_ssh(place: Place, folder: Path, feature: str) -> dict[str, str]:
    with running_sshd(folder) as server:
        place.write({
            "stack.yaml": "stack: shop\n"
            f"provider: {{name: existing, known-hosts: {server.known_hosts}, config: none, agent: false}}\nhosts:\n"
            f"  web: {{address: {server.address}, port: {server.port}, user: {server.user}, key: {server.key}}}\n",
            "x.feature": feature,
        })  # fmt: skip
        report = json.loads(place.run("infratest check --timeout 60s --format json x.feature").out)
    assert report["cost"] == {"logins": 1, "round_trips": 1, "commands": 1}
    return {result["scenario"]: result["state"] for result in report["results"]}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


def test_eight_large_files_take_no_answer_of_a_small_one_with_them(place, tmp_path):
    feature = FEATURE
    for number in range(8):
        (tmp_path / str(number)).write_bytes(random.Random(number).randbytes(900_000) + b"END")
        feature += f'  Scenario: {number}\n    Then the file "{tmp_path}/{number}" contains "END"\n'
    states = over_ssh(place, tmp_path / "sshd", feature)
    assert states == {"small": "ok", **{str(number): "ok" for number in range(8)}}


def test_names_that_tools_take_for_something_else_are_unknown_or_absent_alone(place, tmp_path):
    feature = f"""{FEATURE}
  Scenario: root
    Then the user "root" exists
  Scenario: group
    Then the group "root" exists
  Scenario: template
    Then the package "x@" is not installed
  Scenario: package
    Then the package "no-such-package" is not installed
  Scenario: long
    Then the file "/{"a" * 5000}" does not exist
  Scenario: file
    Then the file "/etc/hosts" exists
"""
    states = over_ssh(place, tmp_path / "sshd", feature)
    assert states.pop("long") == "unknown"  # longer than a path can be, so nobody can say
    assert states == dict.fromkeys(states, "ok")


def test_commands_behind_one_that_leaves_something_behind_are_answered(place, tmp_path):
    feature = f"""{FEATURE}
  Scenario: daemon
    Then the command "sleep 25 & echo started" prints exactly "started"
  Scenario: behind
    Then the command "echo 2" prints exactly "2"
"""
    assert over_ssh(place, tmp_path / "sshd", feature) == {"small": "ok", "daemon": "ok", "behind": "ok"}
