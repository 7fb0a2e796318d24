"""The verbs on the life of a stack as the installed command in a subprocess: status, words, and what is there after."""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.worlds.shop_stack import STACK, Place, wait_until


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


ALL = {"shop": "running", "db": "running", "web-1": "running", "web-2": "running"}


def test_the_life_of_a_stack(place):
    out, _ = place.run("up", "--dry-run")
    assert out.splitlines() == ["db would be made", "web-1 would be made", "web-2 would be made"]
    assert place.there() == {}
    assert not (place.folder / ".infratest").exists()

    _, err = place.run("up", "--provision")
    assert place.there() == ALL
    assert "db: ready" in err
    assert "web-1: provisioned" in err
    assert "3 hosts ready" in err

    out, _ = place.run("status")
    assert "stack shop, provider fake" in out
    assert "lease of me@here ends" in out
    assert "journal: 4 live: network shop, host db," in out
    found = json.loads(place.run("status", "--format", "json")[0])
    assert [(host["name"], host["state"]) for host in found["hosts"]] == [
        ("db", "running"), ("web-1", "running"), ("web-2", "running"),
    ]  # fmt: skip
    assert abs(found["expires"] - time.time() - 86400) < 120

    place.run("halt", "--host", "web-*")
    assert place.there() == ALL | {"web-1": "stopped", "web-2": "stopped"}
    place.run("up")
    assert place.there() == ALL

    out, _ = place.run("destroy", "--dry-run")
    assert sorted(out.splitlines()) == [
        "host db would be removed", "host web-1 would be removed", "host web-2 would be removed",
        "network shop would be removed",
    ]  # fmt: skip
    place.run("destroy")
    assert place.there() == {}
    assert not (place.folder / ".infratest" / "journal.jsonl").exists()
    assert "nothing to remove" in place.run("destroy")[1]
    assert "nothing to reap" in place.run("reap")[1]


def test_events_are_kept(place):
    place.run("up")
    events = [json.loads(line) for line in (place.folder / ".infratest" / "events.jsonl").read_text().splitlines()]
    assert {event["labels"]["host"] for event in events} == {"-", "db", "web-1", "web-2"}
    assert all(event["labels"]["verb"] == "up" and event["labels"]["outcome"] == "done" for event in events)


def test_a_failure_says_what_was_undone(place):
    place.write(STACK.replace("  world: world", "  world: world\n  fail: [create web-2]"))
    _, err = place.run("up", status=1)
    assert "up of shop: fake: create web-2: refused" in err
    assert "undone: " in err
    assert place.there() == {}


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_undoes_up(place, number, status):
    place.write(STACK.replace("  world: world", "  world: world\n  hang: [create web-1]"))
    process = place.start("up")
    wait_until(lambda: "db" in place.there())
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status, err
    assert f"stopped by {number.name}" in err
    assert "undone: " in err
    assert "Traceback" not in err
    assert place.there() == {}


def test_two_runs_at_once(place):
    place.write(STACK.replace("  world: world", "  world: world\n  hang: [create db]"))
    first = place.start("up")
    wait_until(lambda: "shop" in place.there())
    _, err = place.run("up", status=1)
    assert f"in use by process {first.pid} (up of shop)" in err
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    assert place.there() == {}


def test_killed_and_reaped(place):
    place.write(STACK.replace("  world: world", "  world: world\n  hang: [create web-1]"))
    process = place.start("up")
    wait_until(lambda: "db" in place.there())
    process.kill()
    process.communicate()
    left = place.there()
    assert "interrupted, or at work: up" in place.run("status")[0]
    out, _ = place.run("reap", "--dry-run")
    assert "would be removed: host db of shop" in out
    assert place.there() == left
    _, err = place.run("reap")
    assert "removed: host db of shop" in err
    assert place.there() == {}


def test_run_on_a_group_prefixes_lines_and_takes_the_worst_status(place):
    place.run("up")
    out, err = place.run("run", "web", 'echo "on it"; echo no >&2; exit 3', status=3)
    assert out.splitlines() == ["web-1 | on it", "web-2 | on it"]
    assert "web-1 | no" in err
    assert "web-2 | exit 3" in err
    assert place.run("run", "web-1", 'printf "a:\n  b: 1\n"')[0].splitlines() == ["web-1 | a:", "web-1 |   b: 1"]
    assert place.run("run", "*", "echo", "a  b", "$HOME")[0].splitlines() == [
        "db    | a  b $HOME", "web-1 | a  b $HOME", "web-2 | a  b $HOME",
    ]  # fmt: skip
    place.run("halt", "--host", "web-1")
    _, err = place.run("run", "web", "true", status=255)
    assert "web-1 | stopped; run `infratest up --host web-1` first" in err


