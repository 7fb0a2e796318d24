"""Who somebody is who grants, certifies or approves: the login on this machine by its number, and the machine's name.

No variable of the environment is asked: whoever may set one would be whoever they like.
"""

from __future__ import annotations

import os
import pwd
import socket

from infratest.cleaning import clean


def who() -> str:
    """Return who is at work here: `alice(1000)@web-1`."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = "unnamed"
    return clean(f"{name}({number})@{socket.gethostname()}", 200)
