"""Hosts of registry images: a real registry, images of our own, a real engine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infratest.deadline import Deadline
from infratest.errors import NoShell, ProviderError, UserError
from infratest.hosts import RUNNING, STOPPED
from infratest.providers.base import HostSpec
from infratest.providers.container import HostOptions
from infratest.providers.container.engine import Engine, find
from infratest.providers.container.pulling import our_tag, pulled
from infratest.stack.open import open_transport
from infratest.testing.providers import answers
from infratest.testing.waiting import wait_until
from tests.worlds.container_stack import Stack
from tests.worlds.registry import SERVICE, Registry, registry, runs, small_root
from tests.worlds.tiny_container import engine as engine_words

pytestmark = pytest.mark.hosts


@dataclass(frozen=True)
class World:
    """The registry, and what is in it: an image that serves, by tag and digest, one of a shell, one without any."""

    registry: Registry
    digest: str

    def spec(self, name: str, image: str, **more: object) -> HostSpec:
        options = HostOptions(image=self.registry.name(image), **more)  # type: ignore[arg-type]
        return HostSpec(name=name, options=options, where="stack.yaml:3")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find("auto", Deadline(60))


@pytest.fixture(scope="module")
def world(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with registry(tmp_path_factory.mktemp("registry")) as running:
        digest = running.push("web:1", small_root(), runs(*SERVICE))
        running.push("shell:1", small_root(), runs("sh"))
        running.push("bare:1", small_root(sh=False), runs(*SERVICE))
        running.push("ends:1", small_root(), runs("/bin/false"))
        running.push("nothing:1", small_root(sh=False))
        yield World(running, digest)
        prefix = our_tag(running.name("x:1")).rpartition("/")[0]
        tags = engine.run(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], Deadline(60)).split()
        engine.run(["image", "rm", *(tag for tag in tags if tag.startswith(prefix))], Deadline(60))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path)
    try:
        yield stack
    finally:
        stack.down()


def said(stack: Stack, spec: HostSpec, *words: str) -> str:
    """Return what a command prints on a host, by the host's own way in."""
    transport = open_transport(stack.host(spec))
    try:
        transport.open(Deadline(30))
        return transport.run(list(words), Deadline(30)).stdout.decode().strip()
    finally:
        transport.close()


def asked(stack: Stack, spec: HostSpec) -> str:
    """Return what a host's web server says to another host."""
    return said(stack, spec, "wget", "-q", "-O", "-", f"http://{spec.name}/")


