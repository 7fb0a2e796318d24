"""A goss file as read: its resources, with the line of each value; templates in it are filled, includes followed.

template.py fills Go's templates; what it does not know could leave out or add resources, so that the whole file is
refused, naming each such line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from infratest.cleaning import clean
from infratest.errors import UserError
from infratest.importers.goss.template import filled

#: Bytes of a file, and files of one import.
LARGEST, MOST_FILES = 2**20, 500

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Value:
    """A value and where it stands: `data` is text, a number, a truth value, None, a list or a map of these.

    `written` is a plain value as it is written: a command `true` is no truth value.
    """

    data: Any
    path: str
    line: int
    written: str = ""


def read(path: Path, variables: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield each file's path and its kinds, the first file's first.

    Raises:
        UserError: a file is missing, is no YAML, includes itself, or holds templates that cannot be filled.
    """
    yield from _read(path, variables, ())


def _read(path: Path, variables: Mapping[str, Any], above: tuple[Path, ...]) -> Iterator[tuple[str, dict[str, Value]]]:
    if path.resolve() in above:
        raise UserError(f"{path} includes itself, by {' and '.join(map(str, above))}")
    if len(above) > MOST_FILES:
        raise UserError(f"{path}: includes are nested {len(above)} deep")
    text, lines = filled(_text(path), str(path), variables, os.environ)
    kinds = parsed(text, str(path), lines)
    yield str(path), kinds
    includes = kinds.get("gossfile")
    if includes is None or includes.data is None:
        return
    if not isinstance(includes.data, dict):
        raise UserError(f"{includes.path}:{includes.line}: gossfile is no map of files")
    for key, settings in includes.data.items():
        inside = settings.data if isinstance(settings.data, dict) else {}
        if "skip" in inside and inside["skip"].data is True:
            continue
        name = inside["file"].written if "file" in inside else key
        for each in _included(path, name, settings):
            yield from _read(each, variables, (*above, path.resolve()))


def values_of(files: Iterable[Path]) -> dict[str, Any]:
    """Return the values that templates may name, of files of YAML or JSON; the last file wins. Raises UserError."""
    values: dict[str, Any] = {}
    for file in files:
        values |= {key: plain(value) for key, value in parsed(_text(file), str(file)).items()}
    return values


def _included(path: Path, name: str, at: Value) -> list[Path]:
    """Return the files that an include names: one, or those that a pattern fits."""
    if not any(character in name for character in "*?["):
        return [path.parent / name]
    pattern = Path(name)
    base = Path(pattern.anchor) if pattern.is_absolute() else path.parent
    parts = pattern.relative_to(pattern.anchor) if pattern.is_absolute() else pattern
    # A file never includes itself by a pattern that is meant for its neighbours.
    fitting = sorted(each for each in base.glob(str(parts)) if each.is_file() and each.resolve() != path.resolve())
    if not fitting:
        raise UserError(f"{at.path}:{at.line}: no file fits {name!r}")
    if len(fitting) > MOST_FILES:
        raise UserError(f"{at.path}:{at.line}: {len(fitting)} files fit {name!r}; {MOST_FILES} are the most")
    return fitting


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise UserError(f"{path} is larger than {LARGEST // 1024} KiB, which no goss file is")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; name a goss file") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is no UTF-8 text; save it as UTF-8") from None


def parsed(text: str, path: str, lines: Sequence[int] = ()) -> dict[str, Value]:
    """Return the map that YAML or JSON holds, with lines. Raises UserError.

    Args:
        lines: of each line of a filled template, the one that it was made of.
    """

    def line_of(mark: Any) -> int:
        return lines[min(mark.line, len(lines) - 1)] if lines else int(mark.line) + 1

    if text.lstrip().startswith("{"):  # JSON may be indented with tabs
        text = re.sub(r"(?m)^\t+", lambda tabs: " " * len(tabs[0]), text)
    try:
        node = YAML(typ="safe", pure=True).compose(text)
        found = _value(node, path, line_of) if node is not None else Value({}, path, 1)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = line_of(mark) if mark else 1
        raise UserError(f"{path}:{line}: no YAML: {clean(str(error.problem or error.context), 200)}") from None
    except (YAMLError, RecursionError) as error:
        raise UserError(f"{path}: no YAML: {clean(str(error), 200)}") from None
    if not isinstance(found.data, dict):
        raise UserError(f"{path}:{found.line}: a map was expected, of kinds (`package:`) or of variables")
    return found.data


def plain(value: Value) -> Any:
    """Return a value without its places."""
    if isinstance(value.data, dict):
        return {key: plain(each) for key, each in value.data.items()}
    return [plain(each) for each in value.data] if isinstance(value.data, list) else value.data


def _value(node: Node, path: str, line_of: Callable[[Any], int]) -> Value:
    line = line_of(node.start_mark)
    if isinstance(node, SequenceNode):
        return Value([_value(each, path, line_of) for each in node.value], path, line)
    if isinstance(node, MappingNode):
        made: dict[str, Value] = {}
        for key, each in node.value:
            at = line_of(key.start_mark)
            if not isinstance(key, ScalarNode):
                raise UserError(f"{path}:{at}: a key that is a list or a map")
            if key.value in made:
                raise UserError(f"{path}:{at}: {key.value!r} stands twice, and goss reads the last; make one of them")
            below = _value(each, path, line_of)
            made[key.value] = Value(below.data, path, at, below.written)
        return Value(made, path, line)
    return Value(_scalar(node, f"{path}:{line}"), path, line, str(node.value))


def _scalar(node: Node, where: str) -> Any:
    tag = str(node.tag).removeprefix(_TAG)
    text: str = node.value
    try:
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        if tag == "int":
            # As YAML 1.1 has it, which goss reads: 0644 is octal, and so no mode of four digits.
            return int(text, 8) if re.fullmatch(r"0[0-7]+", text) else int(text.replace("_", ""), 0)
        if tag == "float":
            return float(text)
    except ValueError:
        raise UserError(f"{where}: {clean(text, 80)} is no number; quote it where it is text") from None
    return text
