"""The parts of the pages that the program itself knows: its sentences, the stack file's keys, its verbs and plugins.

Each function of PARTS returns Markdown. Called by generate.py when the site is built, and by the tests.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
import reach
from click.testing import CliRunner
from ruamel.yaml import YAML

import infratest
from infratest import outsiders
from infratest.cli.check_infratest import command as check_infratest
from infratest.cli.main import infratest_command
from infratest.gherkin.binding import bind
from infratest.gherkin.examples import opposite
from infratest.gherkin.unseen import unseen
from infratest.gherkin.vocabulary import vocabulary
from infratest.option_schema import schema_of
from infratest.options import fields
from infratest.plugins import KINDS as KINDS_OF_PLUGINS
from infratest.providers.cloud import drivers
from infratest.providers.cloud.drivers.base import CAN
from infratest.units import LISTED

HERE = Path(__file__).parent
#: Kind of a sentence -> the heading of its part of the page.
KINDS = {
    "setup": "Given: which hosts",
    "act": "When: what is changed",
    "step": "When: the steps of a session",
    "check": "Then: what must hold",
}
#: Facts that are not asked of the host by our own snippet, in words.
ASKS = {"command": "your command", "root-command": "your command, as root", "http": "the URL", "page": "the session"}
#: Options that every verb has: told once.
SHARED = ("--stack", "--env", "--state", "--host", "-D", "--timeout", "--jobs", "-v", "--no-color", "--help")

#: Keys of the stack file whose inside is told elsewhere: a host's, the whole file's, or on a page of its own.
TOLD_ELSEWHERE = ("defaults", "environments", "monitor.receivers", "monitor.listen", "monitor.send")

#: Keys of plugins that nobody but tests has a use for.
FOR_TESTS = ("heal.NAME.do[].fake",)
#: What Markdown would take for its own.
ESCAPED = str.maketrans({"*": "\\*", "_": "\\_", "[": "\\[", "<": "&lt;", "|": "&#124;"})

Schema = dict[str, Any]


def code(text: str) -> str:
    """Return text as code in a table's cell; an empty text stays empty."""
    return f"`{text}`".replace("|", "\\|") if text else ""


def prose(text: str) -> str:
    """Return text as it stands: what Markdown would take for its own is escaped, but for code in backquotes."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else part.translate(ESCAPED) for part in parts)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(" ".join(cell.split()) for cell in line) + " |" for line in lines) + "\n"


# --- sentences -----------------------------------------------------------------------------------------------------


def sentences() -> str:
    """Return every sentence there is, by its subject, with an example each."""
    parts = []
    for kind, heading in KINDS.items():
        of_kind = [one for one in vocabulary().sentences if ("step" if one.session == "step" else one.kind) == kind]
        parts.append(f"## {heading}\n")
        if kind in ROWS:
            parts.append(table(HEADS[kind], [ROWS[kind](sentence) for sentence in of_kind]))
            continue
        for subject in sorted({sentence.module for sentence in of_kind}):
            rows = [_check(sentence) for sentence in of_kind if sentence.module == subject]
            parts.append(f"### {subject.replace('_', ' ')}\n\n{table(HEADS['check'], rows)}")
    return "\n".join(parts)


def _setup(sentence: Any) -> tuple[str, ...]:
    return code(sentence.example), prose(sentence.summary)


def _act(sentence: Any) -> tuple[str, ...]:
    return code(sentence.example), prose(sentence.summary), sentence.undo


def _check(sentence: Any) -> tuple[str, ...]:
    match = vocabulary().match(sentence.example)
    if match is None:
        raise ValueError(f"the example of a sentence is none: {sentence.example}")
    binding = bind(match, lambda text, _: text)
    measure, asks = binding.measure, [ASKS.get(need.fact, need.fact) for need in binding.built.needs()]
    negation = f"<br>{code(opposite(sentence))}" if sentence.negation else ""
    number = f"{code(measure.label)}{f' in {measure.unit}' if measure.unit else ''}" if measure else ""
    units = LISTED.get(sentence.dimension or "", "a plain number" if sentence.dimension else "")
    says = prose(sentence.summary) + (f" Units: {units}." if units else "")
    never = unseen(sentence)
    says += f" **Never seen for real:** {prose(never)}." if never else ""
    return code(sentence.example) + negation, says, number, ", ".join(dict.fromkeys(asks))


HEADS = {
    "setup": ("example", "what it chooses"),
    "act": ("example", "what it does", "undo, when the scenario ends"),
    "check": ("example, and its opposite", "what it says", "perfdata", "asks"),
}
ROWS: dict[str, Callable[[Any], tuple[str, ...]]] = {"setup": _setup, "act": _act}


# --- the stack file ------------------------------------------------------------------------------------------------


@cache
def schema() -> Schema:
    """Return what `infratest schema` prints."""
    found: Schema = json.loads(CliRunner().invoke(infratest_command, ["schema"]).stdout)
    return found


def examples() -> dict[str, Any]:
    """Return the stack file that holds an example of every key of the stack's own."""
    found: dict[str, Any] = YAML(typ="safe").load((HERE / "example-stack.yaml").read_text(encoding="utf-8"))
    return found


