"""A clock, on a host whose date keeps the time in a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.acts.clock import BACK
from infratest.testing.acts import Case

DATE = """#!/bin/sh
case $1 in
+%s) cat now ;;
-s) echo "${2#@}" >now; echo "set $2" >>"$LOG" ;;
esac
"""
KEPT = Path("/run/infratest-case.clock")


@contextmanager
def with_time(folder: Path) -> Iterator[None]:
    (folder / "now").write_text("1000\n")
    try:
        yield
    finally:
        KEPT.unlink(missing_ok=True)


CASE = Case(
    works={"seconds_by": 300, "id": "case"},
    undoes=("sh", "-c", BACK, "sh", str(KEPT), "300"),
    refused=[{"seconds_by": 0}],
    programs={"date": DATE},
    world=with_time,
    log=["set @1300"],
)
