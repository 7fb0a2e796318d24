"""Every error infratest raises, and the state and exit status each one turns into.

    InfratestError                 unknown, exit 3
    ├── UserError                  wrong input: a file, a key, an option, a name
    │   ├── StackFileError         the stack file: file, line, key, found, allowed, nearest
    │   ├── FeatureError           a feature: file, line; also what lint refuses
    │   ├── NothingSelected        tags, names or lines that select no scenario
    │   ├── UnknownName            a provider, transport, output ... that nobody has
    │   └── NotInThisVersion       named in the design, not built yet: refused by name
    ├── StateError                 the state directory: not writable, locked, full
    │   ├── InUse                  another process is at work on the stack, and holds its lock
    │   ├── Ended                  a monitor was asked something as it ended
    │   ├── NotKept                the monitor's store could not be written: what a commit would have kept is not there
    │   ├── StoreDamaged           the monitor's store, or a row of it, cannot be read
    │   ├── NoStore                no monitor of it has kept anything there yet
    │   └── LeaseLost              another monitor writes the store now
    ├── ProviderError              a machine could not be made, halted or removed
    │   └── NotInstalled           the program that its provider works by is not on this machine
    ├── InventoryError             a source of hosts could not be read whole, or names none
    ├── TransportError             the way in
    │   ├── Unreachable            no route, refused, connect time-out: critical, exit 2
    │   ├── AccessRefused          login refused, sudo denied
    │   ├── HostKeyRefused         unknown or changed host key
    │   ├── NoShell            runs, and has no shell to run a command with
    │   ├── ConnectionLost         gone in the middle of an answer
    │   └── DeadlineExceeded       our own deadline
    ├── FactError                  reached the host, could not look: tool missing, answer not readable
    ├── ActError                   reached the host, could not do it: refused, failed, not as it has to be
    ├── SendError                  an output's receiver did not take what was sent
    └── HealError                  a remedy failed

An unmet expectation is a result, not an exception. Every message says what was tried, on what, with which value,
and what to try next.
"""

from __future__ import annotations

from infratest.states import CRITICAL, UNKNOWN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class InfratestError(Exception):
    """The root: whatever stops infratest from knowing is unknown."""

    state = UNKNOWN


class UserError(InfratestError):
    """What the user wrote or typed cannot be used."""


class SecretInFeature(UserError):
    """A secret stands in a feature, where everyone reads it."""


class StackFileError(UserError):
    """The stack file cannot be used."""


class FeatureError(UserError):
    """A feature file cannot be used."""


class NoFeature(FeatureError):
    """No feature file is where features are looked for."""


class NothingSelected(UserError):
    """Tags, names or lines that select no scenario."""


class UnknownName(UserError):
    """A name that no built-in file and no entry point has."""


class NotInThisVersion(UserError):
    """A thing that the design names and that this version does not have yet."""


class StateError(InfratestError):
    """The state directory cannot be read, written or locked."""


class InUse(StateError):
    """Another process is at work on the stack, and holds the lock of its state directory: there is nothing wrong."""


class Ended(StateError):
    """A monitor was asked something as it ended: it answers nobody any longer."""


class NotKept(StateError):
    """The monitor's store could not be written. `missing`: how many rows of what are not there, as 3 `statuses`."""

    missing: Mapping[str, int] = {}


class StoreDamaged(StateError):
    """The monitor's store cannot be read, or what stands in a row of it is not what is kept there."""


class NoStore(StateError):
    """There is no store of a monitor yet: none has kept anything there, or that of another environment has."""


class LeaseLost(StateError):
    """Another monitor writes the store now: what this one knows is of before, and it tells nobody anything."""


class ProviderError(InfratestError):
    """A provider could not make, halt, list or remove something."""


class InventoryError(InfratestError):
    """A source of hosts that exist could not be read whole, or names none: which hosts there are is not known."""


class NotInstalled(ProviderError):
    """The program that a provider works by is not on this machine, so that nothing can have been made by it."""


class TransportError(InfratestError):
    """The way to a host failed. `partial` is the standard output that had come before it did."""

    partial: bytes = b""


class Unreachable(TransportError):
    """The host cannot be reached: no route, refused, connect time-out, or stopped or gone by its provider's word."""

    state = CRITICAL


class AccessRefused(TransportError):
    """The host answers and does not let us in."""


class HostKeyRefused(TransportError):
    """The host's key is unknown or is not the one on record."""


class NoShell(TransportError):
    """The host runs and has no shell: nothing can be asked on it, what is asked from elsewhere can."""


class ConnectionLost(TransportError):
    """The connection ended in the middle of an answer; `begun` is false where the command was not seen to begin."""

    begun: bool = True


class DeadlineExceeded(TransportError):
    """Our own deadline passed before the host had answered."""


class FactError(InfratestError):
    """The host was reached and the fact could not be read from it."""


class ActError(InfratestError):
    """The host was reached and could not be changed as asked."""


class SendError(InfratestError):
    """What an output sent did not arrive, as far as is known."""


class HealError(InfratestError):
    """A remedy could not be applied."""


def unknown(what: str, name: str, known: Sequence[str]) -> str:
    """Return the message for a name that nobody has: the nearest of those that are known, and all of them.

    Args:
        what: of which kind the name is, as `host`.
    """
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {what} {name!r}: {hint}known are {', '.join(known) or 'none'}"
