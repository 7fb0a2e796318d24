"""Remedies on a host with an init of its own: a container with systemd, broken and healed by the command."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds import forked

pytestmark = [pytest.mark.hosts, pytest.mark.timeout(900)]

INFRATEST = str(Path(sys.executable).with_name("infratest"))
STACK = """\
stack: {name}
provider: container
defaults: {{image: debian-12, memory: 256MiB}}
hosts:
  web:
    groups: [web]
    provision: [{{shell: web.sh}}]
heal:
  reload: {{do: [{{reload-service: shop}}], confirm: 1, mode: auto, at-most: 100%}}
  reboot: {{do: [{{reboot: {{}}}}], confirm: 1, mode: auto, at-most: 100%}}
  power: {{do: [{{power-cycle: {{}}}}], confirm: 1, mode: auto, at-most: 100%}}
  replace: {{do: [{{replace: {{}}}}], confirm: 1, mode: auto, at-most: 100%}}
  silent: {{when: {{tags: "@reachable"}}, do: [{{replace: {{}}}}], confirm: 1, mode: auto, at-most: 100%}}
  rotate: {{do: [{{rotate-logs: shop}}], confirm: 1, mode: auto, at-most: 100%}}
  clear:
    do: [{{clear-space: {{below: [/var/cache/shop], older-than: 1 day}}}}]
    confirm: 1
    mode: auto
    at-most: 100%
"""
UNIT = """\
cat >/etc/systemd/system/shop.service <<'END'
[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/touch /run/reloaded
END
systemctl daemon-reload && systemctl start shop
mkdir -p /var/cache/shop
"""
FEATURE = """\
Feature: The shop
  @heal:reload
  Scenario: reloaded
    Then the file "/run/reloaded" exists
  @heal:reboot
  Scenario: rebooted
    Then the file "/run/broken" does not exist
  @heal:power
  Scenario: cycled
    Then the file "/run/very-broken" does not exist
  @heal:replace
  Scenario: replaced
    Then the file "/srv/broken-for-good" does not exist
  @heal:clear
  Scenario: cleared
    Then the file "/var/cache/shop/old file" does not exist
  @heal:rotate
  Scenario: rotated
    Then the file "/var/cache/shop/big" does not exist
"""


class Shop:
    """A stack of one container."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "features").mkdir()
        (folder / "features" / "shop.feature").write_text(FEATURE)
        (folder / "web.sh").write_text(UNIT)
        (folder / "stack.yaml").write_text(STACK.format(name=f"remedies-{os.getpid()}"))

    def run(self, *words: str) -> tuple[int, str]:
        done = forked.run(words, cwd=self.folder, timeout=600)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    def on_host(self, command: str) -> None:
        status, words = self.run("run", "web", command)
        assert status == 0, words

    def healed(self, scenario: str) -> dict[str, object]:
        """Check one scenario, and heal; return the last line of the audit."""
        status, words = self.run("check", "--heal", "--scenario", scenario, "--timeout", "300")
        lines = (self.folder / ".infratest" / "heal.jsonl").read_text().splitlines()
        last: dict[str, object] = json.loads(lines[-1])
        return last | {"status": status, "said": words}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    try:
        shop.run("up")
        status, words = shop.run("provision")
        assert status == 0, words
        yield shop
    finally:
        assert shop.run("destroy")[0] == 0


def test_a_unit_is_reloaded(shop: Shop) -> None:
    last = shop.healed("reloaded")
    assert (last["status"], last["verified"], last["remedy"]) == (0, True, "reload-service shop"), last
    assert last["command"] == "systemctl reload -- shop"


def test_old_files_are_cleared(shop: Shop) -> None:
    shop.on_host("head -c 5000 /dev/zero >'/var/cache/shop/old file'; touch -d '2 days ago' '/var/cache/shop/old file'")
    last = shop.healed("cleared")
    assert (last["status"], last["verified"]) == (0, True), last
    assert last["words"] == "freed 8192 bytes (8 KiB) in 1 files older than 24 h"


def test_a_host_without_logrotate_says_so(shop: Shop) -> None:
    shop.on_host("touch /var/cache/shop/big; ! command -v logrotate")
    last = shop.healed("rotated")
    assert (last["status"], last["verified"]) == (2, False), last
    assert "logrotate is not installed there: install it, or take clear-space" in str(last["error"])


def test_a_host_boots_anew(shop: Shop) -> None:
    shop.on_host("touch /run/broken")
    last = shop.healed("rebooted")
    assert (last["status"], last["verified"], last["remedy"]) == (0, True, "reboot"), last


def test_a_host_is_stopped_and_started_by_its_provider(shop: Shop) -> None:
    shop.on_host("touch /run/very-broken")
    last = shop.healed("cycled")
    assert (last["status"], last["verified"], last["words"]) == (0, True, "it was stopped, started, and answers"), last


def test_a_host_is_replaced_by_another_one_and_put_back(shop: Shop) -> None:
    shop.on_host("touch /srv/broken-for-good")
    last = shop.healed("replaced")
    words = "another host was made in its place; the old one is kept as web~old, stopped"
    assert (last["status"], last["verified"], last["words"]) == (0, True, words), last
    fence = next(one for one in last["gates"] if one["name"] == "fence")
    assert fence["reason"] == "it is running by its provider's word, and has no successor before that says stopped"
    shop.on_host("systemctl is-active shop && test ! -e /run/infratest/healing-*web")  # provisioned, and no mark left
    assert "web~old is what web was before a heal replaced it" in shop.run("status")[1]
    status, words = shop.run("heal", "undo", str(last["try"]))
    assert (status, words) == (
        0, "undone: its successor was removed, and what was kept as web~old is web again, started\n",
    )  # fmt: skip
    shop.on_host("rm /srv/broken-for-good")
    assert "web~old" not in shop.run("status")[1]


def test_a_host_that_stands_still_is_stopped_and_replaced(shop: Shop) -> None:
    assert shop.run("suspend")[0] == 0
    said = shop.healed("replaced")["said"]
    records = [json.loads(line) for line in (shop.folder / ".infratest" / "heal.jsonl").read_text().splitlines()]
    last = [one for one in records if one.get("id") == "reachable@web" and one["event"] == "tried"][-1]
    assert (last["verified"], last["remedy"]) == (True, "replace"), (last, said)
    mark = next(one for one in last["gates"] if one["name"] == "healing mark")
    assert "no healing mark could be put on it: web cannot be connected to; its provider does this" in mark["reason"]
