"""Python's `tarfile`, with the filters that keep what is unpacked inside its folder.

Python has them from 3.11.4 on (PEP 706). Debian 12's is 3.11.2 without them: there it is the backport from PyPI, whose
text is that of Python's own.
"""

from __future__ import annotations

import tarfile

TYPE_CHECKING = False
if not TYPE_CHECKING and not hasattr(tarfile, "data_filter"):
    from backports import tarfile

__all__ = ["tarfile"]
