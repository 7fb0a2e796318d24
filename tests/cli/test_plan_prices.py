"""`infratest plan` on a cloud: what hosts would be made of and what that costs, by moto's EC2; nothing is made."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import forked, moto_ec2

BEST = "reached at its public address, else its private one"
FEATURE = 'Feature: f\n  Scenario: s\n    Then the file "/etc/hosts" exists\n'


DEFAULTS = {"image": moto_ec2.IMAGE}


class Project:
    """A folder with a stack file on EC2, and what infratest does in it."""

    def __init__(
        self, folder: Path, hosts: dict[str, Any], provider: dict[str, Any], defaults: dict[str, Any] = DEFAULTS
    ) -> None:
        self.folder = folder
        (folder / "features").mkdir()
        (folder / "features" / "a.feature").write_text(FEATURE)
        stack = {"stack": "shop", "provider": provider, "defaults": defaults, "hosts": hosts}
        (folder / "stack.yaml").write_text(json.dumps(stack))

    def plan(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("INFRATEST_")}
        around = clean | moto_ec2.credentials() | environment
        return forked.run(["plan", *words], cwd=self.folder, env=around, timeout=60)


@pytest.fixture
def ec2() -> dict[str, Any]:
    return {"name": "cloud", **moto_ec2.options()}


def test_image_size_and_price_of_each_host_and_of_all(tmp_path, ec2):
    project = Project(tmp_path, {"web": {"count": 2}, "db": {"size": {"cpus": 2, "memory": "7GiB"}}}, ec2)
    done = project.plan()
    assert done.returncode == 0, done.stderr
    first, *lines = done.stdout.splitlines()
    assert first == "hosts to be made"
    image = r"image debian-12-amd64-20260101-1 \(ami-\w+\)"
    assert re.fullmatch(
        f"  web-1: {image}, size t3a.micro \\(2 CPUs, 1 GiB memory\\), 0.0094 USD an hour; {BEST}", lines[0]
    )
    assert re.fullmatch(f"  web-2: {image}, size t3a.micro .*", lines[1])
    assert re.fullmatch(
        f"  db: {image}, size t3a.large \\(2 CPUs, 8 GiB memory\\), 0.0752 USD an hour; {BEST}", lines[2]
    )
    together = r"  together 0.094 USD an hour; as libcloud \d+\.\d+\.\d+ knows it, of \d{4}-\d{2}-\d{2}"
    assert re.fullmatch(together, lines[3])
    assert "  s@db: 1 check" in lines
    assert not (tmp_path / ".infratest").exists()


def test_which_address_is_used_and_the_host_to_go_through(tmp_path, ec2):
    hosts = {"web": {"address": "public v6"}, "db": {"address": "private", "jump": "ops@gate.example"}}
    project = Project(tmp_path, hosts, ec2)
    _, web, db, *_ = project.plan().stdout.splitlines()
    assert web.endswith("; reached at its public IPv6 address")
    assert db.endswith("; reached at its private address, through ops@gate.example")
    document = json.loads(project.plan("--format", "json").stdout)
    assert [one["reached"] for one in document["hosts"]] == [
        "its public IPv6 address", "its private address, through ops@gate.example",
    ]  # fmt: skip


def test_a_host_that_is_there_says_by_which_host_it_is_reached(tmp_path):
    hosts = {"web": {"address": "192.0.2.7", "jump": "ops@gate.example"}}
    done = Project(tmp_path, hosts, {"name": "existing"}, {}).plan()
    assert "web through ops@gate.example: 1 fact in one trip" in done.stdout


def test_as_json_of_the_hosts_that_are_asked_for(tmp_path, ec2):
    project = Project(tmp_path, {"web": {"count": 2}, "db": {}}, ec2)
    document = json.loads(project.plan("--format", "json", "--host", "web-2").stdout)
    (host,) = document["hosts"]
    assert (host["host"], host["size"], host["cpus"], host["price"], host["currency"]) == (
        "web-2", "t3a.micro", 2, 0.0094, "USD",
    )  # fmt: skip
    assert document["hourly"] == {"USD": 0.0094}


def test_what_cannot_be_had_is_told_with_the_nearest_names_beside_the_rest(tmp_path, ec2):
    hosts = {"web": {}, "db": {"image": "debian-12-arm64-*"}, "app": {"size": "t3.mikro"}}
    done = Project(tmp_path, hosts, ec2).plan()
    assert done.returncode == 2
    _, web, db, app, together, *_ = done.stdout.splitlines()
    assert "size t3a.micro" in web
    assert "  db: cannot be made: " in db
    assert "debian-12-amd64-20260101-1" in db
    assert "the nearest are t3.micro" in app
    assert together.startswith("  together 0.0094 USD an hour; ")
    assert "  s@db: 1 check" in done.stdout


def test_a_price_that_is_not_known_is_not_nothing(tmp_path, ec2):
    printed = Project(tmp_path, {"web": {}, "old": {"size": "t1.micro"}}, ec2).plan().stdout
    assert re.search(r"  old: .*, size t1.micro \(.*\), price not known; .*\n", printed)
    assert "  together 0.0094 USD an hour, without old, whose price is not known; " in printed


def test_a_cloud_that_does_not_answer_hides_no_feature(tmp_path, ec2):
    done = Project(tmp_path, {"web": {}}, ec2 | {"endpoint": "http://127.0.0.1:9/"}).plan("--timeout", "3s")
    assert done.returncode == 1
    assert "what hosts would be made of is not known: listing images: ec2 in us-east-1 answered" in done.stderr
    assert "s@web: 1 check" in done.stdout


def test_without_credentials(tmp_path, ec2):
    done = Project(tmp_path, {"web": {}}, ec2).plan(AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == 2
    assert "what hosts would be made of is not known: provider cloud, driver ec2: no credentials" in done.stderr


@pytest.mark.parametrize("provider", ["container", "simulator", "qemu", "libvirt", "virtualbox", "fake"])
def test_where_nothing_is_chosen_nothing_is_said(tmp_path, provider):
    from infratest import outsiders
    from infratest.providers._choices import Chooses

    assert not issubclass(outsiders.get("provider", provider), Chooses)
