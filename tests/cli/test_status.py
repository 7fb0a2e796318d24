"""`infratest status`: the stack's outputs with their values, and what each host runs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.worlds.small_project import run, write
from tests.worlds.sshd import running_sshd

STACK = """\
stack: one
provider: {{name: existing, known-hosts: {known}, config: none, agent: false}}
hosts:
  web: {{address: {address}, port: {port}, user: {user}, key: {key}}}
  shut: {{address: {address}, port: {port}, user: nobody-at-all, key: {key}}}
outputs: {{url: "http://{{host.web.address}}/", odd: "{{host.wbe.address}}"}}
"""
PARTS = dict(
    line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if line.startswith("PRETTY_NAME")
)
SYSTEM = PARTS["PRETTY_NAME"].strip('"')


def test_outputs_and_systems(tmp_path: Path) -> None:
    with running_sshd(tmp_path / "sshd") as server:
        options = {"address": server.address, "port": server.port, "user": server.user, "key": server.key}
        write(tmp_path, {"stack.yaml": STACK.format(known=server.known_hosts, **options)})
        plain = run(tmp_path, "infratest", "status")
        assert server.logins() == 0
        assert (plain.returncode, plain.stderr) == (0, "")
        lines = plain.stdout.splitlines()
        assert f"output url: http://{server.address}/" in lines
        assert any(line.startswith("output odd: no value: {host.wbe.address}: unknown host 'wbe'") for line in lines)
        assert "os" not in lines[1].split()

        shown = run(tmp_path, "infratest", "status", "--os")
        assert shown.returncode == 0
        web = next(line for line in shown.stdout.splitlines() if line.startswith("web "))
        assert web.rstrip().endswith(SYSTEM)
        document = json.loads(run(tmp_path, "infratest", "status", "--os", "--format", "json").stdout)
        assert document["outputs"] == {"url": f"http://{server.address}/", "odd": None}
        assert document["os"]["web"] == SYSTEM
        assert document["os"]["shut"].startswith("unknown: login to host shut")
