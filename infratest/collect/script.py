r"""One script for a host: every fact's snippet, each answer in its own frame. Builds the text and reads the bytes.

The script is one brace group for `sh`, so a shell that gets only half of it runs none of it; its text depends on the
questions alone, so that it is made once for all hosts and rounds that are asked the same. Every answer is framed by a
nonce (the script's only argument, fresh for each run, so a banner, a profile's noise or another answer is never taken
for a frame) and a length in bytes; what does not fit exactly is not believed. Standard output and the status of
a snippet come in separate frames because a POSIX shell can keep only one of two streams in a variable without a
temporary file, and a host with a full disk must still be readable.

Each snippet runs under `timeout` where the host has one, so that one that hangs costs its own answer alone; what is
longer than its share is cut off and said to be, so that one that floods does too. (A user's command is let run to its
end all the same, whose status is asked about.) A snippet that looks for many things and fails, hangs or floods is run
again for each of them alone, in the last third of its time: its frames are then numbered `3.0`, `3.1` ... Snippets that
wait for others do so at the same time, each in a stage of one pipeline, which prints its own frames and then passes on
those behind it. A user's command is answered when its shell ends, whatever it leaves behind on its output: a mark is
printed behind it, and sed waits for that instead of the end of the stream (busybox's for one line more).
"""

from __future__ import annotations

import os

from infratest.cleaning import decoded, longest_secret
from infratest.errors import ConnectionLost, DeadlineExceeded, InfratestError
from infratest.facts.base import NO_TOOL, Answer
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

#: Seconds that one snippet may take on the host, unless the run's deadline is nearer, or its sentence gives a server
#: longer.
SNIPPET_SECONDS = 10.0

#: Share of its time that a snippet has for all that it looks for together.
TOGETHER = 2 / 3

#: KiB of memory for what waits for the end of a user's command: it holds a whole line, and a line may have no end.
SED_LIMIT = 2**18

#: Stands before the status of a snippet that was ended for its time. Its status alone does not tell that: a user's own
#: `timeout 5 backup` exits 124 as well, after 5 s.
LATE = "late "

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
over=
late() {
  uptime
  case $s in
  124|154) [ $up -gt 0 ] && [ $((up - began)) -lt $1 ] || over='@LATE' ;;
  137) [ $((up - began)) -lt $1 ] || over='@LATE' ;;
  esac
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
      late $seconds
    }; fi ;;
  esac
