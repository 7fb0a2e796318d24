"""The world of EC2 itself: one instance for one client token, also where the first request ended with an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.worlds.moto_ec2 import MOTO, PROGRAM
from tests.worlds.venvs import python_with

#: Run by the Python of moto's own environment: the machine behind an instance cannot be started at first.
SCRIPT = """
import moto_server


class Nodes:
    meet, times = False, 0

    def start(self, instance, user_data):
        self.times += 1
        if self.times == 1:
            raise OSError("no sshd today")
        return "127.9.0.1"


cloud = moto_server.Cloud(Nodes())
account = moto_server.ec2_backends["123456789012"]["us-east-1"]
moto_server.prepare(account)
image = next(iter(account.amis))
body = f"Action=RunInstances&Version=2016-11-15&ImageId={image}&MinCount=1&MaxCount=1&ClientToken=one".encode()
env = {
    "REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": "", "CONTENT_TYPE": "application/x-www-form-urlencoded",
    "CONTENT_LENGTH": str(len(body)), "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
    "HTTP_HOST": "127.0.0.1",
    "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=AKIATESTS/20260101/us-east-1/ec2/aws4_request, x",
}
asked = {"Action": "RunInstances", "ClientToken": "one"}
try:
    cloud._answered(env, body, asked)
except OSError as error:
    print(error)
print(cloud._answered(env, body, asked)[0], len(moto_server.instances(account)))
"""


def test_a_token_is_known_though_the_machine_behind_its_instance_could_not_be_started() -> None:
    """The request was then carried out once more with the same token, and there were two servers of one name."""
    done = subprocess.run(
        [str(python_with("moto", MOTO)), "-c", SCRIPT], cwd=Path(PROGRAM).parent, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["no sshd today", "200 OK 1"], done.stderr[-2000:]
