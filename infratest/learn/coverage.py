"""What changed on a host since an inventory, whether a sentence looks at it, and the sentence that would. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infratest.errors import UserError
from infratest.gherkin.writing import fault, in_quotes
from infratest.learn.comparable import comparable, of_another, of_content, worth_telling
from infratest.learn.inventory import OWN_ADDRESS, Inventory
from infratest.learn.looked_at import LookedAt

#: Addresses that stand for all of a family.
WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - nothing is bound to it
#: How it looks in an inventory that something is not there.
ABSENT: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Change:
    """Something that is otherwise than it was.

    Args:
        name: of a package, a file, a unit ... sentences: that would look at it; none where no sentence can hold its
        name. looked_at: whether one does.
    """

    kind: str
    name: str
    sentences: tuple[str, ...]
    looked_at: bool


@dataclass(frozen=True)
class Coverage:
    """Of one host.

    Args:
        since: seconds since the epoch, None where there is nothing to compare with. unknown: kinds of which something
        is not known, and why; the empty name stands for all of them.
    """

    changes: Sequence[Change] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    since: float | None = None

    def of(self, kind: str) -> list[Change]:
        """Return the changes of a kind."""
        return [one for one in self.changes if one.kind == kind]


def percent(changes: Sequence[Change]) -> int:
    """Return how many of them are looked at, of a hundred; never 100 where one is not."""
    return sum(one.looked_at for one in changes) * 100 // len(changes) if changes else 100


def coverage(kinds: Sequence[str], before: Inventory, now: Inventory, since: float, looked_at: LookedAt) -> Coverage:
    """Compare two inventories of a host, and say what of the difference a plan looks at."""
    changes: list[Change] = []
    unknown: dict[str, str] = {}
    for kind in kinds:
        then = f"before it was provisioned: {before.unknown[kind]}" if kind in before.unknown else ""
        words = [one for one in (now.unknown.get(kind, ""), then) if one]
        if kind not in before.kinds or kind not in now.kinds:
            unknown[kind] = "; ".join(words) or "it was not recorded before it was provisioned"
            continue
        was, so, lacking = comparable(kind, before, now, doubtful=True)
        if words or lacking:
            unknown[kind] = "; ".join([*words, *([lacking] if lacking else [])])
        changes += _changes(kind, was, so, looked_at)
    return Coverage(tuple(changes), unknown, since)


def _changes(kind: str, before: Mapping[str, Any], now: Mapping[str, Any], looked_at: LookedAt) -> Iterator[Change]:
    pairs = [(name, before.get(name), now.get(name)) for name in sorted({*before, *now})]
    if kind == "files":
        pairs = [(name, *of_content(was, so)) for name, was, so in pairs]
    changed = [
        (name, was, so)
        for name, was, so in pairs
        if _plain(was) != _plain(so) and not of_another(kind, name, was, so) and not _updated(kind, was, so)
    ]
    for name, was, so in worth_telling(kind, changed):
        kept = tuple(one for one in dict.fromkeys(sentences(kind, name, was, so)) if not fault(one))
        yield Change(kind, name, kept, looked_at.asks(kind)(name))


def _plain(entry: Mapping[str, Any] | None) -> Any:
    return entry and {key: value for key, value in entry.items() if key != "packaged"}


def _updated(kind: str, was: Mapping[str, Any] | None, so: Mapping[str, Any] | None) -> bool:
    """Whether a package's own file is another with the package; of one whose content is the same somebody else changed
    the mode or the owner."""
    if kind != "files" or was is None or so is None or not so.get("packaged"):
        return False
    return so["kind"] == "file" and so.get("md5") != was.get("md5")


def sentences(kind: str, name: str, was: Mapping[str, Any] | None, so: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield what would look at a thing as it is now; nothing where no sentence can hold its name."""
    try:
        yield from _SAID[kind](name, was or ABSENT, so or ABSENT, so is not None)
    except UserError:
        return


def _package(name: str, was: Mapping[str, Any], so: Mapping[str, Any], there: bool) -> Iterator[str]:
    yield f"the package {in_quotes(name)} is {'' if there else 'not '}installed"


