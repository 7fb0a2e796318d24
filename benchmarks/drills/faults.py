"""The faults of the table: how each is made and taken away again, what shows it, and by which rung it is to be healed.

Every contestant gets the same fault, by the same words for the host's shell.
"""

from __future__ import annotations

from dataclasses import dataclass

#: What shows to anybody that the shop works: its page, its certificate, the room that is left.
PAGE, CERTIFICATE, ROOM = "page", "certificate", "room"
#: How a host is taken away, where that is the fault.
STOP, PAUSE, CUT = "stop", "pause", "cut"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Args:
        name: the word of `--only`. title: as it stands in the table. shell: what breaks it, on the host; or `host`:
        what its provider does to the host. mend: what takes it away where nobody has healed. shown: what shows it.
        scenario, rule, remedy: what turns red, and what must heal it. act: the sentence of the drill, where there is
        a better one than that a command is run. patience: seconds until it is said not to be healed.
    """

    name: str
    title: str
    scenario: str
    rule: str
    remedy: str
    shell: str = ""
    host: str = ""
    mend: str = ""
    shown: str = PAGE
    act: str = ""
    patience: float = 60.0

    @property
    def sentence(self) -> str:
        """What the drill's *When* says, `on` the host left out."""
        return self.act or f'the command "sh /usr/local/lib/drill/{self.name}" is run'


RESTART = "systemctl reset-failed nginx; systemctl restart nginx"
FAULTS = {
    each.name: each
    for each in (
        Fault(
            name="killed", title="process killed", scenario="answers", rule="restart-nginx", remedy="restart-service",
            shell="pkill -KILL -x nginx", act='the process "nginx" is killed', mend=RESTART,
        ),
        Fault(
            name="masked", title="unit stopped and masked", scenario="enabled", rule="put-back", remedy="provision",
            shell="systemctl mask --now nginx", mend=f"systemctl unmask nginx; {RESTART}",
        ),
        Fault(
            name="configuration", title="configuration broken", scenario="configured", rule="put-back",
            remedy="provision",
            shell="cp /etc/nginx/sites-available/default /etc/shop/site.good\n"
            "echo 'this is no directive' >>/etc/nginx/sites-available/default\n! systemctl restart nginx",
            mend=f"cp /etc/shop/site.good /etc/nginx/sites-available/default; {RESTART}",
        ),
        Fault(
            name="port", title="port taken", scenario="own-port", rule="free-port", remedy="run",
            shell="systemctl stop nginx\n"
            "systemd-run -q --collect --unit=stranger systemd-socket-activate --accept --inetd -l 80 /bin/cat\n"
            "until ss -Hltn 'sport = :80' | grep -q .; do sleep 0.05; done",
            mend=f"systemctl stop stranger; {RESTART}",
        ),
        Fault(
            name="package", title="package removed", scenario="installed", rule="put-back", remedy="provision",
            shell="dpkg --remove --force-depends nginx", mend=f"sh /usr/local/lib/drill/packages; {RESTART}",
        ),
        Fault(
            name="disk", title="disk 97 % full", scenario="room", rule="clear-cache", remedy="clear-space", shown=ROOM,
            shell="mkdir -p /srv/shop\nmountpoint -q /srv/shop || mount -t tmpfs -o size=64M shop /srv/shop\n"
            "mkdir -p /srv/shop/cache\nfallocate -l 62M /srv/shop/cache/old\ntouch -d '2 days ago' /srv/shop/cache/old",
            mend="rm -f /srv/shop/cache/old",
        ),
        Fault(
            name="certificate", title="certificate expired", scenario="certified", rule="renew",
            remedy="renew-certificate", shown=CERTIFICATE,
            shell="sh /usr/local/lib/drill/certify -1\nsystemctl reload nginx",
            mend="sh /usr/local/lib/drill/certify; systemctl reload nginx",
        ),
        Fault(
            name="stopped", title="host stopped by its provider", scenario="reachable", rule="power",
            remedy="power-cycle", host=STOP, patience=120,
        ),
        Fault(
            name="paused", title="host paused", scenario="reachable", rule="power", remedy="power-cycle", host=PAUSE,
            patience=120,
        ),
        Fault(
            name="network", title="network of the host dropped", scenario="reachable", rule="power",
            remedy="power-cycle", host=CUT, patience=120,
        ),
    )
}  # fmt: skip
