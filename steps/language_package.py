"""What can be said of packages of languages: those of pip, npm, gem and cargo."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from infratest.facts.base import FactValues
    from infratest.facts.language_package import LanguagePackage
    from infratest.facts.pip_check import PipCheck


class _OfLanguagePackage(Check):
    language: str
    name: str

    def __post_init__(self) -> None:
        from infratest.facts.language_package import package_name

        package_name(self.language, self.name)
        if self.folder:
            absolute(self.folder)

    @property
    def folder(self) -> str:
        """The folder that it is installed in, empty for the host's own."""
        return str(getattr(self, "place", ""))

    @derived
    def asked(self) -> Need[LanguagePackage]:
        return Need("language-package", (self.language, self.name, self.folder and absolute(self.folder)))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    @property
    def subject(self) -> str:
        return f'the {self.language} package "{self.name}"' + (f' in "{self.folder}"' if self.folder else "")

    def observe(self, facts: FactValues) -> Seen:
        package = facts[self.asked]
        if package.problem:
            raise FactError(f"{self.subject}: {package.problem}")
        if not package.there:
            return Seen(holds=False, saw=f"{self.subject}: there is no folder {self.folder}", absent=True)
        return self.look(package)

    def words(self, package: LanguagePackage) -> str:
        if not package.versions:
            return f"{self.subject} is not installed (looked in {package.place or 'no folder: there is none'})"
        return f"{self.subject} is installed in version {', '.join(package.versions)}"

    @abstractmethod
    def look(self, package: LanguagePackage) -> Seen:
        """Return what is seen where packages are known."""


@check(
    'the {language:word} package "{name}" is installed',
    negation='the {language:word} package "{name}" is not installed',
    example='the pip package "requests" is installed',
)
@check(
    'the {language:word} package "{name}" in "{place}" is installed',
    negation='the {language:word} package "{name}" in "{place}" is not installed',
    example='the npm package "express" in "/srv/app" is installed',
)
class LanguagePackageInstalled(_OfLanguagePackage):
    """The package of pip, npm, gem or cargo is installed, for the host or in a folder.

    A folder is a virtual environment of pip, the one that has `node_modules`, a GEM_HOME, or the `--root` of `cargo
    install`. Without one it is where the host's own `python3`, `npm root -g` or `gem environment` looks, and ~/.cargo.
    """

    place: str = ""

    def look(self, package: LanguagePackage) -> Seen:
        return Seen(holds=bool(package.versions), saw=self.words(package))


@check(
    'the {language:word} package "{name}" has version "{version}"',
    negation='the {language:word} package "{name}" does not have version "{version}"',
    example='the gem package "rake" has version "13.0.6"',
)
@check(
    'the {language:word} package "{name}" in "{place}" has version "{version}"',
    negation='the {language:word} package "{name}" in "{place}" does not have version "{version}"',
    example='the pip package "requests" in "/srv/app/venv" has version "2.32.3"',
)
class LanguagePackageVersion(_OfLanguagePackage):
    """Exactly this version, as the tool writes it; of several versions of a gem, any of them."""

    version: str
    place: str = ""

    def look(self, package: LanguagePackage) -> Seen:
        absent = not package.versions
        return Seen(holds=self.version in package.versions, saw=self.words(package), absent=absent)


class _OfOrder(_OfLanguagePackage):
    """A version as its language orders them: PEP 440, Semantic Versioning or Gem::Version."""

    version: str

    @property
    def bounds(self) -> tuple[str, ...]:
        return (self.version,)

    def __post_init__(self) -> None:
        super().__post_init__()
        from infratest.facts.language_package.versions import refuse_no_version

        for bound in self.bounds:
            try:
                refuse_no_version(bound, self.language)
            except FactError as error:
                raise UserError(str(error)) from None

    def look(self, package: LanguagePackage) -> Seen:
        from infratest.facts.language_package.versions import order

        if not package.versions:
            return Seen(holds=False, saw=self.words(package), absent=True)
        holds = self.fits(lambda bound: order(package.versions[0], bound, self.language))
        return Seen(holds=holds, saw=self.words(package))

    @abstractmethod
    def fits(self, order: Callable[[str], int]) -> bool:
        """Whether the claim is so; `order` is less than, equal to or more than 0 as the installed one is to another."""


