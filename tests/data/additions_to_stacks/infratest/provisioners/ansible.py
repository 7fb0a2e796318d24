"""`ansible: site.yml`: a provisioner whose name the design has; it shows the host its playbook."""

from __future__ import annotations

from dataclasses import dataclass, field

from infratest.deadline import Deadline
from infratest.errors import ProviderError
from infratest.provisioners.base import Provisioner, Target, content


@dataclass(frozen=True, kw_only=True)
class Options:
    """A playbook."""

    playbook: str = field(metadata={"description": "The playbook here.", "source": True, "short": True})


class Ansible(Provisioner):
    """Shows a playbook."""

    options: Options

    def describe(self) -> str:
        return f"ansible {self.options.playbook}"

    def apply(self, target: Target, deadline: Deadline) -> bool:
        with target.shown():
            result = target.transport.run(["cat"], deadline, content(self.folder / self.options.playbook), target.sudo)
        target.log(result.stdout.decode())
        if b"broken" in result.stdout:
            raise ProviderError(f"{target.transport.host.name}: the playbook is broken")
        return True
