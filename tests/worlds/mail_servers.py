"""Real mail servers on free ports of the loopback: Postfix, and a Dovecot with one account."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.worlds.tls_servers import Authority, free_ports, running

USER, PASSWORD = "monitor@mail.example", "s3cret word/with@signs"

#: The account that Debian has for nobody's files: Dovecot reads no mail as root.
OWNER = 65534

#: Whose mail is taken without a login, as the account's is, and comes into no mailbox that anybody reads.
LOCAL = "ops@mail.example"


class Mail(NamedTuple):
    """Ports: of Dovecot, and of Postfix, of which `smtp` relays for who logs in alone and `open` for everybody."""

    imap: int
    imaps: int
    pop3: int
    smtp: int
    open: int
    folder: Path


@contextmanager
def dovecot(made: Authority, folder: Path) -> Iterator[dict[str, int]]:
    """Have Dovecot with one account, whose mail is in `folder`/mail, and its SASL for Postfix in `folder`/sasl."""
    ports = dict(zip(("imap", "imaps", "pop3"), free_ports(3), strict=True))
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n")
    listeners = "".join(
        f"service {protocol}-login {{\n"
        + "".join(f" inet_listener {one} {{\n port = {ports.get(one, 0)}\n }}\n" for one in (protocol, f"{protocol}s"))
        + "}\n"
        for protocol in ("imap", "pop3")
    )
    (folder / "dovecot.conf").write_text(
        f"base_dir = {folder}/run\nlog_path = {folder}/log\nprotocols = imap pop3\nssl = yes\nlisten = 127.0.0.1\n"
        f"ssl_cert = <{made.file('leaf.pem')}\nssl_key = <{made.file('leaf.key')}\n"
        f"mail_location = maildir:{folder}/mail\nauth_failure_delay = 0\n"
        f"auth_verbose = yes\nauth_mechanisms = plain login\nmaildir_stat_dirs = yes\n{listeners}"
        f"passdb {{\n driver = passwd-file\n args = {folder}/users\n}}\n"
        f"userdb {{\n driver = static\n args = uid={OWNER} gid={OWNER} home={folder}\n}}\n"
        "service anvil {\n unix_listener anvil-auth-penalty {\n mode = 0\n }\n}\n"
        f"service auth {{\n unix_listener {folder}/sasl {{\n mode = 0666\n }}\n}}\n"
    )
    with running("dovecot", "-F", "-c", str(folder / "dovecot.conf"), ports=tuple(ports[n] for n in ("imap", "pop3"))):
        yield ports


@contextmanager
def postfix(made: Authority, folder: Path) -> Iterator[tuple[int, int]]:
    """Have Postfix: a port with STARTTLS and SASL that relays for nobody else, and one that is an open relay."""
    port, anyone = free_ports(2)
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "data", "postfix")
    key, chain = (made.folder / "leaf.key").read_bytes(), (made.folder / "leaf.pem").read_bytes()
    (folder / "both.pem").write_bytes(key + chain)
    (folder / "boxes").write_text(f"{LOCAL} postfix/away\n{USER} dovecot/mail/\n")
    (folder / "conf" / "main.cf").write_text(
        f"compatibility_level = 3.6\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
        f"inet_interfaces = 127.0.0.1\nmyhostname = mail.example\nmydestination =\nalias_maps =\nmynetworks =\n"
        f"maillog_file = {folder}/log\nmaillog_file_prefixes = /tmp, /var, {folder}\nmessage_size_limit = 12000000\n"
        f"virtual_mailbox_domains = mail.example\nvirtual_mailbox_maps = texthash:{folder}/boxes\n"
        f"virtual_mailbox_base = {folder.parent}\n"
        f"virtual_uid_maps = static:{OWNER}\nvirtual_gid_maps = static:{OWNER}\n"
        f"smtpd_sasl_type = dovecot\nsmtpd_sasl_path = {folder.parent}/dovecot/sasl\nsmtpd_sasl_auth_enable = yes\n"
        "smtpd_tls_auth_only = yes\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n"
        "smtpd_recipient_restrictions =\nsmtpd_error_sleep_time = 0\n"
    )
    tls = f"-o smtpd_tls_security_level=may -o smtpd_tls_chain_files={folder}/both.pem"
    rows = [f"127.0.0.1:{port} inet n - n - - smtpd {tls}"]
    # Postfix lets nobody write "everybody": it wants a `reject`, so everybody is of its networks.
    everybody = "-o mynetworks=127.0.0.0/8 -o smtpd_relay_restrictions=permit_mynetworks,reject"
    rows.append(f"127.0.0.1:{anyone} inet n - n - - smtpd {everybody} -o smtpd_sasl_auth_enable=no")
    programs = {"rewrite": "trivial-rewrite", "postlog": "postlogd"}
    for name in ("anvil", "tlsmgr", "rewrite", "postlog", "cleanup", "proxymap", "qmgr", "virtual", "bounce"):
        kind = "unix-dgram" if name == "postlog" else "unix"
        private, most = "n" if name in ("postlog", "cleanup", "qmgr") else "-", 0 if name == "cleanup" else 1
        alone = "n" if name == "virtual" else "-"  # who delivers becomes the owner of a mailbox
        rows.append(f"{name} {kind} {private} {alone} n - {most} {programs.get(name, name)}")
    (folder / "conf" / "master.cf").write_text("\n".join(rows) + "\n")
    subprocess.run(["postfix", "-c", folder / "conf", "check"], check=True, capture_output=True)
    with running("/usr/lib/postfix/sbin/master", "-d", "-c", str(folder / "conf"), ports=(port, anyone)):
        yield port, anyone


@contextmanager
def mail(made: Authority, folder: Path) -> Iterator[Mail]:
    """Have both, with their folders in this one."""
    box = folder / "dovecot" / "mail"
    for each in ("new", "cur", "tmp"):
        (box / each).mkdir(parents=True)
    for each in (box, *box.iterdir()):
        os.chown(each, OWNER, OWNER)
    with dovecot(made, folder / "dovecot") as boxes, postfix(made, folder / "postfix") as (port, anyone):
        yield Mail(boxes["imap"], boxes["imaps"], boxes["pop3"], port, anyone, folder)


def deliver(mail: Mail, name: str, came: float, *, read: bool = False) -> None:
    """Put a message into the account's INBOX, as a server that delivers there does, that came at this time."""
    path = mail.folder / "dovecot" / "mail" / "cur" / f"{int(came)}.{name}:2,{'S' if read else ''}"
    path.write_text(f"From: a@example.org\nTo: {USER}\nSubject: {name}\n\nhello\n")
    given(path, OWNER, came)


def given(path: Path, owner: int, came: float) -> None:
    """Make a message that of an account, that came at this time."""
    os.chown(path, owner, owner)
    os.utime(path, (came, came))
