"""Asks of TLS at ports both ways: from the controller, and by the program that hosts are sent."""

from __future__ import annotations

import subprocess

from infratest.deadline import Deadline
from infratest.facts._tls_place import endpoint
from infratest.facts.tls import Tls
from infratest.outsiders import get
from tests.facts.both_ways import snippet


def look(made, place, *questions, name="shop.example", authorities="ca.pem"):
    """Ask both ways, and return what they agree on."""
    ca = made.file(authorities) if authorities else ""
    arguments = [(endpoint(place).text, name, ca, each) for each in questions]
    here = get("fact", "tls")().look(arguments, Deadline(60), lambda host, port: (host, port))
    there = snippet("tls", arguments)
    assert [alike(each) for each in here.values()] == [alike(each) for each in there.values()]
    return list(here.values())


def alike(one):
    return one.changed(now=0) if isinstance(one, Tls) else str(one)


def offers(made, place, *questions, **more):
    return [one.offered if not one.refused else None for one in look(made, place, *questions, **more)]


def digest(made):
    words = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", made.file("leaf.pem")]
    return subprocess.check_output(words, text=True).strip().partition("=")[2].replace(":", "").lower()
