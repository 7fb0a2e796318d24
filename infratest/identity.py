"""By whose account programs and clouds are asked: the environment says so, in whatever variable a tool has for it.

What is kept from one call to the next is of one account: `AWS_PROFILE=test` must not be shown what production has, nor
another `HCLOUD_TOKEN`. Which variables an inventory's own program goes by nobody knows, so that all of them count.
Called for answers of inventories that are kept, and for a plan that a check keeps with hosts from them: on the plugin
program's path.
"""

from __future__ import annotations

import os

#: What is of one call or one session, and another one the next time: shells, sshd, sudo, systemd and terminals set it.
#: Not what may lead to a login, as the socket of an agent, a ticket of Kerberos or a folder of credentials.
SESSION = frozenset(
    """_ SHLVL PWD OLDPWD COLUMNS LINES WINDOWID TERM COLORTERM TERM_SESSION_ID TERM_PROGRAM TERM_PROGRAM_VERSION
    VTE_VERSION TMUX TMUX_PANE STY WINDOW GPG_TTY DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS XDG_SESSION_ID
    XDG_SESSION_TYPE XDG_SESSION_CLASS XDG_SEAT XDG_VTNR SSH_CLIENT SSH_CONNECTION SSH_TTY SSH_ORIGINAL_COMMAND
    SUDO_COMMAND INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID MAINPID MANAGERPID MANAGERPIDFDID NOTIFY_SOCKET
    LISTEN_PID LISTEN_PIDFDID LISTEN_FDS LISTEN_FDNAMES MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE WATCHDOG_PID
    WATCHDOG_USEC""".split()
)
#: What a monitoring system or a timer of systemd says of this one look, a heal of its result, pytest of its test.
OF_ONE_LOOK = ("NAGIOS_", "ICINGA_", "TRIGGER_", "INFRATEST_RESULT_", "PYTEST_")
#: How the names of variables end that may name files of accounts: a relative one is another file in another folder, and
#: so may be one below `~`, which not every tool takes for the home.
FILES = ("_FILE", "_CONFIG", "_CREDENTIALS", "KUBECONFIG")
KEY = 1


def account() -> str:
    """Return what tells one environment from another, whose values cannot be had back from it: some hold secrets.

    It is a digest of 64 bits, which is built in: a module of digests is a library that has to be loaded.
    """
    said = sorted(
        (name, value) for name, value in os.environ.items() if name not in SESSION and not name.startswith(OF_ONE_LOOK)
    )
    named = (path for name, value in said if name.endswith(FILES) for path in value.split(":") if path)
    if any(path[0] != "/" for path in named):
        said.append(("", _here()))
    told: bytes = __import__("_imp").source_hash(KEY, repr(said).encode("utf-8", "surrogateescape"))
    return told.hex()


def _here() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 (pathlib is dear to import here)
    except OSError:  # it was removed
        return ""
