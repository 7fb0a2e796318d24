"""How a host is run by what is in its image, and the words for a pull that fails: by values, without an engine."""

from __future__ import annotations

import pytest

from infratest.errors import ProviderError
from infratest.providers.container.inside import Contents, manner
from infratest.providers.container.pulling import in_full, name_of, our_tag, refusal

SYSTEMD = Contents(command=("/sbin/init",), systemd=True, ssh=True, sh=True)
BASE = Contents(command=("/bin/bash",), systemd=True, sh=True)
HTTPD = Contents(command=("/usr/sbin/httpd", "-D", "FOREGROUND"), systemd=True, sh=True)
SERVICE = Contents(entrypoint=("/entry.sh",), command=("nginx", "-g", "daemon off;"), sh=True)
SHELL = Contents(command=("sh",), sh=True)
ROOT = Contents(sh=True)
ALONE = Contents(entrypoint=("/server",))


@pytest.mark.parametrize(
    "contents, machine, transport, command, waits",
    [
        (SYSTEMD, True, "ssh", (), False),
        (BASE, True, "container", (), False),
        (HTTPD, False, "container", (), False),
        (SERVICE, False, "container", (), False),
        (SHELL, False, "container", (), True),
        (ROOT, False, "container", ("/bin/sh",), True),
        (ALONE, False, "container", (), False),
        (Contents(command=("/sbin/init",), sh=True), False, "container", (), False),
        (Contents(command=("/lib/systemd/systemd", "--system"), systemd=True, sh=True), True, "container", (), False),
    ],
)
def test_an_image_says_how_its_hosts_are_run(
    contents: Contents, machine: bool, transport: str, command: tuple[str, ...], waits: bool
) -> None:
    how = manner(contents)
    assert (how.machine, how.transport, how.command, how.waits) == (machine, transport, command, waits)


def test_a_hosts_own_command_runs_in_place_of_the_images() -> None:
    how = manner(SYSTEMD, ("sleep", "infinity"))
    assert (how.machine, how.transport, how.command) == (False, "container", ("sleep", "infinity"))
    assert "begins with no init system, so its own command runs (sleep infinity)" in how.words
    assert manner(BASE, ("/usr/lib/systemd/systemd",)).machine
    # A shell that somebody asks for is no word for systemd; the image's entrypoint stays before a host's command.
    assert not manner(BASE, ("bash",)).machine
    assert "(/entry.sh nginx-debug)" in manner(SERVICE, ("nginx-debug",)).words


def test_an_image_with_nothing_to_run_is_refused() -> None:
    with pytest.raises(ProviderError, match=r"no command of its own and no sh: .*`command:`"):
        manner(Contents())


@pytest.mark.parametrize(
    "name, tag",
    [
        ("ubuntu:24.04", "infratest/pulled/ubuntu:24.04"),
        ("team/app:1", "infratest/pulled/team/app:1"),
        ("registry.example:5000/team/app:1_2", "infratest/pulled/registry.example__5000/team/app:1_2"),
        ("localhost:5000/app@sha256:" + "ab" * 32, "infratest/pulled/localhost__5000/app:sha256__" + "ab" * 32),
    ],
)
def test_a_pulled_image_is_known_by_a_tag_of_ours_and_the_tag_by_its_image(name: str, tag: str) -> None:
    assert our_tag(name) == tag
    assert name_of(tag) == name


def test_podman_is_told_the_registry_that_docker_takes_by_itself() -> None:
    assert in_full("ubuntu:24.04") == "docker.io/library/ubuntu:24.04"
    assert in_full("team/app:1") == "docker.io/team/app:1"
    assert in_full("registry.example/app:1") == "registry.example/app:1"


@pytest.mark.parametrize(
    "said, meaning",
    [
        # As docker 20.10 and 28 and podman 4 say it; what a registry here can be made to say is asked of a real one.
        ("toomanyrequests: You have reached your pull rate limit.", "rate limit"),
        ("write /var/lib/docker/tmp/GetImageBlob1: no space left on device", "the disk of the engine is full"),
        ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "TLS"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "this machine's processor"),
        ("pull access denied for x, repository does not exist or may require 'docker login': denied: requested access "
         "to the resource is denied", "there is no such image, or it is one that needs a login"),
        ("Head \"https://x/v2/a/manifests/1\": unauthorized: authentication required", "refused the login"),
        ("manifest for x:9 not found: manifest unknown: manifest unknown", "no such image, or not with this tag"),
        ("dial tcp: lookup registry.example on 127.0.0.1:53: no such host", "the registry cannot be reached"),
        ("pinging registry x: Get \"https://x/v2/\": dial tcp 10.0.0.1:443: i/o timeout", "cannot be reached"),
        ("something new", "it could not be pulled"),
    ],
)  # fmt: skip
def test_a_pull_that_fails_says_what_the_matter_is(said: str, meaning: str) -> None:
    message = refusal("registry.example/team/app:1", f"Error response from daemon: {said}", "docker")
    assert message.startswith("image registry.example/team/app:1 from registry.example: ")
    assert meaning in message
    assert said.split("\n")[0][:60] in message


def test_a_registry_image_of_a_recipe_leads_to_the_recipe() -> None:
    message = refusal("debian:12", "no such host", "docker")
    assert message.startswith("image debian:12 from Docker Hub: the registry cannot be reached")
    assert message.endswith("; infratest's own recipe of it is debian-12")
