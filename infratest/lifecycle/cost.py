"""What hosts would be made of, and what an hour of them costs. Called by `plan` and by the budget of `up`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infratest.deadline import Deadline
from infratest.providers._choices import Choice, Chooses
from infratest.providers.base import Foresees, HostSpec, Provider
from infratest.units import human


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What hosts would be made of. `prices`: whose prices they are and of when, empty where none are known at all."""

    choices: tuple[Choice, ...]
    prices: str = ""

    @property
    def hourly(self) -> dict[str, float]:
        """What an hour of all costs that a price is known of, by currency."""
        sums: dict[str, float] = {}
        for one in self.choices:
            if one.price is not None:
                sums[one.currency] = sums.get(one.currency, 0.0) + one.price
        return sums

    @property
    def unpriced(self) -> list[str]:
        """The hosts that no price is known of."""
        return [one.host for one in self.choices if one.price is None]


def bill(provider: Provider, specs: Sequence[HostSpec], deadline: Deadline) -> Bill | None:
    """Return what these hosts would be made of now, None where their provider chooses nothing; makes nothing.

    Raises:
        UserError: they can never be made. ProviderError: the provider could not be asked.
    """
    if not isinstance(provider, Chooses) or not specs:
        return None
    if isinstance(provider, Foresees):
        provider.foresee(specs)
    return Bill(choices=tuple(provider.choose(specs, deadline)), prices=provider.prices())


def lines(bill: Bill) -> list[str]:
    """Return a line for each host, and one for all where prices are known."""
    told = [_line(one, priced=bool(bill.prices)) for one in bill.choices]
    if not bill.prices:
        return told
    sums = [money(amount, currency) for currency, amount in bill.hourly.items()]
    unknown = [one.host for one in bill.choices if one.price is None and not one.problem]
    without = f", without {', '.join(unknown)}, whose price is not known" if unknown else ""
    if sums:
        told.append(f"together {' and '.join(sums)} an hour{without}; {bill.prices}")
    return told


def money(amount: float, currency: str) -> str:
    """Write an amount of money, small ones with the digits that they need."""
    text = f"{amount:.2f}" if amount >= 10 else f"{amount:.4f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents:0<2} {currency}".strip()


def _line(one: Choice, priced: bool) -> str:
    if one.problem:
        return f"{one.host}: cannot be made: {one.problem}"
    image = one.image if one.image_id in ("", one.image) else f"{one.image} ({one.image_id})"
    has = [f"{one.cpus} CPU{'s' if one.cpus != 1 else ''}"] if one.cpus else []
    has += [f"{human(one.memory, 'B')} memory"] if one.memory else []
    has += [f"{human(one.disk, 'B')} disk"] if one.disk else []
    size = f"{one.size} ({', '.join(has)})" if has else one.size
    price = f", {money(one.price, one.currency)} an hour" if one.price is not None else ", price not known"
    reached = f"; reached at {one.reached}" if one.reached else ""
    return f"{one.host}: image {image}, size {size}{price if priced else ''}{reached}"
