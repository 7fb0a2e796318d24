"""The contract of a receiver: `deliver`, which hands over notices of the ledger, and says whether they arrived.

The monitor calls it, in a thread. What matters most is how it fails (`alerting/ledger.py`): `Refused` where the
receiver has surely nothing, `Lost` where it may have. What may have arrived is handed over again under the same key.
All text in a message is cleaned, bounded and masked here, before a receiver sees it: much of it was written by hosts.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from infratest.alerting.ledger import Notice
from infratest.cleaning import clean, keep_secret
from infratest.deadline import Deadline
from infratest.errors import SendError, UserError
from infratest.options import build, fields, spelled_out
from infratest.outsiders import get, options_of
from infratest.paths import path_of

#: Characters of a name, an id, a reason, an evidence and a URL; how many ids and evidences are shown.
LONGEST_NAME, LONGEST_ID, LONGEST_REASON, LONGEST_EVIDENCE, LONGEST_URL = 200, 500, 500, 2000, 1000
MOST_MEMBERS, MOST_EVIDENCE = 20, 3
#: Characters of a key. PagerDuty takes 255 of a dedup_key.
LONGEST_KEY = 250
#: Bytes of a file that holds a secret.
LARGEST_SECRET = 16 * 1024

#: A secret does not stand in a stack file: there stands where it is.
ENV = "env:"
OF_ENV = r"^env:[A-Za-z_][A-Za-z0-9_]*$"


class Refused(SendError):
    """A receiver has surely nothing of a message: nobody listens, or it said no.

    Args:
        permanent: it will say no again, until somebody changes something here or there. after: seconds for which it
        asked to be left alone; None where it did not.
    """

    def __init__(self, words: str, *, permanent: bool = False, after: float | None = None) -> None:
        super().__init__(words)
        self.permanent = permanent
        self.after = after


class Lost(SendError):
    """A message, or part of it, was handed over and may have arrived or not: a time-out, a torn connection."""


class Partly(Lost):
    """Some of those behind a receiver have it; the others get it where this very receiver is handed it again."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A notice, with what people need to know beside it.

    Args:
        host: `-` for the stack. scenario: in its words. since: when what is so began, in seconds since the epoch.
        runbook: a URL. evidence: what the host answered. by, comment: of who acknowledged it. unshown: how many members
        stand no longer in the notice, for there are many.
    """

    notice: Notice
    host: str = "-"
    scenario: str = ""
    since: float | None = None
    runbook: str = ""
    evidence: tuple[str, ...] = ()
    by: str = ""
    comment: str = ""
    unshown: int = 0

    @property
    def blocked(self) -> int:
        """How many results the cause stands in the way of."""
        return len(self.notice.members) + self.unshown


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a receiver is handed at once: one notice or more, all for it.

    Args:
        sent: when it was made, in seconds since the epoch.
    """

    stack: str
    env: str
    sent: float
    items: tuple[Item, ...]

    @property
    def place(self) -> str:
        """Stack and environment, as `shop/prod`."""
        return f"{self.stack}/{self.env}" if self.env else self.stack

    @property
    def key(self) -> str:
        """By what a receiver knows that it has this message already: ASCII, without blanks."""
        if len(self.items) == 1:
            return self.key_of(self.items[0])
        return f"{len(self.items)}-{sha256(chr(10).join(map(self.key_of, self.items)).encode()).hexdigest()}"

    def key_of(self, item: Item) -> str:
        """Return by what a receiver knows that it has a notice already, whichever stack it is of."""
        return _ascii(f"{self.stack}/{self.env}/{item.notice.key}")

    def problem_of(self, item: Item) -> str:
        """Return what all notices of a problem have in common, and those of no other, whichever stack it is of."""
        return _ascii(f"{self.stack}/{self.env}/{item.notice.problem}")

    def cleaned(self) -> Message:
        """Return it with all texts bounded, on one line (but evidence), without control characters and secrets."""
        items = tuple(map(_cleaned, self.items))
        return replace(self, stack=clean(self.stack, LONGEST_NAME), env=clean(self.env, LONGEST_NAME), items=items)


