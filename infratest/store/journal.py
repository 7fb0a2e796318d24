"""The write-ahead journal of a stack: what was asked of a provider, what came of it, and what it holds as live.

The lifecycle appends a record, on the disk before the call returns, before it asks a provider for anything; the
engine does the same with the undo of a fault. Whoever dies in between leaves records from which `reap` knows that a
resource is nobody's. A resource is live when it was made by an operation that ended well and nobody began to remove
it; all else of this state directory may be removed.

Records, one JSON object a line, each with `what` and `time`:

    begin     op, verb, stack, env, pid, maker   asked     op, kind, name
    end       op, outcome                        made      op, kind, name, id, spec
    lease     stack, env, expires                removing  op, kind, name, id
    budget    stack, env, since, ends            account   stack, env, account
    undo-asked  id, host, command, stack, env    removed   op, kind, name, id
    undo-done   id                               provisioned  id, name, digest
    placed    id, name, kinds                    snapshot  id, name, snapshot, digest
    aside     id, name, until                    back      id, name

`maker` is the provider that was asked, and where (`made_by_others`). `spec`, of a host alone, is what it was made from.
Records of earlier versions have neither. `outputs`, of a component, are what it gives to others. `kinds` are the types
of components that are had on a host itself; the last record counts. `digest` is of what a host was provisioned with
(lifecycle/provisioned.py), empty for nothing; the last of a host's, or of its snapshot's, counts.
`account` is who owns what the provider made, told before the first of it was asked for; the last record counts.
`aside` is of a host that stands, or is about to stand, in no host's place, and was `name`; `until` is when it need not
be kept any longer, null while its successor has not proven itself. `back`: it stands, or is about to, in its own again.
`since` is when the first host of an environment was asked for, `ends` when its budget ends, null for never.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from infratest.cleaning import clean
from infratest.errors import StateError
from infratest.providers.base import HostSpec, Resource
from infratest.store.directory import StateDir
from infratest.store.records import INTERRUPTED, Held, Undo, begun, live, open_undos, stays
from infratest.store.terms import Term

NAME, ASIDE = "journal.jsonl", "journal.damaged.jsonl"


class Operation:
    """One run of a verb, as the journal sees it. Its methods may be called from several threads."""

    def __init__(self, journal: Journal, op: str) -> None:
        self.id = op
        self._journal = journal

    def asked(self, kind: str, name: str) -> None:
        """A provider is about to be asked to make this."""
        self._journal.write("asked", op=self.id, kind=kind, name=name)

    def made(self, resource: Resource, spec: HostSpec | None = None) -> None:
        """It was made, a host from this, and this is the provider's id of it."""
        outputs = {"outputs": dict(resource.outputs)} if resource.outputs else {}
        self._about("made", resource, **({"spec": spec.made_from()} if spec else {}), **outputs)

    def removing(self, resource: Resource) -> None:
        """A provider is about to be asked to remove this: from now on it is not live."""
        self._about("removing", resource)

    def removed(self, resource: Resource) -> None:
        """It was removed."""
        self._about("removed", resource)

    def end(self, outcome: str) -> None:
        """The verb has ended: DONE, FAILED or INTERRUPTED. What it made is live only after DONE."""
        self._journal.write("end", op=self.id, outcome=outcome)

    def _about(self, what: str, resource: Resource, **more: Any) -> None:
        self._journal.write(what, op=self.id, kind=resource.kind, name=resource.name, id=resource.id, **more)


