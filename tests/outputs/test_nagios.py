from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infratest.model import Cost, Observation, Report, Result, StepResult
from infratest.outputs._perfdata import OF_THE_RUN
from infratest.outputs.nagios import LIMIT, Nagios, Options


def result(slug: str = "nginx-answers", state: str = "ok", host: str = "web-1", **more: object) -> Result:
    return Result(f"web.feature#{slug}@{host}", "web.feature", slug.replace("-", " "), 5, host, state, **more)


def report(*results: Result, **more: object) -> Report:
    return Report("shop", "prod", "2026-01-31T12:00:00Z", 0.041, results, **more)


def seen(*observations: Observation) -> StepResult:
    return StepResult("x", 6, "ok", "", observations)


def test_the_runs_own_numbers_are_those_that_no_sentence_may_name():
    (first, *_) = Nagios(Options()).render(report(result())).splitlines()
    assert tuple(word.partition("=")[0] for word in first.partition(" | ")[2].split()) == OF_THE_RUN


def test_the_line_of_the_interface():
    disk = seen(Observation("disk / used", 71.0, "%", "80", "90", 0, 100))
    given = report(
        result(state="critical", reason="port 80 is not listening", steps=[disk]), *(result(f"s{n}") for n in range(11))
    )
    assert Nagios(Options(timeout=10.0)).render(given).splitlines()[0] == (
        'INFRATEST CRITICAL - shop/prod web-1: 1 of 12 scenarios failed: "nginx answers": port 80 is not listening | '
        "scenarios=12;;;0 failed=1;;0;0 unknown=0;;;0 skipped=0;;;0 blocked=0;;;0 waived=0;;;0 healed=0;;;0 "
        "tries=0;;;0 time=0.041s;;10;0 'disk / used'=71%;80;90;0;100"
    )


def test_one_line_when_all_is_ok():
    assert Nagios().render(report(result())) == (
        "INFRATEST OK - shop/prod web-1: 1 scenario ok | "
        "scenarios=1;;;0 failed=0;;0;0 unknown=0;;;0 skipped=0;;;0 blocked=0;;;0 waived=0;;;0 healed=0;;;0 "
        "tries=0;;;0 time=0.041s;;;0\n"
    )


def test_verbose_adds_what_is_ok_and_the_cost():
    lines = Nagios(verbosity=1).render(report(result(), cost=Cost(1, 2, 7))).splitlines()
    assert lines[1:] == ["[OK] web.feature:5 nginx answers on web-1", "cost: logins 1, round trips 2, commands 7"]


def test_long_output_is_worst_first_with_since_and_runbook():
    lines = (
        Nagios()
        .render(
            report(
                result("c", "skipped", reason="work in progress"),
                result("d", "unknown", blocked_by="reachable@web-1"),
                result("w", "warning", reason="84 % full"),
                result("u", "unknown", reason="no tool"),
                result("r", "critical", reason="gone", since=0.0, tags=("runbook:https://wiki.example/r",)),
            )
        )
        .splitlines()
    )
    assert lines[1:] == [
        "[CRITICAL] web.feature:5 r on web-1: gone; since 1970-01-01 00:00 UTC; runbook https://wiki.example/r",
        "[UNKNOWN] web.feature:5 u on web-1: no tool",
        "[WARNING] web.feature:5 w on web-1: 84 % full",
        "[BLOCKED] 1 scenario by reachable@web-1",
        "[SKIPPED] web.feature:5 c on web-1: work in progress",
    ]
    assert '1 of 5 scenarios failed, 1 unknown, 1 in warning, 1 blocked: "r": gone (+2 more) |' in lines[0]


