"""What the export writes for Icinga 2, read by the real one: names, texts, and the words of commands."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.alerting.policy import Attempts, Policy
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports.base import What, Written
from infratest.exports.icinga2 import Icinga2, Options
from infratest.hosts import Host
from infratest.testing.exports import HOSTILE, watch, what
from infratest.testing.waiting import wait_until
from tests.exports.keeping import Keeping
from tests.worlds.monitoring_tools import LONG, icinga, icinga_objects

PROGRAM = "/usr/bin/check_infratest"
FILE = "/srv/shop/features/web.feature"
FOLDER = Path("/etc/icinga2/conf.d")


def written(stack: What, **options: Any) -> Written:
    return Icinga2(Options(**{"program": PROGRAM, **options})).write(stack, FOLDER)


def files(made: Written) -> dict[str, str]:
    return {**made.files, **made.own}


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping.made(tmp_path / "program")


def test_what_real_icinga_reads(tmp_path):
    need = "features/web.feature#nginx-answers@web-1"
    shop = watch("shop-answers", needs=(need,), policy=Policy(10, 5, Attempts(5, 5), flap=None))
    stack = what(watch(runbook="https://wiki.example/$a?b=1&c=2", heals=True), shop, watch("same", "-"))
    objects = icinga_objects(tmp_path, files(written(stack)))
    services = {about["name"]: about for kind, about in objects if kind == "Service"}
    hosts = {about["name"]: about for kind, about in objects if kind == "Host"}
    assert set(hosts) == {"web-1", "web-2", "infratest-shop-prod"}
    assert hosts["web-1"]["address"] == "192.0.2.11"
    assert hosts["web-1"]["check_command"] == "infratest-shop-prod-reachable"
    first = services["nginx-answers"]
    assert (first["check_interval"], first["retry_interval"], first["max_check_attempts"]) == (60, 15, 3)
    assert (first["host_name"], first["display_name"]) == ("web-1", "nginx answers")
    assert (first["check_command"], first["event_command"]) == ("infratest-shop-prod", "infratest-shop-prod-heal")
    assert first["notes_url"] == "https://wiki.example/$$a?b=1&c=2"
    assert first["enable_flapping"] is True
    second = services["shop-answers"]
    assert (second["check_interval"], second["retry_interval"], second["max_check_attempts"]) == (10, 5, 5)
    assert (second["enable_flapping"], second["event_command"]) == (False, "")
    assert services["same"]["host_name"] == "infratest-shop-prod"
    (needs,) = [about for kind, about in objects if kind == "Dependency"]
    assert (needs["parent_host_name"], needs["parent_service_name"]) == ("web-1", "nginx-answers")
    assert (needs["child_host_name"], needs["child_service_name"]) == ("web-1", "shop-answers")
    assert needs["disable_checks"] is True


def accepted(texts: list[str]) -> list[tuple[str, str]]:
    """Return the texts that an export takes as a name, and as a title or not."""
    kept = []
    for text in dict.fromkeys(texts):
        with contextlib.suppress(UserError):
            made = written(what(watch("x", name=text, title=text)))
            kept.append((text, "" if any("title" in each.words for each in made.left) else text))
    return kept


def read_back(folder: Path, kept: list[tuple[str, str]]) -> set[tuple[str, str]]:
    stack = what(*(watch(f"s{place}", name=name, title=title) for place, (name, title) in enumerate(kept)))
    services = [about for kind, about in icinga_objects(folder, files(written(stack))) if kind == "Service"]
    # What has no title of its own is shown under its name.
    return {(about["name"], about["display_name"]) for about in services}


def test_hostile_names_are_read_as_they_were_sent_or_refused(tmp_path):
    kept = accepted(list(HOSTILE))
    assert read_back(tmp_path, kept) == {(name, title or name) for name, title in kept}
    names = {name for name, _ in kept}
    assert {"plain", "a b", "a;b", "a'b", 'a"b', "`id`", "é", "日本", "😀", "null", "{{", "a&b"} <= names
    assert not {"a!b", "$HOSTNAME$", "a\nb", "\u202ea", "x" * 10_000, ""} & names


@settings(max_examples=15, deadline=None)
@given(texts=st.lists(st.text(max_size=140), min_size=1, max_size=40))
def test_any_name_is_read_as_it_was_sent_or_refused(tmp_path_factory, texts):
    kept = accepted(texts)
    if kept:
        found = read_back(tmp_path_factory.mktemp("icinga"), kept)
        assert found == {(name, title or name) for name, title in kept}


def test_each_word_reaches_the_program_as_it_was_sent(tmp_path, keeping):
    taken = []
    for word in HOSTILE:
        with contextlib.suppress(UserError):
            written(what(watch(word, name="x")))
            taken.append(word)
    assert {"$(id)", "`id`", "'; id; '", "a!b", "$HOSTNAME$", "$$", "a\\", " a", "{{ $value }}"} <= set(taken)
    soon = {"policy": Policy(2, 2)}  # so long Icinga may wait before it looks for the first time
    stack = what(
        *(watch(word, name=f"s{place}", feature=f"{word}.feature", **soon) for place, word in enumerate(taken))
    )
    made = written(stack, program=str(keeping.path))
    begin = ["--stack", "/srv/shop/stack.yaml", "--env", "prod", "-t", "30"]
    expected = [[*begin, "-H", "web-1", "-s", word, "--", f"/srv/shop/{word}.feature"] for word in taken]
    with icinga(tmp_path / "icinga", files(made)):
        assert wait_until(lambda: all(each in keeping.seen for each in expected), LONG)
    reachable = [[*begin, "-H", host, "-s", "reachable", "--", f"{FOLDER}/infratest-shop-prod.feature"]
                 for host in ("web-1", "web-2")]  # fmt: skip
    assert [each for each in keeping.seen if each not in (*expected, *reachable)] == []


def test_an_event_command_heals(tmp_path, keeping):
    keeping.answers(2)
    made = written(what(watch(heals=True, policy=Policy(1, 1, Attempts(2, 2)))), program=str(keeping.path))
    words = ["--heal", "--suppressed", "00", "-H", "web-1", "-s", "nginx-answers", "--", FILE]
    with icinga(tmp_path / "icinga", files(made)):
        assert wait_until(lambda: words in [each[6:] for each in keeping.seen], LONG)


def test_its_own_checker_takes_5000_services(machine):
    hosts = tuple(Host(f"web-{number}", ("web",), {}, f"192.0.2.{number % 250}") for number in range(100))
    stack = what(*(watch(f"s{place}", host.name) for host in hosts for place in range(50)), hosts=hosts)
    export = Icinga2(Options(program=PROGRAM))
    said = export.validate(files(export.write(stack, FOLDER)), machine, Deadline(LONG))
    assert said == "icinga2 daemon -C takes it: 100 hosts, 5000 services"


def test_what_its_checker_refuses_is_refused_in_its_words(machine):
    export = Icinga2(Options(program=PROGRAM))
    made = files(export.write(what(watch()), FOLDER))
    made["infratest-shop-prod-local.conf"] = 'template Host "infratest-shop-prod-host" { }\n'
    with pytest.raises(InfratestError, match=r"(?s)ends with status.*infratest-shop-prod-service"):
        export.validate(made, machine, Deadline(LONG))
