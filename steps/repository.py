"""What can be said of where packages come from."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Seen
from infratest.errors import UserError
from infratest.facts.base import Need
from infratest.gherkin.sentence import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import ClassVar

    from infratest.facts.base import FactValues
    from infratest.facts.repository import Repositories, Repository

REPOSITORIES: Need[Repositories] = Need("repository")


class _OfRepository(Check):
    #: False where absence itself is the question.
    of_property: ClassVar[bool] = True

    name: str

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UserError("a package repository has a name or an address: write it")

    def needs(self) -> tuple[Need, ...]:
        return (REPOSITORIES,)

    def observe(self, facts: FactValues) -> Seen:
        meant = [one for one in facts[REPOSITORIES] if one.is_named(self.name)]
        if not meant:
            saw = f'the package repository "{self.name}" does not exist (there are: {facts[REPOSITORIES].in_words()})'
            return Seen(holds=False, saw=saw, absent=self.of_property)
        return self.look(meant)

    def words(self, repositories: Sequence[Repository]) -> str:
        return "; ".join(one.in_words() for one in repositories)

    @abstractmethod
    def look(self, repositories: Sequence[Repository]) -> Seen:
        """Return what is seen in the repositories of this name or address."""


@check(
    'the package repository "{name}" exists',
    negation='the package repository "{name}" does not exist',
    example='the package repository "https://download.example.com/debian" exists',
)
class RepositoryExists(_OfRepository):
    """The package manager's files name it, enabled or not.

    By address (as it is written there, variables too), by the name that dnf, zypper or pacman gives it, or
    `ppa:OWNER/NAME`.
    """

    of_property = False

    def look(self, repositories: Sequence[Repository]) -> Seen:
        return Seen(holds=True, saw=f'the package repository "{self.name}" exists: {self.words(repositories)}')


@check(
    'the package repository "{name}" is enabled',
    negation='the package repository "{name}" is not enabled',
    example='the package repository "http://deb.debian.org/debian" is enabled',
)
@check(
    'the package repository "{name}" is enabled for the suite "{suite}"',
    negation='the package repository "{name}" is not enabled for the suite "{suite}"',
    example='the package repository "http://deb.debian.org/debian" is enabled for the suite "bookworm"',
)
@check(
    'the package repository "{name}" is enabled for the component "{component}" of the suite "{suite}"',
    negation='the package repository "{name}" is not enabled for the component "{component}" of the suite "{suite}"',
    example='the package repository "http://a.example/apt" is enabled for the component "main" of the suite "bookworm"',
)
class RepositoryEnabled(_OfRepository):
    """Packages are taken from it; of apt's, for this suite and component where the sentence names them."""

    suite: str = ""
    component: str = ""

    def look(self, repositories: Sequence[Repository]) -> Seen:
        fits = [
            one for one in repositories
            if one.enabled and self.suite in ("", *one.suites) and self.component in ("", *one.components)
        ]  # fmt: skip
        how = "is enabled" if fits else "is not enabled"
        of = f' for the component "{self.component}" of the suite' if self.component else " for the suite"
        of = f'{of} "{self.suite}"' if self.suite else ""
        saw = f'the package repository "{self.name}" {how}{of}: {self.words(fits or repositories)}'
        return Seen(holds=bool(fits), saw=saw)


@check(
    'the package repository "{name}" is signed by "{key}"',
    negation='the package repository "{name}" is not signed by "{key}"',
    example='the package repository "https://download.example.com/debian" is signed by "/etc/apt/keyrings/example.gpg"',
)
class RepositoryKey(_OfRepository):
    """The repository's files must be signed by this key: apt's Signed-By or dnf's gpgkey, as it is written there."""

    key: str

    def look(self, repositories: Sequence[Repository]) -> Seen:
        keys = [one.key for one in repositories]
        written = ", ".join(key or "any key that the host trusts" for key in dict.fromkeys(keys))
        return Seen(
            holds=all(self.key in (key, *key.replace(",", " ").split()) for key in keys),
            saw=f'the package repository "{self.name}" must be signed by: {written}',
        )


@check(
    'the signatures of the package repository "{name}" are checked',
    negation='the signatures of the package repository "{name}" are not checked',
    example='the signatures of the package repository "http://deb.debian.org/debian" are checked',
)
class RepositoryChecked(_OfRepository):
    """What is not signed is not taken from it.

    apt: no `Trusted: yes`, no `Allow-Insecure: yes`. dnf, zypper: `gpgcheck`. pacman: SigLevel has PackageRequired. apk
    always checks.
    """

    def look(self, repositories: Sequence[Repository]) -> Seen:
        loose = [one for one in repositories if not one.checked]
        how = "are not checked" if loose else "are checked"
        saw = f'the signatures of the package repository "{self.name}" {how}: {self.words(loose or repositories)}'
        return Seen(holds=not loose, saw=saw)
