"""What can be said of the nodes of a RabbitMQ: their alarms, and whether their cluster is in parts.

By the management plugin's API (`GET /api/nodes`), with an account that has the tag `monitoring`: so says RabbitMQ's
own guide of monitoring; `rabbitmqctl` starts an Erlang machine each time, and needs the cluster's cookie. From the
controller unless a sentence says from where; a host asks by its curl. A login that is refused, or an answer that is
not this API's, is unknown.
"""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import CONTROLLER, Check, Measure, Seen, in_quotes
from infratest.cleaning import clean
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.facts.base import FactValues
    from infratest.facts.http.reply import Reply

    Node = Mapping[str, Any]

#: What is asked of each node: the columns of the API that sentences look at.
WHERE = "/api/nodes?columns=name,running,mem_alarm,disk_free_alarm,partitions"
#: A node's alarms by what the API calls them; each of them stops everybody who publishes (RabbitMQ: alarms.md).
ALARMS = {"mem_alarm": "memory", "disk_free_alarm": "free disk space"}
#: Characters of an answer in a reason.
SHOWN = 200
UNSEEN = "a cluster in parts, written after RabbitMQ's guide of partitions"


class _OfRabbit(Check):
    viewpoint = CONTROLLER
    from_others = True

    url: str
    login: str = ""

    def __post_init__(self) -> None:
        self.asked  # noqa: B018 - refuses what cannot be asked

    @derived
    def asked(self) -> Need[Reply]:
        from infratest.facts.http.request import Request

        address = f"{self.url.rstrip('/')}{WHERE}"
        return Need("http", Request(address, login=self.login).argument if self.login else (address,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def server(self) -> str:
        return f"the RabbitMQ {in_quotes(self.url)}"

    def observe(self, facts: FactValues) -> Seen:
        reply = facts[self.asked]
        if reply.status is None:
            words = f"{self.server} does not answer: {clean(reply.refused, SHOWN)}"
            return Seen(holds=False, saw=words, absent=True)
        return self.look(self.nodes(reply))

    def nodes(self, reply: Reply) -> list[Node]:
        """Return the nodes of the cluster. Raises FactError: it is not known which there are."""
        from infratest.json_text import loads

        if reply.status in (401, 403):
            raise FactError(
                f"{self.server} refuses the login ({reply.status}): it takes a user with the tag monitoring, as "
                '`logged in as "monitor:{param.mq_password}"`'
            )
        if reply.status != 200 or reply.unread:
            why = reply.unread or f"it answered {reply.status}; the plugin rabbitmq_management has it, at port 15672"
            raise FactError(f"{self.server} does not say which nodes it has: {clean(why, SHOWN)}")
        try:
            nodes = loads(reply.body)
        except ValueError as error:
            raise FactError(f"{self.server}: the answer about its nodes is not readable: {error}") from None
        if not isinstance(nodes, list) or not nodes or not all(_is_node(one) for one in nodes):
            raise FactError(f"{self.server}: the answer about its nodes is not understood: {clean(reply.body, SHOWN)}")
        return nodes

    @abstractmethod
    def look(self, nodes: Sequence[Node]) -> Seen:
        """Return what is seen in the nodes."""


def _is_node(data: Any) -> bool:
    return isinstance(data, dict) and isinstance(data.get("name"), str) and isinstance(data.get("running"), bool)


def _listed(names: Sequence[Any]) -> str:
    return clean(", ".join(str(name) for name in names), SHOWN)


class _OfNode(_OfRabbit):
    """One node, by its whole name."""

    node: str = ""

    def look(self, nodes: Sequence[Node]) -> Seen:
        for one in nodes:
            if one["name"] == self.node:
                return self.look_at(one, f"the node {in_quotes(self.node)} of {self.server}")
        words = f"{self.server} has no node {in_quotes(self.node)}, but {_listed([one['name'] for one in nodes])}"
        return Seen(holds=False, saw=words, absent=True)

    @abstractmethod
    def look_at(self, node: Node, subject: str) -> Seen:
        """Return what is seen of the node, which is there."""


@check(
    'the node "{node}" of the RabbitMQ "{url}"[ logged in as "{login}"] is running',
    negation='the node "{node}" of the RabbitMQ "{url}"[ logged in as "{login}"] is not running',
    example='the node "rabbit@mq" of the RabbitMQ "http://mq:15672" logged in as "m:{param.password}" is running',
)
class RabbitNodeRunning(_OfNode):
    """The cluster's other nodes see it; one that never was in the cluster, or left it, is neither."""

    def look_at(self, node: Node, subject: str) -> Seen:
        return Seen(node["running"], f"{subject} is {'' if node['running'] else 'not '}running")


@check(
    'the node "{node}" of the RabbitMQ "{url}"[ logged in as "{login}"] has an alarm',
    negation='the node "{node}" of the RabbitMQ "{url}"[ logged in as "{login}"] has no alarm',
    example='the node "rabbit@mq" of the RabbitMQ "http://mq:15672" logged in as "m:{param.password}" has no alarm',
)
class RabbitNodeAlarm(_OfNode):
    """It uses more memory, or has less free disk space, than it is set to; all who publish wait. One that does not run
    has none, and is not without."""

    def look_at(self, node: Node, subject: str) -> Seen:
        if not node["running"]:
            return Seen(holds=False, saw=f"{subject} is not running", absent=True)
        raised = [words for name, words in ALARMS.items() if _is_true(node, name, subject)]
        return Seen(bool(raised), f"{subject} has {f'an alarm: {_listed(raised)}' if raised else 'no alarm'}")


@check(
    'the cluster of the RabbitMQ "{url}"[ logged in as "{login}"] has a partition',
    negation='the cluster of the RabbitMQ "{url}"[ logged in as "{login}"] has no partition',
    example='the cluster of the RabbitMQ "http://mq:15672" logged in as "monitor:{param.mq_password}" has no partition',
    unseen=UNSEEN,
)
class RabbitPartition(_OfRabbit):
    """A node of the cluster says that it is parted from others, though both run."""

    def look(self, nodes: Sequence[Node]) -> Seen:
        subject = f"the cluster of {self.server}"
        parted: list[str] = []
        for node in nodes:
            others = node.get("partitions") if node["running"] else []
            if not isinstance(others, list):
                raise FactError(f"{self.server} does not say from whom {clean(node['name'], SHOWN)} is parted")
            if others:
                parted.append(f"{node['name']} is parted from {_listed(others)}")
        if parted:
            return Seen(holds=True, saw=f"{subject} has a partition: {clean('; '.join(parted), 2 * SHOWN)}")
        running = sum(node["running"] for node in nodes)
        if not running:
            raise FactError(f"{self.server}: no node of {len(nodes)} is running, by its own account")
        return Seen(
            holds=False, saw=f"{subject} has no partition: {running} of {len(nodes)} nodes run, parted from none"
        )


@check(
    'the cluster of the RabbitMQ "{url}"[ logged in as "{login}"] has {bound:count} running nodes',
    example='the cluster of the RabbitMQ "http://mq:15672" logged in as "m:{param.pw}" has at least 3 running nodes',
)
class RabbitNodes(_OfRabbit):
    """How many nodes of the cluster run, as the one sees it that is asked."""

    def look(self, nodes: Sequence[Node]) -> Seen:
        running = [node["name"] for node in nodes if node["running"]]
        words = f"{len(running)} of {len(nodes)} nodes of {self.server} run: {_listed(running)}"
        return Seen(holds=True, saw=words, number=len(running))

    def measure(self) -> Measure:
        return Measure(label=f"{self.url} running nodes", minimum=0)


def _is_true(node: Node, name: str, subject: str) -> bool:
    value = node.get(name)
    if not isinstance(value, bool):
        raise FactError(f"{subject}: whether it has the alarm {name} is not in the answer")
    return value
