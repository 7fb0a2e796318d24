"""What `terraform show -json` prints of a state with servers of the big providers, by their documented attributes."""

from __future__ import annotations

import json
from typing import Any

from infratest.testing.inventories import Case


def resource(kind: str, name: str, /, module: str = "", **values: Any) -> dict[str, Any]:
    """Return a managed resource as the output has it. `name`: with its index, where it has one."""
    return {
        "address": f"{module}{kind}.{name}", "mode": "managed", "type": kind, "name": name.partition("[")[0],
        "values": values, "sensitive_values": {},
    }  # fmt: skip


def state(*resources: dict[str, Any], children: tuple[Any, ...] = ()) -> str:
    root = {"resources": [*resources], "child_modules": [*children]}
    return json.dumps({"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": root}})


AWS = resource(
    "aws_instance", "web[0]", public_ip="203.0.113.1", private_ip="10.0.0.1", tags={"Name": "w", "env": "prod"}
)
AWS_PRIVATE = resource("aws_instance", "web[1]", public_ip="", private_ip="10.0.0.2", tags=None)
GOOGLE = resource(
    "google_compute_instance", "app", name="app-1", labels={"env": "prod"}, tags=["http"],
    network_interface=[{"network_ip": "10.1.0.1", "access_config": [{"nat_ip": "203.0.113.2"}]}],
)  # fmt: skip
AZURE = resource(
    "azurerm_linux_virtual_machine", "az", name="az", public_ip_address="203.0.113.3", private_ip_address="10.2.0.1",
    admin_password="hunter2", tags={"env": "dev"},
)  # fmt: skip
OPENSTACK = resource(
    "openstack_compute_instance_v2", "os", name="os", access_ip_v4="10.3.0.1", metadata={"role": "db"}, tags=["blue"],
    network=[{"fixed_ip_v4": "10.3.0.1"}],
)  # fmt: skip
DROPLET = resource("digitalocean_droplet", "do", name="do", ipv4_address="203.0.113.4", tags=["web", "prod"])
HETZNER = resource(
    "hcloud_server", "hc", name="hc", ipv4_address="", ipv6_address="2001:db8::5", labels={"env": "prod"},
    network=[{"ip": "10.4.0.1"}],
)  # fmt: skip
LIBVIRT = resource("libvirt_domain", "vm", name="vm", network_interface=[{"addresses": ["192.168.122.5"]}])
OTHERS = (
    resource("aws_db_instance", "main", address="db.example"), resource("null_resource", "x"), resource("aws_vpc", "v"),
    {"address": "data.aws_instance.old", "mode": "data", "type": "aws_instance", "name": "old", "values": {}},
)  # fmt: skip
IN_MODULE = 'module.shop["eu"].'
MODULE = {"resources": [resource("aws_instance", 'lb["a.b[0]"]', module=IN_MODULE, public_ip="203.0.113.6", tags={})]}

CASE = Case(
    works="show.json",
    files={
        "show.json": state(
            AWS, AWS_PRIVATE, GOOGLE, AZURE, OPENSTACK, DROPLET, HETZNER, LIBVIRT, *OTHERS, children=(MODULE,)
        )
    },
    hosts={
        "web-0": {"address": "203.0.113.1", "groups": ("web",), "labels": {"Name": "w", "env": "prod"}},
        "web-1": {"address": "10.0.0.2", "labels": {}},
        "app": {"address": "203.0.113.2", "groups": ("app", "http"), "labels": {"env": "prod", "name": "app-1"}},
        "az": {"address": "203.0.113.3", "labels": {"env": "dev", "name": "az"}},
        "os": {"address": "10.3.0.1", "groups": ("os", "blue"), "labels": {"role": "db", "name": "os"}},
        "do": {"address": "203.0.113.4", "groups": ("do", "web", "prod")},
        "hc": {"address": "2001:db8::5"},
        "vm": {"address": "192.168.122.5"},
        "shop-eu-lb-a.b[0]": {"address": "203.0.113.6", "groups": ("lb",)},
    },
    reads=("show.json",),
    broken=(
        ({"show.json": None}, "there is no"),
        ({"show.json": state(AWS)[:-9]}, "is no JSON, or not whole"),
        ({"show.json": '{"format_version": "1.0"}'}, "holds no state: nothing was made from there yet"),
        ({"show.json": '{"format_version": "1.2", "planned_values": {}}'}, "is of a plan, which says what will be"),
        ({"show.json": '{"version": 4, "resources": []}'}, "it has no format_version"),
        ({"show.json": '{"format_version": "7.0", "values": {}}'}, "it has format_version '7.0'"),
        ({"show.json": "[]"}, "holds no map, as it has to"),
    ),
    refused=({}, {"path": ".", "address": "floating"}),
)  # fmt: skip
