"""The plain blocks of RSpec, read from Ruby's syntax tree: what is described, and what is claimed of it.

Nothing is executed. tree-sitter reads Ruby by its own grammar, and of the tree these are taken: `describe KIND(...)`
with `it` and `its` in it, `context` and `describe 'words'` around it, InSpec's `control` with its title and its impact.
Whatever else stands there (loops, variables, conditions, helpers) is a Leftover with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError

#: Bytes of a file that are read.
LARGEST = 2**20
#: Words before a claim that say what it belongs to and ask nothing.
SILENT = ("require", "require_relative", "title", "desc", "tag", "ref", "include")
#: The numbers of InSpec's words for an impact: lib/inspec/impact.rb.
IMPACTS = {"none": 0.0, "low": 0.1, "medium": 0.4, "high": 0.7, "critical": 0.9}
#: Words on which all that stands beside them hangs.
CONDITIONS = ("only_if", "skip")
#: What ends a claim of what must be, and of what must not.
HOLDS = {"should": False, "to": False, "should_not": True, "not_to": True, "to_not": True}
#: Escapes of a text in double quotes that have a letter, and a line that goes on: Ruby's `doc/syntax/literals.rdoc`.
ESCAPES = {
    "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b", "s": " ", "\n": "",
}  # fmt: skip


class NotPlain(UserError):
    """Something that is not read here, in words."""


@dataclass(frozen=True)
class Regex:
    """A regular expression, and its flags."""

    text: str
    flags: str = ""


@dataclass(frozen=True)
class Call:
    """A matcher or a word of its chain: its name and what it is given."""

    name: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Claim:
    """What is claimed of a subject.

    Args:
        text: as it is written. of: what of the subject, as `its('version')` says; empty for itself. matcher: with
        its chain behind it. operator: of `cmp >= 2`. keys: of a path in a document, as `its('a.b')` and
        `its(['a', 0])` say.
    """

    line: int
    text: str
    of: str
    matcher: Call
    chain: tuple[Call, ...] = ()
    operator: str = ""
    negated: bool = False
    keys: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Leftover:
    """What is no plain block."""

    line: int
    words: str


@dataclass
class Described:
    """A subject, and what is claimed of it. `titles`: of what it stands in; `impact`: of its control, from 0 to 1."""

    line: int
    kind: str
    args: tuple[Any, ...]
    titles: tuple[str, ...]
    impact: float | None = None
    claims: list[Claim] = field(default_factory=list)


def blocks(path: Path) -> Iterator[Described | Leftover]:
    """Yield what a file describes, in its order. Raises UserError: it cannot be read, or is no Ruby."""
    try:
        with path.open("rb") as file:
            source = file.read(LARGEST + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    if len(source) > LARGEST:
        raise UserError(f"{path} is larger than {LARGEST // 1024} KiB, which no such file is")
    root = _parser().parse(source).root_node
    if root.has_error:
        raise UserError(f"{path}:{_wrong(root)}: it is not read as Ruby from here on")
    yield from _within(root.named_children, (), None)


def _parser() -> Any:
    try:
        import tree_sitter_ruby
        from tree_sitter import Language, Parser
    except ImportError:
        raise UserError("tree-sitter-ruby is not installed here: pip install 'infratest[ruby]'") from None
    return Parser(Language(tree_sitter_ruby.language()))


def _wrong(root: Any) -> int:
    todo = [root]
    while todo:
        node = todo.pop()
        if node.type == "ERROR" or node.is_missing:
            return _line(node)
        todo += [child for child in reversed(node.children) if child.has_error or child.is_missing]
    return 1


def _line(node: Any) -> int:
    line: int = node.start_point[0] + 1
    return line


def _text(node: Any) -> str:
    text: str = node.text.decode("utf-8", "replace")
    return text


def _shown(node: Any) -> str:
    return clean(" ".join(_text(node).split()), 120)


def _method(node: Any) -> str:
    if node.type == "identifier":
        return _text(node)
    name = node.child_by_field_name("method") if node.type == "call" else None
    return _text(name) if name is not None else ""


def _arguments(node: Any) -> list[Any]:
    listed = node.child_by_field_name("arguments")
    return [one for one in listed.named_children if one.type != "comment"] if listed is not None else []


def _body(node: Any) -> list[Any]:
    """Return what stands in a call's block."""
    block = node.child_by_field_name("block")
    bodies = (
        [] if block is None else [one for one in block.named_children if one.type in ("body_statement", "block_body")]
    )
    return [one for body in bodies for one in body.named_children]


