"""The simulator's instances and jobs: what was asked for happens at a later look, as often as somebody wishes.

A look is a listing of instances or a question about the job. An instance that runs is a node, with a real sshd.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.worlds.nodes import Nodes

#: What a job says that there was no host for.
NO_HOST = "Unable to create a deployment for VM instance {}: there is not enough capacity"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def new_id() -> str:
    return str(uuid.uuid4())


class JobFailed(Exception):
    """Why a job fails: `code` of CloudStack's, and its words."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class Job:
    """One job. `left`: looks until it is done. `work`: what it does then; its result is the job's."""

    command: str
    left: int
    work: Callable[[], dict[str, Any]]
    id: str = field(default_factory=new_id)
    status: int = 0
    code: int = 0
    result: dict[str, Any] | None = None
    created: str = field(default_factory=now)

    def look(self) -> None:
        """Let the time of one look pass."""
        if self.status == 0:
            self.left -= 1
            if self.left < 0:
                self._end()

    def _end(self) -> None:
        try:
            self.result, self.status = self.work(), 1
        except JobFailed as error:
            self.status, self.code = 2, 530
            self.result = {"errorcode": error.code, "errortext": str(error)}

    def answer(self) -> dict[str, Any]:
        """Return what queryAsyncJobResult says of it."""
        found: dict[str, Any] = {
            "accountid": new_id(),
            "userid": new_id(),
            "cmd": f"org.apache.cloudstack.api.command.{self.command}",
            "jobstatus": self.status,
            "jobprocstatus": 0,
            "jobresultcode": self.code,
            "created": self.created,
            "jobid": self.id,
        }
        if self.result is not None:
            found |= {"jobresulttype": "object", "jobresult": self.result}
        return found


@dataclass
class Machine:
    """One instance of CloudStack's. `about`: what its request said of it, as listings have it."""

    about: dict[str, Any]
    user_data: str
    details: dict[str, str]
    groups: list[str]
    nodes: Nodes = field(repr=False)
    id: str = field(default_factory=new_id)
    nic: str = field(default_factory=new_id)
    state: str = "Stopped"
    created: str = field(default_factory=now)
    address: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    networks: list[str] = field(default_factory=list)
    job: Job | None = None

    def begin(self, job: Job, state: str) -> Job:
        """Have a job for it, and be in a state until it is done."""
        self.job = job
        self.state = state or self.state
        return job

    def run(self) -> None:
        self.address = self.nodes.start(self.id, self.user_data)
        self.state = "Running"

    def stop(self) -> None:
        self.nodes.stop(self.id)
        self.state = "Stopped"

    def end(self, state: str) -> None:
        self.nodes.remove(self.id)
        self.state = state

    def answer(self, groups: list[dict[str, Any]], networks: list[str]) -> dict[str, Any]:
        """Return its entry in a listing."""
        nic: dict[str, Any] = {
            "id": self.nic, "networkid": networks[0], "netmask": "255.255.255.0", "gateway": "127.9.0.1",
            "traffictype": "Guest", "type": "Shared", "isdefault": True,
        }  # fmt: skip
        if self.address:
            nic["ipaddress"] = self.address
        found = self.about | {
            "id": self.id, "created": self.created, "state": self.state, "haenable": False, "rootdeviceid": 0,
            "rootdevicetype": "ROOT", "securitygroup": groups, "nic": [nic], "details": dict(self.details),
            "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
        }  # fmt: skip
        if self.job is not None and self.job.status == 0:
            found |= {"jobid": self.job.id, "jobstatus": 0}
        return found
