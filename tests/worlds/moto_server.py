"""EC2 by moto's server, with what it lacks to be used as the real one: run by the Python of its own environment.

    python moto_server.py FOLDER [NETWORK]   prints the port that it listens at, on 127.0.0.1; NETWORK: of nodes that
                                             are whole machines, as `node_network` has it, in JSON

moto keeps the state and gives the answers, to two accounts that share nothing. Put round it here, as EC2 has it: the
XML namespace that ends in a slash, signatures that are checked (version 4, keys and secrets as below), one instance for
one client token however often it is asked for, key pairs that are removed by their id, and behind each running instance
a node at its public address (`nodes`). PUT / takes a JSON map of wishes: `pending` listings before a new instance runs,
`broken` names of instances that end with a reason at the second listing, `forgets` instance ids that the next so many
listings do not have.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib.util
import json
import os
import re
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, quote

os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # 1,300 images, four seconds

from moto.ec2.models import ec2_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

#: Key -> its secret, and the account that it is of.
KEYS = {
    "AKIATESTS": ("tests-secret/of+ec2", "123456789012"),
    "AKIAOTHER": ("other-secret/of+ec2", "210987654321"),
}
REASON = "Server.InsufficientInstanceCapacity: there is not enough capacity to launch it"
IMAGES = (
    ("debian-12-amd64-20250101-1", datetime(2025, 1, 1, tzinfo=UTC)),
    ("debian-12-amd64-20260101-1", datetime(2026, 1, 1, tzinfo=UTC)),
    ("debian-11-amd64-20260201-1", datetime(2026, 2, 1, tzinfo=UTC)),
)
#: As Debian publishes its images, under the id of its own account.
PUBLISHED, DEBIAN = "debian-12-amd64-20260112-1", "136693071363"
NAMESPACE = re.compile(rb'(xmlns="http://ec2\.amazonaws\.com/doc/2016-11-15)"')


class Cloud:
    """moto's application and the machines behind it."""

    def __init__(self, nodes) -> None:
        self.nodes = nodes
        self.app = DomainDispatcherApplication(create_backend_app)
        self.wishes: dict[str, object] = {"pending": 0, "broken": [], "forgets": {}}
        self.tokens: dict[tuple[str, str], tuple[str, list[tuple[str, str]], bytes]] = {}
        self.lock = threading.RLock()

    def __call__(self, env, start):
        length = int(env.get("CONTENT_LENGTH") or 0)
        body = env["wsgi.input"].read(length)
        if env["REQUEST_METHOD"] == "PUT":
            self.wishes.update(json.loads(body))
            start("200 OK", [("Content-Length", "0")])
            return [b""]
        refusal = refused(env, body)
        if refusal:
            start(*refusal[:2])
            return [refusal[2]]
        asked = {name: values[0] for name, values in parse_qs(body.decode() or env.get("QUERY_STRING", "")).items()}
        with self.lock:
            status, headers, answer = self._answered(env, body, asked)
        start(status, [*headers, ("Content-Length", str(len(answer)))])
        return [answer]

    def _answered(self, env, body, asked):
        key, region = re.search(r"Credential=([^/]+)/[^/]+/([^/]+)/", env["HTTP_AUTHORIZATION"]).groups()
        env = env | {"HTTP_X_MOTO_ACCOUNT_ID": KEYS[key][1]}  # moto's own way to have several
        account = ec2_backends[KEYS[key][1]][region]
        action, token = asked.get("Action", ""), (f"{key}/{region}", asked.get("ClientToken", ""))
        if action == "RunInstances" and token in self.tokens:
            return self.tokens[token]
        prepare(account)
        if action == "DeleteKeyPair" and "KeyPairId" in asked:
            found = [pair.key_name for pair in account.key_pairs.values() if pair.id == asked["KeyPairId"]]
            if not found:
                status, _, answer = error("400 Bad Request", "InvalidKeyPair.NotFound", "The key pair does not exist")
                return status, [("Content-Type", "text/xml")], answer
            body += f"&KeyName={quote(found[0])}".encode()
            env = env | {"CONTENT_LENGTH": str(len(body))}
        hidden = self._tick(account) if action == "DescribeInstances" else []
        before = set(instances(account))
        answer = self._of_moto(env, body)
        if action == "RunInstances" and answer[0].startswith("200") and token[1]:
            self.tokens[token] = answer  # also where its machine cannot be started: it is there, and asked for again
        for instance in instances(account).values():
            self._behind(instance, new=instance.id not in before)
        if action == "RebootInstances" and answer[0].startswith("200"):
            self.nodes.reboot(asked["InstanceId.1"])
        if action == "GetConsoleOutput" and answer[0].startswith("200"):
            answer = (*answer[:2], printed(answer[2], self.nodes.console(asked["InstanceId"])))
        if action == "DescribeInstances":
            answer = self._of_moto(env, body, hidden)  # as it is now, with the addresses
        return answer

    def _of_moto(self, env, body, hidden=()):
        seen = []
        env = env | {"wsgi.input": BytesIO(body), "REQUEST_URI": env["PATH_INFO"], "RAW_URI": env["PATH_INFO"]}
        answer = b"".join(self.app(env, lambda status, headers, error=None: seen.extend([status, headers])))
        answer = NAMESPACE.sub(rb'\1/"', answer)
        for one in hidden:
            answer = without(answer, one)
        return seen[0], [(name, value) for name, value in seen[1] if name.lower() != "content-length"], answer

    def _tick(self, account) -> list[str]:
        """Let the time of one listing pass; return the ids that it does not have."""
        for instance in instances(account).values():
            left = getattr(instance, "listings_left", 0)
            if instance.state == "pending" and left <= 0:
                name = {tag["key"]: tag["value"] for tag in instance.get_tags()}.get("infratest.name")
                if name in self.wishes["broken"]:
                    instance.terminate()
                    instance.state_reason.message, instance._reason = REASON, "Server.InsufficientInstanceCapacity"
                else:
                    instance.start()
            instance.listings_left = left - 1
        forgets = self.wishes["forgets"]
        hidden = [one for one, times in forgets.items() if times > 0]
        for one in hidden:
            forgets[one] -= 1
        return hidden

    def _behind(self, instance, new: bool) -> None:
        """Have the machine of an instance be as the instance is."""
        name = {tag["key"]: tag["value"] for tag in instance.get_tags()}.get("infratest.name")
        if new and (self.wishes["pending"] or name in self.wishes["broken"]):
            instance.listings_left = int(self.wishes["pending"])
            instance._state.name, instance._state.code = "pending", 0
        if instance.state == "running":
            address = instance.nics[0].public_ip = self.nodes.start(instance.id, str(instance.user_data or ""))
            if self.nodes.meet:
                instance.nics[0].private_ip_address = address
        elif instance.state == "stopped":
            self.nodes.stop(instance.id)
        elif instance.state == "terminated":
            self.nodes.remove(instance.id)


