"""A folder of an INI file, a YAML file and a program, with variables beside them."""

from __future__ import annotations

from infratest.testing.inventories import Case

PROGRAM = '#!/bin/sh\necho \'{"cloud": {"hosts": ["c-1"]}, "_meta": {"hostvars": {"c-1": {"ansible_port": 2222}}}}\'\n'

CASE = Case(
    works={"path": "inventory", "labels": ["env"]},
    files={
        "inventory/1-hosts": "[web]\nweb-[1:2] ansible_user=admin\n[web:vars]\nenv=prod\n",
        "inventory/2-more.yml": "data:\n  hosts:\n    db: {ansible_host: 192.0.2.9, ansible_become: yes}\n",
        "inventory/3-cloud": PROGRAM,
        "inventory/group_vars/web.yml": "ansible_ssh_common_args: -J gate\n",
    },
    hosts={
        "web-1": {"user": "admin", "jump": "gate", "groups": ("web",), "labels": {"env": "prod"}, "address": None},
        "web-2": {"user": "admin"},
        "db": {"address": "192.0.2.9", "sudo": True, "groups": ("data",), "labels": {}},
        "c-1": {"port": 2222, "groups": ("cloud",)},
    },
    reads=(
        "inventory", "inventory/1-hosts", "inventory/2-more.yml", "inventory/3-cloud", "inventory/group_vars",
        "inventory/group_vars/web.yml", "inventory/host_vars",
    ),
    broken=(
        ({"inventory/1-hosts": "[web]\nweb-1 x\n"}, "1-hosts:2: expected NAME=VALUE behind the host, found 'x'"),
        ({"inventory/2-more.yml": "data: {hosts: [a]}\n"}, "2-more.yml: group 'data': hosts is no map"),
        ({"inventory/3-cloud": "#!/bin/sh\necho no access >&2\nexit 4\n"}, "--list` ended with exit 4: no access"),
        ({"inventory/3-cloud": PROGRAM.replace("}}}}", "")}, "is no JSON, or not whole"),
    ),
    slow={"inventory/3-cloud": "#!/bin/sh\nsleep 60\n"},
    refused=({}, {"path": "h", "max-age": "0s"}, {"path": "h", "labels": "env"}),
)  # fmt: skip
