"""A name, on a host whose files of names are the case's own, and whose getent knows none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infratest.acts.name import MEND
from infratest.testing.acts import Case

KEPT = "/var/lib/infratest-case"


@contextmanager
def with_files(folder: Path) -> Iterator[None]:
    (folder / "hosts").write_text("10.0.0.2 db db.example\n10.0.0.3 web\n")
    (folder / "resolv.conf").write_text("nameserver 10.0.0.53\n")
    (folder / "nsswitch.conf").write_text("passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n")
    try:
        yield
    finally:
        for each in ("hosts", "resolv", "services"):
            Path(f"{KEPT}.{each}").unlink(missing_ok=True)


CASE = Case(
    works={"name": "db", "hosts": "hosts", "resolver": "resolv.conf", "services": "nsswitch.conf", "id": "case"},
    undoes=("sh", "-c", MEND, "sh", KEPT, "hosts", "resolv.conf", "nsswitch.conf"),
    refused=[{"name": name} for name in ("", "-x", "a b", "a\0b", "a;b")],
    programs={"getent": '#!/bin/sh\ncat hosts nsswitch.conf >>"$LOG"\nexit 2\n'},
    world=with_files,
    log=["10.0.0.3 web", "passwd: files", "hosts: files"],
)