class Receiver(ABC):
    """One way to tell people. Its `Options`, a frozen dataclass, stand beside it or inside it; one may be `short`.

    An option with `source` in its metadata is a file here. A secret is an option whose name ends in `_file`, and
    beside it, for `env:NAME`, one without that: `secret` reads either. An option `digest` is the time for which
    notices are gathered after a message.

    Nobody calls `deliver` of one receiver twice at the same time.
    """

    #: Whether it shows what it is handed twice under the same key once.
    keyed: ClassVar[bool] = False
    #: How many notices it takes at once.
    at_once: ClassVar[int] = 1

    def __init__(self, options: Any, folder: Path) -> None:
        self.options = options
        self.folder = folder

    def deliver(self, message: Message, deadline: Deadline) -> str:
        """Hand over a message; it has arrived when this returns.

        Returns:
            Whom of several people behind it it did not reach, and why; empty where it reached all.
        Raises:
            Refused: it has surely not arrived, nothing of it. Lost: it may have, or part of it.
        """
        message, taken, missed = message.cleaned(), 0, ""
        for begin in range(0, len(message.items), self.at_once):
            items = message.items[begin : begin + self.at_once]
            try:
                if deadline.passed:
                    raise Refused(f"{self.describe()}: no time was left to hand it over")
                missed = self.hand_over(replace(message, items=items), deadline) or missed
            except (Refused, UserError) as error:
                if taken:
                    words = f"{taken} of {len(message.items)} notices arrived, then: {error}"
                    raise Lost(f"{self.describe()}: {words}") from error
                if isinstance(error, UserError):
                    raise Refused(f"{self.describe()}: {error}") from error
                raise
            taken += len(items)
        return missed

    def deliver_once(self, message: Message, deadline: Deadline) -> str:
        """Hand over a message that this receiver is never handed again: whom it does not reach now, it does not reach.

        Returns, raises: as `deliver`, but for Partly.
        """
        try:
            return self.deliver(message, deadline)
        except Partly as error:
            return str(error)

    @abstractmethod
    def hand_over(self, message: Message, deadline: Deadline) -> str | None:
        """Hand over at most `at_once` notices, whose texts are clean. As `deliver`; raises UserError for a file too."""

    def foresee(self) -> None:
        """Look, before it is needed, whether what it needs on this machine is there. Raises UserError."""
        for name, each in fields(type(self.options)).items():
            if each.name.endswith("_file"):
                self.secret(name.removesuffix("-file"))

    def describe(self) -> str:
        """Return who it is in a few words, no secret in them: `mail web@example.org`."""
        return self.word

    @property
    def word(self) -> str:
        """What users call this kind."""
        return type(self).__module__.rpartition(".")[2].replace("_", "-")

    @property
    def digest(self) -> float:
        """Seconds for which notices are gathered after a message; 0 for one message a notice."""
        return float(getattr(self.options, "digest", 0.0))

    @property
    def lease(self) -> float:
        """Seconds after which it forgets an open problem, unless it is handed that again; 0 where it never does."""
        return float(getattr(self.options, "lease", 0.0))

    def path(self, text: str) -> Path:
        """Return the path that a stack file means: relative ones begin where it lies."""
        return path_of(self.folder, text)

    def secret(self, name: str) -> str:
        """Return a secret, masked from then on everywhere; empty where neither option is given.

        It is read each time, so that a new one serves without a restart.

        Raises:
            UserError: both options are given, or it cannot be read where they say that it is.
        """
        field = name.replace("-", "_")
        place, file = str(getattr(self.options, field, "")), str(getattr(self.options, f"{field}_file", ""))
        if place and file:
            raise UserError(f"{name} and {name}-file are both given; leave one out")
        if not place and not file:
            return ""
        value = _of_environment(name, place) if place else _of_file(name, self.path(file))
        if not value or not value.isprintable():
            raise UserError(f"{name}: {place or file} is empty, or holds more than one line of text")
        keep_secret(value)
        return value

    def needed(self, name: str) -> str:
        """Return a secret that has to be given. Raises UserError."""
        value = self.secret(name)
        if not value:
            raise UserError(f"{name}: none is given; write {name}-file: PATH, or {name}: env:NAME")
        return value


