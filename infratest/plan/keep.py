"""A plan written to its file, for `kept` to read: declarations alone, whole or not at all.

Not kept are plans that act, that hold a user's own steps, and those of hosts that a provider was asked for: where they
are, and whether they are up, must be asked again. Called by the command line once it has made a plan.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterable, Sequence
from typing import Any

from infratest.cleaning import holds_declared
from infratest.hosts import RUNNING, Host
from infratest.plan.kept import CHECKS, checksum, place_for, stamp
from infratest.plan.tasks import CheckStep, OtherStep, Plan, Task
from infratest.thresholds import Threshold

#: Plans of one user that are kept.
KEPT = 500

#: Fields of a host that are maps.
MAPS = ("labels", "endpoints", "options")


def save(words: Sequence[str], plan: Plan, sources: Iterable[str], kept: dict[str, Any]) -> bool:
    """Keep a plan under the command line that led to it; return whether it could be kept.

    Args:
        sources: every file read and folder listed for it. kept: what goes beside it, texts and numbers alone.
    """
    path, question = place_for(words)
    if not path or not fits(plan):
        return False
    stamps = {source: stamp(source) for source in sources}
    try:
        hosts = [of_host(host) for host in plan.hosts.values()]
        waivers = [waiver.values() for waiver in plan.waivers]
        data = marshal.dumps((question, kept, stamps, [of_task(task) for task in plan.tasks], hosts, waivers))
    except ValueError:  # an argument or option that is no plain value
        return False
    if holds_declared(data):  # a plan is a file, and a secret of the stack file is in none
        return False
    try:
        _make(os.path.dirname(path))
        _write(path, checksum(data) + data)
        _make_room(os.path.dirname(path))
    except OSError:
        return False
    return True


def _make(place: str) -> None:
    """Make a folder and those above it, private whatever the umask is.

    Nothing is made in what belongs to another user, as where sudo keeps HOME: it would be root's in that user's cache.

    Raises:
        OSError: it cannot be made.
    """
    try:
        owner = os.stat(place).st_uid
    except FileNotFoundError:
        _make(os.path.dirname(place))
        try:
            os.mkdir(place, 0o700)
        except FileExistsError:  # another check was faster
            return
    else:
        if owner not in (0, os.getuid()):
            raise PermissionError(f"{place} belongs to user {owner}")


def _write(path: str, data: bytes) -> None:
    """Write a file whole or not at all. Raises OSError."""
    # By chance, not by process id: that of a check in a container may be the same each time, and one may be left over.
    temporary = f"{path}.{os.urandom(8).hex()}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            written = os.write(handle, data)
        finally:
            os.close(handle)
        if written < len(data):
            raise OSError(f"{temporary}: no room for {len(data)} bytes")
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _make_room(place: str) -> None:
    """Remove the oldest plans where there are more than KEPT: command lines come and go."""
    names = [os.path.join(place, name) for name in os.listdir(place)]
    for name in sorted(names, key=os.path.getmtime)[:-KEPT]:
        os.unlink(name)


def fits(plan: Plan) -> bool:
    """Whether declarations say all of a plan: its hosts are none that a provider was asked for, and it only looks."""
    if any(host.state != RUNNING or host.endpoints or not host.routed for host in plan.hosts.values()):
        return False
    return all(plain(task) for task in plan.tasks)


def plain(task: Task) -> bool:
    """Whether declarations say all of a task, as they do of one that only looks by sentences of ours."""
    if task.acting or task.scenario.own:
        return False
    for step in task.steps:
        if isinstance(step, CheckStep):
            if not all(type(look.check).__module__.startswith(CHECKS) for look in step.looks):
                return False
            # When the last run was, what was read before, and where a store lies, is told anew for each run.
            if any(look.check.of_last_run or look.check.trend or look.check.of_store for look in step.looks):
                return False
        elif not isinstance(step, OtherStep):
            return False
    return True


def of_task(task: Task) -> tuple[Any, ...]:
    """Return a plain task as texts, numbers and tuples of them, which `kept.task` reads."""
    scenario = task.scenario
    head = (scenario.feature, scenario.feature_name, scenario.name, scenario.line, scenario.tags, scenario.row)
    return head, task.host, task.problem, task.skip, [of_step(step) for step in task.steps]


def of_step(step: Any) -> tuple[Any, ...]:
    """Return a step that looks, or asks nothing, as texts, numbers and tuples of them."""
    line = (step.line.kind, step.line.keyword, step.line.text, step.line.number, step.line.condition)
    if not isinstance(step, CheckStep):
        return line, step.problem
    looks = [
        (look.subject, look.location, type(look.check).__module__, type(look.check).__name__, look.check.values(),
         look.measure.values() if look.measure else None)
        for look in step.looks
    ]  # fmt: skip
    return line, looks, step.negated, _of_threshold(step.threshold), step.tail.values()


def _of_threshold(threshold: Threshold | None) -> Any:
    if threshold is None:
        return None
    bounds = (threshold.critical, threshold.warning)
    return [(bound.words, bound.low, bound.high, bound.unit) if bound else None for bound in bounds]


def of_host(host: Host) -> tuple[Any, ...]:
    """Return the values of a host in the order of its fields; marshal writes no maps but dicts."""
    values = (dict(value) if name in MAPS else value for name, value in zip(Host._fields, host.values(), strict=True))
    return tuple(values)
