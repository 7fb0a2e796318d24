from __future__ import annotations

import pytest

from infratest.model import Evidence
from infratest.outputs._evidence import lines

TABLE = "\n".join([*(f"pid {number}, name worker-{number}" for number in range(140)), "pid 900, name nginx"])


def shown(
    output: str, sentence: str = "", verbosity: int = 0, fact: str = "process", command: str = "process"
) -> list[str]:
    return lines(Evidence(fact, command, 0, output, 0.1), verbosity, sentence)


@pytest.mark.parametrize(
    "sentence, expected",
    [
        ('the process "nginx" is running', ["pid 900, name nginx", "… 141 lines, 1 of them shown; -v shows more"]),
        ('the process "no-such" is running', ["… 141 lines, none with no-such; -v shows more"]),
        ("port 900 is listening", ["pid 900, name nginx", "… 141 lines, 1 of them shown; -v shows more"]),
        ("nothing to look for", ["… 141 lines; -v shows more"]),
    ],
)
def test_of_a_large_table_what_was_asked_for(sentence, expected):
    assert shown(TABLE, sentence) == expected


def test_what_was_asked_for_stands_in_the_command_too():
    assert shown(TABLE, command="package nginx")[0] == "pid 900, name nginx"


def test_at_most_as_many_lines_as_are_read():
    found = shown(TABLE, 'the process "worker" is running')
    assert found[:8] == [f"pid {number}, name worker-{number}" for number in range(8)]
    assert found[8:] == ["… 141 lines, 8 of them shown; -v shows more"]
    assert len(shown(TABLE, verbosity=1)) == 41
    assert shown(TABLE, verbosity=1)[-1] == "… 101 more lines"


def test_a_table_that_was_cut_says_so():
    assert shown(TABLE + "\npid 9…", '"no-such"') == ["… the first 142 lines, none with no-such; -v shows more"]


def test_short_ones_and_a_users_own_words_are_shown_as_they_are():
    assert shown("a\nb\x1b[31m") == ["a", "b\ufffd[31m"]
    assert shown("  a:\n    b: 1\n  c: 2") == ["  a:", "    b: 1", "  c: 2"]
    own = shown("\n".join("abcdefghij"), 'the command "x" prints "j"', fact="command")
    assert own == ["a", "b", "c", "d", "e", "f", "g", "h", "… 2 more lines"]
