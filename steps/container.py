"""What can be said of containers, images, volumes and networks that docker or podman has on a host.

Of a container that is not there nothing can be said but that: neither a claim nor its negation is met.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen, in_quotes
from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.container import Inspected, Variable

#: Characters of an engine's words in a reason.
SHOWN = 200


class _OfEngine(Check):
    kind: ClassVar[str] = "container"

    name: str

    def __post_init__(self) -> None:
        from infratest.facts.container import name_of

        name_of(self.name, self.kind)

    @derived
    def asked(self) -> Need[Inspected]:
        return Need("container", (self.kind, self.name))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f"the {self.kind} {in_quotes(self.name)}"

    def observe(self, facts: FactValues) -> Seen:
        inspected = facts[self.asked]
        if not inspected.engine:
            return Seen(holds=False, saw=f"{self.subject} does not exist", absent=True)
        return self.look(inspected)

    @abstractmethod
    def look(self, inspected: Inspected) -> Seen:
        """Return what is seen in what the engine says of it."""


class _Exists(_OfEngine):
    def observe(self, facts: FactValues) -> Seen:
        seen = super().observe(facts)
        return seen.changed(absent=False)

    def look(self, inspected: Inspected) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists, of {inspected.engine}")


@check(
    'the container "{name}" exists',
    negation='the container "{name}" does not exist',
    example='the container "cache" exists',
)
class ContainerExists(_Exists):
    """An engine of the host has the container, running or not."""


@check(
    'the image "{name}" exists',
    negation='the image "{name}" does not exist',
    example='the image "redis:7" exists',
)
class ImageExists(_Exists):
    """An engine of the host has the image by this name, tag (without one: latest) or digest."""

    kind = "image"


@check(
    'the volume "{name}" exists',
    negation='the volume "{name}" does not exist',
    example='the volume "data" exists',
)
class VolumeExists(_Exists):
    """An engine of the host has the volume."""

    kind = "volume"


@check(
    'the container network "{name}" exists',
    negation='the container network "{name}" does not exist',
    example='the container network "backend" exists',
)
class NetworkExists(_Exists):
    """An engine of the host has the network."""

    kind = "network"


@check(
    'the container "{name}" is running',
    negation='the container "{name}" is not running',
    example='the container "cache" is running',
)
class ContainerRunning(_OfEngine):
    """Its processes run; paused, restarting again and again, and exited are not running."""

    def look(self, inspected: Inspected) -> Seen:
        code = f" with {inspected.exit}" if inspected.status == "exited" else ""
        return Seen(inspected.status == "running", f"{self.subject} is {clean(inspected.status, SHOWN)}{code}")


@check(
    'the container "{name}" is healthy',
    negation='the container "{name}" is not healthy',
    example='the container "cache" is healthy',
)
class ContainerHealthy(_OfEngine):
    """Its own health check says so; of one without a check nothing is said, and one that is starting is not yet."""

    def look(self, inspected: Inspected) -> Seen:
        if not inspected.health or inspected.health == "none":
            return Seen(holds=False, saw=f"{self.subject} has no health check", absent=True)
        if inspected.status != "running":
            return Seen(holds=False, saw=f"{self.subject} is {clean(inspected.status, SHOWN)}")
        return Seen(inspected.health == "healthy", f"{self.subject} is {clean(inspected.health, SHOWN)}")


@check(
    'the container "{name}" runs the image "{image}"',
    negation='the container "{name}" does not run the image "{image}"',
    example='the container "cache" runs the image "redis:7"',
)
class ContainerImage(_OfEngine):
    """It was made from this image, by its name and tag (without one: latest), its digest, or its id (`sha256:...`)."""

    image: str

    def __post_init__(self) -> None:
        from infratest.facts.container import name_of

        super().__post_init__()
        name_of(self.image, "image")

    def look(self, inspected: Inspected) -> Seen:
        names = (inspected.image_id, _reference(inspected.image))
        words = f"{self.subject} has the image {clean(inspected.image, SHOWN)} ({clean(inspected.image_id, SHOWN)})"
        return Seen(holds=_reference(self.image) in names or self.image in names, saw=words)


@check(
    'the container "{name}" was restarted {bound:count} times',
    example='the container "cache" was restarted at most 3 times',
)
class ContainerRestarts(_OfEngine):
    """How often the engine started it again by its restart policy since it was made or started by hand."""

    def look(self, inspected: Inspected) -> Seen:
        return Seen(True, f"{self.subject} was restarted {inspected.restarts} times", inspected.restarts)

    def measure(self) -> Measure:
        return Measure(label=f"container {self.name} restarts", minimum=0)


@check(
    'the container "{name}" publishes port {port:word}[ at "{place}"]',
    negation='the container "{name}" does not publish port {port:word}[ at "{place}"]',
    example='the container "cache" publishes port 6379 at "127.0.0.1:6379"',
)
class ContainerPort(_OfEngine):
    """A port of the container (TCP, or as `53/udp`) is a port of the host: any, this one, or `ADDRESS:PORT`."""

    port: str
    place: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        number, _, protocol = self.port.partition("/")
        if not (number.isascii() and number.isdigit()) or protocol not in ("", "tcp", "udp", "sctp"):
            raise UserError(f"port {self.port}: expected a number, as 6379 or 53/udp")

    def look(self, inspected: Inspected) -> Seen:
        port = self.port if "/" in self.port else f"{self.port}/tcp"
        places = [place for one, place in inspected.ports if one == port and place]
        words = f"at {clean(', '.join(places), SHOWN)}" if places else "nowhere"
        ours = [each for each in places if self.place in ("", each, each.rpartition(":")[2])]
        return Seen(holds=bool(ours), saw=f"{self.subject} publishes port {port} {words}")


@check(
    'the container "{name}" has "{path}" mounted[ from "{source}"]',
    negation='the container "{name}" does not have "{path}" mounted[ from "{source}"]',
    example='the container "cache" has "/data" mounted from "cache-data"',
)
class ContainerMount(_OfEngine):
    """Something is mounted at this path of the container: anything, this path of the host, or this volume.

    The path of the host is the one that the engine was given, by whichever links it leads on: `a container has "/srv"
    of the host mounted` follows them.
    """

    path: str
    source: str = ""

    def look(self, inspected: Inspected) -> Seen:
        mounts = [one for one in inspected.mounts if one.path.rstrip("/") == self.path.rstrip("/")]
        listed = "; ".join([one.in_words() for one in inspected.mounts])
        ours = [one for one in mounts if self.source in ("", one.volume, one.source)]
        return Seen(holds=bool(ours), saw=f"{self.subject} has mounted: {clean(listed, SHOWN) or 'nothing'}")


@check(
    'the container "{name}" is in the network "{network}"',
    negation='the container "{name}" is not in the network "{network}"',
    example='the container "cache" is in the network "backend"',
)
class ContainerNetwork(_OfEngine):
    """It is connected to this network of the engine."""

    network: str

    def look(self, inspected: Inspected) -> Seen:
        listed = clean(", ".join(inspected.networks), SHOWN) or "none"
        return Seen(self.network in inspected.networks, f"{self.subject} is in the networks: {listed}")


class _OfVariable(Check):
    name: str
    variable: str

    def __post_init__(self) -> None:
        from infratest.facts.container import name_of, variable_of

        name_of(self.name, "container")
        variable_of(self.variable)

    @derived
    def asked(self) -> Need[Variable]:
        return Need("container", ("variable", self.name, self.variable))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        variable, subject = facts[self.asked], f"the container {in_quotes(self.name)}"
        if variable.state == "no container":
            return Seen(holds=False, saw=f"{subject} does not exist", absent=True)
        has = "has no" if variable.state == "absent" else "has the"
        return self.look(variable.state, f"{subject} {has} environment variable {in_quotes(self.variable)}")

    @abstractmethod
    def look(self, state: str, words: str) -> Seen:
        """Return what is seen in what is known of the variable, which these words say."""


@check(
    'the container "{name}" has the environment variable "{variable}"',
    negation='the container "{name}" does not have the environment variable "{variable}"',
    example='the container "cache" has the environment variable "MODE"',
)
class ContainerVariable(_OfVariable):
    """It was made with this variable, whatever its value, an empty one too; what its processes set is not seen."""

    def look(self, state: str, words: str) -> Seen:
        return Seen(holds=state != "absent", saw=words)


@check(
    'the container "{name}" has the environment variable "{variable}" equal to "{value}"',
    negation='the container "{name}" has the environment variable "{variable}" not equal to "{value}"',
    example='the container "cache" has the environment variable "MODE" equal to "prod"',
)
class ContainerVariableValue(_OfVariable):
    """It was made with this variable and value; the host compares, and what the value is instead is never told.

    A password is that of a secret parameter, `{param.db_password}`. Of a variable that is not set neither is met.
    """

    value: str

    @derived
    def asked(self) -> Need[Variable]:
        return Need("container", ("variable", self.name, self.variable, self.value))

    def look(self, state: str, words: str) -> Seen:
        value = {"equal": ", equal to that value", "other": ", not equal to that value"}.get(state, "")
        return Seen(holds=state == "equal", saw=words + value, absent=state == "absent")


@check(
    'the image "{name}" has the digest "{digest}"',
    negation='the image "{name}" does not have the digest "{digest}"',
    example='the image "redis:7" has the digest "sha256:0e66b6a3..."',
)
class ImageDigest(_OfEngine):
    """What a registry has it by (`sha256:...`), or its own id; one that was never pushed has its id alone."""

    kind = "image"

    digest: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.digest.startswith("sha256:"):
            raise UserError(f'the image "{self.name}" has the digest "{self.digest}": expected sha256:...')

    def look(self, inspected: Inspected) -> Seen:
        digests = [one.rpartition("@")[2] for one in inspected.digests]
        words = f"{self.subject} has the id {clean(inspected.image_id, SHOWN)} and the digests: "
        listed = clean(", ".join(digests), SHOWN) or "none"
        return Seen(self.digest in (inspected.image_id, *digests), words + listed)


def _reference(image: str) -> str:
    """Return an image's name written always alike: without docker's own registry, with a tag."""
    for start in ("docker.io/library/", "docker.io/"):
        image = image.removeprefix(start)
    return image if "@" in image or ":" in image.rpartition("/")[2] else f"{image}:latest"
