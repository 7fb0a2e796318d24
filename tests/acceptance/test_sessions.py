"""Sessions of several steps, asked of a real shop: each scenario's name says what it comes to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.shop_pages import PASSWORD, Shop, shop
from tests.worlds.small_project import run, write

STACK = """\
stack: shop
provider: local
hosts: {web: {}}
parameters:
  url: {type: string}
  password: {type: string, secret: true, from: {env: SHOP_PASSWORD}}
  comment: {type: string, default: "two\\nlines \u20ac"}
  wrong: {type: string, secret: true, from: {env: SHOP_WRONG}}
"""
FEATURE = (Path(__file__).parent / "sessions.feature").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, dict[str, Any], str]]:
    with shop() as one:
        one.ready_after = 2
        folder = tmp_path_factory.mktemp("sessions")
        (folder / "photo.png").write_bytes(b"\x89PNG\r\n\0" + bytes(range(256)) * 40)
        (folder / "large").write_bytes(b"x" * (4 * 2**20 + 1))
        write(
            folder, {"stack.yaml": STACK, "a.feature": FEATURE.replace("PLACE", str(folder)).replace("REAL", PASSWORD)}
        )
        found = run(
            folder, "infratest", "test", "-D", f"url={one.url}", "--format", "json", "a.feature",
            SHOP_PASSWORD=PASSWORD, SHOP_WRONG="wrong horse",
        )  # fmt: skip
        assert found.stdout, found.stderr
        yield one, json.loads(found.stdout), found.stdout + found.stderr


NAMES = re.findall(r"Scenario: (.*)", FEATURE)


@pytest.mark.parametrize("name", NAMES)
def test_a_session_comes_to_what_its_scenario_says(world, name):
    _, report, _ = world
    (result,) = [one for one in report["results"] if one["scenario"] == name]
    state, _, words = name.partition(", ")
    shown = json.dumps(result, indent=1)
    assert result["state"] == state, shown
    expected = re.search(rf"Scenario: {re.escape(name)}\n\s*# says: (.*)", FEATURE)
    if state != "ok":
        assert expected, f"no words for {words}"
        assert expected[1] in result["reason"], shown


def test_a_secret_is_shown_nowhere(world):
    _, _, output = world
    assert "correct horse" not in output
    assert "correct+horse" not in output
    assert "literal-pw" not in output


def test_behind_a_step_that_could_not_be_done_nothing_is_judged(world):
    _, report, _ = world
    (result,) = [one for one in report["results"] if one["scenario"] == "critical, a link that is not there"]
    assert [step["state"] for step in result["steps"]] == ["ok", "critical", "unknown"]
    assert result["steps"][2]["reason"] == "not judged: 'the link \"Shipping\" is followed' could not be done"


def test_a_session_is_asked_once_whatever_is_said_of_it(world):
    shop, _, _ = world
    logins = [path for method, path, _ in shop.requests if (method, path) == ("POST", "/login")]
    assert len(logins) == FEATURE.count('"Sign in" is pressed')


def test_sessions_share_no_cookies(world):
    shop, _, _ = world
    begun = [headers for _, path, headers in shop.requests if path == "/" and "referer" not in headers]
    assert len(begun) > 5
    assert not any("cookie" in headers for headers in begun)


def test_a_form_sends_what_its_fields_hold(world):
    shop, _, _ = world
    names = ("csrf", "delivery", "extras", "terms", "pay", "comment", "code", "photo", "fixed", "go", "news")
    untouched, filled = sorted(shop.orders, key=lambda one: ("delivery", "x") in one)
    assert {name for name, _ in filled} <= set(names)
    assert filled[1:] == [
        ("delivery", "x"), ("extras", "Card"), ("extras", "Bag"), ("terms", "1"), ("pay", "inv"),
        ("comment", "two\r\nlines \u20ac"), ("code", "ab&c"), ("photo", "photo.png:10247"), ("fixed", "1"),
        ("go", "now"),
    ]  # fmt: skip
    assert untouched[1:] == [
        ("delivery", "s"), ("extras", "Gift"), ("pay", "card"), ("comment", "old"), ("code", ""), ("photo", ":0"),
        ("fixed", "1"), ("go", "now"),
    ]  # fmt: skip
