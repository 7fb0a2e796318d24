"""Its real checker; a program that it runs has to be there."""

from infratest.testing.exports import Case

CASE = Case(options={"program": "/usr/bin/env"}, broken="[Service]\nExecStart=/no/such/program\n")
