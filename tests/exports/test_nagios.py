"""What the export writes for Nagios, read by the real one: names, command lines, and what a shell makes of them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.alerting.policy import Attempts, Policy
from infratest.deadline import Deadline
from infratest.errors import InfratestError, UserError
from infratest.exports.base import What, Written
from infratest.exports.nagios import Nagios, Options, url
from infratest.hosts import Host
from infratest.testing.exports import HOSTILE, watch, what
from infratest.testing.waiting import wait_until
from tests.exports.keeping import Keeping
from tests.worlds.monitoring_tools import LONG, nagios, nagios_objects

PROGRAM = "/usr/bin/check_infratest"
FILE = "/srv/shop/features/web.feature"


def written(stack: What, folder: Path = Path("/etc/nagios4/conf.d"), **options: object) -> Written:
    return Nagios(Options(**{"program": PROGRAM, **options})).write(stack, folder)  # type: ignore[arg-type]


def files(made: Written) -> dict[str, str]:
    return {**made.files, **made.own}


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping.made(tmp_path / "program")


def test_what_real_nagios_reads(tmp_path):
    shop = watch(
        "shop-answers", needs=("features/web.feature#nginx-answers@web-1",), policy=Policy(10, 5, Attempts(5, 5))
    )
    first = watch(runbook="https://wiki.example/a?b=1&c=2", heals=True)
    stack = what(first, shop, watch("same", "-"))
    made = written(stack, state="/var/lib/nagios/infratest/shop")
    objects = nagios_objects(tmp_path, files(made))
    services = {about["service_description"]: about for kind, about in objects if kind == "service"}
    hosts = {about["host_name"]: about for kind, about in objects if kind == "host"}
    commands = {about["command_name"]: about["command_line"] for kind, about in objects if kind == "command"}
    of_web = f"-H web-1 -s nginx-answers -- {FILE}"
    assert set(hosts) == {"web-1", "web-2", "infratest-shop-prod"}
    assert hosts["web-1"]["address"] == "192.0.2.11"
    assert hosts["web-1"]["check_command"] == "infratest-shop-prod-reachable!-H web-1"
    assert services["nginx-answers"]["check_command"] == f"infratest-shop-prod!{of_web}"
    assert services["nginx-answers"]["event_handler"] == f"infratest-shop-prod-heal!{of_web}"
    assert services["nginx-answers"]["notes_url"] == "https://wiki.example/a?b=1&c=2"
    assert services["nginx-answers"]["display_name"] == "nginx answers"
    assert float(services["nginx-answers"]["check_interval"]) == 1
    assert float(services["nginx-answers"]["retry_interval"]) == 0.25
    assert services["nginx-answers"]["max_check_attempts"] == "3"
    assert float(services["shop-answers"]["check_interval"]) == pytest.approx(10 / 60, abs=1e-5)
    assert services["shop-answers"]["max_check_attempts"] == "5"
    assert services["same"]["host_name"] == "infratest-shop-prod"
    assert services["same"]["check_command"] == f"infratest-shop-prod!-s same -- {FILE}"
    line = f"{PROGRAM} --stack /srv/shop/stack.yaml --env prod --state /var/lib/nagios/infratest/shop -t 30"
    assert commands["infratest-shop-prod"] == f"{line} $ARG1$"
    needs = [about for kind, about in objects if kind == "servicedependency"]  # Nagios makes two of it
    assert {each["service_description"] for each in needs} == {"nginx-answers"}
    assert {each["dependent_service_description"] for each in needs} == {"shop-answers"}
    assert {name: value for each in needs for name, value in each.items() if name.endswith("options")} == {
        "execution_failure_options": "u,c", "notification_failure_options": "u,c",
    }  # fmt: skip
    assert [about["members"] for kind, about in objects if kind == "hostgroup"] == ["web-1,web-2"]


def test_what_it_cannot_hold_is_told():
    recovering = Policy(60, 15, Attempts(3, 5), recover=2)
    made = written(what(watch(title='a "quoted" title', policy=recovering), policy=recovering))
    assert [(each.about, each.words) for each in made.left] == [
        ("features/web.feature#nginx-answers@web-1", "3 failures of 5 looks are 3 in a row there"),
        ("monitor.recover", "one look that holds ends a problem there"),
        (
            "features/web.feature#nginx-answers@web-1",
            "its title stays out: it holds what commands of notifications could not quote",
        ),
    ]


def accepted(names: list[str]) -> tuple[list[str], list[str]]:
    """Return the names that an export takes, and the messages for the others."""
    kept, refused = [], []
    for name in dict.fromkeys(names):
        try:
            written(what(watch("x", name=name)))
            kept.append(name)
        except UserError as error:
            refused.append(str(error))
    return kept, refused


def read_back(folder: Path, names: list[str]) -> set[str]:
    stack = what(*(watch(f"s{place}", name=name) for place, name in enumerate(names)))
    objects = nagios_objects(folder, files(written(stack)))
    return {about["service_description"] for kind, about in objects if kind == "service"}


def test_hostile_names_are_read_as_they_were_sent_or_refused(tmp_path):
    kept, refused = accepted(list(HOSTILE))
    assert read_back(tmp_path, kept) == set(kept)
    assert {"plain", "a b", "a#b", "é", "日本", "😀", "a/b", "--help"} <= set(kept)
    assert not {"a;b", "$HOSTNAME$", "`id`", "a!b", "a\nb", "\u202ea", "x" * 10_000} & set(kept)
    assert all(len(words) < 700 and words.isprintable() for words in refused)


@settings(max_examples=25, deadline=None)
@given(names=st.lists(st.text(max_size=140), min_size=1, max_size=40))
def test_any_name_is_read_as_it_was_sent_or_refused(tmp_path_factory, names):
    kept, _ = accepted(names)
    if kept:
        assert read_back(tmp_path_factory.mktemp("nagios"), kept) == set(kept)


def words_taken() -> list[str]:
    """Return the hostile words that a command takes."""
    taken = []
    for word in HOSTILE:
        with contextlib.suppress(UserError):
            written(what(watch(word, name="x")))
            taken.append(word)
    return taken


def test_each_word_reaches_the_program_as_it_was_sent(tmp_path, keeping):
    taken = words_taken()
    assert {"$(id)", "`id`", "'; id; '", "a!b", "a\\!b", "a;b", "a\\;b", "$HOSTNAME$", "a\\", "", " a"} <= set(taken)
    soon = {"policy": Policy(2, 2)}
    stack = what(
        *(watch(word, name=f"s{place}", feature=f"{word}.feature", **soon) for place, word in enumerate(taken))
    )
    made = written(stack, program=str(keeping.path))
    with nagios(tmp_path / "nagios", files(made)):
        expected = [["-H", "web-1", "-s", word, "--", f"/srv/shop/{word}.feature"] for word in taken]
        begin = ["--stack", "/srv/shop/stack.yaml", "--env", "prod", "-t", "30"]
        assert wait_until(lambda: all([*begin, *each] in keeping.seen for each in expected), LONG)
    for each in keeping.seen:
        assert each[: len(begin)] == begin
        assert each[len(begin) :] in [*expected, *(_reachable(name) for name in ("web-1", "web-2"))]


def _reachable(host: str) -> list[str]:
    return ["-H", host, "-s", "reachable", "--", "/etc/nagios4/conf.d/infratest-shop-prod.feature"]


def test_an_event_handler_heals_but_for_in_a_downtime(tmp_path, keeping):
    keeping.answers(2)
    made = written(what(watch(heals=True, policy=Policy(1, 1, Attempts(2, 2)))), program=str(keeping.path))
    handled = ["--heal", "--suppressed", "00", "-H", "web-1", "-s", "nginx-answers", "--", FILE]
    suppressed = [word.replace("00", "01") for word in handled]
    with nagios(tmp_path / "nagios", files(made)) as running:
        assert wait_until(lambda: handled in [each[6:] for each in keeping.seen], LONG)
        running.command(
            "SCHEDULE_SVC_DOWNTIME", "web-1", "nginx-answers", "1", "4000000000", "1", "0", "600", "me", "x"
        )
        depth = "scheduled_downtime_depth"
        assert wait_until(lambda: running.service("web-1", "nginx-answers").get(depth) == "1", LONG)
        running.command("PROCESS_SERVICE_CHECK_RESULT", "web-1", "nginx-answers", "0", "fine")
        assert wait_until(lambda: suppressed in [each[6:] for each in keeping.seen], LONG)


def test_nothing_is_run_by_a_shell_for_a_url(tmp_path):
    bad = "https://x.example/$(id)`id`'\"; \\ <>|\u202e?a=1&b=2#c"
    stack = what(watch(runbook=bad))
    services = [about for kind, about in nagios_objects(tmp_path, files(written(stack))) if kind == "service"]
    expected = "https://x.example/%24(id)%60id%60%27%22%3B%20%5C%20%3C%3E%7C%E2%80%AE?a=1&b=2#c"
    assert services[0]["notes_url"] == expected == url(bad)


def test_its_own_checker_takes_5000_services(machine):
    hosts = tuple(Host(f"web-{number}", ("web",), {}, f"192.0.2.{number % 250}") for number in range(100))
    stack = what(*(watch(f"s{place}", host.name) for host in hosts for place in range(50)), hosts=hosts)
    export = Nagios(Options(program=PROGRAM))
    said = export.validate(files(export.write(stack, Path("/etc/nagios4/conf.d"))), machine, Deadline(LONG))
    assert said == "nagios4 -v takes it: 100 hosts, 5000 services"


def test_what_its_checker_refuses_is_refused_in_its_words(machine):
    export = Nagios(Options(program=PROGRAM))
    made = files(export.write(what(watch()), Path("/etc/nagios4/conf.d")))
    made["infratest-shop-prod-local.cfg"] = "define host {\n    name infratest-shop-prod-host\n    register 0\n}\n"
    with pytest.raises(InfratestError, match=r"(?s)ends with status.*infratest-shop-prod-service") as caught:
        export.validate(made, machine, Deadline(LONG))
    assert "/tmp" not in str(caught.value).partition("\n")[2]


def test_too_many_words_are_refused():
    with pytest.raises(UserError, match="Nagios takes commands of at most 8000 bytes"):
        written(what(watch("x" * 9000, name="x")))


def test_a_host_that_is_called_as_the_stack_is_refused():
    hosts = (Host("infratest-shop-prod", (), {}, "192.0.2.11"),)
    with pytest.raises(UserError, match="rename it"):
        written(what(watch("same", "-"), hosts=hosts))


def test_that_heals_need_a_folder_to_be_counted_in_is_told():
    healed = what(watch(heals=True))
    assert [each.words for each in written(healed).left] == [
        "it is healed only where the tool's user may write to the stack's state directory; name one by -o state=DIR or "
        "--state"
    ]
    assert list(written(healed, state="/var/lib/nagios/infratest").left) == []
    assert list(written(healed, heal=False).left) == []
