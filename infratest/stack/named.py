"""Which plugins a stack file names, and where: read before anything of it is known to be right. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infratest.stack.document import KeyPath

#: Who makes the hosts where nobody says.
PROVIDER = "container"
#: Under a provider: where its hosts are written down.
FROM = "from"
#: Under `heal:`, beside the rules: whose grants, certificates and approvals count.
TRUSTED = "trusted-keys"
#: And what holds for each rule that says nothing else.
DEFAULTS = "defaults"
RESERVED = (TRUSTED, DEFAULTS)
#: What each rung of a ladder may say beside its remedy's own options.
SETTLE = "settle"
#: Beside the name of an inventory: which of its hosts.
WHERE = "where"


def names(stack: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield every name of a kind that a stack or an environment uses: where, of which kind, the name."""
    provider = stack.get("provider")
    name = provider_name(stack, "")
    if name:
        yield ("provider", "name") if isinstance(provider, Mapping) else ("provider",), "provider", name
    for at, kind, used in _single_keys(("provider", FROM), "inventory", _under(provider, FROM)):
        if used != WHERE:
            yield at, kind, used
    for at, host in [(("defaults",), stack.get("defaults")), *_members(stack, "hosts")]:
        yield from _single_keys((*at, "provision"), "provisioner", _under(host, "provision"))
        for key in host if isinstance(host, Mapping) else ():
            yield (*at, key), "host option", key
    for at, component in _members(stack, "components"):
        if isinstance(_under(component, "type"), str):
            yield (*at, "type"), "component", component["type"]
    for at, rule in (each for each in _members(stack, "heal") if each[0][-1] not in RESERVED):
        yield from _single_keys((*at, "do"), "remedy", _under(rule, "do"))
        mode = _under(rule, "mode")
        if isinstance(mode, str):
            yield (*at, "mode"), "mode", mode


def everywhere(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield the same of the stack and of each of its environments."""
    yield from names(data)
    for name, environment in environments(data).items():
        for key, kind, used in names(environment):
            yield ("environments", name, *key), kind, used


def environments(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the environments by name; one that says nothing is empty."""
    found = data.get("environments")
    every = found.items() if isinstance(found, Mapping) else ()
    return {name: each if isinstance(each, Mapping) else {} for name, each in every}


def providers(data: Mapping[str, Any], environment: str = "") -> list[str]:
    """Return the providers, as written, that what stands in an environment is for; at the top all of the stack's."""
    top, every = provider_name(data), environments(data)
    if environment:
        return [provider_name(every.get(environment, {}), top)]
    return list(dict.fromkeys(provider_name(each, top) for each in every.values())) or [top]


def provider_name(stack: Mapping[str, Any], otherwise: str = PROVIDER) -> str:
    """Return the name of the provider that a stack or an environment names, as written."""
    provider = stack.get("provider")
    name = provider.get("name") if isinstance(provider, Mapping) else provider
    return name if isinstance(name, str) and name else otherwise


def _members(stack: Mapping[str, Any], key: str) -> list[tuple[tuple[str, ...], Any]]:
    members = stack.get(key)
    return [((key, name), each) for name, each in members.items()] if isinstance(members, Mapping) else []


def _under(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _single_keys(at: KeyPath, kind: str, entries: Any) -> Iterator[tuple[KeyPath, str, str]]:
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        for name in entry if isinstance(entry, Mapping) else ():
            yield (*at, number, name), kind, name
