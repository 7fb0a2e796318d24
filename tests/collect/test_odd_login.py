"""A login's environment, in which tools answer otherwise: facts are asked without it, and a user's commands within."""

from __future__ import annotations

import os
import subprocess

import pytest

from infratest.collect.script import CHANGES_ANSWERS, Question, build, read
from infratest.facts.base import Answer
from infratest.outsiders import get
from tests.worlds.shells import SHELLS, shell

#: Values by which an answer differs.
ODD = dict.fromkeys(CHANGES_ANSWERS, "1") | {
    "TZ": "<+09>-9", "DPKG_ADMINDIR": "/nowhere", "DPKG_ROOT": "/nowhere", "APT_CONFIG": "/nowhere",
    "GREP_OPTIONS": "-v", "LIBMOUNT_FSTAB": "/nowhere", "XTABLES_LIBDIR": "/nowhere", "QUOTING_STYLE": "c",
    "TIME_STYLE": "full-iso", "LANG": "de_DE.UTF-8", "LANGUAGE": "de", "IFS": "/0",
}  # fmt: skip


def answer(snippet, variables, words, as_login=False):
    script = build([Question(snippet, 60)], as_login)
    done = subprocess.run(
        [*words, "-s", script.nonce], input=script.text, env=variables, capture_output=True, timeout=90
    )
    (one,) = read(script, done.stdout)
    assert isinstance(one, Answer), done.stderr
    return one


@pytest.mark.parametrize("name", SHELLS)
def test_facts_are_the_same_in_the_environment_of_any_login(name):
    words, path = shell(name)
    plain = {"PATH": path}
    asked = {
        "package": [("bash",), ("nosuch",)], "package-list": [("bas*",)], "local-time": [()], "fstab": [()],
        "file": [("/etc/passwd",), ("/etc/no such",)], "mount": [()], "group": [("root",)],
        "kernel-module": [("loop", "")],
    }  # fmt: skip
    for kind, arguments in asked.items():
        fact = get("fact", kind)()
        seen = [
            fact.read(answer(fact.ask(arguments), variables, words), arguments) for variables in (plain, plain | ODD)
        ]
        if kind == "local-time":  # the second may be another one
            hours = [(one[()].day, one[()].hour) for one in seen]
            assert len(set(hours)) == 1 or seen[0][()].minute == 59
        elif kind == "file":
            assert seen[0][arguments[0]].changed(age=0) == seen[1][arguments[0]].changed(age=0)
        else:
            assert seen[0] == seen[1], kind


def test_a_users_command_has_what_its_login_has():
    variables = {"PATH": os.environ["PATH"], "TZ": "<+09>-9", "BLOCKSIZE": "1M"}
    assert answer('echo "$TZ $BLOCKSIZE"', variables, ["sh"], as_login=True).out == "<+09>-9 1M\n"
