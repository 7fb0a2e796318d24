"""What can be said of the quotas of users and groups on a file system."""

from __future__ import annotations

from abc import abstractmethod

from infratest.check import Check, Measure, Seen
from infratest.errors import FactError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived
from infratest.units import human, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from infratest.facts.base import FactValues
    from infratest.facts.group import Group
    from infratest.facts.mount import Mount
    from infratest.facts.quota import Quota, Quotas
    from infratest.facts.real_path import RealPath
    from infratest.facts.user import User

MOUNTS: Need[Mapping[str, Mount]] = Need("mount")
UNSEEN = "file systems other than ext4 and XFS, written after repquota(8) and mount(8)"
#: Options by which limits are held, mount(8), ext4(5), xfs(5): with ext4's own quotas usage is counted without them,
#: and XFS has others for that. Plain `quota` is ext4's word for users, and stands beside each other one.
HELD = {"user": ("usrquota", "uquota"), "group": ("grpquota", "gquota")}
JOURNALLED = {"user": "usrjquota=", "group": "grpjquota="}
#: Who is over a quota, in a reason.
SHOWN = 5


class _OfQuotas(Check):
    spare = ("real-path",)

    path: str
    holder: str = "user"

    def __post_init__(self) -> None:
        absolute(self.path)

    @derived
    def asked(self) -> Need[Quotas]:
        return Need("quota", (absolute(self.path),))

    @derived
    def real(self) -> Need[RealPath]:
        return Need("real-path", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return (self.asked, MOUNTS, self.real)

    def observe(self, facts: FactValues) -> Seen:
        from infratest.facts.mount import mounted_on

        quotas = facts[self.asked]
        if quotas.problem:
            raise FactError(f"{self.path}: {quotas.problem}")
        mount = mounted_on(absolute(self.path), facts) if quotas.there else None
        if mount is None:
            return Seen(holds=False, saw=f"no file system is mounted on {self.path}", absent=True)
        off = f"on {self.path} no quota of {self.holder}s is "
        if self.holder not in quotas.on:
            return self.look(quotas, facts, f"{off}on")
        held = any(one in HELD[self.holder] or one.startswith(JOURNALLED[self.holder]) for one in mount.options)
        if not held and self.holder == "user":
            held = "quota" in mount.options and not any(one in HELD["group"] for one in mount.options)
        return self.look(quotas, facts, "" if held else f"{off}held: it is mounted without {HELD[self.holder][0]}")

    @abstractmethod
    def look(self, quotas: Quotas, facts: FactValues, off: str) -> Seen:
        """Return what is seen on a file system that is mounted; `off`: why no limit is held there, or empty."""


@check(
    'a user is over its quota for "{path}"',
    negation='no user is over its quota for "{path}"',
    example='no user is over its quota for "/home"',
    unseen=UNSEEN,
)
class QuotaExceeded(_OfQuotas):
    """Somebody is over a soft limit of space or files, or has reached a hard one; where no limit is held, neither."""

    def look(self, quotas: Quotas, facts: FactValues, off: str) -> Seen:
        if off:
            return Seen(holds=False, saw=off, absent=True)
        over = [one for one in getattr(quotas, self.holder) if one.over()]
        if not over:
            return Seen(holds=False, saw=f'no {self.holder} is over its quota for "{self.path}"')
        words = [f"{self.holder} {one.in_words()}" for one in over[:SHOWN]]
        more = f" and {len(over) - SHOWN} more" if len(over) > SHOWN else ""
        return Seen(holds=True, saw=f'over the quota for "{self.path}": {", ".join(words)}{more}')


@check(
    'a group is over its quota for "{path}"',
    negation='no group is over its quota for "{path}"',
    example='no group is over its quota for "/srv"',
    unseen=UNSEEN,
)
def group_exceeded(path: str) -> QuotaExceeded:
    """Some group is over a soft limit of space or files, or has reached a hard one."""
    return QuotaExceeded(path, "group")


class _OfQuota(_OfQuotas):
    name: str = ""

    def __post_init__(self) -> None:
        from infratest.facts._accounts import entry_name

        super().__post_init__()
        entry_name(self.name)

    @derived
    def entry(self) -> Need[User | Group | None]:
        return Need(self.holder, (self.name,))

    def needs(self) -> tuple[Need, ...]:
        return (*super().needs(), self.entry)

    @property
    def subject(self) -> str:
        return f'the {self.holder} "{self.name}"'

    def look(self, quotas: Quotas, facts: FactValues, off: str) -> Seen:
        entry = facts[self.entry]
        if entry is None:
            return Seen(holds=False, saw=f"{self.subject} does not exist", absent=True)
        id = getattr(entry, "uid" if self.holder == "user" else "gid")
        return self.of(quotas.of(self.holder, id), off)

    @abstractmethod
    def of(self, quota: Quota, off: str) -> Seen:
        """Return what is seen of a quota; `off` as in `look`."""

    def nothing(self, off: str, what: str = "") -> Seen:
        """What is seen where there is no limit that a number could be about."""
        words = off or f'{self.subject} has no quota{what} for "{self.path}"'
        return Seen(holds=False, saw=words, absent=True)


@check(
    'the user "{name}" has a quota for "{path}"',
    negation='the user "{name}" has no quota for "{path}"',
    example='the user "deploy" has a quota for "/home"',
    unseen=UNSEEN,
)
class QuotaThere(_OfQuota):
    """A limit of space or of files, soft or hard, is set and held on the file system mounted there."""

    def of(self, quota: Quota, off: str) -> Seen:
        if off:
            return Seen(holds=False, saw=off)
        hard, soft = quota.hard or quota.hard_files, quota.soft or quota.soft_files
        words = f'{self.subject} has {"a" if hard or soft else "no"} quota for "{self.path}"'
        return Seen(holds=bool(hard or soft), saw=words)


@check(
    'the group "{name}" has a quota for "{path}"',
    negation='the group "{name}" has no quota for "{path}"',
    example='the group "www-data" has a quota for "/srv"',
    unseen=UNSEEN,
)
def group_there(name: str, path: str) -> QuotaThere:
    """A limit of space or of files is set and held for the group."""
    return QuotaThere(path, "group", name)


@check(
    'the user "{name}" has a quota of {bound:size} for "{path}"',
    example='the user "deploy" has a quota of at most 20 GiB for "/home"',
    unseen=UNSEEN,
)
class QuotaSize(_OfQuota):
    """The space that it may use: the hard limit, the soft one where there is no other."""

    def of(self, quota: Quota, off: str) -> Seen:
        limit = quota.hard or quota.soft
        if off or not limit:
            return self.nothing(off, " of space")
        words = f'{self.subject} has a quota of {human(limit, "B")} for "{self.path}"'
        return Seen(holds=True, saw=words, number=limit)

    def measure(self) -> Measure:
        return Measure(label=f"quota of {self.holder} {self.name} for {self.path}", unit="B", minimum=0)


@check(
    'the group "{name}" has a quota of {bound:size} for "{path}"',
    example='the group "www-data" has a quota of at least 100 GiB for "/srv"',
    unseen=UNSEEN,
)
def group_size(name: str, path: str) -> QuotaSize:
    """The space that the group may use: the hard limit, the soft one where there is no other."""
    return QuotaSize(path, "group", name)


@check(
    'the user "{name}" uses {bound:percent} of its quota for "{path}"',
    example='the user "deploy" uses less than 90 % of its quota for "/home", warning 80 %',
    unseen=UNSEEN,
)
class QuotaUsed(_OfQuota):
    """How much of its space it uses: of the hard limit, of the soft one where there is no other."""

    def of(self, quota: Quota, off: str) -> Seen:
        limit = quota.hard or quota.soft
        if off or not limit:
            return self.nothing(off, " of space")
        percent = 100 * quota.used / limit
        room = f"{human(quota.used, 'B')} of {human(limit, 'B')}"
        words = f'{self.subject} uses {share(percent)} % of its quota for "{self.path}" ({room})'
        return Seen(holds=True, saw=words, number=percent)

    def measure(self) -> Measure:
        return Measure(label=f"quota of {self.holder} {self.name} for {self.path} used", unit="%", minimum=0)


@check(
    'the group "{name}" uses {bound:percent} of its quota for "{path}"',
    example='the group "www-data" uses less than 90 % of its quota for "/srv"',
    unseen=UNSEEN,
)
def group_used(name: str, path: str) -> QuotaUsed:
    """How much of its space the group uses: of the hard limit, of the soft one where there is no other."""
    return QuotaUsed(path, "group", name)


@check(
    'the user "{name}" uses {bound:percent} of its quota of files for "{path}"',
    example='the user "deploy" uses less than 90 % of its quota of files for "/home"',
    unseen=UNSEEN,
)
class QuotaFilesUsed(_OfQuota):
    """How many of its files it has: of the hard limit, of the soft one where there is no other."""

    def of(self, quota: Quota, off: str) -> Seen:
        limit = quota.hard_files or quota.soft_files
        if off or not limit:
            return self.nothing(off, " of files")
        percent = 100 * quota.files / limit
        words = f'{self.subject} uses {share(percent)} % of its quota of files for "{self.path}"'
        return Seen(holds=True, saw=f"{words} ({quota.files} of {limit})", number=percent)

    def measure(self) -> Measure:
        return Measure(label=f"quota of files of {self.holder} {self.name} for {self.path} used", unit="%", minimum=0)


@check(
    'the group "{name}" uses {bound:percent} of its quota of files for "{path}"',
    example='the group "www-data" uses less than 90 % of its quota of files for "/srv"',
    unseen=UNSEEN,
)
def group_files_used(name: str, path: str) -> QuotaFilesUsed:
    """How many of its files the group has: of the hard limit, of the soft one where there is no other."""
    return QuotaFilesUsed(path, "group", name)
