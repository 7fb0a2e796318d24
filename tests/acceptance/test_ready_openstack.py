"""The ready-made feature of OpenStack, on OpenStack's own services behind a gateway, where its sentences are broken."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.conftest import Project
from tests.worlds.handed_on import hand_on
from tests.worlds.openstack.api import Api
from tests.worlds.openstack.cloud import cloud

pytestmark = [pytest.mark.hosts, pytest.mark.machines, pytest.mark.timeout(1800)]

#: Parameter of the feature -> the service's type in the catalogue, and the port that it has by custom.
SERVICES = {
    "keystone": ("identity", 5000),
    "glance": ("image", 9292),
    "nova": ("compute", 8774),
    "neutron": ("network", 9696),
    "placement": ("placement", 8778),
}
FEATURES = Path(__file__).parents[2] / "features"
WARNING = ", warning 1 s"
STACK = f"""
stack: gateway
provider: container
parameters:
  openstack_token: {{type: string, secret: true, from: {{file: token}}}}
{"".join(f'  {name}: {{type: string, default: ""}}' + chr(10) for name in (*SERVICES, "keystone_uri"))}
hosts:
  gateway: {{memory: 256MiB, ports: [22], provision: [{{shell: gateway.sh}}]}}
"""
GATEWAY = b"""#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
[ -e /usr/sbin/nginx ] || { apt-get -q update; apt-get -q install -y --no-install-recommends nginx-light; }
"""


@contextmanager
def relayed(address: str, port: int) -> Iterator[int]:
    """Have a port of an address of this machine lead to one of its loopback, and return which."""
    with socket.create_server((address, 0)) as server:

        def accept() -> None:
            while True:
                try:
                    near, _ = server.accept()
                except OSError:
                    return
                hand_on(near, socket.create_connection(("127.0.0.1", port)))

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@contextmanager
def behind(project: Project) -> Iterator[list[str]]:
    """Have the gateway lead to the cloud's services, and return the parameters that say where they are."""
    real = cloud()
    ports = {kind: urlsplit(url).port or 0 for (kind, _), url in real.admin.urls.items()}
    address = json.loads(project.good("status", "--format", "json"))["hosts"][0]["address"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as towards:
        towards.connect((address, 9))
        here = towards.getsockname()[0]
    words, servers = ["-D", f"keystone_uri={real.identity}/v3"], ""
    with ExitStack() as relays:
        for name, (kind, port) in SERVICES.items():
            relay = relays.enter_context(relayed(here, ports[kind]))
            servers += f"server {{ listen {port}; location / {{ proxy_pass http://{here}:{relay}; }} }}\n"
            words += ["-D", f"{name}=http://{address}:{port}"]
        written = f"printf %s '{servers}' >/etc/nginx/conf.d/gateway.conf && systemctl restart nginx"
        project.good("ssh", "gateway", "--", "sh", "-c", written)
        yield words


@pytest.fixture(scope="module")
def gateway(new_project: Callable[..., Project]) -> Project:
    return new_project(STACK, {"gateway.sh": GATEWAY, "token": Api(cloud().identity).token.encode()})


def unhurried(gateway: Project, feature: str) -> str:
    """Return the file of a feature that warns of no slow answer, as keystone's are on a busy machine."""
    name = f"{feature.removeprefix('@')}.feature"
    shipped = (FEATURES / name).read_text("utf-8")
    assert shipped.count(WARNING) == 1
    (gateway.folder / name).write_text(shipped.replace(WARNING, ""), "utf-8")
    return name


@pytest.mark.parametrize(("feature", "count"), [("@openstack-cloud", 14), ("@openstack-login", 12)])
def test_each_sentence_turns_red_on_real_services(gateway: Project, feature: str, count: int) -> None:
    with behind(gateway) as words:
        gateway.good("test", feature, "--fail-on", "critical", *words)
        done = gateway.run("mutate", unhurried(gateway, feature), "--format", "json", *words, timeout=900)
    report = json.loads(done.stdout)
    steps = [step for result in report["results"] for step in result["steps"]]
    assert {step["text"]: step["reason"] for step in steps if step["state"] != "ok"} == {}
    score = f"{count} of {count} sentences turned red when what they say was broken"
    assert report["notes"] == [f"mutation score 100 %: {score}"]
    assert (gateway.folder / "token").read_text() not in done.stdout + done.stderr


def test_a_token_that_keystone_did_not_give_is_served_by_nobody(gateway: Project) -> None:
    right = gateway.folder / "token"
    kept = right.read_bytes()
    try:
        right.write_text("gAAAAABm-not-one-of-keystone")
        with behind(gateway) as words:
            done = gateway.run("test", "@openstack-login", "--format", "json", *words)
    finally:
        right.write_bytes(kept)
    report = json.loads(done.stdout)
    steps = [step for result in report["results"] for step in result["steps"]]
    assert {step["text"]: step["state"] for step in steps if step["state"] != "critical"} == {}
    assert "401" in steps[0]["reason"]
