"""Traffic, on a host whose nft keeps what it is asked."""

from infratest.acts.traffic import DELETE
from infratest.testing.acts import Case

CASE = Case(
    works={"to": "db:5432", "id": "case"},
    undoes=("sh", "-c", DELETE, "sh", "infratest_case"),
    refused=[{"to": to} for to in ("", "-x", "db:0", "db:65536", "db:x")],
    programs={
        "getent": "#!/bin/sh\necho '10.0.0.2 STREAM db'; echo '10.0.0.2 DGRAM'; echo 'fd00::2 STREAM'\n",
        "nft": '#!/bin/sh\necho "$1" | tr ";" "\\n" | grep -o "ip.*drop" >>"$LOG"\n',
    },
    log=[
        f"{family} daddr {address} {protocol} dport 5432 counter drop"
        for family, address in (("ip", "10.0.0.2"), ("ip6", "fd00::2"))
        for protocol in ("tcp", "udp")
    ],
)