def keys() -> Iterator[tuple[str, Schema, Any]]:
    """Yield each key of the stack file as a path, its schema and an example: every key but those of environments."""
    yield from _keys("", schema(), [examples()])


def _keys(path: str, here: Schema, holders: list[Any]) -> Iterator[tuple[str, Schema, Any]]:
    """Yield the keys of one map; `holders` are all the maps of the example file that stand there."""
    for name, each in _properties(here).items():
        key = f"{path}{name}"
        if key in FOR_TESTS:
            continue
        values = [holder[name] for holder in holders if isinstance(holder, dict) and name in holder]
        if not values and here.get("required") == [name]:  # the short form: `shell: x` is `shell: {script: x}`
            values = [holder for holder in holders if isinstance(holder, str)]
        yield key, each, values[0] if values else _derived(each)
        if key in TOLD_ELSEWHERE:
            continue
        inner = each
        if isinstance(each.get("additionalProperties"), dict):
            inner, key = each["additionalProperties"], f"{key}.NAME"
            values = [one for value in values for one in value.values()]
        elif isinstance(each.get("items"), dict):
            inner, key = each["items"], f"{key}[]"
            values = [one for value in values for one in value]
        yield from _keys(f"{key}.", inner, values)


def _properties(here: Schema) -> Schema:
    """Return the properties of a schema and of those that it is made of."""
    found: Schema = dict(here.get("properties", {}))
    for each in (*here.get("anyOf", ()), *here.get("oneOf", ())):
        found = {**_properties(each), **found}
    reference = here.get("$ref", "").removeprefix("#/$defs/")
    return {**_properties(schema()["$defs"][reference]), **found} if reference else found


def _derived(schema: Schema) -> Any:
    """Return an example that a key's schema lets derive, else None."""
    if schema.get("enum"):
        return schema["enum"][0]
    such_as = re.search(r'such as (?:"([^"]+)"|([\w.%/-]+))', schema.get("title", "") + schema.get("description", ""))
    if such_as:
        return such_as[1] or such_as[2]
    return True if "boolean" in schema.get("type", ()) else None


def flow(value: Any) -> str:
    """Return a value as YAML on one line, shortened where it is long."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    safe = re.fullmatch(r"[\w@./%{][\w@.:/%{} -]*", text) and not text.startswith(("@", "{", "%"))
    plain = not isinstance(value, str) or (safe and YAML(typ="safe").load(text) == text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def stack_keys() -> str:
    """Return the keys of the stack file, by the map they stand in."""
    groups: dict[str, list[tuple[str, ...]]] = {}
    for key, each, example in keys():
        holder, _, name = key.rpartition(".")
        shown = flow(example) if example is not None else ""
        if len(shown) > 60:
            shown = {dict: "{...}", list: "[...]"}.get(type(example), f"{str(example)[:12]}...")
        row = (
            code(name),
            prose(each.get("description", "")),
            prose(each.get("title", "")),
            code(f"{name}: {shown}" if shown else ""),
        )
        groups.setdefault(holder, []).append(row)
    parts = []
    for holder, rows in groups.items():
        heading = f"`{holder}`" if holder else "At the top"
        parts.append(f"### {heading}\n\n{table(('key', 'what it is', 'allowed', 'example'), rows)}")
    return "\n".join(parts)


def providers() -> str:
    """Return the providers, each with its options and the keys that are for its hosts alone."""
    parts = []
    for condition in schema()["properties"]["provider"].get("allOf", []):
        name = condition["if"]["properties"]["name"]["const"]
        given = {key: each for key, each in condition["then"]["properties"].items() if key != "name"}
        rows = [
            (code(key), prose(each.get("description", "")), prose(each.get("title", "")), code(_default(each)))
            for key, each in given.items()
        ]
        listed = table(("option", "what it is", "allowed", "default"), rows) if rows else "No options.\n"
        parts.append(f"### `{name}`\n\n{listed}\n{_of_its_hosts(name)}\n")
    return "\n".join(parts)


def intakes() -> str:
    """Return what a monitor can listen to, each with its options."""
    parts = []
    for name in outsiders.names("intake"):
        kind = outsiders.get("intake", name)
        parts.append(f"### `{name}`\n\n{prose((kind.__doc__ or '').partition(chr(10))[0])}\n\n{_options(kind)}")
    return "\n".join(parts)


def senders() -> str:
    """Return where a monitor can send what it sees, each with its options."""
    parts = []
    for name in outsiders.names("sender"):
        kind = outsiders.get("sender", name)
        parts.append(f"### `{name}`\n\n{prose((kind.__doc__ or '').partition(chr(10))[0])}\n\n{_options(kind)}")
    return "\n".join(parts)


def _options(kind: type[Any]) -> str:
    """Return the table of a plugin's options."""
    options = schema_of(outsiders.options_of(kind), "options")
    rows = [
        (
            code(key),
            prose(each["description"]),
            prose(each["title"]),
            "required" if key in options.get("required", ()) else code(_default(each)),
        )
        for key, each in options["properties"].items()
    ]
    return table(("option", "what it is", "allowed", "default"), rows)


