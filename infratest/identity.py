"""By whose account programs and clouds are asked: the environment variables that say so, of the common tools.

What is kept from one call to the next is of one account: `AWS_PROFILE=test` must not be shown what production has.
Called for answers of inventories that are kept, and for a plan that a check keeps with hosts from them.
"""

from __future__ import annotations

import os

#: What these variables begin with: AWS, OpenStack, Google, Azure, CloudStack, DigitalOcean, Hetzner, tools that ask.
PREFIXES = (
    "AWS_", "OS_", "GOOGLE_", "CLOUDSDK_", "ARM_", "AZURE_", "CLOUDSTACK_", "DIGITALOCEAN_", "HCLOUD_",
    "TF_", "ANSIBLE_", "VAGRANT_",
)  # fmt: skip
#: A name with one of these words holds what must be kept nowhere; who logs in stands in the others.
SECRET = ("SECRET", "PASSWORD", "TOKEN", "PASSCODE", "CREDENTIAL", "_KEY_JSON")


def account() -> list[tuple[str, str]]:
    """Return names and values of the variables that say whose account it is, nothing secret among them."""
    return sorted(
        (name, value)
        for name, value in os.environ.items()
        if name.startswith(PREFIXES) and not any(word in name for word in SECRET)
    )
