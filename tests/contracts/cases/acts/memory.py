"""Memory that is as much in use as it is to be: this machine's own is not taken."""

from infratest.acts._fault import END
from infratest.testing.acts import Case

CASE = Case(
    works={"percent": 1, "id": "case"},
    undoes=("sh", "-c", END, "sh", "/run/infratest-case.pid"),
    refused=[{"percent": 0}, {"percent": 100}],
)