def receivers() -> str:
    """Return the receivers, each with its options."""
    parts = []
    for name in outsiders.names("receiver"):
        kind = outsiders.get("receiver", name)
        summary = (kind.__doc__ or "").partition("\n")[0]
        keyed = "It" if kind.keyed else "It does not"
        keys = f"{keyed} {'tells' if kind.keyed else 'tell'} by its key that it has a notice already."
        parts.append(f"### `{name}`\n\n{prose(summary)} {keys}\n\n{_options(kind)}")
    return "\n".join(parts)


def exports() -> str:
    """Return the exports, each with its options."""
    kinds = {name: outsiders.get("export", name) for name in outsiders.names("export")}
    return "\n".join(f"### `{name}`\n\nIt writes {kind.summary}.\n\n{_options(kind)}" for name, kind in kinds.items())


def cloud_drivers() -> str:
    """Return what each driver of provider cloud can, by its own word."""
    making, listing = drivers.others()
    names = [*drivers.names(), *making]
    able = [drivers.kind_of(name).can for name in names]
    rows = [(words, *("yes" if key in can else "no" for can in able)) for key, words in CAN.items()]
    others = ", ".join(map(code, listing))
    return f"{table(('', *map(code, names)), rows)}\nServers of these can be listed, not made: {others}.\n"


def _default(each: Schema) -> str:
    """Return what an option is that is not given, as far as its schema says so."""
    return flow(each["default"]) if each.get("default") not in (None, "", []) else ""


def _of_its_hosts(provider: str) -> str:
    module = sys.modules[outsiders.get("provider", provider).__module__]
    options = getattr(module, "HostOptions", None)
    names = ", ".join(code(name) for name in fields(options)) if options else ""
    return f"Keys for its hosts, beside those that every host has: {names or 'none'}."


# --- the command line ----------------------------------------------------------------------------------------------


def verbs() -> dict[str, click.Command]:
    """Return every verb by its name, in the order in which the help lists them; `snapshot save` as one."""
    return _words(infratest_command, "")


def _words(group: click.Group, before: str) -> dict[str, click.Command]:
    """Return the commands of a group, and of the groups in it, by all their words."""
    context = click.Context(group)
    found: dict[str, click.Command] = {}
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if command is not None:
            found[before + word] = command
        if isinstance(command, click.Group):
            found |= _words(command, f"{before}{word} ")
    return found


def _context(command: click.Command) -> click.Context:
    """Return a context as a call has it: click keeps the help option of the first one that asks for it."""
    return click.Context(command, **infratest_command.context_settings)


def options(command: click.Command) -> list[tuple[str, str, str]]:
    """Return a command's options: how each is written, what it is, and its environment variable."""
    rows = []
    for parameter in command.get_params(_context(command)):
        if isinstance(parameter, click.Option) and not parameter.hidden:
            value = "" if parameter.is_flag or parameter.count else f" {parameter.make_metavar(_context(command))}"
            variable = parameter.envvar if isinstance(parameter.envvar, str) else ""
            rows.append((", ".join(parameter.opts) + value, parameter.help or "", variable))
    return rows


