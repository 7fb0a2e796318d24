"""The kept plan of a check of other hosts: real servers, the same answer with it as without, logins counted by sshd."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from infratest import outsiders
from tests.worlds.sshd import make_key, running_sshd

PROGRAM = str(Path(sys.executable).with_name("check_infratest"))
FEATURE = """\
Feature: f
  Scenario: there
    Then the file "/etc/passwd" exists
    And the disk "/" is less than 100.5 % full
  Scenario: not there
    Then the file "/nonexistent" exists
"""
GOOD = FEATURE.partition("  Scenario: not there")[0]


@dataclass
class Place:
    """A project whose hosts are servers of this test, with a cache of its own."""

    folder: Path

    def write(self, hosts: str, feature: str = FEATURE, provider: str = "config: none, agent: false") -> None:
        text = f"stack: s\nprovider: {{name: existing, {provider}}}\nhosts:\n{hosts}"
        (self.folder / "stack.yaml").write_text(text, encoding="utf-8")
        (self.folder / "f.feature").write_text(feature, encoding="utf-8")

    def check(self, *words: str) -> tuple[int, str]:
        """Return exit status and output, with what differs from run to run taken out."""
        known = {key: value for key, value in os.environ.items() if not key.startswith(("INFRATEST_", "XDG_"))}
        done = subprocess.run(
            [PROGRAM, "--state", "state", *words, "f.feature"], cwd=self.folder, capture_output=True, encoding="utf-8",
            timeout=60, check=False, env=known | {"XDG_CACHE_HOME": str(self.folder / "cache")},
        )  # fmt: skip
        assert done.stderr == ""
        return done.returncode, re.sub(r"(time=|since |used'=)[-\d.: UTCs]+", r"\1", done.stdout)

    def plans(self) -> list[Path]:
        return sorted((self.folder / "cache" / "infratest" / "plans").glob("*"))

    def twice(self, *words: str) -> tuple[int, str]:
        """Check by a new plan and by the kept one; the answer must be the same."""
        made, count = self.check(*words), len(self.plans())
        assert count > 0
        assert self.check(*words) == made
        assert len(self.plans()) == count
        return made


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def host(server, name: str = "web", more: str = "", **changed: object) -> str:
    """Return the lines of a host in a stack file."""
    given = {"address": server.address, "port": server.port, "user": server.user, "key": server.key} | changed
    return f"  {name}: {{{', '.join(f'{key}: {value}' for key, value in given.items())}{more}}}\n"


def known(server) -> str:
    return f"known-hosts: {server.known_hosts}, config: none, agent: false"


def test_the_answer_and_its_cost_are_the_same(place, server):
    place.write(host(server), provider=known(server))
    status, output = place.twice("-v")
    assert status == 2
    assert "'disk / used'=" in output
    assert output.endswith("cost: logins 1, round trips 1, commands 1\n")


def test_each_check_by_a_kept_plan_is_one_login(place, server):
    place.write(host(server), GOOD, provider=known(server))
    before = server.logins()
    assert [place.check()[0] for _ in range(3)] == [0, 0, 0]
    assert server.logins() - before == 3
    assert len(place.plans()) == 1


def test_of_many_hosts_one_is_down_and_one_is_asked_as_root(place, server):
    place.write(
        host(server) + host(server, "down", port=1) + host(server, "root", ", sudo: true")
        + host(server, "stranger", user="nobody-knows"), provider=known(server),
    )  # fmt: skip
    status, output = place.twice("-v")
    assert status == 2
    assert "down" in output
    assert "refused" in output
    assert "login to host stranger" in output
    assert "blocked=4" in output or "4 blocked" in output


@pytest.mark.parametrize(
    "words, status, logins",
    [(("-H", "web"), 2, 1), (("-H", "127.0.0.2"), 2, 0), (("-w", "1:", "-c", "5"), 3, 1), (("-s", "there"), 2, 1)],
)
def test_options_hold_with_a_kept_plan(place, server, words, status, logins):
    # Nothing listens at the other one's address.
    place.write(host(server) + host(server, "other", address="127.0.0.2"), provider=known(server))
    found, output = place.twice("-v", *words)
    assert found == status
    assert output.endswith(f"cost: logins {logins}, round trips {logins}, commands {logins}\n")


def test_the_controller_beside_a_host(place, server):
    feature = GOOD + '    And "http://127.0.0.1:9/" does not answer\n'
    place.write(host(server), feature, provider=known(server))
    assert place.twice("-v")[0] == 0


def test_a_key_on_record_that_changes_is_seen(place, server, tmp_path):
    record = tmp_path / "known"
    record.write_bytes(server.known_hosts.read_bytes())
    place.write(host(server), GOOD, provider=f"known-hosts: {record}, config: none, agent: false")
    assert place.twice()[0] == 0
    kind, key = make_key(tmp_path / "other").with_suffix(".pub").read_text().split()[:2]
    record.write_text(f"[{server.address}]:{server.port} {kind} {key}\n")
    status, output = place.check()
    assert status == 3
    assert "CHANGED" in output


def test_ssh_config_is_read_anew(place, server, tmp_path):
    config = tmp_path / "ssh_config"
    lines = f"Host web\n  HostName 127.0.0.1\n  User {server.user}\n  IdentityFile {server.key}\n"
    config.write_text(f"{lines}  Port {server.port}\n  HostKeyAlias {server.address}\n")
    (tmp_path / "record").write_text(f"{server.address} {server.host_key}\n")
    place.write("  web: {}\n", GOOD, provider=f"known-hosts: {tmp_path}/record, config: {config}, agent: false")
    assert place.twice()[0] == 0
    (plan,) = place.plans()
    data = plan.read_bytes()
    config.write_text(f"{lines}  Port 1\n")
    status, output = place.check()
    assert status == 2
    assert "refused" in output
    assert plan.read_bytes() == data


def test_a_plan_holds_no_key_and_no_address_that_was_looked_up(place, server):
    place.write(host(server, address="localhost", more=""), GOOD, provider=known(server))
    place.check()
    (plan,) = place.plans()
    data = plan.read_bytes()
    assert b"localhost" in data
    assert b"127.0.0.1" not in data
    secret = server.key.read_text().splitlines()[1]
    assert secret.encode() not in data


def test_failures_are_counted_and_events_kept(place, server):
    place.write(host(server), provider=known(server))
    for _ in range(3):
        assert place.check()[0] == 2
    state = place.folder / "state"
    rows = json.loads((state / "counts.json").read_text(encoding="utf-8"))["s"]
    assert {id: row["failures"] for id, row in rows.items()} == {
        "f.feature#there@web": 0,
        "f.feature#not-there@web": 3,
    }
    states = [json.loads(line)["key"] for line in (state / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert states.count("s.-.web.f.not_there.state") == 3


def test_an_option_that_is_wrong_is_told_all_the_same(place, server):
    place.write(host(server), GOOD, provider=known(server))
    assert place.check()[0] == 0
    (plan,) = place.plans()
    plan.write_bytes(plan.read_bytes().replace(b"known-hosts", b"known-hoste"))
    assert place.check()[0] == 0  # by the whole command line: what a plan says wrongly is no answer


def test_pipelined_is_an_option_of_the_provider(place, server):
    place.write(host(server), GOOD, provider=f"{known(server)}, pipelined: true")
    before = server.logins()
    status, output = place.twice("-v")
    assert status == 0
    assert output.endswith("cost: logins 1, round trips 1, commands 1\n")
    assert server.logins() - before == 2
    assert b"pipelined" in place.plans()[0].read_bytes()


HEALED = """\
stack: s
provider: local
hosts: {{here: {{}}}}
heal:
  put-it-there: {{when: {{state: critical, tags: "@web"}}, confirm: 2, do: [{{run: "touch {0}/there"}}], mode: auto}}
