"""Which fault breaks a sentence: each names a check that there is, each sentence's example gets one or a reason."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from infratest.acts.base import Act
from infratest.facts.memory import Memory
from infratest.gherkin.binding import bind
from infratest.gherkin.patterns import as_written
from infratest.gherkin.sentence import CHECK
from infratest.gherkin.vocabulary import vocabulary
from infratest.mutations.base import Claim, in_words, outside
from infratest.mutations.choice import NONE_KNOWN, fault, faults
from infratest.mutations.memory import too_much
from infratest.thresholds import threshold

MIB = 1024 * 1024
HBA = 'the database "postgresql://postgres@/postgres" answers "'
ROOT = Path(__file__).parents[2]
SUBJECTS = sorted(
    path.stem for path in (ROOT / "infratest/mutations").glob("[a-z]*.py") if path.stem not in ("base", "choice")
)


def act_for(text: str) -> Act | str:
    match = vocabulary().match(text)
    assert match is not None, text
    binding = bind(match, as_written)
    bound = binding.threshold.critical if binding.threshold else None
    return fault(Claim(binding.built, match.negated, bound))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_fault_is_of_a_check_of_its_subject(subject: str) -> None:
    checks = vars(import_module(f"infratest.steps.{subject}"))
    assert faults(subject)
    assert [name for name in faults(subject) if name not in checks] == []


def test_each_sentence_gets_a_fault_or_a_reason() -> None:
    """Both as it is written and negated: no value of an example trips what chooses a fault."""
    chosen = {}
    for sentence in vocabulary().sentences:
        if sentence.kind == CHECK and sentence.module in SUBJECTS:
            chosen[sentence.example] = act_for(sentence.example)
    assert {text: act for text, act in chosen.items() if not isinstance(act, (Act, str)) or not act} == {}
    broken = sum(isinstance(act, Act) for act in chosen.values())
    assert broken >= 100, [text for text, act in chosen.items() if isinstance(act, str)]


def test_the_page_says_of_which_subjects_nothing_is_broken() -> None:
    page = (ROOT / "docs/mutate.md").read_text(encoding="utf-8")
    told = page.split("and of all on those:\n\n")[1].partition(".\n")[0].replace("\n", " ").split(", ")
    checks = [sentence for sentence in vocabulary().sentences if sentence.kind == CHECK]
    tried = {sentence.module for sentence in checks if act_for(sentence.example) != NONE_KNOWN}
    untried = {sentence.module for sentence in checks} - tried
    assert told == sorted(subject.replace("_", " ") for subject in untried)


@pytest.mark.parametrize(
    "text, words",
    [
        ('the file "/etc/shadow" has mode "0640"', "mode /etc/shadow 0642"),
        ('the directory "/tmp" has mode "1777"', "mode /tmp 1775"),
        ('the file "/etc/shadow" does not have mode "0666"', "mode /etc/shadow 0666"),
        ('the file "/etc/shadow" has at most mode "0640"', "mode /etc/shadow 0642"),
        ('the file "/a" has at most mode "0777"', "mode /a 4777"),
        ('the file "/a" is owned by "root"', "/a is given to 65534"),
        ('the file "/a" is owned by "nobody"', "/a is given to 1"),
        ('the file "/a" is owned by one of "root, nobody"', "/a is given to 1"),
        ('the file "/a" belongs to none of the groups "adm, staff"', "/a is given to :adm"),
        ('the file "/a" has one of the modes "0640, 0642"', "mode /a 0660"),
        ('the file "/a" has none of the modes "0666, 0777"', "mode /a 0666"),
        (
            'the user "deploy" has none of the shells "/bin/sh, /bin/bash"',
            "field 7 of deploy in /etc/passwd is made '/bin/sh'",
        ),
        ('the file "/a" is not owned by "deploy"', "/a is given to deploy"),
        ('the file "/a" is less than 1 KiB in size', "/a is made 2048 bytes long"),
        ('the file "/a" is at least 1 KiB in size', "/a is made 0 bytes long"),
        ('the file "/a" was changed less than 1 day ago', "/a is dated 172800 s ago"),
        ('the service "nginx" is not running', "systemctl start nginx.service"),
        ('the sysctl "kernel.kptr_restrict" is one of "0, 1"', "/proc/sys/kernel/kptr_restrict tells '2'"),
        ("the memory is less than 90 % used", "taken 93"),
        ('the disk "/" is less than 90 % full, warning 80 %', "fill / 92"),
        ('the configuration of "sshd" has "permitrootlogin" equal to "no"', "permitrootlogin of sshd is made yes"),
        ('the configuration of "sshd" has "maxauthtries" at most 4', "maxauthtries of sshd is made 8"),
        ('the user "ada" has a quota of at most 10 MiB for "/srv"', 'the user "ada" may have 20480 KiB of /srv'),
        ('the group "ada" has a quota of exactly 1 KiB for "/srv"', 'the group "ada" may have 2 KiB of /srv'),
        ('the user "ada" uses at least 5 % of its quota for "/"', 'the user "ada" uses about 0.1 % of its quota for /'),
        ('the NATS server "tls://mq" answers', "port 4222 refuses whoever connects"),
        ('the NATS server "nats://mq" does not have at least version "3"', "nats://mq has version 99999.0"),
        ('the stream "x" of "nats://mq" has less than 9 messages', 'the stream "x" of "nats://mq" has 18 messages'),
        (
            'the certificate file "/a" relies on no signature by "*sha1*"',
            "/a holds a certificate signed by sha1WithRSAEncryption",
        ),
        ('the certificate file "/a" relies on a signature by "*"', "/a holds a certificate of infratest's own"),
        (
            'the certificate file "/a" has no RSA key shorter than 2048 bits',
            "/a holds one more certificate with a key of 1024 bits",
        ),
        (
            f'{HBA}SELECT * FROM pg_hba_file_rules WHERE error IS NOT NULL" with exactly 0 rows',
            "pg_hba.conf has the lines infratest_fault",
        ),
        (
            f"{HBA}SELECT * FROM pg_hba_file_rules WHERE auth_method = 'trust'\" with exactly 0 rows",
            "pg_hba.conf has the lines host infratest_fault infratest_fault all trust; "
            "host infratest_fault infratest_fault 192.0.2.1/32 password",
        ),
    ],
)
def test_the_fault_is_what_the_sentence_names(text: str, words: str) -> None:
    act = act_for(text)
    assert isinstance(act, Act), act
    assert in_words(act) == words


@pytest.mark.parametrize(
    "text, words",
    [
        ('the directory "/etc" exists', "the host would not outlive it"),
        ('the mount "/proc" is of type "proc"', "the host would not outlive it"),
        ("the memory is less than 99 % used", "more than 97 % of memory cannot be taken"),
        ('the command "cat /etc/hosts" exits 0', "cat is what infratest works with"),
        ('the command "a | b" exits 0', "more than one program"),
        ('the file "/a" is at least 0 B in size', "each size is in the bound"),
        ('the NATS server "tls://mq" has at least version "2.9"', "it would have no certificate of that name"),
        ('the NATS server "nats://mq" has at least version "0"', "each version is so"),
        ('the NATS server "nats://mq" does not answer', "in the place of nothing"),
        ('the NATS server "nats://mq" answers in less than 9 s', "an answer is put off by 8 s at most"),
        ('the stream "orders" of "nats://mq" has at least 0 messages', "each number is in the bound"),
        ('a user is over its quota for "/srv"', "who is over a quota is given no more"),
        ('the user "ada" has a quota of at least 0 B for "/srv"', "each size is in the bound"),
        ('the kernel module "nf_nat" is loaded', NONE_KNOWN),
        ('the certificate file "/a" has no RSA key shorter than 1024 bits', "less than 1024 bits is not made"),
        ('the certificate file "/a" relies on no signature by "*md2*"', "is not known"),
        (f'{HBA}SELECT * FROM orders" with exactly 0 rows', "how other rows would be answered is not known"),
        (f'{HBA}SELECT * FROM pg_hba_file_rules" with at least 1 row', "more rows are in the bound"),
        (
            'the database "postgresql://a@db/x" answers "SELECT * FROM pg_hba_file_rules" with exactly 0 rows',
            "by its socket alone",
        ),
    ],
)
def test_where_there_is_no_fault_it_says_why(text: str, words: str) -> None:
    act = act_for(text)
    assert words in str(act)


@pytest.mark.parametrize(
    "percent, size, limited, refused",
    [
        (97, 256, False, True),
        (97, 2133, False, True),  # 63.99 MiB are left
        (97, 2134, False, False),
        (97, 256, True, False),
        (90, 256, False, False),
        (91, 256, False, True),
    ],
)
def test_a_machine_keeps_memory_to_answer_with(percent: int, size: int, limited: bool, refused: bool) -> None:
    memory = Memory(total=size * MIB, available=size * MIB, swap_total=0, swap_free=0, limited=limited)
    assert bool(too_much(percent, memory)) is refused


@pytest.mark.parametrize(
    "words, numbers, number",
    [
        ("less than", ("5",), 10),
        ("at most", ("0",), 1),
        ("more than", ("5",), 5),
        ("at least", ("5",), 0),
        ("at least", ("0",), None),
        ("between", ("2", "4"), 8),
        ("exactly", ("0",), 1),
    ],
)
def test_a_number_is_outside_its_bound(words: str, numbers: tuple[str, ...], number: float | None) -> None:
    assert outside(threshold(words, numbers, "count").critical) == number
