"""What can be said of the SELinux labels of files."""

from __future__ import annotations

from infratest.steps._of_file import DIRECTORY, OfFile

from infratest.check import Seen, in_quotes
from infratest.errors import FactError, UserError
from infratest.facts.base import Need, absolute
from infratest.gherkin.sentence import check
from infratest.record import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from infratest.facts.base import FactValues
    from infratest.facts.file import File
    from infratest.facts.file_label import FileLabel


@check(
    'the file "{path}" has the SELinux label "{label}"',
    negation='the file "{path}" does not have the SELinux label "{label}"',
    example='the file "/etc/hosts" has the SELinux label "system_u:object_r:net_conf_t:s0"',
)
class LabelOfFile(OfFile):
    """Its whole label, or its type alone: `net_conf_t`. A file without a label has neither this one nor another."""

    label: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.label or len(self.label.split()) != 1:
            raise UserError(
                f'the SELinux label "{self.label}": expected one as "system_u:object_r:etc_t:s0", or a type'
            )

    @derived
    def labelled(self) -> Need[FileLabel]:
        return Need("file-label", (absolute(self.path),))

    def needs(self) -> tuple[Need, ...]:
        return self.asked, self.labelled

    def observe(self, facts: FactValues) -> Seen:
        seen, label = super().observe(facts), facts[self.labelled]
        if seen.absent:
            return seen
        if not label.there:
            raise FactError(f"{self.path}: {label.problem or 'it was there, and is not any more'}")
        if label.label is None:
            return Seen(holds=False, saw=f"{self.subject} has no SELinux label", absent=True)
        holds = self.label == (label.label if ":" in self.label else label.label.split(":")[2])
        return Seen(holds=holds, saw=f"{self.subject} has the SELinux label {in_quotes(label.label)}")

    def look(self, file: File) -> Seen:
        return Seen(holds=True, saw=f"{self.subject} exists")


@check(
    'the directory "{path}" has the SELinux label "{label}"',
    negation='the directory "{path}" does not have the SELinux label "{label}"',
    example='the directory "/var/www" has the SELinux label "httpd_sys_content_t"',
)
def label_of_directory(path: str, label: str) -> LabelOfFile:
    """Its whole label, or its type alone."""
    return LabelOfFile(path, DIRECTORY, label)
