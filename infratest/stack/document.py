"""A stack file as read: plain maps, lists and values, and for each of them the line and the text it was written as.

`stack.file` reads with it; everything that finds fault with a stack file asks it for `file:line: key`. YAML 1.2 by
ruamel.yaml's parser; the values are built here, so that duplicate keys, odd keys and endless aliases are refused.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from infratest.cleaning import clean
from infratest.errors import StackFileError

KeyPath = tuple[str | int, ...]

LARGEST_FILE = 2**20
MOST_VALUES = 20_000

#: In YAML 1.1 `yes` is true and 0644 is 420: not what this reads.
_OTHER_VERSION = re.compile(r"^%YAML(?! +1\.2\s*$).*", re.MULTILINE)

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Place:
    """Where a value stands: its line and column, the key as written (with `environments.NAME`), a scalar's text."""

    line: int
    key: KeyPath
    text: str | None = None
    is_map: bool = False
    column: int = 1


@dataclass(frozen=True)
class Document:
    """A stack file's data and the places of its values, by key."""

    path: Path
    data: dict[str, Any]
    places: Mapping[KeyPath, Place] = field(repr=False)

    def place(self, key: KeyPath) -> Place:
        """Return where a key stands, or what holds it, for a key that is missing."""
        for end in range(len(key), -1, -1):
            if key[:end] in self.places:
                found = self.places[key[:end]]
                if end == len(key):
                    return found
                return Place(found.line, found.key + key[end:], column=found.column)
        return Place(1, key)

    def where(self, key: KeyPath) -> str:
        """Return `stack.yaml:14`."""
        return f"{self.path}:{self.place(key).line}"

    def at(self, key: KeyPath) -> str:
        """Return `stack.yaml:14: hosts.web.count`."""
        written = self.place(key).key
        return f"{self.where(key)}: {dotted(written)}" if written else self.where(key)

    def message(self, key: KeyPath, words: str) -> str:
        """Return `stack.yaml:14: hosts.web.count: words`."""
        return f"{self.at(key)}: {clean(words, 800)}"

    def error(self, key: KeyPath, words: str) -> StackFileError:
        """Return the error for one thing that is wrong at a key."""
        return StackFileError(self.message(key, words))


def dotted(key: KeyPath) -> str:
    """Return a key as people write it: `hosts.web.ports[0]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{clean(part, 80)}"
    return text


def read(path: Path) -> Document:
    """Read a stack file.

    Raises:
        StackFileError: it is missing, unreadable, not UTF-8, not YAML, empty, or no map; or a key stands twice.
    """
    text = _text(path, _bytes(path))
    other = _OTHER_VERSION.search(text)
    if other:
        line = text.count("\n", 0, other.start()) + 1
        raise StackFileError(f"{path}:{line}: {clean(other[0], 40)}: stack files are YAML 1.2; remove this line")
    try:
        # The parser alone: its own constructor would turn dates into objects and forget how a number was written.
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise StackFileError(_syntax(path, error, text)) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise StackFileError(
            f"{path}:{line}: the character U+{error.character:04X} cannot be in a stack file; remove it"
        ) from None
    except YAMLError as error:
        raise StackFileError(f"{path}: not YAML: {clean(str(error), 300)}") from None
    except RecursionError:
        raise StackFileError(f"{path}: not usable: maps or lists are nested too deeply") from None
    if node is None or (isinstance(node, ScalarNode) and node.tag == _TAG + "null"):
        raise StackFileError(f"{path}: the file is empty; a stack file starts with `stack: NAME` (`infratest init`)")
    if not isinstance(node, MappingNode):
        found = "a list" if isinstance(node, SequenceNode) else "one value"
        line = node.start_mark.line + 1
        raise StackFileError(f"{path}:{line}: found {found}, a stack file is a map that starts with `stack: NAME`")
    builder = _Builder(path)
    try:
        data = builder.value(node, (), node)
    except RecursionError:
        raise StackFileError(f"{path}: not usable: maps or lists are nested too deeply") from None
    return Document(path, data, builder.places)


def _bytes(path: Path) -> bytes:
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise StackFileError(f"{path} is a directory; name the stack file in it: {path / 'stack.yaml'}")
        if not stat.S_ISREG(kind):
            raise StackFileError(f"{path} is not a regular file; name a stack file")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise StackFileError(f"no stack file {path}: `infratest init` writes one, --stack FILE names another") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise StackFileError(f"the stack file {path} cannot be read: {words}") from None
    if len(data) > LARGEST_FILE:
        raise StackFileError(f"{path} is larger than {LARGEST_FILE // 1024} KiB; a stack file is not that large")
    return data


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StackFileError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def _syntax(path: Path, error: MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    # "but found another document" goes on from its context; the other contexts say less than they take room.
    words = str(error.problem or error.context or error)
    words = _in_words(error) or clean(f"{error.context}, {words}" if words.startswith("but ") else words, 200)
    column = f" (column {mark.column + 1})" if mark else ""
    lines = text.splitlines()
    character = lines[mark.line][mark.column : mark.column + 1] if mark and mark.line < len(lines) else ""
    advice = {
        "@": '; text that starts with @ must be quoted: "@name"',
        "\t": "; indent with blanks, not with tabs",
        "%": "; text that starts with % must be quoted",
        "`": "; text that starts with ` must be quoted",
    }.get(character, "")
    return f"{where}: not YAML: {words}{column}{advice}"


def _in_words(error: MarkedYAMLError) -> str:
    """Return what is wrong with the layout of a file, where the parser's own words are about its inside."""
    problem, mark, began = str(error.problem), error.problem_mark, error.context_mark
    if "mapping values are not allowed" in problem:
        return "this ':' begins no value: is the line indented too far, or must the text be quoted?"
    if mark is None or began is None:
        return ""
    if "expected <block end>" in problem and mark.column == began.column:
        return f"wrong indentation: a list item and keys cannot stand in one block (line {began.line + 1})"
    if "expected <block end>" in problem:
        return (
            f"wrong indentation: this line stands {mark.column} blanks in, and the lines it follows stand "
            f"{began.column} blanks in (line {began.line + 1}); lines of one block begin in the same column"
        )
    if "could not find expected ':'" in problem:
        return f"line {began.line + 1} is no `key: value`: the ':' behind the key is missing"
    if "expected ',' or" in problem:
        bracket = "]" if "']'" in problem else "}"
        return f"the bracket that opens in line {began.line + 1} is not closed, or a ',' is missing: expected {bracket}"
    if "unexpected end of stream" in problem:
        return f"the quote that opens in line {began.line + 1} is not closed"
    return ""


