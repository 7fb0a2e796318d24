"""A real OpenStack for tests: its own keystone, placement, glance, nova and neutron, as released, on loopback.

Only the hypervisor plays: nova's FakeDriver keeps books of servers and runs none. Everything that a client sees (the
API, tokens, quotas, the scheduler's refusals, states, addresses) is what a user's cloud runs.

- `environment.py` installs the services and makes their empty databases, once on a machine, into the cache.
- `keeper.py` is a process that starts a cloud for whoever uses it and ends it when nobody does any more.
- `cloud.py` is what a test sees: `cloud()` joins the one that runs or starts it, `Cloud.project()` is a test's share.
- `settings.py` are the services' configuration files; `services/` is run by the Python of the services.
"""