def prepare(account) -> None:
    """Have the images of these tests in a region."""
    if not account.amis:
        for name, made in IMAGES:
            ami = account.register_image(name=name, description=name)
            ami.creation_date, ami.architecture = made, "x86_64"
        published = account.register_image(name=PUBLISHED, description=PUBLISHED)
        published.owner_id, published.architecture = DEBIAN, "x86_64"
        published.launch_permissions.append({"Group": "all"})


def instances(account):
    return {one.id: one for reservation in account.reservations.values() for one in reservation.instances}


def without(answer: bytes, instance: str) -> bytes:
    """Return a listing without the reservation of an instance, as one that has not heard of it yet."""
    items = re.split(rb"(?=<item><reservationId>|</reservationSet>)", answer)
    return b"".join(item for item in items if f"<instanceId>{instance}<".encode() not in item)


def printed(answer: bytes, text: str) -> bytes:
    """Return the answer to a question for an instance's console, with what its machine prints there."""
    return re.sub(rb"<output>[^<]*</output>", b"<output>%s</output>" % base64.b64encode(text.encode()), answer)


def refused(env, body: bytes):
    """Return the refusal of a request that is not signed as EC2 wants it (signature version 4), None where it is."""
    said = env.get("HTTP_AUTHORIZATION", "")
    pattern = r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), "
    found = re.match(pattern + r"Signature=(\w+)$", said)
    if not found:
        return error("401 Unauthorized", "AuthFailure", "no signature of version 4")
    key, day, region, service, names, signature = found.groups()
    if key not in KEYS:
        return error("401 Unauthorized", "AuthFailure", "AWS was not able to validate the provided access credentials")
    when = env.get("HTTP_X_AMZ_DATE", "")
    sent = datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    if abs(sent - time.time()) > 900:
        return error("400 Bad Request", "RequestExpired", "Request has expired.")
    kept = {"content-type": env.get("CONTENT_TYPE", ""), "content-length": env.get("CONTENT_LENGTH", "")}
    lines = []
    for name in names.split(";"):
        value = kept.get(name) or env.get("HTTP_" + name.upper().replace("-", "_"), "")
        lines.append(f"{name}:{value.strip()}")
    query = "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}"
        for name, values in sorted(parse_qs(env.get("QUERY_STRING", ""), keep_blank_values=True).items())
        for value in values
    )
    payload = hashlib.sha256(body).hexdigest()
    canonical = "\n".join([env["REQUEST_METHOD"], env["PATH_INFO"], query, *lines, "", names, payload])
    text = f"AWS4-HMAC-SHA256\n{when}\n{day}/{region}/{service}/aws4_request\n"
    text += hashlib.sha256(canonical.encode()).hexdigest()
    secret = f"AWS4{KEYS[key][0]}".encode()
    for part in (day, region, service, "aws4_request", text):
        secret = hmac.digest(secret, part.encode(), "sha256")
    if secret.hex() != signature:
        return error("403 Forbidden", "SignatureDoesNotMatch", "The request signature does not match")
    return None


def error(status: str, code: str, message: str):
    body = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors></Response>"
    return status, [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))], body.encode()


def load(path: Path):
    """Return a package by its folder, without those round it: this environment has no infratest."""
    place = [str(path)]
    spec = importlib.util.spec_from_file_location(path.name, path / "__init__.py", submodule_search_locations=place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.name] = module
    spec.loader.exec_module(module)
    return module


def nodes_of(folder: str, network: str = ""):
    """Return the nodes: whole machines in a network, sshds of this machine without one."""
    nodes = load(Path(__file__).with_name("nodes"))
    if network:
        return importlib.import_module("nodes.machines").NodeMachines(**json.loads(network))
    return nodes.Nodes(Path(folder))


def main(*words: str) -> None:
    nodes = nodes_of(*words)
    server = make_server("127.0.0.1", 0, Cloud(nodes), threaded=True)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(server.port, flush=True)
    try:
        server.serve_forever()
    finally:
        nodes.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