@pytest.mark.parametrize(
    "given, text",
    [
        (report(problem="features: no such directory"), "UNKNOWN - shop/prod: features: no such directory |"),
        (report(problem="a:1: is no step\nb:2: neither"), "UNKNOWN - shop/prod: is no step (a:1) (+1 more) |"),
        (report(), "UNKNOWN - shop/prod: no scenario was checked: none is selected |"),
        (report(result(state="skipped")), "UNKNOWN - shop/prod web-1: no scenario was checked (1 skipped) |"),
        (report(result(), result("b", "skipped")), "OK - shop/prod web-1: 1 scenario ok, 1 skipped |"),
        (report(result(host="-")), "OK - shop/prod: 1 scenario ok |"),
        (report(result()).changed(env=""), "OK - shop web-1: 1 scenario ok |"),
        (report(result(), result(host="web-2")), "OK - shop/prod 2 hosts: 2 scenarios ok |"),
        (
            report(result(), notes=["healed: restart-service nginx, was CRITICAL"]),
            "OK - shop/prod web-1: healed: restart-service nginx, was CRITICAL; 1 scenario ok |",
        ),
    ],
)
def test_first_line(given, text):
    assert Nagios().render(given).startswith(f"INFRATEST {text}")


def test_a_result_of_the_whole_stack_names_no_host():
    given = report(result(state="critical", reason="no", host="-"), result(), result(host="web-2"))
    assert '"nginx answers": no |' in Nagios().render(given)


def test_the_host_is_named_where_there_are_more():
    text = Nagios().render(report(result(state="critical", reason="no"), result(host="web-2")))
    assert '"nginx answers" on web-1: no |' in text


def test_labels_name_the_host_where_there_are_more():
    load = Observation("load", 1.5, "", "", "@8:", 0)
    text = Nagios().render(report(result(steps=[seen(load)]), result(host="web-2", steps=[seen(load)])))
    assert text.splitlines()[0].endswith(" web-1:load=1.5;;@8:;0 web-2:load=1.5;;@8:;0")


def test_ranges_of_the_command_line_are_in_the_line():
    given = report(result(state="critical", reason="no"), result("b"))
    text = Nagios(Options(warning="0", critical="2")).render(given)
    assert text.startswith(
        'INFRATEST WARNING - shop/prod web-1: 1 of 2 scenarios failed: "nginx answers": no; warning by -w 0 -c 2 |'
    )
    assert " failed=1;0;2;0 " in text


@pytest.mark.parametrize(
    "states, critical, first",
    [
        ("ok", "1:", "INFRATEST CRITICAL - shop/prod web-1: 1 scenario ok; critical by -c 1: |"),
        ("ok", "0", "INFRATEST OK - shop/prod web-1: 1 scenario ok |"),
        ("critical", "1", 'INFRATEST OK - shop/prod web-1: 1 of 1 scenario failed: "nginx answers"; ok by -c 1 |'),
        ("critical", "0", 'INFRATEST CRITICAL - shop/prod web-1: 1 of 1 scenario failed: "nginx answers" |'),
    ],
)
def test_a_line_whose_state_is_the_ranges_says_so(states, critical, first):
    assert Nagios(Options(critical=critical)).render(report(result(state=states))).startswith(first)


DEEP = f"features/{'a-team-with-a-long-name/' * 14}web-frontends-of-the-shop.feature"
FOLDERS = f"'/srv/{'deployments/releases/' * 20}config/database.yml' has mode 0644; expected 0600"
LONG = f"the service answered 503 with '{'connect error, ' * 9}'; expected 200"


@pytest.mark.parametrize("number, more", [(1, ""), (3, " (+2 more)"), (40, " (+39 more)")])
@pytest.mark.parametrize(
    "reason, told",
    [(FOLDERS, "'/…/database.yml' has mode 0644; expected 0600"), (LONG, LONG)],
    ids=["path", "words"],
)
def test_no_path_takes_the_room_of_a_reason(number, more, reason, told):
    given = [Result(f"{DEEP}#{n}@web-1", DEEP, f"s{n}", n + 1, "web-1", "critical", reason) for n in range(number)]
    first, *rest = Nagios().render(report(*given)).splitlines()
    assert f'"s0": {told}{more} |' in first
    assert rest[0].startswith("[CRITICAL] features/…/web-frontends-of-the-shop.feature:1 s0 on web-1: ")
    assert rest[0].endswith(told)


def test_a_short_path_stays_as_it_is_written():
    text = Nagios().render(report(result(state="critical", reason="'/etc/nginx/conf.d/shop.conf' does not exist")))
    assert text.count("'/etc/nginx/conf.d/shop.conf' does not exist") == 2


