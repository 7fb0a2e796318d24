"""All of nova in one process, so that its parts reach each other without a message broker.

As many as one process may hold: conductor, scheduler, a compute service whose hypervisor only plays, and the API.
"""

import os
import sys

from serving import end_with_parent, serve, wait_forever

end_with_parent()
os.environ["OS_NOVA_DISABLE_EVENTLET_PATCHING"] = "true"
sys.argv = ["nova", "--config-file", os.environ["CLOUD_FOLDER"] + "/nova/nova.conf"]
from nova import monkey_patch  # noqa: E402

monkey_patch.patch(backend="threading")  # before anything else of nova is imported

import hypervisor  # noqa: E402
import nova.conf  # noqa: E402
from nova import config, context, objects, service  # noqa: E402
from nova.api import wsgi  # noqa: E402
from nova.api.openstack import wsgi_app  # noqa: E402
from nova.objects import host_mapping  # noqa: E402
from oslo_log import log as logging  # noqa: E402
from oslo_service import _options  # noqa: E402

sys.modules["nova.virt.hypervisor"] = hypervisor  # nova looks for drivers nowhere else
config.parse_args(sys.argv)
logging.setup(nova.conf.CONF, "nova")
objects.register_all()
nova.conf.CONF.register_opts(_options.service_opts)
running = []
for part in ("conductor", "scheduler", "compute"):
    each = service.Service.create(binary=f"nova-{part}", topic=part)
    each.start()
    running.append(each)
# What the compute service registered must be known to its cell, or every server ends in an error. nova does this
# itself, but not before minutes have passed.
host_mapping.discover_hosts(context.get_admin_context())
wsgi_app._setup_service(nova.conf.CONF.host, "osapi_compute")
serve(wsgi.Loader().load_app("osapi_compute"), "compute")
wait_forever()
