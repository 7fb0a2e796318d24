r"""One script for a host: every fact's snippet, each answer in its own frame. Builds the text and reads the bytes.

The script is one brace group for `sh`, so a shell that gets only half of it runs none of it; its text depends on the
questions alone, so that it is made once for all hosts and rounds that are asked the same. Every answer is framed by a
nonce (the script's only argument, fresh for each run, so a banner, a profile's noise or another answer is never taken
for a frame) and a length in bytes; what does not fit exactly is not believed. Standard output and the status of
a snippet come in separate frames because a POSIX shell can keep only one of two streams in a variable without a
temporary file, and a host with a full disk must still be readable.

Each snippet runs under `timeout` where the host has one, so that one that hangs costs its own answer alone; what is
longer than its share is cut off and said to be, so that one that floods does too. A user's commands come last: one that
leaves a daemon on its output holds up those behind it.
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

#: Bytes that all answers of a script have together, within what the controller keeps of one (transports/base.py). An
#: answer may take three quarters of what is left, a stream of a user's command a sixth, so none leaves nothing behind.
SCRIPT_LIMIT = 15 * 2**19

#: What `timeout` of coreutils exits with when it had to end the command. Where it had to kill, or is another's
#: (busybox, toybox), which ends one process alone and has its status, the script exits so itself, after ending all.
TIMED_OUT = 124

_PROLOGUE = r"""{
nonce=$1
exec 9>&1 </dev/null
@SETTING
nl='
'
left=@SCRIPT_LIMIT
case ${KSH_VERSION-} in
*MIRBSD*|*LEGACY*) put() { print -rn -- "$1"; } ;;
*) put() { printf %s "$1"; } ;;
esac
uptime() { up=0; { read -r up rest </proc/uptime; } 2>/dev/null; up=${up%%.*}; }
late() {
  uptime
  [ $s -ne 137 ] || [ $((up - began)) -lt $1 ] || s=@TIMED_OUT
  return $s
}
limited() { shift; "$@"; }
if command -v timeout >/dev/null 2>&1; then
  case $(timeout --version 2>&1) in
  *coreutils*) limited() { uptime; began=$up; timeout -k 1 "$@"; s=$?; late $1; } ;;
  *) if command -v setsid >/dev/null 2>&1 && timeout -k 1 -s VTALRM 5 true 2>/dev/null 9>&-; then limited() {
      uptime; began=$up seconds=$1; shift
      timeout -k 1 -s VTALRM $seconds setsid "$@" &
      wait $!; s=$?
      case $s in 137|154) kill -KILL "-$!" 2>/dev/null ;; esac
      [ $s -ne 154 ] || s=@TIMED_OUT
      late $seconds
    }; fi ;;
  esac
fi
frame() { put "$nonce $1 $2 ${#3}$nl$3" >&9; }
ask() {
  room=$((left / 4 * 3))
  e=$( { o=$( f$1 2>&3 3>&- 9>&-; put "$nl$?" >&3; put x ); o=${o%x}
    if [ ${#o} -lt $room ]; then frame out $1 "$o"; put " ${#o}" >&3
    else frame cut $1 ''; put ' 0' >&3; fi; } 3>&1 )
  [ ${#e} -lt $room ] || e="its errors are too many to be told$nl${e##*"$nl"}"
  ended $1
}
ask_cut() {
  room=$((left / 6))
  [ $room -lt @COMMAND_LIMIT ] || room=@COMMAND_LIMIT
  e=$( { o=$( { f$1 2>&3 3>&- 9>&-; put "$nl$?" >&3; put "$nonce"; } | head -c $room; put x ); o=${o%x}
    case $o in *"$nonce") o=${o%"$nonce"}; frame out $1 "$o" ;; *) frame cut $1 "$o" ;; esac
    put " ${#o}" >&3; } 3>&1 | tail -c $room )
  ended $1
}
ended() {
  took=${e##* }
  case $took in ''|*[!0-9]*|0?*|?????????*) took=$room ;; esac
  left=$((left - took - ${#e}))
  frame end $1 "${e% *}"
}
"""
_PROLOGUE = _PROLOGUE.replace("@SCRIPT_LIMIT", str(SCRIPT_LIMIT)).replace("@COMMAND_LIMIT", str(COMMAND_LIMIT))
_PROLOGUE = _PROLOGUE.replace("@TIMED_OUT", str(TIMED_OUT))

_EPILOGUE = 'put "$nonce done\n" >&9\nexit 0\n}\n'


#: What facts are asked in: found wherever an administrator's tools are, in words that do not depend on the host.
_OURS = r"""PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL"""

#: What a user's commands are asked in: as the login has it. Only the framing counts in bytes, which is LC_ALL=C.
_LOGINS = r"""had=${LC_ALL+set} was=${LC_ALL-}
LC_ALL=C
export LC_ALL
as_asked() { if test "$had"; then LC_ALL=$was; else unset LC_ALL; fi 2>/dev/null; }"""


class Question(Record):
    """One snippet of a script: how many seconds it may take, and whether what is too long is cut or not told at all."""

    snippet: str
    seconds: float
    cut: bool = False


class Script(Record):
    """The text for `sh`, and its argument: the nonce that the frames begin with."""

    text: bytes
    nonce: str
    questions: tuple[Question, ...]


def build(questions: Sequence[Question], as_login: bool = False) -> Script:
    """Return the script that asks all of these.

    Args:
        as_login: in the environment that the login has (the transport must not have changed it either), as a command
            finds it that runs alone; else in one that is the same on every host.
    """
    asked = tuple((question.snippet, max(1, round(question.seconds)), question.cut) for question in questions)
    return Script(_text(asked, as_login), os.urandom(12).hex(), tuple(questions))


#: Texts that were made: all hosts of a run are asked much the same, and a monitor asks the same again and again.
_texts: dict[tuple[tuple[tuple[str, int, bool], ...], bool], bytes] = {}
TEXTS_KEPT = 64


def _text(questions: tuple[tuple[str, int, bool], ...], as_login: bool) -> bytes:
    key = (questions, as_login)
    text = _texts.get(key)
    if text is None:
        if len(_texts) >= TEXTS_KEPT:
            _texts.clear()
        text = _texts[key] = _written(questions, as_login)
    return text


def _written(questions: tuple[tuple[str, int, bool], ...], as_login: bool) -> bytes:
    parts = [_PROLOGUE.replace("@SETTING", _LOGINS if as_login else _OURS)]
    asked = "as_asked; " if as_login else ""
    for index, (snippet, seconds, cut) in enumerate(questions):
        parts.append(f"f{index}() {{ {asked}limited {seconds} sh -c {quoted(snippet)}; }}\n")
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
    place = min((at for kind in (b" out ", b" cut ") if (at := data.find(nonce + kind)) >= 0), default=-1)
    outputs: dict[int, tuple[bytes, bool]] = {}
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
        if kind in (b"out", b"cut"):
            outputs[index] = (body, kind == b"cut")
        elif index in outputs:
            found[index] = _answer(script.questions[index], *outputs[index], body)
    return found


def _answer(question: Question, out: bytes, cut: bool, err: bytes) -> Answer | InfratestError:
    words, _, status = err.rpartition(b"\n")
    if not status.isdigit():
        return ConnectionLost("the host's answer holds no exit status")
    exit = int(status)
    if exit == TIMED_OUT:
        return DeadlineExceeded(f"it did not answer within {question.seconds:g} s")
    return Answer(exit=exit, out=decoded(out), err=decoded(words), truncated=cut)
