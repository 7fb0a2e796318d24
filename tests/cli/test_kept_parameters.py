"""Values of -D that hosts were made with hold for later calls too, and every verb says so."""

from __future__ import annotations

import json

import pytest

from tests.worlds.shop_stack import STACK, Place

PARAMETERS = """\
parameters:
  version: {type: string, default: "1.22"}
  workers: {type: integer}
"""
FEATURE = """\
Feature: f
  Scenario: s
    Then the command "echo {param.version} {param.workers}" prints "1.26 4"
"""


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    place.write(STACK + PARAMETERS)
    (tmp_path / "p.sh").write_text("echo version $INFRATEST_PARAM_VERSION\n")
    (tmp_path / "x.feature").write_text(FEATURE)
    return place


def state_of(place: Place, *words: str, status: int = 0) -> str:
    return json.loads(place.run("test", "x.feature", "--format", "json", *words, status=status)[0])["state"]


def test_what_up_was_given_holds_for_later_calls(place):
    assert "workers" in place.run("status", status=2)[1]
    _, err = place.run("up", "-D", "version=1.26", "-D", "workers=4")
    assert "kept for later calls: version=1.26, workers=4; another -D changes it, `infratest destroy` forgets it" in err
    assert state_of(place) == "ok"
    assert state_of(place, "-D", "workers=5", status=2) == "critical"  # the command line wins, and is not kept
    assert state_of(place) == "ok"
    assert "parameters given to `up` or `provision`: version=1.26, workers=4" in place.run("status")[0]
    assert json.loads(place.run("status", "--format", "json")[0])["parameters"] == {"version": "1.26", "workers": "4"}
    assert "with version=1.26, workers=4, as given earlier" in place.run("up")[1]
    place.run("provision")
    assert "version 1.26" in (place.folder / ".infratest" / "logs" / "shop" / "provision-web-1.log").read_text()


def test_provision_keeps_them_too_and_a_check_sees_them_change(place):
    place.run("up", "-D", "version=1.22", "-D", "workers=4")
    assert state_of(place, status=2) == "critical"
    place.run("check", "x.feature", status=2)
    _, err = place.run("provision", "-D", "version=1.26")
    assert "with workers=4, as given earlier" in err
    assert "kept for later calls: version=1.26" in err
    assert state_of(place) == "ok"
    place.run("check", "x.feature")
    assert (place.folder / ".infratest" / "parameters.json").stat().st_mode == 0o100600


def test_they_go_with_the_stack_and_with_an_up_that_failed(place):
    place.run("up", "-D", "workers=4")
    place.run("destroy", "--host", "web-1")
    assert "workers=4" in place.run("status")[0]
    place.run("destroy")
    assert "workers" in place.run("status", status=2)[1]
    place.write((STACK + PARAMETERS).replace("  world: world", "  world: world\n  fail: [create web-2]"))
    place.run("up", "-D", "workers=4", status=1)
    assert "workers" in place.run("status", status=2)[1]


def test_each_environment_has_its_own(place):
    place.write(f"{STACK}{PARAMETERS}environments: {{dev: {{}}, blue: {{}}}}\n")
    place.run("up", "-D", "workers=4", "--host", "db")
    place.run("up", "-D", "workers=5", "--host", "db", "--env", "blue")
    assert "workers=4" in place.run("status")[0]
    assert "workers=5" in place.run("status", "--env", "blue")[0]
    place.run("destroy", "--env", "blue")
    assert "workers=4" in place.run("status")[0]


def test_each_stack_has_its_own(place):
    """Two files side by side have one state directory."""
    place.run("up", "-D", "workers=4", "--host", "db")
    other = (place.folder / "stack.yaml").read_text().replace("stack: shop", "stack: office")
    (place.folder / "office.yaml").write_text(other)
    assert "workers" in place.run("status", "--stack", "office.yaml", status=2)[1]
    place.run("up", "-D", "workers=5", "--host", "db", "--stack", "office.yaml")
    assert "workers=4" in place.run("status")[0]
    place.run("destroy", "--stack", "office.yaml", "-D", "workers=5")
    assert "workers=4" in place.run("status")[0]


def test_what_does_not_fit_any_more_is_told_or_passed_over(place):
    place.run("up", "-D", "version=new", "-D", "workers=4")
    place.write(STACK + "parameters: {version: {type: integer, default: 3}}\n")
    _, err = place.run("status", status=2)
    assert "-D version: 'new' is not a whole number" in err
    assert "it was given to an earlier `up` or `provision`: give it anew" in err
    place.run("status", "-D", "version=4")
    place.write(STACK + 'parameters: {other: {type: string, default: ""}}\n')
    assert "parameters given" not in place.run("status")[0]
    (place.folder / ".infratest" / "parameters.json").write_text("[")
    assert "parameters.json is damaged; remove it" in place.run("status", status=1)[1]


def test_a_secret_is_not_kept(place):
    place.write(STACK + "parameters: {token: {type: string, secret: true}}\n")
    _, err = place.run("up", "-D", "token=correct-horse")
    assert "not kept, being secret: token; give it again to later calls, or declare `from:`" in err
    assert "correct-horse" not in err
    assert not (place.folder / ".infratest" / "parameters.json").exists()
    place.write(STACK + "parameters: {token: {type: string}}\n")
    place.run("up", "-D", "token=correct-horse")
    place.write(STACK + "parameters: {token: {type: string, secret: true, default: another-horse}}\n")
    assert "horse" not in place.run("status")[0]


def test_what_uses_no_secret_goes_on_without_it(place, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "correct-horse")
    secret = "parameters: {token: {type: string, secret: true, from: {env: SHOP_TOKEN}}}\n"
    place.write(STACK + secret)
    place.run("up")
    monkeypatch.delenv("SHOP_TOKEN")
    lacking = "the environment variable SHOP_TOKEN is not set"
    assert lacking in place.run("up", status=2)[1]
    for verb in ("status", "reap", "halt", "destroy"):
        out, err = place.run(verb)
        assert lacking in err
        assert "this goes on without it" in err
        assert "changed" not in out + err
    assert not place.there()
    place.write((STACK + secret).replace("  world: world", '  world: "{param.token}"'))
    err = place.run("destroy", status=2)[1]
    assert lacking in err
    assert "goes on" not in err


def test_what_removes_it_is_told_such_that_it_does_so_from_there(place, tmp_path):
    """Typed as it is told in another stack's folder, it must not be about that one."""
    place.write(f"{STACK}{PARAMETERS}environments: {{dev: {{}}, blue: {{}}}}\n")
    there, other = tmp_path / "stack.yaml", tmp_path / "other"
    other.mkdir()
    (other / "stack.yaml").write_text(STACK)
    elsewhere = Place(other)
    remove = f"`infratest destroy --stack {there} --env blue`"
    words = ("up", "--stack", str(there), "--env", "blue", "-D", "workers=4")
    _, err = elsewhere.run(*words)
    assert f"another -D changes it, {remove} forgets it" in err
    assert f"3 hosts ready; {remove} removes what was made" in err
    (tmp_path / "p.sh").write_text("echo another\n")
    place.write(f"{STACK}{PARAMETERS}environments: {{dev: {{}}, blue: {{}}}}\n".replace("count: 2", "count: 1"))
    out = elsewhere.run("status", "--stack", str(there), "--env", "blue")[0]
    begin = f"infratest destroy --host web-2 --stack {there} --env blue"
    assert f"web-2 exists and the stack file no longer names it; `{begin}` removes it" in out
    assert f"`infratest provision --stack {there} --env blue`" in out
    elsewhere.run(*remove.strip("`").split()[1:])
    assert place.there() == {}
