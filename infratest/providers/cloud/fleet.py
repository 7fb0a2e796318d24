"""The servers of an account, and what their stacks have beside them: made once, watched, switched and removed.

Between the provider, which knows hosts and leases, and the account, which makes calls. An id here is the cloud's own
with its region before it, so that what stands in another region is found and removed as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.providers._key_store import StoredKey
from infratest.providers._settling import Settling
from infratest.providers.base import Resource
from infratest.providers.cloud.account import Account, CallFailed, rest
from infratest.providers.cloud.drivers import base
from infratest.providers.cloud.drivers.base import NAME_LABEL, REQUEST_LABEL, Image, Ready, Server, ServerSpec
from infratest.providers.cloud.poller import Poller

#: Seconds between two tries of what is in use, and before looking whether a thing was made whose answer was lost.
PAUSE = 2.0
#: Seconds for which a list of key pairs and firewalls is good: they change when this process changes them.
FRESH = 10.0
#: Makes one thing with a libcloud object; returns its id and what it gives to others.
Create = Callable[[object], tuple[str, Mapping[str, str]]]
#: What is known of a region where nobody has looked.
NOTHING: tuple[list[Resource], float] = ([], -1e9)


class Fleet:
    """All of ours in one account. Its methods are called from several threads at once."""

    def __init__(self, account: Account) -> None:
        self._account, self._driver = account, account.driver
        self._lock = threading.Lock()
        self._pollers: dict[str, Poller] = {}
        self._below: dict[str, tuple[list[Resource], float]] = {}  # region -> key pairs and firewalls, and when listed
        self._made: dict[str, Resource] = {}  # by id, what was made here and is no server: a listing may lack it yet

    # Ids

    @property
    def region(self) -> str:
        """Return where hosts are made."""
        return self._driver.region

    def id(self, region: str, own: str) -> str:
        return f"{region}/{own}" if region else own

    def parts(self, id: str) -> tuple[str, str]:
        """Return region and the cloud's own id."""
        region, slash, own = id.rpartition("/")
        return (region, own) if slash else (self.region, id)

    # Looking

    def poller(self, region: str) -> Poller:
        """Return the one poller of a region."""
        with self._lock:
            if region not in self._pollers:
                self._pollers[region] = Poller(lambda ids, deadline: self.listed(region, ids, deadline))
            return self._pollers[region]

    def listed(self, region: str, ids: Sequence[str], deadline: Deadline) -> list[Server]:
        """Return all servers of ours in a region, or those with these ids alone."""
        return self._account.call(
            "listing servers", lambda lib: self._driver.servers(lib, ids), deadline, region=region
        )

    def existing(self, region: str, known: Sequence[str], deadline: Deadline) -> list[Resource]:
        """Return what exists of ours in a region.

        Args:
            known: ids of servers that were made from here. A list of a cloud lags: one that it does not have is looked
            for by its id before it counts as gone.
        """
        listed = self.poller(region).now(deadline)
        missing = [id for id in known if id not in listed]
        missed = self.listed(region, missing, deadline) if missing else []
        there = [one for one in (*listed.values(), *missed) if one.state != base.GONE and NAME_LABEL in one.labels]
        return [
            *(Resource(kind="host", id=self.id(region, one.id), name=one.labels[NAME_LABEL], labels=one.labels)
              for one in there),
            *self.others(region, deadline),
        ]  # fmt: skip

    def others(self, region: str, deadline: Deadline) -> list[Resource]:
        """Return what is no server: as listed a moment ago, with what was made and removed here since."""
        kinds = self._driver.removes
        if not kinds:
            return []
        with self._lock:
            kept, when = self._below.get(region, NOTHING)
            if time.monotonic() - when < FRESH:
                return list(kept)
        listed = self._account.call(f"listing {' and '.join(kinds)}", self._driver.others, deadline, region=region)
        found = [replace(one, id=self.id(region, one.id)) for one in listed]
        with self._lock:
            self._below[region] = (found, time.monotonic())
        return list(found)

    def stored_keys(self, region: str, deadline: Deadline) -> list[StoredKey]:
        """Return every key pair of the account in a region, as it is now."""
        listed = self._account.call("listing key pairs", self._driver.stored_keys, deadline, region=region)
        return [replace(one, id=self.id(region, one.id), region=region, home=region == self.region) for one in listed]

    def changed(self, region: str) -> None:
        """What is there beside the servers is not known any more: the next who asks has it listed."""
        with self._lock:
            kept, _ = self._below.get(region, NOTHING)
            self._below[region] = (kept, NOTHING[1])

    def look_anew(self) -> None:
        """Keep nothing of what was listed, in any region."""
        with self._lock:
            regions = list(self._pollers)
        for region in regions:
            self.changed(region)
            self.poller(region).touched()

    def below(self, kind: str, name: str, whose: Mapping[str, str] | None = None) -> Resource | None:
        """Return the key pair or firewall of that name by the cloud's own id, as it was made or listed last.

        Args:
            whose: labels of its stack, where another stack may have one of that name.
        """
        with self._lock:
            kept, _ = self._below.get(self.region, NOTHING)
            known = [*reversed(self._made.values()), *reversed(kept)]
        named = [one for one in known if (one.kind, one.name) == (kind, name)]
        found = next((one for one in named if whose is None or _place(one.labels) == _place(whose)), None)
        return replace(found, id=self.parts(found.id)[1]) if found else None

    def needed(self, kind: str, name: str, deadline: Deadline, whose: Mapping[str, str] | None = None) -> Resource:
        """Return what `below` does, listed anew for as long as listings may lag where it is not there.

        Raises:
            ProviderError: it is not there. A server is not made without it: it would be open, or shut, to others.
        """
        settling = Settling(self._driver.settles)
        while (found := self.below(kind, name, whose)) is None:
            self.changed(self.region)
            asked = time.monotonic()
            self.others(self.region, deadline)
            if self.below(kind, name, whose) is None:
                if settling.said(asked, time.monotonic()) or deadline.passed:
                    words = "somebody else removed it, or a listing does not have it: run `infratest up` once more"
                    raise ProviderError(f"{kind} {name} is not there at {self._account.title}: {words}")
                rest(PAUSE, deadline)
        return found

    # Making

    def make(self, kind: str, name: str, labels: Mapping[str, str], create: Create, deadline: Deadline) -> Resource:
        """Make what is no server; where nobody knows whether it was made, what is there is removed first.

        Args:
            create: makes one, and returns its id and what it gives to others.
        """
        while True:
            try:
                id, outputs = self._account.call(f"making {kind} {name}", create, deadline, twice=False)
                made = Resource(kind=kind, id=self.id(self.region, id), name=name, labels=labels, outputs=outputs)
                with self._lock:
                    kept, when = self._below.get(self.region, NOTHING)
                    self._below[self.region] = ([*kept, made], when)
                    self._made[made.id] = made
                break
            except CallFailed as error:
                self.changed(self.region)
                if not error.unsure or deadline.passed or not self._unmade(kind, name, labels, deadline):
                    raise
        self.until_done(f"making {kind} {name}", lambda lib: self._driver.is_done(lib, kind, id), deadline)
        return made

    def _unmade(self, kind: str, name: str, labels: Mapping[str, str], deadline: Deadline) -> bool:
        """Remove what a call may have made whose answer was lost; return whether there is none now.

        It is looked for as long as listings may lag. It may be half made: a group without its rules.
        """
        settling, place = Settling(self._driver.settles), _place(labels)
        while True:
            rest(PAUSE, deadline)
            self.changed(self.region)
            asked = time.monotonic()
            for one in self.others(self.region, deadline):
                if (one.kind, one.name, _place(one.labels)) == (kind, name, place):
                    self.remove(one, deadline)
            if settling.said(asked, time.monotonic()):
                return True
            if deadline.passed:
                return False

    def until_done(self, what: str, work: Callable[[Any], bool], deadline: Deadline, region: str = "") -> None:
        """Ask for a thing until the cloud says that it is done. Raises ProviderError: it failed, or it is late."""
        while not self._account.call(what, work, deadline, region=region):
            rest(PAUSE, deadline)
            if deadline.passed:
                raise ProviderError(f"{what}: {self._account.title} was not done with it in time; try again later")

    def make_server(self, title: str, wanted: ServerSpec, deadline: Deadline) -> str:
        """Have one server, whatever happens to the answers, and return its id.

        By the cloud's own means where it has some; else, before asking again, by looking for the request's label.
        """
        once = "once" in self._driver.can
        while True:
            try:
                server = self._account.call(
                    f"making server {title}", lambda lib: self._driver.create_server(lib, wanted), deadline, twice=once
                )
                break
            except CallFailed as error:
                if once or not error.unsure or deadline.passed:
                    raise
            found = self._made_by(wanted.token, deadline)
            if found is not None:
                server = found
                break
        self.poller(self.region).touched()
        return self.id(self.region, server.id)

    def _made_by(self, token: str, deadline: Deadline) -> Server | None:
        """Return the server that a request made whose answer was lost, looked for as long as listings may lag."""
        settling = Settling(self._driver.settles)
        while True:
            rest(PAUSE, deadline)
            asked = time.monotonic()
            for server in self.listed(self.region, (), deadline):
                if server.labels.get(REQUEST_LABEL) == token:
                    return server
            if settling.said(asked, time.monotonic()) or deadline.passed:
                return None

    # Changing

    def wait(self, title: str, id: str, ready: Ready, deadline: Deadline) -> Server:
        """Wait until a server is as it should be.

        Raises:
            ProviderError: it is in error or gone, with the cloud's own reason, or it is late.
        """
        region, own = self.parts(id)

        def look(server: Server) -> bool:
            if server.state in (base.ERROR, base.GONE):
                why = f": {server.reason}" if server.reason else "; its cloud gives no reason"
                raise ProviderError(f"server {title} ({own}) is {server.state} at {self._account.title}{why}")
            done = ready(server)
            if server.refused and not done:
                words = f"is {server.state} still at {self._account.title}: {server.refused}"
                raise ProviderError(f"server {title} ({own}) {words}")
            return done

        found = self.poller(region).wait(own, look, deadline, f"server {title} ({own})")
        if found is None:
            raise ProviderError(f"server {title} ({own}) is gone at {self._account.title}: somebody else removed it")
        return found

    def switch(self, title: str, id: str, state: base.State, deadline: Deadline) -> None:
        """Have a server run or be stopped; fine where it is so."""
        region, own = self.parts(id)
        verb, work = ("starting", self._driver.start_server)
        if state == base.STOPPED:
            verb, work = ("halting", self._driver.stop_server)
        # What is on its way to another state refuses this one until it is there.
        server = self.wait(title, id, lambda seen: seen.state in (base.RUNNING, base.STOPPED), deadline)
        if server.state != state:
            self._account.call(f"{verb} server {title}", lambda lib: work(lib, own), deadline, region=region)
            self.poller(region).touched()
        self.wait(title, id, lambda seen: seen.state == state and (state == base.STOPPED or _placed(seen)), deadline)

    def rebuild(self, title: str, id: str, image: Image, deadline: Deadline) -> None:
        """Have a server begin anew from an image, and wait until it has."""
        # What is on its way to another state refuses this until it is there.
        self.wait(title, id, lambda seen: seen.state in (base.RUNNING, base.STOPPED), deadline)
        self.asked(f"rebuilding server {title}", id, lambda lib, own: self._driver.rebuild_server(lib, own, image),
                   deadline)  # fmt: skip
        self.wait(title, id, lambda seen: seen.state in (base.RUNNING, base.STOPPED), deadline)

    def relabel(self, title: str, id: str, labels: Mapping[str, str], deadline: Deadline) -> None:
        """Have a server carry these labels, and wait until it is seen with them."""
        self.asked(f"changing the labels of server {title}", id,
                   lambda lib, own: self._driver.relabel_server(lib, own, labels), deadline)  # fmt: skip
        self.wait(title, id, lambda seen: labels.items() <= seen.labels.items(), deadline)

    def asked(self, what: str, id: str, work: Callable[[object, str], str | None], deadline: Deadline) -> str | None:
        """Return what a call about one server gives."""
        region, own = self.parts(id)
        answer = self._account.call(what, lambda lib: work(lib, own), deadline, region=region)
        self.poller(region).touched()
        return answer

    def remove_server(self, resource: Resource, deadline: Deadline) -> None:
        """Have a server deleted, and wait until it is; fine where it is gone."""
        region, own = self.parts(resource.id)
        self._removed(resource, lambda lib: self._driver.destroy_server(lib, own), deadline)
        poller = self.poller(region)
        poller.touched()
        poller.wait(own, lambda seen: seen.state == base.GONE, deadline, f"removing server {resource.name} ({own})",
                    leaving=True)  # fmt: skip

    def remove(self, resource: Resource, deadline: Deadline) -> None:
        """Remove a key pair or a firewall; fine where it is gone."""
        region, own = self.parts(resource.id)
        self.changed(region)
        self._removed(resource, lambda lib: self._driver.destroy(lib, resource.kind, own, resource.name), deadline)
        with self._lock:
            kept, when = self._below.get(region, NOTHING)
            self._below[region] = ([one for one in kept if one.id != resource.id], when)
            self._made.pop(resource.id, None)

    def _removed(self, resource: Resource, work: Callable[[Any], object], deadline: Deadline) -> None:
        """Have a thing removed; what is in use is asked for again, since what uses it is on its way out too.

        Args:
            work: returns False where that is on its way and is to be asked for again.
        """
        region, _ = self.parts(resource.id)
        what = f"removing {resource.kind} {resource.name}"
        while True:
            try:
                if self._account.call(what, work, deadline, region=region) is not False:
                    return
            except CallFailed as error:
                if error.failure.gone:
                    return
                if not error.failure.busy or deadline.left <= PAUSE:
                    raise
            rest(PAUSE, deadline)
            if deadline.passed:
                raise ProviderError(f"{what}: {self._account.title} was not done with it in time; try again later")


def _placed(server: Server) -> bool:
    return bool(server.public or server.private)


def _place(labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return whose a thing is: by which state directory it was made, of which stack and environment."""
    return tuple(labels.get(f"infratest.{key}", "") for key in ("state", "stack", "env"))
