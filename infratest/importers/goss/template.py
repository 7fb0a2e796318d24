"""Go's text/template as goss files have it: values, pipelines, `if`, `range`, `with`, variables, comments.

goss fills a file before it reads it, with `.Vars` and `.Env` (pkg.go.dev/text/template; missing keys are errors). The
same is done here, by values alone: functions.py has the functions, none of which looks at a host or runs anything. What
is not known is refused, naming each line, for it could leave out or add resources. Each line of what comes of it knows
the line that it was made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.importers.goss.functions import FUNCTIONS, Refused, as_text, is_true, shown

#: Characters that a file may be filled to, rounds of all its loops, and lines that a refusal names.
LARGEST, ROUNDS, SHOWN = 2**20, 20_000, 20

_BLOCKS = ("if", "range", "with")
_UNKNOWN = ("define", "template", "block", "break", "continue")
_NO_ACTION = "such an action of templates is not known here"
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<raw>`[^`]*`)|(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<variable>\$\w*(?:\.\w+)*)|(?P<field>\.(?:\w+(?:\.\w+)*)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>:=|[=|(),])""",
    re.VERBOSE,
)
_QUOTED = re.compile(r'"(?:\\.|[^"\\\n])*"|`[^`]*`|}}')
_COMMENT = re.compile(r"/\*.*\*/", re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "'": "'"}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    at: int


@dataclass
class Node:
    """A part of a template: text, an action, or a block of those.

    Args:
        kind: `text`, `action`, `if`, `range` or `with`. inside: the nodes of a block; otherwise: those of its else.
    """

    kind: str
    line: int
    text: str = ""
    tokens: list[Token] = field(default_factory=list)
    inside: list[Node] = field(default_factory=list)
    otherwise: list[Node] = field(default_factory=list)


def filled(text: str, path: str, values: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, list[int]]:
    """Return a template filled, and of each of its lines the one that it was made of.

    Raises:
        UserError: it has what is not known, or names values that are not there; each such line is named.
    """
    refused: list[str] = []
    try:
        parts = (part for part in _parts(text) if part.kind != "action" or not _COMMENT.fullmatch(part.text.strip()))
        nodes = _tree(parts, path, refused)
        made = _Filling(path, {"Vars": values, "Env": environment}, refused)
        if not refused:
            made.nodes(nodes, {"Vars": values, "Env": environment})
    except RecursionError:
        raise UserError(f"{path}: its templates are nested too deep") from None
    if refused:
        more = [f"and {len(refused) - SHOWN} more"] if len(refused) > SHOWN else []
        raise UserError("\n".join(refused[:SHOWN] + more))
    return made.done()


# Reading


def _parts(text: str) -> Iterator[Node]:
    """Yield the text and the actions of a template; an action's text is what stands between its braces."""
    start, line, trims = 0, 1, False
    while True:
        opened = text.find("{{", start)
        between = text[start:] if opened < 0 else text[start:opened]
        shown = between
        after = opened + 2
        if opened >= 0 and text[after : after + 1] == "-" and text[after + 1 : after + 2].isspace():
            shown, after = shown.rstrip(), after + 1
        first = line
        if trims:
            first += len(shown[: len(shown) - len(shown.lstrip())].split("\n")) - 1
            shown = shown.lstrip()
        if shown:
            yield Node("text", first, shown)
        line += between.count("\n")
        if opened < 0:
            return
        end = _end(text, after)
        inside = text[after:end]
        trims = inside.endswith("-") and inside[-2:-1].isspace()
        yield Node("action" if end < len(text) else "open", line, inside[:-1] if trims else inside)
        line += text[opened : end + 2].count("\n")
        start = end + 2


def _end(text: str, start: int) -> int:
    """Return where the braces close that are open; those in quotes, and in a comment, are text."""
    if text[start:].lstrip().startswith("/*"):
        closed = text.find("*/", start)
        ends = text.find("}}", closed) if closed >= 0 else -1
        return ends if ends >= 0 else len(text)
    for found in _QUOTED.finditer(text, start):
        if found[0] == "}}":
            return found.start()
    return len(text)


