"""A name, on a host whose files of names are the case's own, and whose getent knows none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.acts.name import MEND
from infratest.testing.acts import Case

COPIES = tuple(Path(f"/run/infratest-case.{each}") for each in ("hosts", "resolv"))


@contextmanager
def with_files(folder: Path) -> Iterator[None]:
    (folder / "hosts").write_text("10.0.0.2 db db.example\n10.0.0.3 web\n")
    (folder / "resolv.conf").write_text("nameserver 10.0.0.53\n")
    try:
        yield
    finally:
        for path in COPIES:
            path.unlink(missing_ok=True)


CASE = Case(
    works={"name": "db", "hosts": "hosts", "resolver": "resolv.conf", "id": "case"},
    undoes=("sh", "-c", MEND, "sh", *map(str, COPIES), "hosts", "resolv.conf"),
    refused=[{"name": name} for name in ("", "-x", "a b", "a\0b", "a;b")],
    programs={"getent": '#!/bin/sh\ncat hosts >>"$LOG"\nexit 2\n'},
    world=with_files,
    log=["10.0.0.3 web"],
)
