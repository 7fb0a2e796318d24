"""Words for the system's `ssh`: what the stack says of keys and host keys, for the host and for each jump on the way.

Called by the transport `openssh` and by `infratest ssh`, so that both come in by the same way as the transport `ssh`.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.quoting import command_line
from infratest.transports.ssh.route import jump_place


def trusting(*, config: str, key: str, known_hosts: str, agent: bool, pin: bool) -> list[str]:
    """Return what holds for the host and for the jump hosts before it alike.

    Args:
        config: path of the only ssh_config to read, or `none`; empty for ssh's own. key: path of the only private key
        to try. known_hosts: path of the only file to trust. pin: take an unknown host key at first use.
    """
    words = ["-F", config] if config else []
    if key:
        words += ["-o", f"IdentityFile={quoted_path(key)}", "-o", "IdentitiesOnly=yes"]
    if known_hosts:
        words += ["-o", f"UserKnownHostsFile={quoted_path(known_hosts)}", "-o", "GlobalKnownHostsFile=none"]
    if not agent:
        words += ["-o", "IdentityAgent=none"]
    return [*words, "-o", f"StrictHostKeyChecking={'accept-new' if pin else 'yes'}"]


def through(jump: str, words: Sequence[str], program: str = "ssh") -> list[str]:
    """Return what leads through jump hosts. Not ProxyJump: its ssh knows neither our key nor our known hosts.

    Args:
        jump: [user@]host[:port], several with a comma between, or `none`; empty for what ssh_config says.
        words: for each of them, as `trusting` gives them. program: the ssh to run.
    Raises:
        TransportError: a jump host is no place.
    """
    if jump.strip().lower() in ("", "none"):
        return ["-o", "ProxyJump=none"] if jump.strip() else []
    command = ""
    for each in jump.split(","):
        user, name, port = jump_place(each)
        before = ["-o", f"ProxyCommand={command}"] if command else []
        place = [*(["-l", user] if user else []), *(["-p", port] if port else []), "--", name]
        # What %h and %p stand for is for the ssh that runs this command; every other % is text, or another's.
        front, end = (command_line(each).replace("%", "%%") for each in ([program, *words, *before], place))
        command = f"{front} -W '[%h]:%p' {end}"
    return ["-o", f"ProxyCommand={command}"]


def quoted_path(path: str, tokens: bool = False) -> str:
    """Return a path as a value of ssh_config.

    Args:
        tokens: a % in it begins a token of ssh's; else it is a character as any.
    """
    text = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if tokens else '"' + text.replace("%", "%%") + '"'
