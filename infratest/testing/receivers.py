"""What every receiver must do: hand over what it is given whole, and say truly whether it has arrived.

A case has a counterpart on this machine, a real server, that takes what it is sent, refuses it, takes it and never
answers, or closes the connection once it has all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from infratest.alerting.ledger import PROBLEM, RECOVERY, Notice
from infratest.cleaning import keep_secret
from infratest.deadline import Deadline
from infratest.errors import UserError
from infratest.receivers.base import Item, Lost, Message, Receiver, Refused, opened
from infratest.states import CRITICAL, OK

#: Seconds that nothing a healthy receiver does may take, and within which one that never answers is given up.
LONG, SHORT = 60.0, 1.0
SECRET = "open-sesame-77351"  # noqa: S105 - made up, to be looked for
#: Moves a cursor, forges a line or a header, ends markup, turns the direction of text; and is far too long.
HOSTILE = (
    "\x1b[2J\x07pwned\r\nBcc: all@example.org\r\n.\r\nQUIT\r\n <script>alert(1)</script>&amp; \u202e\u2066\u2028 "
    "\ufeff\ud83d\udcff\0 '\"; rm -rf / " + "x" * 100_000
)
#: Of these nothing may arrive.
FORBIDDEN = ("\x1b", "\x07", "\0", "\u202e", "\u2066", "\u2028", "\ufeff", "x" * 5000)
WHERE = "stack.yaml:9: receivers.oncall"

#: What a counterpart does with what it is sent.
TAKES, REFUSES, HANGS, TEARS = "takes", "refuses", "hangs", "tears"


def notice(id: str = "features/web.feature#nginx-answers@web-1", **fields: Any) -> Notice:
    """Return a notice of a problem, with fields of another one."""
    known: dict[str, Any] = {
        "receiver": "oncall", "id": id, "problem": f"{id}/60000", "begun": 60.0, "number": 1, "kind": PROBLEM,
        "level": CRITICAL, "reason": "port 80 is not listening",
    }  # fmt: skip
    return Notice(**{**known, **fields})


def item(one: Notice | None = None, **fields: Any) -> Item:
    """Return a notice with what is known of it."""
    known: dict[str, Any] = {
        "host": "web-1", "scenario": "nginx answers", "since": 1796000000.0,
        "runbook": "https://wiki.example/nginx", "evidence": ("LISTEN 0 128 0.0.0.0:22",),
    }  # fmt: skip
    return Item(notice=one or notice(), **{**known, **fields})


def message(*items: Item) -> Message:
    """Return a message of shop/prod."""
    return Message(stack="shop", env="prod", sent=1796000060.5, items=items or (item(),))


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one receiver is tried.

    Args:
        given: its kind and options, as a stack file has them. nobody: the same, where nobody listens. behave: has the
        counterpart do one of the above. received: what it took, in turn, each as one text. forget: has it keep none of
        that. key: of such a text, by what the other side knows it again. unsure: it cannot tell what was refused from
        what may have arrived.
    """

    given: Any
    behave: Callable[[str], None]
    received: Callable[[], Sequence[str]]
    forget: Callable[[], None]
    key: Callable[[str], str] = lambda text: ""
    unsure: bool = False
    nobody: Any = None


