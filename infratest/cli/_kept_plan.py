"""The plan of a check kept for the next one (plan/keep.py): what it was made from, and what goes beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from infratest import outsiders
from infratest.errors import FeatureError
from infratest.identity import account
from infratest.plan.digest import digests
from infratest.plan.keep import save
from infratest.plan.tasks import Plan
from infratest.project.execute import has_store
from infratest.project.session import Session
from infratest.project.sources import sources
from infratest.stack.listing import Listing

#: Nanoseconds that the clock of a file system may be behind: it ticks a hundred times a second, if not more often.
TICK = 20_000_000


def keep_plan(session: Session, plan: Plan, features: Sequence[str], kept: dict[str, Any], began: int) -> None:
    """Keep a plan under the command line that led to it, where it can be kept; nothing is said where it cannot.

    Args:
        began: nanoseconds since the epoch, before anything was read. What changed since may have been read before it
            changed: its time now would vouch for what it was then.
    """
    stack = session.stack
    if stack.reads_anew:  # what a variable or a program says the next time no file tells
        return
    if not outsiders.get("provider", stack.provider).declared or (kept["heal"] and not _healable(session, plan)):
        return
    state = str(session.state.path) if has_store(session) else ""
    # A monitor's socket is asked for where nothing may be written, too.
    monitor = str(session.state.path.absolute()) if kept.get("from_monitor") else ""
    about = {"monitor": monitor, "stack": stack.name, "env": stack.env, "production": stack.production, "state": state}
    if monitor:  # worked out here once, and not for each question
        about["digests"] = digests(plan)
    if isinstance(stack.hosts, Listing) and stack.hosts.asked is not None:  # of a program or an API: it has an age
        about["answers"] = (stack.hosts.asked, stack.hosts.until, account())
    try:
        read = sources(stack, session.stack_path, features, session.state.path).every()
    except FeatureError:  # a folder that cannot be listed any more: nobody would see what changes in it
        return
    theirs = {str(path.absolute()) for path in read}
    if any(_changed(path) > began - TICK for path in theirs):
        return
    every = theirs | {str(path.absolute()) for path in _ours()}
    save(sys.argv[1:], plan, sorted(every), kept | about)


def _changed(path: str) -> int:
    """Return when a file or folder changed last, 0 where there is none; nobody can set this time back but a clock."""
    try:
        return Path(path).stat().st_ctime_ns
    except OSError:
        return 0


def _healable(session: Session, plan: Plan) -> bool:
    """Whether there is nothing to say of a heal where all is well: a place for its counts, a rule for each tag."""
    rules = {rule.name for rule in session.stack.heal}
    return has_store(session) and all(task.scenario.tag("heal") in {"", *rules} for task in plan.tasks)


def _ours() -> Iterator[Path]:
    """What a plan is made by: of a wheel its list of files, which every installation writes anew.

    Where there is none, as in a source tree, all the files: they change under the same version while they are written.
    """
    import infratest

    package = Path(infratest.__path__[0])
    record = package.parent / f"infratest-{infratest.__version__}.dist-info" / "RECORD"
    if record.exists():
        yield record
        return
    steps = import_module("infratest.steps")  # by name: type checkers do not follow where it is installed from
    rooms = (package / name for name in ("gherkin", "plan", "project", "providers", "stack"))
    for folder in (*rooms, *(Path(path) for path in steps.__path__)):
        yield folder
        yield from folder.glob("*.py")
