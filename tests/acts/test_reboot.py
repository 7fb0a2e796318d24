"""A reboot is over when the host answers from another boot, and not before: a host that the test reboots."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from infratest.acts.base import perform
from infratest.acts.reboot import BOOT, REBOOT, RebootAct
from infratest.deadline import Deadline
from infratest.errors import ActError, TransportError, Unreachable
from infratest.transports.base import CommandResult

FIRST, SECOND = b"3c0d\n101\n", b"3c0d\n202\n"


class Machine:
    """A host that answers each question for its boot with the next of these; the last one again and again.

    Its clock goes on by a tenth of a second with each new connection, so that a busy machine makes no wait another one.
    """

    host = "web-1"

    def __init__(self, *boots: bytes | TransportError) -> None:
        self.boots = list(boots)
        self.order: list[str] = []
        self.now = 0.0

    def run(self, command: Sequence[str], deadline: Deadline) -> CommandResult:
        if tuple(command) == REBOOT:
            self.order.append("reboot")
            return CommandResult(exit=0, stdout=b"", stderr=b"", seconds=0.0)
        assert tuple(command) == BOOT
        boot = self.boots.pop(0) if len(self.boots) > 1 else self.boots[0]
        if isinstance(boot, TransportError):
            self.order.append("no answer")
            raise boot
        self.order.append("boot")
        return CommandResult(exit=0 if boot else 1, stdout=boot, stderr=b"cut: /proc/1/stat: denied", seconds=0.0)

    def forget(self) -> None:
        self.order.append("forget")
        self.now += 0.1

    def start(self, deadline: Deadline) -> None:
        self.order.append("start")


def reboot(machine: Machine, seconds: float = 0.2) -> None:
    perform(RebootAct(), machine, Deadline(10), Deadline(seconds, lambda: machine.now))


def test_it_waits_over_new_connections_until_another_boot_answers() -> None:
    machine = Machine(FIRST, FIRST, Unreachable("web-1: refused"), SECOND)
    reboot(machine, 60.0)
    assert machine.order == [
        *["boot", "reboot"],  # which boot it is in is known before
        *["forget", "boot"],
        *["forget", "no answer", "start"],  # a container engine ends a host that reboots
        *["forget", "boot"],
    ]


def test_a_host_that_cannot_be_reached_any_more_is_that_and_says_why() -> None:
    with pytest.raises(Unreachable, match=r"web-1 did not come back within 0\.2 s of its reboot: web-1: refused"):
        reboot(Machine(FIRST, Unreachable("web-1: refused")))


def test_a_host_that_did_not_reboot_is_no_success() -> None:
    with pytest.raises(TransportError, match=r"did not come back within 0\.2 s of its reboot: it is still in the same"):
        reboot(Machine(FIRST))


def test_a_host_whose_boot_cannot_be_told_is_left_alone() -> None:
    machine = Machine(b"")
    with pytest.raises(ActError, match="which boot web-1 is in cannot be read: cut: /proc/1/stat: denied"):
        reboot(machine)
    assert machine.order == ["boot"]
