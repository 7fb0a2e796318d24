"""What can be said of later versions and of security updates, by the index that is on the host: none is fetched."""

from __future__ import annotations

from infratest.check import Check, Measure, Seen
from infratest.cleaning import clean
from infratest.errors import FactError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from infratest.facts.base import FactValues
    from infratest.facts.package import Package
    from infratest.facts.upgrade import Upgrades

#: Characters of a source's name in a reason.
SHOWN = 120

ALL: Need[Upgrades] = Need("upgrade")

#: No host of Alpine with later packages was at hand.
UNSEEN = "apk, written after apk-version(8)"


@check(
    'the package "{name}" is upgradable',
    negation='the package "{name}" is not upgradable',
    example='the package "nginx" is upgradable',
    unseen=UNSEEN,
)
class PackageUpgradable(Check):
    """The host's index has a later version than the one that is installed, whether or not the package is held.

    Asked of apt, dnf, pacman and apk.
    """

    name: str

    def __post_init__(self) -> None:
        from infratest.facts.package import package_name

        package_name(self.name)

    @derived
    def asked(self) -> Need[Package]:
        return Need("package", (self.name,))

    @derived
    def later(self) -> Need[Upgrades]:
        return Need("upgrade", (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked, self.later)

    def observe(self, facts: FactValues) -> Seen:
        package = facts[self.asked]
        if not package.installed:
            saw = f'the package "{self.name}" is not installed (known to {package.manager} as: {package.state})'
            return Seen(holds=False, saw=saw, absent=True)
        return self.look(package, _whole(facts[self.later]))

    def look(self, package: Package, upgrades: Upgrades) -> Seen:
        """Return what is seen in a package that is installed."""
        return Seen(holds=bool(upgrades.packages), saw=self.words(package, upgrades))

    def words(self, package: Package, upgrades: Upgrades) -> str:
        later = f"can be upgraded to {upgrades.packages[0][1]}" if upgrades.packages else "has no later version"
        later = later if upgrades.known else "is in no index"
        return f'the package "{self.name}" {later} (installed: {package.version}){upgrades.source()}'


@check(
    'the package "{name}" has the latest version',
    negation='the package "{name}" does not have the latest version',
    example='the package "nginx" has the latest version',
    unseen=UNSEEN,
)
class PackageLatest(PackageUpgradable):
    """The host's index has no later version than the installed one; of a package that it lacks, this is unknown."""

    def look(self, package: Package, upgrades: Upgrades) -> Seen:
        if not upgrades.known:
            raise FactError(f"{self.words(package, upgrades)}: which version is the latest one is not known")
        return Seen(holds=not upgrades.packages, saw=self.words(package, upgrades))


class _OfAll(Check):
    """All packages of a host."""

    def needs(self) -> tuple[Need, ...]:
        return (ALL,)


def _whole(upgrades: Upgrades) -> Upgrades:
    """Return what can be upgraded.

    Raises:
        FactError: nothing can by what is here, and of a source that is configured nothing is here.
    """
    if upgrades.missing and not upgrades.packages:
        raise FactError(f"no later version is in the index of {upgrades.manager}, but {_missing(upgrades)}")
    return upgrades


def _missing(upgrades: Upgrades) -> str:
    """Return in words that sources have no index."""
    names = ", ".join([clean(name, SHOWN) for name in upgrades.missing[:3]])
    if upgrades.missing == ("(none)",):
        return "no source is configured on this host"
    return f"{len(upgrades.missing)} of its configured sources have no index here: {names}; run apt-get update"


def _upgradable(upgrades: Upgrades) -> Sequence[tuple[str, str, bool]]:
    return _whole(upgrades).packages


def _count_of_all(upgrades: Upgrades) -> Sequence[tuple[str, str, bool]]:
    """Return what can be upgraded. Raises FactError where more of it may not be known."""
    if upgrades.missing:
        raise FactError(f"how many packages are upgradable is not known: {_missing(upgrades)}")
    return upgrades.packages


def _pending(upgrades: Upgrades) -> Sequence[tuple[str, str, bool]]:
    """Return the updates of security.

    Raises:
        FactError: the index does not tell which these are.
    """
    if not upgrades.security:
        raise FactError(
            f"the index of {upgrades.manager} on this host does not tell which updates are of security: "
            "apt knows them by a configured suite whose name ends in -security, dnf by a repository with updateinfo"
            + (f"; {_missing(upgrades)}" if upgrades.missing else "")
        )
    return [package for package in upgrades.packages if package[2]]


def _counted(packages: Sequence[tuple[str, str, bool]], one: str, many: str, upgrades: Upgrades) -> str:
    listed = f": {upgrades.listed(packages)}" if packages else ""
    words = one if len(packages) == 1 else many
    return f"{len(packages) or 'no'} {words}{listed}{upgrades.source()}"


@check(
    "no package is upgradable",
    negation="a package is upgradable",
    example="no package is upgradable",
    unseen=UNSEEN,
)
class NoneUpgradable(_OfAll):
    """The host's index has no later version of any package that is installed, those that are held included."""

    def observe(self, facts: FactValues) -> Seen:
        packages = _upgradable(facts[ALL])
        saw = _counted(packages, "package is upgradable", "packages are upgradable", facts[ALL])
        return Seen(holds=not packages, saw=saw.replace("no packages are", "no package is"))


@check(
    "the host has {bound:count} upgradable packages",
    example="the host has at most 10 upgradable packages, warning 0",
    unseen=UNSEEN,
)
class UpgradableCount(_OfAll):
    """How many installed packages have a later version in the host's index."""

    def observe(self, facts: FactValues) -> Seen:
        packages = _count_of_all(facts[ALL])
        saw = _counted(packages, "package is upgradable", "packages are upgradable", facts[ALL])
        return Seen(holds=True, saw=saw, number=len(packages))

    def measure(self) -> Measure:
        return Measure(label="packages upgradable", minimum=0)


@check(
    "no security update is pending",
    negation="a security update is pending",
    example="no security update is pending",
    unseen=UNSEEN,
)
class NonePending(_OfAll):
    """The host's index has no update of security for any package that is installed.

    dpkg: a version in a suite whose name ends in `-security`; rpm: one that updateinfo says it of. Where none of these
    is configured on a host, or has an index there, it is unknown.
    """

    def observe(self, facts: FactValues) -> Seen:
        packages = _pending(facts[ALL])
        saw = _counted(packages, "security update is pending", "security updates are pending", facts[ALL])
        return Seen(holds=not packages, saw=saw.replace("no security updates are", "no security update is"))


@check(
    "the host has {bound:count} pending security updates", example="the host has less than 1 pending security updates"
)
class PendingCount(_OfAll):
    """How many installed packages have an update of security in the host's index."""

    def observe(self, facts: FactValues) -> Seen:
        packages = _pending(facts[ALL])
        saw = _counted(packages, "security update is pending", "security updates are pending", facts[ALL])
        return Seen(holds=True, saw=saw, number=len(packages))

    def measure(self) -> Measure:
        return Measure(label="security updates pending", minimum=0)


@check("the package index is {bound:time} old", example="the package index is less than 2 days old")
class IndexAge(_OfAll):
    """The time since the package manager's index on the host was last changed by an update, by the host's own clock."""

    def observe(self, facts: FactValues) -> Seen:
        age = facts[ALL].age
        if age is None:
            raise FactError(f"the age of the index of {facts[ALL].manager} is not known: its files have no time")
        from infratest.units import human

        return Seen(holds=True, saw=f"the index of {facts[ALL].manager} is {human(age, 's')} old", number=age)

    def measure(self) -> Measure:
        return Measure(label="package index age", unit="s", minimum=0)
