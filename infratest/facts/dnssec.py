"""The fact `dnssec`: whether a name server has validated what a name stands for. Arguments: the server (empty: those of
who looks), the name.

A validating resolver says so by the flag AD, to who sets AD or DO in the question (RFC 4035, 3.2.3; RFC 6840, 5.7 and
5.8). It is asked both ways: there are servers that copy AD from the question. What it holds for forged it answers by
SERVFAIL, and hands out to who asks it not to check (CD: RFC 4035, 3.2.2); SERVFAIL to that, too, is a server that
fails. The flag is worth what the way to that server is: nothing signs it. An odd answer says nothing of the name, nor
does one of a server that neither knows the zone (AA) nor asks others (RA): it cannot have validated anything.
"""

from __future__ import annotations

from infratest.cleaning import beginning, cited
from infratest.errors import DeadlineExceeded, FactError
from infratest.facts._name_server import (
    DIG,
    NO_DIG,
    NO_LIBRARY,
    NOERROR,
    NXDOMAIN,
    PATIENCE,
    answered,
    checked,
    flags,
    malformed,
    miscounted,
    rcode,
    servers,
)
from infratest.facts._shell import ONE_LINE, lines, number, unescaped, without
from infratest.facts.base import Answer, Argument, LooksForEach, LooksFromController
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from infratest.deadline import Deadline
    from infratest.facts._name_server import Row
    from infratest.facts.base import Connect

SERVFAIL = "SERVFAIL"

#: How a question is asked, in this order: with AD, then without any check (CD, DO) where that fails, then with DO.
PLAIN, UNCHECKED, SIGNED = "plain", "unchecked", "signed"


class Authentication(Record):
    """What a name server says of a name's addresses.

    Args:
        status: NOERROR or NXDOMAIN. authentic: it has validated this. bogus: it holds it for forged, and status is what
        it has without a check. words: why it is not authentic.
    """

    status: str
    authentic: bool = False
    bogus: bool = False
    words: str = ""

    def in_words(self) -> str:
        verdict = "authenticated" if self.authentic else f"not authenticated: {self.words}"
        return f"{self.status}, {verdict}"


class Reply(Record):
    """One answer.

    Args:
        code: its RCODE. flags: in small letters. signed: what of it has signatures: "all", "some", "none". errors: why
        it failed, as RFC 8914 has it. problem: why there is no answer.
    """

    code: str = ""
    flags: tuple[str, ...] = ()
    signed: str = "none"
    errors: str = ""
    problem: str = ""


SNIPPET = r"""
say() {
  one_line "$words"
  [ ${#line} -lt 8000 ] || line='its answer is too long'
  printf '%s %s %s %s\n' "$1" "$2" "$status" "$line"
}
one() {
  place "$2"
  asked +adflag -t A -q "$3"
  say "$1" plain
  case $words in
    *'status: SERVFAIL,'*)
      asked +authority +noadflag +cdflag +dnssec -t A -q "$3"
      say "$1" unchecked
      ;;
  esac
  asked +authority +noadflag +dnssec -t A -q "$3"
  say "$1" signed
}
n=0
while [ $# -gt 0 ]; do
  n=$((n + 1))
  one "$n" "$1" "$2" &
  shift 2
done
wait
"""


class DnssecFact(LooksForEach, LooksFromController):
    """Whether names are authenticated."""

    encoded = True
    at_once = True

    def snippet(self) -> str:
        return without("dig", NO_DIG) + ONE_LINE + DIG + SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        server, name = argument
        return (checked(server), f"{name}.")

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        answers: dict[int, dict[str, Reply]] = {}
        for row in lines(self.readable(answer).out):
            index, kind, status, words = (row.split(" ", 3) + [""] * 3)[:4]
            place = number(index, "an index")
            if 1 <= place <= len(arguments):
                reply = _by_dig(arguments[place - 1][1], number(status, "dig's exit status"), unescaped(words))
                answers.setdefault(place, {})[kind] = reply
        if not answers:
            raise FactError(f"of {len(arguments)} names asked for, none was answered")
        return {
            argument: _authentication(argument, answers[index])
            for index, argument in enumerate(arguments, 1)
            if index in answers
        }

    def look(self, arguments: Sequence[Argument], deadline: Deadline, connect: Connect) -> Mapping[Argument, Any]:
        return {argument: _look(argument, deadline, connect) for argument in arguments}


def _asked(argument: Argument) -> str:
    server, name = argument
    return f"whether {name} is authenticated{f' by the server {server}' if server else ''} could not be looked up"


def _authentication(argument: Argument, replies: Mapping[str, Reply]) -> Authentication | FactError:
    """Return what the answers of one server mean together; an error where they say nothing of the name."""
    missing = Reply(problem="not every question was answered")
    plain, signed = replies.get(PLAIN, missing), replies.get(SIGNED, missing)
    for one in (plain, *replies.values(), signed):
        if one.problem or one.code not in (NOERROR, NXDOMAIN, SERVFAIL):
            return FactError(
                f"{_asked(argument)}: {one.problem or f'the name server answers {beginning(one.code, 40)}'}"
            )
    if plain.code == SERVFAIL:
        there = replies.get(UNCHECKED, missing)
        if there.problem or there.code not in (NOERROR, NXDOMAIN):
            why = (
                there.problem or f"the name server answers {SERVFAIL}, and {beginning(there.code, 40)} without a check"
            )
            return FactError(f"{_asked(argument)}: {why}")
        if signed.code == SERVFAIL:
            why = "the server holds it for bogus: it answers SERVFAIL, and has it without a check"
            return Authentication(there.code, bogus=True, words=f"{why}{plain.errors and f' ({plain.errors})'}")
    if plain.code != signed.code:
        return FactError(f"{_asked(argument)}: the name server answers {plain.code}, then {signed.code}")
    authentic = "ad" in plain.flags and "ad" in signed.flags
    return Authentication(plain.code, authentic, words="" if authentic else _why_not(plain, signed))


