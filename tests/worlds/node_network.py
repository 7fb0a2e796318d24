"""What nodes of the tests' clouds that are whole machines need: an image, debian-12 with cloud-init, and a network.

The network is one of the container engine on this machine, so that the addresses in it are real: this machine reaches
each node there, the nodes reach each other, and none of them has ports to be led to.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from infratest.deadline import Deadline
from infratest.images.recipe import recipe
from infratest.providers.container import image
from infratest.providers.container.engine import Engine, find

#: Before the recipe's own set-up: debootstrap cannot configure packages whose scripts need a Python that is set up.
INSTALL = b"""#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
cp "$here/sources.list" /etc/apt/sources.list
cp "$here/apt.conf" /etc/apt/apt.conf.d/80infratest
apt-get -q update
apt-get -q install -y --no-install-recommends cloud-init netbase
# The address comes from the engine; where its user data are, from the file beside it alone.
printf 'network: {config: disabled}\\n' >/etc/cloud/cloud.cfg.d/90-network.cfg
printf 'locale: false\\n' >/etc/cloud/cloud.cfg.d/90-locale.cfg
printf 'datasource_list: [NoCloud]\\n' >/etc/cloud/cloud.cfg.d/90-source.cfg
exec sh "$here/recipe-setup.sh"
"""


def node_image() -> tuple[Engine, str]:
    """Return the engine and the image's tag; the image is built at first use, which takes one to three minutes."""
    engine = find("auto", Deadline(30))
    base = recipe("debian-12", Path())
    files = base.files | {"setup.sh": INSTALL, "recipe-setup.sh": base.files["setup.sh"]}
    wanted = replace(base, name="cloud-node", registry="", files=files)
    return engine, image.ensure(engine, wanted, Deadline(900))


#: Networks are taken from here; no provider takes its own from it.
RANGE = IPv4Network("10.187.0.0/16")
#: Whose a network is: the process that made it. Those of one that was killed are removed by the next.
OWNER = "infratest.tests"


@contextmanager
def node_network(**others: Any) -> Iterator[dict[str, Any]]:
    """Have a network for nodes, and yield the arguments of `nodes.machines.NodeMachines`, which JSON can hold.

    It goes with all that is in it.

    Args:
        others: further arguments.
    """
    engine, image = node_image()
    kept = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    docker = Docker((engine.program, *engine.options), {**kept, **engine.environment})
    docker.remove_left()
    name, addresses = docker.make_network()
    try:
        yield {
            "engine": list(docker.program), "environment": docker.environment, "image": image, "network": name,
            "addresses": str(addresses), **others,
        }  # fmt: skip
    finally:
        docker.remove_network(name)


class Docker:
    """The container engine, by its program."""

    def __init__(self, program: tuple[str, ...], environment: dict[str, str]) -> None:
        self.program, self.environment = program, environment

    def make_network(self) -> tuple[str, IPv4Network]:
        """Make a network of addresses that the engine has in no other."""
        name = f"infratest-nodes-{uuid.uuid4().hex[:12]}"
        networks = list(RANGE.subnets(new_prefix=24))
        start = os.getpid() % len(networks)
        for addresses in networks[start:] + networks[:start]:
            label = f"--label={OWNER}={_process(os.getpid())}"
            done = self._run("network", "create", f"--subnet={addresses}", label, name)
            if done.returncode == 0:
                return name, addresses
            assert "overlap" in done.stderr, done.stderr
        raise AssertionError(f"every network of {RANGE} is taken")

    def remove_network(self, name: str) -> None:
        """Remove a network with what is in it; fine where another does so at this moment."""
        inside = self._run("ps", "--all", "--quiet", f"--filter=network={name}").stdout.split()
        if inside:
            self._run("rm", "--force", "--volumes", *inside)
        done = self._run("network", "rm", name)
        assert done.returncode == 0 or "not found" in done.stderr, done.stderr

    def remove_left(self) -> None:
        """Remove networks, and what is in them, whose process was killed."""
        form = f'{{{{.Name}}}} {{{{.Label "{OWNER}"}}}}'
        done = self._run("network", "ls", f"--filter=label={OWNER}", f"--format={form}")
        assert done.returncode == 0, done.stderr
        for line in done.stdout.splitlines():
            name, _, owner = line.partition(" ")
            if owner != _process(int(owner.partition("-")[0])):
                self.remove_network(name)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **self.environment}
        return subprocess.run(
            [*self.program, *words], capture_output=True, text=True, timeout=120, env=environment, check=False
        )


def _process(pid: int) -> str:
    """Return what no other process of this machine has: its id and when it began; without a begin where it is gone."""
    try:
        began = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        began = ""
    return f"{pid}-{began}"
