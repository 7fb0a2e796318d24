"""Another web server in the place of a host's own for a while; what the faults of URLs do."""

from __future__ import annotations

from infratest.acts._fault import token
from infratest.acts.base import Act
from infratest.mutations.base import ScriptAct
from infratest.web_address import web_address

#: $2: the port, $3: the whole answer, $4: seconds until it comes, $5: the table of nftables that leads there. Perl,
#: since systems of Debian's family all have it. What comes to the port, from elsewhere or
#: from here, is led to a free one.
SERVED = """for tool in perl nft; do
  command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2; exit 1; }
done
READY=$1
export READY
setsid perl -e '
  use Socket qw(:DEFAULT pack_sockaddr_in6 unpack_sockaddr_in6 IN6ADDR_ANY);
  my ($answer, $pause) = @ARGV;
  socket(my $server, AF_INET6, SOCK_STREAM, 0) or die "socket: $!\\n";
  setsockopt($server, 41, 26, pack("l", 0));
  bind($server, pack_sockaddr_in6(0, IN6ADDR_ANY)) && listen($server, 50) or die "listen: $!\\n";
  my ($port) = unpack_sockaddr_in6(getsockname($server));
  open(my $ready, ">", "$ENV{READY}.new"); print $ready "$$ $port\\n"; close($ready);
  rename("$ENV{READY}.new", $ENV{READY});
  $SIG{CHLD} = "IGNORE"; $SIG{PIPE} = "IGNORE";
  while (accept(my $client, $server)) {
    next if fork;
    my $asked = "";
    while ($asked !~ /\\r\\n\\r\\n/) { sysread($client, $asked, 4096, length $asked) or exit }
    select(undef, undef, undef, $pause);
    syswrite($client, $answer);
    shutdown($client, 1);
    sysread($client, $asked, 4096);
    exit;
  }' "$3" "$4" </dev/null >/dev/null 2>"$1.why" &
i=0
until [ -s "$1" ]; do
  [ $i -lt 100 ] || { cat "$1.why" >&2; exit 1; }
  i=$((i + 1))
  sleep 0.05
done
read -r pid port <"$1"
nft "add table inet $5
add chain inet $5 pre { type nat hook prerouting priority -110; policy accept; }
add chain inet $5 out { type nat hook output priority -110; policy accept; }
add rule inet $5 pre tcp dport $2 fib daddr type local redirect to :$port
add rule inet $5 out tcp dport $2 fib daddr type local redirect to :$port\""""
GONE = """! nft list table inet "$5" >/dev/null 2>&1 || nft delete table inet "$5"
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

#: A status that no sentence is likely to expect, and another one.
UNEXPECTED, ANOTHER = 503, 404
BODY = "infratest: a fault\n"


def answers(
    url: str, words: str, status: int = UNEXPECTED, headers: tuple[str, ...] = (), body: str = BODY, seconds: float = 0
) -> Act | str:
    """Return what answers a URL in its server's place, or why nothing can."""
    address = web_address(url)
    if address.scheme != "http":
        return refuses(url)
    length = len(body.encode())
    head = [f"HTTP/1.1 {status} Fault", "Content-Type: text/plain", f"Content-Length: {length}", "Connection: close"]
    answer = "\r\n".join([*head, *headers, "", body])
    return ScriptAct(words, SERVED, GONE, (str(address.port), answer, f"{seconds:.3f}", f"infratest_{token()}"))


def refuses(url: str) -> Act:
    """Return what has a URL's server refuse."""
    return refused(web_address(url).port)


def refused(port: int) -> Act:
    """Return what has a port refuse whoever connects."""
    words = f"port {port} refuses whoever connects"
    return ScriptAct(words, REFUSED, LET_IN, (str(port), f"infratest_{token()}"))
