"""How a host with python3 is asked to run `_outside`, and its lines read. Shared by the facts that look at others."""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts import _outside
from infratest.facts._shell import ONE_LINE, PUT, lines, number, unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import Answer

# A python3 that does not run (a launcher without what it launches) prints no first line, and counts as none. That of
# dnf is no command, and on every host of its family.
_ASKED = r"""
by_python() {
  for python in python3 /usr/libexec/platform-python; do
    command -v "$python" >/dev/null 2>&1 || continue
    seen=$("$python" -I -S -c "$program" PATIENCE "$@" 2>/dev/null </dev/null)
    case $seen in
      python3*) put "$seen$nl"; return 0 ;;
    esac
  done
  return 1
}
"""

# Words that hold secrets go by standard input: the command line of a program is for everybody to see.
_TOLD = _ASKED.replace(
    'seen=$("$python" -I -S -c "$program" PATIENCE "$@" 2>/dev/null </dev/null)',
    """\
seen=$(for word; do put "$word$nl"; done | "$python" -I -S -c "$program" PATIENCE - 2>/dev/null)\
""",
)

_texts: list[str] = []


def program() -> str:
    """Return the text of `_outside`, read once."""
    if not _texts:
        with open(_outside.__file__, encoding="utf-8") as file:
            _texts.append(file.read())
    return _texts[0]


def program_with(path: str) -> str:
    """Return the text of `_outside` with that of a file that goes on where it ends, and answers more kinds.

    What this imports of `_outside` stands in one line, and is there already; as a whole it is called `out`.
    """
    with open(path, encoding="utf-8") as file:
        rows = [row for row in file.read().split("\n") if not row.startswith("from infratest.")]
    first, main, last = program().partition('\nif __name__ == "__main__":')
    return first + "\nout = sys.modules[__name__]\n" + "\n".join(rows) + main + last


def by_python(seconds: float, otherwise: str, text: str = "", secret: bool = False) -> str:
    """Return shell that asks `_outside` about its positional parameters, four for each question.

    Args:
        seconds: each question has. otherwise: shell for a host without python3, with these parameters. text: of another
        program, whose first line is `python3`, too. secret: no parameter may stand in a command line.
    """
    from infratest.quoting import quoted

    asked = (_TOLD if secret else _ASKED).replace("PATIENCE", f"{seconds:g}")
    return f'program={quoted(text or program())}\n{PUT}{ONE_LINE}{asked}\nif ! by_python "$@"; then\n{otherwise}\nfi\n'


def rows(answer: Answer) -> tuple[str, dict[int, tuple[str, str, str]]]:
    """Return what answered, and by its number each line: its outcome, the word behind it, and the rest.

    Raises:
        FactError: it is no such answer.
    """
    first, *others = lines(answer.out) or [""]
    if first not in ("python3", "nc", "bash", "perl", "getent", "traceroute"):
        raise FactError(f"the answer is not understood: {cited(answer.out, 80)}")
    found = {}
    for row in others:
        index, _, rest = row.partition(" ")
        outcome, _, rest = rest.partition(" ")
        took, _, words = rest.partition(" ")
        found[number(index, "an index")] = (outcome, took, unescaped(words))
    return first, found


def seconds(text: str) -> float:
    """Return a number of seconds out of an answer. Raises FactError."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise FactError(f"the answer is not understood: {cited(text, 80)} are no seconds")
    return value
