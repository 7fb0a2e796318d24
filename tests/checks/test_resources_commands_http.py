"""What checks of disks, memory, load, commands and URLs see, and the numbers they take."""

from __future__ import annotations

import pytest
from infratest.steps.command import CommandExits, CommandNumber, CommandPrints, CommandTime
from infratest.steps.disk import DiskFree, DiskInodes, DiskUsed
from infratest.steps.http import UrlAnswers, UrlContains, UrlHeader, UrlStatus, UrlTime
from infratest.steps.load import LoadAverage
from infratest.steps.memory import MemoryAvailable, MemoryUsed, SwapUsed

from infratest.errors import FactError
from infratest.facts._command import Output
from infratest.facts.base import Need
from infratest.facts.disk import Space
from infratest.facts.http.reply import Reply
from infratest.facts.load import Load
from infratest.facts.memory import Memory
from infratest.facts.mount import Mount
from infratest.thresholds import threshold

GIB = 2**30
#: 100 GiB, of which 5 are kept for root: used 71.25 of the 95 that count, as df shows.
SPACE = Space(size=100 * GIB, used=int(71.25 * GIB), available=int(23.75 * GIB), inodes=1000, inodes_free=875)
MOUNTS = {path: Mount(path=path, device="/dev/sda1", type="ext4", options=("rw",)) for path in ("/", "/data")}


def disk(check, space, path="/"):
    return check.observe({Need("disk", (path,)): space, Need("mount"): MOUNTS})


def test_disks():
    used = disk(DiskUsed("/"), SPACE)
    assert (used.number, used.saw) == (75.0, 'the disk "/" is 75 % full (23.8 GiB of 100 GiB free)')
    assert disk(DiskFree("/"), SPACE).number == 23.75 * GIB
    assert disk(DiskInodes("/"), SPACE).number == 12.5
    with pytest.raises(FactError, match="inodes"):
        disk(DiskInodes("/"), Space(size=1, used=1, available=0))


@pytest.mark.parametrize(
    "used, number, words",
    [
        (89_996, 89.996, "89.996 % full"),
        (90_000, 90.0, "90 % full"),
        (71_230, 71.23, "71.23 % full"),
        (33_333, 33.333, "33.33 % full"),
        (99_999, 99.999, "99.999 % full"),
        (0, 0.0, "0 % full"),
    ],
)
def test_a_share_is_judged_as_it_is_and_not_as_it_is_shown(used, number, words):
    space = Space(size=100_000, used=used, available=100_000 - used, inodes=100_000, inodes_free=100_000 - used)
    full = disk(DiskUsed("/"), space)
    assert full.number == pytest.approx(number, abs=1e-9)
    assert words in full.saw
    below = threshold("less than", ("90 %",), "percent")
    assert (below.judge(full.number)[0] == "ok") is (used < 90_000)
    assert disk(DiskInodes("/"), space).number == pytest.approx(number, abs=1e-9)
    memory = {Need("memory"): Memory(100_000, 100_000 - used, 100_000, 100_000 - used)}
    for check in (MemoryUsed(), SwapUsed()):
        seen = check.observe(memory)
        assert seen.number == pytest.approx(number, abs=1e-9)
        assert words.removesuffix("full") in seen.saw


def test_a_share_near_a_whole_number_is_not_shown_as_that():
    seen = disk(DiskUsed("/"), Space(size=10**9, used=900_000_001, available=99_999_999))
    assert "90.0000001 % full" in seen.saw
    load = LoadAverage(1, shared=True).observe({Need("load"): Load(averages=(3.99, 2.0, 1.0), processors=4)})
    assert load.number == 3.99 / 4


