"""A firewall of the stack file on hosts of our own images: another host comes in where it is let in, nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.acceptance.conftest import Project

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(3600)]

STACK = """
stack: walled
provider: {provider}
defaults: {{memory: 192MiB}}
hosts:
  web: {{provision: [{{shell: listen.sh}}]}}
  other: {{}}
components: {components}
"""
RULE = (
    "{rule: {type: firewall, allow: [{port: 80, from: {host: other}}, {port: 81, from: {host: web}}], to: {host: web}}}"
)

#: Its own sshd answers on two ports more, at each boot, and says who it is without being asked.
LISTEN = b"""#!/bin/sh
printf 'Port 22\\nPort 80\\nPort 81\\n' >/etc/ssh/sshd_config.d/ports.conf
systemctl restart ssh
"""
#: A packet that is dropped is answered by nobody: seconds to wait for that, and for an answer on a busy machine.
DROPPED, ANSWERED = 4, 60


def reached(project: Project, port: int, seconds: int) -> bool:
    """Return whether another host of the stack comes to a port of web."""
    ask = f'timeout {seconds} bash -c "read -r line </dev/tcp/web/{port}; echo \\$line"; true'
    return "other | SSH-2.0-" in project.good("run", "other", ask)


def rules_come_and_go(project: Project, provider: str) -> None:
    """Args: project: which is up, without components."""

    def declare(components: str) -> None:
        text = STACK.format(provider=provider, components=components)
        (project.folder / "stack.yaml").write_text(text, encoding="utf-8")
        project.good("up", timeout=1300)

    def in_is(eighty: bool, eighty_one: bool) -> None:
        for port, expected in ((80, eighty), (81, eighty_one)):
            assert reached(project, port, ANSWERED if expected else DROPPED) == expected, port

    in_is(True, True)
    declare(RULE)
    in_is(True, False)
    project.good("reboot", "--host", "web", timeout=1300)
    in_is(True, False)
    declare("{}")
    in_is(True, True)


@pytest.mark.parametrize("provider", ["container", pytest.param("qemu", marks=pytest.mark.machines)])
def test_what_is_let_in_comes_in_and_nothing_else(new_project: Callable[..., Project], provider: str) -> None:
    text = STACK.format(provider=provider, components="{}")
    rules_come_and_go(new_project(text, {"listen.sh": LISTEN}), provider)