def _why_not(plain: Reply, signed: Reply) -> str:
    if "ad" in plain.flags:
        return "the server copies the flag AD from the question"
    if "aa" in plain.flags:
        return "the server answers by its own authority, and has validated nothing"
    return {
        "all": "it is signed, and the server has not validated it",
        "some": "a part of the answer is not signed",
    }.get(signed.signed, "the answer is not signed: the zone is not, or the server leaves signatures out")


def _reply_of(
    name: str, code: str, set_flags: tuple[str, ...], answers: Sequence[Row], authority: Sequence[Row], errors: str
) -> Reply:
    """Return an answer, or why it says nothing of the name."""
    if code in (NOERROR, NXDOMAIN):
        _, problem = answered(name, "A", set_flags, answers)
        if not problem and not {"aa", "ra"} & {*set_flags}:
            problem = "the name server neither knows the zone (AA) nor asks others (RA)"
        if problem:
            return Reply(problem=problem)
    return Reply(code, set_flags, _signatures(answers or authority), errors)


def _signatures(rows: Sequence[Row]) -> str:
    """Return what has signatures, of the names and types of an answer: all of them, some, or none."""
    bare = {(name.lower(), kind) for name, kind, _ in rows if kind != "RRSIG"}
    signed = bare & {(name.lower(), text.partition(" ")[0]) for name, kind, text in rows if kind == "RRSIG"}
    return "none" if not signed else "all" if signed == bare else "some"


def _by_dig(name: str, status: int, words: str) -> Reply:
    """Return what dig printed of an answer: its comments begin with `;`."""
    rows = words.split("\n")
    code = rcode(rows)
    if status or not code:
        last = next((row for row in reversed(rows) if row.strip()), f"exit {status}")
        return Reply(problem=beginning(last, 200))
    if problem := malformed(rows):
        return Reply(problem=problem)
    errors = "; ".join(beginning(row.removeprefix("; EDE: "), 100) for row in rows if row.startswith("; EDE: "))
    sections: dict[str, list[Row]] = {}
    section = ""
    for row in rows:
        if row.startswith(";"):
            section = row if row.endswith(" SECTION:") else section
            continue
        parts = row.split(None, 4)
        if row and len(parts) < 5:
            return Reply(problem=f"the answer of dig is not understood: {cited(row, 80)}")
        if row:
            sections.setdefault(section, []).append((parts[0], parts[3], parts[4]))
    answers, authority = (sections.get(f";; {one} SECTION:", []) for one in ("ANSWER", "AUTHORITY"))
    if problem := miscounted(rows, len(answers)):
        return Reply(problem=problem)
    return _reply_of(name, code, flags(rows), answers, authority, errors)


def _look(argument: Argument, deadline: Deadline, connect: Connect) -> Authentication | FactError:
    """Ask one name server after the other until one says something of the name."""
    try:
        import dns.flags
        import dns.message
    except ImportError:
        return FactError(NO_LIBRARY)
    server, name = argument
    questions = {kind: dns.message.make_query(f"{name}.", "A", use_edns=0) for kind in (PLAIN, UNCHECKED, SIGNED)}
    questions[PLAIN].flags |= dns.flags.AD
    questions[UNCHECKED].flags |= dns.flags.CD
    for kind in (UNCHECKED, SIGNED):
        questions[kind].want_dnssec(True)
    why: list[str] = []
    for address, port in servers(server, connect):
        replies: dict[str, Reply] = {}
        for kind, question in questions.items():
            if kind == UNCHECKED and replies[PLAIN].code != SERVFAIL:
                continue
            replies[kind] = _reply(name, question, address, port, deadline)
            if replies[kind].problem:
                break
        if deadline.passed and any(one.problem for one in replies.values()):
            raise DeadlineExceeded(f"{_asked(argument)} before our own deadline")
        value = _authentication(argument, replies)
        if isinstance(value, Authentication):
            return value
        why.append(f"{address}: {str(value).removeprefix(f'{_asked(argument)}: ')}")
    return FactError(f"{_asked(argument)}: {beginning('; '.join(why), 300) or 'this machine has no name server'}")


def _reply(name: str, question: Any, address: str, port: int, deadline: Deadline) -> Reply:
    """Ask a server, twice where it is silent."""
    import dns.exception
    import dns.flags
    import dns.query
    import dns.rcode
    import dns.rdatatype

    text = dns.rdatatype.to_text
    problem = ""
    for _ in range(2):
        left = deadline.at_most(PATIENCE).left
        if not left:
            break
        try:
            # One record a set: a set has place for one CNAME, and would forget the others.
            reply, _tcp = dns.query.udp_with_fallback(question, address, left, port, one_rr_per_rrset=True)
        except (OSError, dns.exception.DNSException) as error:
            problem = str(error) or type(error).__name__
            continue
        answers, authority = (
            [(each.name.to_text(), text(each.rdtype), one.to_text()) for each in section for one in each]
            for section in (reply.answer, reply.authority)
        )
        errors = "; ".join(beginning(one.to_text().removeprefix("EDE "), 100) for one in reply.extended_errors())
        set_flags = tuple(dns.flags.to_text(reply.flags).lower().split())
        return _reply_of(name, dns.rcode.to_text(reply.rcode()), set_flags, answers, authority, errors)
    return Reply(problem=problem or "there is no time left")
