"""Servers of a cloud as hosts: moto's EC2, with a real sshd behind each server, and what clouds do on bad days."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.lifecycle.destroy import destroy
from infratest.lifecycle.operation import Lifecycle
from infratest.lifecycle.reap import reap
from infratest.lifecycle.up import up
from infratest.stack import file
from infratest.store.directory import StateDir
from infratest.testing.inventories import opened
from tests.contracts.cases.inventories.cloud import REGION, account, end, make
from tests.worlds import moto_ec2
from tests.worlds.fault_proxy import Fault, Proxy, proxy
from tests.worlds.installed import Place, one_monitoring_line

LISTING = "DescribeInstances"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name, value in moto_ec2.credentials().items():
        monkeypatch.setenv(name, value)
    with proxy(moto_ec2.cloud().url) as running:
        yield running


@pytest.fixture
def servers() -> Iterator[list[str]]:
    ids = [make("web", env="prod"), make("web", env="dev")]
    yield ids
    end(*ids)


def listed(url, seconds=30, **options):
    given = {"driver": "ec2", "region": REGION, "endpoint": url, **options}
    return opened("cloud", given, Path("/")).hosts(Deadline(seconds))


def test_several_servers_of_one_name_have_their_ids_behind_it(api, servers):
    found = listed(api.url).hosts
    assert [host.name for host in found] == [f"web-{id}" for id in servers]
    assert [host.labels["env"] for host in found] == ["prod", "dev"]


def test_further_regions_are_asked_too_and_are_a_label(api, servers):
    found = listed(api.url, region="us-west-2", regions=[REGION]).hosts
    assert [(host.labels["server-region"], host.where) for host in found] == [(REGION, id) for id in servers]


def test_a_server_without_an_address_is_told_and_not_left_out(api, servers):
    account().call("halting", lambda lib: account().driver.stop_server(lib, servers[0]), Deadline(30))
    first, second = listed(api.url, address="public").hosts
    assert first.labels["server-state"] == "stopped"
    assert "it is stopped and has no public address; server-state=running chooses those that run" in first.problem
    assert second.problem == ""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 500, "body": "<html>oops</html>"}, "HTTP 500"),
        ({"status": 503}, "HTTP 503"),
        ({"cut": True}, "an answer that cannot be read"),
        ({"change": lambda data: data[:400]}, "an answer that cannot be read"),
    ],
)
def test_a_cloud_that_fails_is_no_empty_one(api, servers, fault, words):
    api.have(Fault(times=1000, **fault))
    with pytest.raises(InventoryError) as caught:
        listed(api.url, seconds=3)
    assert words in str(caught.value)


def test_who_is_not_let_in_is_told(api, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-one")
    with pytest.raises(InventoryError, match="listing the servers in eu-west-1: ec2 in eu-west-1 answered"):
        listed(api.url, seconds=5)
    with pytest.raises(InventoryError, match="unknown region 'eu-wst-1'"):
        listed(api.url, region="eu-wst-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    with pytest.raises(InventoryError, match="no credentials"):
        listed(api.url)


def test_the_key_may_be_a_parameter_and_stands_nowhere(api, servers, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("CLOUD_SECRET", moto_ec2.SECRET)
    text = f"""\
stack: s
provider:
  name: existing
  from:
    - cloud: {{driver: ec2, region: {REGION}, endpoint: "{api.url}", key: "{{param.key}}", secret: "{{param.secret}}"}}
parameters:
  key: {{type: string, default: {moto_ec2.KEY}}}
  secret: {{type: string, secret: true, from: {{env: CLOUD_SECRET}}}}
"""
    (tmp_path / "stack.yaml").write_text(text)
    state = StateDir(tmp_path / "state")
    assert len(file.load(tmp_path / "stack.yaml", state=lambda name, folder: state).hosts) == 2
    assert moto_ec2.SECRET not in "".join(path.read_text() for path in kept(tmp_path / "state"))


def test_a_cloud_that_is_away(api):
    with pytest.raises(InventoryError, match="no connection"):
        listed("http://127.0.0.1:1/", seconds=3)


STACK = """\
stack: watched
provider:
  name: existing
  pin: true
  agent: false
  from: [{{cloud: {{driver: ec2, region: us-east-1, endpoint: "{url}"}}, where: "role=watched"}}]
defaults: {{user: {user}, port: {port}, key: {key}, config: none}}
features: [ok.feature]
"""


def test_a_query_to_a_cloud_feeds_every_face(api, tmp_path):
    made = tmp_path / "made"
    made.mkdir()
    own = {key.replace("_", "-"): value for key, value in moto_ec2.host_options().items()}
    declared = {"stack": "shop", "provider": {"name": "cloud", **moto_ec2.options()}, "defaults": own,
                "hosts": {"web": {}, "db": {}}}  # fmt: skip
    (made / "stack.yaml").write_text(json.dumps(declared))
    life = Lifecycle(file.load(made / "stack.yaml"), StateDir(made / ".infratest"), deadline=Deadline(60))
    try:
        up(life)
        ids = {one.name: one.id for one in life.provider.existing(Deadline(30)) if one.kind == "host"}
        tag(ids["web"], role="watched", Name="web")
        place = Place(tmp_path / "place", moto_ec2.credentials())
        key = next(path for path in (made / ".infratest/keys").iterdir() if b"PRIVATE" in path.read_bytes())
        text = STACK.format(url=api.url, user=own["user"], port=own["ssh-port"], key=key)
        place.write({"stack.yaml": text})
        (host,) = json.loads(place.run("infratest status --format json").out)["hosts"]
        assert (host["name"], host["state"]) == ("web", "declared")
        report = json.loads(place.run("infratest test --format json --host role=watched").out)
        assert [(each["host"], each["state"]) for each in report["results"]] == [("web", "ok")]
        for _ in range(3):
            one_monitoring_line(place.run("check_infratest"), "OK")
        assert api.calls == {LISTING: 1}
        assert "1 passed" in place.run("pytest -p no:cacheprovider -q").out
        assert moto_ec2.SECRET not in "".join(path.read_text(errors="replace") for path in kept(place.folder))
    finally:
        destroy(life)
        reap(life)


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def tag(id: str, **tags: str) -> None:
    """Tag a server as whoever owns it would."""
    form = {"Action": "CreateTags", "ResourceId.1": id.rpartition("/")[2]}
    for number, (key, value) in enumerate(tags.items(), 1):
        form |= {f"Tag.{number}.Key": key, f"Tag.{number}.Value": value}
    account("us-east-1").call("tagging", lambda lib: lib.connection.request("/", params=form), Deadline(30))