def _within(nodes: Sequence[Any], titles: tuple[str, ...], impact: float | None) -> Iterator[Described | Leftover]:
    conditions = [_line(node) for node in nodes if _method(node) in CONDITIONS]
    for node in [one for one in nodes if _method(one) == "impact"]:  # which may stand behind what it is about
        try:
            impact = _impact(node)
        except NotPlain as error:
            yield Leftover(_line(node), str(error))
    for node in nodes:
        name = _method(node)
        if node.type == "comment" or (name in (*SILENT, "impact") and node.child_by_field_name("receiver") is None):
            continue
        try:
            if name in CONDITIONS:
                raise NotPlain(f"a condition, which is not asked: {_shown(node)}")
            if conditions:
                raise NotPlain(f"it hangs on the condition in line {conditions[0]}: {_shown(node)}")
            if (
                node.type != "call"
                or name not in ("describe", "context", "control")
                or node.child_by_field_name("receiver")
            ):
                raise NotPlain(f"no plain describe block: {_shown(node)}")
            yield from _block(node, titles, impact)
        except NotPlain as error:
            yield Leftover(_line(node), str(error))


def _impact(node: Any) -> float:
    """Return an impact as a number. Raises NotPlain: it is none that is written out."""
    given = value(_arguments(node)[0]) if len(_arguments(node)) == 1 else None
    number = IMPACTS.get(given.lower()) if isinstance(given, str) else given
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 1:
        raise NotPlain(f"no impact from 0.0 to 1.0: {_shown(node)}")
    return number


def _block(node: Any, titles: tuple[str, ...], impact: float | None) -> Iterator[Described | Leftover]:
    arguments = _arguments(node)
    if len(arguments) != 1:
        raise NotPlain(f"it has no subject, or conditions behind it: {_shown(node)}")
    subject = arguments[0]
    if subject.type in ("string", "simple_symbol"):
        words = str(value(subject))
        named = [one for one in _body(node) if _method(one) == "title"]
        title = str(value(_arguments(named[0])[0])) if named and _arguments(named[0]) else words
        yield from _within(_body(node), (*titles, title), impact)
        return
    call = _call(subject)
    described = Described(_line(node), call.name, call.args, titles, impact)
    rest: list[Leftover] = []
    for one in _body(node):
        if one.type == "comment":
            continue
        try:
            described.claims += _claims(one)
        except NotPlain as error:
            rest.append(Leftover(_line(one), f"{call.name}: {error}"))
    yield described
    yield from rest


def _claims(node: Any) -> Iterator[Claim]:
    """Yield the claims of an `it` or `its`."""
    name, body = _method(node), [one for one in _body(node) if one.type != "comment"]
    if name not in ("it", "its", "specify") or not body:
        raise NotPlain(f"no plain claim: {_shown(node)}")
    given, arguments = None, _arguments(node)
    if len(arguments) > 1 or (name != "its" and any(one.type != "string" for one in arguments)):
        raise NotPlain(f"it has conditions or tags behind it, which are not asked: {_shown(node)}")
    if name == "its" and arguments:
        given = value(arguments[0])
    of = "" if given is None else str(given)
    keys = tuple(given) if isinstance(given, list) else tuple(of.split(".")) if of else ()
    for one in body:
        yield replace(_claim(one, of, _shown(node) if len(body) == 1 else _shown(one)), keys=keys)


def _claim(node: Any, of: str, text: str) -> Claim:
    """Return what `should X`, `is_expected.to X`, `expect(subject).to X` or `expect(subject.version).to X` claims."""
    verb, receiver = _method(node), node.child_by_field_name("receiver") if node.type == "call" else None
    arguments = _arguments(node) if node.type == "call" else []
    if verb not in HOLDS or len(arguments) != 1:
        raise NotPlain(f"no plain claim: {text}")
    if receiver is not None and _text(receiver) not in ("is_expected", "expect(subject)", "subject"):
        raise NotPlain(f"it is about another thing than its block: {text}")
    matcher, operator = arguments[0], ""
    if matcher.type == "binary":
        left, right = matcher.child_by_field_name("left"), matcher.child_by_field_name("right")
        operator = _text(matcher.child_by_field_name("operator"))
        return Claim(_line(node), text, of, Call(_text(left), (value(right),)), (), operator, HOLDS[verb])
    calls: list[Call] = []
    while matcher is not None:
        calls.insert(0, Call(_method(matcher), _values(matcher)))
        matcher = matcher.child_by_field_name("receiver") if matcher.type == "call" else None
    return Claim(_line(node), text, of, calls[0], tuple(calls[1:]), operator, HOLDS[verb])


