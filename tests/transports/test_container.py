"""The way into a container when it is stopped, gone, without a shell, or its engine does not answer."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from infratest.deadline import Deadline
from infratest.errors import ConnectionLost, TransportError, Unreachable
from infratest.hosts import Host
from infratest.outsiders import get
from infratest.testing.waiting import wait_until
from infratest.transports.base import Transport
from tests.worlds.tiny_container import engine, found, running_container

LONG = 20.0


@pytest.fixture
def container() -> Iterator[str]:
    with running_container() as name:
        yield name


def into(name: str, **options: Any) -> Transport:
    return get("transport", "container")(
        Host(name="web-1", options={"container": name, "engine": found().program} | options)
    )


def test_a_container_that_stops_in_the_middle(container: str) -> None:
    transport = into(container)
    transport.open(Deadline(LONG))
    begun = "/tmp/begun"

    def cut() -> None:
        wait_until(lambda: "begun" in engine("exec", container, "ls", "/tmp"))
        engine("kill", container)

    cutter = threading.Thread(target=cut)
    cutter.start()
    with pytest.raises(ConnectionLost, match=f"{container} of host web-1 stopped in the middle") as raised:
        transport.run(["sh", "-c", f"echo half; : >{begun}; sleep 300"], Deadline(LONG))
    cutter.join()
    assert raised.value.partial == b"half\n"
    with pytest.raises(ConnectionLost):
        transport.run(["true"], Deadline(LONG))
    transport.close()
    with pytest.raises(Unreachable, match=rf"host web-1 .*{container} is there and does not run.*start {container}"):
        transport.open(Deadline(LONG))


def test_a_container_that_is_paused(container: str) -> None:
    transport = into(container)
    transport.open(Deadline(LONG))
    engine("pause", container)
    try:
        with pytest.raises(ConnectionLost, match=f"{container} of host web-1 takes no commands any more: .* paused"):
            transport.run(["true"], Deadline(LONG))
    finally:
        engine("unpause", container)
    assert transport.run(["true"], Deadline(LONG)).exit == 0


def test_a_container_that_has_no_shell_any_more(container: str) -> None:
    transport = into(container)
    transport.open(Deadline(LONG))
    assert transport.run(["rm", "/bin/sh"], Deadline(LONG)).exit == 0
    with pytest.raises(TransportError, match=f"{container} of host web-1 cannot run a shell: .*needs a POSIX sh"):
        transport.run(["true"], Deadline(LONG))


def test_a_command_that_dies_alone(container: str) -> None:
    transport = into(container)
    transport.open(Deadline(LONG))
    assert transport.run(["sh", "-c", "echo half; kill -9 $$"], Deadline(LONG)).exit == 137
    assert transport.cost.commands == 2  # it, and the look whether the container takes others
    for _ in range(2):
        assert (
            transport.run(["sh", "-c", "echo 'OCI runtime: no'; exit 1"], Deadline(LONG)).stdout == b"OCI runtime: no\n"
        )


def test_a_container_that_is_not_there() -> None:
    name = f"none-{uuid.uuid4().hex}"
    with pytest.raises(Unreachable, match=f"web-1 .*there is no container {name}"):
        into(name).open(Deadline(LONG))


def test_words_like_the_engines_own_are_the_commands(container: str) -> None:
    transport = into(container)
    transport.open(Deadline(LONG))
    result = transport.run(["sh", "-c", "echo 'Error response from daemon: no' >&2; exit 1"], Deadline(LONG))
    transport.close()
    assert (result.exit, result.stderr) == (1, b"Error response from daemon: no\n")


def test_a_user_of_the_container(container: str) -> None:
    transport = into(container, user="65534")
    transport.open(Deadline(LONG))
    assert transport.run(["id", "-u"], Deadline(LONG)).stdout == b"65534\n"
    transport.close()


def test_an_engine_that_is_not_installed() -> None:
    with pytest.raises(TransportError, match="'no-such-engine' is not installed"):
        into("any", engine="no-such-engine").open(Deadline(LONG))


def test_an_engine_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    program = found().program
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(TransportError, match=r"cannot say whether container any runs: .*docker\.sock"):
        into("any", engine=program).open(Deadline(LONG))
