"""A file of this machine, given another mode."""

from infratest.testing.acts import Case
from tests.contracts.cases.acts._files import FILE, with_file

CASE = Case(
    works={"path": str(FILE), "mode": "0666"},
    undoes=("chmod", "640", "--", str(FILE)),
    refused=[{"path": "etc/hosts", "mode": "0644"}, *({"path": "/x", "mode": mode} for mode in ("", "0888", "u+x"))],
    world=with_file,
)
