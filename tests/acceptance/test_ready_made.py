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
FEATURES = {"ssh-hardening": 31, "web-server": 14, "dns": 8, "backups": 7, "tls": 12, "database": 18}
SERVICES = {"ntp": 14, "mail": 20, "docker-host": 24, "disk-health": 6}
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


HBA = ">>$(ls /etc/postgresql/*/main/pg_hba.conf)"
#: What opens a good host, each by one change that was green once -> the feature that sees it, and words of the reason.
OPENED = {
    "chmod 0604 /etc/shadow": ("linux-baseline", "/etc/shadow"),
    "echo KbdInteractiveAuthentication yes >/etc/ssh/sshd_config.d/00-a.conf": ("ssh-hardening", "kbdinteractive"),
    "printf 'Match User deploy\\nPasswordAuthentication yes\\n' >/etc/ssh/sshd_config.d/99-m.conf": (
        "ssh-hardening",
        "in Match blocks with 'yes'",
    ),
    "chmod 0666 /etc/ssh/sshd_config.d/00-hardened.conf": ("ssh-hardening", "00-hardened.conf has mode 0666"),
    "chmod 0666 /etc/nginx/sites-available/default": ("web-server", "has mode 0666"),
    "chown www-data /etc/nginx/conf.d": ("web-server", "/etc/nginx/conf.d is owned by"),
    "chmod 0666 /var/log/nginx/access.log": ("web-server", "access.log has mode 0666"),
    "cd /etc/ssl; openssl req -x509 -key private/shop.key -sha1 -subj /CN=x -days 90 -out certs/shop.pem": (
        "tls",
        "sha1WithRSAEncryption",
    ),
    "cd /etc/ssl; openssl ecparam -name prime256v1 -genkey -noout -out /root/ec.key; "
    "openssl req -x509 -key /root/ec.key -sha1 -subj /CN=x -days 90 -out certs/shop.pem": ("tls", "ecdsa-with-SHA1"),
    "cd /etc/ssl; openssl req -x509 -newkey rsa:1024 -nodes -keyout /root/s.key -subj /CN=x -days 90 "
    "-out certs/shop.pem": ("tls", "1024 bits"),
    "openssl req -x509 -key /root/ca.key -subj /CN=between -days 2 >>/etc/ssl/certs/shop.pem": ("tls", "at position 2"),
    "openssl req -x509 -newkey rsa:1024 -nodes -keyout /root/s.key -subj /CN=between -days 90 "
    ">>/etc/ssl/certs/shop.pem": ("tls", "has an RSA key of 1024 bits at position 2"),
    "cd /etc/ssl; openssl req -x509 -key private/shop.key -sha1 -sigopt rsa_padding_mode:pss -subj /CN=x -days 90 "
    "-out certs/shop.pem": ("tls", "rsassaPss with sha1"),
    # Who signs the server's is signed by SHA-1: the leaf is as good as it was.
    "cd /root; openssl req -newkey rsa:2048 -nodes -keyout s.key -subj /CN=between -out s.csr; openssl x509 -req "
    "-in s.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 90 -sha1 >>/etc/ssl/certs/shop.pem": (
        "tls",
        'has the signature "sha1WithRSAEncryption" at position 2',
    ),
    "chgrp www-data /etc/ssl/private/shop.key; chmod 0640 /etc/ssl/private/shop.key": ("tls", "www-data"),
    "chgrp www-data /var/backups/db": ("backups", "www-data"),
    "chmod 0666 /var/backups/db/1.dump": ("backups", "1.dump has mode 0666"),
    "chmod 0666 /etc/postgresql/*/main/pg_hba.conf": ("database", "has mode 0666"),
    f"echo 'local all deploy trust' {HBA}": ("database", "trust"),
    f"echo 'host shop deploy 127.0.0.1/32 trust' {HBA}": ("database", "trust"),
    f"echo 'host shop deploy 10.0.0.0/8 password' {HBA}": ("database", "password"),
    f"echo 'hostssl all all 0.0.0.0/0 scram-sha-256' {HBA}": ("database", "0.0.0.0"),
    f"echo 'hostssl all all ::/0 scram-sha-256' {HBA}": ("database", "::"),
    f"echo 'hostssl all all all scram-sha-256' {HBA}": ("database", "all"),
    f"echo 'host all all 10.0.0.0/8 scram-sha-265' {HBA}": ("database", "scram-sha-265"),
    f"echo 'host shop deploy 10.0.0.1/32 scram-sha-256' {HBA}": ("database", "modification"),
}
OPENED_SERVICES = {
    "chmod 0666 /etc/postfix/master.cf": ("mail", "master.cf has mode 0666"),
    "chmod 0777 /etc/chrony/conf.d": ("ntp", "/etc/chrony/conf.d has mode 0777"),
    "chmod 0666 /etc/chrony/sources.d/local.sources": ("ntp", "local.sources has mode 0666"),
    "echo >/etc/docker/more; chown www-data /etc/docker/more": ("docker-host", "/etc/docker/more is owned by"),
}
#: Owner, mode and content of what is opened, as they were.
KEPT = "tar -C / -cpf /root/kept.tar etc/shadow etc/ssh etc/ssl etc/nginx var/log/nginx var/backups etc/postgresql"
KEPT_SERVICES = "tar -C / -cpf /root/kept.tar etc/postfix etc/chrony etc/docker"


def sees_each(project: Project, opened: dict[str, tuple[str, str]], kept: str) -> None:
    assert project.run("run", "web", "--", "sh", "-c", kept).returncode == 0
    for change, (feature, words) in opened.items():
        done = project.run("run", "web", "--", "sh", "-c", change)
        assert done.returncode == 0, done.stdout + done.stderr
        red = project.run("test", f"@{feature}")
        undo = "tar -C / -xpf /root/kept.tar; rm -f /etc/ssh/sshd_config.d/00-a.conf /etc/ssh/sshd_config.d/99-m.conf"
        assert project.run("run", "web", "--", "sh", "-c", f"{undo} /etc/docker/more").returncode == 0
        assert red.returncode == 2, (change, red.stdout)
        assert words in red.stdout, (change, red.stdout)


def test_a_host_that_is_opened_is_seen(good: Project) -> None:
    sees_each(good, OPENED, KEPT)


def test_a_host_of_services_that_is_opened_is_seen(serving: Project) -> None:
    sees_each(serving, OPENED_SERVICES, KEPT_SERVICES)