def usage(name: str, command: click.Command) -> str:
    """Return how a command is written, on one line."""
    return " ".join(filter(None, [name, *command.collect_usage_pieces(_context(command))]))


def paragraphs(command: click.Command) -> list[str]:
    r"""Return the paragraphs of a command's help; one after a line `\b` keeps its lines."""
    return [part for part in inspect.cleandoc(command.help or "").split("\n\n") if part.strip()]


def _help(command: click.Command) -> str:
    parts = []
    for part in paragraphs(command):
        if part.startswith("\b"):
            parts.append("```text\n" + part.removeprefix("\b").strip("\n") + "\n```")
        else:
            parts.append(prose(part))
    return "\n\n".join(parts)


def _verb(title: str, name: str, command: click.Command, without: tuple[str, ...] = ()) -> str:
    rows = [
        (code(written), prose(text), code(variable))
        for written, text, variable in options(command)
        if not set(written.split(" ")[0].replace(",", "").split()) & set(without)
    ]
    listed = table(("option", "what it does", "environment"), rows) if rows else ""
    return f"## {title}\n\n`{usage(name, command)}`\n\n{_help(command)}\n\n{listed}"


def command_line() -> str:
    """Return the verbs, each with its help and options, and what all of them share."""
    every = verbs()
    shared = [row for row in options(every["test"]) if row[0].split(",")[0].split()[0] in SHARED]
    parts = ["## Options of every verb\n"]
    parts.append(table(("option", "what it does", "environment"), [(code(a), prose(b), code(c)) for a, b, c in shared]))
    parts += [_verb(name, f"infratest {name}", command, SHARED) for name, command in every.items()]
    parts.append(_verb("check_infratest", "check_infratest", check_infratest))
    return "\n".join(parts)


# --- plugins -------------------------------------------------------------------------------------------------------


def plugins() -> str:
    """Return the kinds of plugins: what each is, its contract, its suite of tests, its names, its entry point group.

    The suites are looked for as files: to import one takes pytest, and who builds the pages need not have it.
    """
    suites = Path(infratest.__file__).parent / "testing"
    rows = []
    for kind, (package, base) in sorted(KINDS_OF_PLUGINS.items()):
        contract = getattr(importlib.import_module(f"{package}.base"), base)
        suite = package.rpartition(".")[2]
        summary = (contract.__doc__ or "").partition("\n")[0]
        tested = f"<br>tested with {code(f'infratest.testing.{suite}')}" if (suites / f"{suite}.py").is_file() else ""
        there = ", ".join(f"`{name}`" for name in outsiders.names(kind))
        rows.append((code(f"infratest.{kind}"), f"{prose(summary)}<br>{code(f'{package}.base.{base}')}{tested}", there))
    return table(("entry point group", "what it is, its contract, its tests", "there are"), rows)


# --- the others ----------------------------------------------------------------------------------------------------


def reached() -> str:
    """Return each row of each other tool beside its sentences, and the counts."""
    tools = [reach.tool(name) for name in reach.TOOLS]
    counts = [
        (one.title, one.counts, f"{one.reached()} of {len(one.rows)}", str(sum(row.by_command() for row in one.rows)))
        for one in tools
    ]
    parts = [table(("tool", "rows are its", "asked here", "of these by a command that you write"), counts)]
    for one in tools:
        parts.append(
            f"## {one.title}\n\n" + table((one.title, "infratest", "proven by"), list(map(_reached, one.rows)))
        )
    return "\n".join(parts)


def _reached(row: reach.Row) -> tuple[str, ...]:
    if not row.sentences:
        says = row.elsewhere or (row.out and f"left out: {row.out}") or f"not in this version: {row.open}"
        return code(row.name), prose(says), ""
    proofs = dict.fromkeys(reach.proof(sentence) for sentence in row.sentences)
    return code(row.name), "<br>".join(map(code, row.sentences)), "<br>".join(map(prose, proofs))


PARTS: dict[str, Callable[[], str]] = {
    "sentences": sentences,
    "stack-keys": stack_keys,
    "providers": providers,
    "receivers": receivers,
    "exports": exports,
    "intakes": intakes,
    "senders": senders,
    "cloud-drivers": cloud_drivers,
    "command-line": command_line,
    "plugins": plugins,
    "reach": reached,
}
