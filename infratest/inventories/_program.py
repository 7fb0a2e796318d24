"""What the program of an inventory prints, whole or not at all: `terraform show -json`, `vagrant ssh-config` ..."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from infratest.cleaning import clean, ending
from infratest.deadline import Deadline
from infratest.errors import InventoryError, ProviderError
from infratest.inventories.base import LARGEST
from infratest.json_text import loads
from infratest.local_program import call, shown

#: Seconds for which an answer of a program serves, where nobody says otherwise.
MAX_AGE = 300.0
#: How old it may be, as an option of an inventory.
AGE = {
    "dimension": "time", "above": 0,
    "description": "How long an answer of a program serves before it is asked again (default 5min).",
}  # fmt: skip


def printed(
    arguments: Sequence[str],
    folder: Path,
    deadline: Deadline,
    advice: str,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return what a program prints on standard output.

    Args:
        folder: where it is run. advice: what to try where it fails. environment: what it is told beside ours.
    Raises:
        InventoryError: it is not there, fails, does not end in time, or prints more than a list of hosts can be.
    """
    try:
        status, out, err = call(arguments, deadline, environment=environment, folder=str(folder))
    except ProviderError as error:
        raise InventoryError(f"{error}; {advice}") from error
    if status != 0:
        words = clean(err.strip() or out, 400)
        raise InventoryError(f"`{shown(arguments)}` ended with exit {status}: {words or 'it said nothing'}; {advice}")
    if "\ufffd" in out:
        raise InventoryError(f"`{shown(arguments)}` printed bytes that are not UTF-8: names of hosts would be others")
    if len(out) > LARGEST:
        raise InventoryError(f"`{shown(arguments)}` printed more than {LARGEST // 2**20} MiB: that is no list of hosts")
    return out


def json_map(text: str, what: str) -> dict[str, object]:
    """Return a map that text holds as JSON.

    Args:
        what: who gave it, for the message.
    Raises:
        InventoryError: it is cut, or something else.
    """
    try:
        value = loads(text)
    except (ValueError, RecursionError) as error:
        end = clean(ending(text, 60), 60)
        raise InventoryError(f"{what} is no JSON, or not whole ({error}); it ends with {end!r}") from None
    if not isinstance(value, dict):
        raise InventoryError(f"{what} holds no map, as it has to: it begins with {clean(text, 40)!r}")
    return value
