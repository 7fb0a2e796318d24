"""neutron. Its driver for ports is made known as a package would: by an entry point in a folder of meta data."""

import os
import sys
from pathlib import Path

from serving import end_with_parent, serve, wait_forever

end_with_parent()
folder = Path(os.environ["CLOUD_FOLDER"])
about = folder / "neutron" / "plugins" / "binds_every_port-1.dist-info"
about.mkdir(parents=True)
(about / "METADATA").write_text("Metadata-Version: 2.1\nName: binds-every-port\nVersion: 1\n")
(about / "entry_points.txt").write_text(
    "[neutron.ml2.mechanism_drivers]\nbinds_every_port = binds_every_port:BindsEveryPort\n"
)
sys.path.append(str(about.parent))

os.environ["OS_NEUTRON_CONFIG_FILES"] = str(folder / "neutron" / "neutron.conf")
sys.argv = ["neutron-api"]
from neutron.wsgi.api import application  # noqa: E402

serve(application, "network")
wait_forever()
