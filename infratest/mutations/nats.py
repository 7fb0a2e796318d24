"""Faults of NATS servers: another one answers, of another version, too late, or with other streams; or none does."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.facts.package.versions import order
from infratest.mutations._in_place import LONGEST, refused, stand_in
from infratest.mutations.base import Claim, Fault, outside

#: What it has: its version, seconds until it says it and until it passes a message on, and what it has as any stream:
#: nothing, or messages, bytes and consumers. Who asks is let in, whoever it is.
CONVERSATION = r"""my ($version, $late, $slow, @stream) = @ARGV;
    my ($state, $id, %heard) = ("{\"error\":{\"code\":404,\"description\":\"stream not found\"}}");
    $state = sprintf "{\"state\":{\"messages\":%s,\"bytes\":%s,\"consumer_count\":%s}}", @stream if @stream;
    my $pass = sub {
      my ($to, $text) = @_;
      syswrite($client, "MSG $to $heard{$to} " . length($text) . "\r\n$text\r\n") if $heard{$to};
    };
    $/ = "\r\n";
    pause($late);
    syswrite($client, "INFO {\"server_id\":\"infratest\",\"version\":\"$version\",\"max_payload\":1048576}\r\n");
    while (my $line = <$client>) {
      chomp $line;
      my ($word, @rest) = split / /, $line;
      if ($word eq "PING") { syswrite($client, "PONG\r\n") }
      elsif ($word eq "SUB") { $heard{$rest[0]} = $rest[-1] }
      elsif ($word eq "PUB") {
        read($client, my $text, $rest[-1] + 2);
        pause($slow);
        if ($rest[0] =~ /^[\$]JS[.]API[.]STREAM[.]INFO[.]/) { $pass->($rest[1], $state) }
        else { $pass->($rest[0], substr($text, 0, -2)) }
      }
    }"""
#: Versions that no server has.
VERSIONS = ("0.0.1", "99999.0")
WITH_TLS = "a NATS server with TLS is not put in another's place: it would have no certificate of that name"
IN_BOUND = "each number is in the bound"


def presence(claim: Claim) -> Act | str:
    """Refuse."""
    if claim.negated:
        return "nothing that answers is put in the place of nothing"
    return refused(claim.check.address.port)


def time(claim: Claim) -> Act | str:
    """Answer, too late."""
    return _late(claim, f"{claim.check.address.shown} answers after", first=True)


def delivery(claim: Claim) -> Act | str:
    """Pass messages on, too late."""
    return _late(claim, f"{claim.check.address.shown} delivers a message after", first=False)


def version(claim: Claim) -> Act | str:
    """Another version, or one that is so."""
    check = claim.check
    for one in (*VERSIONS, check.version):
        if check.fits(order(one, check.version, "dpkg")) is claim.negated:
            return _another(claim, f"{check.address.shown} has version {one}", version=one)
    return "each version is so"


def presence_of_stream(claim: Claim) -> Act | str:
    """Have none, or one."""
    stream = (0, 0, 0) if claim.negated else ()
    return _another(claim, f"{claim.check.words} {'exists' if stream else 'does not exist'}", stream=stream)


def messages(claim: Claim) -> Act | str:
    """So many in it that the bound does not hold."""
    number = _outside(claim)
    return IN_BOUND if number is None else _stream(claim, f"has {number} messages", (number, 0, 0))


def size(claim: Claim) -> Act | str:
    """So many bytes in it that the bound does not hold."""
    number = _outside(claim)
    return IN_BOUND if number is None else _stream(claim, f"has {number} bytes", (0, number, 0))


def consumers(claim: Claim) -> Act | str:
    """So many of them that the bound does not hold."""
    number = _outside(claim)
    return IN_BOUND if number is None else _stream(claim, f"has {number} consumers", (0, 0, number))


def _outside(claim: Claim) -> int | None:
    number = outside(claim.bound) if claim.bound else None
    return None if number is None else int(number)


def _stream(claim: Claim, words: str, stream: tuple[int, int, int]) -> Act | str:
    return _another(claim, f"{claim.check.words} {words}", stream=stream)


def _late(claim: Claim, words: str, first: bool) -> Act | str:
    if claim.bound is None or claim.bound.top >= LONGEST or claim.bound.holds(claim.bound.top + 1):
        return f"an answer is put off by {LONGEST:.0f} s at most"
    seconds = claim.bound.top + 0.5
    return _another(claim, f"{words} {seconds:g} s", late=seconds if first else 0, slow=0 if first else seconds)


def _another(
    claim: Claim, words: str, version: str = VERSIONS[1], late: float = 0, slow: float = 0, stream: tuple[int, ...] = ()
) -> Act | str:
    address = claim.check.address
    if address.kind == "tls":
        return WITH_TLS
    return stand_in(words, address.port, CONVERSATION, version, f"{late:.3f}", f"{slow:.3f}", *map(str, stream))


FAULTS: dict[str, Fault] = {
    "NatsAnswers": presence,
    "NatsTime": time,
    "NatsVersion": version,
    "NatsAtLeast": version,
    "NatsDelivers": delivery,
    "StreamExists": presence_of_stream,
    "StreamMessages": messages,
    "StreamConsumers": consumers,
    "StreamSize": size,
}
