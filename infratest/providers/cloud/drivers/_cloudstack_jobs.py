"""What CloudStack was asked to do and does in its own time: its jobs, and why one failed.

A server's entry in a listing does not say why it is in error, or still runs; the job does, and only who asked for it
has its id. So jobs are remembered, and asked about where a server is not what its job was to make it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from infratest.cleaning import clean
from infratest.errors import ProviderError
from infratest.providers.cloud.drivers.base import ERROR, PENDING, RUNNING, STOPPED, Server, State

#: A job's `jobstatus`; 1 is done.
UNDER_WAY, FAILED = 0, 2
#: States in which a server stays until it is asked to leave them.
SETTLED = (RUNNING, STOPPED, ERROR)


@dataclass(frozen=True)
class Job:
    """What was asked for of a server, and what the server is once it is done."""

    id: str
    makes: State


class Jobs:
    """The newest job of each server that was asked for from here. Its methods are called from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._reasons: dict[str, str] = {}

    def asked(self, server: str, answer: Mapping[str, Any], makes: State) -> None:
        """Remember the job that an answer names."""
        with self._lock:
            self._jobs[server] = Job(str(answer["jobid"]), makes)
            self._reasons.pop(server, None)

    def judged(self, lib: Any, server: Server, busy: bool) -> Server:
        """Return a server as it is listed, and why its newest job failed where it did.

        Args:
            busy: the listing says that a job for it is under way, so that nobody needs to be asked.
        """
        with self._lock:
            job, reason = self._jobs.get(server.id), self._reasons.get(server.id, "")
        if job is not None and job.makes == server.state:
            self._done(server.id, job)
        elif job is not None and not busy and server.state in SETTLED:
            status, reason = self._outcome(lib, server.id, job)
            if status == UNDER_WAY and server.state == STOPPED and job.makes == RUNNING:
                return replace(server, state=PENDING)  # so it is listed before its first start
        return replace(server, reason=reason) if server.state == ERROR else replace(server, refused=reason)

    def _outcome(self, lib: Any, server: str, job: Job) -> tuple[int, str]:
        """Return a job's status, and why it failed."""
        status, reason = outcome(lib, job.id)
        if status != UNDER_WAY:
            self._done(server, job, reason)
        return status, reason

    def _done(self, server: str, job: Job, reason: str = "") -> None:
        with self._lock:
            if self._jobs.get(server) == job:
                del self._jobs[server]
            if reason:
                self._reasons[server] = reason


class Changes:
    """Jobs that change what is no server, by the id of what they change. Called from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, dict[str, str]] = {}  # an id -> jobs under way, and what each is to do

    def asked(self, id: str, answer: Mapping[str, Any], what: str) -> None:
        """Remember the job that an answer names."""
        with self._lock:
            self._jobs.setdefault(id, {})[str(answer["jobid"])] = what

    def judge(self, lib: Any, id: str) -> bool:
        """Return whether all that was asked for is done. Raises ProviderError: a job of it failed, and why."""
        with self._lock:
            jobs = dict(self._jobs.get(id, {}))
        for job, what in jobs.items():  # they are worked off in order: where one is under way the next is too
            status, reason = outcome(lib, job)
            if status == UNDER_WAY:
                return False
            with self._lock:
                self._jobs.get(id, {}).pop(job, None)
            if reason:
                raise ProviderError(f"driver cloudstack: {what}: its job failed: {reason}")
        return True


def outcome(lib: Any, job: str) -> tuple[int, str]:
    """Return a job's status, and why it failed where it did."""
    answer = lib.ask("queryAsyncJobResult", jobid=job)
    status = int(answer["jobstatus"])
    if status != FAILED:
        return status, ""
    result = answer.get("jobresult") or {}
    return status, clean(str(result.get("errortext") or "its job failed"), 400)
