"""Root at work in the state directory of another user, as the one of a monitoring system: as that user, for a moment.

Called by the kill switch, which must work for whoever is at the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infratest.errors import StateError
from infratest.store.directory import StateDir
from infratest.user_name import user_name


@contextmanager
def as_owner(state: StateDir) -> Iterator[None]:
    """Be the user whose a state directory is, while the block lasts; as before where we are not root, or it is ours.

    What is written is then that user's to use, and no link or file that stands there leads root to where that user may
    not write.

    Raises:
        StateError: this process cannot become that user.
    """
    with ExitStack() as before:
        try:
            info = os.stat(state.folder)
        except OSError:
            info = None  # it will be made, or be told of by whoever uses it
        if info is not None and info.st_uid != 0 and os.geteuid() == 0:
            try:
                groups, group = os.getgroups(), os.getegid()
                os.setgroups([])
                before.callback(os.setgroups, groups)
                os.setegid(info.st_gid)
                before.callback(os.setegid, group)
                os.seteuid(info.st_uid)
                before.callback(os.seteuid, 0)
            except OSError as error:
                name = user_name(info.st_uid)
                raise StateError(
                    f"state directory {state.folder}: is of user {name}, whom this process cannot become "
                    f"({error.strerror}): run it as that user, as with `sudo -u {name}`"
                ) from error
        yield
