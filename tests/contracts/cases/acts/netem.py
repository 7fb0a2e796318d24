"""Traffic, on a host whose tc keeps what it is asked."""

from infratest.acts.netem import SMOOTH
from infratest.testing.acts import Case

CASE = Case(
    works={"what": "delay", "value": "200ms"},
    refused=[
        {"what": what, "value": value}
        for what, value in (("delay", "0ms"), ("delay", "10001ms"), ("loss", "51%"), ("loss", "x"), ("reorder", "5%"))
    ],
    undoes=("sh", "-c", SMOOTH, "sh", "eth7"),
    programs={
        "ip": "#!/bin/sh\necho 'default via 10.0.0.1 dev eth7 proto dhcp'\n",
        "tc": '#!/bin/sh\necho "$*" >>"$LOG"\n',
    },
    log=["qdisc add dev eth7 root netem delay 200ms"],
)
