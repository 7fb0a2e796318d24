"""The waivers of a stack held against all scenarios of its project: one for none of them is told. For `prepare`.

All features count, not those that a call selects: a check of one scenario must not turn red for waivers of others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from infratest.errors import NoFeature
from infratest.gherkin.find import FeaturePath, find
from infratest.gherkin.suite import Feature, all_scenarios
from infratest.hosts import Host
from infratest.plan.planner import plan
from infratest.stack.declared import StackFile
from infratest.values import Values
from infratest.waivers import Waiver, idle_words


def held_against(
    stack: StackFile,
    ids: Collection[str],
    read: Sequence[Feature],
    reader: Callable[[FeaturePath], Feature],
    hosts: Sequence[Host],
    values: Values,
) -> tuple[Waiver, ...]:
    """Return the waivers of a stack; those that are for no scenario with why that is so.

    Args:
        ids: of the tasks of a run. read: the features that were read for it. reader: reads another one, where that is
        needed.
    Raises:
        FeatureError: another feature of the project cannot be read, so that nobody knows.
    """
    if all(any(waiver.covers(id) for id in ids) for waiver in stack.waivers):
        return stack.waivers
    known = {feature.path: feature for feature in read}
    with suppress(NoFeature):  # all that there is was named on the command line
        for item in find((), stack.features, stack.folder):
            if item.name not in known:
                known[item.name] = reader(item)
    tasks = plan(all_scenarios(tuple(known.values())), hosts, values, steps=False).tasks
    every = [task.id for task in tasks]
    return tuple(
        waiver if any(waiver.covers(id) for id in every) else waiver.changed(idle=idle_words(waiver, every))
        for waiver in stack.waivers
    )
