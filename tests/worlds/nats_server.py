"""Real NATS servers for tests: on free ports of 127.0.0.1, as nobody, with streams that JetStream's own API made."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.worlds.certificates import authority
from tests.worlds.servers import PASSWORD, folder_of_nobody, free_ports, running

#: Whoever comes is `guest`; `shut` may neither say nor hear anything.
CONF = """\
listen: 127.0.0.1:{port}
http: 127.0.0.1:{monitoring}
jetstream {{ store_dir: "{folder}/kept" }}
accounts {{
  A {{ jetstream: enabled, users: [ {{user: guest, password: guest}}, {{user: monitor, password: {password}}},
    {{user: shut, password: {password}, permissions: {{publish: {{deny: ">"}}, subscribe: {{deny: ">"}}}}}} ] }}
  B {{ users: [ {{user: other, password: {password}}} ] }}
}}
no_auth_user: guest
"""
TOKEN = 'listen: 127.0.0.1:{port}\nauthorization {{ token: "{token}" }}\n{tls}'
TLS = 'tls {{ cert_file: "{file}", key_file: "{file}" }}\n'


class Servers(NamedTuple):
    """Ports: of a server with JetStream, of what it says of itself by HTTP, of one with a token, and with TLS and one.

    Args:
        authority: who signed the certificate of the last.
    """

    plain: int
    monitoring: int
    token: int
    tls: int
    authority: Path

    def streams(self) -> dict[str, tuple[int, int, int]]:
        """Return messages, bytes and consumers of each stream, as the server says at its monitoring port."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.monitoring}/jsz?streams=true&accounts=true") as answer:
            told = json.load(answer)
        found = [one for account in told["account_details"] for one in account.get("stream_detail", ())]
        return {
            one["name"]: (one["state"]["messages"], one["state"]["bytes"], one["state"]["consumer_count"])
            for one in found
        }


@contextlib.contextmanager
def nats_servers(token: str) -> Iterator[Servers]:
    """Yield servers with a stream `orders` of three messages and one consumer, and an empty one, `none`."""
    with folder_of_nobody() as folder, contextlib.ExitStack() as stack:
        plain, monitoring, tokened, tls = free_ports(4)
        signer = authority(folder)
        certificate = signer.sign("127.0.0.1")
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755)
        quoted = json.dumps(PASSWORD)
        texts = {
            plain: CONF.format(port=plain, monitoring=monitoring, folder=folder, password=quoted),
            tokened: TOKEN.format(port=tokened, token=token, tls=""),
            tls: TOKEN.format(port=tls, token=token, tls=TLS.format(file=certificate)),
        }
        for port, text in texts.items():
            (folder / f"{port}.conf").write_text(text)
            stack.enter_context(running("nats-server", "-c", folder / f"{port}.conf", folder=folder, port=port))
        for name in ("orders", "none"):
            asked(plain, f"$JS.API.STREAM.CREATE.{name}", {"name": name, "subjects": [f"{name}.*"], "storage": "file"})
        for number in range(3):
            asked(plain, f"orders.{number}", {"number": number})
        consumer = {"stream_name": "orders", "config": {"durable_name": "packer", "ack_policy": "explicit"}}
        asked(plain, "$JS.API.CONSUMER.DURABLE.CREATE.orders.packer", consumer)
        yield Servers(plain, monitoring, tokened, tls, signer.file)


def asked(port: int, subject: str, body: Any) -> Any:
    """Send a request, and return its answer, which must be no error."""
    data = json.dumps(body)
    with socket.create_connection(("127.0.0.1", port), 30) as one, one.makefile("rb") as lines:
        lines.readline()
        one.sendall(f"CONNECT {{}}\r\nSUB answer 1\r\nPUB {subject} answer {len(data)}\r\n{data}\r\n".encode())
        line = b""
        while not line.startswith(b"MSG "):
            line = lines.readline()
            assert line
            assert not line.startswith(b"-ERR"), line
        answer = json.loads(lines.read(int(line.split()[-1])))
    assert "error" not in answer, answer
    return answer
