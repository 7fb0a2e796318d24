"""A playbook, and one that is broken."""

from infratest.testing.provisioners import Case

CASE = Case(
    works="site.yml",
    fails={"playbook": "bad.yml"},
    files={"site.yml": "- hosts: all\n", "bad.yml": "broken\n"},
    reads=("site.yml",),
    refused=(5, {}),
)
