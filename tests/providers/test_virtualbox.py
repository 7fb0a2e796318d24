"""The VirtualBox provider on the real VBoxManage: what it makes, what it refuses, what a killed run leaves."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.hosts import PAUSED, RUNNING, STOPPED
from infratest.providers import _host_ports
from infratest.providers.base import HostSpec
from infratest.providers.virtualbox import HostOptions, VirtualBox
from infratest.providers.virtualbox.declared import machine_name
from infratest.testing.providers import Case, case_of
from tests.worlds.virtualbox import VirtualBoxWorld, virtualbox_world

LONG = 120.0


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[VirtualBoxWorld]:
    """A registry whose machines run, each with an sshd behind its port."""
    with virtualbox_world(tmp_path_factory.mktemp("virtualbox") / "world", guest="sshd") as world:
        world.empty_disk()
        yield world


@pytest.fixture
def bare(tmp_path) -> Iterator[VirtualBoxWorld]:
    """A registry where nothing has power: VirtualBox as it is without its driver."""
    with virtualbox_world(tmp_path / "bare") as world:
        world.empty_disk()
        yield world


@pytest.fixture
def case(world, tmp_path) -> Iterator[Case]:
    case = of(world, tmp_path)
    world.calls()
    try:
        yield case
    finally:
        case.remove()


def of(world: VirtualBoxWorld, folder: Path, **options) -> Case:
    """Return a case whose hosts are made of the world's empty disk, unless something else is said."""
    return case_of("virtualbox", folder, {}, **{"image": str(world.folder / "empty.vdi")} | options)


def one_alone(case: Case) -> Case:
    """Return the case with its first host only."""
    case.specs = case.specs[:1]
    return case


