"""nova's FakeDriver, with a real sshd for each server that runs: it begins and ends as the machine would.

A server whose address is not one of this machine's loopback has none. The file that starts them imports the standard
library alone and is the same for every cloud of the tests.
"""

import importlib.util
import ipaddress
import os
import signal
import subprocess
import sys
from pathlib import Path

from nova.virt import fake

FOLDER = Path(os.environ["CLOUD_FOLDER"]) / "nodes"
LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


def _load_nodes():
    found = importlib.util.spec_from_file_location("nodes", os.environ["CLOUD_NODES"])
    module = importlib.util.module_from_spec(found)
    sys.modules["nodes"] = module
    found.loader.exec_module(module)
    return module.Nodes(FOLDER)


NODES = _load_nodes()


def _end(*_):
    """End the machines and this process, whatever nova's threads are about."""
    NODES.close()
    os._exit(0)


signal.signal(signal.SIGTERM, _end)


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
            NODES.start(instance.uuid, instance.user_data or "", address)

    def destroy(self, context, instance, network_info, *rest, **more):
        NODES.remove(instance.uuid)
        super().destroy(context, instance, network_info, *rest, **more)

    def power_off(self, instance, *rest, **more):
        NODES.stop(instance.uuid)
        super().power_off(instance, *rest, **more)

    def power_on(self, context, instance, *rest, **more):
        super().power_on(context, instance, *rest, **more)
        _start(instance)

    def reboot(self, context, instance, *rest, **more):
        NODES.stop(instance.uuid)
        super().reboot(context, instance, *rest, **more)
        _start(instance)

    def suspend(self, context, instance):
        NODES.stop(instance.uuid)
        super().suspend(context, instance)

    def resume(self, context, instance, *rest, **more):
        super().resume(context, instance, *rest, **more)
        _start(instance)

    def get_console_output(self, context, instance):
        """Return what a machine's serial port shows: its sshd's log, and the host key as cloud-init prints it."""
        text = super().get_console_output(context, instance)
        key = FOLDER / instance.uuid / "host_key"
        if not key.exists():
            return text
        public = subprocess.run(["ssh-keygen", "-y", "-f", key], check=True, capture_output=True, text=True).stdout
        keys = f"-----BEGIN SSH HOST KEY KEYS-----\n{public}-----END SSH HOST KEY KEYS-----\n"
        return f"{text}\n{keys}{key.with_name('sshd.log').read_text()}"


def _start(instance):
    if NODES.address(instance.uuid):
        NODES.start(instance.uuid, "")


def _addresses(network_info):
    """Return the first address of a server that is on this machine's loopback, if there is one."""
    fixed = [ip["address"] for interface in network_info or () for ip in interface.fixed_ips()]
    return [each for each in fixed if ipaddress.ip_address(each) in LOOPBACK][:1]
