"""Faults of ports: what listens is stopped, or something listens that should not."""

from __future__ import annotations

from infratest.acts.base import Act
from infratest.mutations._unit import UNITS, stopped
from infratest.mutations.base import Claim, Fault, ScriptAct

#: $2: the port, $3: tcp or udp. The kernel tells ss(8) in which control group a socket was made. Without it: states of
#: proc(5)'s tables (0A listens, 07 is bound), and who has a socket; of others' processes a container does not tell.
HOLDERS = """case $3 in tcp) state=0A kind=-ltn ;; *) state=07 kind=-lun ;; esac
pids=
units=$(ss -H "$kind" --cgroup "sport = :$2" 2>/dev/null |
  sed -n 's,^.* cgroup:/\\([^ ]*/\\)\\{0\\,1\\}\\([^/ ]*\\.\\(service\\|socket\\)\\)[[:space:]]*$,\\2,p' | sort -u)
[ -n "$units" ] || for inode in $(awk -v port=":$(printf '%04X' "$2")\\$" -v state="$state" \\
    '$2 ~ port && $4 == state { print $10 }' "/proc/net/$3" "/proc/net/${3}6" 2>/dev/null); do
  for pid in $(find /proc/[0-9]*/fd -lname "socket:\\\\[$inode\\\\]" 2>/dev/null | cut -d / -f 3); do
    pids="$pids $pid"
  done
done
"""
#: $2: the port, $3: tcp or udp, $4: the address, empty for all. Perl, since systems of Debian's family all have it.
LISTENS = """command -v perl >/dev/null || { echo "perl is not installed: nothing can listen" >&2; exit 1; }
setsid perl -MIO::Socket::INET -e '
  my ($port, $kind, $address) = @ARGV;
  my $socket = IO::Socket::INET->new(LocalAddr => $address || "0.0.0.0", LocalPort => $port, Proto => $kind,
    $kind eq "tcp" ? (Listen => 5) : ()) or die "port $port: $!\\n";
  open(my $ready, ">", $ENV{READY}) or die; print $ready "$$\\n"; close($ready);
  sleep 3600' "$2" "$3" "$4" </dev/null >/dev/null 2>"$1.why" &
i=0
until [ -s "$1" ]; do
  [ $i -lt 100 ] || { cat "$1.why" >&2; exit 1; }
  i=$((i + 1))
  sleep 0.05
done"""
CLOSED = """if [ -s "$1" ]; then
  read -r pid <"$1"
  ! kill -KILL "$pid" 2>/dev/null || while [ -d "/proc/$pid" ]; do sleep 0.05; done
fi
rm -f -- "$1" "$1.why\""""


def port(claim: Claim) -> Act | str:
    """Stop what listens; or listen at it, or at another address."""
    check = claim.check
    place = f"port {check.port}/{check.protocol}"
    number, address = str(check.port), check.address or ""
    if check.only and not claim.negated:
        other = "127.0.0.9" if check.address == "127.0.0.1" else "127.0.0.1"
        return listens(f"{place} listens at {other}, too", number, check.protocol, other)
    if claim.negated:
        if ":" in address or check.family == "IPv6":
            return "nothing is made to listen at IPv6 alone"
        return listens(f"{place} listens", number, check.protocol, address)
    return stopped(f"what listens on {place} is stopped", f"{HOLDERS}{UNITS}", number, check.protocol)


def listens(words: str, *arguments: str) -> Act:
    """Return what has a process listen at a port."""
    change = f"READY=$1\nexport READY\n{LISTENS}"
    return ScriptAct(words, change, CLOSED, arguments)


FAULTS: dict[str, Fault] = {"PortListening": port}
