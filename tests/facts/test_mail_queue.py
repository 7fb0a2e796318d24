"""The fact `mail-queue` on a real Postfix: empty, with messages that wait, and where there is none."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from infratest.errors import FactError
from infratest.facts.base import Answer
from infratest.facts.mail_queue import MailQueueFact
from tests.worlds import mail_servers
from tests.worlds.shells import SHELLS, shell


@pytest.fixture(scope="module")
def configured(made):
    """A Postfix without a service that picks up what sendmail lays down: it waits."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with mail_servers.postfix(made, folder / "postfix"):
            yield folder / "postfix" / "conf"


def queued(configured, name="dash"):
    words, path = shell(name)
    variables = os.environ | {"MAIL_CONFIG": str(configured), "PATH": path}
    done = subprocess.run(
        [*words, "-c", MailQueueFact().ask([()])],
        env=variables, capture_output=True, encoding="utf-8", check=False, timeout=60,
    )  # fmt: skip
    return MailQueueFact().read(Answer(done.returncode, done.stdout, done.stderr), [()])[()]


def sent(configured):
    subprocess.run(
        ["sendmail", "-C", str(configured), "-f", "a@mail.example", "b@mail.example"],
        input="Subject: x\n\nx\n", encoding="utf-8", check=True, timeout=60,
    )  # fmt: skip


def test_a_queue_is_counted_by_every_shell(configured):
    empty = queued(configured)
    assert (empty.total, empty.oldest, empty.in_words()) == (0, None, "no message")
    before = int(time.time())
    sent(configured)
    sent(configured)
    for name in SHELLS:
        queue = queued(configured, name)
        assert queue.counts == (("maildrop", 2),)
        assert before - 1 <= queue.oldest <= queue.now <= time.time()
        assert queue.in_words() == "2 messages (2 maildrop)"


def test_a_queue_that_nobody_may_see_is_unknown(configured):
    with pytest.raises(FactError, match=r"postqueue does not tell what is in the mail queue: .*No such file"):
        queued(configured.parent / "nowhere")
