"""The fact `docker-daemon`: how a host's docker daemon runs, and with which rights its containers. It has no argument.

docker's own client is asked, in templates of what sentences say and no more (`docker info`, `docker inspect`), so that
nothing of containers' environments leaves the host. A container that is removed meanwhile is none.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import FactError
from infratest.facts._shell import ONE_LINE, PUT, lines, unescaped, without
from infratest.facts.base import NO_TOOL, Answer, Argument, Fact
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: What of `docker info` is asked: by the names that docker 20 to 28 have in their JSON.
OPTIONS = (
    "ServerVersion", "Driver", "LoggingDriver", "CgroupDriver", "CgroupVersion", "DockerRootDir", "DefaultRuntime",
    "LiveRestoreEnabled", "ExperimentalBuild", "Debug", "IPv4Forwarding", "SecurityOptions",
)  # fmt: skip
#: The words of docker's client where nobody listens at the daemon's socket, or it is gone.
SILENT = ("cannot connect to the docker daemon", "is the docker daemon running")
CONTAINER = (
    '{"name":{{json .Name}},"privileged":{{json .HostConfig.Privileged}},"network":{{json .HostConfig.NetworkMode}},'
    '"pid":{{json .HostConfig.PidMode}},"sources":[{{range .Mounts}}{{json .Source}},{{end}}""]}'
)
SOURCES = r"{{range .Mounts}}{{println .Source}}{{end}}"
#: Of a volume's options, where passwords may stand, the device alone.
VOLUME = r"{{println .Mountpoint}}{{with .Options}}{{with .device}}{{.}}{{end}}{{end}}"


class DockerContainer(Record):
    """A container, running or not: whether it has all rights, whose network and processes it sees, what is mounted.

    Sources are paths of the host, as docker was given them, and as they are without links or behind a volume.
    """

    name: str
    privileged: bool = False
    network: str = ""
    pid: str = ""
    sources: tuple[str, ...] = ()

    def in_words(self) -> str:
        return f"{self.name}{' (privileged)' if self.privileged else ''}"


class DockerDaemon(Record):
    """A daemon.

    Args:
        refused: why it does not answer, in the client's words; empty where it does. options: name and value, in several
        rows where docker has a list.
    """

    refused: str = ""
    options: tuple[tuple[str, str], ...] = ()
    containers: tuple[DockerContainer, ...] = ()

    def in_words(self) -> str:
        if self.refused:
            return f"does not answer: {self.refused}"
        shown = [f"{name}: {value}" for name, value in self.options]
        return "\n".join([*shown, f"containers: {', '.join(one.in_words() for one in self.containers) or 'none'}"])

    def of(self, name: str) -> tuple[str, ...]:
        """Return the values of an option."""
        return tuple([value for one, value in self.options if one == name])


# Lines: `refused WORDS` or `info JSON`; `container JSON` for each, `volume PATH` and `device PATH` of volumes that are
# another path of the host, `source PATH` and `real PATH` where links lead elsewhere, `words WORDS` of what is not told;
# `done`.
SNIPPET = r"""
real() {
  path=$(readlink -f -- "$1") && [ "$path" != "$1" ] || return
  one_line "$1"
  put "source $line$nl"
  one_line "$path"
  put "real $line$nl"
}
command -v docker >/dev/null 2>&1 || { echo 'docker is not installed on this host' >&2; exit NO_TOOL; }
info=$(docker info --format 'INFO' 2>/dev/null)
status=$?
case $status$info in
'0{'*)
  one_line "$info"
  put "info $line$nl"
  words=$( {
    docker ps -aq --no-trunc | xargs -r docker inspect --type container --format 'CONTAINER' |
      while IFS= read -r row; do [ -z "$row" ] || put "container $row$nl"; done >&3
    docker ps -aq --no-trunc | xargs -r docker inspect --type container --format 'SOURCES' | sort -u |
      while IFS= read -r row; do [ -z "$row" ] || real "$row"; done >&3
    docker volume ls -q | xargs -r docker volume inspect --format 'VOLUME' |
      while IFS= read -r row && IFS= read -r device; do
        case $device in /*) ;; *) continue ;; esac
        one_line "$row"
        put "volume $line$nl"
        one_line "$device"
        put "device $line$nl"
        real "$device"
      done >&3
  } 2>&1 )
  one_line "$words"
  put "words $line$nl"
  ;;
*)
  one_line "$(docker version --format '{{.Server.Version}}' 2>&1 | head -c 2000)"
  put "refused $line$nl"
  ;;
esac 3>&1
echo done
"""


class DockerDaemonFact(Fact):
    """Docker's daemon."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        info = ",".join(f'"{name}":{{{{json .{name}}}}}' for name in OPTIONS)
        snippet = SNIPPET.replace("NO_TOOL", str(NO_TOOL)).replace("CONTAINER", CONTAINER)
        snippet = snippet.replace("SOURCES", SOURCES).replace("VOLUME", VOLUME)
        tool = without("readlink", "readlink (coreutils) is not installed on this host")
        return tool + ONE_LINE + PUT + snippet.replace("INFO", f"{{{info}}}")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        if end != "done" or not rows:
            raise FactError(f"the answer about docker's daemon is not understood: {cited(answer.out, 80)}")
        kind, _, words = rows[0].partition(" ")
        if kind == "refused" and len(rows) == 1:
            refusal = beginning(" ".join(unescaped(words).split()), 300)
            if not any(each in refusal.lower() for each in SILENT):
                raise FactError(f"docker does not tell how its daemon is: {refusal or 'no words'}")
            return dict.fromkeys(arguments, DockerDaemon(refusal))
        kind_of_last, _, problem = rows[-1].partition(" ")
        if kind != "info" or len(rows) < 2 or kind_of_last != "words":
            raise FactError(f"the answer about docker's daemon is not understood: {cited(answer.out, 80)}")
        _no_problem(unescaped(problem))
        try:
            others = _others(rows[1:-1])
            containers = tuple([_container(row, others) for row in rows[1:-1] if row.startswith("container ")])
            return dict.fromkeys(arguments, DockerDaemon("", _options(unescaped(words)), containers))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise FactError(f"docker tells what is not understood: {cited(answer.out, 120)}") from None


def _no_problem(words: str) -> None:
    """Raise FactError where words tell of more than of containers that were removed meanwhile."""
    others = [row for row in lines(words) if row.strip() and "no such container" not in row.lower()]
    if others:
        raise FactError(f"docker does not tell all of its containers: {beginning(' '.join(others), 300)}")


def _options(text: str) -> tuple[tuple[str, str], ...]:
    from infratest.json_text import loads

    data = loads(text)
    rows = []
    for name in OPTIONS:
        value = data[name]
        for one in value if isinstance(value, list) else [value]:
            rows.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
    return tuple(rows)


def _others(rows: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return under what other paths of the host a path is: where links lead, and the device of a volume."""
    pairs: list[tuple[str, str]] = []
    first = {"device": "volume", "real": "source"}
    before, path = "", ""
    for row in rows:
        kind, _, words = row.partition(" ")
        if kind in first and before == first[kind]:
            pairs.append((path, unescaped(words)))
        elif kind not in ("container", *first.values()):
            raise ValueError(row)
        before, path = kind, unescaped(words) if kind in first.values() else ""
    to = dict(pairs)
    return {one: (other, to[other]) if other in to else (other,) for one, other in pairs}


def _container(row: str, others: Mapping[str, tuple[str, ...]]) -> DockerContainer:
    from infratest.json_text import loads

    data = loads(row.partition(" ")[2])
    if not isinstance(data["privileged"], bool):
        raise ValueError(row)
    sources = [str(one) for one in data["sources"] if one]
    sources += [other for one in sources for other in others.get(one, ())]
    name, network, pid = (str(data[each]) for each in ("name", "network", "pid"))
    return DockerContainer(name.removeprefix("/"), data["privileged"], network, pid, tuple(dict.fromkeys(sources)))
