"""A key of somebody's; the digest is what ssh-keygen -l says of it."""

from __future__ import annotations

from infratest.providers._component import KeyPair
from infratest.testing.components import Case

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINn9ldM6fhB9asi+BA7u9dEOsaBsqGj8jVilFbgcVC8w jane@laptop"

CASE = Case(
    works={"public": "jane.pub", "to": {"group": "web"}},
    hosts=("web-1", "web-2"),
    wish=KeyPair(public=PUBLIC),
    words="lets in jane@laptop (SHA256:KDRYSRQJWjlNXtaBibzwrxfLLFHI7BXmZv1Dh68kgns)",
    files={
        "jane.pub": PUBLIC + "\n",
        "jane": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----\n",
        "two.pub": f"{PUBLIC}\n{PUBLIC}\n",
        "options.pub": f'command="reboot" {PUBLIC}\n',
        "torn.pub": PUBLIC.replace("AAAAC3", "*") + "\n",
    },
    refused=(
        ({"public": "joe.pub"}, "joe.pub cannot be read: No such file or directory"),
        ({"public": "jane"}, "jane is a private key; name its public half, mostly jane.pub"),
        ({"public": "two.pub"}, "two.pub is no public key as ssh-keygen writes it, one line"),
        ({"public": "options.pub"}, "options.pub is no public key"),
        ({"public": "torn.pub"}, "torn.pub is no public key"),
        ({"public": "jane.pub", "to": {"host": "db"}}, ".to: unknown host 'db'"),
        ({}, "public is missing"),
    ),
)
