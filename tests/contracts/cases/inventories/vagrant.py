"""What `vagrant ssh-config` prints of two machines, kept in a file: its own template, filled in."""

from __future__ import annotations

from infratest.testing.inventories import Case

MACHINE = """\
Host {name}
  HostName 127.0.0.1
  User vagrant
  Port {port}
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  PasswordAuthentication no
  IdentityFile "/srv/my project/.vagrant/machines/{name}/virtualbox/private_key"
  IdentityFile /root/.vagrant.d/insecure_private_keys/vagrant.key.ed25519
  IdentitiesOnly yes
  LogLevel FATAL
  PubkeyAcceptedKeyTypes +ssh-rsa
  HostKeyAlgorithms +ssh-rsa

"""
TEXT = MACHINE.format(name="web", port=2222) + MACHINE.format(name="db", port=2200)

CASE = Case(
    works="machines",
    files={"machines": TEXT},
    hosts={
        "web": {
            "address": "127.0.0.1", "port": 2222, "user": "vagrant",
            "key": "/srv/my project/.vagrant/machines/web/virtualbox/private_key",
        },
        "db": {"port": 2200},
    },
    reads=("machines",),
    broken=(
        ({"machines": None}, "there is no"),
        ({"machines": TEXT + "Host cut\n  HostN"}, "nothing stands behind 'HostN': was it cut?"),
        ({"machines": "Host cut\n  User vagrant\n"}, "host 'cut' has no HostName: was it cut?"),
        ({"machines": "Host a\n  HostName b\n  Port ssh\n"}, "machines:3: Port is 'ssh'"),
        ({"machines": "  HostName b\n"}, "'HostName b' is of no host"),
    ),
    refused=({}, {"path": ".", "max-age": "soon"}),
)  # fmt: skip
