"""`infratest monitor` as its user runs it: a real process, its signals, its death, its successor, and who was told."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.worlds import forked
from tests.worlds.monitor_world import FULL, THERE, World, until, world
from tests.worlds.notice_servers import Reply, endpoint, smtp_server
from tests.worlds.small_project import run


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


@pytest.mark.timeout(600)
def test_a_life_of_one_problem_over_a_kill(shop: World):
    first = shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    shop.there.unlink()
    until(lambda: shop.state() in ("soft", "critical"), "it is seen")
    until(lambda: shop.state() == "critical", "it is hard")
    until(lambda: shop.notices() == [("problem", "critical", THERE)], "one notice")
    status, out, _ = shop.run("problems")
    assert (status, out.splitlines()[0].partition(" - ")[0]) == (2, "INFRATEST MONITOR CRITICAL")
    assert "  oncall knows it is critical" in out.splitlines()
    first.send_signal(signal.SIGKILL)
    first.wait()
    status, out, _ = shop.run("status")
    assert status == 3, "what a dead monitor knew is not known"
    assert out.startswith("INFRATEST MONITOR UNKNOWN - shop: 1 of ")
    assert "no monitor runs: this is what one knew" in out
    assert " | " not in out, "a graph must not go on"
    assert shop.run("problems")[0] == 3
    second = shop.begin()
    shop.there.touch()
    until(lambda: len(shop.notices()) > 1, "the end of it")
    assert shop.notices() == [("problem", "critical", THERE), ("recovery", "ok", THERE)], "nothing twice"
    assert len(set(shop.keys())) == 2
    begun = monotonic()
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0
    assert monotonic() - begun < 30  # 5 s are promised; this machine may be busy
    assert not (shop.folder / ".infratest" / "monitor.sock").exists()
    assert shop.run("status")[0] == 3


def test_a_second_one_is_refused_and_names_the_first(shop: World):
    first = shop.begin()
    status, _, err = shop.run("run")
    assert status == 3
    assert f"process {first.pid}" in err
    status, out, _ = shop.run("due")
    assert status == 0
    assert {line.split()[-1] for line in out.splitlines()} >= {THERE, FULL}


def test_once_looks_and_ends_and_counts_on(shop: World):
    assert shop.run("run", "--once")[0] == 0
    shop.there.unlink()
    status, out, _ = shop.run("run", "--once")
    assert (status, "not confirmed: seen critical, failures 1 of 2" in out) == (2, True)
    assert shop.notices() == []
    said = shop.run("explain", THERE)[1].splitlines()
    (since,), (looked,) = ([line for line in said if line.startswith(f"  {word} ")] for word in ("since", "looked"))
    assert since.endswith(" UTC: nothing was wrong"), "it is not so since then, but since the look"
    assert ": seen critical, not confirmed: the file " in looked
    status, out, _ = shop.run("run", "--once")
    assert (status, f"critical {THERE}:" in out) == (2, True)
    assert shop.notices() == [("problem", "critical", THERE)], "it is handed over before it ends"
    shop.there.touch()
    assert shop.run("run", "--once")[0] == 0
    assert [kind for kind, *_ in shop.notices()] == ["problem", "recovery"]
    assert shop.run("due")[0] == 3


def test_what_cannot_be_read_anew_is_told_and_the_old_is_watched_on(shop: World):
    process = shop.begin()
    feature = shop.folder / "features" / "x.feature"
    whole = feature.read_text()
    feature.write_text("Feature f\n")
    process.send_signal(signal.SIGHUP)
    until(lambda: shop.state("monitor#project@-") == "unknown", "the mistake")
    assert shop.run("status")[0] == 3
    assert THERE in shop.run("due")[1]
    feature.write_text(whole.replace("Scenario: full", "Scenario: fuller"))
    process.send_signal(signal.SIGHUP)
    until(lambda: "fuller" in shop.run("due")[1], "what is written there now")
    until(lambda: shop.run("status")[0] == 0, "it is well")


def test_systemd_hears_that_it_is_ready_alive_and_about_to_end(shop: World, tmp_path: Path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.settimeout(100)
        process = shop.begin(NOTIFY_SOCKET=path, WATCHDOG_USEC="4000000")
        assert listening.recv(500).startswith(b"READY=1\nSTATUS=watching ")
        assert listening.recv(500) == b"WATCHDOG=1"
        process.send_signal(signal.SIGINT)
        while (word := listening.recv(500)) == b"WATCHDOG=1":
            pass
        assert word == b"STOPPING=1"
    assert process.wait(60) == 0


def test_a_host_that_hangs_holds_up_neither_the_others_nor_the_end(shop: World):
    fifo = shop.folder / "pipe"
    os.mkfifo(fifo)
    feature = shop.folder / "features" / "x.feature"
    hanging = f'  Scenario: hangs\n    Then the command "cat {fifo}" exits 0\n'
    feature.write_text(feature.read_text() + hanging)
    process = shop.begin()
    until(lambda: "hangs" in shop.run("status")[1], "it is not known yet")
    begun = monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(100)
    assert monotonic() - begun < 60


def test_another_environment_has_a_state_of_its_own(shop: World):
    stack = shop.folder / "stack.yaml"
    stack.write_text(stack.read_text() + "environments: {dev: {}, prod: {}}\n")
    status, _, err = shop.run("run", "--once")
    assert (status, "--env" in err) == (3, True)
    assert shop.run("run", "--once", "--env", "dev")[0] == 0
    status, _, err = shop.run("run", "--once", "--env", "prod")
    assert (status, "is of shop/dev, and this is shop/prod" in err) == (3, True)
    assert shop.run("run", "--once", "--env", "prod", "--state", str(shop.folder / "other"))[0] == 0


def test_words_that_are_none_and_those_of_later(shop: World):
    assert "not in this version" in shop.run("poller")[2]
    status, _, err = shop.run("statsu")
    assert (status, "did you mean 'status'?" in err) == (3, True)
    status, _, err = shop.run("status")
    assert (status, "no monitor has kept anything" in err) == (3, True)


def minute() -> str:
    """Return this moment as people write it, a second later: what is so at it can be asked for."""
    sleep(1.1)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    sleep(1.1)
    return now


@pytest.mark.timeout(600)
def test_each_moment_is_explained_afterwards(shop: World):
    shop.begin()
    until(lambda: shop.run("status")[0] == 0, "all is well")
    moments = {"before": minute()}
    shop.there.unlink()
    until(lambda: shop.notices() == [("problem", "critical", THERE)], "one notice")
    moments["told"] = minute()
    user = pwd.getpwuid(os.getuid()).pw_name
    status, out, _ = shop.run("ack", THERE, "--comment", "on it", LOGNAME="somebody", USER="somebody")
    assert (status, out.startswith(f"{user} has {THERE} (critical) until it recovers")) == (0, True)
    until(lambda: ("ack", "critical", THERE) in shop.notices(), "that somebody has it")
    until(lambda: f"acknowledged by {user}: on it" in shop.run("explain", THERE)[1], "that it is kept")
    moments["acknowledged"] = minute()
    assert shop.run("problems")[0] == 0, "what somebody has does not decide"
    shop.there.touch()
    until(lambda: ("recovery", "ok", THERE) in shop.notices(), "its end")
    until(lambda: "recovery, delivered" in shop.run("explain", THERE)[1], "that it is kept")
    moments["over"] = minute()
    rule = "by stack.yaml:14: monitor.tell[0]"
    expected = {
        "before": ("ok ", ["told: nobody"], ["critical", "acknowledged"]),
        "told": ("critical ", [f"oncall: problem critical, delivered, {rule}", "does not exist"], ["acknowledged"]),
        "acknowledged": ("critical ", [f"oncall: acknowledged by {user}: on it", "ack critical, delivered"], ["recov"]),
        "over": ("ok ", ["problem critical, delivered", f"recovery, delivered, {rule}"], ["acknowledged"]),
    }
    for name, (state, holds, holds_not) in expected.items():
        status, out, _ = shop.run("explain", THERE, "--at", moments[name])
        assert (status, out.partition(THERE)[0]) == (0, state), name
        assert [each for each in holds if each not in out] == [], f"{name}: {out}"
        assert [each for each in holds_not if each in out] == [], f"{name}: {out}"
    status, out, _ = shop.run("explain", THERE, "--at", "1h ago")
    assert (status, out.startswith("unknown ")) == (0, True)
    status, out, _ = shop.run("history", THERE, "--format", "csv")
    assert [line.split(",")[1:3] for line in out.splitlines()[1:]] == [
        ["-", "ok"], ["ok", "critical"], ["critical", "ok"],
    ]  # fmt: skip
    (key,) = [line.split()[1] for line in shop.run("history", FULL)[1].splitlines() if line.startswith("number: ")]
    numbers = json.loads(shop.run("history", key, "--format", "json")[1])
    assert len(numbers) > 3
    assert all(0 < each["value"] <= 100 for each in numbers)
    assert shop.run("history", THERE, "--since", "2min", "--format", "spark")[1].rstrip().endswith(f".  {THERE}")
    kinds = [json.loads(line)["labels"]["kind"] for line in shop.run("events", "--format", "json")[1].splitlines()]
    assert (kinds.count("lifecycle"), kinds.count("told")) == (1, 3)


def test_ids_and_times_that_are_none(shop: World):
    assert shop.run("run", "--once")[0] == 0
    for words in (["explain", THERE[:-1]], ["explain", THERE[:-1], "--at", "1min"], ["history", THERE[:-1]],
                  ["ack", THERE[:-1], "--comment", "x"]):  # fmt: skip
        status, _, err = shop.run(*words)
        assert (status, f"did you mean '{THERE}'" in err) == (3, True), words
    for time in ("tomorrow", "25:99", "-5min", "1999-01-01", "2999-01-01", "5", ""):
        status, _, err = shop.run("explain", THERE, "--at", time)
        assert (status, "time: " in err) == (3, True), time
    status, _, err = shop.run("ack", THERE, "--comment", "x")
    assert (status, "there is no hard problem" in err) == (3, True)
    status, _, err = shop.run("downtime", "add", "d", THERE, "--every", "0 2 * *", "--for", "1h", "--comment", "x")
    assert (status, "no cron expression" in err) == (3, True)
    assert shop.run("downtime", "add", "d", THERE, "--for", "0s", "--comment", "x")[0] == 3
    assert shop.run("downtime", "add", "d", "--for", "1h", "--comment", "x")[0] == 3
    status, _, err = shop.run("downtime", "add", "d", THERE, "--for", "1h", "--comment", " ")
    assert (status, "it is empty" in err) == (3, True)


@pytest.mark.parametrize("running", [True, False])
def test_what_people_say_holds_whether_one_runs_or_not(shop: World, running: bool):
    if running:
        shop.begin()
    else:
        assert shop.run("run", "--once")[0] == 0
    said = shop.run("downtime", "add", "move", "--host", "front", "--for", "2h", "--comment", "new racks")
    assert (said[0], "no monitor runs" in said[1]) == (0, not running)
    status, _, err = shop.run("downtime", "add", "move", THERE, "--for", "2h", "--comment", "again")
    assert (status, "is there already" in err) == (3, True)
    assert shop.run("downtime", "add", "web", "--tags", "@web", "--every", "0 2 * * 0", "--for", "1h", "--zone",
                    "Europe/Berlin", "--comment", "weekly")[0] == 0  # fmt: skip
    listed = {each["name"]: each for each in shop.answer("downtime", "list")}
    assert listed["move"]["ids"] == sorted([THERE, FULL, "reachable@here"])
    assert (listed["web"]["ids"], listed["web"]["zone"]) == ([THERE], "Europe/Berlin")
    shop.there.unlink()
    for _ in range(0 if running else 2):
        shop.run("run", "--once")
    until(lambda: "nobody is told: downtime 'move'" in shop.run("problems")[1], "the silence")
    assert shop.run("pause", "1h")[0] == 0
    assert shop.run("note", "deployed 1.4", "--host", "front")[0] == 0
    status, _, err = shop.run("downtime", "end", "mvoe")
    assert (status, "did you mean 'move'?" in err) == (3, True)
    assert shop.run("downtime", "end", "move")[0] == 0
    assert "nobody is told: paused for" in shop.run("problems")[1]
    assert shop.notices() == []
    assert shop.run("resume")[1] == "people are told again\n"
    if not running:
        shop.run("run", "--once")
    until(lambda: shop.notices() == [("problem", "critical", THERE)], "what is so after the silence")
    until(lambda: "of front: deployed 1.4" in shop.run("events", "--kind", "note")[1], "the note")


def test_a_job_is_run_and_reported_whether_one_runs_or_not(shop: World):
    heartbeat = "monitor#heartbeat/backup@-"
    done = shop.run("heartbeat", "backup", "--", "sh", "-c", "echo --for; exit 7")
    assert done[:2] == (7, "--for\n"), "its status and its words are passed through"
    process = shop.begin()
    until(lambda: shop.state(heartbeat) == "critical", "what was kept for it")
    assert shop.run("heartbeat", "backup", "--", "true")[0] == 0
    until(lambda: shop.state(heartbeat) == "ok", "a run that ended well")
    assert shop.run("heartbeat", "backup", "--", "no-such-program")[0] == 127
    until(lambda: shop.state(heartbeat) == "critical", "one that did not")
    assert shop.run("heartbeat", "backup", "--", "sh", "-c", "kill -9 $$")[0] == 137
    assert "ok is heard" in shop.run("heartbeat", "backup")[1]
    until(lambda: shop.state(heartbeat) == "ok", "the word")
    status, _, err = shop.run("heartbeat", "bakcup", "--", "sh", "-c", "exit 5")
    assert (status, "did you mean 'backup'?" in err) == (5, True), "the job is what matters"
    assert shop.run("heartbeat", "bakcup")[0] == 3
    assert shop.run("heartbeat", "backup", "okay")[0] == 3
    assert shop.run("heartbeat", "backup", "ok", "--", "true")[0] == 3
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert "kept in" in shop.run("heartbeat", "backup", "fail")[1]
    assert shop.run("run", "--once")[0] == 2


MAILED = """\
stack: shop
provider: local
hosts: {{here: {{}}}}
monitor:
  receivers: {{oncall: {{mail: {{to: [ops@example.org, new@example.org], from: infratest@mon-1, server: "{server}"}}}}}}
  tell: []
