"""A URL asked as the engine asks it: by curl on a host, in every shell's way, and from the controller."""

from __future__ import annotations

import os
import subprocess

import pytest

from infratest.deadline import Deadline
from infratest.facts.base import Answer
from infratest.facts.http import HttpFact


def asked(*requests):
    """Ask curl, as the script of the engine would on a host."""
    fact, arguments = HttpFact(), [request.argument for request in requests]
    done = subprocess.run(
        ["sh", "-s"],
        input=fact.ask(arguments).encode(),
        capture_output=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        timeout=60,
    )
    answer = Answer(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    found = fact.read(answer, arguments)
    return [found[argument] for argument in arguments]


def looked(*requests):
    """Ask from the controller."""
    arguments = [request.argument for request in requests]
    found = HttpFact().look(arguments, Deadline(20), lambda address, port: (address, port))
    return [found[argument] for argument in arguments]


both = pytest.mark.parametrize("ways", [asked, looked], ids=["host", "controller"])
