"""The collector of cycles at rest while a round is collected and judged.

Called by what carries out checks. It walks through all objects that live, plan and imports included, each time enough
new ones have been made, and every answer makes many: with 200 hosts it cost a fifth of a cycle's CPU, and made a cycle
dearer for each host the more hosts there are. What a round makes holds next to no cycles; they are found after it.

On the plugin program's path, which never collects.
"""

from __future__ import annotations

import gc


class Uncollected:
    """A block within which no cycles are looked for; where nobody did before, nobody does after."""

    def __enter__(self) -> None:
        self._collects = gc.isenabled()
        gc.disable()

    def __exit__(self, *failure: object) -> None:
        if self._collects:
            gc.enable()
