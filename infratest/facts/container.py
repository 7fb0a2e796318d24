"""The fact `container`: what an engine of a host, docker or podman, has by a name. Arguments: the kind (container,
image, volume or network), the name; or `variable`, a container, a name in its environment and, to be compared, a value.

The engines' own clients are asked, in JSON (`inspect`), and for no more than sentences say: of a container's
environment, where passwords stand, nothing leaves the host. A value is compared there, in the shell and in no
program's words, and the answer is a word. Both are asked where both are there; what neither has is
not there, and where one could not be asked and the other has it not, it is not known.
"""

from __future__ import annotations

from infratest.errors import FactError, UserError
from infratest.facts._shell import ONE_LINE, lines, number, unescaped
from infratest.facts.base import NO_TOOL, Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

KINDS = ("container", "image", "volume", "network")
VARIABLE = "variable"
#: What is said of a variable: no engine has the container, it is not set, it is set to the value that was asked about,
#: it is set to another (or none was asked about).
NO_CONTAINER, ABSENT, EQUAL, OTHER = "no container", "absent", "equal", "other"

#: Characters that a name, an id or a reference of an image may hold: distribution's reference.go.
CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/:@+")

#: What is asked of each kind, in the templates that both engines have (Go's text/template). By the names that they have
#: in the engines' programs: by those of the JSON (`.Id`) docker says an error where a container has no health check.
TEMPLATES = {
    "container": (
        '{"id":{{json .ID}},"status":{{json .State.Status}},"exit":{{json .State.ExitCode}},'
        '"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}},'
        '"image":{{json .Config.Image}},"image id":{{json .Image}},"restarts":{{json .RestartCount}},'
        '"ports":{{json .NetworkSettings.Ports}},"mounts":{{json .Mounts}},'
        '"networks":{{json .NetworkSettings.Networks}}}'
    ),
    "image": '{"id":{{json .ID}},"tags":{{json .RepoTags}},"digests":{{json .RepoDigests}}}',
    "volume": '{"name":{{json .Name}}}',
    "network": '{"name":{{json .Name}}}',
    # In hexadecimal, so that no value can be taken for a variable of its own.
    VARIABLE: 'env {{range .Config.Env}}{{printf "%x" .}} {{end}}end',
}


class Mounted(Record):
    """What is mounted in a container: where, from which path or volume, and whether it may be written."""

    path: str
    source: str
    volume: str = ""
    writable: bool = True

    def in_words(self) -> str:
        return f"{self.path} from {self.volume or self.source}{'' if self.writable else ', read-only'}"


class Inspected(Record):
    """What an engine has.

    Args:
        engine: docker or podman; empty where no engine has it. status: of a container, in the engine's word: running,
        exited, paused, restarting, created, dead. health: healthy, unhealthy, starting; empty without a check of it.
        image: as it was named when the container was made. image_id: `sha256:...`. ports: `80/tcp`, and where it is
        published on the host as `0.0.0.0:8080`. digests: of an image, as `redis@sha256:...`.
    """

    engine: str = ""
    status: str = ""
    exit: int = 0
    health: str = ""
    image: str = ""
    image_id: str = ""
    restarts: int = 0
    ports: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mounted, ...] = ()
    networks: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()

    def in_words(self) -> str:
        if not self.engine:
            return "not there"
        shown = {"status": self.status, "health": self.health, "image": self.image, "id": self.image_id}
        shown |= {"restarts": str(self.restarts or ""), "networks": " ".join(self.networks)}
        shown |= {"ports": " ".join(f"{place}->{port}" for port, place in self.ports)}
        shown |= {"mounts": "; ".join(one.in_words() for one in self.mounts), "digests": " ".join(self.digests)}
        return "\n".join([f"of {self.engine}", *[f"{name}: {text}" for name, text in shown.items() if text]])


class Variable(Record):
    """What is known of a variable in a container's environment: NO_CONTAINER, ABSENT, EQUAL or OTHER."""

    state: str = NO_CONTAINER

    def in_words(self) -> str:
        words = {ABSENT: "not set", EQUAL: "set to the value that was asked about", OTHER: "set"}
        return words.get(self.state, "the container is not there")


def name_of(text: str, what: str) -> str:
    """Return the name of what an engine has. Raises UserError."""
    if not text or text[0] in "-/" or not set(text) <= CHARACTERS:
        raise UserError(f'the {what} "{text}": expected a name, as cache, or of an image redis:7')
    return text


def variable_of(text: str) -> str:
    """Return the name of an environment's variable. Raises UserError."""
    if not text or "=" in text or "\0" in text:
        raise UserError(f'the environment variable "{text}": expected a name, as MODE')
    return text