def _given(node: Any) -> list[Any]:
    if node.type not in ("call", "identifier"):
        raise NotPlain(f"no matcher by name: {_shown(node)}")
    return _arguments(node) if node.type == "call" else []


def _values(node: Any) -> tuple[Any, ...]:
    """Return what a call is given: `port: 22, proto: 'tcp'` at its end is one map."""
    made: list[Any] = []
    pairs: dict[Any, Any] = {}
    for one in _given(node):
        if one.type == "pair":
            pairs |= value(one)
        else:
            made.append(value(one))
    return (*made, pairs) if pairs else tuple(made)


def _call(node: Any) -> Call:
    """Return a resource; a part of one, as `os.family` or `yum.repo('x')`, by both names with a dot between them."""
    receiver = node.child_by_field_name("receiver") if node.type == "call" else None
    if node.type not in ("call", "identifier") or (receiver is not None and receiver.type != "identifier"):
        raise NotPlain(f"no plain resource: {_shown(node)}")
    return Call(f"{_text(receiver)}.{_method(node)}" if receiver is not None else _method(node), _values(node))


def value(node: Any) -> Any:
    """Return what a literal stands for: text, a number, a truth value, None, a list, a map, or a Regex.

    Raises:
        NotPlain: it is none, or has something put in (`#{...}`).
    """
    kind = node.type
    if kind in ("string", "regex", "bare_string", "delimited_symbol"):
        return _quoted(node)
    if kind in ("simple_symbol", "hash_key_symbol"):
        return _text(node).removeprefix(":")
    if kind == "integer":
        digits = _text(node).replace("_", "")
        octal = digits.startswith("0") and digits.isdecimal() and len(digits) > 1
        return int(digits, 8) if octal else int(digits, 0)
    if kind == "float":
        return float(_text(node).replace("_", ""))
    if kind in ("true", "false", "nil"):
        return {"true": True, "false": False, "nil": None}[kind]
    if kind in ("array", "string_array", "symbol_array"):
        return [value(one) for one in node.named_children if one.type != "comment"]
    if kind in ("hash", "pair"):
        pairs = [node] if kind == "pair" else [one for one in node.named_children if one.type == "pair"]
        return {value(one.child_by_field_name("key")): value(one.child_by_field_name("value")) for one in pairs}
    raise NotPlain(f"no plain value: {_shown(node)}")


def _quoted(node: Any) -> Any:
    parts: list[bytes] = []
    for one in node.named_children:
        if one.type == "escape_sequence" and node.type == "regex":
            parts.append(b"/" if _text(one) == "\\/" else one.text)
        elif one.type == "escape_sequence" and node.type != "bare_string":
            parts.append(_escaped(_text(one)[1:], node))
        elif one.type == "string_content" and not (node.type == "bare_string" and b"\\" in one.text):
            parts.append(one.text)
        elif one.type == "interpolation":
            raise NotPlain(f"something is put into it: {_shown(node)}")
        else:
            raise NotPlain(f"an escape that is not read here: {_shown(node)}")
    try:
        text = b"".join(parts).decode()
    except UnicodeDecodeError:
        raise NotPlain(f"it is no UTF-8 text: {_shown(node)}") from None
    if node.type == "regex":
        return Regex(text, _text(node.children[-1]).lstrip("/})]>|!"))
    begin = _text(node.children[0])
    if begin.startswith(("'", ":'", "%q", "%s")):
        ends = re.escape(begin[-1] + _text(node.children[-1]) + "\\")
        return re.sub(rf"\\([{ends}])", r"\1", text)
    return text


def _escaped(word: str, node: Any) -> bytes:
    """Return what stands behind a backslash in double quotes as bytes. Raises NotPlain."""
    if word[0] in "01234567":
        return bytes([int(word, 8) & 0xFF])
    if word[0] == "x":
        return bytes.fromhex(word[1:].rjust(2, "0"))
    if word[0] == "u":
        try:
            return "".join(chr(int(code, 16)) for code in word[1:].strip("{}").split()).encode()
        except (ValueError, OverflowError):
            raise NotPlain(f"an escape that is no character: {_shown(node)}") from None
    if word[0] in "cCM":
        raise NotPlain(f"an escape that is not read here: {_shown(node)}")
    return ESCAPES.get(word, word).encode()
