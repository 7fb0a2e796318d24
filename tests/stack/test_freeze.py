"""Windows of time in which heals ask first: at their edges, over the week's end, in their own zone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from infratest.errors import StackFileError, UserError
from infratest.stack.freeze import Freeze, holds


@pytest.fixture
def load(load_text):  # type: ignore[no-untyped-def]
    return lambda text: load_text(text + "hosts: {web: {}}\n")


BERLIN = "Fri 16:00 - Mon 07:00 Europe/Berlin"


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    "window, moment, zone, open",
    [
        (BERLIN, "2027-01-15 15:59", "Europe/Berlin", False),  # a Friday
        (BERLIN, "2027-01-15 16:00", "Europe/Berlin", True),
        (BERLIN, "2027-01-15 15:00", "UTC", True),
        (BERLIN, "2027-01-15 14:59", "UTC", False),
        (BERLIN, "2027-07-16 14:00", "UTC", True),  # in summer it is an hour more
        (BERLIN, "2027-01-17 12:00", "UTC", True),
        (BERLIN, "2027-01-18 06:59", "Europe/Berlin", True),
        (BERLIN, "2027-01-18 07:00", "Europe/Berlin", False),
        ("Tue 08:00 - Thu 08:00", "2027-01-13 00:00", "UTC", True),
        ("Tue 08:00 - Thu 08:00", "2027-01-15 00:00", "UTC", False),
        ("22:00 - 06:00", "2027-01-15 23:00", "UTC", True),
        ("22:00 - 06:00", "2027-01-15 05:59", "UTC", True),
        ("22:00 - 06:00", "2027-01-15 06:00", "UTC", False),
        ("09:00 - 10:00 Asia/Tokyo", "2027-01-15 00:30", "UTC", True),
        ("2026-12-23 16:00 - 2027-01-04 08:00", "2026-12-31 12:00", "UTC", True),
        ("2026-12-23 16:00 - 2027-01-04 08:00", "2027-01-04 08:00", "UTC", False),
    ],
)
def test_a_window_is_open_from_its_beginning_to_before_its_end(window: str, moment: str, zone: str, open: bool) -> None:
    assert holds(window, at(moment, zone)) is open


@pytest.mark.parametrize(
    "window, words",
    [
        ("weekends", "'weekends' is no window of time; write as 'Fri 16:00 - Mon 07:00 Europe/Berlin'"),
        ("Fri 24:00 - Mon 07:00", "is no window of time"),
        ("Fri 16:00 - Mon 07:00 Europe/Belrin", "'Europe/Belrin' is not in this machine's table of time zones"),
        ("Fri 16:00 - Fri 16:00", "ends as it begins"),
        ("2027-01-04 08:00 - 2026-12-23 16:00", "ends before it begins"),
        ("2027-02-30 08:00 - 2027-03-23 16:00", "is no time"),
    ],
)
def test_what_is_no_window_is_refused(window: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        holds(window, 0.0)
    assert words in str(caught.value)


def test_a_rule_has_its_own_or_that_of_all(load) -> None:  # type: ignore[no-untyped-def]
    stack = load(
        'stack: shop\nheal:\n  defaults: {freeze: ["22:00 - 06:00", {file: deploying}], at-most: 50%, confirm: 4}\n'
        "  a: {do: [{provision: {}}]}\n"
        "  b: {do: [{provision: {}}], freeze: [{provisioned: 10 min}, {drift: files}], confirm: 1}\n"
        "  c: {do: [{provision: {}}], freeze: []}\n"
    )
    a, b, c = stack.heal
    assert a.freeze == (Freeze(window="22:00 - 06:00"), Freeze(file="deploying"))
    assert (a.at_most, a.confirm, b.at_most, b.confirm) == (0.5, 4, 0.5, 1)
    assert (b.freeze, c.freeze) == ((Freeze(provisioned=600.0), Freeze(drift=True)), ())


@pytest.mark.parametrize(
    "written, words",
    [
        ("defaults: {freeze: [weekends]}", "stack.yaml:3: heal.defaults.freeze[0]: 'weekends' is no window of time"),
        ("a: {do: [{provision: {}}], freeze: [{fiel: x}]}", "stack.yaml:3: heal.a.freeze[0].fiel: unknown key 'fiel'"),
        ("a: {do: [{provision: {}}], freeze: [{provisioned: 0s}]}", "heal.a.freeze[0].provisioned: must be more"),
        ("defaults: {mode: auto}", "stack.yaml:3: heal.defaults.mode"),
    ],
)
def test_what_is_wrong_names_its_key(load, written: str, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(StackFileError) as caught:
        load(f"stack: shop\nheal:\n  {written}\n  z: {{do: [{{provision: {{}}}}]}}\n")
    assert words in str(caught.value)
