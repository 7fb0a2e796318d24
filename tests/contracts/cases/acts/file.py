"""A file of this machine, emptied."""

from infratest.acts.file import BRING_BACK
from infratest.testing.acts import Case
from tests.contracts.cases.acts._files import FILE, with_file

CASE = Case(
    works={"path": str(FILE), "verb": "empty", "id": "case"},
    undoes=("sh", "-c", BRING_BACK, "sh", str(FILE), f"{FILE.parent}/.infratest-case-{FILE.name}"),
    refused=[{"path": path, "verb": "remove"} for path in ("", "etc/hosts", "/a\0b")],
    world=with_file,
)
