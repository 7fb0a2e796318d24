"""The image behind nodes of the tests' clouds that are whole machines: debian-12 with Debian's cloud-init."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from infratest.deadline import Deadline
from infratest.images.recipe import recipe
from infratest.providers.container import image
from infratest.providers.container.engine import Engine, find

#: Before the recipe's own set-up: debootstrap cannot configure packages whose scripts need a Python that is set up.
INSTALL = b"""#!/bin/sh
set -eu
export DEBIAN_FRONTEND=noninteractive
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
cp "$here/sources.list" /etc/apt/sources.list
cp "$here/apt.conf" /etc/apt/apt.conf.d/80infratest
apt-get -q update
apt-get -q install -y --no-install-recommends cloud-init netbase
# The address comes from the engine; where its user data are, from the file beside it alone.
printf 'network: {config: disabled}\\n' >/etc/cloud/cloud.cfg.d/90-network.cfg
printf 'locale: false\\n' >/etc/cloud/cloud.cfg.d/90-locale.cfg
printf 'datasource_list: [NoCloud]\\n' >/etc/cloud/cloud.cfg.d/90-source.cfg
exec sh "$here/recipe-setup.sh"
"""


def node_image() -> tuple[Engine, str]:
    """Return the engine and the image's tag; the image is built at first use, which takes one to three minutes."""
    engine = find("auto", Deadline(30))
    base = recipe("debian-12", Path())
    files = base.files | {"setup.sh": INSTALL, "recipe-setup.sh": base.files["setup.sh"]}
    wanted = replace(base, name="cloud-node", registry="", files=files)
    return engine, image.ensure(engine, wanted, Deadline(900))
