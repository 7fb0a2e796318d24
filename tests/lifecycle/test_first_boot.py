"""What cloud-init says of a host's boot: by answers as its files have them, and by Debian's own on a real machine."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.clock import REAL
from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import RUNNING, Host
from infratest.images.seed import Seed, user_data
from infratest.lifecycle.first_boot import problems, question
from infratest.lifecycle.ready import Awaited, Waiting
from infratest.lifecycle.stopping import Stop
from infratest.providers import _ssh_keys
from infratest.providers.base import HostSpec
from tests.worlds.node_network import node_network
from tests.worlds.nodes.machines import NodeMachines

NOT_ENDED = "it has not come to its end, so that what comes of it is not known"


def answer(*documents: object, ended: bool = True) -> str:
    return "\n".join([*(["ended"] if ended else []), *(json.dumps(each, indent=1) for each in documents)])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),  # there is no cloud-init
        (answer({"v1": {"datasource": "DataSourceNoCloud", "errors": []}}, {"v1": {"init": {"errors": []}}}), []),
        (
            answer({"v1": {"errors": ["('runcmd', ValueError())"]}}, {"v1": {"modules-final": {"errors": []}}}),
            ["('runcmd', ValueError())"],
        ),
        # Of each stage, and told once where both files have it.
        (
            answer({"v1": {"errors": ["one"]}}, {"v1": {"stage": None, "init": {"errors": ["one", "two\nlines"]}}}),
            ["one", "two lines"],
        ),
        (
            answer({"v1": {"errors": [], "recoverable_errors": {"WARNING": ["no disk"], "DEPRECATED": ["old"]}}}),
            ["WARNING: no disk"],
        ),
        (answer({"v1": {"stage": "modules-final", "init": {"errors": []}}}, ended=False), [NOT_ENDED]),
        (answer({"v1": {"init": {"errors": ["one"]}}}, ended=False), ["one", NOT_ENDED]),
        (answer({"v1": {"errors": [str(number) for number in range(7)]}}), ["0", "1", "2", "3", "4", "and 2 more"]),
        ("ended\n", ["its answer could not be read; see `cloud-init status --long` on the host"]),
        ('ended\n{"v1": {"err', ["its answer could not be read; see `cloud-init status --long` on the host"]),
        ('ended\n{"v2": {}}', ["its answer could not be read; see `cloud-init status --long` on the host"]),
    ],
)
def test_what_it_says_is_told_in_its_own_words(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_host_without_cloud_init_says_nothing_and_is_not_waited_for(tmp_path: Path) -> None:
    words = [word.replace("/run/cloud-init", str(tmp_path / "none")) for word in question(1000)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def machines() -> Iterator[NodeMachines]:
    with node_network() as network:
        yield NodeMachines(**network)


def made(machines: NodeMachines, folder: Path, name: str, command: str) -> Host:
    """Start a machine whose user data have a command of their own, and return it as a provider would."""
    key, (path, public) = _ssh_keys.new_key(), _ssh_keys.user_key(folder)
    seed = Seed(
        instance=name, hostname=name, user="deploy", key=public,
        host_private=key.private.decode(), host_public=key.public,
    )  # fmt: skip
    address = machines.start(name, user_data(seed, [["sh", "-c", command]]))
    known = folder / "known_hosts"
    known.write_text(f"{address} {key.public}\n")
    options = {"address": address, "user": "deploy", "key": str(path), "known-hosts": str(known), "config": "none"}
    return Host(name=name, address=address, transport="ssh", options=options, state=RUNNING)


def ready(host: Host, insists: bool) -> None:
    """Wait for a host as `up` does."""
    waiting = Waiting(
        [Awaited(spec=HostSpec(name=host.name), limit=Deadline(240))],
        look=lambda some: [host], settles=0.0, ready=None, jobs=1, failed=Stop(), clock=REAL,
        say=lambda *words: None, answered=lambda one, answers: None, refused=lambda one, limit: False,
        last_words=lambda name: "", seeded=True, insists=insists,
    )  # fmt: skip
    (done,) = waiting.all()
    if done.error is not None:
        raise done.error


@pytest.mark.hosts
@pytest.mark.machines  # two hosts boot with cloud-init
@pytest.mark.timeout(1200)  # the image may have to be built first
def test_what_fails_while_logins_work_is_told(
    machines: NodeMachines, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    ready(made(machines, tmp_path, "well", "touch /run/told"), insists=True)
    assert caplog.messages == []
    # It begins when logins work long since, so that a look at the first login alone would not see it.
    failing = made(machines, tmp_path, "failing", "sleep 3; exit 7")
    ready(failing, insists=False)
    (message,) = caplog.messages
    assert message.startswith("failing: cloud-init says: ('scripts-user', RuntimeError('Runparts: 1 failures (runcmd)")
    assert message.endswith("what its user data ask for may not be so: see `cloud-init status --long` there")
    with pytest.raises(ProviderError, match=r"may not power itself off, as `budget: \{enforce: guest\}` asks"):
        ready(failing, insists=True)
    assert machines.logins("failing") == 2