class _Builder:
    """Builds plain data from the parser's nodes and notes each value's place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[KeyPath, Place] = {}
        self.inside: list[Node] = []

    def fault(self, node: Node, key: KeyPath, words: str) -> StackFileError:
        return StackFileError(f"{self.path}:{node.start_mark.line + 1}: {dotted(key) + ': ' if key else ''}{words}")

    def value(self, node: Node, key: KeyPath, at: Node) -> Any:
        """Return a node's value. `at` is the node whose line is shown: the key's, or the list item's own."""
        if len(self.places) >= MOST_VALUES:
            raise self.fault(at, key, f"more than {MOST_VALUES} values; do aliases (*name) multiply them?")
        mark, text = at.start_mark, node.value if isinstance(node, ScalarNode) else None
        self.places[key] = Place(mark.line + 1, key, text, isinstance(node, MappingNode), mark.column + 1)
        if isinstance(node, ScalarNode):
            return self.scalar(node, key)
        if any(node is outer for outer in self.inside):
            raise self.fault(at, key, "an alias (*name) that holds itself")
        self.inside.append(node)
        built = self.map(node, key) if isinstance(node, MappingNode) else self.list(node, key)
        self.inside.pop()
        return built

    def map(self, node: MappingNode, key: KeyPath) -> dict[str, Any]:
        if node.tag != _TAG + "map":
            raise self.fault(node, key, f"the tag {clean(str(node.tag), 80)} is not used in stack files")
        built: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            name = self.key(key_node, key)
            if name in built:
                raise self.fault(
                    key_node, (*key, name), f"the key stands twice; first in line {lines[name]}; remove one of the two"
                )
            lines[name] = key_node.start_mark.line + 1
            built[name] = self.value(value_node, (*key, name), key_node)
        return built

    def key(self, node: Node, key: KeyPath) -> str:
        if not isinstance(node, ScalarNode):
            raise self.fault(node, key, "a key must be text, found a map or a list")
        if node.tag == _TAG + "merge":
            raise self.fault(node, key, "<< is not YAML 1.2; use `defaults` or `environments`, which merge")
        if not isinstance(self.scalar(node, key), str):
            raise self.fault(node, key, f'a key must be text, found {clean(node.value, 80)}; write "{node.value}":')
        return str(node.value)

    def list(self, node: Node, key: KeyPath) -> list[Any]:
        if not isinstance(node, SequenceNode) or node.tag != _TAG + "seq":
            raise self.fault(node, key, f"the tag {clean(str(node.tag), 80)} is not used in stack files")
        return [self.value(item, (*key, number), item) for number, item in enumerate(node.value)]

    def scalar(self, node: ScalarNode, key: KeyPath) -> Any:
        tag, text = str(node.tag).removeprefix(_TAG), str(node.value)
        if "\0" in text:
            raise self.fault(node, key, "a NUL character cannot be in a stack file")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise self.fault(node, key, "half a character (a surrogate) cannot be in a stack file")
        if tag in ("str", "timestamp", "value", "merge"):  # YAML 1.2 has no dates: they are text
            return text
        try:
            if tag == "null":
                return None
            if tag == "bool":
                return {"true": True, "false": False}[text.lower()]
            if tag == "int":
                return _whole(text)
            if tag == "float":
                return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
        except (ValueError, KeyError):
            raise self.fault(node, key, f"{clean(text, 60)!r} is not a value of its type ({tag})") from None
        raise self.fault(node, key, f"the tag {clean(str(node.tag), 80)} is not used in stack files")


def _whole(text: str) -> int:
    digits = text.replace("_", "")
    return int(digits, 0) if digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else int(digits)
