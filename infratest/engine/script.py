r"""One script for a host: every fact's snippet, each answer in its own frame. Builds the text and reads the bytes.

The script is one brace group for `sh`, so a shell that gets only half of it runs none of it; its text depends on the
questions alone, so that it is made once for all hosts and rounds that are asked the same. Every answer is framed by a
nonce (the script's only argument, fresh for each run, so a banner, a profile's noise or another answer is never taken
for a frame) and a length in bytes; what does not fit exactly is not believed. Standard output and the status of
a snippet come in separate frames because a POSIX shell can keep only one of two streams in a variable without a
temporary file, and a host with a full disk must still be readable.

Each snippet runs under `timeout` where the host has one, so that one that hangs costs its own answer alone.
"""

from __future__ import annotations

import os

from infratest.cleaning import decoded
from infratest.errors import ConnectionLost, DeadlineExceeded, InfratestError
from infratest.facts.base import Answer
from infratest.quoting import quoted
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes of one stream of a user's command that are kept.
COMMAND_LIMIT = 2**20

#: What `timeout` exits with when it had to end the command (coreutils, busybox).
TIMED_OUT = 124

_PROLOGUE = r"""{
nonce=$1
exec 9>&1 </dev/null
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
case ${KSH_VERSION-} in
*MIRBSD*|*LEGACY*) put() { print -rn -- "$1"; } ;;
*) put() { printf %s "$1"; } ;;
esac
if command -v timeout >/dev/null 2>&1; then
  if timeout -k 1 5 true 2>/dev/null; then limited() { timeout -k 1 "$@"; }
  else limited() { timeout "$@"; }; fi
else limited() { shift; "$@"; }; fi
frame() { put "$nonce $1 $2 ${#3}
$3" >&9; }
ask() {
  e=$( { o=$( f$1 2>&3 9>&-; put "
$?" >&3; put x )
    frame out $1 "${o%x}"; } 3>&1 )
  frame end $1 "$e"
}
ask_cut() {
  e=$( { o=$( { f$1 2>&3 9>&-; put "
$?" >&3; } | head -c @LIMIT; put x )
    frame out $1 "${o%x}"; } 3>&1 | tail -c @LIMIT )
  frame end $1 "$e"
}
""".replace("@LIMIT", str(COMMAND_LIMIT + 1))

_EPILOGUE = 'put "$nonce done\n" >&9\nexit 0\n}\n'


class Question(Record):
    """One snippet of a script: how many seconds it may take, and whether its output is cut at COMMAND_LIMIT."""

    snippet: str
    seconds: float
    cut: bool = False


class Script(Record):
    """The text for `sh`, and its argument: the nonce that the frames begin with."""

    text: bytes
    nonce: str
    questions: tuple[Question, ...]


def build(questions: Sequence[Question]) -> Script:
    """Return the script that asks all of these."""
    text = _text(tuple((question.snippet, max(1, round(question.seconds)), question.cut) for question in questions))
    return Script(text, os.urandom(12).hex(), tuple(questions))


#: Texts that were made: all hosts of a run are asked much the same, and a monitor asks the same again and again.
_texts: dict[tuple[tuple[str, int, bool], ...], bytes] = {}
TEXTS_KEPT = 64


def _text(questions: tuple[tuple[str, int, bool], ...]) -> bytes:
    text = _texts.get(questions)
    if text is None:
        if len(_texts) >= TEXTS_KEPT:
            _texts.clear()
        text = _texts[questions] = _written(questions)
    return text


def _written(questions: tuple[tuple[str, int, bool], ...]) -> bytes:
    parts = [_PROLOGUE]
    for index, (snippet, seconds, cut) in enumerate(questions):
        parts.append(f"f{index}() {{ limited {seconds} sh -c {quoted(snippet)}; }}\n")
        parts.append(f"{'ask_cut' if cut else 'ask'} {index}\n")
    parts.append(_EPILOGUE)
    return "".join(parts).encode()


def read(script: Script, data: bytes) -> list[Answer | InfratestError]:
    """Return the answer to each question, or why there is none.

    A frame counts only if it follows the one before to the byte; from the first that does not, nothing is believed.
    """
    found: list[Answer | InfratestError] = [
        ConnectionLost("the host's answer was cut off before this was answered") for _ in script.questions
    ]
    nonce = script.nonce.encode()
    place = data.find(nonce + b" out ")
    outputs: dict[int, bytes] = {}
    while place >= 0 and data.startswith(nonce, place):
        end = data.find(b"\n", place)
        words = data[place:end].split(b" ") if end > 0 else []
        if len(words) != 4 or not words[2].isdigit() or not words[3].isdigit():
            break
        kind, index, length = words[1], int(words[2]), int(words[3])
        body = data[end + 1 : end + 1 + length]
        if len(body) < length or index >= len(found):
            break
        place = end + 1 + length
        if kind == b"out":
            outputs[index] = body
        elif index in outputs:
            found[index] = _answer(script.questions[index], outputs[index], body)
    return found


def _answer(question: Question, out: bytes, err: bytes) -> Answer | InfratestError:
    words, _, status = err.rpartition(b"\n")
    if not status.isdigit():
        return ConnectionLost("the host's answer holds no exit status")
    exit = int(status)
    if exit == TIMED_OUT:
        return DeadlineExceeded(f"it did not answer within {question.seconds:g} s")
    truncated = question.cut and len(out) > COMMAND_LIMIT
    kept = out[:COMMAND_LIMIT] if truncated else out
    return Answer(exit=exit, out=decoded(kept), err=decoded(words), truncated=truncated)
