"""What `check_infratest` does first: carry out a plan kept from an earlier run, importing as little as can be.

A monitoring server starts this every minute on hundreds of hosts, and what a program imports costs more than what it
checks. Where no plan is kept that is still true, the command line with all its libraries takes over, answers the same,
and keeps the plan for the next time.
"""

from __future__ import annotations

import gc
import os
import sys
from time import time

from infratest.plan import kept
from infratest.plugins import builtin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from infratest.hosts import Host
    from infratest.model import Report
    from infratest.plan.tasks import Plan
    from infratest.transports.base import Transport


#: Files of the state directory by which there is something to say of healing even where all is well.
HEALING_SAYS = ("pause.json", "verifying.json")


def main() -> None:
    """Run the plugin and exit with its status."""
    try:
        _main()
    except KeyboardInterrupt:
        _interrupted()


def _main() -> None:
    # A second is long for a check, and short for a collector of cycles.
    gc.disable()
    words = sys.argv[1:]
    loaded = kept.load(*kept.place_for(words))
    report = _report(*loaded) if loaded else None
    if loaded is None or report is None or (loaded[1]["heal"] and not _well(report, loaded[1]["state"])):
        from infratest.cli.check_infratest import main as slow

        slow(report)
        return
    answer = _Answer()
    try:
        _told(report, loaded[1], answer)
    finally:
        # All is written and closed; taking the interpreter down in order would cost a tenth of the whole.
        os._exit(answer.status)


def _interrupted() -> None:
    from infratest.outputs._perfdata import unknown_line

    _print(unknown_line("interrupted") + "\n")
    os._exit(3)


def _report(plan: Plan, about: dict[str, Any]) -> Report | None:
    """Return what a monitor saw last, where it is to answer and can; else check. None as `_checked`."""
    if not about["monitor"]:
        return _checked(plan, about)
    from infratest.monitor import latest
    from infratest.store.monitor_socket import Silence

    try:
        place = about["stack"], about["env"], about["production"]
        found = latest.latest(plan, about["digests"], about["monitor"], about["timeout"], *place)
    except Silence as why:
        report = _checked(plan, about)
        return report and report.changed(notes=(*report.notes, f"{latest.HERE}{why}"))
    about["state"] = ""  # it is kept already, and knows since when
    return found


def _checked(plan: Plan, about: dict[str, Any]) -> Report | None:
    """Carry a plan out and return its report; None where it cannot be: the whole command line finds words for why."""
    from infratest.engine.run import Settings, reported

    try:
        settings = Settings(seconds=about["timeout"])
        return reported(plan, _transport, settings, about["stack"], about["env"], about["production"])
    except Exception:  # noqa: BLE001 - an option that is wrong, a bug: it comes again there, and is told
        return None


def _transport(host: Host) -> Transport:
    transport: Transport = builtin("transport", host.transport)(host)
    return transport


def _well(report: Report, state: str) -> bool:
    """Whether there is nothing to heal, with the run counted as a heal would."""
    from infratest.errors import StateError
    from infratest.store.directory import StateDir
    from infratest.store.failures import record_run

    if any(result.state not in ("ok", "skipped", "waived") for result in report.results):
        return False
    if any(os.path.exists(os.path.join(state, name)) for name in HEALING_SAYS):
        return False
    try:
        StateDir(state).read("heal.jsonl", whole=True)  # a record that cannot be read disarms healing: that is said
        record_run(StateDir(state), report, time())
    except StateError:
        return False
    return True


class _Answer:
    """The exit status: that of the line once it is out, whatever comes after it."""

    status = 3  # a bug of ours is unknown; Python would end with 1, which is warning


def _told(report: Report, about: dict[str, Any], answer: _Answer) -> None:
    """Print the answer, and store what is to be kept of it."""
    if about["state"] and report.state != "ok":  # since when is told of what is not ok alone
        report = _with_history(report, about["state"])
    nagios: Any = builtin("output", "nagios")
    options = nagios.Options(warning=about["warning"], critical=about["critical"], timeout=about["timeout"])
    output = nagios(options, verbosity=about["verbosity"])
    if not _print(output.render(report)):
        return
    answer.status = output.judged(report)[1]
    if about["state"]:
        _store(report, about["state"])


def _print(text: str) -> bool:
    """Print, and return whether it is out. Of nobody who reads it nothing is said: the status is that of what was seen.

    As the whole command line has it, or a check would end with another status the second time.
    """
    if sys.stdout is None:  # it was closed by whoever started us
        return True
    try:
        # The web is UTF-8, whatever the locale of a monitoring daemon says.
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return True
    except OSError:
        return False
    return True


def _with_history(report: Report, state: str) -> Report:
    from infratest.errors import StateError
    from infratest.store import history
    from infratest.store.directory import StateDir

    try:
        return history.with_since(report, history.last(StateDir(state), report.place), time())
    except StateError:
        return report


def _store(report: Report, state: str) -> None:
    from infratest.store.directory import StateDir
    from infratest.store.keep import keep

    place = StateDir(state)
    keep(place, report, counting=True)
    if os.path.exists(os.path.join(state, "journal.jsonl")):
        from infratest.lifecycle.lease import renew

        renew(place, report.stack, report.env)