def test_an_images_own_command_runs_and_the_way_in_is_the_engine(
    world: World, stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    web, pinned = world.spec("web", "web:1"), world.spec("pinned", f"web@{world.digest}")
    stack.up(web, pinned)
    for spec in (web, pinned):
        host = stack.host(spec)
        assert (host.state, host.transport) == (RUNNING, "container")
        assert said(stack, spec, "cat", "/proc/1/comm") == "httpd"
        assert wait_until(lambda spec=spec: asked(stack, spec)) == "served"  # type: ignore[misc]
    assert "web:1 has no systemd, so its own command runs (/bin/httpd -f -v -p 80 -h /srv)" in caplog.text
    assert "commands go by the engine, transport container" in caplog.text


def test_what_was_pulled_is_kept_under_a_tag_of_ours_as_its_registry_has_it(
    world: World, stack: Stack, engine: Engine
) -> None:
    web = world.spec("web", "web:1")
    stack.up(web)
    name = world.registry.name("web:1")
    assert engine.exists("image", our_tag(name), Deadline(30))
    assert not engine.exists("image", name, Deadline(30))
    assert said(stack, web, "ls", "/etc/infratest") == ""
    config = engine.inspect([stack.made["web"].id], Deadline(30))[0]
    assert config["HostConfig"]["CapAdd"] is None
    assert config["Config"]["Labels"]["infratest.state"] == stack.state_id


def test_a_tag_that_somebody_has_is_left_to_him(world: World, engine: Engine) -> None:
    name = world.registry.name("shell:1")
    engine_words("pull", name)
    try:
        assert pulled(engine, name, Deadline(60)) == our_tag(name)
        assert engine.exists("image", name, Deadline(30))
        engine.run(["image", "rm", our_tag(name)], Deadline(30))
        assert engine.exists("image", name, Deadline(30))
    finally:
        engine_words("image", "rm", name)


def test_a_shell_waits_and_a_halted_one_is_started_again(world: World, stack: Stack) -> None:
    spec = world.spec("shell", "shell:1")
    stack.up(spec)
    assert said(stack, spec, "cat", "/proc/1/comm") == "sh"
    said(stack, spec, "sh", "-c", "echo kept > /root/note")
    stack.provider.halt(stack.made["shell"], Deadline(60))
    assert stack.host(spec).state == STOPPED
    stack.provider.start(stack.made["shell"], Deadline(60))
    assert said(stack, spec, "cat", "/root/note") == "kept"


@pytest.mark.parametrize("command", ["sleep '86400'", ("sleep", "86400")])
def test_a_hosts_own_command_runs_in_place_of_the_images(
    world: World, stack: Stack, command: str | tuple[str, ...]
) -> None:
    spec = world.spec("web", "web:1", command=command)
    stack.up(spec)
    assert said(stack, spec, "sh", "-c", "tr '\\0' ' ' </proc/1/cmdline") == "sleep 86400"


def test_its_variables_are_its_own_and_stand_in_no_process_list(
    world: World, stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = "very secret 1 # \"quoted\" $HOME 'x' = é"
    spec = world.spec("shell", "shell:1", environment={"DB_PASSWORD": odd, "EMPTY": ""})
    log, docker = tmp_path / "calls", shutil.which("docker")
    shim = tmp_path / "bin" / "docker"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>{log}\nexec {docker} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
    stack.up(spec)
    assert said(stack, spec, "sh", "-c", 'echo "$DB_PASSWORD/$EMPTY/"') == f"{odd}//"
    assert said(stack, spec, "sh", "-c", "tr '\\0' '\\n' </proc/1/environ | grep -c quoted") == "1"
    assert "--env-file /dev/stdin" in log.read_text()
    assert "very secret" not in log.read_text()
    assert spec.made_from()["environment"] == ["DB_PASSWORD", "EMPTY"]


@pytest.mark.parametrize(
    "given, words",
    [
        ({"2ND": "x"}, r"stack\.yaml:3: hosts\.web\.environment\.2ND: no variable is called so"),
        ({"A": "x\ny"}, r"environment\.A: its value has more than one line"),
        ({"A": 1}, r"environment\.A: found 1, allowed is text: write it in quotes"),
    ],
)
def test_variables_that_cannot_be_are_refused_before_anything_is_made(
    world: World, stack: Stack, given: dict[str, object], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        stack.provider.foresee([world.spec("web", "web:1", environment=given)])


def test_an_image_without_a_shell_runs_takes_no_commands_and_serves_a_host_of_a_recipe(
    world: World, stack: Stack
) -> None:
    bare, client = world.spec("bare", "bare:1"), HostSpec(name="client")
    stack.up(bare, client)
    assert stack.host(bare).state == RUNNING
    with pytest.raises(NoShell, match=r"cannot run a shell: .*the transport needs a POSIX sh in the image"):
        said(stack, bare, "true")
    assert stack.host(client).transport == "ssh"
    wait_until(lambda: answers(stack.host(client)), 60)
    assert wait_until(lambda: said(stack, client, "curl", "-s", "http://bare/")) == "served"


@pytest.mark.parametrize(
    "image, more, words",
    [
        ("web:1", {"transport": "ssh"}, r"stack\.yaml:3: hosts\.web\.transport: ssh: image .*web:1 has no systemd"),
        ("nothing:1", {}, r"hosts\.web\.image: .*nothing:1: it has no command of its own and no sh"),
    ],
)
def test_what_an_image_cannot_do_is_refused_in_words(
    world: World, stack: Stack, image: str, more: dict[str, str], words: str
) -> None:
    given = world.spec("web", image)
    spec = HostSpec(name="web", options=given.options, where=given.where, transport=more.get("transport", ""))
    with pytest.raises(UserError, match=words):
        stack.up(spec)
    assert [one.kind for one in stack.mine()] == ["network"]


def refused(engine: Engine, name: str) -> str:
    with pytest.raises(ProviderError) as error:
        pulled(engine, name, Deadline(60))
    return str(error.value)


def test_what_a_registry_does_not_have_is_told(world: World, engine: Engine) -> None:
    for image in ("web:9", "nobody:1"):
        message = refused(engine, world.registry.name(image))
        assert "the registry has no such image, or not with this tag" in message
        assert message.startswith(f"image {world.registry.name(image)} from {world.registry.address}: ")


def test_a_registry_that_nobody_answers_for_is_told(engine: Engine) -> None:
    message = refused(engine, "127.0.0.1:1/app:1")
    assert "image 127.0.0.1:1/app:1 from 127.0.0.1:1: the registry cannot be reached: " in message
    assert "connection refused" in message


def test_a_login_that_a_registry_wants_is_told(engine: Engine, tmp_path: Path) -> None:
    with registry(tmp_path, auth=True) as running:
        message = refused(engine, running.name("app:1"))
    assert "the registry refused the login: " in message
    assert f"login {running.address}`" in message


def test_a_registry_without_tls_that_is_not_on_loopback_is_told(engine: Engine, tmp_path: Path) -> None:
    network = engine.run(
        ["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"], Deadline(30)
    )
    with registry(tmp_path, f"{network.strip()}:0") as running:
        message = refused(engine, running.name("app:1"))
    assert "TLS with the registry failed: " in message
    assert "server gave HTTP response to HTTPS client" in message


def test_a_rate_limit_is_told(engine: Engine) -> None:
    """By a server that answers as Docker Hub does beyond its limit; a registry of one's own has none."""

    class Limited(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'
            self.send_response(429 if "manifests" in self.path else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body if self.command == "GET" else b"")

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Limited) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        message = refused(engine, f"127.0.0.1:{server.server_address[1]}/app:1")
        server.shutdown()
        thread.join()
    assert "the registry's rate limit is reached: " in message