def opened(given: Any, what: str, folder: Path) -> Receiver:
    """Return a receiver as a stack file declares it: `{mail: {to: web@example.org, from: infratest@mon-1}}`.

    Args:
        what: where it stands, for messages: `stack.yaml:9: receivers.oncall`. folder: of the stack file.
    Raises:
        UserError: it is no map of one kind, nobody has that, or its options are not such as it has.
    """
    if not isinstance(given, Mapping) or len(given) != 1:
        raise UserError(f"{what}: expected a map of one kind and its options, as {{mail: {{to: ops@example.org}}}}")
    ((name, options),) = given.items()
    try:
        kind = get("receiver", str(name))
    except UserError as error:
        raise UserError(f"{what}: {error}") from None
    known = options_of(kind)
    short = known is not None and any(field.about.get("short") for field in fields(known).values())
    if known is None or not (isinstance(options, Mapping) or short):
        raise UserError(f"{what}: {name}: expected a map of its options, found {options!r}")
    for key, option in fields(known).items():
        value = spelled_out(known, options).get(key)
        if option.about.get("pattern") == OF_ENV and isinstance(value, str):
            _named(key, value, f"{what}: {name}: ")
    try:
        made: Receiver = kind(build(known, spelled_out(known, options), f"{what}: {name}"), folder)
    except UserError as error:
        words = str(error)
        raise UserError(words if words.startswith(what) else f"{what}: {name}: {words}") from None
    return made


def _cleaned(item: Item) -> Item:
    """Return an item with clean texts. Its problem and the receiver's name stay, for keys are made of them."""
    members = item.notice.members
    notice = replace(
        item.notice,
        id=clean(item.notice.id, LONGEST_ID),
        reason=clean(item.notice.reason, LONGEST_REASON),
        members=tuple(clean(each, LONGEST_NAME) for each in members[:MOST_MEMBERS]),
    )
    return replace(
        item,
        notice=notice,
        host=clean(item.host, LONGEST_NAME),
        scenario=clean(item.scenario, LONGEST_NAME) or clean(item.notice.id, LONGEST_NAME),
        runbook=clean(item.runbook, LONGEST_URL),
        evidence=tuple(clean(each, LONGEST_EVIDENCE, lines=True) for each in item.evidence[:MOST_EVIDENCE]),
        by=clean(item.by, LONGEST_NAME),
        comment=clean(item.comment, LONGEST_REASON),
        unshown=item.unshown + len(members) - len(notice.members),
    )


def _named(key: str, value: str, begin: str) -> None:
    """Raises UserError: what should name a variable of the environment does not; it may be a secret, and is kept so."""
    if value and not re.fullmatch(OF_ENV, value):
        keep_secret(value)
        raise UserError(f"{begin}{key}: no secret stands in a stack file; write {key}: env:NAME, or {key}-file: PATH")


def _of_environment(name: str, place: str) -> str:
    _named(name, place, "")
    try:
        return os.environ[place.removeprefix(ENV)]
    except KeyError:
        raise UserError(f"{name}: the environment has no {place.removeprefix(ENV)}") from None


def _of_file(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_SECRET + 1)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{name}-file: {path} cannot be read: {words}") from None
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UserError(f"{name}-file: {path} is not UTF-8") from None


def _ascii(text: str) -> str:
    """Return text as a key: what is not plain is percent-encoded, and the end of a long one is its checksum."""
    written = quote(text.encode("utf-8", "surrogatepass"), safe="/#@:+~")
    if len(written) <= LONGEST_KEY:
        return written
    mark = sha256(written.encode()).hexdigest()
    return f"{written[: LONGEST_KEY - len(mark) - 1]}~{mark}"
