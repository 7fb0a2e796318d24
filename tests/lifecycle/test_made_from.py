"""What hosts were made from is told as the stack file writes it: a number is a size only where the option is one."""

from __future__ import annotations

import pytest

from infratest.lifecycle.made_from import changes
from infratest.providers.base import HostSpec
from infratest.providers.cloud.options import HostOptions as OfCloud
from infratest.providers.virtualbox.declared import HostOptions as OfVirtualBox

GIB = 2**30


@pytest.mark.parametrize(
    "made, declared, key, before, after",
    [
        (OfCloud(memory=GIB), OfCloud(memory=2 * GIB), "memory", "1GiB", "2GiB"),
        (OfCloud(cpus=2), OfCloud(cpus=4), "cpus", "2", "4"),
        (OfCloud(cpus=2048 // 2), OfCloud(), "cpus", "1024", "the provider's own"),
        (OfCloud(), OfCloud(ssh_port=2222), "ssh-port", "22", "2222"),
        (OfCloud(ports=(80,)), OfCloud(ports=(80, 8080)), "ports", "[80]", "[80, 8080]"),
        (OfCloud(), OfCloud(ports=(80,)), "ports", "[]", "[80]"),
        (OfCloud(size="t3.nano"), OfCloud(size={"cpus": 2, "memory": "2GiB"}), "size", "t3.nano",
         "{cpus: 2, memory: 2GiB}"),
        (OfVirtualBox(gui=True), OfVirtualBox(), "gui", "true", "false"),
    ],
)  # fmt: skip
def test_a_change(made, declared, key, before, after):
    record = {"op": "1", "kind": "host", "name": "db", "id": "i"}
    records = [
        {"what": "begin", "op": "1", "stack": "shop", "env": "", "time": 1},
        {"what": "made", "time": 2, **record, "spec": HostSpec(name="db", options=made).made_from()},
        {"what": "end", "op": "1", "outcome": "done", "time": 3},
    ]
    (change,) = changes(records, "shop", "", [HostSpec(name="db", options=declared)])
    assert (change.key, change.made, change.declared) == (key, before, after)
