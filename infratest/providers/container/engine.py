"""A container engine as a program that answers: docker or podman, by its command. Called by the container provider.

One code path for both; where they differ (`podman` lists as JSON arrays, needs runc where cgroups are hybrid, and
wants its ulimits named) the difference is here. Every call has a deadline and a process group of its own, and its
failure is a ProviderError that holds the engine's own words.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import NotInstalled, ProviderError
from infratest.images.cache import cache_folder
from infratest.local_program import call, follow, shown
from infratest.providers._aside import aside_name
from infratest.providers.base import Resource

log = logging.getLogger(__name__)

DOCKER, PODMAN = "docker", "podman"

#: The label that holds a host's name in its stack.
HOST_LABEL = "infratest.host"

#: What the name of a container ends with that stands aside: its labels it keeps for life.
ASIDE = ".old"

#: Another docker client may come first in PATH; this is where Debian's is.
DISTRIBUTION_DOCKER = "/usr/bin/docker"

#: Seconds that a candidate has to say that it is there.
PROBE = 10.0

#: Podman's own defaults for these are above what a container without CAP_SYS_RESOURCE may set.
PODMAN_LIMITS = {"nofile": (resource.RLIMIT_NOFILE, 1048576), "nproc": (resource.RLIMIT_NPROC, 32768)}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that has answered.

    Args:
        kind: DOCKER or PODMAN. program: the path of its command. environment: variables beside the inherited ones.
        routed: whether the addresses of its networks can be reached from here. version: as it says.
        options: global options, which go before every verb. place: what makes it another one than others: its id, or
        where it keeps containers.
    """

    kind: str
    program: str
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    routed: bool = True
    version: str = ""
    place: str = ""

    def whereabouts(self, deadline: Deadline) -> str:
        """Return where it is and who, in words: hosts that it made are known to no other engine."""
        return f"{self.kind} at {self._address(deadline)}{self.place}"

    def _address(self, deadline: Deadline) -> str:
        if self.kind == PODMAN:
            return os.environ.get("CONTAINER_HOST", "")
        address = self.environment.get("DOCKER_HOST") or os.environ.get("DOCKER_HOST", "")
        # Which context is used, and what it means, docker itself knows best (DOCKER_CONTEXT, `docker context use`).
        form = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
        return clean(address or self.run(form, deadline).strip(), 200)

    def same_engine(self, other: Engine) -> bool:
        """Whether both speak to one engine, by whatever program."""
        return (self.kind, dict(self.environment)) == (other.kind, dict(other.environment))

    def run(self, arguments: Sequence[str], deadline: Deadline, stdin: bytes = b"") -> str:
        """Run a verb of the engine and return its standard output.

        Raises:
            ProviderError: it failed, or did not end before the deadline.
        """
        status, out, err = self.answer(arguments, deadline, stdin)
        if status != 0:
            raise ProviderError(f"{self.kind} could not do `{shown(arguments)}`: {_words(err) or f'exit {status}'}")
        return out

    def answer(self, arguments: Sequence[str], deadline: Deadline, stdin: bytes = b"") -> tuple[int, str, str]:
        """Run a verb and return its status and both streams. Raises ProviderError at the deadline."""
        return call([self.program, *self.options, *arguments], deadline, stdin, self.environment)

    def follow(self, arguments: Sequence[str], deadline: Deadline) -> tuple[int, list[str]]:
        """Run a verb that takes long, its output shown on -v as it comes; return its status and its last lines."""
        words = [self.program, *self.options, *arguments]
        return follow(words, deadline, lambda line: log.info("%s: %s", self.kind, line), self.environment)

    def inspect(self, names: Sequence[str], deadline: Deadline) -> list[dict[str, Any]]:
        """Return what the engine knows of these containers, in one call; those that do not exist are left out."""
        if not names:
            return []
        status, out, err = self.answer(["container", "inspect", *names], deadline)
        strange = [line for line in err.splitlines() if line.strip() and "no such" not in line.lower()]
        if status != 0 and strange:
            raise ProviderError(f"{self.kind} could not look at its containers: {_words(err)}")
        found: list[dict[str, Any]] = json.loads(out or "[]")
        return found

    def logs(self, name: str, lines: int, deadline: Deadline) -> str:
        """Return the last lines that a container's processes have printed, of both streams."""
        status, out, err = self.answer(["logs", "--tail", str(lines), name], deadline)
        if status != 0:
            raise ProviderError(f"{self.kind} has no log of {name[:12]}: {_words(err) or f'exit {status}'}")
        return out + err

    def exists(self, what: str, name: str, deadline: Deadline) -> bool:
        """Say whether an `image` or `network` of this name is there."""
        return self.answer([what, "inspect", name], deadline)[0] == 0

    def holds(self, container: str, path: str, deadline: Deadline) -> bool:
        """Say whether a container, running or not, has a file, folder or link of this path."""
        status, _, err = self.answer(["cp", f"{container}:{path}", "-"], deadline)
        words = err.lower()
        if status != 0 and not ("could not" in words and "find" in words) and "no such" not in words:
            raise ProviderError(f"{self.kind} could not look for {path} in {container}: {_words(err)}")
        return status == 0

    def network_id(self, name: str, deadline: Deadline) -> str:
        """Return a network's id as `listed` has it (`network create` of podman answers with the name)."""
        return self.run(["network", "inspect", "--format", "{{.ID}}", name], deadline).strip()

    def subnets(self, network: str, deadline: Deadline) -> list[str]:
        """Return the address ranges of a network."""
        found = json.loads(self.run(["network", "inspect", network], deadline))
        if self.kind == PODMAN:
            return [str(item["subnet"]) for item in found[0].get("subnets") or ()]
        return [str(item["Subnet"]) for item in (found[0].get("IPAM") or {}).get("Config") or ()]

    def labels_of(self, network: str, label: str, deadline: Deadline) -> list[str]:
        """Return the values that a label has on the containers of a network, running or not."""
        verb = ["ps", "--all", "--filter", f"network={network}"]
        if self.kind == PODMAN:
            found = json.loads(self.run([*verb, "--format", "json"], deadline) or "[]")
            values = [(item.get("Labels") or {}).get(label, "") for item in found]
        else:
            values = self.run([*verb, "--format", f'{{{{.Label "{label}"}}}}'], deadline).splitlines()
        return [value for value in values if value]

    def names_in(self, network: str, deadline: Deadline) -> list[str]:
        """Return the names of the containers in a network."""
        verb = ["ps", "--all", "--filter", f"network={network}", "--format", "{{.Names}}"]
        return sorted(line.strip() for line in self.run(verb, deadline).splitlines() if line.strip())

    def listed(self, kind: str, label: str, wanted: Sequence[str], deadline: Deadline) -> list[Resource]:
        """Return the containers (`host`) or networks (`network`) that carry a label, with these of their labels."""
        verb = {"host": ["ps", "--all", "--no-trunc"], "network": ["network", "ls", "--no-trunc"]}[kind]
        if self.kind == PODMAN:
            answer = self.run([*_without_no_trunc(verb), "--filter", f"label={label}", "--format", "json"], deadline)
            return [_from_podman(kind, item, wanted) for item in json.loads(answer or "[]")]
        name = "{{json .Names}}" if kind == "host" else "{{json .Name}}"
        labels = ",".join(f'"{key}":{{{{json (.Label "{key}")}}}}' for key in wanted)
        form = f'{{"id":{{{{json .ID}}}},"name":{name},"labels":{{{labels}}}}}'
        lines = self.run([*verb, "--filter", f"label={label}", "--format", form], deadline).splitlines()
        return [_from_docker(kind, json.loads(line)) for line in lines if line]

    def remove(self, arguments: Sequence[str], deadline: Deadline) -> None:
        """Run a removing verb; that the thing is gone already, or is going just now, is fine."""
        status, _, err = self.answer(arguments, deadline)
        words = err.lower()
        if status != 0 and not any(text in words for text in ("no such", "not found", "is already in progress")):
            raise ProviderError(f"{self.kind} could not do `{shown(arguments)}`: {_words(err)}")

    def system_options(self) -> list[str]:
        """Return what `create` needs so that systemd can be PID 1 (CAP_SYS_ADMIN, not --privileged: it mounts its
        own cgroup2 tree, in a cgroup namespace of its own), and a firewall have rules in its own network."""
        options = ["--cgroupns", "private", "--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"]
        options += ["--security-opt", "seccomp=unconfined"]
        options += ["--security-opt", "apparmor=unconfined", "--security-opt", "label=disable"]
        options += ["--tmpfs", "/run", "--tmpfs", "/run/lock"]
        if self.kind == PODMAN:
            options.append("--systemd=false")
        return options + self.limit_options()

    def limit_options(self) -> list[str]:
        """Return what any container needs where this machine's own limits cannot be raised."""
        options: list[str] = []
        if self.kind == PODMAN:
            for name, (limit, most) in PODMAN_LIMITS.items():
                hard = resource.getrlimit(limit)[1]
                value = most if hard == resource.RLIM_INFINITY else min(hard, most)
                options += ["--ulimit", f"{name}={value}:{value}"]
        return options