fi
frame() { put "$nonce $1 $2 ${#3}$nl$3" >&9; }
answer() {
  index=$1 asked=f${1%%.*} room=$((left / 4 * 3)); shift
  e=$( { o=$( $asked "$@" 2>&3 3>&- 9>&-; put "$nl$over$?" >&3; put x ); o=${o%x}
    if [ ${#o} -lt $room ]; then frame out $index "$o"; put " ${#o}" >&3
    else frame cut $index ''; put ' cut' >&3; fi; } 3>&1 )
  [ ${#e} -lt $room ] || e="its errors are too many to be told$nl${e##*"$nl"}"
  ended
}
ask() {
  n=$1 given=$2 time=$3 words=$4; shift 4
  answer $n "$@"
  case $status in 0|@NO_TOOL) return ;; esac
  [ $words -eq 0 ] || [ $# -le $words ] || apart $n $(((given + 2) / 3)) $words "$@"
}
apart() {
  n=$1 time=$((($2 + 1) / 2)) words=$3 part=0
  uptime; until=$((up + $2)); shift 3
  while [ $# -gt 0 ]; do
    case $words in
    1) answer $n.$part "$1" ;;
    2) answer $n.$part "$1" "$2" ;;
    3) answer $n.$part "$1" "$2" "$3" ;;
    *) answer $n.$part "$1" "$2" "$3" "$4" ;;
    esac
    shift $words; part=$((part + 1))
    uptime; [ $up -lt $until ] || return
  done
}
ask_cut() {
  index=$1 time=$2
  room=$((left / 6))
  [ $room -lt @COMMAND_LIMIT ] || room=@COMMAND_LIMIT
  e=$( { o=$( { f$index 2>&3 3>&- 9>&-; put "$nl$over$?" >&3; put "$nonce$nl$nl"; } |
      to_mark | tr '\000' '\377' | { head -c $room; cat >/dev/null; }; put x ); o=${o%x}
    case $o in *"$nonce$nl") o=${o%"$nonce$nl"}; frame out $index "$o" ;; *) frame cut $index "$o" ;; esac
    put " ${#o}$nl$nonce$nl$nl" >&3; } 3>&1 | to_mark | tail -c $room )
  [ ${#e} -lt $((room - 1)) ] || kind=last
  e=${e%"$nl$nonce"}
  ended
}
to_mark() { ulimit -v @SED_LIMIT; sed "/$nonce\$/q"; } 2>/dev/null
ended() {
  took=${e##* } e=${e% *} status=
  case $took in cut) took=0 status=cut ;; ''|*[!0-9]*|0?*|?????????*) took=$room ;; esac
  left=$((left - took - ${#e}))
  frame ${kind:-end} $index "$e"
  kind=
  status=${status:-${e##*"$nl"}}
}
"""
_PROLOGUE = _PROLOGUE.replace("@SCRIPT_LIMIT", str(SCRIPT_LIMIT)).replace("@COMMAND_LIMIT", str(COMMAND_LIMIT))
_PROLOGUE = _PROLOGUE.replace("@LATE", LATE).replace("@NO_TOOL", str(NO_TOOL))
_PROLOGUE = _PROLOGUE.replace("@SED_LIMIT", str(SED_LIMIT))

_EPILOGUE = 'put "$nonce done\n" >&9\nexit 0\n}\n'


#: Variables of a login by which tools answer otherwise: other units, columns, colours, formats, time zones and files.
#: What says where a service is (DOCKER_HOST, http_proxy) or a language's packages (GEM_HOME) is not among them.
CHANGES_ANSWERS = tuple(
    """
    POSIXLY_CORRECT POSIX_ME_HARDER _POSIX2_VERSION UNIX95 CMD_ENV I_WANT_A_BROKEN_PS PS_FORMAT PS_PERSONALITY
    LIBPROC_HIDE_KERNEL BLOCKSIZE BLOCK_SIZE DF_BLOCK_SIZE DU_BLOCK_SIZE LS_BLOCK_SIZE COLUMNS LINES TABSIZE TIME_STYLE
    QUOTING_STYLE LS_COLORS LS_OPTIONS CLICOLOR_FORCE GREP_OPTIONS GREP_COLOR GREP_COLORS TZ TZDIR CDPATH ENV BASH_ENV
    TAR_OPTIONS GZIP BZIP2 XZ_OPT XZ_DEFAULTS AWKPATH AWKLIBPATH DPKG_ROOT DPKG_ADMINDIR DPKG_DEBUG DPKG_COLORS
    APT_CONFIG MODPROBE_OPTIONS XTABLES_LIBDIR XTABLES_LOCKFILE LIBMOUNT_FSTAB LIBMOUNT_MTAB LIBMOUNT_DEBUG
    LIBBLKID_DEBUG LIBSMARTCOLS_DEBUG LSBLK_DEBUG BLKID_FILE BLKID_CONF LVM_SYSTEM_DIR SYSTEMD_COLORS SYSTEMD_URLIFY
    SYSTEMD_PAGER SYSTEMD_LESS SYSTEMD_OFFLINE SYSTEMD_LOG_LEVEL SYSTEMD_LOG_TARGET SYSTEMD_LOG_LOCATION RES_OPTIONS
    LOCALDOMAIN HOSTALIASES PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGOPTIONS PGSERVICE MYSQL_HOST MYSQL_TCP_PORT
    MYSQL_UNIX_PORT
    """.split()
)

#: What facts are asked in: found wherever an administrator's tools are, in words that do not depend on the login.
_OURS = rf"""PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
unset {" ".join(CHANGES_ANSWERS)}"""

#: What a user's commands are asked in: as the login has it. Only the framing counts in bytes, which is LC_ALL=C.
_LOGINS = r"""had=${LC_ALL+set} was=${LC_ALL-}
LC_ALL=C
export LC_ALL
as_asked() { if test "$had"; then LC_ALL=$was; else unset LC_ALL; fi 2>/dev/null; }"""


class Question(Record):
    """One snippet of a script.

    Args:
        seconds: that it may take. cut: whether what is too long is cut or not told at all. parts: the positional
        parameters for each thing that it looks for, where it may be run for each of them alone; as many for each.
        apart: whether it is run for each alone from the start, for an answer for all of them could not be read.
        at_once: whether it waits for others: all of them together may take the whole time, else the last third is for
        each of them alone; and it is asked at the same time as those beside it that do so, too.
    """

    snippet: str
    seconds: float
    cut: bool = False
    parts: tuple[tuple[str, ...], ...] = ()
    apart: bool = False
    at_once: bool = False


class Apart(Record):
    """The answers to a snippet that was run for each of its things alone, or why there is none, in their order."""

    parts: tuple[Answer | InfratestError, ...]


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
    return Script(_text(tuple([_timed(one) for one in questions]), as_login), os.urandom(12).hex(), tuple(questions))


def _timed(question: Question) -> Question:
    """Return the question with a number of seconds that `timeout` of every host reads."""
    if isinstance(question.seconds, int):
        return question
    return question.changed(seconds=max(1, round(question.seconds)))


#: Texts that were made: all hosts of a run are asked much the same, and a monitor asks the same again and again.
_texts: dict[tuple[tuple[Question, ...], bool], bytes] = {}
TEXTS_KEPT = 64


def _text(questions: tuple[Question, ...], as_login: bool) -> bytes:
    key = (questions, as_login)
    text = _texts.get(key)
    if text is None:
        if len(_texts) >= TEXTS_KEPT:
            _texts.clear()
        text = _texts[key] = _written(questions, as_login)
    return text


def _written(questions: tuple[Question, ...], as_login: bool) -> bytes:
    parts = [_PROLOGUE.replace("@SETTING", _LOGINS if as_login else _OURS)]
    asked = "as_asked; " if as_login else ""
    together: list[str] = []
    for index, question in enumerate(questions):
        parts.append(f'f{index}() {{ {asked}limited $time sh -c {quoted(question.snippet)} sh "$@"; }}\n')
        if question.at_once:
            together.append(_line(index, question))
            continue
        parts.append(_together(together))
        together = []
        parts.append(f"{_line(index, question)}\n")
    parts += [_together(together), _EPILOGUE]
    return "".join(parts).encode("utf-8", "surrogateescape")


def _line(index: int, question: Question) -> str:
    """Return what asks a question."""
    if question.cut:
        return f"ask_cut {index} {question.seconds}"
    size = len(question.parts[0]) if question.parts else 0
    words = "".join([f" {quoted(word)}" for part in question.parts for word in part])
    if question.apart:
        return f"apart {index} {question.seconds} {size}{words}"
    shared = len(question.parts) > 1 and not question.at_once
    time = max(1, round(question.seconds * TOGETHER)) if shared else question.seconds
    return f"ask {index} {question.seconds} {time} {size}{words}"


def _together(lines: list[str]) -> str:
    """Return what asks all of these at the same time; together they have half of the room that is left."""
    if len(lines) < 2:
        return "".join([f"{line}\n" for line in lines])
    stages = [f"{{ {line} </dev/null; {'cat; ' if place else ''}}} 9>&1" for place, line in enumerate(reversed(lines))]
    return f"all=$left left=$((left / {2 * len(lines)}))\n{' | '.join(stages)}\nleft=$((all / 2))\n"


def read(script: Script, data: bytes) -> list[Answer | Apart | InfratestError]:
    """Return the answer to each question, or why there is none.

    A frame counts only if it follows the one before to the byte; from the first that does not, nothing is believed.
    """
    found, whole = _framed(script, data)
    return [_answered(question, index, found, whole) for index, question in enumerate(script.questions)]


def _framed(script: Script, data: bytes) -> tuple[dict[bytes, Answer | InfratestError], bool]:
    """Return what is in the frames by their numbers, and whether the last one is there."""
    found: dict[bytes, Answer | InfratestError] = {}
    nonce = script.nonce.encode()
    place = min((at for kind in (b" out ", b" cut ") if (at := data.find(nonce + kind)) >= 0), default=-1)
    outputs: dict[bytes, tuple[bytes, bool]] = {}
    while place >= 0 and data.startswith(nonce, place):
        end = data.find(b"\n", place)
        words = data[place:end].split(b" ") if end > 0 else []
        if len(words) != 4 or not words[3].isdigit():
            return found, words[1:] == [b"done"]
        kind, index, length = words[1], words[2], int(words[3])
        body = data[end + 1 : end + 1 + length]
        if len(body) < length:
            break
        place = end + 1 + length
        if kind in (b"out", b"cut"):
            outputs[index] = (body, kind == b"cut")
        elif index in outputs:
            found[index] = _answer(*outputs[index], body, kind == b"last")
    return found, False


def _answered(
    question: Question, index: int, found: dict[bytes, Answer | InfratestError], whole: bool
) -> Answer | Apart | InfratestError:
    lost = ConnectionLost("the host's answer was cut off before this was answered")
    advice = "give it more with --timeout (-t), or see what it waits for"
    if question.seconds >= SNIPPET_SECONDS:  # more time for the run would give it no more
        advice = "that is as long as one look at a host may take: see what it waits for"
    late = DeadlineExceeded(f"it did not answer within {question.seconds:.3g} s; {advice}")
    alone = [found.get(f"{index}.{part}".encode()) for part in range(len(question.parts))]
    if any(alone):
        return Apart(tuple([_timely(answer or (late if whole else lost), late) for answer in alone]))
    return _timely(found.get(str(index).encode(), lost), late)


#: What stands for the answer of a snippet that was ended for its time, until that is told with the time it had.
_ENDED = DeadlineExceeded("it was ended for its time")


def _timely(answer: Answer | InfratestError, late: DeadlineExceeded) -> Answer | InfratestError:
    return late if answer is _ENDED else answer


def _answer(out: bytes, cut: bool, err: bytes, last: bool) -> Answer | InfratestError:
    words, _, status = err.rpartition(b"\n")
    if status.startswith(LATE.encode()):
        return _ENDED
    if not status.isdigit():
        return ConnectionLost("the host's answer holds no exit status")
    try:
        text, exact = out.decode(), True
    except UnicodeDecodeError:
        text, exact = decoded(out), False
    edge = longest_secret()  # what was cut on the host may end, or its errors begin, within a secret
    text, told = text[: max(0, len(text) - edge)] if cut else text, decoded(words)[edge if last else 0 :]
    return Answer(exit=int(status), out=text, err=told, truncated=cut, exact=exact, err_whole=not last)
