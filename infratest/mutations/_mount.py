"""A file system laid over a path for a while, and taken off it; what several subjects' faults do."""

from __future__ import annotations

#: $2: the path. The mount that was made last on a path is the last line of it in proc(5)'s table.
LIFTED = """top() { awk -v path="$1" '$2 == path { source = $1 } END { print source }' /proc/self/mounts; }
while [ "$(top "$2")" = infratest ]; do umount -- "$2"; done
rm -f -- "$1\""""
