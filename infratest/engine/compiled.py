"""A plan kept in a file: what a check would ask of which hosts, so that the next one need not read features again.

The file holds declarations alone (names of check classes and their arguments, texts, numbers, a host as the stack file
declares it): no code, no secrets, no address that was looked up. It is marshal's data, which can hold nothing else. It
is believed only if it is private to its user and everything it was made from is still as it was: every file read and
folder listed (size, times, inode), the arguments, the environment, our version and Python's. Written whole or not at
all; whatever is wrong with it, the features are read again and the answer is the same. What says how to log in
(ssh_config, known_hosts, keys, the agent) is no part of it: the transport reads that anew at every run.

Not kept are plans that act, that hold a user's own steps, and those of hosts that a provider was asked for: where they
are, and whether they are up, must be asked again. On the plugin program's path.
"""

from __future__ import annotations

import marshal
import os
import sys

from infratest import __version__
from infratest.builtin import builtin
from infratest.engine.tasks import CheckStep, Look, OtherStep, Plan, Task
from infratest.gherkin.suite import Line, Scenario, Tail
from infratest.hosts import RUNNING, Host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from infratest.model import Report
    from infratest.thresholds import Threshold
    from infratest.transports.base import Transport

FORMAT = 3
#: Plans of one user that are kept.
KEPT = 500

#: Where check classes may be loaded from: a plan file must not be able to name anything else.
CHECKS = "infratest.checks."

#: Fields of a host that are maps.
MAPS = ("labels", "endpoints", "options")

#: Environment variables that change what is planned.
VARIABLES = (
    "HOME",
    *(f"INFRATEST_{name}" for name in ("STACK", "ENV", "STATE", "TAGS", "HOST", "SCENARIO", "TIMEOUT", "DEFINE")),
)


def folder() -> str:
    """Return the folder of plan files: the user's cache; by the passwd database, since a daemon may have no HOME."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("HOME", "")
    if os.environ.get("XDG_CACHE_HOME"):
        return os.path.join(base, "infratest", "plans")
    if not base:
        import pwd

        try:
            base = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return ""
    return os.path.join(base, ".cache", "infratest", "plans")


def path_for(words: Sequence[str]) -> str:
    """Return the plan file of a command line in this directory, or an empty text where there can be none."""
    place = folder()
    if not place:
        return ""
    variables = [os.environ.get(name) for name in VARIABLES]
    asked = (FORMAT, __version__, __file__, sys.version, os.getcwd(), tuple(words), variables)
    # The C module itself: hashlib costs more to import than all that is hashed here. A file's name, not a secret.
    sha1 = __import__("_sha1").sha1
    return os.path.join(place, sha1(repr(asked).encode("utf-8", "surrogateescape")).hexdigest())


def stamp(path: str) -> tuple[int, ...] | None:
    """Return what changes when a file or folder does; None where it is not there."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev)


