"""Floating addresses: an external network by neutron itself, and a stand-in for the router to it.

No router of neutron's runs here: what it would do with a packet to a floating address is done by a listener of this
module, which hands each connection on to the server that neutron says the address leads to.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.worlds.handed_on import ended, hand_on
from tests.worlds.nodes import SSH_PORT
from tests.worlds.openstack.cloud import Project, _addresses


class Outside:
    """An external network that has addresses to give away, and what a router would do with the first."""

    def __init__(self, project: Project, network: str, address: str) -> None:
        self.project, self.network, self.address = project, network, address

    def given(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.project.api().get("network", "/v2.0/floatingips")["floatingips"]
        return found

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            leads = [one["fixed_ip_address"] for one in self.given() if one["fixed_ip_address"]]
            if not leads:
                near.close()
                continue
            far = socket.create_connection((leads[0], SSH_PORT), timeout=30)
            hand_on(near, far)


@contextmanager
def outside_of(project: Project, free: int = 1) -> Iterator[Outside]:
    """Make an external network with some addresses to give away, at the first of which connections are handed on.

    Args:
        free: how many; the router to it has one more.
    """
    admin = project.cloud.admin
    with _addresses() as addresses:
        hosts = [str(each) for each in addresses.hosts()]
        given = {"name": f"outside-{project.name}", "router:external": True}
        network = admin.post("network", "/v2.0/networks", {"network": given})["network"]["id"]
        pools = [{"start": hosts[1], "end": hosts[1 + free]}]
        subnet = {"network_id": network, "ip_version": 4, "cidr": str(addresses), "gateway_ip": None,
                  "enable_dhcp": False, "allocation_pools": pools}  # fmt: skip
        admin.post("network", "/v2.0/subnets", {"subnet": subnet})
        router = {"name": project.name, "project_id": project.id, "external_gateway_info": {"network_id": network}}
        made = admin.post("network", "/v2.0/routers", {"router": router})["router"]
        (taken,) = [one["ip_address"] for one in made["external_gateway_info"]["external_fixed_ips"]]
        port = {"network_id": project.network, "project_id": project.id}
        port_id = admin.post("network", "/v2.0/ports", {"port": port})["port"]["id"]
        where = f"/v2.0/routers/{made['id']}"
        admin.call("PUT", "network", f"{where}/add_router_interface", {"port_id": port_id})
        first = next(each for each in hosts[1:3] if each != taken)
        outside = Outside(project, network, first)
        with socket.create_server((first, SSH_PORT)) as listener:
            thread = threading.Thread(target=outside.serve, args=(listener,), daemon=True)
            thread.start()
            try:
                yield outside
            finally:
                ended(listener)
                thread.join(10)
                admin.call("PUT", "network", f"{where}/remove_router_interface", {"port_id": port_id})
                admin.call("DELETE", "network", where, None)
                admin.call("DELETE", "network", f"/v2.0/networks/{network}", None)
