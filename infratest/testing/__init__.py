"""What the plugins of others are tested with: the contract suite of each kind, and a fake of each that makes things.

A suite is a class of tests; a subclass says what it is asked of. `examples/plugin` shows each of them in use. Imported
by tests alone: it needs pytest.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "infratest.testing.acts",
    "infratest.testing.components",
    "infratest.testing.outputs",
    "infratest.testing.facts",
    "infratest.testing.inventories",
    "infratest.testing.provider_components",
    "infratest.testing.providers",
    "infratest.testing.provisioners",
    "infratest.testing.remedies",
    "infratest.testing.transports",
    "infratest.testing.waiting",
)
