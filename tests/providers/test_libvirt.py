"""Provider libvirt, as far as it goes without a daemon: what is written for libvirt, and what is read of it."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest

from infratest.errors import UserError
from infratest.providers.base import Context, HostSpec
from infratest.providers.libvirt import HostOptions, Libvirt, Options, naming, network
from infratest.providers.libvirt.domain import NAMESPACE, Definition, Disk, document

LABELS = {"infratest.owner": "me@here", "infratest.stack": 'a "b" <c>', "infratest.host": "web-1"}


def definition(**others: object) -> Definition:
    values = {
        "name": "infratest-shop-web-1-0a1b2c3d", "uuid": "11111111-2222-3333-4444-555555555555", "labels": LABELS,
        "memory": 2**28, "cpus": 2, "mac": "52:54:00:aa:bb:cc", "network": "infratest-shop-0a1b2c3d", "kvm": False,
        "disks": [Disk(path="/p/web.qcow2"), Disk(path="/p/web-seed.iso", form="raw", readonly=True)],
    }  # fmt: skip
    return Definition(**(values | others))  # type: ignore[arg-type]


def test_a_domain_carries_its_lease_from_its_definition_on():
    root = xml.fromstring(document(definition()))
    lease = root.find(f"./metadata/{{{NAMESPACE}}}lease")
    assert lease is not None
    assert json.loads(lease.text or "") == LABELS
    assert root.get("type") == "qemu"
    assert [root.findtext(tag) for tag in ("name", "memory", "vcpu")] == [
        "infratest-shop-web-1-0a1b2c3d", str(2**28), "2",
    ]  # fmt: skip


def test_the_seed_is_only_read_and_in_no_snapshot():
    disks = xml.fromstring(document(definition())).findall("./devices/disk")
    assert [(disk.get("snapshot"), disk.find("readonly") is not None) for disk in disks] == [
        (None, False),
        ("no", True),
    ]
    targets = [target.get("dev") for disk in disks if (target := disk.find("target")) is not None]
    assert targets == ["vda", "vdb"]


def test_a_disk_with_a_boot_loader_boots_and_one_without_has_its_kernel():
    own = xml.fromstring(document(definition())).find("./os/boot")
    assert own is not None
    assert own.get("dev") == "hd"
    given = xml.fromstring(
        document(definition(kernel="/p/vmlinuz", initrd="/p/initrd", command_line="root=LABEL=root"))
    )
    assert given.find("./os/boot") is None
    assert [given.findtext(f"./os/{tag}") for tag in ("kernel", "initrd", "cmdline")] == [
        "/p/vmlinuz", "/p/initrd", "root=LABEL=root",
    ]  # fmt: skip


def test_with_kvm_the_machine_has_this_ones_processor():
    root = xml.fromstring(document(definition(kvm=True)))
    processor = root.find("cpu")
    assert processor is not None
    assert (root.get("type"), processor.get("mode")) == ("kvm", "host-passthrough")


def test_a_network_carries_its_lease():
    text = network.document("infratest-shop-0a1b2c3d", ipaddress.IPv4Network("10.205.7.0/24"), LABELS)
    assert network.lease(xml.fromstring(text)) == LABELS
    assert network.lease(xml.fromstring("<network><name>default</name></network>")) is None
    other = "<network><dns><txt name='infratest-lease' value='no base64'/></dns></network>"
    assert network.lease(xml.fromstring(other)) is None


def test_a_network_has_a_gateway_and_room_for_hosts():
    root = xml.fromstring(network.document("n" * 60, ipaddress.IPv4Network("10.205.7.0/29"), {}))
    bridge, ip, room = root.find("bridge"), root.find("ip"), root.find("./ip/dhcp/range")
    assert bridge is not None
    assert ip is not None
    assert room is not None
    assert len(bridge.get("name", "")) <= 15
    assert (ip.get("address"), ip.get("netmask")) == ("10.205.7.1", "255.255.255.248")
    assert (room.get("start"), room.get("end")) == ("10.205.7.2", "10.205.7.6")


def test_names_are_readable_and_nobody_elses():
    assert naming.name("shop", "dev", "web-1", "0a1b2c3d4e5f") == "infratest-shop-dev-web-1-0a1b2c3d"
    assert naming.name("my shop/ü", "", "", "0a1b2c3d4e5f") == "infratest-my_shop__-0a1b2c3d"
    assert naming.mac("a") != naming.mac("b")
    assert naming.mac("a").startswith("52:54:00:")


@pytest.mark.parametrize(
    ("options", "host", "words"),
    [
        ({"uri": "qemu+ssh://kvm.example/system"}, {}, "this version knows qemu:///system alone"),
        ({"subnet": "10.205.7.1/24"}, {}, "subnet: 10.205.7.1/24 has host bits set; write one as 10.205.7.0/24"),
        ({"subnet": "10.205.7.0/30"}, {}, "10.205.7.0/30 has no room for hosts"),
        ({}, {"user": "Jane Doe"}, "user 'Jane Doe' is no user of a Linux host"),
        ({}, {"image": "debian-21"}, "hosts.w.image: unknown image 'debian-21': did you mean 'debian-13'?"),
        ({}, {"image": "none.qcow2"}, "hosts.w.image: there is no disk"),
    ],
)
def test_what_no_host_can_be_is_refused_before_anything_is_asked_for(tmp_path: Path, options, host, words):
    context = Context(folder=tmp_path, state=tmp_path / "state", stack="s", env="")
    provider = Libvirt(Options(**options), context)
    with pytest.raises(UserError) as refused:
        provider.foresee([HostSpec(name="w", options=HostOptions(**host))])
    assert words in str(refused.value)
