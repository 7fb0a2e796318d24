"""The simulator's HTTP side: requests signed as CloudStack has them signed, answers and errors in its form."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import sys
import tempfile
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

from tests.worlds.cloudstack_simulator import groups, instances, networks  # noqa: F401 -- their commands
from tests.worlds.cloudstack_simulator.account import COMMANDS, Account, Refused
from tests.worlds.nodes import Nodes

KEY, SECRET = "plgWJfZK4gyS3mOMTVmjUVg-X-jlWlnfaUJ9GAbBbf9EdM", "tests-secret/of+cloudstack~"
#: Of the account `museum`.
OTHER_KEY, OTHER_SECRET = "kQ3mXb7nTzR1yVw5uH9cLd2fGs8jPa4eNo6iBt0xYqKwSr", "other-secret/of+cloudstack~"
UNAUTHORIZED = "unable to verify user credentials and/or request signature"
NO_COMMAND = "The given command '{}' either does not exist, is not available for user"


class Simulator:
    """A running one: `url` is its endpoint, `account` what the account has that tests use, `other` another one.

    Args:
        nodes: the machines behind its instances; an sshd each by default.
    """

    def __init__(self, nodes: Nodes | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="infratest-cloudstack-"))
        self.nodes = nodes or Nodes(self.folder / "nodes")
        self.account, self.other = Account(self.nodes), Account(self.nodes, "museum")
        self.requests: list[tuple[str, str]] = []  # method and path of each, as a log would have them
        simulator = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                simulator._serve(self)

            do_POST = do_GET

            def log_message(self, *words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                if not isinstance(sys.exception(), ConnectionError):  # whoever asked may have been killed
                    super().handle_error(request, client_address)  # type: ignore[arg-type]

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/client/api"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.nodes.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        self.requests.append((handler.command, handler.path))
        asked = dict(parse_qsl(urlsplit(handler.path).query, keep_blank_values=True))
        asked |= dict(parse_qsl(body, keep_blank_values=True))
        status, answer = self._answered(asked)
        data = json.dumps(answer).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json; charset=UTF-8")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _answered(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        command = asked.get("command", "")
        name = f"{command.lower()}response"
        account = self.account if verified(asked) else self.other
        if account is self.other and not verified(asked, OTHER_KEY, OTHER_SECRET):
            return 401, {name: refusal(401, UNAUTHORIZED)}
        if command not in COMMANDS:
            return 432, {"errorresponse": refusal(432, NO_COMMAND.format(command))}
        try:
            return 200, {name: account.answer(command, asked)}
        except Refused as error:
            return error.code, {name: refusal(error.code, str(error))}


def refusal(code: int, text: str) -> dict[str, Any]:
    return {"uuidList": [], "errorcode": code, "errortext": text}


def verified(asked: dict[str, str], key: str = KEY, secret: str = SECRET) -> bool:
    """Return whether a request is signed by the secret of its key and has not expired (ApiServer.verifyRequest)."""
    given = {name: value for name, value in asked.items() if name.lower() != "signature"}
    parts = [f"{name}={java_quoted(given[name])}" for name in sorted(given)]
    digest = hmac.new(secret.encode(), "&".join(parts).lower().encode(), hashlib.sha1).digest()
    low = {name.lower(): value for name, value in given.items()}
    if low.get("signatureversion") == "3":
        try:
            ends = datetime.strptime(low["expires"], "%Y-%m-%dT%H:%M:%S%z")
        except (KeyError, ValueError):
            return False
        if ends < datetime.now(UTC):
            return False
    signature = base64.b64encode(digest).decode()
    return low.get("apikey") == key and hmac.compare_digest(asked.get("signature", ""), signature)


def java_quoted(value: str) -> str:
    """Return a value as java.net.URLEncoder has it, blanks as %20."""
    return quote_plus(value, safe="*").replace("~", "%7E").replace("+", "%20")
