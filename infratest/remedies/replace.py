"""`replace: {keep-old: 24h}`: another host made in the place of the failing one, which is stopped before and kept.

What it does stands in `infratest/lifecycle/replace.py`; that it goes only where the old host is out of service, in the
gate `fence`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError, UserError
from infratest.model import Result
from infratest.remedies.base import Outcome, Remedy, Surroundings

#: Seconds for a connection to a successor that answers.
CONNECT = 60.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """For how long the old host is kept."""

    keep_old: float = field(
        default=86400.0,
        metadata={
            "dimension": "time",
            "description": "time that the old host is kept, stopped, for `infratest heal undo` (default: 24h); after "
            "it `infratest reap` or the next replace removes it",
        },
    )
    fence: bool = field(
        default=True,
        metadata={
            "description": "that the old host is out of service first, which it always is: true and nothing else"
        },
    )


class Replace(Remedy):
    """Stop the host and set it aside, make another one, provision it, see that what failed holds; else undo it all."""

    name = "replace"
    Options = Options
    usage = "expected options, as `replace: {keep-old: 24h}`"
    on_host = False
    by_provider = True
    fenced = True
    provisions = True
    proves = True
    seconds = 1800.0
    least = 60.0

    def __init__(self, argument: Any) -> None:
        super().__init__(argument)
        if not self.options.fence:
            words = "fence: false would let two machines have one role; leave it out"
            raise UserError(f"{self.name}: {words}")

    def describe(self) -> str:
        return "replace"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        name, options = surroundings.host.name, self.options

        def arrived() -> None:
            surroundings.connect(deadline.at_most(CONNECT)).close()  # whoever connects puts the healing mark there

        def proven(seconds: float) -> str:
            return surroundings.proven(deadline.at_most(seconds))

        try:
            words = surroundings.replacing.replace(options.keep_old, arrived, proven, deadline)
            kept = surroundings.replacing.kept()
        except InfratestError as error:
            raise HealError(f"replace {name}: {clean(str(error), 1000)}") from error
        return Outcome(words=clean(words, 500), command=f"replace {name}", kept=kept)

    def undo_words(self) -> str:
        return "its successor is removed, and the old host stands in its place again, started"

    def undo(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        name = surroundings.host.name
        try:
            words = surroundings.replacing.put_back(deadline)
        except InfratestError as error:
            raise HealError(f"replace {name}: {clean(str(error), 1000)}") from error
        return Outcome(words=clean(words, 500), command=f"put back {name}")
