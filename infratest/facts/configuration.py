"""The fact `configuration`: whether a server's configuration is valid, and what it comes to, as its own program says.
Arguments: the server: sshd, nginx, apache or postfix; of sshd for whom, as `sshd -T -C` has it, where that is meant.

`sshd -T` prints each option with its value, but nothing of Match blocks: these are read from the files that it says it
reads, and each option in one is told beside the others. `nginx -T` prints the files that it reads one after the other:
what is in one that is included stands in the blocks around its `include`. `apachectl -t -D DUMP_RUN_CFG -D
DUMP_MODULES` prints what it would run with, `postconf -x` each parameter of Postfix' main.cf with its value. A
configuration that the program refuses is a value; where the program could not read it all, as without the rights for
it, nothing is known.
"""

from __future__ import annotations

from infratest.cleaning import beginning, decoded, masked
from infratest.errors import FactError, UserError
from infratest.facts._shell import BYTES, ONE_LINE, PUT, lines, number, plain_bytes, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

#: The servers, by the word of a sentence, and the names of their programs, the first that a host has.
PROGRAMS = {
    "sshd": ("sshd",),
    "nginx": ("nginx",),
    "apache": ("apache2ctl", "apachectl", "httpd"),
    "postfix": ("postconf",),
}
WORDS = {"sshd": "-T", "nginx": "-T -q", "apache": "-t -D DUMP_RUN_CFG -D DUMP_MODULES", "postfix": "-x"}
#: Exit statuses of what a signal has ended, which says nothing of a configuration.
ENDED = range(129, 193)

#: What a program says where it could not look; what it refuses it names with a file and a line, or else as root.
UNABLE = (
    "permission denied", "missing privilege separation directory", "operation not permitted",
    "connection test specification", "in test mode specification",
)  # fmt: skip

#: Of whom sshd's Match blocks are about, by the words of sshd(8), `-C`.
WHO = ("user", "host", "addr", "laddr", "lport", "rdomain")
#: What must be said, so that no Match block is left undecided.
NEEDED = ("user", "host", "addr")

#: Before an option of a Match block, where sshd itself prints an option's name.
MARK = "infratest-matched"

#: Bytes of what a program prints that are read.
LIMIT = 2**20

#: What `nginx -T` prints before each file, with its path and a colon behind it.
OF_A_FILE = "# configuration file "
#: So deep, and at so many places in blocks, are files of nginx read that include one another.
DEEPEST, PLACES = 32, 10_000


class Configuration(Record):
    """What a server's program says.

    Args:
        problem: why it refuses its configuration, in its words; empty where it takes it. options: name and value of
        each, in order; of nginx a name with those of the blocks around it, as `server.listen`. matched: of sshd, where
        it is asked for nobody, those that stand in Match blocks, as they are written there.
    """

    problem: str = ""
    options: tuple[tuple[str, str], ...] = ()
    matched: tuple[tuple[str, str], ...] = ()

    def in_words(self) -> str:
        return f"refused: {self.problem}" if self.problem else f"valid, with {len(self.options)} options"

    def of(self, name: str, program: str) -> tuple[str, ...]:
        """Return the values of an option; sshd and Apache know them in small letters, too."""
        if program != "nginx":
            return tuple([value for one, value in self.options if one.lower() == name.lower()])
        return tuple([value for one, value in self.options if one == name or one.endswith(f".{name}")])


def program_of(text: str) -> str:
    """Return a server's word. Raises UserError."""
    if text not in PROGRAMS:
        raise UserError(f'the configuration of "{text}": expected one of {", ".join(PROGRAMS)}')
    return text


def who_of(program: str, text: str) -> str:
    """Return whom a configuration is asked for, as sshd's program takes it. Raises UserError."""
    words = f'the configuration of "{program}" for "{text}"'
    if program != "sshd":
        raise UserError(f"{words}: sshd alone has other options for others")
    parts = [part.strip().partition("=") for part in text.split(",")]
    names = [name for name, _, value in parts if value]
    plain = all(one.isprintable() and not one.isspace() for one in text.replace(", ", ","))
    if not plain or len(set(names)) != len(parts) or not set(NEEDED) <= set(names) <= set(WHO):
        raise UserError(f"{words}: expected user=NAME,host=NAME,addr=ADDRESS, and of {', '.join(WHO[3:])} what matters")
    return ",".join(f"{name}={value}" for name, _, value in parts)


