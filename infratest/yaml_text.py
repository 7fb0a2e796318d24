"""YAML 1.2 as a value: scanned by libyaml where that reads it as ruamel.yaml does, else by ruamel.yaml itself.

ruamel.yaml says what YAML means here: which words are numbers, keys that are there twice, merge keys, tags. Its scanner
is Python, and takes a second for 200 KB. libyaml's is C and knows YAML 1.1: what the two might scan differently
(directives, other line ends than LF and CRLF, deep nesting), and all that libyaml or the construction refuses, is read
by ruamel.yaml alone, in whose words it is then refused.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from infratest.numeral import Doubtful, Numeral, whole

#: Characters of YAML that are read: of what libyaml does not read, ruamel.yaml makes some 100,000 a second.
LIMIT = 2**17
#: Keys of one map, its merge keys' included.
MERGED = 10_000
#: Lists and maps in each other that libyaml is asked about; ruamel.yaml says how many are too many.
DEPTH = 100
#: Characters that only one of YAML 1.1 and 1.2 takes for the end of a line or for blank, and a mark of byte order.
NOT_ALIKE = ("\x85", "\u2028", "\u2029", "\ufeff", "\t")
#: What only one of the two scanners takes: directives, colons in the names of anchors, a block of text that begins with
#: a line of blanks.
SCANNED_OTHERWISE = re.compile(r"^%|[&*][^\s,\[\]{}]*:|[|>][-+0-9]*[ ]*(#.*)?\r?\n[ ]+\r?(\n|\Z)", re.MULTILINE)
#: Nothing but comments, blank lines, marks of documents and directives.
NO_DOCUMENT = re.compile(r"\ufeff?(?:(?:[ \t]*(?:#.*)?|(?:---|\.\.\.)(?:[ \t]+#.*|[ \t]*)|%.*)(?:\r?\n|\r|\Z))*")

#: Whole numbers that are the same in decimal and octal digits; the 0 has lost its own.
SMALL = frozenset(("", *"1234567"))

TRUTH = "tag:yaml.org,2002:bool"
#: Of what is no number to all: how YAML 1.2 and 1.1 read it.
OTHERWISE = (
    "{}: to readers of YAML 1.2 it is {}, to those of 1.1 {}; write it in quotes, or without what they differ in"
)

#: Texts of YAML 1.2 that 1.1 takes for true and false: https://yaml.org/type/bool.html.
TRUE, FALSE = ("y", "yes", "on"), ("n", "no", "off")
#: Texts of YAML 1.2 that 1.1 takes for numbers to the base of 60: https://yaml.org/type/int.html and float.html.
OF_SIXTY = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")

#: What ruamel.yaml's own constructors let through: of a number without digits, a key that is a map in a list.
UNCAUGHT = (IndexError, TypeError, KeyError, AttributeError, AssertionError)


class NoYaml(ValueError):
    """The text is no YAML that is read here; the words say why, and the line."""


class _Otherwise(Exception):
    """ruamel.yaml is to read the text."""


class AsWritten(SafeConstructor):
    """Dates stay as they are written; merge keys (<<) may double what there is, again and again.

    What YAML 1.1 and 1.2 take for different numbers is doubtful, unless the text says of which it is.
    """

    def flatten_mapping(self, node: Any) -> Any:
        # To Python, `true` is the key 1.
        node.value = [(_as_text(key) if key.tag == TRUTH else key, value) for key, value in node.value]
        merged = super().flatten_mapping(node)
        if len(node.value) > MERGED:
            raise NoYaml(f"line {node.start_mark.line + 1}: its merge keys make more than {MERGED} keys")
        return merged

    def construct_yaml_int(self, node: Any) -> Any:
        digits = node.value.lstrip("+-")
        if self.resolver.processing_version != (1, 1):
            if "_" in digits or digits.startswith("0b"):
                return Doubtful(node.value, OTHERWISE.format(node.value, "a text", "a number"))
            if digits.startswith("0") and digits.isdecimal() and digits.lstrip("0") not in SMALL:
                return Doubtful(node.value, OTHERWISE.format(node.value, "decimal", "octal, or a text"))
        return whole(node.value) if digits.isdecimal() and digits[0] != "0" else super().construct_yaml_int(node)

    def construct_yaml_float(self, node: Any) -> Any:
        if "_" in node.value and self.resolver.processing_version != (1, 1):
            return Doubtful(node.value, OTHERWISE.format(node.value, "a text", "a number"))
        number = super().construct_yaml_float(node)
        try:
            made = Numeral(node.value.replace("_", ""))
        except ValueError:  # .inf
            return number
        return made if made == number else number

    def construct_yaml_str(self, node: Any) -> Any:
        text = super().construct_yaml_str(node)
        if node.style or self.resolver.processing_version == (1, 1):
            return text
        if text.lower() in (*TRUE, *FALSE) and text in (text.lower(), text.upper(), text.capitalize()):
            truth = text.lower() in TRUE
            return Doubtful(text, OTHERWISE.format(text, "a text", "true" if truth else "false"), truth)
        if OF_SIXTY.fullmatch(text):
            number = _of_sixty(text)
            return Doubtful(text, OTHERWISE.format(text, "a text", f"the number {number:g}"), number)
        return text


def _of_sixty(text: str) -> float:
    number = 0.0
    for part in text.lstrip("+-").replace("_", "").split(":"):
        number = number * 60 + float(part)
    return -number if text.startswith("-") else number


AsWritten.add_constructor("tag:yaml.org,2002:int", AsWritten.construct_yaml_int)
AsWritten.add_constructor("tag:yaml.org,2002:str", AsWritten.construct_yaml_str)
AsWritten.add_constructor("tag:yaml.org,2002:float", AsWritten.construct_yaml_float)
AsWritten.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def value_of(text: str) -> Any:
    """Return the value of a text. Raises NoYaml; RecursionError where it is nested deeper than can be read."""
    if len(text) > LIMIT:
        raise NoYaml(f"it has {len(text)} characters; at most {LIMIT} are read")
    if NO_DOCUMENT.fullmatch(text):
        raise NoYaml("no document is in it, as in a file that was cut short; an empty one is written {} or null")
    try:
        return by_libyaml(text)
    except _Otherwise:
        return by_ruamel(text)


def by_ruamel(text: str) -> Any:
    """Return the value of a text as ruamel.yaml alone reads it. Raises as `value_of`."""
    try:
        return _reader().load(text)
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        problem = " ".join((error.problem or str(error)).split())
        raise NoYaml(f"{line}{problem}") from None
    except YAMLError as error:
        raise NoYaml(" ".join(str(error).split())) from None
    except UNCAUGHT as error:
        raise NoYaml(f"a value in it cannot be made: {error}") from None


def _as_text(key: Any) -> Node:
    return ScalarNode("tag:yaml.org,2002:str", key.value.lower(), key.start_mark, key.end_mark)


def _reader() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = AsWritten
    return reader


def by_libyaml(text: str) -> Any:
    """Return the value of a text that libyaml scans. Raises _Otherwise where it is not its to say."""
    import yaml

    if not yaml.__with_libyaml__ or not _alike(text):
        raise _Otherwise
    try:
        node = _composed(yaml, text)
        if node is None:
            return None
        # A constructor works for a loader, whose resolver it asks; ruamel.yaml makes one of its own parts.
        constructor: Any = _reader().constructor
        return constructor.construct_document(node)
    except (yaml.YAMLError, YAMLError, ValueError, RecursionError, *UNCAUGHT):
        raise _Otherwise from None


def _alike(text: str) -> bool:
    """Whether YAML 1.1 and 1.2 scan a text alike, as far as its characters tell."""
    if any(one in text for one in NOT_ALIKE) or SCANNED_OTHERWISE.search(text):
        return False
    return "\r" not in text.replace("\r\n", "")


@lru_cache(maxsize=4096)
def _tag(text: str, implicit: tuple[bool, bool]) -> Any:
    """Return the tag of a scalar without one, as YAML 1.2 has it."""
    return _resolver().resolve(ScalarNode, text, implicit)


@lru_cache(maxsize=1)
def _resolver() -> Any:
    reader = _reader()
    reader.load("")  # it makes its parts as it reads
    return reader.resolver


def _composed(yaml: Any, text: str) -> Node | None:
    """Return the node of the one document of a text, None where there is none."""
    tree = _Tree()
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        kind = type(event).__name__
        if kind in _NODES:
            tree.add(tree.anchored(event, _NODES[kind](event)), kind != "ScalarEvent")
        elif kind == "AliasEvent":
            tree.add(tree.alias(event))
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            tree.opened.pop()
    if len(tree.roots) > 1:
        raise _Otherwise
    return tree.roots[0] if tree.roots else None


class _Tree:
    """Nodes that are put together in the order of a text, without recursion."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self.opened: list[tuple[Any, list[Node]]] = []  # the node, and of a map the key that waits for its value
        self._anchors: dict[str, Node] = {}

    def anchored(self, event: Any, node: Node) -> Node:
        if event.tag is not None:  # few documents have any, and the two do not end and resolve them alike
            raise _Otherwise
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def alias(self, event: Any) -> Node:
        if event.anchor not in self._anchors:
            raise _Otherwise
        return self._anchors[event.anchor]

    def add(self, node: Node, opens: bool = False) -> None:
        """Put a node where it stands: into what is open, or at the top."""
        parent, waiting = self.opened[-1] if self.opened else (None, [])
        if parent is None:
            self.roots.append(node)
        elif not isinstance(parent, MappingNode):
            parent.value.append(node)
        elif waiting:
            parent.value.append((waiting.pop(), node))
        else:
            waiting.append(node)
        if opens:
            self.opened.append((node, []))
            if len(self.opened) > DEPTH:
                raise _Otherwise


def _scalar(event: Any) -> Node:
    tag = _tag(event.value, event.implicit)
    return ScalarNode(tag, event.value, event.start_mark, event.end_mark, style=event.style)


def _sequence(event: Any) -> Node:
    return SequenceNode("tag:yaml.org,2002:seq", [], event.start_mark, event.end_mark, flow_style=event.flow_style)


def _mapping(event: Any) -> Node:
    return MappingNode("tag:yaml.org,2002:map", [], event.start_mark, event.end_mark, flow_style=event.flow_style)


_NODES = {"ScalarEvent": _scalar, "SequenceStartEvent": _sequence, "MappingStartEvent": _mapping}
