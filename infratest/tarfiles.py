"""Python's `tarfile`, with the filters that keep what is unpacked inside its folder.

Python has them from 3.11.4 on (PEP 706). Debian 12's is 3.11.2 without them: there it is the backport from PyPI, whose
text is that of Python's own.
"""

from __future__ import annotations

import tarfile

from infratest.cleaning import clean

TYPE_CHECKING = False
if not TYPE_CHECKING and not hasattr(tarfile, "data_filter"):
    from backports import tarfile

__all__ = ["tarfile", "why"]

#: Python lists which compressions it has tried, and what each of its own classes said.
NO_TAR = "file could not be opened successfully"


def why(error: Exception) -> str:
    """Return why an archive cannot be read, in words for whoever made it."""
    text = clean(str(error), 200)
    if text.startswith(NO_TAR):
        return "it does not begin as a tar archive does, compressed or not: is it whole?"
    return text or "it ends too early"
