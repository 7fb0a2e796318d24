"""The fact `container` and its sentences, by a real docker with objects of each kind."""

from __future__ import annotations

import os
import subprocess
import uuid

import pytest

from infratest.errors import FactError, UserError
from infratest.facts.base import Answer
from infratest.facts.container import ContainerFact, name_of, variable_of
from infratest.facts.docker_daemon import DockerDaemonFact
from infratest.testing.waiting import wait_until
from tests.facts.test_address import tools
from tests.worlds.asked import ask
from tests.worlds.shells import SHELLS, shell
from tests.worlds.tiny_container import engine, found, running_container


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """A container that runs, healthy, one without anything, one that is over and was restarted; and what they use."""
    mark = f"infratest-{uuid.uuid4().hex[:8]}"
    names = {kind: f"{mark}-{kind}" for kind in ("volume", "network", "busy", "over", "paused")}
    folder = tmp_path_factory.mktemp("mounted")
    with running_container() as plain:
        image = engine("container", "inspect", "-f", "{{.Image}}", plain)
        engine("tag", image, f"{mark}:7")
        try:
            engine("volume", "create", names["volume"])
            engine("network", "create", names["network"])
            engine("run", "-d", "--init", "--name", names["busy"], "--network", names["network"],
                   "-p", "127.0.0.1::6379", "-v", f"{names['volume']}:/data", "-v", f"{folder}:/etc/host:ro",
                   "-e", "TOKEN=s3cret-here", "-e", "EMPTY=", "-e", "LINES=a\nTOKEN=other\nMODE=prod",
                   "-e", "SECOND=x=\u00fc 'q\" *", "--health-cmd", "true", "--health-interval", "1s",
                   f"{mark}:7", "/bin/sleep", "3600")  # fmt: skip
            engine("run", "-d", "--name", names["over"], "--restart", "on-failure:2", "--network", "none", f"{mark}:7",
                   "/bin/sh", "-c", "exit 3")  # fmt: skip
            engine(
                "run", "-d", "--init", "--name", names["paused"], "--network", "none", f"{mark}:7", "/bin/sleep", "3600"
            )
            engine("pause", names["paused"])
            wait_until(lambda: engine("inspect", "-f", "{{.State.Health.Status}}", names["busy"]) == "healthy", 60)
            wait_until(lambda: _state(names["over"]) == "exited 2", 60)
            port = engine("port", names["busy"], "6379/tcp").rpartition(":")[2]
            yield names | {"plain": plain, "image": f"{mark}:7", "id": image, "port": port, "folder": str(folder)}
        finally:
            for words in (("rm", "-f", names["busy"], names["over"], names["paused"]), ("rmi", "-f", f"{mark}:7"),
                          ("volume", "rm", "-f", names["volume"]), ("network", "rm", names["network"])):  # fmt: skip
                subprocess.run([found().program, *words], capture_output=True, check=False)


def _state(name):
    return engine("container", "inspect", "-f", "{{.State.Status}} {{.RestartCount}}", name)


