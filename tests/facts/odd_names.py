"""Run by a test in a mount namespace of its own, where /etc/passwd and /etc/group hold odd lines."""

from __future__ import annotations

import sys

from tests.facts.both_ways import same

if __name__ == "__main__":
    users, groups, *files = (words.split(",") for words in sys.argv[1:])
    for name, found in same("user", [(user,) for user in users]).items():
        print("user", *name, found and (found.uid, found.home, found.shell))
    for name, found in same("membership", [(user,) for user in users]).items():
        print("membership", *name, found and found.gids)
    for name, found in same("group", [(group,) for group in groups]).items():
        print("group", *name, found and (found.gid, found.members))
    for found in same("file", [(path,) for (path,) in files]).values():
        print("file", found.owner, found.group)
