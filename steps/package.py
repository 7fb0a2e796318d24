"""What can be said of packages of the distribution."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from infratest.facts.base import FactValues
    from infratest.facts.hold import Holds
    from infratest.facts.package import Package
    from infratest.facts.package_list import PackageList

HOLDS: Need[Holds] = Need("hold")


class _OfPackage(Check):
    name: str

    def __post_init__(self) -> None:
        from infratest.facts.package import package_name

        package_name(self.name)

    @derived
    def asked(self) -> Need[Package]:
        return Need("package", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def absence(self, package: Package) -> str:
        unknown = package.state == "unknown"
        known = f"{package.manager} does not know it" if unknown else f"known to {package.manager} as: {package.state}"
        return f'the package "{self.name}" is not installed ({known})'


@check(
    'the package "{name}" is installed',
    negation='the package "{name}" is not installed',
    example='the package "nginx" is installed',
)
class PackageInstalled(_OfPackage):
    """The package is installed, whole: half installed or removed with its configuration kept is not."""

    def observe(self, facts: FactValues) -> Seen:
        package = facts[self.asked]
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package))
        return Seen(holds=True, saw=f'the package "{self.name}" is installed in version {package.version}')


@check(
    'the package "{name}" has version "{version}"',
    negation='the package "{name}" does not have version "{version}"',
    example='the package "nginx" has version "1.22.1"',
)
class PackageVersion(_OfPackage):
    """Exactly this version: as the package manager writes it, or without epoch and the distribution's revision.

    The version is as the package manager writes it (`1:1.22.1-9+deb12u1`), or the same without epoch, or without epoch
    and the distribution's own revision (`1.22.1`). It is no prefix: `1.22` is not `1.22.1`.
    """

    version: str

    def observe(self, facts: FactValues) -> Seen:
        package = facts[self.asked]
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package), absent=True)
        return Seen(
            holds=self.version in _spellings(package.version),
            saw=f'the package "{self.name}" has version {package.version}',
        )


class _OfOrder(_OfPackage):
    """A version as the package manager orders it; of what the sentence's version leaves out nothing is asked."""

    version: str

    def __post_init__(self) -> None:
        from infratest.facts.package.versions import refuse_no_version

        super().__post_init__()
        refuse_no_version(self.version)

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts.package.versions import order

        package = facts[self.asked]
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package), absent=True)
        return Seen(
            holds=self.fits(lambda bound: order(package.version, bound, package.manager)),
            saw=f'the package "{self.name}" has version {package.version}',
        )

    @abstractmethod
    def fits(self, order: Callable[[str], int]) -> bool:
        """Whether the claim is so; `order` is less than, equal to or more than 0 as the installed one is to another."""


@check(
    'the package "{name}" has at least version "{version}"',
    negation='the package "{name}" does not have at least version "{version}"',
    example='the package "nginx" has at least version "1.22"',
)
class PackageAtLeast(_OfOrder):
    """This version or a later one by the package manager's order; without epoch or revision, these do not count.

    The order is that of dpkg, rpm, apk or pacman.
    """

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) >= 0


@check(
    'the package "{name}" has at most version "{version}"',
    negation='the package "{name}" does not have at most version "{version}"',
    example='the package "nginx" has at most version "1.26"',
)
class PackageAtMost(_OfOrder):
    """This version or an earlier one; without epoch or revision, these do not count."""

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) <= 0


@check(
    'the package "{name}" has a version less than "{version}"',
    negation='the package "{name}" does not have a version less than "{version}"',
    example='the package "nginx" has a version less than "2.0"',
)
class PackageLess(_OfOrder):
    """An earlier version; without epoch or revision, these do not count."""

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) < 0


@check(
    'the package "{name}" has a version more than "{version}"',
    negation='the package "{name}" does not have a version more than "{version}"',
    example='the package "nginx" has a version more than "1.18"',
)
class PackageMore(_OfOrder):
    """A later version; without epoch or revision, these do not count."""

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) > 0


@check(
    'the package "{name}" has a version between "{version}" and "{last}"',
    negation='the package "{name}" does not have a version between "{version}" and "{last}"',
    example='the package "nginx" has a version between "1.22" and "1.26"',
)
class PackageBetween(_OfOrder):
    """One of these versions or one between them; without epoch or revision, these do not count."""

    last: str

    def __post_init__(self) -> None:
        from infratest.facts.package.versions import refuse_no_version

        super().__post_init__()
        refuse_no_version(self.last)

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) >= 0 >= order(self.last)


