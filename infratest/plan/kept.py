"""A plan kept in a file, read: what a check would ask of which hosts, so that it need not read features again.

The file holds declarations alone (names of check classes and their arguments, texts, numbers, a host as the stack file
declares it): no code, no secrets, no address that was looked up. It is marshal's data, which can hold nothing else,
behind its own checksum: a bit that a disk turned over must not make a plan that asks for less. It is believed only if
it is private to its user and everything it was made from is still as it was: every file read and folder listed (size,
times, inode), the arguments, the environment, our version and Python's. Written whole or not at all (`keep`);
whatever is wrong with it, the features are read again and the answer is the same. What says how to log in (ssh_config,
known_hosts, keys, the agent) is no part of it: the transport reads that anew at every run.

On the plugin program's path.
"""

from __future__ import annotations

import marshal
import os
import sys
from time import time

from infratest import __version__
from infratest.gherkin.sentence import Tail
from infratest.gherkin.suite import Line, Scenario
from infratest.hosts import Host
from infratest.plan.tasks import CheckStep, Look, OtherStep, Plan, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from infratest.thresholds import Threshold
    from infratest.waivers import Waiver

FORMAT = 12
#: Bytes of the checksum that a plan file begins with.
CHECKSUM = 8

#: Where check classes may be loaded from: a plan file must not be able to name anything else.
CHECKS = "infratest.steps."

#: Environment variables that change what is planned.
VARIABLES = (
    "HOME",
    *(f"INFRATEST_{name}" for name in ("STACK", "ENV", "STATE", "TAGS", "HOST", "SCENARIO", "TIMEOUT", "DEFINE")),
)


def folder() -> str:
    """Return the folder of plan files, or an empty text where there can be none.

    It is in the user's cache; by the passwd database, since a daemon may have no HOME. A path that is not absolute is
    none, as the XDG Base Directory Specification says: a check must not leave folders where it happens to be called.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if cache.startswith("/"):
        return os.path.join(cache, "infratest", "plans")
    base = os.environ.get("HOME", "")
    if not base:
        import pwd

        try:
            base = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return ""
    return os.path.join(base, ".cache", "infratest", "plans") if base.startswith("/") else ""


def place_for(words: Sequence[str]) -> tuple[str, str]:
    """Return the plan file of a command line in this directory, and the question that its plan must answer.

    The file's name is an empty text where there can be none.
    """
    place = folder()
    try:
        here = os.getcwd()
    except OSError:  # it was removed under us
        return "", ""
    variables = [os.environ.get(name) for name in VARIABLES]
    question = repr((FORMAT, __version__, __file__, sys.version, here, tuple(words), variables))
    # Two questions of one name cost each other their file and nothing else: the whole question is compared, too.
    name = checksum(question.encode("utf-8", "surrogateescape")).hex()
    return os.path.join(place, name) if place else "", question


def checksum(data: bytes) -> bytes:
    """Return CHECKSUM bytes that tell data apart, against accidents and not against forgery.

    They are those by which Python tells its own sources apart: built in, where a module of digests is a library that
    has to be loaded.
    """
    told: bytes = __import__("_imp").source_hash(FORMAT, data)
    return told


def stamp(path: str) -> tuple[int, ...] | None:
    """Return what changes when a file or folder does; None where it is not there."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev)


def load(path: str, question: str) -> tuple[Plan, dict[str, Any]] | None:
    """Return a plan and what was kept with it, or None where it is absent, stale, broken, or could be another's."""
    try:
        data = _private(path)
        if not data or data[:CHECKSUM] != checksum(data[CHECKSUM:]):
            return None
        answers, kept, stamps, tasks, hosts, waivers = marshal.loads(data[CHECKSUM:])
        if answers != question or any(stamp(name) != was for name, was in stamps.items()) or _too_old(kept):
            return None
        plan = Plan(tuple(task(each) for each in tasks), {host[0]: Host(*host) for host in hosts}, _waivers(waivers))
    except (OSError, ValueError, TypeError, EOFError, AttributeError, KeyError, ImportError):
        return None
    return plan, kept


def _too_old(kept: dict[str, Any]) -> bool:
    """Whether its hosts are by the word of a program or an API that must be asked again.

    That word is too old, or of the future since the clock was set back, or of another account.
    """
    if "answers" not in kept:
        return False
    from infratest.identity import account

    asked, until, who = kept["answers"]
    return not asked <= time() < until or who != account()


def _private(path: str) -> bytes:
    """Return what is in a file that this user alone could have written; nothing of another. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        info = os.fstat(handle)
        for seen in (info, os.stat(os.path.dirname(path))):
            if seen.st_uid != os.getuid() or seen.st_mode & 0o022:
                return b""
        return os.read(handle, info.st_size + 1)
    finally:
        os.close(handle)


def task(data: Any) -> Task:
    """Return a task from what `keep.of_task` made of it. Raises ValueError where it names what is no check of ours."""
    (feature, title, name, line, tags, row), host, problem, skip, steps = data
    scenario = Scenario(feature, title, name, line, tags, (), row)
    return Task(scenario, host, tuple(_step(step) for step in steps), problem, skip)


def _step(data: Any) -> CheckStep | OtherStep:
    kind, keyword, text, number, condition = data[0]
    line = Line(kind, keyword, text, number, None, condition=condition)
    if len(data) == 2:
        return OtherStep(line, data[1])
    _, looks, negated, threshold, tail = data
    return CheckStep(line, tuple(_look(look) for look in looks), negated, _threshold(threshold), Tail(*tail))


def _waivers(data: Any) -> tuple[Waiver, ...]:
    if not data:
        return ()
    from infratest.waivers import Waiver  # most stacks have none

    return tuple(Waiver(*each) for each in data)


def _look(data: Any) -> Look:
    from infratest.check import Measure

    subject, location, module, name, values, measure = data
    if not module.startswith(CHECKS):
        raise ValueError(f"{module} holds no checks")
    kind = getattr(__import__(module, fromlist=[name]), name)
    if kind.__module__ != module:
        raise ValueError(f"{module} has {name} from elsewhere")
    return Look(subject, location, kind(*values), Measure(*measure) if measure else None)


def _threshold(data: Any) -> Threshold | None:
    if data is None:
        return None
    from infratest import thresholds  # most plans have none

    critical, warning = data
    return thresholds.Threshold(thresholds.Bound(*critical), thresholds.Bound(*warning) if warning else None)
