"""`provision: {}`: provision the failing host again, as `infratest provision` would."""

from __future__ import annotations

from infratest.cleaning import clean
from infratest.deadline import Deadline
from infratest.errors import HealError, InfratestError
from infratest.model import Result
from infratest.remedies.base import Outcome, Remedy, Surroundings


class Provision(Remedy):
    """Provision the failing host again, as `infratest provision` would; provisioners open their own connection."""

    name = "provision"
    usage = "takes no options, write `provision: {}`"
    on_host = False
    provisions = True
    seconds = 600.0
    no_undo = "the files of the last good run are in your version control: check them out, and provision"

    def describe(self) -> str:
        return "provision"

    def apply(self, result: Result, surroundings: Surroundings, deadline: Deadline) -> Outcome:
        name = surroundings.host.name
        try:
            words = surroundings.provision(name, deadline)
        except HealError:
            raise
        except InfratestError as error:
            raise HealError(f"provision {name}: {error}") from error
        return Outcome(words=clean(words, 500) or "done", command=f"infratest provision --host {name}")
