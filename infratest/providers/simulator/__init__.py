"""A cloud that is simulated: no machine is made. For trying out stacks and heals, and infratest where all goes wrong.

Its API is slow, forgets, loses replies, refuses, and has servers that fail; what does so and how often is said in the
stack file, and drawn from a seed. Its time is its own: waiting takes none. Its world is a folder (`world`), which
another process finds as it was. Hosts answer by the transport `fake`. Loaded by name for `provider: simulator`.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal, TypeVar

from infratest.clock import REAL
from infratest.deadline import Deadline
from infratest.diagnosis import Finding
from infratest.errors import ProviderError
from infratest.hosts import FAILED, GONE, PAUSED, RUNNING, STARTING, STOPPED, Host
from infratest.providers._component import ComponentSpec
from infratest.providers._scripted import TRANSPORT, answering, silent
from infratest.providers._settling import Settling
from infratest.providers.base import (
    Console,
    Context,
    HostSpec,
    Lease,
    Made,
    Provider,
    Request,
    Resource,
    Snapshot,
    transport_of,
)
from infratest.providers.simulator import world as states
from infratest.providers.simulator.clock import VirtualClock
from infratest.providers.simulator.cloud import (
    HOST,
    NETWORK,
    Busy,
    Cloud,
    InUse,
    Laws,
    NotThere,
    Refused,
    ReplyLost,
    kept,
)
from infratest.providers.simulator.faults import of_calls, of_servers
from infratest.providers.simulator.world import Item, World

T = TypeVar("T")

STATES = {
    states.BUILDING: STARTING, states.RUNNING: RUNNING, states.STOPPED: STOPPED, states.PAUSED: PAUSED,
    states.ERROR: FAILED, states.DELETING: GONE, states.DELETED: GONE,
}  # fmt: skip
FIRST_PAUSE, LAST_PAUSE = 0.5, 8.0  # seconds between two tries of a call that was refused for the moment
LOOK_EVERY = 1.0  # seconds between two looks at one that goes
OF_CALLS = ("refuse", "throttle", "unavailable", "lose")
OF_SERVERS = ("error", "zombie", "vanish", "forget")


def _of_calls(words: str) -> dict[str, Any]:
    return {
        "description": f"{words}: entries [first] [CHANCE %] [CALL [NAME]], as `5 %`, `create`, `first create web-*`; "
        "calls are create, destroy, look, list, halt, start, suspend, reboot, rename, snapshot, console and fit"
    }


def _of_servers(words: str) -> dict[str, Any]:
    return {"description": f"{words}: entries [first] [CHANCE %] [NAME], as `10 %`, `web-2`, `first web-*`"}


def _time(words: str) -> dict[str, Any]:
    return {"dimension": "time", "description": words}


@dataclass(frozen=True)
class Options:
    """How the simulated cloud behaves, and where its world is."""

    world: str = field(
        default="",
        metadata={
            "description": "folder of the cloud; stacks that name the same one share it (default: in the state "
            "directory)"
        },
    )
    clock: Literal["virtual", "real"] = field(
        default="virtual", metadata={"description": "virtual: waiting takes no time; real: the machine's clock"}
    )
    seed: int = field(default=0, metadata={"description": "what all chances and times are drawn from"})
    latency: float = field(default=0.3, metadata=_time("time that a call takes (default: 300ms)"))
    pending: float = field(default=5.0, metadata=_time("time from create to a running server (default: 5s)"))
    boot: float = field(default=15.0, metadata=_time("time from then to its first answer (default: 15s)"))
    removing: float = field(default=2.0, metadata=_time("time that a removal takes (default: 2s)"))
    spread: float = field(
        default=0.0,
        metadata={
            "description": "how far these times vary: each is the median of a log-normal distribution of this sigma"
        },
    )
    lag: float = field(
        default=0.0,
        metadata=_time("time that a listing may lag behind, and may forget a server for (default: 0s)"),
    )
    quota: int = field(
        default=0, metadata={"low": 0, "description": "servers that there may be at once (0: any number)"}
    )
    pool: int = field(
        default=0, metadata={"low": 0, "description": "addresses that there may be at once (0: any number)"}
    )
    limit: int = field(
        default=0, metadata={"low": 0, "description": "calls a second, beyond which it answers 429 (0: none)"}
    )
    refuse: tuple[str, ...] = field(default=(), metadata=_of_calls("calls that are refused for good"))
    throttle: tuple[str, ...] = field(default=(), metadata=_of_calls("calls that are answered 429"))
    unavailable: tuple[str, ...] = field(default=(), metadata=_of_calls("calls that are answered 503"))
    lose: tuple[str, ...] = field(default=(), metadata=_of_calls("calls that are done and whose reply is lost"))
    error: tuple[str, ...] = field(default=(), metadata=_of_servers("servers that end in error"))
    zombie: tuple[str, ...] = field(
        default=(), metadata=_of_servers("servers that are still there after they were removed, once")
    )
    vanish: tuple[str, ...] = field(
        default=(), metadata=_of_servers("servers that somebody else removes within a minute after they booted")
    )
    forget: tuple[str, ...] = field(
        default=(), metadata=_of_servers("servers that a listing forgets for a while, at most `lag`")
    )
    transport: Mapping[str, Any] = field(default_factory=dict, metadata={"description": TRANSPORT})


@dataclass(frozen=True, kw_only=True)
class HostOptions(Made):
    """Options of a simulated host: it looks at none of them, so that stacks of others may be tried with it."""


class Simulator(Provider):
    """Calls the API of the simulated cloud as the provider of a real one would."""

    options: Options
    COMPONENTS: ClassVar = ("address", "firewall", "keypair")

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__(options, context)
        folder = context.folder / options.world if options.world else context.state / "simulator"
        self.clock = VirtualClock(REAL.time()) if options.clock == "virtual" else REAL
        self.settles = options.lag
        faults = {each: of_calls(each, getattr(options, each)) for each in OF_CALLS}
        faults |= {each: of_servers(each, getattr(options, each)) for each in OF_SERVERS}
        laws = Laws(
            seed=options.seed, latency=options.latency, spread=options.spread, pending=options.pending,
            boot=options.boot, removing=options.removing, lag=options.lag, quota=options.quota, pool=options.pool,
            limit=options.limit, faults=faults,
        )  # fmt: skip
        self.cloud = Cloud(World(folder, self.clock), self.clock, laws)
        self.cloud.world.catch_up()  # deadlines are counted from now, before the first call

    def places(self) -> Sequence[str]:
        return [self.options.world]

    def requests(self, hosts: Sequence[HostSpec], lease: Lease) -> list[list[Request]]:
        """A network, then all the hosts in it."""
        name = "-".join(part for part in (self.context.stack, self.context.env) if part)
        network = Request(kind=NETWORK, name=name, lease=lease)
        return [[network], [Request(kind=HOST, name=spec.name, lease=lease, spec=spec) for spec in hosts]]

    def create(self, request: Request, deadline: Deadline) -> Resource:
        """Make it. A lost reply: it is looked for by the token of this call, for as long as a listing may lag."""
        labels = request.lease.labels() | {"infratest.name": request.name}
        token = secrets.token_hex(8)
        work = partial(self.cloud.create, request.kind, request.name, labels, token)
        what = f"create {request.kind} {request.name}"
        while True:
            try:
                return _resource(self._ask(what, work, deadline))
            except ReplyLost as lost:
                item = self._look_for(token, deadline)
                if item is not None:
                    return _resource(item)
                if deadline.passed:
                    words = f"simulator: {what}: {lost}; whether it was made is not known: see `infratest reap`"
                    raise ProviderError(words) from lost

    def destroy(self, resource: Resource, deadline: Deadline) -> None:
        """Remove it and see that it is gone: one that comes back is removed again, one in use a little later."""
        what = f"destroy {resource.kind} {resource.name}"
        problem = "it is there still"
        remove = True
        while True:
            try:
                if remove:
                    self._repeat(what, partial(self.cloud.destroy, resource.id, resource.name), deadline)
                item = self._repeat(what, partial(self.cloud.look, resource.id, resource.name), deadline)
                remove = item.state != states.DELETING
                problem = f"it is {item.state}"
            except NotThere:
                return
            except InUse as error:
                remove, problem = True, str(error)
            if deadline.left <= LOOK_EVERY:
                raise ProviderError(f"simulator: {what}: not gone before the deadline: {problem}")
            self.clock.sleep(LOOK_EVERY)

    def existing(self, deadline: Deadline) -> list[Resource]:
        return [_resource(one) for one in self._listing(deadline)]

    def hosts(self, specs: Sequence[HostSpec], deadline: Deadline) -> list[Host]:
        mine = {"infratest.stack": self.context.stack, "infratest.env": self.context.env, "infratest.state": self._id()}
        servers: dict[str, Item] = {}
        for one in self._listing(deadline):  # of two of a name the later one counts, if it is not about to go
            if one.kind == HOST and mine.items() <= one.labels.items() and STATES[one.state] != GONE:
                servers[one.name] = one
        return [self._host(spec, servers.get(spec.name)) for spec in specs]

    def makes(self) -> Collection[str]:
        return self.COMPONENTS

    def declare(self, components: Sequence[ComponentSpec], hosts: Sequence[HostSpec]) -> None:
        """Any component can be made."""

    def fit(self, component: ComponentSpec, made: Resource, hosts: Sequence[Resource], deadline: Deadline) -> None:
        ids = [one.id for one in hosts if one.name in component.hosts]
        self._about("fit", made, partial(self.cloud.fit, made.id, made.name, ids), deadline)

    def halt(self, resource: Resource, deadline: Deadline) -> None:
        """Stop a host."""
        self._about("halt", resource, partial(self.cloud.halt, resource.id, resource.name), deadline)

    def start(self, resource: Resource, deadline: Deadline) -> None:
        """Start a host, or let it go on."""
        self._about("start", resource, partial(self.cloud.start, resource.id, resource.name), deadline)

    def suspend(self, resource: Resource, deadline: Deadline) -> None:
        """Stop a host with its memory kept."""
        self._about("suspend", resource, partial(self.cloud.suspend, resource.id, resource.name), deadline)

    def reboot(self, resource: Resource, deadline: Deadline) -> None:
        """Have a host boot anew."""
        self._about("reboot", resource, partial(self.cloud.reboot, resource.id, resource.name), deadline)

    def why_not_aside(self) -> str:
        return ""

    def rename(self, resource: Resource, name: str, deadline: Deadline) -> None:
        self._about("rename", resource, partial(self.cloud.rename, resource.id, resource.name, name), deadline)

    def take_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        def take(item: Item, now: float) -> None:
            before = kept(item, name)
            if before is not None and before["token"] != token:  # not of a call whose reply was lost
                raise ProviderError(f"there is a snapshot {name!r} already; delete it, or take another name")
            if before is None:
                item.snapshots.append({"name": name, "taken": now, "state": item.state, "token": token})

        token = secrets.token_hex(8)
        self._snapshot("take", resource, name, take, deadline)

    def restore_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        def restore(item: Item, now: float) -> None:
            before = kept(item, name)
            if before is None:
                raise ProviderError(f"there is no snapshot {name!r} of it")
            item.state, item.answers = before["state"], now

        self._snapshot("restore", resource, name, restore, deadline)

    def snapshots(self, resource: Resource, deadline: Deadline) -> list[Snapshot]:
        work = partial(self.cloud.look, resource.id, resource.name)
        item = self._about("look at", resource, work, deadline)
        return [
            Snapshot(name=one["name"], taken=one["taken"], running=one["state"] == states.RUNNING)
            for one in item.snapshots
        ]

    def delete_snapshot(self, resource: Resource, name: str, deadline: Deadline) -> None:
        tries = 0

        def delete(item: Item, now: float) -> None:
            nonlocal tries
            tries += 1
            before = kept(item, name)
            if before is None and tries == 1:
                raise ProviderError(f"there is no snapshot {name!r} of it")
            if before is not None:
                item.snapshots.remove(before)

        self._snapshot("delete", resource, name, delete, deadline)

    def console(self, resource: Resource, deadline: Deadline) -> Console:
        work = partial(self.cloud.console, resource.id, resource.name)
        return Console(text="\n".join(self._about("console of", resource, work, deadline)) + "\n")

    @classmethod
    def doctor(cls) -> list[Finding]:
        """It needs nothing."""
        return [
            Finding(name="provider simulator", usable=True, found="a cloud that is simulated, for trying things out")
        ]

    def _listing(self, deadline: Deadline) -> list[Item]:
        return self._repeat("list", self.cloud.listing, deadline)

    def _look_for(self, token: str, deadline: Deadline) -> Item | None:
        """Return what a call made whose reply was lost, None where it is not there when the listing must have it."""
        settling = Settling(self.settles)
        while True:
            asked = self.clock.monotonic()
            for one in self._listing(deadline):
                if one.token == token:
                    return one
            if settling.said(asked, self.clock.monotonic()) or deadline.passed:
                return None
            self.clock.sleep(settling.pause(self.clock.monotonic()))

    def _about(self, verb: str, resource: Resource, work: Callable[[], T], deadline: Deadline) -> T:
        """Do something with one server; what it refuses is said with the server's name."""
        what = f"{verb} {resource.name}"
        try:
            return self._repeat(what, work, deadline)
        except NotThere as error:
            words = f"simulator: cannot {what}: it does not exist; `infratest up` makes it"
            raise ProviderError(words) from error
        except InUse as error:
            raise ProviderError(f"simulator: cannot {what}: {error}") from error

    def _snapshot(
        self,
        verb: str,
        resource: Resource,
        name: str,
        change: Callable[[Item, float], None],
        deadline: Deadline,
    ) -> None:
        work = partial(self.cloud.snapshot, resource.id, resource.name, change)
        try:
            self._about(f"{verb} snapshot {name} of", resource, work, deadline)
        except ProviderError as error:
            words = str(error)
            raise ProviderError(words if words.startswith("simulator: ") else f"simulator: {words}") from error

    def _repeat(self, what: str, work: Callable[[], T], deadline: Deadline) -> T:
        """Do what may be done twice: also again when its reply was lost."""
        while True:
            try:
                return self._ask(what, work, deadline)
            except ReplyLost as error:
                if deadline.passed:
                    raise ProviderError(f"simulator: {what}: {error}") from error

    def _ask(self, what: str, work: Callable[[], T], deadline: Deadline) -> T:
        """Do it; while it is refused for the moment again, with pauses that grow and are jittered."""
        draw = random.Random(f"{self.options.seed} {what}")
        pause = FIRST_PAUSE
        while True:
            try:
                return work()
            except Refused as error:
                raise ProviderError(f"simulator: {what}: {error}") from error
            except Busy as error:
                wait = pause * draw.uniform(0.5, 1.0)
                if deadline.left <= wait:
                    raise ProviderError(f"simulator: {what}: refused until the deadline: {error}") from error
                self.clock.sleep(wait)
                pause = min(pause * 2, LAST_PAUSE)

    def _host(self, spec: HostSpec, server: Item | None) -> Host:
        up = server is not None and server.answers <= self.clock.time()
        return Host(
            name=spec.name,
            groups=spec.groups,
            labels=spec.labels,
            address=spec.name,
            routed=False,
            transport=transport_of(spec, "simulator", ["fake"]),
            options=(answering if up else silent)(self.options.transport),
            sudo=spec.sudo,
            state=GONE if server is None else STATES[server.state],
            reason="" if server is None else server.reason,
        )

    def _id(self) -> str:
        try:
            return (self.context.state / "id").read_text("ascii").strip()
        except OSError:
            return ""


def _resource(item: Item) -> Resource:
    outputs = {"address": item.address} if item.address else {}
    return Resource(kind=item.kind, id=item.id, name=item.name, labels=item.labels, outputs=outputs)
