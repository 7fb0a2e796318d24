"""Hosts whose names at their provider are equal, joined of other parts: whose one is says its lease, never its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import GONE, RUNNING
from infratest.lifecycle import timer
from infratest.providers.base import Context, HostSpec, Lease
from infratest.providers.container import Container, Options
from infratest.providers.container.engine import HOST_LABEL, find
from infratest.providers.container.leased import created
from infratest.stack.declared import StackFile

ID = "0123456789abcdef"
#: What a joined name was made of, and another way to it: stack, environment, host.
ALIKE = [
    (("shop", "eu", "west-web"), ("shop", "eu-west", "web")),
    (("shop", "dev", "web"), ("shop-dev", "", "web")),
]


def context(folder: Path, stack: str, env: str) -> Context:
    (folder / "id").write_text(f"{ID}\n")
    return Context(folder=folder, state=folder, stack=stack, env=env)


def labels(stack: str, env: str, host: str) -> dict[str, str]:
    return {**Lease(owner="me@here", state_id=ID, stack=stack, env=env, expires=0).labels(), HOST_LABEL: host}


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Have a client that answers as docker does, with one container, whose name is given; nothing can be made."""

    def made(there: tuple[str, str, str]) -> str:
        name = "-".join(["infratest", *(part for part in there if part), ID[:8]])
        held = {"Name": f"/{name}", "Id": "c" * 64, "State": {"Status": "running"}}
        (tmp_path / "held.json").write_text(json.dumps([held | {"Config": {"Labels": labels(*there)}}]))
        (tmp_path / "docker").write_text(
            "#!/bin/sh\n"
            f'case "$1 $2 $3" in info*) echo \'{{"ServerVersion": "27.0"}}\';;'
            f" 'container inspect {name}') cat {tmp_path}/held.json;;"
            f" create*) echo 'Conflict. The name is in use. You have to remove that container.' >&2; exit 1;;"
            " *) exit 9;; esac\n"
        )
        (tmp_path / "docker").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
        return name

    return made


@pytest.mark.parametrize(("there", "asked"), ALIKE)
def test_a_container_of_another_environment_is_no_host_of_this_one(tmp_path, client, there, asked):
    """Each of the two asks for it by the same name."""
    client(there)
    states = []
    for stack, env, host in (there, asked):
        provider = Container(Options(engine="docker"), context(tmp_path, stack, env))
        states += [one.state for one in provider.hosts([HostSpec(name=host)], Deadline(30))]
    assert states == [RUNNING, GONE]


def test_who_has_the_name_of_a_host_that_is_to_be_made_is_told_and_not_that_it_is_to_be_removed(tmp_path, client):
    there, asked = ALIKE[0]
    name = client(there)
    engine = find("docker", Deadline(30))
    with pytest.raises(ProviderError, match=r"is host west-web of shop/eu: .* rename the host"):
        created(engine, context(tmp_path, *asked[:2]), name, ["create", "--name", name, "x"], Deadline(30))
    own = context(tmp_path, *there[:2])  # of an earlier run that was killed
    with pytest.raises(ProviderError, match="The name is in use"):
        created(engine, own, name, ["create", "--name", name, "x"], Deadline(30))


@pytest.mark.parametrize(("there", "asked"), ALIKE)
def test_what_is_of_a_stack_is_told_by_each_part_of_its_lease(tmp_path, there, asked):
    mine = context(tmp_path, *there[:2])
    assert mine.owns(labels(*there), ID)
    assert not mine.owns(labels(*asked), ID)
    assert not mine.owns(labels(*there), ID[::-1])
    assert not mine.owns({}, ID)


def test_two_stacks_of_one_state_directory_have_two_timers(tmp_path):
    places = [("shop", "dev"), ("shop-dev", ""), ("shop", "dev-eu"), ("shop-dev", "eu")]
    stacks = [StackFile(name=name, env=env, path=tmp_path / "stack.yaml", folder=tmp_path) for name, env in places]
    names = {timer.of(each, ID, user=False, root=tmp_path).name for each in stacks}
    assert len(names) == len(stacks), names
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789:-") for name in names)  # systemd.unit(5)