def _tree(parts: Iterator[Node], path: str, refused: list[str], block: Node | None = None) -> list[Node]:
    """Return the nodes up to the end of a block, or of the template."""
    nodes: list[Node] = []
    for part in parts:
        if part.kind == "text":
            nodes.append(part)
            continue
        tokens = _tokens(part.text.strip())
        word = tokens[0].text if tokens and tokens[0].kind == "name" else ""
        unknown = [each.text for each in tokens if each.kind == "name" and not _is_known(each.text)]
        if part.kind == "open" or not tokens or word in _UNKNOWN:
            refused.append(f"{path}:{part.line}: {_shown(part)}: {_NO_ACTION}")
            continue
        if unknown:
            refused.append(f"{path}:{part.line}: {_shown(part)}: {_not_known(unknown[0])}")
        if word in _BLOCKS:
            part.kind, part.tokens = word, tokens[1:]
            part.inside = _tree(parts, path, refused, part)
            nodes.append(part)
        elif word in ("else", "end") and (block is None or (word, block.kind) == ("else", "else")):
            refused.append(f"{path}:{part.line}: {_shown(part)}: there is nothing that it belongs to")
        elif word == "end":
            return nodes
        elif word == "else" and block is not None:
            block.otherwise = _else(part, tokens, parts, path, refused)
            return nodes
        else:
            part.tokens = tokens
            nodes.append(part)
    if block is not None:
        refused.append(f"{path}:{block.line}: {_shown(block)}: it has no end")
    return nodes


def _else(part: Node, tokens: list[Token], parts: Iterator[Node], path: str, refused: list[str]) -> list[Node]:
    """Return the nodes of an else; of `else if`, a block that ends where the whole does."""
    if len(tokens) == 1:
        return _tree(parts, path, refused, Node("else", part.line))
    part.kind, part.tokens = tokens[1].text, tokens[2:]
    if part.kind not in _BLOCKS:
        refused.append(f"{path}:{part.line}: {_shown(part)}: {_NO_ACTION}")
    part.inside = _tree(parts, path, refused, part)
    return [part]


def _is_known(name: str) -> bool:
    return name in FUNCTIONS or name in (*_BLOCKS, "else", "end", "true", "false", "nil")


def _not_known(name: str) -> str:
    return (f"the function {clean(name, 40)} is not known here; render the file with goss itself (`goss render`), and "
            "import what comes of it")  # fmt: skip


def _shown(node: Node) -> str:
    return clean("{{" + " ".join(node.text.split()) + "}}", 80)


def _tokens(text: str) -> list[Token]:
    """Return the tokens of an action; empty where a character is none of any."""
    tokens, at = list[Token](), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            return []
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    return tokens


# Filling