def find(wanted: str, deadline: Deadline) -> Engine:
    """Return the first engine that answers.

    Args:
        wanted: `auto`, `docker` or `podman`.
    Raises:
        ProviderError: none does; the message says what each one answered. NotInstalled: there is no command of one.
    """
    refusals: dict[str, list[str]] = {}  # what was answered -> by which programs
    silent: list[Engine] = []
    for candidate in candidates(wanted):
        if any(candidate.same_engine(one) for one in silent):
            continue  # another client of an engine that has just not answered
        limit = deadline.at_most(PROBE)
        try:
            return probe(candidate, limit)
        except ProviderError as error:
            refusals.setdefault(str(error), []).append(candidate.program)
            silent += [candidate] if limit.passed else []
    tried = "; ".join(f"{' and '.join(programs)}{words}" for words, programs in refusals.items())
    tried = tried or f"no {'docker or podman' if wanted == 'auto' else wanted} command is in PATH"
    kind = ProviderError if refusals else NotInstalled
    raise kind(
        f"no container engine is usable ({tried}); install one (on Debian `apt-get install docker.io`), start it, "
        "or name it with DOCKER_HOST"
    )


def candidates(wanted: str) -> list[Engine]:
    """Return the engines that could be here, the likeliest first; nothing is run."""
    found: list[Engine] = []
    if wanted != PODMAN:
        programs = dict.fromkeys(path for path in (shutil.which(DOCKER), shutil.which(DISTRIBUTION_DOCKER)) if path)
        found += [Engine(kind=DOCKER, program=program) for program in programs]
        own = cache_folder() / "engine" / "docker.sock"
        if "DOCKER_HOST" not in os.environ and own.exists():
            given = {"DOCKER_HOST": f"unix://{own}"}
            found += [Engine(kind=DOCKER, program=program, environment=given) for program in programs]
    podman = shutil.which(PODMAN) if wanted != DOCKER else None
    # Who names docker's socket means that engine: where it does not answer, a stack must not be looked for in another.
    named = wanted not in (DOCKER, PODMAN) and found and os.environ.get("DOCKER_HOST")
    if podman and not named:
        # crun, podman's first choice, refuses the hybrid cgroups that runc copes with.
        options = ("--runtime", "runc") if shutil.which("runc") else ()
        found.append(Engine(kind=PODMAN, program=podman, options=options))
    return found


