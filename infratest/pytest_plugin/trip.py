"""One trip to a host with many commands: each answered as if it had run alone, or not at all.

Called by the prefetch. The script and its frames are the engine's; here stands what may be believed of the answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from infratest.collect.script import Question, build, read
from infratest.deadline import Deadline
from infratest.errors import TransportError
from infratest.facts.base import Answer
from infratest.transports.base import CommandResult, Transport

#: Seconds that one command may hold up the trip, and that the whole trip may take.
HANG, WHOLE = 10.0, 60.0
#: A status above this says that a signal ended the command: ours, or one that it would not have met alone.
BY_SIGNAL = 128
#: What stands for bytes that are no text, and what was not sent as it is written.
NOT_TEXT = "\ufffd"


def asked(
    transport: Transport, commands: Sequence[str], sudo: bool
) -> tuple[dict[str, CommandResult], TransportError | None]:
    """Ask these commands in one script, in the login's own environment.

    Returns:
        The answers that are whole and exact, by command; and why the trip ended early, where it did.
    """
    script = build([Question(words, HANG) for words in commands], as_login=True)
    failure: TransportError | None = None
    try:
        data = transport.run_script(script.text, Deadline(WHOLE), sudo, [script.nonce], as_login=True).stdout
    except TransportError as error:
        failure, data = error, error.partial
    found = zip(commands, read(script, data), strict=True)
    return {words: _alone(answer) for words, answer in found if isinstance(answer, Answer) and _exact(answer)}, failure


def _exact(answer: Answer) -> bool:
    return (
        answer.exit <= BY_SIGNAL and not answer.truncated and answer.exact and NOT_TEXT not in answer.out + answer.err
    )


def _alone(answer: Answer) -> CommandResult:
    return CommandResult(exit=answer.exit, stdout=answer.out.encode(), stderr=answer.err.encode(), seconds=0.0)