class _Filling:
    def __init__(self, path: str, root: Mapping[str, Any], refused: list[str]) -> None:
        self._path, self._refused = path, refused
        self._scopes: list[dict[str, Any]] = [{"$": root}]
        self._made: list[str] = []
        self._lines: list[int] = []
        self._line, self._size, self._rounds = 0, 0, 0

    def nodes(self, nodes: list[Node], dot: Any) -> None:
        for node in nodes:
            if node.kind == "text":
                self._put(node.text, node.line, moves=True)
                continue
            self._scopes.append({})
            try:
                self._node(node, dot)
            except (UserError, Refused) as error:
                self._refused.append(f"{self._path}:{node.line}: {_shown(node)}: {error}")
            finally:
                # What an action declares is known behind it; what a block does, in it alone.
                declared = self._scopes.pop()
                if node.kind == "action":
                    self._scopes[-1].update(declared)

    def _node(self, node: Node, dot: Any) -> None:
        names, value = self._value(node.tokens, dot)
        if node.kind == "action":
            if not names:
                self._put(as_text(value), node.line, moves=False)
        elif node.kind == "range":
            self._range(node, names, value, dot)
        else:
            self.nodes(node.inside if is_true(value) else node.otherwise,
                       value if node.kind == "with" and is_true(value) else dot)  # fmt: skip

    def _range(self, node: Node, names: list[str], value: Any, dot: Any) -> None:
        if isinstance(value, Mapping):
            pairs: list[tuple[Any, Any]] = sorted(value.items(), key=lambda pair: str(pair[0]))
        elif isinstance(value, list):
            pairs = list(enumerate(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(number, number) for number in range(min(value, ROUNDS + 1))]
        elif value is None:
            pairs = []
        else:
            raise Refused(f"{shown(value)} is nothing to go through")
        if not pairs:
            self.nodes(node.otherwise, dot)
        for key, each in pairs:
            self._rounds += 1
            if self._rounds > ROUNDS:
                raise Refused(f"more than {ROUNDS} rounds of loops")
            if self._refused:
                return
            self._scopes[-1].update(zip(names, [each] if len(names) == 1 else [key, each], strict=False))
            self.nodes(node.inside, each)

    def _value(self, tokens: list[Token], dot: Any) -> tuple[list[str], Any]:
        """Return the names that a pipeline declares, and its value."""
        sign = next((place for place, each in enumerate(tokens) if each.text in (":=", "=")), None)
        names: list[str] = []
        if sign is not None and tokens[sign].kind == "sign":
            names = [each.text for each in tokens[:sign] if each.kind == "variable"]
            value = _Expression(tokens[sign + 1 :], dot, self._variable).whole()
            if tokens[sign].text == "=":
                scope = next((one for one in reversed(self._scopes) if names[0] in one), None)
                if scope is None:
                    raise Refused(f"{names[0]} is not declared")
                scope[names[0]] = value
            elif len(names) == 1:
                self._scopes[-1][names[0]] = value
            return names, value
        return names, _Expression(tokens, dot, self._variable).whole()

    def _variable(self, name: str) -> Any:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        raise Refused(f"{name} is not declared")

    def _put(self, text: str, line: int, *, moves: bool) -> None:
        self._size += len(text)
        if self._size > LARGEST:
            raise Refused(f"it would be more than {LARGEST // 1024} KiB")
        for place, part in enumerate(text.split("\n")):
            if place:
                self._lines.append(self._line or line + (place - 1 if moves else 0))
                self._line = 0
            if part.strip() and not self._line:
                self._line = line + (place if moves else 0)
        self._made.append(text)

    def done(self) -> tuple[str, list[int]]:
        return "".join(self._made), [*self._lines, self._line or (self._lines[-1] if self._lines else 1)]


class _Expression:
    """A pipeline: commands, each of which gets the value of the one before it as its last argument."""

    def __init__(self, tokens: list[Token], dot: Any, variable: Any) -> None:
        self._tokens, self._dot, self._variable, self._at = tokens, dot, variable, 0

    def whole(self) -> Any:
        value = self._pipeline()
        if self._at < len(self._tokens):
            raise Refused(f"{self._tokens[self._at].text} stands where nothing is expected")
        return value

    def _pipeline(self) -> Any:
        value = self._command([])
        while self._next() == "|":
            self._at += 1
            value = self._command([value])
        return value

    def _next(self) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        return token.text if token is not None and token.kind == "sign" else ""

    def _command(self, last: list[Any]) -> Any:
        first = self._tokens[self._at] if self._at < len(self._tokens) else None
        if first is None or (first.kind == "sign" and first.text != "("):
            raise Refused("a value is missing")
        if first.kind == "name" and first.text not in ("true", "false", "nil"):
            self._at += 1
            known = FUNCTIONS.get(first.text)
            if known is None:
                raise Refused(_not_known(first.text))
            arguments: list[Any] = []
            while self._at < len(self._tokens) and self._next() in ("", "("):
                arguments.append(self._operand())
            return known(first.text, [*arguments, *last])
        value = self._operand()
        if last or (self._at < len(self._tokens) and self._next() not in ("|", ")")):
            raise Refused(f"{clean(first.text, 40)} is no function that takes a value")
        return value

    def _operand(self) -> Any:
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "sign":
            value = self._pipeline()
            if self._next() != ")":
                raise Refused("a bracket is not closed")
            closed = self._tokens[self._at]
            self._at += 1
            following = self._tokens[self._at] if self._at < len(self._tokens) else None
            if following is not None and following.kind == "field" and following.at == closed.at + 1:
                self._at += 1
                return _field(value, following.text[1:].split("."))
            return value
        if token.kind == "name" and token.text not in ("true", "false", "nil"):
            known = FUNCTIONS.get(token.text)
            if known is None:
                raise Refused(_not_known(token.text))
            return known(token.text, [])
        if token.kind == "variable":
            name, *keys = token.text.split(".")
            return _field(self._variable(name), keys)
        if token.kind == "field":
            return _field(self._dot, token.text[1:].split(".") if token.text != "." else [])
        return _literal(token)


def _literal(token: Token) -> Any:
    if token.kind == "text":
        return _ESCAPE.sub(_unescaped, token.text[1:-1])
    if token.kind == "raw":
        return token.text[1:-1]
    if token.kind == "number":
        return float(token.text) if "." in token.text else int(token.text)
    return {"true": True, "false": False, "nil": None}[token.text]


def _unescaped(escape: re.Match[str]) -> str:
    inside = escape[1]
    if inside[0] in "xu" and len(inside) > 1:
        return chr(int(inside[1:], 16))
    if inside not in _ESCAPES:
        raise Refused(f"{escape[0]} means nothing in quotes")
    return _ESCAPES[inside]


def _field(value: Any, keys: list[str]) -> Any:
    """Return what stands below a value, as Go finds it: a key that a map has not is an error."""
    above = ""
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            hints = {"Env": "the environment has no such variable", "Vars": "--vars FILE has it not"}
            raise Refused(f"{clean(key, 40)}: {hints.get(above, 'there is nothing of that name')}")
        above = above or key
        value = value[key]
    return value
