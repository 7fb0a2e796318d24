"""The ready-made features on a good host: each holds, and each of its sentences turns red when it is broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.conftest import Project

pytestmark = [pytest.mark.hosts, pytest.mark.machines, pytest.mark.timeout(3600)]

STACK = """
stack: ready
provider: {provider}
parameters:
  backups: {{type: string, default: /var/backups/db}}
  tls_certificate: {{type: string, default: /etc/ssl/certs/shop.pem}}
  tls_key: {{type: string, default: /etc/ssl/private/shop.key}}
hosts:
  web: {{memory: {memory}, ports: [22]{more}}}
"""
#: What makes the host good: an SSH server that is hardened, web and database servers, a certificate, backups of today.
GOOD = rb"""#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
[ -e /usr/sbin/nginx ] || { apt-get -q update; apt-get -q install -y --no-install-recommends nginx-light postgresql; }
sed -i 's/^\([[:space:]]*\)# server_tokens off;/\1server_tokens off;/' /etc/nginx/nginx.conf
systemctl restart nginx
cat >/etc/ssh/sshd_config.d/00-hardened.conf <<'E'
MaxAuthTries 3
LoginGraceTime 30
ClientAliveInterval 300
ClientAliveCountMax 3
X11Forwarding no
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com
KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256
E
systemctl reload ssh
cd /etc/ssl
openssl req -x509 -newkey rsa:2048 -nodes -keyout /root/ca.key -out /root/ca.pem -subj /CN=ca -days 400 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout private/shop.key -out /root/shop.csr -subj /CN=shop 2>/dev/null
openssl x509 -req -in /root/shop.csr -CA /root/ca.pem -CAkey /root/ca.key -CAcreateserial -days 90 \
  -out certs/shop.pem 2>/dev/null
chmod 0600 private/shop.key
mkdir -p -m 0750 /var/backups/db
for day in 1 2 3; do echo "day $day" >/var/backups/db/$day.dump; done
"""
#: A host that serves: a clock that follows a source, mail, containers.
SERVES = rb"""#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
[ -e /usr/sbin/dockerd ] || {
  apt-get -q update
  apt-get -q install -y --no-install-recommends chrony postfix docker.io iptables
}
# A container has no clock of its own: chronyd leaves it alone (-x), and follows a second one, which is the server.
cp -f /usr/sbin/chronyd /usr/local/sbin/ntp-source
cat >/etc/ntp-source.conf <<'E'
port 11123
bindaddress 127.0.0.1
cmdport 0
bindcmdaddress /
allow 127.0.0.1
local stratum 2
pidfile /run/ntp-source.pid
E
cat >/etc/systemd/system/ntp-source.service <<'E'
[Service]
ExecStart=/usr/local/sbin/ntp-source -d -x -u root -f /etc/ntp-source.conf
[Install]
WantedBy=multi-user.target
E
mkdir -p /etc/systemd/system/chrony.service.d
printf '[Unit]\nConditionCapability=\n' >/etc/systemd/system/chrony.service.d/container.conf
echo 'DAEMON_OPTS="-F 1 -x"' >/etc/default/chrony
sed -i '/^pool/d' /etc/chrony/chrony.conf
echo 'server 127.0.0.1 port 11123 iburst minpoll 0 maxpoll 2' >/etc/chrony/sources.d/local.sources
systemctl daemon-reload
systemctl enable --now ntp-source
systemctl restart chrony
chronyc waitsync 60 0 0 0.5
openssl req -x509 -newkey rsa:2048 -nodes -keyout /etc/postfix/mail.key -out /etc/postfix/mail.pem -subj /CN=mail \
  -days 90 2>/dev/null
postconf -e smtpd_tls_cert_file=/etc/postfix/mail.pem smtpd_tls_key_file=/etc/postfix/mail.key disable_vrfy_command=yes
postfix reload
# A container may set none of the kernel's variables; docker needs those of its own network (userland-proxy).
mountpoint -q /proc/sys/net || { mount --bind /proc/sys/net /proc/sys/net; mount -o remount,bind,rw /proc/sys/net; }
cat >/etc/docker/daemon.json <<'E'
{
  "live-restore": true,
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"},
  "userland-proxy": false,
  "no-new-privileges": true
}
E
echo 'tmpfs /dev/shm tmpfs defaults 0 0' >/etc/fstab
systemctl reset-failed docker.service docker.socket
systemctl restart docker
"""
#: Feature -> how many sentences it has, on the host that is made good and on the one that serves.
FEATURES = {"ssh-hardening": 28, "web-server": 14, "dns": 8, "backups": 5, "tls": 10, "database": 13}
SERVICES = {"ntp": 17, "mail": 22, "docker-host": 26, "disk-health": 6}
#: Of a container, the disk / is that of the machine infratest runs on, and left alone.
ROOM = 'the disk of "/" is less than 95 % full, warning 90 %'


@pytest.fixture(scope="module")
def good(new_project: Callable[..., Project]) -> Project:
    more = ", provision: [{shell: good.sh}]"
    return new_project(STACK.format(provider="container", memory="256MiB", more=more), {"good.sh": GOOD})


@pytest.fixture(scope="module")
def serving(new_project: Callable[..., Project]) -> Project:
    more = ", provision: [{shell: serves.sh}]"
    return new_project(STACK.format(provider="container", memory="512MiB", more=more), {"serves.sh": SERVES})


def mutated(good: Project, feature: str) -> dict[str, Any]:
    held = good.run("test", f"@{feature}")
    assert held.returncode == 0, held.stdout
    done = good.run("mutate", f"@{feature}", "--format", "json", timeout=900)
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        pytest.fail(f"exit {done.returncode}: {done.stdout}{done.stderr}")
    assert done.returncode == report["exit"]
    return report


def not_red(report: dict[str, Any]) -> dict[str, str]:
    steps = [step for one in report["results"] for step in one["steps"]]
    return {step["text"]: step["reason"] for step in steps if step["state"] != "ok"}


def all_turned_red(report: dict[str, Any], count: int) -> None:
    assert list(not_red(report).items()) == []
    words = f"{count} of {count} sentences turned red when what they say was broken"
    assert report["notes"] == [f"mutation score 100 %: {words}"]


@pytest.mark.parametrize("feature", FEATURES)
def test_each_sentence_of_a_ready_made_feature_turns_red(good: Project, feature: str) -> None:
    all_turned_red(mutated(good, feature), FEATURES[feature])


@pytest.mark.parametrize("feature", SERVICES)
def test_each_sentence_of_a_feature_of_services_turns_red(serving: Project, feature: str) -> None:
    all_turned_red(mutated(serving, feature), SERVICES[feature])


def test_the_baseline_turns_red_but_for_what_is_this_machines(good: Project) -> None:
    report = mutated(good, "linux-baseline")
    reasons = not_red(report)
    assert list(reasons) == [ROOM], reasons
    assert "takes its room from the machine infratest runs on" in reasons[ROOM]
    assert report["notes"] == ["mutation score 95 %: 21 of 22 sentences turned red when what they say was broken"]


def test_the_whole_baseline_turns_red_on_a_machine_of_its_own(new_project: Callable[..., Project]) -> None:
    """Of 3 GiB of memory 97 % are taken and what is left is enough to answer with; a second run finds it as good."""
    machine = new_project(STACK.format(provider="qemu", memory="3GiB", more=""))
    for _ in range(2):
        report = mutated(machine, "linux-baseline")
        assert list(not_red(report).items()) == []
        assert report["notes"] == ["mutation score 100 %: 22 of 22 sentences turned red when what they say was broken"]
