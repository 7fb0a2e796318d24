"""What messages about resources call them by."""

from __future__ import annotations

import threading

import pytest

from infratest.lifecycle.removal import short
from infratest.lifecycle.stopping import Stop, each
from infratest.providers.base import Lease, Request, Resource


@pytest.mark.parametrize(
    ("resource_id", "shown"),
    [
        ("0123456789abcdef0123", "0123456789ab"),
        ("us-east-1/i-0123456789abcdef0", "us-east-1/i-0123456789abcdef0"),
        ("us-east-1/eipalloc-0123456789abcdef0", "us-east-1/eipalloc-0123456789abcdef0"),
    ],
)
def test_two_resources_of_a_region_are_told_apart_by_their_ids(resource_id, shown):
    assert short(resource_id) == shown


def test_work_that_goes_on_after_a_stop_is_told_by_its_hosts_name():
    lease = Lease(owner="me@here", state_id="a" * 16, stack="shop", env="", expires=0, directory="/x")
    items = [Request(kind="host", name="web", lease=lease), Resource(kind="host", name="db", id="host-1"), "lb"]
    stop, ending = Stop(), threading.Event()

    def hang(_: object) -> None:
        stop.set("SIGTERM")
        assert ending.wait(60)

    done = each(items, hang, jobs=3, stop=stop, grace=0)
    ending.set()
    begun = [str(one.error) for one in done if one.error is not None]
    words = "did not end within 0 s after it was told to stop"
    assert begun
    assert begun == [f"{name}: {words}" for name in ("web", "db", "lb")][: len(begun)]
