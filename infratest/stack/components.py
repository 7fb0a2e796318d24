"""The components of a stack, as values: each for which hosts, and what a provider is asked for. Called by `stack.file`.

What the schema cannot say is looked at here: hosts and groups that there are, ports, networks. All that is wrong is
noted before it is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest import outsiders
from infratest.options import build
from infratest.providers._component import ComponentSpec
from infratest.providers.base import HostSpec
from infratest.stack.document import Document
from infratest.stack.named import FROM
from infratest.stack.problems import Faults

TYPE = "type"


def components(document: Document, hosts: Sequence[HostSpec], faults: Faults) -> tuple[ComponentSpec, ...]:
    """Return the components of a stack in its environment, in the file's order.

    Args:
        hosts: of the stack file. faults: told what is wrong; what is returned then is of no use.
    """
    written = document.data.get("components", {})
    if written and document.data.get("provider", {}).get(FROM):
        words = "hosts that inventories name were not made from here, and nothing is made beside them; remove it"
        faults.add(("components",), words)
        return ()
    found, names = [], {spec.name for spec in hosts}
    for name, entry in written.items():
        if name in names:  # one of them would be taken for the other in messages, and by `ip`
            faults.add(("components", name), f"a host is named {name!r}, too; rename one")
        with faults.caught():
            found.append(_component(document, name, entry, hosts))
    return tuple(found)


def _component(document: Document, name: str, entry: dict[str, object], hosts: Sequence[HostSpec]) -> ComponentSpec:
    key = ("components", name)
    kind = str(entry[TYPE])
    plugin = outsiders.get("component", kind)
    options = outsiders.options_of(plugin)
    where = document.at(key)
    given = {option: value for option, value in entry.items() if option != TYPE}
    folder = document.path.absolute().parent
    made = plugin(build(options, given, where) if options is not None else None, where, folder)
    return ComponentSpec(
        name=name,
        kind=kind,
        hosts=made.hosts(hosts),
        wish=made.wish(hosts),
        on_hosts=made.stays_on_hosts(),
        where=document.where(key),
    )
