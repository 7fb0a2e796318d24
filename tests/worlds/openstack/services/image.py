"""glance."""

import os
import sys

from serving import end_with_parent, serve, wait_forever

end_with_parent()
os.environ["OS_GLANCE_CONFIG_DIR"] = os.environ["CLOUD_FOLDER"] + "/glance"
sys.argv = ["glance-api"]
from glance.wsgi.api import application  # noqa: E402

serve(application, "image")
wait_forever()
