from __future__ import annotations

import json

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.inventories.terraform import name_at
from infratest.testing.inventories import opened
from tests.contracts.case_files import programs
from tests.contracts.cases.inventories.terraform import AWS, HETZNER, resource, state


def hosts(folder, text, **options):
    (folder / "show.json").write_text(text)
    return opened("terraform", {"path": "show.json", **options}, folder).hosts(Deadline(5)).hosts


def test_which_address_is_used_is_an_option(tmp_path):
    assert [host.address for host in hosts(tmp_path, state(AWS, HETZNER))] == ["203.0.113.1", "2001:db8::5"]
    assert [host.address for host in hosts(tmp_path, state(AWS, HETZNER), address="private")] == [
        "10.0.0.1",
        "10.4.0.1",
    ]
    (only,) = hosts(
        tmp_path, state(resource("aws_instance", "a", public_ip="", private_ip="10.0.0.1")), address="public"
    )
    assert only.problem == "it has no public address there: is it stopped?"


@pytest.mark.parametrize("kind", ["linode_instance", "aws_lightsail_instance", "azurerm_windows_virtual_machine"])
def test_a_server_that_is_not_read_here_is_told_and_not_left_out(tmp_path, kind):
    (only,) = hosts(tmp_path, state(resource(kind, "x", ip_address="192.0.2.1")))
    assert only.problem.startswith(f"{kind} is not read here; known are aws_instance, ")


def test_what_is_sensitive_is_not_read(tmp_path):
    secret = AWS | {"sensitive_values": {"tags": {"env": True}, "public_ip": True}}
    (only,) = hosts(tmp_path, state(secret))
    assert (only.address, only.labels) == ("10.0.0.1", {"Name": "w"})
    (only,) = hosts(tmp_path, state(AWS | {"sensitive_values": True}))
    assert only.problem
    assert only.labels == {}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("aws_instance.web", "web"),
        ("aws_instance.web[10]", "web-10"),
        ('aws_instance.web["a.b[0]"]', "web-a.b[0]"),
        ('module.a.module.b["c"].aws_instance.web[0]', "a-b-c-web-0"),
        ('module.m["q\\"x"].aws_instance.y', 'm-q\\"x-y'),
        ("module.module.aws_instance.aws_instance", "module-aws_instance"),
    ],
)
def test_a_name_is_the_resources(address, name):
    assert name_at(address) == name


def test_a_folder_is_asked_of_terraform(tmp_path, monkeypatch):
    # A stand-in for the real program, which prints what that printed.
    (tmp_path / "infra").mkdir()
    text = state(AWS).replace("'", "")
    script = f"#!/bin/sh\n[ \"$*\" = 'show -json' ] && [ \"$PWD\" = '{tmp_path}/infra' ] && echo '{text}'\n"
    monkeypatch.setenv("PATH", f"{programs(tmp_path, {'terraform': script})}:/usr/bin:/bin")
    answer = opened("terraform", "infra", tmp_path).hosts(Deadline(10))
    assert [host.name for host in answer.hosts] == ["web-0"]
    assert answer.asked
    (tmp_path / "bin/terraform").write_text("#!/bin/sh\necho 'Error: No valid credential' >&2\nexit 1\n")
    with pytest.raises(InventoryError, match=r"show -json` ended with exit 1: Error: No valid credential.*; run "):
        opened("terraform", "infra", tmp_path).hosts(Deadline(10))


def test_a_folder_without_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InventoryError, match="neither `terraform` nor `tofu` is in PATH"):
        opened("terraform", ".", tmp_path).hosts(Deadline(5))


def test_modules_in_modules(tmp_path):
    deep = {"resources": [AWS], "child_modules": []}
    text = json.loads(state())
    text["values"]["root_module"]["child_modules"] = [{"child_modules": [deep]}]
    assert [host.name for host in hosts(tmp_path, json.dumps(text))] == ["web-0"]