def _file(path: str, was: Mapping[str, Any], so: Mapping[str, Any], there: bool) -> Iterator[str]:
    quoted, before = in_quotes(path), was.get("kind", "file")
    if not there:
        yield f"the {before if before in ('link', 'directory') else 'file'} {quoted} does not exist"
        return
    kind = so["kind"]
    if kind == "link":
        yield f"the link {quoted} points to {in_quotes(so['target'])}"
        return
    subject = f"the {'directory' if kind == 'directory' else 'file'} {quoted}"
    if was.get("kind") != kind:
        yield f"{subject} exists"
        return
    if so.get("md5") not in (None, was.get("md5")):
        yield f"{subject} has the MD5 checksum {in_quotes(so['md5'])}"
    if so["mode"] != was["mode"] or so.get("size") != was.get("size"):
        yield f"{subject} has mode {in_quotes(so['mode'])}"
    if so["owner"] != was["owner"]:
        yield f"{subject} is owned by {in_quotes(so['owner'])}"
    if so["group"] != was["group"]:
        yield f"{subject} belongs to the group {in_quotes(so['group'])}"


def _unit(name: str, was: Mapping[str, Any], so: Mapping[str, Any], there: bool) -> Iterator[str]:
    short, _, suffix = name.rpartition(".")
    quoted = f"the timer {in_quotes(short)}" if suffix == "timer" else (
        f"the service {in_quotes(short if suffix == 'service' else name)}"
    )  # fmt: skip
    if not there:
        yield f"{quoted} is not running"
        return
    if so["running"] != was.get("running", False):
        yield f"{quoted} is {'' if so['running'] else 'not '}running"
    boots = (so["boot"], was.get("boot", ""))
    if boots[0] != boots[1] and "masked" in boots:
        unit = in_quotes(name.removesuffix(".service"))  # of a timer there is no such sentence
        yield f"the service {unit} is {'' if boots[0] == 'masked' else 'not '}masked"
    if boots[0] != boots[1] and ("enabled" in boots or "masked" not in boots):
        yield f"{quoted} is {'' if boots[0] == 'enabled' else 'not '}enabled"


def _user(name: str, was: Mapping[str, Any], so: Mapping[str, Any], there: bool) -> Iterator[str]:
    quoted = f"the user {in_quotes(name)}"
    if not there or not was:
        yield f"{quoted} {'exists' if there else 'does not exist'}"
        return
    if so["uid"] != was["uid"]:
        yield f"{quoted} has uid {so['uid']}"
    if so["home"] != was["home"]:
        yield f"{quoted} has the home {in_quotes(so['home'])}"
    if so["shell"] != was["shell"]:
        yield f"{quoted} has the shell {in_quotes(so['shell'])}"
    if so.get("gid") != was.get("gid"):
        yield f"{quoted} has gid {so['gid']}"
    if so.get("password") != was.get("password"):
        yield from _password(quoted, was["password"], so["password"])


def _password(user: str, was: str, so: str) -> Iterator[str]:
    """Yield what holds of a password as it is and not as it was: `usable`, `locked`, `empty`, `none` of the fact."""
    if so == "usable":
        yield f"{user} has a password"
    elif so == "locked":
        yield f"the password of {user.removeprefix('the user ')} is locked"
    elif so == "empty":
        yield f"{user} has an empty password"
    elif was == "usable":
        yield f"{user} does not have a password"
    elif was == "empty":
        yield f"{user} does not have an empty password"


def _group(name: str, was: Mapping[str, Any], so: Mapping[str, Any], there: bool) -> Iterator[str]:
    quoted = f"the group {in_quotes(name)}"
    if not there or not was:
        yield f"{quoted} {'exists' if there else 'does not exist'}"
        return
    if so["gid"] != was["gid"]:
        yield f"{quoted} has gid {so['gid']}"
    if so.get("members") != was.get("members"):
        yield f"{quoted} has exactly the members {in_quotes(', '.join(so['members']))}"


def _port(name: str, was: Mapping[str, Any], so: Mapping[str, Any], there: bool) -> Iterator[str]:
    listening = f"port {name.removesuffix('/tcp')} is {'' if there else 'not '}listening"
    if not there or not was:
        yield listening
        return
    at, before = so["at"], was["at"]
    if len(at) == 1 and at != [OWN_ADDRESS]:
        yield f"{listening} only at {in_quotes(at[0])}"
        return
    for address in at:
        # Who listens at all addresses did so at this machine's own ones, too.
        covered = address not in WILDCARDS and any(each in WILDCARDS for each in before)
        if address not in before and address != OWN_ADDRESS and not covered:
            yield f"{listening} at {in_quotes(address)}"


def _sysctl(name: str, was: Mapping[str, Any], so: Mapping[str, Any], there: bool) -> Iterator[str]:
    yield f"the sysctl {in_quotes(name)} is {in_quotes(so['value'])}"


_SAID = {
    "packages": _package, "files": _file, "units": _unit, "users": _user, "groups": _group, "ports": _port,
    "sysctls": _sysctl,
}  # fmt: skip
