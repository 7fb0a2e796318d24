"""All results, and how the monitor itself does, as Prometheus reads it: its text format 0.0.4.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/. Gauges and counters only, without times of their
own: what is not exposed any longer is gone there within minutes. Asked from the loop's thread, for it reads its book.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from infratest.alerting.moments import Moment
from infratest.cleaning import clean
from infratest.intakes._arrivals import Arrivals
from infratest.monitor import answers
from infratest.monitor.book import Book
from infratest.monitor.sending import Figures
from infratest.states import CRITICAL, OK, SKIPPED, UNKNOWN, WAIVED, WARNING

#: States by the numbers that Nagios gives them. What is skipped is not exposed.
NUMBERS = {OK: 0, WAIVED: 0, WARNING: 1, CRITICAL: 2, UNKNOWN: 3}
#: How senders do: fields of `Figures`, and what they say.
OUT = (
    ("sent", "counter", "Results and numbers that another tool took."),
    ("lost", "counter", "Those that were lost, for too many waited."),
    ("left", "counter", "Those that the other tool cannot hold, or does not know."),
    ("waiting", "gauge", "Those that wait for it."),
)
#: Characters of a label's value.
LONGEST = 500

Samples = Iterable[tuple[Mapping[str, str], float]]


@dataclass(frozen=True)
class Self:
    """How the monitor does.

    Args:
        looks: errands that wait for somebody. kept: when a turn last ended that is written. sent: by sender.
    """

    stack: str
    env: str
    looks: int
    kept: Moment
    store: str
    sent: Mapping[str, Figures] = field(default_factory=dict)


def exposition(book: Book, arrivals: Arrivals, mine: Self, now: Moment) -> str:
    """Return the text."""
    families = [*_of_results(book, now), *_of_monitor(book, arrivals, mine, now)]
    own = {"stack": mine.stack, "env": mine.env}
    return "".join(_family(name, kind, words, samples, own) for name, kind, words, samples in families)


def _of_results(book: Book, now: Moment) -> Iterator[tuple[str, str, str, Samples]]:
    states, soft, looked = [], [], []
    for id, subject in book.subjects.items():
        its, state = book.statuses[id], answers.state_of(book, id)
        if state == SKIPPED:
            continue
        result = book.results.get(id)
        labels = {"id": id, "host": subject.host, "scenario": result.scenario if result is not None else ""}
        states.append((labels, float(NUMBERS[state])))
        soft.append((labels, float(its.soft)))
        if its.looked is not None:
            looked.append((labels, now.wall - (now.steady - its.looked)))
    words = "The hard state of a result: 0 ok, 1 warning, 2 critical, 3 unknown."
    yield "infratest_result_state", "gauge", words, states
    yield "infratest_result_soft", "gauge", "1 while the newest look is not confirmed yet.", soft
    yield "infratest_result_looked_timestamp_seconds", "gauge", "When a result was looked at last.", looked


def _of_monitor(book: Book, arrivals: Arrivals, mine: Self, now: Moment) -> Iterator[tuple[str, str, str, Samples]]:
    def one(value: float) -> Samples:
        return [({}, value)]

    late = [
        now.steady - time for id in book.subjects if (time := book.agenda.time_of(id)) is not None and time < now.steady
    ]
    yield (
        "infratest_monitor_late_seconds",
        "gauge",
        "How late the look is that is due longest.",
        one(max(late, default=0.0)),
    )
    yield (
        "infratest_monitor_turn_age_seconds",
        "gauge",
        "Since the newest turn that is written.",
        one(max(0.0, now.steady - mine.kept.steady)),
    )
    yield "infratest_monitor_looks_waiting", "gauge", "Looks that wait for a thread.", one(float(mine.looks))
    yield (
        "infratest_monitor_events_waiting",
        "gauge",
        "Events that came and are not written.",
        one(float(arrivals.waiting + len(book.changes.events))),
    )
    owed = sum(entry.pending is not None for entry in book.entries.values())
    yield "infratest_monitor_notices_owed", "gauge", "Notices that did not arrive yet.", one(float(owed))
    size = _size(mine.store)  # none of a database elsewhere
    yield "infratest_monitor_store_bytes", "gauge", "Bytes of the store and its log.", one(float(size)) if size else ()
    taken = [({"intake": intake}, float(count)) for intake, count in sorted(arrivals.taken.items())]
    yield "infratest_intake_events_total", "counter", "What was taken from outside.", taken
    refused = [
        ({"intake": intake, "reason": reason}, float(count))
        for (intake, reason), count in sorted(arrivals.refusals.items())
    ]
    for what, kind, words in OUT:
        each = [({"sender": name}, float(getattr(figures, what))) for name, figures in mine.sent.items()]
        yield f"infratest_send_{what}{'_total' if kind == 'counter' else ''}", kind, words, each
    yield "infratest_intake_refused_total", "counter", "What was refused, or lost on its way, and why.", refused


def _family(name: str, kind: str, words: str, samples: Samples, own: Mapping[str, str]) -> str:
    lines = [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        listed = ",".join(f'{label}="{_escaped(text)}"' for label, text in {**own, **labels}.items())
        lines.append(f"{name}{{{listed}}} {value!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    plain = clean(text, LONGEST).replace("\\", r"\\")
    return plain.replace('"', r"\"").replace("\n", r"\n")


def _size(path: str) -> int:
    size = 0
    for each in (path, f"{path}-wal"):
        with suppress(OSError):
            size += os.stat(each).st_size  # noqa: PTH116 - a path of text, as the store has it
    return size
