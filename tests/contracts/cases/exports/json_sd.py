"""Prometheus' real checker, which comes with one that is too heavy for the ordinary run."""

from infratest.testing.exports import Case

CASE = Case(broken='[{"targets": 5}]')
MACHINES = True
