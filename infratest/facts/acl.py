"""The fact `acl`: the access control list of a file or a directory. Argument: the absolute path, links followed.

As getfacl(1) prints it without its header: an entry a line, `user:deploy:rw-`, those that new files inherit begin with
`default:`. Where a file has none beyond its mode, getfacl makes its three entries of the mode: acl(5).
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import UserError
from infratest.facts._told_of_path import ToldOfPath
from infratest.record import Record

#: What an entry is for, and its short forms, as setfacl(1) takes them.
TAGS = {"u": "user", "g": "group", "m": "mask", "o": "other"}
DEFAULT = "default"


class Acl(Record):
    """An access control list: its entries as getfacl writes them; `problem` as in File."""

    entries: tuple[str, ...] = ()
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        if not self.there:
            return self.problem or "does not exist"
        return ", ".join(self.entries)


def acl_entry(text: str) -> str:
    """Return an entry as getfacl writes it: `u:deploy:rw`, `user:deploy:rw-` are `user:deploy:rw-`.

    Raises:
        UserError: it is none.
    """
    parts = text.strip().split(":")
    begin = f"{DEFAULT}:" if parts[0] in ("d", DEFAULT) else ""
    parts = parts[1:] if begin else parts
    if len(parts) == 2:  # `mask::r-x` is also written `mask:r-x`
        parts.insert(1, "")
    tag = TAGS.get(parts[0], parts[0])
    if len(parts) != 3 or tag not in TAGS.values() or (parts[1] and tag in ("mask", "other")):
        raise UserError(
            f'the ACL entry "{text}": expected one as "user:deploy:rw-", "group::r--" or "default:mask::r-x"'
        )
    given = set(parts[2].replace("-", ""))
    if not parts[2] or given - set("rwx") or len(given) != len(parts[2].replace("-", "")):
        raise UserError(f'the ACL entry "{text}": its permissions are of r, w and x, as "rw-"')
    return f"{begin}{tag}:{parts[1]}:{''.join(each if each in given else '-' for each in 'rwx')}"


class AclFact(ToldOfPath):
    """Access control lists."""

    program = "getfacl"
    command = 'getfacl -cpE -- "$path"'

    def value(self, status: int, words: str, path: str) -> Acl:
        rows = [row for row in words.split("\n") if row]
        if status:
            return Acl(there=False, problem=beginning(words.strip(), 400) or f"getfacl ends with {status}")
        entries = []
        for row in rows:
            try:
                entry = acl_entry(row)
            except UserError:
                entry = ""
            if entry != row:
                return Acl(there=False, problem=f"getfacl answers what is not understood: {cited(row, 120)}")
            entries.append(entry)
        if [entry.partition(":")[0] for entry in entries[:1]] != ["user"]:
            return Acl(there=False, problem="getfacl answers without the entry of the owner")
        return Acl(tuple(entries))

    def lost(self, problem: str) -> Acl:
        return Acl(there=False, problem=problem)
