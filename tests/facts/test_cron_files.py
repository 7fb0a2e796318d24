"""Which files of a folder of cron's are told at all, by the snippet itself, in a folder of the test's own."""

from __future__ import annotations

import subprocess

from infratest.facts.base import Answer
from infratest.facts.cron import CronFact


def test_a_file_that_begins_with_a_dot_is_no_reason_and_one_with_a_dot_in_it_is(tmp_path):
    for folder, name in (("cron.d", ".placeholder"), ("cron.d", "a.conf"), ("cron.daily", ".placeholder")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text("1 1 * * * root /opt/never\n")
        (tmp_path / folder / name).chmod(0o755)
    snippet = (
        CronFact().ask(()).replace("/etc/cron", f"{tmp_path}/cron").replace("/var/spool/cron", f"{tmp_path}/users")
    )
    done = subprocess.run(["sh", "-c", snippet], capture_output=True, text=True, check=True)
    assert f"{tmp_path}/cron.d/a.conf" in done.stdout
    assert ".placeholder" not in done.stdout
    jobs = CronFact().read(Answer(exit=0, out=done.stdout), [()])[()]
    assert ".placeholder" not in jobs.in_words()
