"""EC2 for tests: one server a process (`moto_server`), a proxy before it that can do what clouds do on bad days.

`cloud()` is the server, started at first use and ended with the process. `options(...)` are those of a provider that
uses it, `credentials()` the environment that lets it in.
"""

from __future__ import annotations

import atexit
import functools
import http.client
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.worlds.node_network import node_network
from tests.worlds.nodes import SSH_PORT
from tests.worlds.tls_servers import WITH_US
from tests.worlds.venvs import python_with

MOTO = ("moto[ec2,server]==5.2.5",)
PROGRAM = Path(__file__).with_name("moto_server.py")
KEY, SECRET = "AKIATESTS", "tests-secret/of+ec2"
#: Of another account.
OTHER_KEY, OTHER_SECRET = "AKIAOTHER", "other-secret/of+ec2"
IMAGE = "debian-12-amd64-*"


class Ec2:
    """A running server; `url` is its endpoint.

    Args:
        network: of nodes that are whole machines (`node_network`); without one they are sshds of this machine.
    """

    def __init__(self, network: Mapping[str, Any] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="infratest-moto-"))
        self.log = (self.folder / "log").open("wb")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
        words = [*WITH_US, python_with("moto", MOTO), PROGRAM, self.folder / "nodes"]
        words += [json.dumps(network)] if network else []
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=self.log, env=clean)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"moto does not start: {(self.folder / 'log').read_text()[-2000:]}"
        self.port = int(line)
        self.url = f"http://127.0.0.1:{self.port}/"

    def wish(self, **wishes: Any) -> None:
        """Tell it how its next instances are to behave; see `moto_server`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("PUT", "/", json.dumps(wishes))
        assert connection.getresponse().status == 200
        connection.close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@functools.cache
def cloud() -> Ec2:
    """Return the server of this process."""
    server = Ec2()
    atexit.register(server.stop)
    return server


@contextmanager
def of_machines(**others: Any) -> Iterator[Ec2]:
    """Have a server of one's own whose nodes are whole machines.

    Args:
        others: see `node_network`.
    """
    with node_network(**others) as network:
        server = Ec2(network)
        try:
            yield server
        finally:
            server.stop()


def credentials(key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    """Return the environment of who may use it; nothing of the user's own account is left in it."""
    return {
        "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
        "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_EC2": "",
    }  # fmt: skip


def options(url: str = "", **others: Any) -> dict[str, Any]:
    """Return options of `provider: cloud` for this server, or for what stands before it."""
    return {"driver": "ec2", "region": "us-east-1", "endpoint": url or cloud().url} | others


def host_options(**others: Any) -> dict[str, Any]:
    """Return options of its hosts: the image that is there, and the only user that its nodes can let in."""
    user = pwd.getpwuid(os.getuid()).pw_name
    return {"image": IMAGE, "user": user, "ssh_port": SSH_PORT} | others


def libcloud() -> Any:
    """Return libcloud's own driver for this server: what there is by the word of others' code."""
    from libcloud.compute.providers import get_driver

    host, _, port = cloud().url.removeprefix("http://").rstrip("/").partition(":")
    about = {"region": "us-east-1", "secure": False, "host": host, "port": int(port), "signature_version": "4"}
    return get_driver("ec2")(KEY, SECRET, **about)


if __name__ == "__main__":  # for `./run`, so that no test pays for the installation
    python_with("moto", MOTO)
