"""`infratest box`: the images that hosts are made from, as this machine keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from infratest import outsiders
from infratest.cleaning import clean
from infratest.cli._formats import check_formats, exit_status, format_options, show
from infratest.cli._lifecycle import say, would
from infratest.cli._validation import validated
from infratest.cli._verb import LIFE, Verb, VerbCommand, Words
from infratest.cli.session import with_session
from infratest.deadline import Deadline
from infratest.errors import InfratestError, NotInstalled, ProviderError, UnknownName, UserError, unknown
from infratest.images import box_file, kept, recipe
from infratest.images.box_file import Box
from infratest.images.cache import workplace
from infratest.images.fetched import digest_of, verify
from infratest.images.kept import KeptImage
from infratest.project.session import Session
from infratest.providers.base import BoxesImages, KeepsImages
from infratest.units import human

VERB = Verb(LIFE, 7)

#: Seconds for a look, and for a build.
LOOK, BUILD = 60.0, 1800.0
#: Names that a message shows of many.
NEAREST = 5


@click.group("box", cls=Words, short_help="List, build, move and remove the images that hosts are made from.")
def command() -> None:
    """List, build, validate, export, import and remove the images that hosts are made from, as this machine keeps them.

    `up` builds or pulls by itself what is not there; what the images take together is limited by INFRATEST_CACHE_SIZE
    (default 20GiB): when a new one is made, the longest unused beyond it are removed, never one that is in use.
    """


@command.command("list", cls=VerbCommand, short_help="List the images that are kept, and the recipes there are.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="text (default) or json.")
@with_session()
def list_command(session: Session, form: str) -> int:
    """List the images that are kept: for which providers, how large, made when, last used when, and from what.

    Recipes that come with infratest and are not built yet are listed too, marked so. An image is outdated when its
    recipe, or the package sources of this machine, are others now: nobody will ask for it again.

    Exit status: 0 shown, 1 a provider could not be asked, 2 wrong use.
    """
    images, silent = _kept(_keepers(), session.deadline or Deadline(LOOK))
    missing = _not_built(images)
    if form == "json":
        listed = [{**asdict(each), "built": True} for each in images]
        listed += [{"name": name, "providers": providers, "built": False} for name, providers in missing.items()]
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    else:
        _show(images, missing)
    for line in silent:
        say(line)
    return 1 if silent else 0


@command.command("build", cls=VerbCommand, short_help="Build or pull an image where it is not there.")
@click.argument("name")
@click.option("--for", "provider", metavar="PROVIDER", default="container", show_default=True, help="The provider.")
@with_session()
def build_command(session: Session, name: str, provider: str) -> int:
    """Build the image NAME, or pull it, so that the first `up` need not; fine where it is there.

    NAME is what `image:` of a host may say; a path is looked for beside the stack file. -v shows what is built.

    \b
    infratest box build debian-13 --for container
    infratest box build registry.example:5000/team/app:1.4

    Exit status: 0 it is there, 1 failed, 2 wrong use.
    """
    keeper = _keepers(provider)[provider]
    image = keeper.build_image(name, Path(session.stack_path).parent, session.deadline or Deadline(BUILD))
    click.echo(f"{image.id}: {human(image.size, 'B')}, from {image.source}")
    return 0


@command.command("rm", cls=VerbCommand, short_help="Remove images that are kept.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--outdated", is_flag=True, help="Those whose recipe has changed since.")
@click.option("--for", "provider", metavar="PROVIDER", help="Only those of this provider.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and do nothing.")
@with_session()
def rm_command(session: Session, names: tuple[str, ...], outdated: bool, provider: str | None, dry_run: bool) -> int:
    """Remove every kept image of these names, or ids, as `box list` shows them. One in use stays, and is told.

    \b
    infratest box rm ubuntu:24.04
    infratest box rm --outdated

    Exit status: 0 done, 1 something could not be removed, 2 wrong use.
    """
    if not names and not outdated:
        raise UserError("box rm: name images, or say --outdated; `infratest box list` shows what is kept")
    keepers, deadline = _keepers(provider), session.deadline or Deadline(LOOK)
    images, silent = _kept(keepers, deadline)
    for name in names:
        if not silent and not any(name in (each.name, each.id) for each in images):
            raise UnknownName(_no_image(name, sorted({each.name for each in images})))
    doomed = [each for each in images if each.name in names or each.id in names or (outdated and each.outdated)]
    if dry_run:
        return would([f"would be removed: {_line(each)}" for each in doomed], "nothing to remove")
    left = silent
    for each in doomed:
        try:
            keepers[each.providers[0]].remove_image(each, deadline)
            say(f"removed: {_line(each)}")
        except InfratestError as error:
            left.append(str(error))
    for line in left:
        say(f"left: {line}")
    if not doomed and not left:
        say("nothing to remove")
    return 1 if left else 0


@command.command("validate", cls=VerbCommand, short_help="Run features on a host of an image, made for this.")
@click.argument("image")
@click.argument("features", nargs=-1, metavar="[FEATURE[:LINE] ...]")
@click.option("--for", "provider", metavar="PROVIDER", default="container", show_default=True, help="The provider.")
@format_options("text")
@with_session()
def validate_command(
    session: Session, image: str, features: tuple[str, ...], provider: str, formats: tuple[str, ...], fail_on: str
) -> int:
    """Bring a host of IMAGE up in a stack of its own, run features on it, and remove it.

    Without a FEATURE it is @linux-baseline. The host is called box.

    \b
    infratest box validate images/worker
    infratest box validate ubuntu:24.04 features/box.feature --format junit:box.xml

    Exit status: as of `test`: 0 ok, 1 warning, 2 critical, 3 unknown (also: the host did not come up).
    """
    check_formats(formats)
    _keepers(provider)
    report = validated(session, image, provider, features)
    show(session, report, formats, "text")
    return exit_status(report.state, fail_on)


@command.command("export", cls=VerbCommand, short_help="Write a kept image into a file, for another machine.")
@click.argument("name")
@click.argument("target", metavar="FILE")
@click.option("--for", "provider", metavar="PROVIDER", default="container", show_default=True, help="The provider.")
@with_session()
def export_command(session: Session, name: str, target: str, provider: str) -> int:
    """Write the kept image NAME, or id, into FILE, a box: `box import` keeps it on another machine.

    What is printed is the file's SHA-256, by which `box import --checksum` knows it again.

    \b
    infratest box export debian-12 debian-12.box
    infratest box export debian-12 machine.box --for qemu

    Exit status: 0 written, 1 failed, 2 wrong use.
    """
    deadline, path = session.deadline or Deadline(BUILD), Path(target)
    keeper = _boxing(provider)
    images, silent = _kept({provider: keeper}, deadline)
    if silent:
        raise ProviderError(silent[0])
    there = [one for one in images if name in (one.name, one.id)]
    if not there:
        words = _no_image(name, sorted({one.name for one in images}))
        raise UnknownName(f"{words}; `infratest box build {name} --for {provider}` makes it where it can be made")
    if path.exists():
        raise UserError(f"{path} is there already: remove it, or name another file")
    image, *others = [one for one in there if not one.outdated] or there
    if others:  # as a recipe's disk with the kernel for VirtualBox beside that for QEMU
        words = "; ".join(_line(one) for one in (image, *others))
        raise UserError(f"{name} is {len(others) + 1} images: export one by its id: {words}")
    about = Box(provider=provider, name=image.name, id=image.id, made=image.made, source=image.source)
    with workplace(deadline) as folder:
        digest = box_file.write(about, keeper.image_parts(image, folder, deadline), path, deadline)
    click.echo(f"{path}: {human(path.stat().st_size, 'B')}, {_line(image)}")
    click.echo(f"sha256:{digest}")
    return 0


@command.command("import", cls=VerbCommand, short_help="Keep the image that a box holds.")
@click.argument("source", metavar="FILE")
@click.option("--checksum", default="", metavar="sha256:DIGITS", help="What the whole file must be, as export says it.")
@with_session()
def import_command(session: Session, source: str, checksum: str) -> int:
    """Keep the image in FILE, which `box export` wrote, as if it had been built here; fine where it is there.

    Each part is held against its digest before anything is done with it. Whoever wrote the box wrote these digests too:
    `--checksum` says what the file must be. An image whose recipe or package sources are others here is outdated, and
    not used by its short name.

    Exit status: 0 it is there, 1 damaged or refused, 2 wrong use.
    """
    deadline, path = session.deadline or Deadline(BUILD), Path(source)
    if digest := digest_of(checksum):
        verify(path, digest, deadline)
    with workplace(deadline) as folder:
        box, parts = box_file.read(path, folder, deadline)
        keeper = _boxing(box.provider)
        image = KeptImage(
            name=box.name, id=box.id, providers=(box.provider,), size=0, made=box.made, source=box.source
        )  # fmt: skip
        new = keeper.take_image(image, parts, deadline)
    images, _ = _kept({box.provider: keeper}, deadline)
    there = [one for one in images if one.id == box.id]
    if not there:
        raise ProviderError(f"{box.id} was taken from {path}, and is not there: somebody removed it, or it is no image "
                            "of infratest's")  # fmt: skip
    old = "; outdated here: its recipe or this machine's package sources are others" if there[0].outdated else ""
    click.echo(f"{'kept' if new else 'there already'}: {_line(there[0])}{old}")
    return 0


def _boxing(provider: str) -> Any:
    """Return a provider whose images go into boxes. Raises UserError: it has none."""
    known = {name: kind for name, kind in _keepers().items() if issubclass(kind, BoxesImages)}
    if provider not in known:
        raise UserError(f"provider {provider} has no images that go into a box; {', '.join(known)} have")
    return known[provider]


def _keepers(only: str | None = None) -> dict[str, Any]:
    """Return the providers that keep images, by name. Raises UserError: the one that is asked for keeps none."""
    if only is not None:
        kind = outsiders.get("provider", only)
        if not issubclass(kind, KeepsImages):
            raise UserError(f"provider {only} keeps no images; those that do are {', '.join(_keepers())}")
        return {only: kind}
    kinds = {name: outsiders.get("provider", name) for name in outsiders.names("provider")}
    return {name: kind for name, kind in kinds.items() if issubclass(kind, KeepsImages)}


def _kept(keepers: dict[str, Any], deadline: Deadline) -> tuple[list[KeptImage], list[str]]:
    """Return what is kept, each image once with all its providers; and who could not be asked.

    A provider whose program is not installed has nothing here; it is told where no other one is there.
    """
    images: dict[str, KeptImage] = {}
    silent, absent = [], []
    for name, kind in keepers.items():
        try:
            for each in kind.kept_images(deadline):
                before = images[each.id].providers if each.id in images else ()
                images[each.id] = replace(each, providers=tuple(dict.fromkeys((*before, *each.providers))))
        except NotInstalled as error:
            absent.append(f"provider {name} could not be asked: {error}")
        except InfratestError as error:
            silent.append(f"provider {name} could not be asked: {error}")
    silent += absent if len(absent) == len(keepers) else []
    return sorted(images.values(), key=lambda each: (each.name, each.outdated, -each.made)), silent


def _not_built(images: list[KeptImage]) -> dict[str, list[str]]:
    """Return the recipes that come with infratest -> the providers that have no image of them as it is now."""
    found = {}
    for name in recipe.names():
        there = {one for each in images if each.name == name and not each.outdated for one in each.providers}
        missing = [keeper for keeper in _keepers() if keeper not in there]
        if missing:
            found[name] = missing
    return found


def _show(images: list[KeptImage], missing: dict[str, list[str]]) -> None:
    """Print a line for each image, however long: what stands in a line is found by name."""
    rows = [("image", "for", "size", "made", "used", "id", "from")]
    for each in images:
        name = f"{each.name} (outdated)" if each.outdated else each.name
        takes, providers = human(each.size, "B"), ",".join(each.providers)
        rows.append((name, providers, takes, _day(each.made), _day(each.used), each.id, each.source))
    rows += [(name, ",".join(providers), "not built", "", "", "", "") for name, providers in missing.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        click.echo(clean("  ".join(cells).rstrip(), limit=1000))
    size, old = sum(each.size for each in images), sum(each.outdated for each in images)
    more = f"; {old} outdated: `infratest box rm --outdated` removes them" if old else ""
    click.echo(f"{len(images)} kept, {human(size, 'B')} of at most {human(kept.limit(), 'B')} ({kept.LIMIT}){more}")


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d") if moment else "-"


def _line(image: KeptImage) -> str:
    return f"{image.id}, {human(image.size, 'B')}, from {image.source}"


def _no_image(name: str, known: Sequence[str]) -> str:
    """Return the message for an image that is not kept: the nearest names of what may be many."""
    if len(known) <= NEAREST:
        return unknown("image", name, known)
    near = ", ".join(get_close_matches(name, known, n=NEAREST, cutoff=0.0))
    words = f"of {len(known)} names that are kept the nearest are {near}; `infratest box list` shows all"
    return f"unknown image {name!r}: {words}"
