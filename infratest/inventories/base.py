"""The contract of an inventory: `hosts`, what a source that others keep says of machines that exist already.

`provider: {name: existing, from: [...]}` asks it; the file's name is the word there. What it returns are declarations:
nobody logs in, and whether a host answers is for its checks to find out. A source that cannot be read, or only in part,
raises: fewer hosts than there are would be checks that nobody misses. What is wrong with one host alone is said of it
(`Listed.problem`), and told where that host is chosen.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from binascii import crc32
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import InventoryError
from infratest.options import fields
from infratest.paths import path_of

#: What a host is called here: it stands in file names, ids and lines of other programs. RFC 1035 has the length.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME = 63
#: Characters of a label's value.
LONGEST_LABEL = 256
#: Bytes of one file, or of what a program prints: ten thousand hosts with all their variables are less.
LARGEST = 64 * 2**20
#: Hosts of one source.
MOST_HOSTS = 50_000


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A host as a source has it. What it leaves out comes from the stack file, and then from ssh_config.

    Args:
        name: as the source has it; `name_of` makes a stack's name of it. where: file:line, or what else helps to find
        it. key: a whole path. jump: `user@name:port`, several with a comma between. config: the whole path of the
        ssh_config that knows the host by its name, where that is none that everybody reads. sudo: None for no word
        on it. problem: why it cannot be used, told where it is chosen.
    """

    name: str
    address: str = ""
    port: int | None = None
    user: str = ""
    key: str = ""
    jump: str = ""
    config: str = ""
    transport: str = ""
    sudo: bool | None = None
    groups: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    problem: str = ""

    #: Those of its values that two sources must agree on.
    VALUES = ("address", "port", "user", "key", "jump", "config", "transport", "sudo")

    def values(self) -> dict[str, Any]:
        """Return what it says of the way to the host, by the stack file's words."""
        return {name: getattr(self, name) for name in self.VALUES if getattr(self, name) not in ("", None)}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a source says.

    Args:
        files: every file that was read and folder that was listed for it, and places where one was looked for. asked:
        a program or an API gave it, so that the next answer may differ with the same files. notes: what stands there
        and is not obeyed, in words.
    """

    hosts: tuple[Listed, ...]
    files: tuple[Path, ...] = ()
    asked: bool = False
    notes: tuple[str, ...] = ()


class Inventory(ABC):
    """One kind of source. Its `Options`, a frozen dataclass, stand beside it or inside it; one may be `short`.
    An option with `source` in its metadata is a file or folder here.

    An inventory that asks a program or an API has an option `max_age`: seconds for which an answer serves.
    """

    def __init__(self, options: Any, folder: Path) -> None:
        self.options = options
        self.folder = folder

    @abstractmethod
    def hosts(self, deadline: Deadline) -> Answer:
        """Ask the source.

        Raises:
            InventoryError: it cannot be read whole; the message says what was asked, what came, and what to try.
        """

    def describe(self) -> str:
        """Return the source in a few words: `ansible hosts.ini`."""
        word = type(self).__module__.removeprefix("infratest.inventories.").partition(".")[0].replace("_", "-")
        known = fields(type(self.options)).values()
        short = next((field for field in known if field.about.get("short")), None)
        return f"{word} {clean(str(getattr(self.options, short.name)), 80)}".strip() if short else word

    def sources(self) -> list[Path]:
        """Return the files and folders here that its options name, there or not."""
        known = fields(type(self.options)).values()
        named = [str(getattr(self.options, field.name)) for field in known if field.about.get("source")]
        return [self.path(name) for name in named if name]

    @property
    def max_age(self) -> float:
        """Seconds for which an answer that a program or an API gave serves."""
        return float(getattr(self.options, "max_age", 0.0))

    def path(self, text: str) -> Path:
        """Return the path that a stack file means: relative ones begin where it lies."""
        return path_of(self.folder, text)


def name_of(text: str) -> str:
    """Return a name that a host or a group may have here: what no name may hold is a hyphen, at most 63 characters.

    One that is cut, or of which nothing is left, has a checksum of the whole in it, so that two stay two.
    """
    name = _NOT_IN_NAMES.sub("-", text).strip("._-")
    if name and len(name) <= LONGEST_NAME:
        return name
    mark = f"{crc32(text.encode('utf-8', 'backslashreplace')):08x}"
    return f"{name[: LONGEST_NAME - len(mark) - 1] or 'host'}-{mark}"


def labels_of(given: Mapping[str, Any]) -> dict[str, str]:
    """Return labels as a stack may have them: names as those of hosts, values that are text, clean and bounded.

    Values that are no text, number or switch are left out.

    Raises:
        InventoryError: two names become one.
    """
    found: dict[str, str] = {}
    of: dict[str, str] = {}
    for key, value in sorted(given.items()):
        if not isinstance(value, str | int | float):
            continue
        name = name_of(key)
        if name in found:
            raise InventoryError(f"the labels {of[name]!r} and {clean(key, 80)!r} are both {name!r} here; rename one")
        of[name] = clean(key, 80)
        found[name] = clean(str(value).lower() if isinstance(value, bool) else str(value), LONGEST_LABEL)
    return found


def text_of(path: Path, what: str = "") -> str:
    """Return the text of a file of a source.

    Args:
        what: who named it, for the message, as `ansible hosts.ini`.
    Raises:
        InventoryError: it is not there, cannot be read, is too large, or is no UTF-8.
    """
    begin = f"{what}: " if what else ""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise InventoryError(f"{begin}there is no {path}; paths are relative to the stack file") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise InventoryError(f"{begin}{path} cannot be read: {words}") from None
    if len(data) > LARGEST:
        raise InventoryError(f"{begin}{path} is larger than {LARGEST // 2**20} MiB: that is no list of hosts")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InventoryError(f"{begin}{path}: byte 0x{data[error.start]:02x} is not UTF-8") from None
