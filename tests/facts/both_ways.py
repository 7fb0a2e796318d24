"""Asks a fact of this machine both ways: by its snippet, run by sh as the engine runs it, and natively."""

from __future__ import annotations

import contextlib
import subprocess

from infratest.collect.script import Question, build, read
from infratest.facts._bytes_of_files import FileValue
from infratest.facts.base import Answer, LooksHere
from infratest.facts.content import Content
from infratest.facts.disk import Space
from infratest.facts.file import File
from infratest.outsiders import get


def snippet(name, arguments, as_user=None):
    """What the snippet tells, run by sh as the engine runs it."""
    fact = get("fact", name)()
    script = build([Question(fact.ask(arguments), 30)])
    done = subprocess.run(
        ["env", "LC_ALL=C", "sh", "-s", script.nonce], input=script.text, capture_output=True, user=as_user, timeout=30
    )  # fmt: skip
    (answer,) = read(script, done.stdout)
    assert isinstance(answer, Answer), done.stderr
    return fact.read(answer, arguments)


def here(name, arguments):
    fact = get("fact", name)()
    assert isinstance(fact, LooksHere)
    return fact.look_here(arguments)


def alike(found):
    """Return a value without what may differ: the program that a problem names, times, room that is used.

    Where a text stands in a file that is searched on the host, is not told.
    """
    if isinstance(found, FileValue):
        found = found.changed(now=0)
    if problem := getattr(found, "problem", ""):
        return found.changed(problem=problem.rpartition(": ")[2])
    if isinstance(found, Content):
        return found.changed(line=None, lines=None)
    if isinstance(found, Space):
        return found.changed(used=0, available=0, inodes_free=0)
    return found.changed(age=0) if isinstance(found, File) else found


def same(name, arguments, as_user=None, rights=contextlib.nullcontext):
    """Ask both ways and compare everything; return what they agree on."""
    told = snippet(name, arguments, as_user)
    with rights():
        seen = here(name, arguments)
    assert seen is not None
    assert {one: alike(value) for one, value in seen.items()} == {one: alike(value) for one, value in told.items()}
    return seen