SNIPPET = r"""
compared() {
  name=$1 value=$2 words=absent
  shift 2
  [ "${1-}" = env ] || { words=strange; return; }
  shift
  while [ $# -gt 1 ]; do
    case $1 in
      *[!0-9a-f]*) words=strange; return ;;
      "$name"3d"$value") words=equal ;;
      "$name"3d*) words=other ;;
    esac
    shift
  done
  [ "${1-}" = end ] || words=strange
}
set -f
engines=
for engine in docker podman; do
  command -v "$engine" >/dev/null 2>&1 && engines="$engines $engine"
done
[ -n "$engines" ] || { echo 'neither docker nor podman is installed on this host' >&2; exit NO_TOOL; }
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  of=$1
  case $1 in
TEMPLATES
  esac
  for engine in $engines; do
    words=$("$engine" "$of" inspect --format "$template" "$2" 2>&1 </dev/null)
    status=$?
    [ "$1 $status" != 'variable 0' ] || compared "$3" "$4" $words
    one_line "$words"
    printf '%s %s %s %s\n' "$n" "$engine" "$status" "$line"
    [ "$status" -ne 0 ] || break
  done
  shift 4
done
"""


class ContainerFact(LooksForEach):
    """Containers, images, volumes and networks."""

    encoded = True

    def snippet(self) -> str:
        more = {VARIABLE: " of=container"}
        cases = "\n".join(f"    {kind}) template='{t}'{more.get(kind, '')} ;;" for kind, t in TEMPLATES.items())
        return ONE_LINE + SNIPPET.replace("NO_TOOL", str(NO_TOOL)).replace("TEMPLATES", cases)

    def words(self, argument: Argument) -> tuple[str, ...]:
        kind, name, *rest = argument
        if kind == VARIABLE:
            # No digit of a hexadecimal number where no value was asked about: it equals none.
            return (kind, name_of(name, "container"), _hex(variable_of(rest[0])), _hex(rest[1]) if rest[1:] else "-")
        if kind not in KINDS:
            raise UserError(f"{kind!r} is none of {', '.join(KINDS)}")
        return (kind, name_of(name, kind), "", "")

    def described(self, argument: Argument) -> str:
        return " ".join(argument[:3])  # without a variable's value

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        answers: dict[int, list[tuple[str, int, str]]] = {}
        for row in lines(self.readable(answer).out):
            index, engine, status, words = (*row.split(" ", 3), "", "", "")[:4]
            said = (engine, number(status, "an engine's exit status"), unescaped(words))
            answers.setdefault(number(index, "an index"), []).append(said)
        if not answers:
            raise FactError(f"of {len(arguments)} things asked for, none was answered")
        return {
            argument: _inspected(argument, answers[index])
            for index, argument in enumerate(arguments, 1)
            if index in answers
        }


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").hex()


def _inspected(argument: Argument, answers: Sequence[tuple[str, int, str]]) -> Inspected | Variable | FactError:
    kind, name = "container" if argument[0] == VARIABLE else argument[0], argument[1]
    why = ""
    for engine, status, words in answers:
        if status == 0:
            try:
                return _variable(words) if argument[0] == VARIABLE else _of(engine, kind, words)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                return FactError(f"what {engine} says of the {kind} {name} is not understood: {error}")
        if not _is_absence(kind, name, words):
            why = (
                why or f"{engine} could not be asked for the {kind} {name}: {words.strip()[-300:] or f'exit {status}'}"
            )
    if why:
        return FactError(why)
    return Variable() if argument[0] == VARIABLE else Inspected()


def _variable(words: str) -> Variable:
    """Return what the snippet says of a variable. Raises ValueError: the engine's answer was none of an environment."""
    if words not in (ABSENT, EQUAL, OTHER):
        raise ValueError("it is no environment as docker and podman print it")
    return Variable(words)


def _is_absence(kind: str, name: str, words: str) -> bool:
    """Whether an engine says that it has no such thing: docker 20 to 28, podman 3 to 5; not `no such file or host`."""
    said, name = words.lower(), name.lower()
    networks = (f"network {name} not found", f"unable to find network with name or id {name}")
    known = (f"no such {kind}", "no such object", f"{name}: image not known", *networks)
    return any(each in said for each in known)


def _of(engine: str, kind: str, words: str) -> Inspected:
    """Return what is in the JSON that an engine printed. Raises ValueError and the like: it is none that is known."""
    from infratest.json_text import loads

    data = loads(words.strip())
    if kind in ("volume", "network"):
        return Inspected(engine) if data["name"] else Inspected()
    if kind == "image":
        digests = tuple(str(one) for one in data["digests"] or ())
        return Inspected(engine, image=" ".join(data["tags"] or ()), image_id=_id(data["id"]), digests=digests)
    ports = [
        (str(port), f"{place['HostIp']}:{place['HostPort']}") if place else (str(port), "")
        for port, places in (data["ports"] or {}).items()
        for place in places or (None,)
    ]
    mounts = [
        Mounted(str(one["Destination"]), str(one["Source"]), str(one.get("Name") or ""), bool(one["RW"]))
        for one in data["mounts"] or ()
    ]
    networks = tuple(sorted(data["networks"] or {}))
    return Inspected(
        engine, str(data["status"]), int(data["exit"]), str(data["health"] or ""), str(data["image"]),
        _id(data["image id"]), int(data["restarts"]), tuple(sorted(ports)), tuple(mounts), networks,
    )  # fmt: skip


def _id(text: str) -> str:
    """Return an image's id, which podman writes without its kind of checksum."""
    return text if ":" in text else f"sha256:{text}"
