"""A disk that is as full as it is to be: this machine's own is not filled."""

from infratest.testing.acts import Case

CASE = Case(
    works={"path": "/", "percent": 1, "id": "case"},
    undoes=("rm", "-f", "--", "/.infratest-case"),
    refused=[{"path": "srv", "percent": 50}, {"path": "/", "percent": 0}, {"path": "/", "percent": 101}],
)