# sshd(8) names each file that it reads at the third level of -d (OpenSSH 8.2 and later), with a carriage return behind
# it; a Match block ends with its file, or with the next one. sshd_config(5) has `=` and quotes between words, too.
MATCHED = r"""
matched() {
  files=$("$1" -T -ddd 2>&1 >/dev/null </dev/null | tr -d '\r' |
    sed -n 's/^debug2: load_server_config: filename //p' | sort -u)
  [ -n "$files" ] || files=$(ls /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null)
  printf '%s\n' "$files" | while IFS= read -r file; do
    [ -n "$file" ] && { sed 's/[[:space:]]#.*//; s/["=]/ /g' "$file" 2>&1 || echo 'Match unread'; } | awk '
      { name = tolower($1) }
      name == "" || name ~ /^#/ { next }
      name == "match" { within = 1; if ($2 == "unread") print "MARK include"; next }
      within { $1 = ""; print "MARK " name $0 }'
  done
}
"""

# Standard output has, for each server, `configuration N`, what it prints by `bytes`, and `.`; standard error `N STATUS
# UID words`. sshd asks to be called by its whole path.
SNIPPET = r"""
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
user=$(id -u)
one() {
  program=
  for name in $2; do
    program=$(command -v "$name") && break
  done
  if [ -z "$program" ]; then
    printf '%s 127 %s %s is not installed on this host\n' "$1" "$user" "${2%% *}" >&2
    printf 'configuration %s\nbytes hex\n.\n' "$1"
    return
  fi
  answer=$( {
    words=$("$program" $3 ${4:+-C "$4"} 2>&1 >&3)
    status=$?
    [ "$2$status$4" != sshd0 ] || matched "$program" >&3
    one_line "$words"
    [ ${#line} -lt 4000 ] || line='its words are too long'
    printf '%s %s %s %s\n' "$1" "$status" "$user" "$line" >&2
  } 3>&1 </dev/null | head -c LIMIT | bytes )
  printf 'configuration %s\n' "$1"
  put "$answer"
  printf '\n.\n'
}
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  one "$n" "$1" "$2" "$3"
  shift 3
done
"""


class ConfigurationFact(LooksForEach):
    """Configurations of servers."""

    encoded = True

    def snippet(self) -> str:
        return ONE_LINE + PUT + BYTES + MATCHED.replace("MARK", MARK) + SNIPPET.replace("LIMIT", str(LIMIT))

    def words(self, argument: Argument) -> tuple[str, ...]:
        program = program_of(argument[0])
        who = who_of(program, argument[1]) if len(argument) > 1 else ""
        return (" ".join(PROGRAMS[program]), WORDS[program], who)

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = iter(lines(self.readable(answer).out))
        answers = {row: plain_bytes(rows) for row in rows}
        ended = {}
        for row in lines(answer.err):
            index, _, rest = row.partition(" ")
            ended[f"configuration {index}"] = rest
        if not answers or not ended:
            raise FactError(f"of {len(arguments)} configurations asked for, none was answered")
        return {
            argument: _read(argument[0], ended[place], answers[place])
            for argument, place in ((argument, f"configuration {index}") for index, argument in enumerate(arguments, 1))
            if place in ended and place in answers
        }


def _read(program: str, row: str, data: bytes) -> Configuration | FactError:
    status, user, words = (*row.split(" ", 2), "", "")[:3]
    exit, said = number(status, "a program's exit status"), masked(unescaped(words).strip())
    if exit in (126, 127):
        return FactError(said or f"{program} could not be run")
    if exit:
        lowered = said.lower()
        refused = user == "0" or "line " in lowered or "[emerg]" in lowered
        if exit in ENDED or not refused or any(each in lowered for each in UNABLE):
            return FactError(f"{program} could not read its configuration: {beginning(said, 300) or f'exit {exit}'}")
        return Configuration(said or f"{program} exited {exit}")
    if len(data) >= LIMIT:
        return FactError(f"{program} prints more than the {LIMIT // 2**20} MiB that are read")
    text = decoded(data)
    options = tuple(READERS[program](text))
    matched = tuple([_name_and_value(value) for name, value in options if name == MARK])
    options = tuple([one for one in options if one[0] != MARK])
    if not options:
        return FactError(f"{program} printed nothing of its configuration: {beginning(said, 300) or 'nothing at all'}")
    return Configuration("", options, matched)


def _name_and_value(row: str) -> tuple[str, str]:
    name, _, value = row.partition(" ")
    return name, value.strip()


def _sshd(text: str) -> Iterator[tuple[str, str]]:
    for row in lines(text):
        name, _, value = row.partition(" ")
        if name:
            yield name, value.strip()


#: Of postconf's own process, another in each answer, and nothing of the configuration (postconf(5), "process_id").
OF_POSTCONF = ("process_id", "process_name")


def _postfix(text: str) -> Iterator[tuple[str, str]]:
    for row in lines(text):
        name, mark, value = row.partition(" =")
        if mark and name not in OF_POSTCONF:
            yield name, value.strip()