def asked(*arguments, path=None, more=None):
    words = ["sh", "-c", ContainerFact().ask(arguments)]
    variables = os.environ | (more or {}) | ({"PATH": path} if path else {})
    done = subprocess.run(words, env=variables, capture_output=True, timeout=60)
    answer = Answer(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "s3cret" not in answer.out
    return list(ContainerFact().read(answer, arguments).values())


def test_each_kind_is_seen_as_it_is(objects):
    busy, over, image, volume, network, none = asked(
        ("container", objects["busy"]), ("container", objects["over"]), ("image", objects["image"]),
        ("volume", objects["volume"]), ("network", objects["network"]), ("container", "infratest-nosuch"),
    )  # fmt: skip
    assert (busy.status, busy.health, busy.image, busy.image_id) == (
        "running",
        "healthy",
        objects["image"],
        objects["id"],
    )
    assert busy.ports == (("6379/tcp", f"127.0.0.1:{objects['port']}"),)
    assert busy.networks == (objects["network"],)
    assert {(one.path, one.volume, one.writable) for one in busy.mounts} == {
        ("/data", objects["volume"], True), ("/etc/host", "", False),
    }  # fmt: skip
    assert (over.status, over.exit, over.restarts, over.health) == ("exited", 3, 2, "")
    assert image.image_id == objects["id"]
    assert volume.engine
    assert network.engine
    assert not none.engine


def test_a_value_is_compared_on_the_host_and_never_leaves_it(objects):
    """Nor is it in the words of a program, which every account of the host may read."""
    name = objects["busy"]
    arguments = [("variable", name, "TOKEN"), ("variable", name, "TOKEN", "s3cret-here"), ("variable", name, "NOSUCH"),
                 ("variable", name, "TOKEN", "x"), ("variable", "infratest-nosuch", "TOKEN")]  # fmt: skip
    assert [one.state for one in asked(*arguments)] == ["other", "equal", "absent", "other", "no container"]
    script = ContainerFact().ask(arguments)
    traced = subprocess.run(["sh", "-xc", script], capture_output=True, text=True, timeout=60)
    started = [line for line in traced.stderr.splitlines() if " inspect --format " in line]
    assert started
    assert not [line for line in started if "s3cret" in line or b"s3cret".hex() in line]
    assert "s3cret" not in ContainerFact().described(arguments[1])


@pytest.mark.parametrize("text", ["", "A=B", "A\0"])
def test_what_is_no_variable_is_refused(text):
    with pytest.raises(UserError):
        variable_of(text)


@pytest.mark.parametrize(
    "words", ["env", "env 41", "41 end", "", "env {} end", "WARNING: x env 413d42 end", "env 4G3d end"]
)
def test_what_is_no_environment_is_unknown(tmp_path, words):
    path = tools(tmp_path / "bin", "sh")
    (tmp_path / "bin" / "docker").write_text(f"#!/bin/sh\necho '{words}'\n")
    (tmp_path / "bin" / "docker").chmod(0o755)
    (failure,) = asked(("variable", "web", "A"), path=path)
    assert isinstance(failure, FactError)
    assert "not understood" in str(failure)


@pytest.mark.parametrize("kind", ["container", "image", "volume", "network"])
def test_an_engine_that_cannot_be_asked_leaves_it_unknown(kind, tmp_path):
    (failure,) = asked((kind, "nosuch"), more={"DOCKER_HOST": f"unix://{tmp_path}/nosuch"})
    assert isinstance(failure, FactError)
    assert "could not be asked" in str(failure)


def test_a_host_without_an_engine_says_so(tmp_path):
    with pytest.raises(FactError, match="neither docker nor podman"):
        asked(("container", "x"), path=tools(tmp_path / "bin", "sh"))


def test_what_one_engine_has_not_the_other_may_have(tmp_path):
    """Where both are there and one cannot be asked, only what the other has is known."""
    path = tools(tmp_path / "bin", "sh")
    for name, text in (("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1"), ("podman", PODMAN)):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    here, none = asked(("volume", "here"), ("volume", "nosuch"), path=path)
    assert here.engine == "podman"
    assert isinstance(none, FactError)


PODMAN = """case $5 in here) echo '{"name":"here"}';; *) echo 'Error: no such volume nosuch' >&2; exit 125;; esac"""


@pytest.mark.parametrize("text", ["", "-x", "a b", "$(x)", "/x", "a;b"])
def test_what_is_no_name_is_refused(text):
    with pytest.raises(UserError):
        name_of(text, "container")


#: A sentence and what is so of the containers busy, over, paused and of one that is not there.
SENTENCES = {
    "exists": ("ok", "ok", "ok", "critical"),
    "does not exist": ("critical", "critical", "critical", "ok"),
    "is running": ("ok", "critical", "critical", "critical"),
    "is not running": ("critical", "ok", "ok", "critical"),
    "is healthy": ("ok", "critical", "critical", "critical"),
    "is not healthy": ("critical", "critical", "critical", "critical"),
    'runs the image "{image}"': ("ok", "ok", "ok", "critical"),
    'runs the image "{id}"': ("ok", "ok", "ok", "critical"),
    'does not run the image "redis:7"': ("ok", "ok", "ok", "critical"),
    'does not run the image "{image}"': ("critical", "critical", "critical", "critical"),
    "was restarted at most 2 times": ("ok", "ok", "ok", "critical"),
    "was restarted less than 2 times": ("ok", "critical", "ok", "critical"),
    "publishes port 6379": ("ok", "critical", "critical", "critical"),
    "does not publish port 6379": ("critical", "ok", "ok", "critical"),
    'publishes port 6379/tcp at "127.0.0.1:{port}"': ("ok", "critical", "critical", "critical"),
    'publishes port 6379 at "{port}"': ("ok", "critical", "critical", "critical"),
    'publishes port 6379 at "0.0.0.0:{port}"': ("critical", "critical", "critical", "critical"),
    "publishes port 6379/udp": ("critical", "critical", "critical", "critical"),
    'has "/data" mounted': ("ok", "critical", "critical", "critical"),
    'has "/data" mounted from "{volume}"': ("ok", "critical", "critical", "critical"),
    'has "/etc/host/" mounted from "{folder}"': ("ok", "critical", "critical", "critical"),
    'does not have "/data" mounted from "other"': ("ok", "ok", "ok", "critical"),
    'is in the network "{network}"': ("ok", "critical", "critical", "critical"),
    'is in the network "none"': ("critical", "ok", "ok", "critical"),
    'is not in the network "none"': ("ok", "critical", "critical", "critical"),
    'has the environment variable "TOKEN"': ("ok", "critical", "critical", "critical"),
    'does not have the environment variable "TOKEN"': ("critical", "ok", "ok", "critical"),
    'has the environment variable "TOKE"': ("critical", "critical", "critical", "critical"),
    'has the environment variable "MODE"': ("critical", "critical", "critical", "critical"),
    'has the environment variable "EMPTY"': ("ok", "critical", "critical", "critical"),
    'has the environment variable "EMPTY" equal to ""': ("ok", "critical", "critical", "critical"),
    'has the environment variable "TOKEN" equal to "s3cret-here"': ("ok", "critical", "critical", "critical"),
    'has the environment variable "TOKEN" equal to "s3cret-her"': ("critical", "critical", "critical", "critical"),
    'has the environment variable "TOKEN" equal to "s3cret-here2"': ("critical", "critical", "critical", "critical"),
    'has the environment variable "TOKEN" equal to ""': ("critical", "critical", "critical", "critical"),
    'has the environment variable "TOKEN" not equal to "other"': ("ok", "critical", "critical", "critical"),
    'has the environment variable "TOKEN" not equal to "s3cret-here"': ("critical", "critical", "critical", "critical"),
    'has the environment variable "SECOND" equal to "x=\u00fc \'q\\" *"': ("ok", "critical", "critical", "critical"),
}


def test_sentences_are_what_the_containers_are(objects, tmp_path):
    texts, right = [], []
    for text, states in SENTENCES.items():
        for name, state in zip((objects["busy"], objects["over"], objects["paused"], "nosuch"), states, strict=True):
            texts.append(f'the container "{name}" {text.format(**objects)}')
            right.append(state)
    for text, state in {
        'the image "{image}" exists': "ok", 'the image "{image}x" exists': "critical",
        'the image "{image}" does not exist': "critical", 'the image "{image}" has the digest "{id}"': "ok",
        'the image "{image}" does not have the digest "{id}"': "critical",
        'the image "{image}" has the digest "sha256:0"': "critical",
        'the image "{image}x" does not have the digest "sha256:0"': "critical",
        'the volume "{volume}" exists': "ok", 'the volume "{volume}" does not exist': "critical",
        'the volume "{network}" does not exist': "ok", 'the container network "{network}" exists': "ok",
        'the container network "{volume}" does not exist': "ok", 'the container network "{volume}" exists': "critical",
    }.items():  # fmt: skip
        texts.append(text.format(**objects))
        right.append(state)
    seen = ask(tmp_path, texts)
    differing = [(text, one, state) for text, one, state in zip(texts, seen, right, strict=True) if one[0] != state]
    assert not differing


def daemon(name="dash", **more):
    words, path = shell(name)
    done = subprocess.run(
        [*words, "-c", DockerDaemonFact().ask([()])], env=os.environ | {"PATH": path} | more, capture_output=True,
        encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    return DockerDaemonFact().read(Answer(done.returncode, done.stdout, done.stderr), [()])[()]


@pytest.mark.parametrize("name", SHELLS)
def test_a_daemon_tells_of_each_of_its_containers(objects, name):
    seen = daemon(name)
    assert seen.refused == ""
    assert seen.of("ServerVersion") == (engine("version", "-f", "{{.Server.Version}}"),)
    containers = {one.name: one for one in seen.containers}
    busy = containers[objects["busy"]]
    assert (busy.privileged, busy.network, busy.pid) == (False, objects["network"], "")
    assert objects["folder"] in busy.sources
    assert containers[objects["over"]].network == "none"


def test_a_daemon_that_is_not_there_does_not_answer():
    assert "Is the docker daemon running?" in daemon(DOCKER_HOST="unix:///nonexistent/docker.sock").refused
