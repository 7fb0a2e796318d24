"""Commands with every kind of end and output; what each answers is written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.oracle.questions import UNKNOWN, Question, answers, both, bounds, quoted


class Case(NamedTuple):
    """A command, and what it answers: its output is None where it is no text, and its number where it prints none."""

    command: str
    status: int = 0
    output: str | None = ""
    number: int | str = UNKNOWN


CASES = (
    Case("true"), Case("false", 1), Case("exit 3", 3), Case("exit 255", 255), Case("exit 256", 0), Case(":"),
    Case("kill -9 $$", 137), Case("sh -c 'kill -TERM $$'", 143), Case("(exit 4); true"), Case("false; (exit 5)", 5),
    Case("false | true"), Case("true | false", 1), Case("true && false", 1), Case("! false"), Case("exec true"),
    Case("set -e; false; true", 1), Case("cat /nowhere/at/all", 1), Case("test -e /etc/passwd"),
    Case("exit 128", 128), Case("exit 129", 129), Case("exit 192", 192), Case("exit 193", 193),
    Case("echo PONG; kill -9 $$", 137, "PONG"), Case("trap 'exit 9' EXIT; exit 1", 9),
    Case("echo PONG", 0, "PONG"), Case("echo PONG; exit 3", 3, "PONG"),
    Case("printf PONG", 0, "PONG"), Case("printf 'PONG\\n\\n\\n'", 0, "PONG"), Case("printf '\\nPONG'", 0, "\nPONG"),
    Case("printf ' PONG '", 0, " PONG "), Case("printf 'PONG\\r\\n'", 0, "PONG\r"), Case("printf 'a\\tb'", 0, "a\tb"),
    Case("echo PONG >&2"), Case("echo one; echo two", 0, "one\ntwo"), Case("printf 'p\\303\\244ng'", 0, "päng"),
    Case("echo $0 | grep -c . >&2"), Case("printf 'caf\\351 PONG'", 0, None), Case("printf 'caf PONG\\377'", 0, None),
    Case("cat </dev/stdin"), Case("echo 'it'\\''s \"quoted\"'", 0, "it's \"quoted\""),
    Case("printf %s '\\back'", 0, "\\back"), Case("echo '{x}'", 0, "{x}"), Case("printf %s \"$((6*7))\"", 0, "42", 42),
    Case("echo 42", 0, "42", 42), Case("echo ' 42 '", 0, " 42 ", 42), Case("echo 0", 0, "0", 0),
    Case("echo -7", 0, "-7", -7), Case("echo 42; exit 1", 1, "42"), Case("echo 42 43", 0, "42 43"),
    Case("echo 42; echo 43", 0, "42\n43"), Case("echo 1e2", 0, "1e2", 100), Case("echo 42.0", 0, "42.0", 42),
    Case("echo 1_000", 0, "1_000"), Case("echo nan", 0, "nan"), Case("echo inf", 0, "inf"),
    Case("echo 0x10", 0, "0x10"), Case("echo 42%", 0, "42%"), Case("echo 1,5", 0, "1,5"), Case("echo abc", 0, "abc"),
    Case("printf '\\n42\\n'", 0, "\n42", 42), Case("echo 42 >&2"), Case("echo 007", 0, "007", 7),
    Case("echo +5", 0, "+5", 5), Case("seq 1 3 | wc -l", 0, "3", 3),
    Case("umask 077; umask | tail -c 3", 0, "77", 77),
    Case("head -c 100000 /dev/zero | tr '\\0' x | wc -c", 0, "100000", 100000),
    Case("echo a;echo b # PONG", 0, "a\nb"), Case("cd /etc && pwd", 0, "/etc"), Case("x=PONG; echo $x", 0, "PONG"),
    Case("yes PONG | head -n 3", 0, "PONG\nPONG\nPONG"), Case("sleep 100 & echo PONG", 0, "PONG"),
    Case("echo ==; echo PONG", 0, "==\nPONG"), Case("echo '--- 0'", 0, "--- 0"),
)  # fmt: skip
#: They could not be run, which is no answer; but for one who asks for just that status.
NOT_RUN = {"no-such-program-at-all": 127, "/etc/passwd": 126, "./nowhere": 127, "exit 127": 127, "exit 126": 126}
#: A signal ended them, as far as a shell can tell: what they would print, and how long they take, nobody knows.
ENDED = {"kill -9 $$", "sh -c 'kill -TERM $$'", "exit 129", "exit 192", "echo PONG; kill -9 $$"}
TEXTS = ("PONG", "pong", "P", "42", "4", "one", "a", "it's", "\\back", "{x}", "PONG ", "päng", "é", "*", ".")
WHOLE = ("PONG", "42", "one", "", "a\tb", 'it\'s "quoted"', "päng", "PON", " PONG ")


def objects(place: Path) -> tuple[Case, ...]:
    """There is nothing to make."""
    return CASES


def questions(cases: tuple[Case, ...]) -> Iterator[Question]:
    """Ask all sentences of commands, as the login user and as root: that one by sudo, which lets root alone in."""
    for place, case in enumerate(cases):
        for suffix, other in (("", ""), (" as root", UNKNOWN)):
            yield from _of(case, suffix, other)
        yield from _timed(case, slow=place < 3)
    for command, status in NOT_RUN.items():
        for suffix, other in (("", ""), (" as root", UNKNOWN)):
            subject = f"the command {quoted(command)}{suffix}"
            for asked in (0, status, 1):
                forms = (f"{subject} exits {asked}", f"{subject} does not exit {asked}")
                yield from both(*forms, True if asked == status else UNKNOWN, command, other)
                forms = (f'{subject} exits one of "{asked}, 9"', f'{subject} exits none of "{asked}, 9"')
                yield from both(*forms, True if asked == status else UNKNOWN, command, other)
            yield from both(f'{subject} prints "PONG"', f'{subject} does not print "PONG"', UNKNOWN, command, other)


def _of(case: Case, suffix: str, other: str) -> Iterator[Question]:
    subject, about = f"the command {quoted(case.command)}{suffix}", f"exit {case.status}, prints {case.output!r}"
    for status in sorted({0, 1, case.status, (case.status + 1) % 256} - set(NOT_RUN.values())):
        forms = (f"{subject} exits {status}", f"{subject} does not exit {status}")
        yield from both(*forms, status == case.status, about, other)
        many = f'"{(case.status + 7) % 256}, {status}"'
        forms = (f"{subject} exits one of {many}", f"{subject} exits none of {many}")
        yield from both(*forms, status == case.status, about, other)
    for text in TEXTS:
        right: bool | str = text in case.output if case.output is not None else text in "caf PONG" or UNKNOWN
        right = UNKNOWN if case.command in ENDED else right
        forms = (f"{subject} prints {quoted(text)}", f"{subject} does not print {quoted(text)}")
        yield from both(*forms, right, about, other)
    for text in WHOLE:
        right = case.output == text if case.output is not None and case.command not in ENDED else UNKNOWN
        forms = (f"{subject} prints exactly {quoted(text)}", f"{subject} does not print exactly {quoted(text)}")
        yield from both(*forms, right, about, other)
    if not suffix:
        yield from bounds(f"{subject} prints a number {{}}", case.number, about)


def _timed(case: Case, slow: bool) -> Iterator[Question]:
    """Ask far from the bound: none of them takes long."""
    for bound, right in (("less than 60 s", True), ("more than 60 s", False), ("at most 1 min", True)):
        answer = answers(UNKNOWN if case.command in ENDED else right)[0]
        yield Question(f"the command {quoted(case.command)} takes {bound}", answer, case.command)
    for bound, right in (
        (("less than 100 ms", False), ("at least 100 ms", True), ("more than 1 h", False)) if slow else ()
    ):
        text = f"sleep 0.2; {case.command}"
        yield Question(f"the command {quoted(text)} takes {bound}", answers(right)[0], text)
