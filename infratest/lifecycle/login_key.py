"""The stack's key on a host: let in beside the former one, proved by a login, and the former one taken away.

Called by the rotation of the stack's key, and by whoever waits for a host that comes back as it was before one. Each is
one command, and changes a file whole or not at all; a second time it changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from infratest.cleaning import clean, decoded
from infratest.deadline import Deadline
from infratest.errors import AccessRefused, ProviderError, TransportError
from infratest.hosts import Host
from infratest.providers import _key_rotation, _ssh_keys
from infratest.stack.open import opened

log = logging.getLogger(__name__)

#: Seconds for one login and command: following takes several, one for each key that a host may know.
ATTEMPT = 10.0

#: $1 in or out, $2 and $3 the base64 of the former key and of the new one, $4 a line for the new one, $5 this script.
#: As root where that can be: a key may stand in files of other users too (cloud-init's), and in what a container gives
#: its user at each start. What is another user's is changed with that one's rights, so that no link of his leads root
#: astray. A line is the new key's as it was the former's, with its options. The login's own file comes last, and must
#: let the new key in before the former one goes.
SCRIPT = r"""
if [ -z "$BY_ROOT" ] && [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then
    exec sudo -n env HOME="$HOME" OWNER="$(id -u):$(id -g)" sh -c "$5" sh "$@"
fi
mode=$1 former=$2 new=$3 own=$HOME/.ssh/authorized_keys given=/etc/infratest/authorized_keys
fail() { echo "$1" >&2; exit 1; }
changed() { # a file, and what sed does to it: whole, with its owner and mode
    file=$(readlink -f "$1") && cp -p "$file" "$file.infratest" && sed "$2" "$file" >"$file.infratest" &&
        sync && mv -f "$file.infratest" "$file" || fail "$1 could not be written"
}
fits() { # a file that lets the former key in: the new one too, or it alone
    grep -qF "$former" "$1" 2>/dev/null || return 0
    if [ "$mode" = out ]; then
        changed "$1" "\\|$former|d"
    elif ! grep -qF "$new" "$1"; then
        changed "$1" "\\|$former|{p;s|$former|$new|;}"
    fi
}
umask 077
if ! [ -s "$own" ]; then
    [ "$mode" = in ] || fail "$own is empty: the new key does not let in"
    mkdir -p "$HOME/.ssh" && printf '%s\n' "$4" >"$own" || fail "$own could not be made"
    [ -z "$OWNER" ] || chown "$OWNER" "$HOME/.ssh" "$own" || fail "$own could not be given to its user"
fi
[ "$mode" = in ] || grep -qF "$new" "$own" || fail "$own does not let the new key in: the former one stays"
if [ "$(id -u)" = 0 ]; then
    fits $given && fits /root/.ssh/authorized_keys
    export BY_ROOT=1 MODE="$1" FORMER="$2" NEW="$3" LINE="$4" SCRIPT="$5"
    for file in /home/*/.ssh/authorized_keys; do
        [ "$file" != "$own" ] && grep -qF "$former" "$file" 2>/dev/null || continue
        su -s /bin/sh "$(stat -c %U "$file")" -c 'exec sh -c "$SCRIPT" sh "$MODE" "$FORMER" "$NEW" "$LINE" "$SCRIPT"' ||
            fail "$file could not be written"
    done
elif [ -z "$BY_ROOT" ] && [ -e $given ]; then
    fail "$given can be written by root alone, and sudo asks for a password: the next start would undo it"
fi
fits "$own"
[ "$mode" = out ] || grep -qF "$new" "$own" || changed "$own" "\$a\\
$4"
"""


def let_in(host: Host, former: str, new: str, deadline: Deadline) -> None:
    """Have a host let a key in wherever it lets the former one in; logged in to as the host says.

    Args:
        former, new: public halves.
    """
    _run(host, "in", (former,), new, deadline)


def take_away(host: Host, formers: Sequence[str], new: str, deadline: Deadline) -> None:
    """Have a host let former keys in no more. Raises ProviderError: it does not let the new one in."""
    _run(host, "out", formers, new, deadline)


def prove(host: Host, key: Path, deadline: Deadline) -> None:
    """Log in with a key, and with no other, and run a command. Raises TransportError."""
    transport = opened(with_key(host, key), deadline)
    try:
        result = transport.run(["true"], deadline)
    finally:
        transport.close()
    if result.exit != 0:
        raise TransportError(f"{host.name}: `true` ended with exit {result.exit}")


def follow(host: Host, deadline: Deadline) -> bool:
    """Have a host that refuses the stack's key, and lets in a former one, let in the present one in its place.

    Returns:
        Whether that was so.
    """
    key, formers = _keys(host)
    for other in formers:
        older, former, public = with_key(host, other), _ssh_keys.public_half(other), _ssh_keys.public_half(key)
        try:
            let_in(older, former, public, deadline.at_most(ATTEMPT))
        except AccessRefused:
            continue
        prove(host, key, deadline.at_most(ATTEMPT))
        take_away(host, [_ssh_keys.public_half(each) for each in formers], public, deadline.at_most(ATTEMPT))
        return True
    return False


def settle(host: Host, deadline: Deadline) -> None:
    """Have a host that lets the stack's key in let in no former one that is kept: it may have come back with both.

    It costs a login, and only where a former key is kept. What does not let itself be changed is told, and is no error.
    """
    key, formers = _keys(host)
    if not formers:
        return
    try:
        take_away(host, [_ssh_keys.public_half(each) for each in formers], _ssh_keys.public_half(key), deadline)
    except ProviderError as problem:
        log.warning("%s; a former key of the stack may let in there still", problem)


def _keys(host: Host) -> tuple[Path, list[Path]]:
    """Return the stack's key where a host is logged in to with that, and the former ones; they are none elsewhere."""
    key = Path(str(host.options.get("key") or "."))
    return key, _key_rotation.formers(key.parent) if key.name == _ssh_keys.NAME else []


def with_key(host: Host, key: Path) -> Host:
    """Return a host as it is logged in to with another key."""
    changed: Host = host.changed(options={**host.options, "key": str(key)})
    return changed


def _run(host: Host, mode: str, formers: Sequence[str], new: str, deadline: Deadline) -> None:
    transport = opened(host, deadline)
    try:
        for former in formers:
            words = ["sh", "-c", SCRIPT, "sh", mode, former.split()[1], new.split()[1], new, SCRIPT]
            result = transport.run(words, deadline)
            if result.exit != 0:
                said = clean(decoded(result.stderr).strip(), 400) or f"exit {result.exit}"
                raise ProviderError(f"{host.name}: its authorized_keys could not be changed: {said}")
    finally:
        transport.close()
