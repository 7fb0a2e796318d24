"""What this package itself has of each kind of thing, by name and fast: nothing is imported but the one file.

For the plugin program's path, which must not import what looks for entry points. `registry` is for everybody else.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Kind -> the package that holds its files and the base class in its `base.py`. The entry point group is
#: `infratest.<kind>`. Underscores in file names are hyphens for users.
KINDS = {
    "provider": ("infratest.providers", "Provider"),
    "transport": ("infratest.transports", "Transport"),
    "fact": ("infratest.facts", "Fact"),
    "provisioner": ("infratest.provisioners", "Provisioner"),
    "output": ("infratest.outputs", "Output"),
    "act": ("infratest.acts", "Act"),
    "inventory": ("infratest.inventories", "Inventory"),
    "importer": ("infratest.importers", "Importer"),
    "component": ("infratest.components", "Component"),
    "remedy": ("infratest.remedies", "Remedy"),
    "receiver": ("infratest.receivers", "Receiver"),
    "export": ("infratest.exports", "Export"),
    "intake": ("infratest.intakes", "Intake"),
    "sender": ("infratest.senders", "Sender"),
}

#: Kind and name -> class, of those that were asked for.
_found: dict[tuple[str, str], type[Any]] = {}


def builtin(kind: str, name: str) -> type[Any]:
    """Return the class of a kind by its name, asking for outsiders only where no file here has it."""
    if (kind, name) in _found:
        return _found[kind, name]
    package = KINDS[kind][0]
    try:
        module = __import__(f"{package}.{name.replace('-', '_')}", fromlist=["*"])
    except ModuleNotFoundError:
        return _outside(kind, name)
    base = vars(__import__(f"{package}.base", fromlist=["*"]))[KINDS[kind][1]]
    for value in vars(module).values():
        own = isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
        if own and not getattr(value, "__abstractmethods__", None):
            _found[kind, name] = value
            return _found[kind, name]
    return _outside(kind, name)


def _outside(kind: str, name: str) -> type[Any]:
    from infratest.outsiders import get

    return get(kind, name)
