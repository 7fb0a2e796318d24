"""One listing a tick, however many wait; what a listing does not have is not gone at once. With servers in a list."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.lifecycle.stopping import Stop, StoppableDeadline
from infratest.providers.cloud.drivers.base import ERROR, GONE, PENDING, RUNNING, Server
from infratest.providers.cloud.poller import Poller


class Servers:
    """What a cloud lists: `after` listings each server runs; `hidden` ones are in no listing, and found by id."""

    def __init__(self, many: int, after: int) -> None:
        self.names = [f"i-{number}" for number in range(many)]
        self.after = after
        self.hidden: set[str] = set()
        self.gone: set[str] = set()
        self.listings: list[float] = []
        self.by_id = 0
        self.lock = threading.Lock()

    def listed(self, ids: Sequence[str], deadline: Deadline) -> list[Server]:
        with self.lock:
            if ids:
                self.by_id += 1
                return [self.server(one) for one in ids if one not in self.gone]
            self.listings.append(time.monotonic())
            return [self.server(one) for one in self.names if one not in self.hidden | self.gone]

    def server(self, id: str) -> Server:
        return Server(id=id, name=id, state=RUNNING if len(self.listings) > self.after else PENDING)


def running(server: Server) -> bool:
    return server.state == RUNNING


def test_many_who_wait_share_each_listing():
    servers = Servers(30, after=3)
    poller = Poller(servers.listed)
    found: list[Server | None] = []

    def wait(id: str) -> None:
        found.append(poller.wait(id, running, Deadline(60), id))

    threads = [threading.Thread(target=wait, args=(id,)) for id in servers.names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 30
    assert len(servers.listings) == poller.ticks == 4
    assert all(second - first > 0.99 for first, second in zip(servers.listings, servers.listings[1:], strict=False))


def test_looks_within_a_tick_share_a_listing_until_something_is_changed_here():
    servers = Servers(1, after=0)
    poller = Poller(servers.listed)
    for _ in range(5):
        poller.now(Deadline(10))
    assert len(servers.listings) == 1
    poller.touched()
    poller.now(Deadline(10))
    assert len(servers.listings) == 2


def test_a_server_that_listings_forget_is_looked_for_by_its_id():
    servers = Servers(1, after=2)
    poller = Poller(servers.listed)

    def ready(server: Server) -> bool:
        servers.hidden = {"i-0"}  # once seen, no listing has it any more
        return running(server)

    assert poller.wait("i-0", ready, Deadline(30), "web") == Server(id="i-0", name="i-0", state=RUNNING)
    assert servers.by_id >= 1


def test_a_server_that_is_not_there_by_its_id_twice_is_gone():
    servers = Servers(1, after=100)
    poller = Poller(servers.listed)

    def ready(server: Server) -> bool:
        servers.gone = {"i-0"}
        return False

    assert poller.wait("i-0", ready, Deadline(30), "web") is None
    assert servers.by_id == 2


def test_a_server_that_is_to_go_is_gone_at_the_first_look_by_its_id():
    servers = Servers(0, after=0)
    servers.gone = {"i-9"}
    assert Poller(servers.listed).wait("i-9", lambda one: one.state == GONE, Deadline(30), "web", leaving=True) is None
    assert servers.by_id == 1


def test_what_ready_raises_ends_the_wait_in_the_same_tick():
    def broken(ids: Sequence[str], deadline: Deadline) -> list[Server]:
        return [Server(id="i-0", name="web", state=ERROR, reason="no valid host")]

    def ready(server: Server) -> bool:
        raise ProviderError(f"{server.name}: {server.reason}")

    poller = Poller(broken)
    with pytest.raises(ProviderError, match="web: no valid host"):
        poller.wait("i-0", ready, Deadline(30), "web")
    assert poller.ticks == 1


def test_a_deadline_ends_it_and_says_what_it_was_at_last():
    with pytest.raises(ProviderError, match=r"server web \(i-0\): still pending, and no time is left"):
        Poller(Servers(1, after=100).listed).wait("i-0", running, Deadline(0.5), "server web (i-0)")


def test_a_signal_ends_it():
    stop = Stop()
    deadline = StoppableDeadline(Deadline(600), stop)
    threading.Timer(0.3, stop.set, ("SIGINT",)).start()
    with pytest.raises(ProviderError, match="no time is left"):
        Poller(Servers(1, after=10000).listed).wait("i-0", running, deadline, "web")


def test_a_listing_that_fails_is_the_error_of_who_asked_and_the_next_asks_again():
    servers, failed = Servers(1, after=0), []

    def once(ids: Sequence[str], deadline: Deadline) -> list[Server]:
        if not failed:
            failed.append(True)
            raise ProviderError("HTTP 500")
        return servers.listed(ids, deadline)

    poller = Poller(once)
    with pytest.raises(ProviderError, match="HTTP 500"):
        poller.now(Deadline(5))
    assert poller.now(Deadline(5))["i-0"].state == RUNNING