"""
ASKED = """\
@web
Feature: f
  Scenario: it is there
    Then the command "echo asked >>{0}/log; test -e {0}/there" exits 0
"""


def test_a_heal_takes_over_what_a_kept_plan_has_found(place):
    folder = place.folder
    (folder / "stack.yaml").write_text(HEALED.format(folder), encoding="utf-8")
    (folder / "f.feature").write_text(ASKED.format(folder), encoding="utf-8")

    def asked() -> int:
        return len((folder / "log").read_text(encoding="utf-8").splitlines())

    status, output = place.check("--heal")
    assert (status, asked(), len(place.plans())) == (2, 1, 1)
    assert "not healed: failure 1 in a row, 2 confirm" in output
    # By the kept plan: asked once by it, and once more after the heal.
    status, output = place.check("--heal")
    assert (status, asked()) == (0, 3)
    assert "healed: run touch" in output
    assert place.check("--heal")[0] == 0
    assert (asked(), len(place.plans())) == (4, 1)
    rows = json.loads((folder / "state" / "counts.json").read_text(encoding="utf-8"))["s"]
    assert [row["failures"] for row in rows.values()] == [0]


def test_a_tag_that_names_no_rule_is_told_at_every_check(place):
    (place.folder / "stack.yaml").write_text(HEALED.format(place.folder), encoding="utf-8")
    feature = 'Feature: f\n  @heal:no-such-rule\n  Scenario: s\n    Then the user "root" exists\n'
    (place.folder / "f.feature").write_text(feature, encoding="utf-8")
    first = place.check("--heal")
    assert "no-such-rule" in first[1]
    assert place.plans() == []
    assert place.check("--heal") == first


def test_hosts_that_a_provider_must_be_asked_for_are_not_kept():
    kept = [name for name in outsiders.names("provider") if outsiders.get("provider", name).declared]
    assert kept == ["existing", "local"]