@pytest.mark.parametrize(
    "file, place",
    [
        ("features/web.feature", "features/web.feature:8"),
        (DEEP, "features/…/web-frontends-of-the-shop.feature:8"),
        (f"/{'n' * 80}.feature", f"…{'n' * 49}.feature:8"),
    ],
)
def test_a_run_that_could_not_begin_says_what_is_wrong_before_it_says_where(file, place):
    words = "'it can be emptied' may change something: declare your step 'the queue is emptied'"
    first, *rest = Nagios().render(report(problem=f"{file}:8: {words}")).splitlines()
    assert first.startswith(f"INFRATEST UNKNOWN - shop/prod: {words} ({place}) |")
    assert rest == ([f"{file}:8: {words}"] if "…" in place else [])


def test_an_address_keeps_who_is_asked():
    url = f"https://shop.example:8443/{'folder/' * 30}status"
    text = Nagios().render(report(result(state="critical", reason=f"{url} answered 503; expected 200")))
    assert '"nginx answers": https://shop.example:8443/…/status answered 503; expected 200 |' in text


def test_other_notes_are_long_output():
    text = Nagios().render(report(result(), notes=["heal refused: paused | until 12:00"]))
    assert text.splitlines()[1:] == ["heal refused: paused / until 12:00"]


def test_performance_data_that_is_too_long_loses_whole_metrics_from_the_end():
    many = [Observation(f"metric number {number}", number, "s", "@10:", "@20:", 0) for number in range(400)]
    text = Nagios().render(report(result(state="critical", reason="no", steps=[seen(*many)])))
    assert len(text.encode()) <= LIMIT
    first, *rest = text.splitlines()
    kept = first.count("'metric number ")
    assert first.endswith(f"'metric number {kept - 1}'={kept - 1}s;@10:;@20:;0")
    assert rest[0] == f"{400 - kept} of 409 metrics left out, the last ones: the output would be too long"
    assert rest[1].startswith("[CRITICAL] ")


def test_long_output_says_how_much_is_left_out():
    text = Nagios().render(report(*(result(f"s{n}", "critical", reason="x" * 90) for n in range(300))))
    lines = text.splitlines()
    assert len(text.encode()) <= LIMIT
    assert lines[-1] == f"... and {300 - (len(lines) - 2)} more lines"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=300), st.text(max_size=700), st.sampled_from(["ok", "critical", "unknown"])),
        max_size=25,
    ),
    st.text(max_size=200),
)
def test_whatever_hosts_say(texts, label):
    steps = [seen(Observation(label, 1.0))]
    given = report(
        *(
            Result(f"i{n}", name, name, n, name, state, reason, steps=steps)
            for n, (name, reason, state) in enumerate(texts)
        )
    )
    text = Nagios(verbosity=1).render(given)
    assert len(text.encode()) <= LIMIT
    assert text.count("|") == 1
    assert text.splitlines()[0].count("|") == 1
    assert text.startswith(f"INFRATEST {given.state.upper()} - ")
    assert all(character.isprintable() or character == "\n" for character in text)


def test_imports_built_in_modules_alone():
    """On the plugin program's path each import is a cost: what it loads beyond an empty interpreter, by name."""
    code = (
        "import sys; before = set(sys.modules); import infratest.outputs.nagios; "
        "new = set(sys.modules) - before - set(sys.builtin_module_names); "
        "print(*sorted(name for name in new if not name.startswith('infratest')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() in ([], ["__future__"])


def test_a_fingerprint_and_a_short_path_are_no_folders():
    """In a long reason `SHA256:Ab/cd/ef` stays whole, and so does a path that is not what makes it long."""
    fingerprint = "SHA256:NUiifJv4/9xBq1kGhvXo2Zr7d0Wc5sTtUuYy/3ghTOwByheweYTN2"
    reason = (
        f"the host key of [127.0.0.1]:58351 has CHANGED: it shows ssh-ed25519 {fingerprint}, expected is "
        f"/home/deploy/projects/shop/.infratest/known_hosts:1. {'What to do about it. ' * 20}"
    )
    first, long = Nagios().render(report(Result("f#s@web", "f", "s", 2, "web", "unknown", reason))).splitlines()[:2]
    assert fingerprint in first
    assert fingerprint in long
    assert "expected is /home/deploy/projects/shop/.infratest/known_hosts:1." in long