@check(
    'the {language:word} package "{name}" has at least version "{version}"',
    negation='the {language:word} package "{name}" does not have at least version "{version}"',
    example='the pip package "requests" has at least version "2.31"',
)
@check(
    'the {language:word} package "{name}" in "{place}" has at least version "{version}"',
    negation='the {language:word} package "{name}" in "{place}" does not have at least version "{version}"',
    example='the pip package "requests" in "/srv/app/venv" has at least version "2.31"',
)
class LanguagePackageAtLeast(_OfOrder):
    """This version or a later one, as its language orders them; of several versions of a gem, the latest is meant.

    pip: PEP 440. npm and cargo: Semantic Versioning. gem: Gem::Version. `1.2` is `1.2.0`.
    """

    place: str = ""

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) >= 0


@check(
    'the {language:word} package "{name}" has at most version "{version}"',
    negation='the {language:word} package "{name}" does not have at most version "{version}"',
    example='the npm package "npm" has at most version "10.9.9"',
)
@check(
    'the {language:word} package "{name}" in "{place}" has at most version "{version}"',
    negation='the {language:word} package "{name}" in "{place}" does not have at most version "{version}"',
    example='the npm package "express" in "/srv/app" has at most version "4.99.0"',
)
class LanguagePackageAtMost(_OfOrder):
    """This version or an earlier one, as its language orders them."""

    place: str = ""

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) <= 0


@check(
    'the {language:word} package "{name}" has a version less than "{version}"',
    negation='the {language:word} package "{name}" does not have a version less than "{version}"',
    example='the gem package "rake" has a version less than "14"',
)
@check(
    'the {language:word} package "{name}" in "{place}" has a version less than "{version}"',
    negation='the {language:word} package "{name}" in "{place}" does not have a version less than "{version}"',
    example='the npm package "express" in "/srv/app" has a version less than "5.0.0"',
)
class LanguagePackageLess(_OfOrder):
    """An earlier version, as its language orders them."""

    place: str = ""

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) < 0


@check(
    'the {language:word} package "{name}" has a version more than "{version}"',
    negation='the {language:word} package "{name}" does not have a version more than "{version}"',
    example='the cargo package "ripgrep" has a version more than "13.0.0"',
)
@check(
    'the {language:word} package "{name}" in "{place}" has a version more than "{version}"',
    negation='the {language:word} package "{name}" in "{place}" does not have a version more than "{version}"',
    example='the cargo package "ripgrep" in "/opt/tools" has a version more than "13.0.0"',
)
class LanguagePackageMore(_OfOrder):
    """A later version, as its language orders them."""

    place: str = ""

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) > 0


@check(
    'the {language:word} package "{name}" has a version between "{version}" and "{last}"',
    negation='the {language:word} package "{name}" does not have a version between "{version}" and "{last}"',
    example='the pip package "requests" has a version between "2.31" and "3"',
)
@check(
    'the {language:word} package "{name}" in "{place}" has a version between "{version}" and "{last}"',
    negation='the {language:word} package "{name}" in "{place}" does not have a version '
    'between "{version}" and "{last}"',
    example='the pip package "requests" in "/srv/app/venv" has a version between "2.31" and "3"',
)
class LanguagePackageBetween(_OfOrder):
    """One of these versions or one between them, as its language orders them."""

    last: str
    place: str = ""

    @property
    def bounds(self) -> tuple[str, ...]:
        return (self.version, self.last)

    def fits(self, order: Callable[[str], int]) -> bool:
        return order(self.version) >= 0 >= order(self.last)


@check(
    'the pip packages of "{place}" have no broken requirements',
    negation='the pip packages of "{place}" have broken requirements',
    example='the pip packages of "/srv/app/venv" have no broken requirements',
)
class RequirementsMet(Check):
    """All that the packages of a virtual environment require is there, in a version that they take.

    The environment's own `pip check` says so, run with the rights of who logs in, never by sudo.
    """

    place: str

    def __post_init__(self) -> None:
        absolute(self.place)

    @derived
    def asked(self) -> Need[PipCheck]:
        return Need("pip-check", (absolute(self.place),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked,)

    def observe(self, facts: FactValues) -> Seen:
        told = facts[self.asked]
        if told.problem:
            raise FactError(f"{self.place}: {told.problem}")
        if not told.there:
            return Seen(holds=False, saw=f'there is no virtual environment in "{self.place}"', absent=True)
        words = f"broken requirements: {'; '.join(told.broken)}" if told.broken else "no broken requirements"
        return Seen(holds=not told.broken, saw=f'the pip packages of "{self.place}" have {words}')
