"""`type: address`: an address of a cloud's own (floating, elastic) that one host has, and that outlives this host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from infratest.components.base import Component, ForHosts
from infratest.errors import UserError
from infratest.providers._component import Address as Wish
from infratest.providers._component import ComponentSpec
from infratest.providers.base import HostSpec


@dataclass(frozen=True, kw_only=True)
class Options(ForHosts):
    """An address that a host keeps when it is made anew."""

    pool: str = field(
        default="",
        metadata={
            "title": "a pool's name",
            "description": "Of an address: where it is taken from, as an external network (default: the first one).",
        },
    )


class Address(Component):
    """An address that one host is reached by, and that stays the same when this host is made anew."""

    options: Options
    attributes = ("address",)

    def wish(self, hosts: Sequence[HostSpec]) -> Wish:
        return Wish(pool=self.options.pool)

    def hosts(self, hosts: Sequence[HostSpec]) -> tuple[str, ...]:
        chosen = super().hosts(hosts)
        if len(chosen) != 1:
            words = f"an address is of one host, and this is for {', '.join(chosen)}; write to: {{host: NAME}}"
            raise UserError(f"{self.where}.to: {words}")
        return chosen

    @classmethod
    def words(cls, spec: ComponentSpec) -> str:
        pool = spec.wish.pool if isinstance(spec.wish, Wish) else ""
        return f"an address of its own{f' from {pool}' if pool else ''}"
