"""A real vsftpd on a free port of the loopback, that lets in `anonymous` and its like `ftp` by passwords of a list."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.worlds.tls_servers import Authority, free_port, running

PASSWORD = "s3cret@word/x"


class Files(NamedTuple):
    """The port, and the folder that who logs in sees: pub/data.tar has 1000 bytes."""

    port: int
    folder: Path


@contextmanager
def files(made: Authority, folder: Path, changed: float) -> Iterator[Files]:
    """Have the server.

    Args:
        changed: when pub/data.tar was.
    """
    port, conf, root = free_port(), folder / "vsftpd.conf", folder / "root"
    for name in ("pub/dir", "closed", "barred", "empty"):
        (root / name).mkdir(parents=True)
    for name, size in (("pub/data.tar", 1000), ("pub/.dot", 1), ("pub/no rights", 5), ("closed/x", 1), ("barred/x", 1)):
        (root / name).write_bytes(b"x" * size)
        os.utime(root / name, (changed, changed))
    (root / "pub/no rights").chmod(0o600)
    (root / "closed").chmod(0o711)  # one may go in, and not look
    (root / "barred").chmod(0o700)
    (folder / "passwords").write_text(f"infratest@\n{PASSWORD}\n")
    conf.write_text(
        f"listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port={port}\nssl_enable=YES\nlocal_enable=NO\n"
        f"rsa_cert_file={made.file('leaf.pem')}\nrsa_private_key_file={made.file('leaf.key')}\n"
        f"secure_chroot_dir={root}/empty\nseccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\n"
        f"anonymous_enable=YES\nanon_root={root}\nsecure_email_list_enable=YES\nemail_password_file={folder}/passwords\nallow_anon_ssl=YES\nanon_world_readable_only=NO\n"
        "delay_failed_login=0\nftpd_banner=files of the tests\n"
    )
    with running("vsftpd", str(conf), ports=(port,)):
        yield Files(port, root)