def test_run_that_is_stopped_says_so(place):
    place.run("up")
    process = place.start("run", "web", f"touch {place.folder}/begun; sleep 60")
    wait_until(lambda: (place.folder / "begun").exists())
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "web-1 | stopped by SIGINT" in err


def test_ssh_runs_a_command_and_has_its_status(place):
    place.run("up")
    assert place.run("ssh", "db", "echo one; exit 4", status=4)[0] == "one\n"
    assert place.run("ssh", "db", "echo", "a  b")[0] == "a  b\n"


@pytest.mark.parametrize(
    "words, message",
    [
        (["up", "--host", "nix-*"], "--host 'nix-*' selects no host: known are db, web-1, web-2"),
        (["ssh", "web1", "true"], "unknown host 'web1': did you mean 'web-1'?"),
        (["run", "wbe", "true"], "unknown group or host 'wbe': did you mean 'web'?"),
        (["up", "--stack", "none.yaml"], "none.yaml"),
        (["reap", "--owner"], "--owner"),
        (["status", "--format", "xml"], "xml"),
    ],
)
def test_wrong_use(place, words, message):
    _, err = place.run(*words, status=2)
    assert message in err


def test_production_is_not_destroyed_by_accident(place):
    place.write(f"production: true\n{STACK}")
    place.run("up")
    assert "--yes-production" in place.run("destroy", status=2)[1]
    assert place.there() == ALL
    place.run("destroy", "--yes-production")
    assert place.there() == {}


def test_ready_sentences_are_looked_at_before_anything_is_made(place):
    place.write(STACK.replace("db: {groups: [data]}", "db: {ready: ['prt 22 is listening']}"))
    _, err = place.run("up", status=2)
    assert "ready: undefined: 'prt 22 is listening'" in err
    place.write(STACK.replace("db: {groups: [data]}", "db: {ready: ['the balancer \"shop\" has at least 2 members']}"))
    _, err = place.run("up", status=2)
    assert "not in this version" in err
    assert "undefined" not in err
    place.write(STACK.replace("db: {groups: [data]}", "db: {ready: ['the service \"x\" is stopped']}"))
    _, err = place.run("up", status=2)
    assert "ready: " in err
    assert place.there() == {}


def test_ready_sentences_that_hold(place):
    (place.folder / "flag").write_text("")
    sentence = f"the command \"test -e '{place.folder}/flag'\" exits 0"
    place.write(STACK.replace("db: {groups: [data]}", f"db: {{ready: [{json.dumps(sentence)}]}}"))
    place.run("up")
    assert place.there() == ALL
    place.run("destroy")
    (place.folder / "flag").unlink()
    _, err = place.run("up", "--timeout", "3s", status=1)
    assert "db: `ready:` did not come to hold: " in err
    assert place.there() == {}


def test_a_state_directory_that_cannot_be_written(place):
    (place.folder / "state").write_text("a file")
    _, err = place.run("up", "--state", "state", status=1)
    assert "state directory" in err
    assert "--state" in err
    assert place.there() == {}


def test_reaping_anothers_needs_a_yes(place):
    place.run("up")
    for path in (place.folder / "world").glob("*.json"):
        one = json.loads(path.read_text())
        one["labels"] |= {"infratest.owner": "jane@there", "infratest.state": "f", "infratest.expires": "1"}
        path.write_text(json.dumps(one))
    _, err = place.run("reap", "--owner", "jane@there", status=2)
    assert "of jane@there: host db" in err
    assert "say --yes" in err
    assert place.there() == ALL
    place.run("reap", "--owner", "jane@there", "--yes")
    assert place.there() == {}


def test_doctor_names_what_is_missing_and_how_to_get_it(place):
    (place.folder / "stack.yaml").unlink()
    out, _ = place.run("doctor")
    assert out.startswith("ok  python")
    findings = json.loads(place.run("doctor", "--format", "json")[0])
    assert {"python", "behave", "paramiko", "ssh", "provider container"} <= {one["name"] for one in findings}
    assert all(one["advice"] for one in findings if not one["usable"])


def test_status_says_of_no_host_what_nobody_has_asked(place):
    place.write("stack: office\nprovider: existing\nhosts: {web: {address: 192.0.2.1, groups: [web]}}\n")
    out, _ = place.run("status")
    (row,) = [line.split() for line in out.splitlines() if line.startswith("web ")]
    assert row[:3] == ["web", "declared", "192.0.2.1"]
    assert json.loads(place.run("status", "--format", "json")[0])["hosts"][0]["state"] == "declared"
    place.write("stack: here\nprovider: local\nhosts: {me: {}}\n")
    assert json.loads(place.run("status", "--format", "json")[0])["hosts"][0]["state"] == "running"


