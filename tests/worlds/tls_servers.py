"""Real servers that speak TLS, at once or after they are asked to, on free ports of the loopback; a CA of the tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infratest.testing.waiting import wait_until
from tests.worlds.x509_files import DAY, Issued, issued

#: As old as nginx can be made to speak.
OLDEST = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0;"

#: Words before those of a server, which becomes it: it ends with who has started it, however that ends.
WITH_US = ("setpriv", "--pdeathsig", "TERM")


@dataclass(frozen=True)
class Authority:
    """Certificates of the tests, and the folder with their files: `ca.pem`, `NAME.pem` with the chain, `NAME.key`."""

    folder: Path
    root: Issued
    between: Issued
    leaf: Issued

    def file(self, name: str) -> str:
        return str(self.folder / name)


def authority(folder: Path) -> Authority:
    """Make the certificates. The files may be read by everybody, for servers run as their own accounts."""
    now = datetime.now(UTC).replace(microsecond=0)
    root = issued("Tests root", authority=True)
    between = issued("Tests between", root, authority=True)
    names = ("shop.example", "127.0.0.1")
    leaf = issued("shop.example", between, key="RSA 2048", names=names, ends=now + 20 * DAY)
    other = issued("other.example", between, names=("other.example",))
    past = issued("past.example", between, names=names, begins=now - 9 * DAY, ends=now - 2 * DAY)
    own = issued("own.example", names=names)
    chains = {
        "leaf": (leaf, (leaf, between)), "other": (other, (other, between)), "past": (past, (past, between)),
        "bare": (leaf, (leaf,)), "own": (own, (own,)), "mixed": (leaf, (leaf, root, between)),
    }  # fmt: skip
    for name, (one, chain) in chains.items():
        (folder / f"{name}.pem").write_bytes(b"".join(each.pem for each in chain))
        (folder / f"{name}.key").write_bytes(one.key_pem())
    (folder / "ca.pem").write_bytes(root.pem)
    folder.chmod(0o755)
    return Authority(folder, root, between, leaf)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback, each another one."""
    with ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(server.getsockname()[1]) for server in servers]


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def running(*words: str, ports: tuple[int, ...], user: str | None = None) -> Iterator[None]:
    """Have a program until the block ends, from when it listens at its ports."""
    with subprocess.Popen(
        [*WITH_US, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, user=user
    ) as one:
        try:
            up = wait_until(lambda: one.poll() is not None or all(listens(port) for port in ports), 60)
            if not up or one.poll() is not None:
                one.kill()
                raise AssertionError(f"{words[0]} does not come up: {one.communicate()[0].decode()[-2000:]}")
            yield
        finally:
            one.terminate()
            try:
                one.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                one.kill()
                one.communicate()


def _server(port: int, certificate: str, more: str, name: str = "_") -> str:
    return (
        f"server {{ listen 127.0.0.1:{port} ssl; server_name {name}; ssl_certificate {certificate}.pem;"
        f" ssl_certificate_key {certificate}.key; {more} }}\n"
    )


@contextmanager
def nginx(made: Authority) -> Iterator[dict[str, int]]:
    """Have nginx with its ports by name: what each of them speaks stands here."""
    names = ("oldest", "modern", "only12", "past", "bare", "own", "mixed", "plain", "http2")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    folder, new = made.folder, "ssl_protocols TLSv1.2 TLSv1.3;"
    at = {name: f"{folder}/{name}" for name in ("leaf", "other", "past", "bare", "own", "mixed")}
    servers = [
        _server(ports["oldest"], at["leaf"], OLDEST),
        _server(ports["oldest"], at["other"], OLDEST, "other.example"),
        _server(ports["modern"], at["leaf"], "ssl_protocols TLSv1.3;"),
        _server(ports["only12"], at["leaf"], "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;"),
        *[_server(ports[name], at[name], new) for name in ("past", "bare", "own", "mixed")],
        _server(ports["http2"], at["leaf"], new).replace(" ssl;", " ssl http2;"),
        f"server {{ listen 127.0.0.1:{ports['plain']}; }}\n",
    ]
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\nevents {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n"
        f"fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;\n"
        f"{''.join(servers)}}}\n"
    )
    with running("nginx", "-c", str(conf), "-e", f"{folder}/nginx.log", ports=tuple(ports.values())):
        yield ports


@contextmanager
def s_server(made: Authority, *words: str) -> Iterator[int]:
    """Have `openssl s_server` with these words."""
    port = free_port()
    files = ("-cert", made.file("leaf.pem"), "-key", made.file("leaf.key"), "-cert_chain", made.file("leaf.pem"))
    with running("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", *files, *words, ports=(port,)):
        yield port


def weak_chain(folder: Path) -> None:
    """Make `weak.pem` by openssl: a good leaf, an authority with an RSA key of 1024 bits, signed by SHA-1 (RSASSA-PSS),
    and its root, which signs itself by MD5."""
    steps = """
openssl req -x509 -newkey rsa:2048 -nodes -keyout weak-root.key -out weak-root.pem -subj /CN=root -days 90 -md5
openssl req -newkey rsa:1024 -nodes -keyout weak-ca.key -out weak-ca.csr -subj /CN=between
printf 'basicConstraints=CA:TRUE\\n' >weak-ca.ext
openssl x509 -req -in weak-ca.csr -CA weak-root.pem -CAkey weak-root.key -set_serial 2 -days 80 -sha1 \\
  -sigopt rsa_padding_mode:pss -extfile weak-ca.ext -out weak-ca.pem
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout weak.key -out weak.csr -subj /CN=leaf
openssl x509 -req -in weak.csr -CA weak-ca.pem -CAkey weak-ca.key -set_serial 3 -days 70 -sha256 -out weak-leaf.pem
cat weak-ca.pem weak-root.pem >weak-rest.pem
cat weak-leaf.pem weak-rest.pem >weak.pem
"""
    subprocess.run(["sh", "-e", "-c", steps], cwd=folder, check=True, capture_output=True)


@contextmanager
def slapd(made: Authority, tls: bool) -> Iterator[int]:
    """Have OpenLDAP's server, with StartTLS or without."""
    folder, port = made.folder / f"ldap-{tls}", free_port()
    folder.mkdir()
    files = f"TLSCertificateFile {made.file('leaf.pem')}\nTLSCertificateKeyFile {made.file('leaf.key')}\n"
    # Debian's is built with GnuTLS, which sends what leads to the root from this file.
    files += f"TLSCACertificateFile {made.file('chain.pem')}\n"
    (made.folder / "chain.pem").write_bytes(made.between.pem + made.root.pem)
    conf = folder / "slapd.conf"
    conf.write_text(f"pidfile {folder}/pid\n{files if tls else ''}database config\n")
    with running("slapd", "-d", "0", "-f", str(conf), "-h", f"ldap://127.0.0.1:{port}", ports=(port,)):
        yield port


@contextmanager
def dovecot(made: Authority) -> Iterator[tuple[int, int]]:
    """Have Dovecot, for IMAP and POP3 with STARTTLS."""
    (imap, pop3), folder = free_ports(2), made.folder / "dovecot"
    folder.mkdir()
    conf = folder / "dovecot.conf"
    conf.write_text(
        f"base_dir = {folder}/run\nlog_path = {folder}/log\nprotocols = imap pop3\nssl = yes\n"
        f"ssl_cert = <{made.file('leaf.pem')}\nssl_key = <{made.file('leaf.key')}\nlisten = 127.0.0.1\n"
        + "".join(
            f"service {name}-login {{\n inet_listener {name} {{\n port = {port}\n }}\n"
            f" inet_listener {name}s {{\n port = 0\n }}\n}}\n"
            for name, port in (("imap", imap), ("pop3", pop3))
        )
        + "passdb {\n driver = static\n args = nopassword=y\n}\n"
    )
    with running("dovecot", "-F", "-c", str(conf), ports=(imap, pop3)):
        yield imap, pop3


@contextmanager
def vsftpd(made: Authority) -> Iterator[int]:
    """Have vsftpd with AUTH TLS."""
    port, conf = free_port(), made.folder / "vsftpd.conf"
    empty = made.folder / "empty"
    empty.mkdir()
    conf.write_text(
        f"listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port={port}\nssl_enable=YES\n"
        f"rsa_cert_file={made.file('leaf.pem')}\nrsa_private_key_file={made.file('leaf.key')}\n"
        f"secure_chroot_dir={empty}\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\n"
    )
    with running("vsftpd", str(conf), ports=(port,)):
        yield port


@contextmanager
def postfix(made: Authority) -> Iterator[tuple[int, int]]:
    """Have Postfix: SMTP with STARTTLS, and without."""
    (port, bare), folder = free_ports(2), made.folder / "postfix"
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "data", "postfix")
    options = f"-o smtpd_tls_security_level=may -o smtpd_tls_chain_files={made.file('both.pem')}"
    key, chain = (made.folder / "leaf.key").read_bytes(), (made.folder / "leaf.pem").read_bytes()
    (made.folder / "both.pem").write_bytes(key + chain)
    (folder / "conf" / "main.cf").write_text(
        f"compatibility_level = 3.6\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\n"
        f"inet_interfaces = 127.0.0.1\nmyhostname = mail.example\nmydestination =\nalias_maps =\nmaillog_file = "
        f"{folder}/log\nmaillog_file_prefixes = /tmp, /var, {folder}\nsmtpd_relay_restrictions = reject\n"
    )
    rows = [f"127.0.0.1:{port} inet n - n - - smtpd {options}", f"127.0.0.1:{bare} inet n - n - - smtpd"]
    programs = {"rewrite": "trivial-rewrite", "postlog": "postlogd"}
    for name in ("anvil", "tlsmgr", "rewrite", "postlog", "cleanup", "proxymap", "qmgr"):
        kind = "unix-dgram" if name == "postlog" else "unix"
        private = "n" if name in ("postlog", "cleanup", "qmgr") else "-"
        rows.append(f"{name} {kind} {private} - n - 1 {programs.get(name, name)}")
    (folder / "conf" / "master.cf").write_text("\n".join(rows) + "\n")
    subprocess.run(["postfix", "-c", folder / "conf", "check"], check=True, capture_output=True)
    with running("/usr/lib/postfix/sbin/master", "-d", "-c", str(folder / "conf"), ports=(port, bare)):
        yield port, bare


