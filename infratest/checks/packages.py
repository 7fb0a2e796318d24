"""Questions about packages of the distribution."""

from __future__ import annotations

from infratest.check import Check, Seen
from infratest.facts.base import Need
from infratest.found import Package
from infratest.names import package_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class _OfPackage(Check):
    name: str

    def __post_init__(self) -> None:
        package_name(self.name)

    def needs(self) -> tuple[Need, ...]:
        return (Need("package", (self.name,)),)

    def package(self, facts: Mapping[Need, Any]) -> Package:
        found: Package = facts[self.needed[0]]
        return found

    def absence(self, package: Package) -> str:
        return f'the package "{self.name}" is not installed (known to {package.manager} as: {package.state})'


class PackageInstalled(_OfPackage):
    """Whether a package is installed, whole: unpacked or half removed is not."""

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        package = self.package(facts)
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package))
        return Seen(holds=True, saw=f'the package "{self.name}" is installed in version {package.version}')


class PackageVersion(_OfPackage):
    """Whether a package is installed in just this version.

    The version is as the package manager writes it (`1:1.22.1-9+deb12u1`), or the same without epoch, or without epoch
    and the distribution's own revision (`1.22.1`). It is no prefix: `1.22` is not `1.22.1`.
    """

    version: str

    def observe(self, facts: Mapping[Need, Any]) -> Seen:
        package = self.package(facts)
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package), absent=True)
        return Seen(
            holds=self.version in _spellings(package.version),
            saw=f'the package "{self.name}" has version {package.version}',
        )


def _spellings(version: str) -> set[str]:
    epoch, colon, rest = version.partition(":")
    without_epoch = rest if colon and epoch.isdigit() else version
    upstream = without_epoch.rpartition("-")[0] or without_epoch
    return {version, without_epoch, upstream}