class ReceiverContract:
    """The suite. Two fixtures are asked for: `case`, a Case whose counterpart runs, and `name`, the receiver's."""

    @pytest.fixture
    def receiver(self, case: Case, tmp_path: Path) -> Receiver:
        return opened(case.given, WHERE, tmp_path)

    def test_what_it_is_handed_is_there_once_and_known_again(self, receiver: Receiver, case: Case) -> None:
        receiver.foresee()
        receiver.deliver(message(), Deadline(LONG))
        (text,) = case.received()
        for words in ("nginx answers", "web-1", "port 80 is not listening", "shop", "prod"):
            assert words in text
        receiver.deliver(message(), Deadline(LONG))
        over = notice(kind=RECOVERY, level=OK, number=2, reason="")
        receiver.deliver(message(item(over)), Deadline(LONG))
        first, again, recovery = case.received()
        assert case.key(first) == case.key(again)
        assert case.key(first) or not receiver.keyed
        assert recovery != first
        assert message().problem_of(item()) == message().problem_of(item(over))
        assert message().key_of(item()) != message().key_of(item(over))

    def test_each_of_many_notices_arrives(self, receiver: Receiver, case: Case) -> None:
        count = 2 * receiver.at_once + 1 if receiver.at_once < 10 else receiver.at_once + 1
        ids = [f"features/web.feature#scenario-{number}@web-1" for number in range(count)]
        receiver.deliver(message(*(item(notice(id), scenario=f"number {id}") for id in ids)), Deadline(LONG))
        arrived = case.received()
        assert len(arrived) == -(-count // receiver.at_once)
        assert all(any(f"number {id}" in text for text in arrived) for id in ids)

    def test_what_hosts_say_is_text_and_bounded(self, receiver: Receiver, case: Case) -> None:
        hostile = notice(f"features/x#{HOSTILE[:200]}@h", reason=HOSTILE, members=(HOSTILE,) * 100)
        fields: dict[str, Any] = dict.fromkeys(("host", "scenario", "runbook", "by", "comment"), HOSTILE)
        receiver.deliver(message(item(hostile, evidence=(HOSTILE,) * 10, **fields)), Deadline(LONG))
        (text,) = case.received()
        assert "pwned" in text
        assert [each for each in FORBIDDEN if each in text] == []
        assert len(text) < 100_000

    def test_no_secret_arrives(self, receiver: Receiver, case: Case) -> None:
        keep_secret(SECRET)
        words = f"the password {SECRET} is wrong"
        one = item(notice(reason=words), evidence=(words,), comment=words, scenario=words)
        receiver.deliver(message(one), Deadline(LONG))
        (text,) = case.received()
        assert SECRET not in text
        assert "is wrong" in text

    def test_what_is_refused_has_surely_not_arrived(self, receiver: Receiver, case: Case) -> None:
        case.behave(REFUSES)
        with pytest.raises(Lost if case.unsure else Refused) as caught:
            receiver.deliver(message(), Deadline(LONG))
        assert receiver.describe().split(" ")[0] in str(caught.value) or "://" in str(caught.value)
        case.behave(TAKES)
        receiver.deliver(message(), Deadline(LONG))
        assert len(case.received()) == 1

    def test_where_nobody_listens_nothing_arrives(self, case: Case, tmp_path: Path) -> None:
        receiver = opened(case.nobody, WHERE, tmp_path)
        with pytest.raises(Lost if case.unsure else Refused) as caught:
            receiver.deliver(message(), Deadline(LONG))
        assert case.unsure or not caught.value.permanent  # type: ignore[attr-defined]

    @pytest.mark.parametrize("how", [HANGS, TEARS])
    def test_what_is_not_answered_in_time_may_have_arrived(self, receiver: Receiver, case: Case, how: str) -> None:
        case.behave(how)
        for seconds in (SHORT, 8 * SHORT, LONG):
            began = monotonic()
            with pytest.raises((Lost, Refused)) as caught:
                receiver.deliver(message(), Deadline(seconds))
            assert monotonic() - began < seconds + LONG
            if isinstance(caught.value, Lost):
                return
        raise AssertionError(f"in {LONG:.0f} s it was sent, and it is called refused: {caught.value}")

    def test_what_arrived_in_part_may_have_arrived(self, receiver: Receiver, case: Case) -> None:
        items = tuple(item(notice(f"features/x.feature#s-{number}@h")) for number in range(receiver.at_once + 1))
        whole, taken = receiver.hand_over, 0

        class Part(type(receiver)):  # type: ignore[misc]
            """Sends the first of them alone."""

            def hand_over(self, message: Message, deadline: Deadline) -> None:
                nonlocal taken
                taken += 1
                if taken > 1:
                    raise Refused("no")
                whole(message, deadline)

        part = Part(receiver.options, receiver.folder)
        with pytest.raises(Lost, match=f"{receiver.at_once} of {receiver.at_once + 1} notices arrived"):
            part.deliver(message(*items), Deadline(LONG))
        assert len(case.received()) == 1

    def test_without_time_nothing_is_sent(self, receiver: Receiver, case: Case) -> None:
        with pytest.raises(Refused, match="no time"):
            receiver.deliver(message(), Deadline(0))
        assert list(case.received()) == []

    def test_options_that_it_does_not_have_are_refused(self, name: str, case: Case, tmp_path: Path) -> None:
        given = case.given[name]
        if isinstance(given, str):
            given = {"url": given}
        with pytest.raises(UserError, match=r"stack\.yaml:9: receivers\.oncall: .*unknown key 'digset'"):
            opened({name: {**given, "digset": "5m"}}, WHERE, tmp_path)

    def test_it_says_who_it_is(self, receiver: Receiver, name: str) -> None:
        assert receiver.describe().startswith(name)
        assert receiver.describe().isprintable()

    def test_a_key_is_one_plain_word(self) -> None:
        odd = item(replace(notice(), problem=HOSTILE, receiver="über uns\r\nX: y"))
        for key in (message(odd).key, message(odd).problem_of(odd), message(odd, odd).key):
            assert key.isascii()
            assert key.isprintable()
            assert " " not in key
            assert len(key) <= 250