def _apache(text: str) -> Iterator[tuple[str, str]]:
    """Give what stands as `Name: "value"`, and each module, ` core_module (static)`, as `core`.

    Mutexes come in an order that differs from one call to the next (a hash table's): in that of their names here.
    """
    for row in _in_order(lines(text)):
        name, colon, value = row.partition(":")
        if row.startswith(" ") and row.rstrip().endswith(("(static)", "(shared)")):
            yield "module", row.split()[0].removesuffix("_module")
        elif colon and value and not row.startswith("AH"):
            value = value.strip()
            yield name.strip(), value[1:-1] if value[:1] == '"' == value[-1:] else value


def _in_order(rows: Sequence[str]) -> Iterator[str]:
    """Give rows as they are, those of mutexes sorted where the first of them stands."""
    mutexes = sorted(row for row in rows if row.startswith("Mutex "))
    for row in rows:
        if not row.startswith("Mutex "):
            yield row
        elif mutexes:
            yield from mutexes
            mutexes = []


def _nginx(text: str) -> Iterator[tuple[str, str]]:
    """Give the directives of `nginx -T`, each with the blocks around it, in its file and where that is included."""
    files: dict[str, list[str]] = {"": []}
    path = ""
    for row in text.split("\n"):
        if row.startswith(OF_A_FILE) and row.endswith(":"):
            path = row[len(OF_A_FILE) : -1]
        files.setdefault(path, []).append(row)
    texts = {path: "\n".join(rows) for path, rows in files.items()}
    told: set[tuple[str, tuple[str, ...]]] = set()
    for path in texts:  # the main one first; what it was not seen to include is told without blocks
        if not any(path == one for one, _ in told):
            yield from _nginx_file(path, (), texts, told, 0)


def _nginx_file(
    path: str, around: tuple[str, ...], texts: Mapping[str, str], told: set[tuple[str, tuple[str, ...]]], depth: int
) -> Iterator[tuple[str, str]]:
    """Give the directives of a file that is included within some blocks, once for each such place."""
    if (path, around) in told:
        return
    told.add((path, around))
    if depth > DEEPEST or len(told) > PLACES:
        raise FactError(f"nginx' files include one another {DEEPEST} deep or at {PLACES} places: more is not read")
    for blocks, words in _directives(texts[path], around):
        yield ".".join([*blocks, words[0]]), " ".join(words[1:])
        if words[0] == "include" and len(words) == 2:
            for included in _included(words[1], texts):
                yield from _nginx_file(included, blocks, texts, told, depth + 1)


def _directives(text: str, around: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Give the words of each directive of a file that ends with a semicolon, and the blocks around it."""
    blocks = list(around)
    words: list[str] = []
    for word in _nginx_words(text):
        if word == "\0{":
            blocks.append(words[0] if words else "")
            words = []
        elif word == "\0}":
            words = []
            if blocks:
                blocks.pop()
        elif word == "\0;":
            if words:
                yield tuple(blocks), words
            words = []
        else:
            words.append(word)


def _included(pattern: str, texts: Mapping[str, str]) -> list[str]:
    """Return which of the files that nginx printed an `include` names; a path is from the main one's folder."""
    from infratest.globs import fits

    folder = next((path for path in texts if path), "").rpartition("/")[0]
    whole = pattern if pattern.startswith("/") else f"{folder}/{pattern}"
    parts = whole.split("/")
    alike = (path for path in texts if path.count("/") == len(parts) - 1)
    return [path for path in alike if all(map(fits, parts, path.split("/")))]


def _nginx_words(text: str) -> Iterator[str]:
    r"""Give the words of a file of nginx, as ngx_conf_read_token does; `\0;`, `\0{` and `\0}` are its own marks."""
    at, end = 0, len(text)
    while at < end:
        one = text[at]
        if one.isspace():
            at += 1
        elif one == "#":
            at = text.find("\n", at)
            at = end if at < 0 else at
        elif one in ";{}":
            yield f"\0{one}"
            at += 1
        else:
            word, at = _nginx_word(text, at, one if one in "\"'" else "")
            yield word


def _nginx_word(text: str, at: int, quote: str) -> tuple[str, int]:
    """Return a word that begins here, and where it ends: in quotes, or before a blank, `;` or `{` but that of `${`."""
    made: list[str] = []
    at += len(quote)
    while at < len(text):
        one = text[at]
        if one == "\\" and at + 1 < len(text):
            following = text[at + 1]
            made.append(following if following in "\"'\\" else one + following)
            at += 2
            continue
        if one == quote if quote else one.isspace() or one == ";" or (one == "{" and made[-1:] != ["$"]):
            return "".join(made), at + len(quote)
        made.append(one)
        at += 1
    return "".join(made), at


READERS = {"sshd": _sshd, "nginx": _nginx, "apache": _apache, "postfix": _postfix}
