"""Another server in the place of a host's own for a while, or none; what the faults of servers do.

It listens at a free port, and whoever connects to the own one's, from elsewhere or from the host, is led there.
"""

from __future__ import annotations

from infratest.acts._fault import token
from infratest.acts.base import Act
from infratest.mutations.base import ScriptAct

#: Seconds that an answer is put off at most.
LONGEST = 8.0

#: $2: the port, $3: the table of nftables that leads there, then what CONVERSATION has in @ARGV: it converses with
#: $client. Perl, since systems of Debian's family all have it.
SERVED = """for tool in perl nft; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 1; }
done
READY=$1 place=$2 table=$3
export READY
shift 3
setsid perl -e '
  use Socket qw(:DEFAULT pack_sockaddr_in6 unpack_sockaddr_in6 IN6ADDR_ANY);
  sub pause { select(undef, undef, undef, $_[0]) }
  socket(my $server, AF_INET6, SOCK_STREAM, 0) or die "socket: $!\n";
  setsockopt($server, 41, 26, pack("l", 0));
  bind($server, pack_sockaddr_in6(0, IN6ADDR_ANY)) && listen($server, 50) or die "listen: $!\n";
  my ($port) = unpack_sockaddr_in6(getsockname($server));
  open(my $ready, ">", "$ENV{READY}.new"); print $ready "$$ $port\n"; close($ready);
  rename("$ENV{READY}.new", $ENV{READY});
  $SIG{CHLD} = "IGNORE"; $SIG{PIPE} = "IGNORE";
  while (accept(my $client, $server)) {
    next if fork;
    CONVERSATION
    exit;
  }' "$@" </dev/null >/dev/null 2>"$READY.why" &
i=0
until [ -s "$READY" ]; do
  [ $i -lt 100 ] || { cat "$READY.why" >&2; exit 1; }
  i=$((i + 1))
  sleep 0.05
done
read -r pid port <"$READY"
nft "add table inet $table
add chain inet $table pre { type nat hook prerouting priority -110; policy accept; }
add chain inet $table out { type nat hook output priority -110; policy accept; }
add rule inet $table pre tcp dport $place fib daddr type local redirect to :$port
add rule inet $table out tcp dport $place fib daddr type local redirect to :$port\""""
GONE = """! nft list table inet "$3" >/dev/null 2>&1 || nft delete table inet "$3"
if [ -s "$1" ]; then
  read -r pid port <"$1"
  ! kill -KILL "$pid" 2>/dev/null || while [ -d "/proc/$pid" ]; do sleep 0.05; done
fi
rm -f -- "$1" "$1.new" "$1.why\""""
#: $2: the port, $3: the table. Whoever connects is refused, as if nothing listened.
REFUSED = """nft "add table inet $3
add chain inet $3 in { type filter hook input priority -300; policy accept; }
add rule inet $3 in tcp dport $2 reject with tcp reset\""""
LET_IN = '! nft list table inet "$3" >/dev/null 2>&1 || nft delete table inet "$3"'


def stand_in(words: str, port: int, conversation: str, *arguments: str) -> Act:
    """Return what has another server converse with whoever connects to a port.

    Args:
        conversation: in Perl, without apostrophes, of one connection, `$client`. arguments: what it has in @ARGV.
    """
    served = SERVED.replace("CONVERSATION", conversation)
    return ScriptAct(words, served, GONE, (str(port), f"infratest_{token()}", *arguments))


def refused(port: int) -> Act:
    """Return what has a port refuse whoever connects."""
    words = f"port {port} refuses whoever connects"
    return ScriptAct(words, REFUSED, LET_IN, (str(port), f"infratest_{token()}"))