@contextmanager
def postgresql(made: Authority) -> Iterator[int]:
    """Have PostgreSQL with SSL, as its own account."""
    port, folder = free_port(), made.folder / "postgresql"
    folder.mkdir()
    shutil.chown(folder, "postgres")
    programs = max(Path("/usr/lib/postgresql").iterdir(), key=lambda one: int(one.name)) / "bin"
    words = [programs / "initdb", "-D", folder / "data", "--auth=trust", "--no-sync"]
    subprocess.run(words, check=True, capture_output=True, user="postgres", cwd="/")
    shutil.copy(made.file("leaf.key"), folder / "key.pem")
    shutil.chown(folder / "key.pem", "postgres")
    (folder / "key.pem").chmod(0o600)
    options = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": str(folder)}
    options |= {"ssl": "on", "ssl_cert_file": made.file("leaf.pem"), "ssl_key_file": str(folder / "key.pem")}
    listed = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with running(str(programs / "postgres"), "-D", str(folder / "data"), *listed, ports=(port,), user="postgres"):
        yield port


@contextmanager
def mariadb(made: Authority) -> Iterator[int]:
    """Have MariaDB with SSL."""
    port, folder = free_port(), made.folder / "mariadb"
    folder.mkdir()
    words = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={folder}/data", "--skip-test-db"]
    subprocess.run(words, check=True, capture_output=True)
    options = {
        "datadir": f"{folder}/data", "port": str(port), "bind-address": "127.0.0.1", "socket": f"{folder}/socket",
        "pid-file": f"{folder}/pid", "ssl-cert": made.file("leaf.pem"), "ssl-key": made.file("leaf.key"),
        "innodb-buffer-pool-size": "8M",
    }  # fmt: skip
    listed = [f"--{name}={value}" for name, value in options.items()]
    with running("mariadbd", "--no-defaults", "--user=root", *listed, ports=(port,)):
        yield port
