"""Loops that are begun, on a host whose setsid begins nothing: this machine's own processors are not taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.acts._fault import END
from infratest.testing.acts import Case

#: Notes the process that nothing has begun, where `begin` looks for it.
SETSID = """#!/bin/sh
echo 1 >"$4"
echo begun >>"$LOG"
"""
KEPT = Path("/run/infratest-case.pid")


@contextmanager
def without_traces(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        KEPT.unlink(missing_ok=True)


CASE = Case(
    works={"id": "case"},
    undoes=("sh", "-c", END, "sh", str(KEPT)),
    programs={"setsid": SETSID},
    world=without_traces,
    log=["begun"],
)
