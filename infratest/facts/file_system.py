"""The fact `file-system`: the room in every mounted file system that is this host's own. It has no argument.

Left out are shares of others, which may not answer, and what is never written: images of packages and discs. What
counts no blocks (proc, sysfs) has no room. The kernel's table of mounts and one `stat -f` for all of them.
"""

from __future__ import annotations

from infratest.cleaning import cited, decoded
from infratest.errors import FactError
from infratest.facts import _machine
from infratest.facts._mount_table import mounts_of
from infratest.facts._shell import PUT, lines, number, without
from infratest.facts._space import Space
from infratest.facts.base import Answer, Argument, Fact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

#: Types, as the shell's patterns: of others (mount(8), `-l` of df(1)), and images. A look at autofs would mount.
LEFT_OUT = (
    "autofs", "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "9p", "virtiofs", "glusterfs", "lustre",
    "gpfs", "beegfs", "fuse", "fuse.*", "squashfs", "iso9660", "udf", "erofs", "cramfs",
)  # fmt: skip


class FileSystem(Space):
    """The room of one file system, where it is mounted, and of which type it is."""

    path: str = ""
    type: str = ""

    def in_words(self) -> str:
        return f"{self.path} ({self.type}): {super().in_words()}"


class FileSystems(tuple[FileSystem, ...]):
    """All of them."""

    __slots__ = ()

    def in_words(self) -> str:
        return "; ".join(one.in_words() for one in self) or "none"


# Lines: `m` and each line of the table; `s`, the numbers of stat and the path for each; `done`.
SNIPPET = r"""
nl='
'
set -f
set --
while IFS= read -r row; do
  put "m $row$nl"
  rest=${row#* - }
  case ${rest%% *} in
  LEFT_OUT) continue ;;
  esac
  rest=${row#* * * * }
  path=${rest%% *}
  case $path in
  *\\*)
    path=$(printf '%bx' "$(put "$path" | sed 's/\\\([0-7]\)/\\0\1/g')")
    path=${path%x}
    ;;
  esac
  set -- "$@" "$path"
done </proc/self/mountinfo
[ $# -eq 0 ] || stat -f -c 's %S %b %f %a %c %d %n' -- "$@" 2>/dev/null
echo done
""".replace("LEFT_OUT", " | ".join(LEFT_OUT))


class FileSystemFact(Fact):
    """Room in all file systems."""

    def ask(self, arguments: Sequence[Argument]) -> str:
        return without("stat", "stat (coreutils) is not installed on this host") + PUT + SNIPPET

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        *rows, end = lines(self.readable(answer).out) or [""]
        table = "".join(f"{row[2:]}\n" for row in rows if row.startswith("m "))
        if end != "done" or not table:
            raise FactError(f"the answer about file systems is not understood: {cited(answer.out, 80)}")
        rooms = dict(_room(row[2:]) for row in rows if row.startswith("s "))
        systems = []
        for mount in mounts_of(table).values():
            if any(_fits(mount.type, one) for one in LEFT_OUT):
                continue
            if mount.path not in rooms:
                raise FactError(f"the room of the file system at {cited(mount.path, 200)} could not be looked at")
            block, blocks, free, available, inodes, inodes_free = rooms[mount.path]
            size, used, room = (block * one for one in (blocks, blocks - free, available))
            if size:
                systems.append(FileSystem(size, used, room, inodes, inodes_free, path=mount.path, type=mount.type))
        if not systems:
            raise FactError("no file system of the host's own is mounted: what is the table of mounts?")
        return dict.fromkeys(arguments, FileSystems(sorted(systems, key=lambda one: one.path)))


def _fits(kind: str, pattern: str) -> bool:
    return kind.startswith(pattern[:-1]) if pattern.endswith("*") else kind == pattern


def _room(row: str) -> tuple[str, list[int]]:
    """Return a path, and of its file system the block size, blocks, free and available ones, inodes and free ones."""
    words = row.split(" ", 6)
    if len(words) != 7:
        raise FactError(f"stat -f answered a line that is not understood: {cited(row, 120)}")
    return decoded(_machine.encoded(words[6])), [number(one, "a field of stat -f") for one in words[:6]]