def test_memory_says_whether_it_is_the_machine_s():
    machine = {Need("memory"): Memory(8 * GIB, 2 * GIB, 0, 0)}
    limited = {Need("memory"): Memory(GIB // 4, GIB // 8, 0, 0, limited=True)}
    assert MemoryUsed().observe(machine).saw == "the memory is 75 % used (2 GiB of 8 GiB available, the machine's)"
    assert MemoryUsed().observe(limited).saw == (
        "the memory is 50 % used (128 MiB of 256 MiB available, the limit of its control group)"
    )
    swap = {Need("memory"): Memory(GIB, GIB, GIB, GIB // 2)}
    assert SwapUsed().observe(swap).saw == "the swap is 50 % used of 1 GiB, the machine's"
    none = {Need("memory"): Memory(GIB, GIB, 0, 0, swap_limited=True)}
    assert SwapUsed().observe(none).saw == (
        "there is no swap, so none is used; the limit of its control group allows none"
    )
    assert MemoryAvailable().observe(limited).saw == (
        "the memory has 128 MiB of 256 MiB available, the limit of its control group"
    )


def test_a_mount_that_is_missing_is_never_the_disk_below_it():
    seen = disk(DiskUsed("/srv"), SPACE, "/srv")
    assert (seen.holds, seen.number, seen.saw) == (False, None, "no file system is mounted on /srv")
    assert disk(DiskUsed("/data/"), SPACE, "/data").holds
    assert disk(DiskUsed("/srv", mounted=False), SPACE, "/srv").number == 75.0
    assert disk(DiskUsed("/gone", mounted=False), Space(there=False), "/gone").saw == "/gone does not exist"
    with pytest.raises(FactError, match="denied"):
        disk(DiskUsed("/"), Space(there=False, problem="Permission denied"))


def test_what_is_counted_as_nothing_is_unknown_and_not_empty():
    with pytest.raises(FactError, match="does not count its space"):
        disk(DiskUsed("/proc", mounted=False), Space(size=0, used=0, available=0), "/proc")
    with pytest.raises(FactError, match="no memory at all"):
        MemoryUsed().observe({Need("memory"): Memory(total=0, available=0, swap_total=0, swap_free=0)})


def test_labels_say_subject_and_property():
    labels = {
        check.measure().label: (check.measure().unit, check.measure().minimum, check.measure().maximum)
        for check in (DiskUsed("/"), DiskFree("/"), MemoryUsed(), SwapUsed(), LoadAverage(), LoadAverage(15, True))
    }
    assert labels == {
        "disk / used": ("%", 0, 100),
        "disk / free": ("B", 0, None),
        "memory used": ("%", 0, 100),
        "swap used": ("%", 0, 100),
        "load1": ("", 0, None),
        "load15 per processor": ("", 0, None),
    }
    assert UrlTime("http://x/", 200).measure().label == "http http://x/ time"


def test_memory_swap_and_load():
    facts = {
        Need("memory"): Memory(total=8 * GIB, available=2 * GIB, swap_total=GIB, swap_free=GIB // 4),
        Need("load"): Load(averages=(3.0, 2.0, 1.0), processors=2),
    }
    assert MemoryUsed().observe(facts).number == 75.0
    assert MemoryAvailable().observe(facts).number == 2 * GIB
    assert SwapUsed().observe(facts).number == 75.0
    assert LoadAverage().observe(facts).number == 3.0
    assert LoadAverage(15).observe(facts).number == 1.0
    assert LoadAverage(5, shared=True).observe(facts).number == 1.0
    none = {Need("memory"): Memory(total=8 * GIB, available=GIB, swap_total=0, swap_free=0)}
    assert (SwapUsed().observe(none).holds, SwapUsed().observe(none).number) == (True, 0)


def output(exit=0, out="", err="", whole=True, seconds=0.25, exact=True):
    return Output(exit=exit, out=out, err=err, seconds=seconds, whole=whole, exact=exact)


def command(check, found):
    return check.observe({Need("command", ("x",)): found})


@pytest.mark.parametrize(
    "check, found, holds, saw",
    [
        (CommandExits("x"), output(), True, 'the command "x" exited 0'),
        (CommandExits("x"), output(1, "out", "bad config\nline"), False, 'the command "x" exited 1: bad config line'),
        (CommandExits("x"), output(1, "out"), False, 'the command "x" exited 1: out'),
        (CommandExits("x", status=2), output(2), True, ""),
        (CommandExits("x", status=127), output(127), True, ""),
        (CommandPrints("x", text="ok"), output(0, "all ok\n"), True, "the command \"x\" printed 'all ok'"),
        (CommandPrints("x", text="ok"), output(3, "", "ok"), False, 'the command "x" printed nothing and exited 3'),
        (CommandPrints("x", text="ok", exactly=True), output(0, "ok\n"), True, ""),
        (CommandPrints("x", text="ok", exactly=True), output(0, "ok \n"), False, ""),
        (CommandPrints("x", text="", exactly=True), output(0, "\n"), True, ""),
    ],
)
def test_commands(check, found, holds, saw):
    seen = command(check, found)
    assert seen.holds is holds
    assert saw in seen.saw


@pytest.mark.parametrize(
    "check, found",
    [
        (CommandExits("x"), output(127, "", "sh: x: not found")),
        (CommandExits("x", status=1), output(126)),
        (CommandPrints("x", text="error"), output(127)),
        (CommandPrints("x", text="error"), output(0, "x" * 10, whole=False)),
        (CommandNumber("x"), output(0, "many")),
        (CommandNumber("x"), output(0, "")),
        (CommandNumber("x"), output(0, "nan")),
        (CommandNumber("x"), output(0, "inf")),
        (CommandNumber("x"), output(0, "1 2")),
        (CommandNumber("x"), output(1, "5")),
        (CommandTime("x"), output(seconds=None)),
    ],
)
def test_a_command_that_does_not_answer_the_question_is_unknown(check, found):
    with pytest.raises(FactError):
        command(check, found)


def test_numbers_of_commands():
    assert command(CommandNumber("x"), output(0, " 12.5\n")).number == 12.5
    assert command(CommandNumber("x"), output(0, "-3\n")).number == -3
    assert command(CommandTime("x"), output(1)).number == 0.25


def test_as_root_is_another_fact():
    assert CommandExits("x", root=True).needs() == (Need("root-command", ("x",)),)


URL = "http://x/"
PAGE = Reply(status=200, seconds=0.04, headers=(("server", "nginx"), ("x", "1"), ("x", "2")), body="Welcome")
REFUSED = Reply(status=None, seconds=0.0, refused="[Errno 111] Connection refused", silent=True)
UNKNOWN_NAME = Reply(status=None, seconds=0.0, refused="failed to resolve 'x'")


def web(check, reply):
    return check.observe({Need("http", (URL,)): reply})


@pytest.mark.parametrize(
    "check, holds",
    [
        (UrlAnswers(URL), True),
        (UrlStatus(URL, 200), True),
        (UrlStatus(URL, 404), False),
        (UrlTime(URL, 200), True),
        (UrlTime(URL, 301), False),
        (UrlContains(URL, "Welcome"), True),
        (UrlContains(URL, "welcome"), False),
        (UrlHeader(URL, "Server", "nginx"), True),
        (UrlHeader(URL, "X", "2"), True),
        (UrlHeader(URL, "X", "3"), False),
        (UrlHeader(URL, "Y", ""), False),
    ],
)
def test_urls(check, holds):
    assert web(check, PAGE).holds is holds
    refused = web(check, REFUSED)
    assert refused.holds is False
    assert refused.saw == '"http://x/" does not answer: [Errno 111] Connection refused'
    assert refused.absent is (type(check) is not UrlAnswers)
    assert check.viewpoint == "controller"
    nobody = web(check, UNKNOWN_NAME)
    assert (nobody.holds, nobody.absent) == (False, True)  # not even that it does not answer


def test_the_time_of_an_answer():
    assert web(UrlTime(URL, 200), PAGE).number == 0.04
    assert web(UrlTime(URL, 200), PAGE).saw == '"http://x/" answered 200 in 40 ms'
    assert web(UrlTime(URL, 200), REFUSED).number is None


@pytest.mark.parametrize(
    "unread", ["it is longer than the 1 MiB that are looked at", "it is encoded as 'br'", "it is no text"]
)
def test_nothing_is_denied_of_a_body_that_was_not_read(unread):
    reply = Reply(status=200, seconds=1, body="seen \ufffd", unread=unread)
    assert web(UrlContains(URL, "seen"), reply).holds
    for text in ("needle", "\ufffd"):  # the last stands for any byte that is no text
        with pytest.raises(FactError, match=unread):
            web(UrlContains(URL, text), reply)
    assert web(UrlStatus(URL, 200), reply).holds
    assert web(UrlContains(URL, "\ufffd"), reply.changed(unread="")).holds


LATIN = output(0, "caf\ufffd au lait\n", exact=False)


def test_nothing_is_denied_of_an_output_that_is_no_text():
    assert command(CommandPrints("x", text="au lait"), LATIN).holds
    for check in (CommandPrints("x", text="error"), CommandPrints("x", text="\ufffd"),
                  CommandPrints("x", text="caf\ufffd au lait", exactly=True)):  # fmt: skip
        with pytest.raises(FactError, match="no UTF-8 text"):
            command(check, LATIN)
    assert command(CommandPrints("x", text="\ufffd", exactly=True), output(0, "\ufffd\n")).holds
    with pytest.raises(FactError, match="more than is kept"):
        command(CommandPrints("x", text="x", exactly=True), output(0, "x", whole=False))


@pytest.mark.parametrize(
    "printed, words",
    [
        ("ready\r\n", "printed 'ready\\r'"),
        ("ready \n", "printed 'ready '"),
        ("\x1b[32mready\x1b[0m\n", "printed '\\x1b[32mready\\x1b[0m'"),
        ("re\u200bady\n", "printed 're\\u200bady'"),
        ("ready\n\nset\n", "printed 'ready\\n\\nset'"),
    ],
)
def test_a_reason_shows_the_very_difference(printed, words):
    seen = command(CommandPrints("x", text="ready", exactly=True), output(0, printed))
    assert not seen.holds
    assert words in seen.saw


def test_a_difference_beyond_what_is_shown_is_shown_too():
    seen = command(CommandPrints("x", text="x" * 250 + "end", exactly=True), output(0, "x" * 250 + "\tend\n"))
    assert seen.saw.endswith("; from character 251 on '\\tend', where 'end' is expected")
    shorter = command(CommandPrints("x", text="x" * 250, exactly=True), output(0, "x" * 249 + "\n"))
    assert shorter.saw.endswith("; from character 250 on '', where 'x' is expected")


def test_a_body_and_a_header_show_the_very_difference():
    reply = Reply(status=200, seconds=1, headers=(("x", "a\tb"),), body="ready\r\n")
    assert web(UrlHeader(URL, "X", "a b"), reply).saw.endswith("with the header X: 'a\\tb'")
    assert web(UrlContains(URL, "ready\n"), reply).saw.endswith("but 'ready\\r\\n'")
