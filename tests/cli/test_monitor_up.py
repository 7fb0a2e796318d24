"""`infratest monitor export` and `up` as a user runs them: real tools on the loopback that see a canary, or do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infratest.testing.waiting import wait_until
from tests.worlds.monitoring_tools import LONG, icinga_with_api, nagios, prometheus
from tests.worlds.small_project import run, write

STACK = """\
stack: shop
provider: local
hosts: {here: {groups: [front]}}
monitor: {interval: 5s, retry: 1s, attempts: 2}
"""
FEATURE = """\
Feature: f
  @runbook:https://wiki.example/there
  Scenario: there
    Then the file "%s" exists
  @needs:there
  Scenario: full
    Then the disk "/" is less than 101 %% full
"""
#: What a user has already.
NAGIOS = {
    "mine.cfg": "define host {\n    host_name mine\n    address 127.0.0.1\n    max_check_attempts 1\n}\n"
    "define service {\n    host_name mine\n    service_description own\n    check_command infratest-validation\n"
    "    max_check_attempts 1\n}\n"
}
PROVEN = (
    r"proven: {} on this machine sees the canary of shop: first green [\d.]+ s, red [\d.]+ s, green again [\d.]+ s\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = write(tmp_path / "project", {"stack.yaml": STACK, "features/f.feature": FEATURE % (tmp_path / "there")})
    (tmp_path / "there").touch()
    return folder


def up(project: Path, kind: str, to: Path, *words: str, timeout: str = "150s") -> tuple[int, str, str]:
    done = run(project, "infratest", "monitor", "up", kind, "--to", str(to), "--timeout", timeout, *words)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.timeout(600)
def test_nagios_is_brought_up_and_proven_and_sees_the_stack(project, tmp_path):
    with nagios(tmp_path / "nagios", NAGIOS, length=1) as running:
        options = ("-o", f"config={running.main}", "-o", "interval-length=1s")
        status, out, err = up(project, "nagios", running.folder / "conf", *options)
        assert status == 0, err
        assert re.fullmatch(PROVEN.format("nagios"), out)
        alerts = re.findall(r"SERVICE ALERT: infratest-shop;infratest-canary;(\w+);(\w+);", running.log)
        assert alerts[:2] == [("CRITICAL", "HARD"), ("OK", "HARD")]
        assert wait_until(lambda: running.service("here", "there").get("has_been_checked") == "1", LONG)
        assert running.service("here", "there")["current_state"] == "0"
        (tmp_path / "there").unlink()  # what the stack's own scenario looks at
        assert wait_until(lambda: running.service("here", "there").get("current_state") == "2", LONG)
        assert wait_until(lambda: running.service("here", "there").get("state_type") == "1", LONG)
        assert "here: 1 of 1 scenario failed" in running.service("here", "there")["plugin_output"]
        own = running.folder / "conf" / "infratest-shop-local.cfg"
        own.write_text(own.read_text() + "# mine\n")
        status, out, err = up(project, "nagios", running.folder / "conf", "--on", "here", *options)
        assert status == 0, err
        assert out.startswith("proven: nagios on here sees the canary of shop: ")
        assert own.read_text().endswith("# mine\n")


@pytest.mark.timeout(600)
def test_a_nagios_that_does_not_read_the_folder_is_as_before(project, tmp_path):
    with nagios(tmp_path / "nagios", NAGIOS, length=1) as running:
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "infratest-shop.cfg").write_text("# of yesterday\n")
        status, out, err = up(project, "nagios", elsewhere, "-o", f"config={running.main}", timeout="8s")
        assert (status, out) == (1, "")
        assert "it knows no canary; does its configuration read" in err
        assert "undone: 4 files on this machine as before, and it was reloaded" in err
        assert [path.name for path in elsewhere.iterdir()] == ["infratest-shop.cfg"]
        assert (elsewhere / "infratest-shop.cfg").read_text() == "# of yesterday\n"


@pytest.mark.timeout(600)
def test_a_nagios_whose_other_files_are_broken_is_not_reloaded(project, tmp_path):
    """It would end: a reload with a configuration that it cannot read is its death."""
    with nagios(tmp_path / "nagios", NAGIOS, length=1) as running:
        conf = running.folder / "conf"
        (conf / "broken.cfg").write_text("define host {\n    host_name broken\n    check_command no-such\n}\n")
        before = sorted(path.name for path in conf.iterdir())
        status, _, err = up(project, "nagios", conf, "-o", f"config={running.main}", "-o", "interval-length=1s")
        assert status == 1
        assert "broken.cfg" in err
        assert "undone: 4 files on this machine as before\n" in err
        assert sorted(path.name for path in conf.iterdir()) == before
        (conf / "broken.cfg").unlink()
        running.command("PROCESS_SERVICE_CHECK_RESULT", "mine", "own", "2", "still here")
        assert wait_until(lambda: running.service("mine", "own").get("plugin_output") == "still here", LONG)


def test_a_nagios_that_does_not_run_is_told(project, tmp_path):
    with nagios(tmp_path / "nagios", NAGIOS, length=1) as running:
        folder = running.folder
    (folder / "rw" / "nagios.cmd").unlink(missing_ok=True)
    status, _, err = up(project, "nagios", folder / "conf", "-o", f"config={folder}/nagios.cfg")
    assert status == 1
    assert "is no pipe; does it run" in err
    assert sorted(path.name for path in (folder / "conf").iterdir()) == ["contact.cfg", "mine.cfg"]


@pytest.mark.timeout(600)
def test_icinga_is_brought_up_and_proven(project, tmp_path):
    mine = 'object Host "mine" {\n  check_command = "dummy"\n}\n'
    with icinga_with_api(tmp_path / "icinga", {"mine.conf": mine}) as running:
        status, out, err = up(project, "icinga2", running.conf, *running.options)
        assert status == 0, err
        assert re.fullmatch(PROVEN.format("icinga2"), out)
        wrong = [word.replace("known-as=localhost", "known-as=other.example") for word in running.options]
        status, _, err = up(project, "icinga2", running.conf, *wrong)
        assert status == 1
        assert "its certificate is not trusted" in err
        assert "open-sesame" not in err


@pytest.mark.timeout(600)
def test_an_icinga_whose_other_files_are_broken_is_as_before(project, tmp_path):
    mine = 'object Host "mine" {\n  check_command = "dummy"\n}\n'
    with icinga_with_api(tmp_path / "icinga", {"mine.conf": mine}) as running:
        (running.conf / "broken.conf").write_text('object Host "broken" {\n  check_command = "no-such"\n}\n')
        status, _, err = up(project, "icinga2", running.conf, *running.options)
        assert status == 1
        assert "no-such" in err
        assert sorted(path.name for path in running.conf.iterdir()) == ["broken.conf", "mine.conf"]


@pytest.mark.machines  # Prometheus is too heavy for the ordinary run
@pytest.mark.timeout(600)
def test_prometheus_is_brought_up_and_proven(project, tmp_path):
    with prometheus(tmp_path / "prometheus") as (url, folder):
        options = [
            "-o", f"url={url}", "-o", f"config={folder}/prometheus.yml", "-o", f"metrics={folder}/metrics",
            "-o", "scrape=false",
        ]  # fmt: skip
        status, out, err = up(project, "prometheus", folder / "rules", *options)
        assert status == 0, err
        assert re.fullmatch(PROVEN.format("prometheus"), out)
        (folder / "rules" / "infratest-shop.rules.yml").unlink()
        (folder / "metrics" / "infratest-shop-canary.prom").unlink()
        status, _, err = up(project, "prometheus", tmp_path / "elsewhere", *options, timeout="8s")
        assert status == 1
        assert "it knows no canary" in err
        assert list((folder / "metrics").iterdir()) == []
        assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_cannot_be_brought_up_is_said(project, tmp_path):
    status, _, err = up(project, "systemd", tmp_path / "units")
    assert (status, "systemd is only exported" in err) == (3, True)


def test_export_writes_what_a_checker_takes_and_nothing_else(project, tmp_path):
    words = ("infratest", "monitor", "export", "nagios", "--to", str(tmp_path / "conf"), "--check")
    done = run(project, *words)
    assert done.returncode == 0, done.stderr
    assert "nagios4 -v takes it: 1 hosts, 2 services\n" in done.stderr
    names = sorted(path.name for path in (tmp_path / "conf").iterdir())
    assert names == ["infratest-shop-local.cfg", "infratest-shop.cfg", "infratest-shop.feature"]
    before = (tmp_path / "conf" / "infratest-shop.cfg").read_text()
    (tmp_path / "conf" / "infratest-shop-local.cfg").write_text("define nonsense {\n}\n")
    done = run(project, *words, "-o", "interval-length=1s")
    assert done.returncode == 1
    assert "infratest: not written: " in done.stderr
    assert (tmp_path / "conf" / "infratest-shop.cfg").read_text() == before


def test_what_another_stack_of_the_same_name_was_exported_to_is_left_alone(project, tmp_path):
    """Another team's, or `shop` in `prod` beside `shop-prod`: the one that came first would be watched no longer."""
    other = write(tmp_path / "other", {"stack.yaml": STACK, "features/f.feature": FEATURE % "/tmp"})
    words = ("infratest", "monitor", "export", "prometheus", "--to", str(tmp_path / "rules"))
    assert run(project, *words).returncode == 0
    rules = tmp_path / "rules" / "infratest-shop.rules.yml"
    before = rules.read_text()
    done = run(other, *words)
    assert done.returncode == 3
    assert (
        f"{rules} is of another stack file, '{project / 'stack.yaml'}', whose stack is called shop there too"
        in done.stderr
    )
    assert rules.read_text() == before
    assert run(other, *words, "--replace").returncode == 0
    # Whose stack file is gone misses nothing: a checkout of yesterday, a release in a folder of its own.
    (other / "stack.yaml").unlink()
    assert run(project, *words).returncode == 0
    assert rules.read_text() == before


@pytest.mark.parametrize(
    "words, message",
    [
        (("export", "nagois", "--to", "x"), "unknown export 'nagois': did you mean 'nagios'?"),
        (("export", "nagios", "--to", "x", "-o", "lenght=1"), "unknown key 'lenght'"),
        (("export", "nagios", "--to", "x", "-o", "heal"), "-o 'heal': write -o NAME=VALUE"),
        (("export", "json-sd", "--to", "x", "-o", "port=many"), "port: expected a whole number, found 'many'"),
        (("up", "nagios", "--on", "there", "--to", "/x"), "there"),
        (("up", "nagios", "--on", "here", "--to", "x"), "it is an absolute path"),
    ],
)
def test_wrong_use_is_one_message_and_unknown(project, words, message):
    done = run(project, "infratest", "monitor", *words)
    assert (done.returncode, done.stdout) == (3, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (project / "x").exists()