def load(path: str) -> tuple[Plan, dict[str, Any]] | None:
    """Return a plan and what was kept with it, or None where it is absent, stale, broken, or could be another's."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        info = os.fstat(handle)
        above = os.stat(os.path.dirname(path))
        for seen in (info, above):
            if seen.st_uid != os.getuid() or seen.st_mode & 0o022:
                return None
        data = os.read(handle, info.st_size + 1)
    finally:
        os.close(handle)
    try:
        kept, stamps, tasks, hosts = marshal.loads(data)
        if any(stamp(name) != was for name, was in stamps.items()):
            return None
        plan = Plan(tuple(_task(task) for task in tasks), {host[0]: Host(*host) for host in hosts})
    except (ValueError, TypeError, EOFError, AttributeError, KeyError, ImportError):
        return None
    return plan, kept


def save(path: str, plan: Plan, sources: Iterable[str], kept: dict[str, Any]) -> bool:
    """Keep a plan; return whether it could be kept. `kept` is put beside it: texts and numbers alone."""
    if not path or not fits(plan):
        return False
    stamps = {source: stamp(source) for source in sources}
    try:
        hosts = [_of_host(host) for host in plan.hosts.values()]
        data = marshal.dumps((kept, stamps, [_of_task(task) for task in plan.tasks], hosts))
    except ValueError:  # an argument or option that is no plain value
        return False
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, data)
        finally:
            os.close(handle)
        os.replace(temporary, path)
        _make_room(os.path.dirname(path))
    except OSError:
        return False
    return True


def carried_out(plan: Plan, kept: dict[str, Any]) -> Report | None:
    """Carry a plan out and return its report; None where it cannot be: the whole command line finds words for why."""
    from infratest.engine.run import Settings, reported

    settings = Settings(seconds=kept["timeout"])
    try:
        return reported(plan, _transport, settings, kept["stack"], kept["env"], kept["production"])
    except Exception:  # noqa: BLE001 - an option that is wrong, a bug: it comes again there, and is told
        return None


def _transport(host: Host) -> Transport:
    made: Transport = builtin("transport", host.transport)(host)
    return made


def _make_room(place: str) -> None:
    """Remove the oldest plans where there are more than KEPT: command lines come and go."""
    names = [os.path.join(place, name) for name in os.listdir(place)]
    for name in sorted(names, key=os.path.getmtime)[:-KEPT]:
        os.unlink(name)


def fits(plan: Plan) -> bool:
    """Whether declarations say all of a plan: its hosts are none that a provider was asked for, and it only looks."""
    if any(host.state != RUNNING or host.endpoints or not host.routed for host in plan.hosts.values()):
        return False
    return all(_fits(task) for task in plan.tasks)


def _fits(task: Task) -> bool:
    if task.acting or task.scenario.own:
        return False
    for step in task.steps:
        if isinstance(step, CheckStep):
            if not all(type(look.check).__module__.startswith(CHECKS) for look in step.looks):
                return False
        elif not isinstance(step, OtherStep):
            return False
    return True


def _of_task(task: Task) -> tuple[Any, ...]:
    scenario = task.scenario
    head = (scenario.feature, scenario.feature_name, scenario.name, scenario.line, scenario.tags, scenario.row)
    return head, task.host, task.problem, task.skip, [_of_step(step) for step in task.steps]


def _task(data: Any) -> Task:
    (feature, title, name, line, tags, row), host, problem, skip, steps = data
    scenario = Scenario(feature, title, name, line, tags, (), row)
    return Task(scenario, host, tuple(_step(step) for step in steps), problem, skip)


def _of_step(step: Any) -> tuple[Any, ...]:
    line = (step.line.kind, step.line.keyword, step.line.text, step.line.number)
    if not isinstance(step, CheckStep):
        return line, step.problem
    looks = [
        (look.subject, look.location, type(look.check).__module__, type(look.check).__name__, look.check.values(),
         look.measure.values() if look.measure else None)
        for look in step.looks
    ]  # fmt: skip
    return line, looks, step.negated, _of_threshold(step.threshold), step.tail.values()


def _step(data: Any) -> CheckStep | OtherStep:
    kind, keyword, text, number = data[0]
    line = Line(kind, keyword, text, number, None)
    if len(data) == 2:
        return OtherStep(line, data[1])
    _, looks, negated, threshold, tail = data
    return CheckStep(line, tuple(_look(look) for look in looks), negated, _threshold(threshold), Tail(*tail))


def _look(data: Any) -> Look:
    from infratest.checks.base import Measure

    subject, location, module, name, values, measure = data
    if not module.startswith(CHECKS):
        raise ValueError(f"{module} holds no checks")
    kind = getattr(__import__(module, fromlist=[name]), name)
    return Look(subject, location, kind(*values), Measure(*measure) if measure else None)


def _of_threshold(threshold: Threshold | None) -> Any:
    if threshold is None:
        return None
    bounds = (threshold.critical, threshold.warning)
    return [(bound.words, bound.low, bound.high, bound.unit) if bound else None for bound in bounds]


def _threshold(data: Any) -> Threshold | None:
    if data is None:
        return None
    from infratest import thresholds  # most plans have none

    critical, warning = data
    return thresholds.Threshold(thresholds.Bound(*critical), thresholds.Bound(*warning) if warning else None)


def _of_host(host: Host) -> tuple[Any, ...]:
    """Return the values of a host in the order of its fields; marshal writes no maps but dicts."""
    values = (dict(value) if name in MAPS else value for name, value in zip(Host._fields, host.values(), strict=True))
    return tuple(values)
