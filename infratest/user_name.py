"""The name of a user of this machine, by the number that files have. Called where one has to be named to a person."""

from __future__ import annotations

import pwd


def user_name(number: int) -> str:
    """Return the login of a user's number, as sudo takes it on a command line: `'#105'` of one without a name here."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"'#{number}'"
