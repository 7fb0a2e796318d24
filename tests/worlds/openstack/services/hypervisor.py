"""nova's FakeDriver, with a real machine for each server that runs: it begins and ends as nova has it.

Which one is said by the server's address. On this machine's loopback it is an sshd; in a network that `CLOUD_FOLDER`
names in `networks/*.json` (`node_network` of the tests writes what stands there) it is a whole machine of that network;
elsewhere there is none. What starts them imports the standard library alone and is the same for every cloud of the
tests.
"""

import importlib.util
import ipaddress
import json
import os
import signal
import sys
import threading
from pathlib import Path

from nova.virt import fake

FOLDER = Path(os.environ["CLOUD_FOLDER"])
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


def _load_nodes():
    place = Path(os.environ["CLOUD_NODES"])
    found = importlib.util.spec_from_file_location(
        "nodes", place / "__init__.py", submodule_search_locations=[str(place)]
    )
    module = importlib.util.module_from_spec(found)
    sys.modules["nodes"] = module
    found.loader.exec_module(module)
    return module.Nodes(FOLDER / "nodes"), importlib.import_module("nodes.machines").NodeMachines


SSHDS, NodeMachines = _load_nodes()
NETWORKS = {}  # by the file that names each
LOCK = threading.Lock()


def _end(*_):
    """End the machines and this process, whatever nova's threads are about."""
    for nodes in (SSHDS, *NETWORKS.values()):
        nodes.close()
    os._exit(0)


signal.signal(signal.SIGTERM, _end)


def _nodes_at(address):
    """Return the nodes that a server with this address is one of, None where it is none."""
    if ipaddress.ip_address(address) in LOOPBACK:
        return SSHDS
    for file in (FOLDER / "networks").glob("*.json"):
        network = json.loads(file.read_text())
        if ipaddress.ip_address(address) in ipaddress.ip_network(network["addresses"]):
            with LOCK:
                return NETWORKS.setdefault(file, NodeMachines(**network))
    return None


def _nodes_of(instance):
    """Return the nodes that a server is one of; it may be none of them."""
    return next((nodes for nodes in list(NETWORKS.values()) if nodes.address(instance.uuid)), SSHDS)


class Hypervisor(fake.FakeDriver):
    def spawn(
        self, context, instance, image_meta, injected_files, admin_password, allocations, network_info=None, **more
    ):
        super().spawn(
            context,
            instance,
            image_meta,
            injected_files,
            admin_password,
            allocations,
            network_info=network_info,
            **more,
        )
        for address in _addresses(network_info):
            nodes = _nodes_at(address)
            if nodes is not None:
                nodes.start(instance.uuid, instance.user_data or "", address)
                return

    def destroy(self, context, instance, network_info, *rest, **more):
        _nodes_of(instance).remove(instance.uuid)
        super().destroy(context, instance, network_info, *rest, **more)

    def power_off(self, instance, *rest, **more):
        _nodes_of(instance).stop(instance.uuid)
        super().power_off(instance, *rest, **more)

    def power_on(self, context, instance, *rest, **more):
        super().power_on(context, instance, *rest, **more)
        _start(instance)

    def reboot(self, context, instance, *rest, **more):
        _nodes_of(instance).stop(instance.uuid)
        super().reboot(context, instance, *rest, **more)
        _start(instance)

    def suspend(self, context, instance):
        _nodes_of(instance).stop(instance.uuid)
        super().suspend(context, instance)

    def resume(self, context, instance, *rest, **more):
        super().resume(context, instance, *rest, **more)
        _start(instance)

    def get_console_output(self, context, instance):
        """Return what a machine's serial port shows."""
        text, nodes = super().get_console_output(context, instance), _nodes_of(instance)
        if nodes.address(instance.uuid):
            text += "\n" + nodes.console(instance.uuid)
        return text.encode("ascii", "replace").decode()  # what nova's drivers give, and all that its API takes


def _start(instance):
    nodes = _nodes_of(instance)
    if nodes.address(instance.uuid):
        nodes.start(instance.uuid, "")


def _addresses(network_info):
    return [ip["address"] for interface in network_info or () for ip in interface.fixed_ips()]