@pytest.mark.parametrize("verb", ["up", "provision", "halt", "destroy", "status", "ssh", "run", "reap", "doctor"])
def test_help_tells_what_it_does_and_its_status(place, verb):
    out, _ = place.run(verb, "--help")
    assert "Exit status" in out
    assert len(out.splitlines()) > 15


def test_up_that_asked_for_nothing_has_nothing_to_undo(place):
    # As where no container engine answers: the message came three times, and told to reap what never was.
    place.write(STACK.replace("world: world", "world: world\n  fail: [existing]"))
    _, err = place.run("up", status=1)
    assert err.splitlines()[-1] == "nothing had been made"
    assert err.count("existing") == 1


#: How each verb ends that changes something, where nobody can be asked who makes the hosts.
ENDS = {"up": "nothing had been made", "rebuild": "nothing had been made"} | dict.fromkeys(
    ("provision", "halt", "destroy", "reboot", "suspend", "resume"), "nothing had been done"
)


@pytest.mark.parametrize("provider, verb", [("virtualbox", "up"), *(("container", verb) for verb in ENDS)])
def test_a_verb_without_what_its_provider_works_by_ends_with_what_came_of_it(place, provider, verb, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody.sock")
    monkeypatch.setenv("PATH", str(place.folder))  # nor is there a program of it
    place.write(f"stack: shop\nprovider: {provider}\nhosts: {{web: {{image: debian-12}}}}\n")
    _, err = place.run(verb, status=1)
    assert err.startswith(f"infratest: {verb} of shop: no "), err
    assert err.splitlines()[-1] == ENDS[verb]
    assert not (place.folder / ".infratest" / "id").exists()  # nothing carries it: the next verb asks nobody


def test_an_option_that_a_provider_has_not_is_told_with_its_line(place):
    place.write(STACK.replace("world: world", "wrld: world"))
    _, err = place.run("status", status=2)
    assert err == (
        "infratest: stack.yaml:4: provider.wrld: unknown key 'wrld': did you mean 'world'? "
        "known are delay, fail, hang, lose, name, transport, world\n"
    )


def test_a_group_and_a_host_of_one_name_are_named_once(place):
    place.write(STACK.replace("groups: [data]", "groups: [db]"))
    _, err = place.run("run", "wbe", "true", status=2)
    assert err.endswith("did you mean 'web'? known are db, web, web-1, web-2\n")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("test", "a.feature"), 0),
        (("check", "a.feature"), 0),
        (("run", "web", "true"), 0),
        (("ssh", "db", "true"), 0),
        (("status",), 0),
    ],
)
def test_a_stack_that_is_used_keeps_its_lease(place, words, status):
    (place.folder / "a.feature").write_text('Feature: a\n  Scenario: b\n    Then the command "true" exits 0\n')
    place.run("up")
    journal = place.folder / ".infratest" / "journal.jsonl"
    soon = int(time.time()) + 600
    with journal.open("a") as file:
        file.write(json.dumps({"what": "lease", "time": 1, "stack": "shop", "env": "", "expires": soon}) + "\n")
    place.run(*words, status=status)
    end = json.loads(place.run("status", "--format", "json")[0])["expires"]
    assert end == soon if words == ("status",) else end >= soon + 86400 - 600  # looking alone is no use
    lines = len(journal.read_text().splitlines())
    place.run(*words, status=status)
    assert len(journal.read_text().splitlines()) == lines  # not a record a minute


def test_using_what_was_destroyed_leaves_no_journal(place):
    place.run("up")
    place.run("destroy")
    place.run("run", "web", "true", status=255)
    assert not (place.folder / ".infratest" / "journal.jsonl").exists()


def test_a_scripts_output_is_shown_while_it_runs_and_the_log_is_named(place):
    flag = place.folder / "flag"
    (place.folder / "p.sh").write_text(
        "echo begun on $INFRATEST_HOST_NAME\nprintf '  no end yet'\n"
        f"while [ ! -e {flag} ]; do sleep 0.02; done\necho; echo over\n"
    )
    place.run("up")
    process = place.start("provision", "--host", "web-1")
    said = ""
    while "web-1 | begun on web-1\n" not in said:
        line = process.stderr.readline()
        assert line, said  # the script waits for us, so that what it said has come before its end
        said += line
    flag.touch()
    _, rest = process.communicate(timeout=60)
    log = place.folder / ".infratest" / "logs" / "shop" / "provision-web-1.log"
    assert process.returncode == 0, rest
    assert rest.splitlines()[:2] == ["web-1 |   no end yet", "web-1 | over"]
    assert f"web-1: provisioned (log: {log})" in rest
    assert f"what was printed is in {log.parent}/provision-HOST.log" in rest
    assert "begun on web-1\n  no end yet\nover\n" in log.read_text()
    assert f"printed is in {log.parent}/provision-HOST.log" in place.run("up", "--provision")[1]
