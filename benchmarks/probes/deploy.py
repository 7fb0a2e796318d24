"""libcloud's own `deploy_node` for N servers in N threads, each with a driver of its own, as libcloud's users do it.

    python deploy.py ec2 N PORT KEY SSH_PORT USER              EC2 at 127.0.0.1:PORT, its keys in the environment
    python deploy.py simulator N WORLD KEY SSH_PORT USER LATENCY PENDING BOOT

Prints one JSON object: the seconds it took and, of the simulator, the calls that it counted. KEY is the private key
that the servers let in. The simulator's servers, which libcloud has no driver for, have a driver here that does nothing
but pass on each call; its time is the machine's, and behind all its servers is one sshd of this machine.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from libcloud.compute.base import Node, NodeDriver, NodeImage, NodeSize
from libcloud.compute.deployment import Deployment
from libcloud.compute.drivers.ec2 import EC2NodeDriver
from libcloud.compute.types import NodeState

from infratest.clock import REAL
from infratest.providers.simulator.cloud import HOST, NETWORK, Cloud, Laws
from infratest.providers.simulator.world import RUNNING, Item, World

LABELS = {"infratest.state": "bench", "infratest.stack": "bench", "infratest.env": ""}
IMAGE = "debian-12-amd64-20260101-1"


class NothingMore(Deployment):
    """What is deployed: that a command answers."""

    def run(self, node: Node, client: Any) -> Node:
        client.run("true")
        return node


class Simulated(NodeDriver):
    """The simulated cloud as a driver of libcloud."""

    type = name = "simulator"
    features = {"create_node": ["ssh_key"]}

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create_node(self, name: str, image: NodeImage, size: NodeSize) -> Node:
        return self._node(self._cloud.create(HOST, name, LABELS, secrets.token_hex(8)))

    def list_nodes(self) -> list[Node]:
        return [self._node(one) for one in self._cloud.listing() if one.kind == HOST]

    def _node(self, item: Item) -> Node:
        runs = item.state == RUNNING
        state = NodeState.RUNNING if runs else NodeState.PENDING
        return Node(item.id, item.name, state, ["127.0.0.1"] if runs else [], [], self)


def deploy(
    drivers: list[NodeDriver], key: str, port: int, user: str, more: Callable[[NodeDriver], dict[str, Any]]
) -> float:
    """Deploy a node with each driver at once; return how many seconds it took."""

    def one(number: int) -> None:
        driver = drivers[number]
        driver.deploy_node(
            name=f"web-{number}", deploy=NothingMore(), ssh_username=user, ssh_key=key, ssh_port=port, timeout=300,
            **more(driver),
        )  # fmt: skip

    began = time.monotonic()
    with ThreadPoolExecutor(len(drivers)) as pool:
        list(pool.map(one, range(len(drivers))))
    return time.monotonic() - began


def on_ec2(count: int, at: int, key: str, port: int, user: str) -> dict[str, float]:
    """Find the image, hand over the key, deploy: what a user of libcloud has to ask for."""
    access, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]

    def driver() -> EC2NodeDriver:
        return EC2NodeDriver(
            access, secret, region="us-east-1", secure=False, host="127.0.0.1", port=at, signature_version="4"
        )

    first = driver()
    image = next(one for one in first.list_images(ex_filters={"name": IMAGE}) if one.name == IMAGE)
    size = next(one for one in first.list_sizes() if one.id == "t3.micro")
    public = Path(f"{key}.pub").read_text()
    # Another count's key is there under its own name: an account takes a name once.
    name = f"bench-{count}"
    first.import_key_pair_from_string(name, public)
    config = "#cloud-config\n" + json.dumps({"disable_root": False, "ssh_authorized_keys": [public.strip()]})
    more = {"image": image, "size": size, "ex_keyname": name, "ex_userdata": config}
    return {"took": deploy([driver() for _ in range(count)], key, port, user, lambda _: more)}


def on_simulator(
    count: int, folder: str, key: str, port: int, user: str, latency: float, pending: float, boot: float
) -> dict[str, float]:
    cloud = Cloud(World(Path(folder), REAL), REAL, Laws(latency=latency, pending=pending, boot=boot))
    cloud.create(NETWORK, "bench", LABELS, "network")

    def more(driver: NodeDriver) -> dict[str, Any]:
        return {"image": NodeImage("1", IMAGE, driver), "size": NodeSize("1", "small", 512, 5, 0, 0.0, driver)}

    took = deploy([Simulated(cloud) for _ in range(count)], key, port, user, more)
    calls = cloud.world.calls()
    listings = sum(one.call == "list" for one in calls)
    return {"took": took, "calls": len(calls), "listings": listings}


if __name__ == "__main__":
    where, count, at, key, port, user, *times = sys.argv[1:]
    if where == "ec2":
        print(json.dumps(on_ec2(int(count), int(at), key, int(port), user)))
    else:
        print(json.dumps(on_simulator(int(count), at, key, int(port), user, *map(float, times))))
