"""What a domain has written on its serial console, from the log that libvirt's log daemon keeps."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from infratest.cleaning import decoded
from infratest.errors import ProviderError
from infratest.providers.base import Console
from infratest.providers.libvirt.domain import console_log

BYTES = 65536  # of the log's end


def read(domain: Any) -> Console:
    """Return the end of the log. Raises ProviderError: this user may not read it."""
    path = Path(console_log(domain.name()))
    try:
        text = decoded(path.read_bytes()[-BYTES:])
    except FileNotFoundError:
        text = ""
    except OSError as error:
        raise ProviderError(f"{path} cannot be read: {error.strerror}; only root may, on most systems") from error
    return Console(text=text.replace("\r", ""))


def forget(domain: Any) -> None:
    """Remove the log of a domain that is removed; where this user may not, it is left to libvirt."""
    with suppress(OSError):
        Path(console_log(domain.name())).unlink()