"""


def test_a_receiver_that_takes_it_but_not_for_all_is_told(tmp_path: Path):
    with smtp_server() as post:
        post.box.refusals["new@example.org"] = "451 greylisted"
        (tmp_path / "stack.yaml").write_text(MAILED.format(server=post.server))
        done = forked.run(["monitor", "tell", "oncall", "--test"], cwd=tmp_path, timeout=100)
    assert done.returncode == 1
    assert done.stdout.startswith("oncall: taken by mail ops@example.org and 1 more by ")
    assert "; not for all: " in done.stdout
    assert done.stdout.endswith("all but new@example.org: 451 greylisted\n")


def test_a_receiver_is_tried_with_a_real_message(shop: World):
    status, out, _ = shop.run("tell", "oncall", "--test")
    assert (status, out) == (0, f"oncall: taken by webhook http://127.0.0.1:{shop.endpoint.port}\n")
    assert [(kind, level) for kind, level, _ in shop.notices()] == [("problem", "warning"), ("recovery", "ok")]
    shop.endpoint.reply = Reply(403, b"who are you?")
    status, out, _ = shop.run("tell", "oncall", "--test")
    assert (status, "surely not arrived" in out, "403: who are you?" in out) == (3, True, True)
    shop.endpoint.reply = Reply(504)
    assert "it may have arrived" in shop.run("tell", "oncall", "--test")[1]
    status, _, err = shop.run("tell", "oncal", "--test")
    assert (status, "did you mean 'oncall'?" in err) == (3, True)
    assert shop.run("tell", "oncall")[0] == 3


def test_who_waits_for_a_sign_of_life_has_it_until_the_end(shop: World):
    with endpoint() as elsewhere:
        stack = shop.folder / "stack.yaml"
        stack.write_text(stack.read_text() + f"  alive: {{ping: '{elsewhere.url}/7f', every: 1s}}\n")
        process = shop.begin()
        until(lambda: len(elsewhere.requests) > 2, "three signs of life")
        assert {(each.method, each.path) for each in elsewhere.requests} == {("GET", "/7f")}
        process.send_signal(signal.SIGSTOP)
        sleep(2)
        count = len(elsewhere.requests)
        sleep(3)
        assert len(elsewhere.requests) == count, "one that stands still is silent"
        process.send_signal(signal.SIGKILL)
        process.wait()
        elsewhere.forget()
        assert shop.run("run", "--once")[0] == 0
        assert len(elsewhere.requests) == 1


def test_an_alert_that_ends_by_itself_is_said_again_while_it_lasts(shop: World):
    with endpoint() as alertmanager:
        stack = shop.folder / "stack.yaml"
        stack.write_text(
            stack.read_text().replace(f'webhook: {{url: "http://127.0.0.1:{shop.endpoint.port}/"}}',
                                      f'alertmanager: {{url: "{alertmanager.url}", lease: 60s}}')
        )  # fmt: skip
        shop.there.unlink()
        shop.begin()
        until(lambda: len(alertmanager.requests) > 1, "the problem, and again")
        first, second = (json.loads(each.body)[0] for each in alertmanager.requests[:2])
        assert first["labels"] == second["labels"]
        assert 15 < _seconds(second["endsAt"]) - _seconds(first["endsAt"]) < 60


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_waiver_that_is_over_is_critical_as_in_a_check(shop: World):
    stack = shop.folder / "stack.yaml"
    waiver = "waivers: [{{id: 'features/x.feature#there', why: later, until: {until}, by: ops}}]\n"
    whole = stack.read_text()
    stack.write_text(whole + waiver.format(until="2999-01-01"))
    shop.there.unlink()
    status, out, _ = shop.run("run", "--once")
    assert (status, "waived=1" in out) == (0, True)
    stack.write_text(whole + waiver.format(until="2020-01-01"))
    status, out, _ = shop.run("run", "--once")
    assert (status, "critical waiver:features/x.feature#there@-: it expired" in out) == (2, True)
    checked = run(shop.folder, "infratest", "check")
    assert (checked.returncode, "it expired" in checked.stdout) == (2, True)


def test_what_a_signal_cuts_short_is_not_known(shop: World):
    os.mkfifo(shop.folder / "pipe")
    feature = shop.folder / "features" / "x.feature"
    feature.write_text(
        feature.read_text() + f'  Scenario: hangs\n    Then the command "cat {shop.folder}/pipe" exits 0\n'
    )
    process = shop.start("run", "--once", "--timeout", "10min")
    until(shop.live, "that it looks")
    process.send_signal(signal.SIGTERM)
    assert process.wait(100) == 3