@check(
    'the package "{name}" has a version matching "{pattern}"',
    negation='the package "{name}" does not have a version matching "{pattern}"',
    example='the package "nginx" has a version matching "1.22.*"',
)
class PackageMatches(_OfPackage):
    """A version that a shell pattern fits, as the package manager writes it, or without epoch and revision."""

    pattern: str

    def observe(self, facts: FactValues) -> Seen:
        from infratest.globs import fits

        package = facts[self.asked]
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package), absent=True)
        return Seen(
            holds=any(fits(self.pattern, one) for one in _spellings(package.version)),
            saw=f'the package "{self.name}" has version {package.version}',
        )


@check(
    'the package "{name}" has release "{release}"',
    negation='the package "{name}" does not have release "{release}"',
    example='the package "nginx" has release "9+deb12u1"',
)
class PackageRelease(_OfPackage):
    """The distribution's own revision: what stands behind the last hyphen of the version."""

    release: str

    def observe(self, facts: FactValues) -> Seen:
        package = facts[self.asked]
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package), absent=True)
        upstream, _, release = package.version.rpartition("-")
        return Seen(
            holds=bool(upstream) and release == self.release,
            saw=f'the package "{self.name}" has version {package.version}',
        )


class _OfPattern(Check):
    pattern: str

    def __post_init__(self) -> None:
        from infratest.facts.package_list import package_pattern

        package_pattern(self.pattern)

    @derived
    def asked(self) -> Need[PackageList]:
        return Need("package-list", (self.pattern,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def words(self, found: PackageList) -> str:
        count = len(found.packages)
        listed = f": {found.in_words()}" if count else ""
        if count == 1:
            return f'1 package matching "{self.pattern}" is installed{listed}'
        return f'{count or "no"} packages matching "{self.pattern}" are installed{listed}'


@check(
    'no package matching "{pattern}" is installed',
    negation='a package matching "{pattern}" is installed',
    example='no package matching "telnetd*" is installed',
)
class NoneMatching(_OfPattern):
    """No installed package has a name that the shell pattern fits: `*`, `?`, `[a-z]`."""

    def observe(self, facts: FactValues) -> Seen:
        return Seen(holds=not facts[self.asked].packages, saw=self.words(facts[self.asked]))


@check(
    '{bound:count} packages matching "{pattern}" are installed',
    example='at most 3 packages matching "linux-image-*" are installed',
)
class MatchingCount(_OfPattern):
    """How many installed packages have a name that the shell pattern fits; of one in several versions, each counts."""

    def observe(self, facts: FactValues) -> Seen:
        return Seen(holds=True, saw=self.words(facts[self.asked]), number=len(facts[self.asked].packages))

    def measure(self) -> Measure:
        return Measure(label=f"packages {self.pattern}", minimum=0)


@check(
    'the package "{name}" is held',
    negation='the package "{name}" is not held',
    example='the package "linux-image-amd64" is held',
)
class PackageHeld(_OfPackage):
    """The package manager is told not to upgrade the installed package.

    dpkg: on hold (`apt-mark hold`). rpm: in a list of versionlock (dnf, yum, zypper's locks). apk: held down to a
    version in /etc/apk/world. pacman: in IgnorePkg, or in a group of IgnoreGroup.
    """

    def needs(self) -> tuple[Need, ...]:
        return (self.asked, HOLDS)

    def observe(self, facts: FactValues) -> Seen:
        package = facts[self.asked]
        if not package.installed:
            return Seen(holds=False, saw=self.absence(package), absent=True)
        words = package.state.split(", ")[1:] if package.manager == "dpkg" else []
        by = "hold" if "hold" in words else facts[HOLDS].of(self.name)
        how = f"held (by {package.manager}: {by})" if by else "not held"
        return Seen(holds=bool(by), saw=f'the package "{self.name}" is {how}, in version {package.version}')


def _spellings(version: str) -> set[str]:
    epoch, colon, rest = version.partition(":")
    without_epoch = rest if colon and epoch.isdigit() else version
    upstream = without_epoch.rpartition("-")[0] or without_epoch
    return {version, without_epoch, upstream}
