"""The steps of cucumber-nagios about queues of an AMQP broker (its amqp_steps), each a sentence of ours."""

from __future__ import annotations

from typing import Any

from infratest.gherkin.writing import in_quotes
from infratest.importers.cucumber_nagios.declared import about, ask, needed, step


@step(r"I have a AMQP server on (.+)", "I have a AMQP server on")
def server(context: Any, host: str) -> None:
    about(context).broker = host


@step(r"I want to check on the (\w+) queue", "I check on the ... queue")
def queue(context: Any, name: str) -> None:
    about(context).queue = name


def _asked(context: Any, claim: str) -> None:
    broker = needed(about(context).broker, "which broker: I have a AMQP server on mq")
    name = needed(about(context).queue, "which queue: I want to check on the orders queue")
    ask(context, f"the queue {in_quotes(name)} of {in_quotes(f'amqp://{broker}')} has {claim}")


@step(r"it should have less than (\d+) messages per consumer", "it should have less than ... messages per consumer")
def messages_per_consumer(context: Any, many: str) -> None:
    _asked(context, f"less than {many} messages per consumer")


@step(r"it should have less than (\d+) messages", "it should have less than ... messages")
def fewer_messages(context: Any, many: str) -> None:
    _asked(context, f"less than {many} messages")


@step(r"it should have at least (\d+) messages", "it should have at least ... messages")
def enough_messages(context: Any, many: str) -> None:
    _asked(context, f"at least {many} messages")


@step(r"it should have more than (\d+) messages", "it should have more than ... messages")
def more_messages(context: Any, many: str) -> None:
    _asked(context, f"more than {many} messages")


@step(r"[Ii]t should have more than (\d+) consumers", "it should have more than ... consumers")
def more_consumers(context: Any, many: str) -> None:
    _asked(context, f"more than {many} consumers")


@step(r"[Ii]t should have less than (\d+) consumers", "it should have less than ... consumers")
def fewer_consumers(context: Any, many: str) -> None:
    _asked(context, f"less than {many} consumers")


@step(r"[Ii]t should have (\d+) consumers", "it should have exactly ... consumers")
def so_many_consumers(context: Any, many: str) -> None:
    _asked(context, f"exactly {many} consumers")
