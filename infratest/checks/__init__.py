"""Questions to facts, one file for each kind of subject; `base.py` is the contract.

The package can be called: `@infratest.checks` on a behave step of the user's own declares that it only looks.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import TypeVar

    T = TypeVar("T")
else:  # the plugin program's path imports no module for this
    ModuleType = type(sys)

#: What the declaration sets on a function; read when the steps are loaded (user_steps/load.py).
LOOKS_ONLY = "__infratest_checks__"


class Checks(ModuleType):
    """The package as what it also is: a decorator, above or below behave's."""

    def __call__(self, function: T) -> T:
        setattr(function, LOOKS_ONLY, True)
        return function


sys.modules[__name__].__class__ = Checks
