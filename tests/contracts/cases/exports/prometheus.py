"""Its real checker, which comes with a Prometheus that is too heavy for the ordinary run."""

from infratest.testing.exports import Case

CASE = Case(broken="groups: [{name: x, rules: [{alert: x, expr: '=='}]}]\n")
MACHINES = True
