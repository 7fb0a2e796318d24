"""keystone and placement, which do not disturb each other in one process."""

import os
import sys

from serving import end_with_parent, serve, wait_forever

end_with_parent()
folder = os.environ["CLOUD_FOLDER"]

sys.argv = ["keystone", "--config-file", f"{folder}/keystone/keystone.conf"]
from keystone.server.wsgi import initialize_public_application  # noqa: E402

serve(initialize_public_application(), "identity")

os.environ["OS_PLACEMENT_CONFIG_DIR"] = f"{folder}/placement"
sys.argv = ["placement"]
from placement.wsgi import init_application  # noqa: E402

serve(init_application(), "placement")
wait_forever()