def info(world: VirtualBoxWorld, name: str) -> dict[str, str]:
    lines = world.vbox("showvminfo", name, "--machinereadable").splitlines()
    return {key.strip('"'): value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Be another program that has taken a port."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


def hosts_of(world: VirtualBoxWorld) -> list[str]:
    return [name for name in world.machines() if not name.startswith("infratest-image-")]


# What is made


def test_a_machine_is_what_the_stack_file_says(world, tmp_path):
    options = {
        "memory": 300 * 2**20,
        "cpus": 2,
        "ports": (80,),
        "disks": ("20MiB", "30MiB"),
        "customize": (("--vram", "17"),),
    }
    case = one_alone(of(world, tmp_path, **options))
    try:
        case.make()
        host, state = case.hosts()[0], case.lease.state_id[:8]
        told = info(world, case.made[0].id)
        assert told["name"] == f"infratest-contract-one-{state}"
        assert (told["memory"], told["cpus"], told["vram"]) == ("300", "2", "17")
        assert (told["nic1"], told["nic2"], told["intnet2"]) == ("nat", "intnet", f"infratest-{state}-contract-")
        assert {told["Forwarding(0)"], told["Forwarding(1)"]} == {
            f"port-22,tcp,127.0.0.1,{host.endpoints[22][1]},,22",
            f"port-80,tcp,127.0.0.1,{host.endpoints[80][1]},,80",
        }
        assert told["SATA-1-0"].endswith("/seed.iso")
        assert told["SATA-2-0"].endswith("/disk-2.vdi")
        assert told["SATA-3-0"].endswith("/disk-3.vdi")
        assert told["uartmode1"].endswith("/console.log")
        assert told["description"] == "infratest: host one of stack contract, tester"
        assert (host.address, host.routed) == ("10.99.0.2", False)
    finally:
        case.remove()
    assert hosts_of(world) == []


def test_it_is_imported_once_and_cloned_one_by_one(world, tmp_path):
    image = world.empty_disk(f"{tmp_path.name}.vdi")
    first, second = of(world, tmp_path / "a", image=str(image)), of(world, tmp_path / "b", image=str(image))
    world.calls()
    try:
        first.make()
        second.make()
        calls = [call.split()[0] for call in world.calls()]
        assert calls.count("clonemedium") == 1
        assert calls.count("createvm") == 1
        assert calls.count("clonevm") == 4
        kept = [one for one in VirtualBox.kept_images(Deadline(LONG)) if one.name == str(image)]
        assert [(one.providers, one.source) for one in kept] == [(("virtualbox",), str(image))]
        with pytest.raises(
            ProviderError, match=r"4 machines stand on it \(infratest-contract-one-.*destroy these first"
        ):
            VirtualBox.remove_image(kept[0], Deadline(LONG))
    finally:
        first.remove()
        second.remove()
    VirtualBox.remove_image(kept[0], Deadline(LONG))
    VirtualBox.remove_image(kept[0], Deadline(LONG))
    assert str(image) not in [one.name for one in VirtualBox.kept_images(Deadline(LONG))]


def test_waiting_hosts_cost_one_look(case, world):
    case.make()
    case.hosts()
    world.calls()
    for _ in range(20):
        case.hosts()
    # At most one a tick, and twenty looks at what is kept take no tick.
    assert set(world.calls()) <= {"list runningvms "}


def test_ports_are_not_those_of_a_machine_that_is_halted(world, tmp_path):
    """Nobody listens there now, and it is taken all the same: VirtualBox would start the other without a way in."""
    taken = _host_ports.allot("theirs", [22])[22]
    _host_ports.release("theirs")
    world.vbox("createvm", "--name", "theirs", "--register")
    world.vbox("modifyvm", "theirs", "--nic1", "nat", "--natpf1", f"ssh,tcp,127.0.0.1,{taken},,22")
    case = one_alone(of(world, tmp_path))
    try:
        case.make()
        assert case.hosts()[0].endpoints[22][1] != taken
    finally:
        case.remove()
        world.vbox("unregistervm", "theirs", "--delete")


def test_ports_are_known_by_the_registry_where_the_list_is_gone(case, world):
    one_alone(case).make()
    before = case.hosts()
    # Gone for this machine only: who makes another one beside this test is not to get its ports.
    with _host_ports._list() as held:
        held.update({at: ("lost", port) for at, (name, port) in held.items() if name == case.made[0].id})
    try:
        assert case.hosts() == before
        case.provider.halt(case.made[0], Deadline(LONG))
        with listening(before[0].endpoints[22][1]), pytest.raises(ProviderError, match="to its port 22, is taken"):
            case.provider.start(case.made[0], Deadline(LONG))
    finally:
        _host_ports.release("lost")


def test_a_port_that_is_taken_meanwhile_is_told_and_nothing_is_started(case, world):
    one_alone(case).make()
    one = case.made[0]
    case.provider.halt(one, Deadline(LONG))
    port = case.hosts()[0].endpoints[22][1]
    says = rf"port {port} of 127.0.0.1, which leads to its port 22, is taken"
    with listening(port), pytest.raises(ProviderError, match=says):
        case.provider.start(one, Deadline(LONG))
    assert case.hosts()[0].state == STOPPED


# Snapshots and states


def test_a_snapshot_knows_whether_the_machine_ran(case):
    one_alone(case).make()
    one, provider = case.made[0], case.provider
    provider.take_snapshot(one, "up", Deadline(LONG))
    provider.halt(one, Deadline(LONG))
    provider.take_snapshot(one, "down", Deadline(LONG))
    assert [(kept.name, kept.running) for kept in provider.snapshots(one, Deadline(LONG))] == [
        ("up", True),
        ("down", False),
    ]
    provider.restore_snapshot(one, "up", Deadline(LONG))
    assert case.states() == [RUNNING]
    provider.restore_snapshot(one, "down", Deadline(LONG))
    assert case.states() == [STOPPED]


def test_suspended_it_is_paused_and_destroyed_it_is_gone(case, world):
    one_alone(case).make()
    case.provider.suspend(case.made[0], Deadline(LONG))
    assert case.states() == [PAUSED]
    case.remove()
    assert hosts_of(world) == []


# What is left, and what is foreign


def test_a_machine_that_is_removed_by_hand_leaves_a_leftover_of_ours(case, world):
    one_alone(case).make()
    one = case.made[0]
    case.provider.halt(one, Deadline(LONG))
    world.vbox("unregistervm", one.id)
    case.provider._registry.changed()  # what another program does is seen a tick later
    left = case.mine()
    assert [(each.kind, each.id, each.name) for each in left] == [("leftover", f"leftover:{one.id}", "one")]
    folder = world.folder / "vms" / f"infratest-contract-one-{case.lease.state_id[:8]}"
    assert folder.exists()
    case.provider.destroy(left[0], Deadline(LONG))
    assert case.mine() == []
    assert not folder.exists()
    assert _host_ports.allotted(one.id) == {}


def test_a_machine_on_whose_disks_others_stand_is_not_half_removed(case, world):
    """VirtualBox itself would unregister it first, and then see that it cannot remove the disk."""
    one_alone(case).make()
    one = case.made[0]
    case.provider.halt(one, Deadline(LONG))
    world.vbox("snapshot", one.id, "take", "theirs")
    world.vbox("clonevm", one.id, "--snapshot", "theirs", "--options", "link", "--name", "theirs", "--register")
    try:
        with pytest.raises(ProviderError, match="machines that infratest has not made stand on its disks"):
            case.provider.destroy(one, Deadline(LONG))
        assert [each.id for each in case.mine()] == [one.id]
        assert info(world, one.id)["VMState"] == "poweroff"
    finally:
        world.vbox("unregistervm", "theirs", "--delete")


def test_a_folder_of_another_name_is_never_removed(tmp_path):
    from infratest.providers.virtualbox.machine import remove_folder

    (tmp_path / "precious").mkdir()
    with pytest.raises(ProviderError, match="its name is none of ours"):
        remove_folder(tmp_path / "precious")
    assert (tmp_path / "precious").exists()


def test_a_record_that_cannot_be_read_is_not_taken_for_nothing(case, world):
    world.vbox("setextradata", "global", "infratest/machine/x", "{")
    try:
        case.provider._registry.changed()
        with pytest.raises(ProviderError, match="is no record of a machine of ours"):
            case.provider.existing(Deadline(LONG))
    finally:
        world.vbox("setextradata", "global", "infratest/machine/x")
        case.provider._registry.changed()


# What is refused


def test_without_a_driver_the_real_refusal_is_told_with_what_to_do(bare, tmp_path):
    case = one_alone(of(bare, tmp_path / "case"))
    with pytest.raises(ProviderError) as raised:
        case.make()
    words = str(raised.value)
    assert "has terminated unexpectedly during startup with exit code 1" in words
    if not Path("/dev/vboxdrv").exists():
        assert "as root `modprobe vboxdrv`" in words
    left = case.mine()
    assert [each.kind for each in left] == ["host"]  # `up` undoes it by this
    case.remove()
    assert hosts_of(bare) == []
    assert case.mine() == []


LOCK = """\
from vboxapi import VirtualBoxManager
manager = VirtualBoxManager(None, None)
session = manager.getSessionObject(manager.getVirtualBox())
manager.getVirtualBox().findMachine("%s").lockMachine(session, manager.constants.LockType_Write)
print("locked", flush=True)
input()
session.unlockMachine()
"""


def test_a_machine_that_another_program_holds_is_told(bare, tmp_path):
    """Held by VirtualBox's own interface, as its window does."""
    case = one_alone(of(bare, tmp_path / "case"))
    with pytest.raises(ProviderError):
        case.make()  # without power it is made and not started
    one = case.mine()[0]
    place = "/usr/lib/virtualbox"
    inside = f"VBOX_PROGRAM_PATH={place} VBOX_SDK_PATH={place}/sdk PYTHONPATH={place}/sdk/bindings/xpcom/python:{place}"
    script = LOCK % one.id
    real = (bare.folder / "real").read_text().replace("/usr/lib/virtualbox/VBoxManage", "/usr/bin/env")
    (bare.folder / "inside").write_text(real)
    (bare.folder / "inside").chmod(0o755)
    words = [bare.folder / "inside", *inside.split(), "python3", "-c", script]
    holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(ProviderError, match=r"locked.*; another program works on this machine: close it"):
            case.provider.destroy(one, Deadline(LONG))
    finally:
        holder.communicate("\n", timeout=30)
    case.provider._registry.changed()
    case.remove()
    assert hosts_of(bare) == []


@pytest.mark.parametrize(
    "options, says",
    [
        ({"image": "nothing.vdi"}, "image: there is no file .*nothing.vdi"),
        ({"image": "debain-12"}, "unknown image 'debain-12': did you mean 'debian-12'"),
        ({"image": "http://x/y.ova"}, "what comes from the web needs `checksum: sha256:"),
        ({"image": "http://x/y", "checksum": "sha256:" + "0" * 64}, "its name must end in .ova"),
        ({"image": "disk.vdi", "checksum": "md5:1"}, "checksum 'md5:1': write sha256:"),
        ({"image": "disk.vdi", "user": "Ü"}, "is no user of a Linux host"),
        ({"image": "disk.vdi", "disks": ("10MiB",) * 9}, "disks: 9 of them; a host can have 8"),
        ({"image": "disk.vdi", "disks": ("2048TiB",)}, "disks: 2048TiB: a disk has a size of 1 MiB to 1024 TiB"),
        ({"image": "disk.vdi", "disks": ("-1GiB",)}, "disks: -1GiB: a disk has a size of "),
        ({"image": "disk.vdi", "customize": ("--vram",)}, "customize: expected lists of texts"),
        ({"image": "disk.vdi", "customize": (("--name", "x"),)}, "customize: --name: a machine is known by it"),
        ({"image": "disk.vdi", "customize": (("--vram", "9", "--groups=/x"),)}, "customize: --groups: it says where"),
        (
            {"image": "disk.vdi", "customize": (("--nat-pf1", "delete", "x"),)},
            "customize: --nat-pf1: hosts are ",
        ),
        ({"image": "disk.vdi", "customize": (("--NIC2", "none"),)}, "customize: --NIC2: the hosts of a stack are in"),
        ({"image": "disk.vdi", "customize": (("--uartmode1", "x"),)}, "customize: --uartmode1: `infratest console`"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(tmp_path, monkeypatch, options, says):
    monkeypatch.setenv("PATH", "/nowhere")
    (tmp_path / "disk.vdi").touch()
    spec = HostSpec(name="web", where="stack.yaml:4", options=HostOptions(**options))
    provider = case_of("virtualbox", tmp_path, {}).provider
    with pytest.raises(UserError, match=f"stack.yaml:4: hosts.web: .*{says}"):
        provider.foresee([spec])


@pytest.mark.parametrize(
    "subnet, says",
    [
        ("10.99.0.0/33", "write one as 10.99.0.0/24"),
        ("10.0.0.0/8", "NAT has 10.0.2.0/24"),
        ("10.9.0.0/30", "10.9.0.0/30 has 1 address, for 2 hosts"),
    ],
)
def test_a_network_that_cannot_be_is_refused(tmp_path, subnet, says):
    case = case_of("virtualbox", tmp_path, {"subnet": subnet})
    with pytest.raises(UserError, match=says):
        case.provider.foresee(case.specs)


def test_a_file_with_another_checksum_is_one_clear_error_and_nothing_is_kept(world, tmp_path):
    image = world.empty_disk(f"{tmp_path.name}.vdi")
    wrong = "0" * 64
    case = one_alone(of(world, tmp_path, image=str(image), checksum=f"sha256:{wrong}"))
    before = world.machines()
    with pytest.raises(ProviderError, match=f"expected sha256:{wrong}, its content has sha256:"):
        case.make()
    assert world.machines() == before
    assert "infratest/image/000000000000" not in world.vbox("getextradata", "global", "enumerate")
    assert case.mine() == []
    right = hashlib.sha256(image.read_bytes()).hexdigest()
    again = one_alone(of(world, tmp_path / "again", image=str(image), checksum=f"sha256:{right}"))
    try:
        again.make()
        assert again.states() == [RUNNING]
    finally:
        again.remove()


def test_a_full_disk_in_the_middle_of_an_import_leaves_nothing(tmp_path):
    """On a file system of 24 MiB."""
    place = tmp_path / "world" / "small"
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24M", "small", place], check=True)
    try:
        with virtualbox_world(tmp_path / "world", guest="sshd", machines=place) as world:
            image = tmp_path / "world" / "large.raw"
            image.write_bytes(os.urandom(40 * 2**20))
            case = one_alone(of(world, tmp_path / "case", image=str(image)))
            with pytest.raises(
                ProviderError, match=r"VERR_DISK_FULL.*; the disk is full: free some space, or have VirtualBox"
            ):
                case.make()
            assert world.machines() == []
            assert [path.name for path in place.iterdir()] == []
            assert "infratest/" not in world.vbox("getextradata", "global", "enumerate")
    finally:
        subprocess.run(["umount", place], check=True)


def test_an_import_that_was_killed_is_swept_away_by_the_next(world, tmp_path):
    """The record says of a machine that it is not whole; whatever stands under its name goes."""
    image = world.empty_disk(f"{tmp_path.name}.vdi")
    name = "infratest-image-half-00000000"
    folder = world.folder / "vms" / name
    world.vbox("createvm", "--name", name, "--register")
    (folder / "half.vdi").write_text("half")
    half = {
        "id": "half", "uuid": "", "name": name, "folder": str(folder), "image": "x", "source": "x", "made": 1.0,
        "login": "seed", "user": "", "controller": "", "port": 0,
    }  # fmt: skip
    world.vbox("setextradata", "global", "infratest/image/half", json.dumps(half))
    case = one_alone(of(world, tmp_path, image=str(image)))
    try:
        case.make()
        assert name not in world.machines()
        assert not folder.exists()
        assert "infratest/image/half" not in world.vbox("getextradata", "global", "enumerate")
    finally:
        case.remove()


# Images


def test_an_appliance_is_imported(world, tmp_path):
    """Exported by the real VBoxManage, with rules and networks that clones must not have."""
    disk = world.empty_disk(f"{tmp_path.name}-source.vdi")
    world.vbox("createvm", "--name", "source", "--ostype", "Debian_64", "--register")
    world.vbox("storagectl", "source", "--name", "IDE Controller", "--add", "ide")
    at = ("--storagectl", "IDE Controller", "--port", "0", "--device", "0", "--type", "hdd")
    world.vbox("storageattach", "source", *at, "--medium", str(disk))
    world.vbox("modifyvm", "source", "--natpf1", "ssh,tcp,127.0.0.1,2222,,22", "--nic2", "nat")
    appliance = world.folder / "one.ova"
    world.vbox("export", "source", "-o", str(appliance))
    case = one_alone(of(world, tmp_path / "case", image=str(appliance)))
    try:
        case.make()
        told = info(world, case.made[0].id)
        assert [key for key in told if key.startswith("Forwarding")] == ["Forwarding(0)"]
        assert told["nic2"] == "intnet"
        assert told["infratest-0-0"].endswith("/seed.iso")
        assert any(key.startswith("IDE Controller-ImageUUID") for key in told)
    finally:
        case.remove()
        world.vbox("unregistervm", "source", "--delete")


def test_two_machines_in_one_appliance_are_refused(world, tmp_path):
    for name in ("first", "second"):
        world.vbox("createvm", "--name", name, "--register")
    appliance = world.folder / "two.ova"
    try:
        world.vbox("export", "first", "second", "-o", str(appliance))
    finally:
        for name in ("first", "second"):
            world.vbox("unregistervm", name, "--delete")
    case = one_alone(of(world, tmp_path / "case", image=str(appliance)))
    with pytest.raises(ProviderError, match="holds 2 machines: a host is made of one"):
        case.make()
    assert case.mine() == []


def test_a_qcow2_disk_is_taken_over(world, tmp_path):
    image = world.folder / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, "16M"], check=True)
    case = one_alone(of(world, tmp_path / "case", image=str(image)))
    try:
        case.make()
        assert str(image) not in world.vbox("list", "hdds")
    finally:
        case.remove()


def test_a_machine_whose_folder_another_stack_has_is_not_made(world, tmp_path):
    """`x-one` of `contract` and `one` of `contract-x` in one state directory: one folder."""
    first, second = one_alone(of(world, tmp_path)), one_alone(of(world, tmp_path))
    first.specs = (replace(first.specs[0], name="x-one"),)
    second.provider.context = replace(second.provider.context, stack="contract-x")
    second.lease = replace(second.lease, stack="contract-x")
    try:
        first.make()
        (made,) = hosts_of(world)
        with pytest.raises(ProviderError, match=f"host one: {made} is the folder of host x-one of another stack, too"):
            second.make()
        assert (hosts_of(world), first.states()) == ([made], [RUNNING])
        assert [each.name for each in second.mine()] == ["x-one"]
    finally:
        first.remove()


def test_hosts_of_two_environments_have_no_machine_and_no_folder_in_common():
    names = [
        machine_name("0123456789", stack, env, host)
        for stack, env, host in [
            ("shop", "eu-west", "web"), ("shop", "eu", "west-web"), ("shop", "", "eu-west-web"),
            ("shop-eu", "west", "web"),
        ]
    ]  # fmt: skip
    assert len({*names}) == 4
    assert names[2] == "infratest-shop-eu-west-web-01234567"
    assert all(name.startswith("infratest-shop-eu-west-web-") for name in names)
