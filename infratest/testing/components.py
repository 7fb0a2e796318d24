"""What every component must do: say what it is for and what is asked for, and refuse what it cannot be.

What a provider does about one is in the suite of providers' components (`provider_components.ComponentsContract`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infratest import outsiders
from infratest.components.base import Component
from infratest.errors import UserError
from infratest.options import build
from infratest.providers._component import ComponentSpec
from infratest.providers.base import HostSpec

#: The hosts of the stack that a case is of.
HOSTS = (HostSpec(name="lb"), HostSpec(name="web-1", groups=("web",)), HostSpec(name="web-2", groups=("web",)))
WHERE = "stack.yaml:7: components.it"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A component in a stack of `lb`, `web-1` and `web-2`, both of group `web`.

    Args:
        works: options that stand for something. hosts: which hosts it is for then. wish: what a provider is asked for.
        words: what people are told. refused: options, and a part of the message that refuses them. files: needed.
    """

    works: Mapping[str, Any]
    hosts: tuple[str, ...]
    wish: object
    words: str
    refused: Sequence[tuple[Mapping[str, Any], str]] = field(default=())
    files: Mapping[str, str] = field(default_factory=dict)


def made(name: str, options: Mapping[str, Any], folder: Path) -> Component:
    """Return a component of a type with these options, of a stack file in this folder."""
    kind = outsiders.get("component", name)
    own = outsiders.options_of(kind)
    assert own is not None, "every component has Options, even if empty"
    component: Component = kind(build(own, options, WHERE), WHERE, folder)
    return component


class ComponentContract:
    """Two fixtures are asked for: `name`, the component's, and `case`, a Case of it."""

    def test_it_says_for_whom_it_is_and_what_is_asked_for(self, name: str, case: Case, tmp_path: Path) -> None:
        component = made(name, case.works, written(case, tmp_path))
        assert component.hosts(HOSTS) == case.hosts
        assert component.wish(HOSTS) == case.wish

    def test_it_says_in_words_what_it_is(self, name: str, case: Case) -> None:
        spec = ComponentSpec(name="it", kind=name, hosts=case.hosts, wish=case.wish, where=WHERE)
        assert outsiders.get("component", name).words(spec) == case.words
        assert outsiders.get("component", name).__doc__

    def test_what_it_cannot_be_is_refused_with_its_place(self, name: str, case: Case, tmp_path: Path) -> None:
        written(case, tmp_path)
        for options, part in case.refused:
            with pytest.raises(UserError) as caught:
                _looked_at(name, options, tmp_path)
            assert str(caught.value).startswith(WHERE)
            assert part in str(caught.value)


def written(case: Case, folder: Path) -> Path:
    """Write the files of a case, and return their folder."""
    for name, text in case.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _looked_at(name: str, options: Mapping[str, Any], folder: Path) -> None:
    component = made(name, options, folder)
    component.hosts(HOSTS)
    component.wish(HOSTS)