def probe(candidate: Engine, deadline: Deadline) -> Engine:
    """Return the candidate with what it says about itself.

    Raises:
        ProviderError: it does not answer, or is on another machine; the words go behind the program's name.
    """
    address = candidate.environment.get("DOCKER_HOST") or os.environ.get("DOCKER_HOST", "")
    if candidate.kind == DOCKER and address.startswith(("ssh://", "tcp://")):
        raise ProviderError(f": DOCKER_HOST={address}: a remote engine is not in this version")
    where = f" at {address}" if address else ""
    try:
        status, out, err = candidate.answer(["info", "--format", "{{json .}}"], deadline)
    except ProviderError as error:
        raise ProviderError(f"{where}: {error}") from None
    try:
        info: dict[str, Any] = json.loads(out)
    except ValueError:
        info = {}
    server = info.get("ServerVersion") or info.get("version")
    if status != 0 or not server:
        told = " ".join(info.get("ServerErrors") or ())  # older clients answer in JSON that nobody answers
        raise ProviderError(f"{where}: {_words(err) or _words(told) or clean(out, 200) or f'exit {status}'}")
    if candidate.kind == DOCKER:
        rootless = any("rootless" in option for option in info.get("SecurityOptions") or ())
        apart = rootless or "Docker Desktop" in str(info.get("OperatingSystem"))
        version, place = str(server), f", id {clean(str(info.get('ID', '')), 80)}"
    else:
        host = info.get("host") or {}
        apart = bool((host.get("security") or {}).get("rootless"))
        version = str(server.get("Version", "")) if isinstance(server, dict) else str(server)
        place = clean(str((info.get("store") or {}).get("graphRoot", "")), 200)
    return Engine(
        kind=candidate.kind,
        program=candidate.program,
        environment=candidate.environment,
        options=candidate.options,
        routed=not apart and sys.platform == "linux",
        version=version,
        place=place,
    )


def _words(err: str) -> str:
    """The engine's own words: its last lines, without the client's prefixes and its advice to read the help."""
    lines = [line for line in err.strip().splitlines() if line.strip() and "--help" not in line]
    text = " ".join(lines[-3:])
    for prefix in ("Error response from daemon: ", "docker: ", "Error: "):
        text = text.replace(prefix, "")
    return clean(text)


def _without_no_trunc(verb: Sequence[str]) -> list[str]:
    return [word for word in verb if not (word == "--no-trunc" and verb[0] == "network")]


def _from_docker(kind: str, item: Mapping[str, Any]) -> Resource:
    return _resource(kind, item["id"], item["name"], item["labels"])


def _from_podman(kind: str, item: Mapping[str, Any], wanted: Sequence[str]) -> Resource:
    given = item.get("Labels") or item.get("labels") or {}
    names = item.get("Names") or [item.get("name") or item.get("Name")]
    identity = item.get("Id") or item.get("id") or item.get("ID")
    return _resource(kind, str(identity), str(names[0]), {key: given.get(key, "") for key in wanted})


def _resource(kind: str, identity: str, name: str, labels: Mapping[str, str]) -> Resource:
    """A host is known by its name in the stack, which is a label; a network has no such label."""
    host = labels.get(HOST_LABEL, "")
    if host and name.endswith(ASIDE):
        host = aside_name(host)
    kept = {key: value for key, value in labels.items() if key != HOST_LABEL or host}
    return Resource(kind=kind, id=identity, name=host or name, labels=kept)
