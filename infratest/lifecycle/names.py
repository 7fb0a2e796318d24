"""The names of a stack's hosts, written into /etc/hosts of each, where their provider does not resolve them.

Called by `up`. Between two marks, so that what else stands in the file stays as it is; a second time nothing changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.hosts import Host
from infratest.stack.open import opened

#: $1 is the block; written in place, since a container's /etc/hosts is a mount that cannot be replaced.
SCRIPT = r"""
begin='# hosts of this stack, by infratest' end='# end of the hosts of this stack'
wanted=$(printf '%s\n%s\n%s' "$begin" "$1" "$end")
there=$(sed -n "/^$begin\$/,/^$end\$/p" /etc/hosts) || exit 1
[ "$there" != "$wanted" ] || exit 0
rest=$(sed "/^$begin\$/,/^$end\$/d" /etc/hosts) || exit 1
printf '%s\n%s\n' "$rest" "$wanted" >/etc/hosts
"""


def block(hosts: Sequence[Host]) -> str:
    """Return the lines of hosts(5) for those that have an address, in the order of their names."""
    return "\n".join(f"{host.address}\t{host.name}" for host in sorted(hosts, key=lambda one: one.name) if host.address)


def write(host: Host, lines: str, deadline: Deadline) -> None:
    """Have a host know these names. One command; as root, by sudo where the login is another user's.

    Args:
        lines: as `block` returns them.
    Raises:
        TransportError: it does not answer. ProviderError: its /etc/hosts could not be written.
    """
    transport = opened(host, deadline)
    try:
        sudo = str(host.options.get("user") or "root") != "root"
        result = transport.run(["sh", "-c", SCRIPT, "sh", lines], deadline, sudo=sudo)
    finally:
        transport.close()
    if result.exit != 0:
        words = result.stderr.decode("utf-8", "replace").strip()
        raise ProviderError(f"{host.name}: the stack's host names could not be written into its /etc/hosts: {words}")
