"""Faults of names: not resolved on the host any more, or resolved by a line of its own."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._path import appended
from infratest.mutations.base import Claim, Fault, ScriptAct

#: An address for documentation (RFC 5737): no host has it.
NOBODYS = "192.0.2.1"

#: $2: the name, $3: an address that it gets instead, or nothing. It leaves the file of names, and nobody else is asked:
#: a name server that does not answer would make it unknown, and not unresolved. In place: a container's are mounts.
FORGOTTEN = """cp -p -- /etc/hosts "$1.hosts"
cp -p -- /etc/nsswitch.conf "$1.part"; mv -- "$1.part" "$1"
awk -v name="$2" '{ for (i = 2; i <= NF; i++) if ($i == name) next; print }' "$1.hosts" >/etc/hosts
[ -z "$3" ] || printf '%s %s\n' "$3" "$2" >>/etc/hosts
sed 's/^hosts:.*/hosts: files/' "$1" >/etc/nsswitch.conf"""
KNOWN = """if [ -e "$1" ]; then
  cat -- "$1.hosts" >/etc/hosts; touch -r "$1.hosts" /etc/hosts
  cat -- "$1" >/etc/nsswitch.conf; touch -r "$1" /etc/nsswitch.conf
fi
rm -f -- "$1" "$1.hosts" "$1.part\""""


def resolves(claim: Claim) -> Act | str:
    """Take the name out of what the host resolves, or put it in."""
    name = claim.check.name
    if not claim.negated:
        other = NOBODYS if claim.check.addresses else ""
        words = f"the name {name} {f'stands for {other}' if other else 'is forgotten'}"
        return ScriptAct(words, FORGOTTEN, KNOWN, (name, other))
    address = claim.check.addresses.partition(",")[0].strip() or NOBODYS
    return appended("/etc/hosts", f"{address} {name}")


FAULTS: dict[str, Fault] = {"NameResolves": resolves}
