"""When a cron job runs: the five fields and the @words of crontab(5), in one form in which they can be compared."""

from __future__ import annotations

from infratest.record import Record

#: What the @words stand for: crontab(5).
WORDS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip

REBOOT = "@reboot"

#: What parts the words of a line: cron's get_string and skip_comments know no other, neither CR nor U+00A0.
BLANKS = " \t"

#: The fields' names, least and greatest values; a day of the week is 0 or 7 for Sunday.
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NAMES = {"month": {name: at for at, name in enumerate(MONTHS, 1)}, "day of the week": dict(zip(DAYS, range(7)))}  # noqa: B905

#: From one 29 February to the next may be eight years.
_DAYS = 8 * 366 + 1

EVERY_DAY, EVERY_WEEKDAY = frozenset(range(1, 32)), frozenset(range(7))


class Schedule(Record):
    """Two of them are equal where a job runs at the same times.

    Args:
        either: whether a day fits where one of its two fields does, which is so where neither begins with `*`.
        reboot: it runs when cron starts, and the rest is empty.
    """

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    either: bool = False
    reboot: bool = False


def schedule(text: str) -> Schedule:
    """Return when a job runs whose line begins so.

    Raises:
        ValueError: it is nothing that every cron knows; in words.
    """
    word = text.strip(BLANKS).lower()
    if word == REBOOT:
        return Schedule(reboot=True)
    fields = [field for field in WORDS.get(word, text).replace("\t", " ").split(" ") if field]
    if len(fields) != len(FIELDS):
        raise ValueError(f"{text!r} is no schedule of cron: five fields, or one of {', '.join(WORDS)}, {REBOOT}")
    sets = [_values(field, *rule) for field, rule in zip(fields, FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = sets
    weekdays = frozenset([day % 7 for day in weekdays])
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    if either and (days == EVERY_DAY or weekdays == EVERY_WEEKDAY):
        either, days, weekdays = False, EVERY_DAY, EVERY_WEEKDAY
    return Schedule(minutes, hours, days, months, weekdays, either)


def _values(field: str, title: str, least: int, greatest: int) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        range_, slash, step = part.partition("/")
        first, dash, last = range_.partition("-")
        if range_ == "*":
            low, high = least, greatest - (title == "day of the week")
        else:
            low = _value(first, field, title)
            high = _value(last, field, title) if dash else low
        if slash and (not step.isdigit() or not step.isascii() or not int(step) or (range_ != "*" and not dash)):
            raise ValueError(f"the {title} {field!r} has a step that is not understood")
        if not least <= low <= high <= greatest:
            raise ValueError(f"the {title} {field!r} is not from {least} to {greatest}")
        found.update(range(low, high + 1, int(step) if slash else 1))
    return frozenset(found)


def _value(word: str, field: str, title: str) -> int:
    if word.isdigit() and word.isascii() and len(word) < 4:
        return int(word)
    value = NAMES.get(title, {}).get(word.lower())
    if value is None:
        raise ValueError(f"the {title} {field!r} is not understood")
    return value


def split(line: str) -> tuple[str, str]:
    """Return the schedule at the beginning of a line, its fields with a blank between, and what is behind it."""
    words: list[str] = []
    for _ in range(1 if line.startswith("@") else len(FIELDS)):
        word, line = first_word(line)
        words.append(word)
    return " ".join([word for word in words if word]), line.lstrip(BLANKS)


def first_word(text: str) -> tuple[str, str]:
    """Return the first word of a text and what is behind it; none but blanks and tabs part words for cron."""
    text = text.lstrip(BLANKS)
    end = min([at for at in (text.find(" "), text.find("\t")) if at >= 0], default=len(text))
    return text[:end], text[end:]


def next_run(runs: Schedule, now: tuple[int, int, int, int, int, int]) -> int | None:
    """Return the seconds until a job runs next, by clocks on the wall; None of one that never does.

    Args:
        now: year, month, day, hour, minute and second there. A minute that has begun has had its run.
    """
    from datetime import date, timedelta  # a look at jobs without this question pays for no calendar

    year, month, day, hour, minute, second = now
    today, at = date(year, month, day), hour * 60 + minute
    times = sorted(each * 60 + one for each in runs.hours for one in runs.minutes)
    for ahead in range(_DAYS if times else 0):
        there = today + timedelta(days=ahead)
        if not _fits(runs, there.month, there.day, there.isoweekday() % 7):
            continue
        left = [each for each in times if ahead or each > at]
        if left:
            return (ahead * 1440 + left[0] - at) * 60 - second
    return None


def _fits(runs: Schedule, month: int, day: int, weekday: int) -> bool:
    if month not in runs.months:
        return False
    fits = (day in runs.days, weekday in runs.weekdays)
    return any(fits) if runs.either else all(fits)
