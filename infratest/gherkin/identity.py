"""What a scenario is called, which its id is made of: where it has no name, or two rules have one of the same. Pure.

Called by `parse` with behave's scenarios.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infratest.gherkin.suite import slug


def titles(scenarios: Sequence[tuple[Any, int | None, Any]]) -> list[str]:
    """Return the title of each scenario.

    One without a name is called by its place among those without a name in its feature or rule, so that others may
    come and go. Where scenarios of two rules have one name, the rule's name is put before it.

    Args:
        scenarios: behave's scenario, its row in an outline, and the rule that it stands in.
    """
    nameless: dict[int, int] = {}
    counted: dict[int, int] = {}
    names = []
    for source, row, rule in scenarios:
        # behave puts ` -- @1.1 Examples name` behind an outline's name; the row number says it better.
        name = source.name.rpartition(" -- @")[0] if row is not None else source.name
        if not slug(name):
            block = id(source.parent) if row is not None else id(source)
            if block not in counted:
                counted[block] = nameless[id(rule)] = nameless.get(id(rule), 0) + 1
            name = f"unnamed scenario {counted[block]}"
        names.append(name)
    places: dict[str, set[int]] = {}
    for name, (_, _, rule) in zip(names, scenarios, strict=True):
        places.setdefault(slug(name), set()).add(id(rule))
    return [
        f"{rule.name}: {name}" if rule is not None and len(places[slug(name)]) > 1 else name
        for name, (_, _, rule) in zip(names, scenarios, strict=True)
    ]
