"""Environments: which one is chosen, and the stack as it is in that one. Pure; called by `stack.file`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from infratest.cleaning import clean
from infratest.errors import UserError, unknown
from infratest.stack import named
from infratest.stack.document import Document, KeyPath, Place
from infratest.stack.named import provider_name


def names(document: Document) -> tuple[str, ...]:
    """Return the names of the environments, in the file's order; none where what the file has there is no map."""
    return tuple(named.environments(document.data))


def chosen(document: Document, env: str | None, require_env: bool) -> str:
    """Return the name of the environment to use, empty where the file has none.

    Args:
        env: as the user named it, or None. require_env: the first is no default; it must be named if there are more.
    Raises:
        UserError: an unknown one, or none named where one must be.
    """
    known = names(document)
    if env:
        if not known:
            raise UserError(f"{document.path} has no environments, and --env names {clean(env, 80)!r}; leave --env out")
        if env not in known:
            raise UserError(f"{document.path}: {unknown('environment', clean(env, 80), list(known))}")
        return env
    if require_env and len(known) > 1:
        raise UserError(f"{document.path} has {len(known)} environments: name one of {', '.join(known)} with --env")
    return known[0] if known else ""


def sharing(document: Document, env: str, key: KeyPath) -> tuple[str, ...]:
    """Return the environments that have what stands at a key of the stack, where this one is not the only one.

    One that says something of its own there, or removes it, has not.
    """
    found = tuple(name for name, over in named.environments(document.data).items() if not _says(over, key))
    return found if env in found and len(found) > 1 else ()


def _says(over: Any, key: KeyPath) -> bool:
    for word in key:
        if not isinstance(over, Mapping):
            return True
        if word not in over:
            return False
        over = over[word]
    return True


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` as `over` changes it: maps merge, lists and other values replace, null removes."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def in_environment(document: Document, env: str) -> Document:
    """Return the stack as it is in an environment, with defaults put into the hosts, and where each value stands.

    The defaults stay beside them: a host that an inventory names has them too.

    Raises:
        StackFileError: the environment removes a host that is not there.
    """
    base = _spelled_out({key: value for key, value in document.data.items() if key != "environments"})
    over = _spelled_out((document.data["environments"][env] or {}) if env else {})
    _check_removed(document, env, base, over)
    if _names_another(over.get("provider"), base.get("provider")):
        del base["provider"]
    data = merged(base, over)
    places = _places(document, env)
    defaults = data.get("defaults", {})
    for name, host in data.get("hosts", {}).items():
        data["hosts"][name] = merged(defaults, host)
    of_defaults = [(key[1:], place) for key, place in places.items() if key[:1] == ("defaults",) and len(key) > 1]
    for name in data.get("hosts", {}):
        for key, place in of_defaults:
            places.setdefault(("hosts", name, *key), place)
    return Document(document.path, data, places)


def without_others(document: Document, known: Container[str], changed: bool) -> Document:
    """Return a stack in its environment without what its hosts were given for another provider.

    What stands at the top of a file is for every environment: `defaults` may hold what only some of their providers
    have for a host, and a host what the provider of the top has. What an environment says itself stays, to be refused.

    Args:
        known: the keys that hosts of this environment's provider may have.
        changed: this environment has another provider than the top of the file.
    """
    data = dict(document.data)
    hosts = data.get("hosts", {})
    if hosts:
        data["hosts"] = {
            name: {
                key: value
                for key, value in host.items()
                if key in known or not _for_others(document.place(("hosts", name, key)).key, changed)
            }
            for name, host in hosts.items()
        }
    if "defaults" in data:
        data["defaults"] = {
            key: value
            for key, value in data["defaults"].items()
            if key in known or not _for_others(document.place(("defaults", key)).key, changed)
        }
    return Document(document.path, data, document.places)


def _for_others(written: KeyPath, changed: bool) -> bool:
    return written[0] == "defaults" or (changed and written[0] == "hosts")


def names_another(document: Document, env: str) -> bool:
    """Whether an environment names another provider than the top of the file."""
    top, environment = provider_name(document.data), named.environments(document.data).get(env, {})
    return provider_name(environment, top) != top


def _check_removed(document: Document, env: str, base: Mapping[str, Any], over: Mapping[str, Any]) -> None:
    """Refuse to remove a host that is not there: its name is misspelt, and the one that is meant would stay."""
    known = list(base.get("hosts", {}))
    for name, host in (over.get("hosts") or {}).items():
        if host is None and name not in known:
            words = f"nothing to remove by null: {unknown('host', clean(name, 80), known)}"
            raise document.error(("environments", env, "hosts", name), words)


def _names_another(over: Any, base: Any) -> bool:
    """Whether an environment names another provider: the options of the one before are not for it."""
    return bool(over and base and over.get("name", base.get("name")) != base.get("name"))


def _spelled_out(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Write short forms as maps, so that they merge: a provider's name alone, a parameter's default alone."""
    data = dict(stack)
    if isinstance(data.get("provider"), str):
        data["provider"] = {"name": data["provider"]}
    if isinstance(data.get("parameters"), Mapping):
        data["parameters"] = {
            name: each if each is None or isinstance(each, Mapping) else {"default": each}
            for name, each in data["parameters"].items()
        }
    return data


def _places(document: Document, env: str) -> dict[KeyPath, Place]:
    """Return the places of the stack's values; what an environment replaces stands in the environment."""
    places = dict(document.places)
    for key, place in document.places.items():
        if env and key[:2] == ("environments", env) and len(key) > 2:
            if key[-1] == 0:  # the first of a list: what stands at the same places of the one that it replaces is gone
                inside = key[2:-1]
                for old in [each for each in places if each[: len(inside)] == inside and len(each) > len(inside)]:
                    del places[old]
            stack_key = key[2:]
            before = places.get(stack_key)
            if stack_key[0] == "parameters" and len(stack_key) == 2 and not place.is_map:  # its default alone
                places[*stack_key, "default"] = place
                places.setdefault(stack_key, place)
                continue
            if not (place.is_map and before is not None and before.is_map):
                places[stack_key] = place
    provider = places.get(("provider",))
    if provider is not None and not provider.is_map:
        places["provider", "name"] = provider
    return places