class Journal:
    """The journal of one state directory.

    Args:
        now: what its records are dated by, as a provider's clock.
    """

    def __init__(self, state: StateDir, now: Callable[[], float] = time.time) -> None:
        self._state = state
        self._now = now
        self._lock = threading.Lock()

    def records(self) -> list[dict[str, Any]]:
        """Return every record; a torn one is left out, and so is one that no version of ours wrote.

        Raises:
            StateError: a line is damaged: by what it may have said, something live would be taken for left over.
        """
        try:
            records = self._state.read(NAME, whole=True)
        except StateError as error:
            raise StateError(
                f"{error}; mend it from a copy, or take the line out: `infratest reap` sets it aside, and says what is "
                "then no longer known to be live"
            ) from error
        return [record for record in records if "what" in record and "time" in record]

    def damaged(self) -> list[str]:
        """Return the lines that cannot be read, with their place. Raises StateError."""
        path = self._state.file(NAME)
        return [f"{path}:{number}: {clean(line, 80)!r}" for number, line in self._state.damaged(NAME)]

    def set_aside(self) -> None:
        """Put what cannot be read into journal.damaged.jsonl; called under the lock. Raises StateError."""
        self._state.set_aside(NAME, ASIDE)

    def write(self, what: str, **fields: Any) -> None:
        """Append one record and have it on the disk."""
        with self._lock:
            self._state.append(NAME, {"what": what, "time": round(self._now(), 3), **fields})

    def begin(self, verb: str, stack: str, env: str, maker: str = "") -> Operation:
        """Begin an operation, by this provider at this place; the caller holds the stack's lock until its end."""
        op = secrets.token_hex(4)
        more = {"maker": maker} if maker else {}
        self.write("begin", op=op, verb=verb, stack=stack, env=env, pid=os.getpid(), **more)
        return Operation(self, op)

    def lease(self, stack: str, env: str, expires: int) -> None:
        """Write down that the lease now ends at `expires`."""
        self.write("lease", stack=stack, env=env, expires=expires)

    def budget(self, stack: str, env: str, term: Term) -> None:
        """Write down how long an environment may stand, before its first host is asked for."""
        self.write("budget", stack=stack, env=env, since=term.since, ends=term.ends)

    def account(self, stack: str, env: str, account: str) -> None:
        """Write down who owns what is made in an environment, before the first of it is asked for."""
        self.write("account", stack=stack, env=env, account=account)

    def provisioned(self, id: str, name: str, digest: str) -> None:
        """A host was provisioned, with what this is the digest of."""
        self.write("provisioned", id=id, name=name, digest=digest)

    def snapshot(self, id: str, name: str, snapshot: str, digest: str) -> None:
        """A host was kept under a name of a snapshot, while this was the digest of what it was provisioned with."""
        self.write("snapshot", id=id, name=name, snapshot=snapshot, digest=digest)

    def aside(self, id: str, name: str, until: float | None = None) -> None:
        """A host is about to stand aside; or, with `until`, its successor has proven itself."""
        self.write("aside", id=id, name=name, until=until)

    def back(self, id: str, name: str) -> None:
        """A host that stands aside is about to stand in its place again; its successor goes before."""
        self.write("back", id=id, name=name)

    def placed(self, id: str, name: str, kinds: Sequence[str]) -> None:
        """Components of these types are on a host from now on, or are about to be."""
        self.write("placed", id=id, name=name, kinds=list(kinds))

    def undo_asked(self, host: str, command: str, id: str, stack: str = "", env: str = "") -> None:
        """A fault is about to be put in on a host; this shell command takes it back."""
        self.write("undo-asked", id=id, host=host, command=command, stack=stack, env=env)

    def undo_done(self, id: str) -> None:
        """The fault was taken back."""
        self.write("undo-done", id=id)

    def open_undos(self) -> list[Undo]:
        """Return the undos that are not known to have run, the last one asked first."""
        return open_undos(self.records())

    def live(self) -> dict[str, Held]:
        """Return what is held as live, by the provider's id."""
        return live(self.records())

    def interrupted_are_over(self, operation: Operation) -> None:
        """Write the end of every operation without one, but for this: the lock is ours, so none of them is at work."""
        for one in begun(self.records()):
            if one.op != operation.id:
                self.write("end", op=one.op, outcome=INTERRUPTED)

    def tidy(self, stack: str, env: str) -> None:
        """Drop what is over in this environment; called, under the lock, when nothing but live resources is left in it.

        What stays: the live resources with their operations, their lease, open undos, and every other environment.
        A journal with nothing left to say is removed.
        """
        records = self.records()
        kept = [record for record in records if stays(record, records, stack, env)]
        if len(kept) == len(records):
            return
        with self._lock:
            if kept:
                self._state.write(NAME, "".join(json.dumps(record, sort_keys=True) + "\n" for record in kept))
                return
            try:
                (self._state.path / NAME).unlink(missing_ok=True)
            except OSError as error:
                path = self._state.path / NAME
                raise StateError(f"state directory: {path} could not be removed: {error.strerror}") from error
