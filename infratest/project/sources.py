"""Which files a run depends on: whoever reads some says which. Kept plans are dated by them, and `watch` looks at them.

Every file that is read and folder that is listed, and the places where one is looked for and is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from infratest.errors import FeatureError, InfratestError
from infratest.gherkin import find
from infratest.providers.base import HostSpec
from infratest.provisioners.base import provisioners
from infratest.stack import kept_parameters
from infratest.stack.declared import StackFile
from infratest.stack.listing import Listing
from infratest.user_steps import load


@dataclass(frozen=True)
class Sources:
    """The files of a run by who reads them.

    Args:
        stack: the stack file. kept: what an earlier `up` was given for its parameters, where that is known.
        features, own_steps, inventories: files and folders. provisioned: by host, what its provisioners read.
    """

    stack: Path
    kept: tuple[Path, ...] = ()
    features: tuple[Path, ...] = ()
    own_steps: tuple[Path, ...] = ()
    inventories: tuple[Path, ...] = ()
    provisioned: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def every(self) -> set[Path]:
        """Return all of them."""
        of_hosts = {path for each in self.provisioned.values() for path in each}
        return {self.stack, *self.kept, *self.features, *self.own_steps, *self.inventories, *of_hosts}


def sources(
    stack: StackFile | None, path: Path, features: Sequence[str], state: Path | None = None, passing: bool = False
) -> Sources:
    """Return the files that a run depends on.

    Args:
        stack: what the stack file declares, None where it cannot be read. path: of that file.
        features: as named on the command line. state: the state directory, where it is known.
        passing: a folder that cannot be listed is passed over, and so are hosts that are not known: the run tells it.
    Raises:
        FeatureError: a folder cannot be listed.
    """
    folder = stack.folder if stack else path.absolute().parent
    seen = _seen if passing else tuple
    declared = stack.features if stack else ()
    hosts = known_hosts(stack, passing) if stack else ()
    every = [*find.looked_at((), declared, folder)] if stack and stack.waivers else []  # whose scenarios they are for
    return Sources(
        stack=path,
        kept=(state / kept_parameters.NAME,) if state is not None else (),
        features=(*seen(find.looked_at(features, declared, folder)), *every),
        own_steps=seen(load.looked_at(folder)),
        inventories=stack.hosts.files if stack and isinstance(stack.hosts, Listing) else (),
        provisioned={spec.name: _read_for(stack, spec.provision, spec.where) for spec in hosts} if stack else {},
    )


def known_hosts(stack: StackFile, passing: bool = True) -> Sequence[HostSpec]:
    """Return the hosts of a stack; none where inventories cannot say which, and the run itself tells that."""
    try:
        return stack.hosts[:]
    except InfratestError:
        if passing:
            return ()
        raise


def _seen(paths: Iterator[Path]) -> tuple[Path, ...]:
    found = []
    with suppress(FeatureError):
        for path in paths:
            found.append(path)
    return tuple(found)


def _read_for(stack: StackFile, provision: Sequence[Mapping[str, object]], where: str) -> tuple[Path, ...]:
    try:
        found = provisioners(provision, stack.folder, where)
    except InfratestError:  # the run says what is wrong with it
        return ()
    return tuple(path for provisioner in found for path in provisioner.sources())
