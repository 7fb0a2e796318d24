"""`infratest box` as the installed command, on the images of a real engine."""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from infratest.images.recipe import names as recipe_names
from tests.worlds import forked
from tests.worlds.registry import small_root
from tests.worlds.tiny_container import engine, found

pytestmark = pytest.mark.hosts

#: A tag that no recipe has: its hash is of nothing.
OF_NOTHING = "infratest/debian-12:000000000000"


@dataclass
class Place:
    """A project with a cache folder of its own, so that no image but its own is ever too much."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def box(self, *words: str, status: int = 0, **environment: str) -> tuple[str, str]:
        """Run `infratest box`; return both its streams."""
        given = {**os.environ, **found().environment, "INFRATEST_CACHE": str(self.folder / "cache"), **environment}
        done = forked.run(["box", *words], cwd=self.folder, env=given, timeout=120)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout, done.stderr

    def archive(self, name: str, text: str) -> str:
        """Write an archive of a small root file system, and return how a stack file names it."""
        path = f"{name}-{self.mark}.tar"
        (self.folder / path).write_bytes(small_root(files={"etc/note": f"{self.mark} {text}\n"}))
        return path

    def built(self, name: str, **environment: str) -> tuple[str, str]:
        """Build an image; return its tag and what was said."""
        out, err = self.box("build", name, **environment)
        return out.partition(": ")[0], err

    def listed(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.box("list", "--format", "json")[0])
        return listed

    def used(self, tag: str, days: float) -> None:
        """Have an image be last used so many days ago."""
        moment = time.time() - days * 86400
        os.utime(self.folder / "cache" / "kept" / quote(tag, safe=""), (moment, moment))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    try:
        yield place
    finally:
        for container in engine("ps", "-aq", "--filter", f"label=infratest.test={place.mark}").split():
            engine("rm", "-f", container)
        for tag in engine("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split():
            if place.mark in tag:
                engine("image", "rm", tag)


def test_what_is_built_is_listed_with_all_that_is_known_of_it(place: Place) -> None:
    name = place.archive("root", "1")
    tag, _ = place.built(name)
    assert tag.startswith(f"infratest/archive/root-{place.mark}:")
    [mine] = [each for each in place.listed() if each["name"] == name]
    assert mine["size"] > 2**20
    assert abs(mine["made"] - time.time()) < 600
    assert abs(mine["used"] - time.time()) < 600
    assert (mine["id"], mine["providers"], mine["outdated"], mine["built"]) == (tag, ["container"], False, True)
    assert mine["source"] == f"archive {place.folder / name}"
    out, _ = place.box("list")
    [row] = [line for line in out.splitlines() if line.startswith(name)]
    assert row.split()[1] == "container"
    assert row.split()[-3:] == [tag, "archive", str(place.folder / name)]
    assert " kept, " in out.splitlines()[-1]
    assert out.splitlines()[-1].partition(" of at most ")[2].startswith("20 GiB (INFRATEST_CACHE_SIZE)")


def test_recipes_that_are_not_built_are_listed_as_that(place: Place) -> None:
    listed = place.listed()
    now = {each["name"] for each in listed if each["built"] and not each["outdated"] and each["providers"]}
    missing = {each["name"] for each in listed if not each["built"] and "container" in each["providers"]}
    assert set(recipe_names()) <= now | missing
    assert not now & missing


def test_an_image_of_a_recipe_that_was_edited_and_of_a_folder_that_was_is_outdated(place: Place) -> None:
    engine("import", "--change", "LABEL infratest.recipe=debian-12", "-", OF_NOTHING, stdin=small_root())
    try:
        name = place.archive("root", "1")
        first, _ = place.built(name)
        place.archive("root", "2")
        second, _ = place.built(name)
        outdated = {each["id"]: each["outdated"] for each in place.listed() if each["built"]}
        assert (outdated[OF_NOTHING], outdated[first], outdated[second]) == (True, True, False)
        out, _ = place.box("rm", "--outdated", "--dry-run")
        assert f"would be removed: {OF_NOTHING}, " in out
        assert f"would be removed: {first}, " in out
        assert second not in out
        place.box("rm", OF_NOTHING)
        assert OF_NOTHING not in {each.get("id") for each in place.listed()}
    finally:
        if OF_NOTHING in engine("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split():
            engine("image", "rm", OF_NOTHING)


def test_images_of_others_are_neither_listed_nor_removed(place: Place) -> None:
    theirs = [f"infratest/{place.mark}:latest", f"infratest/{place.mark}:0123456789ab", f"tests/{place.mark}:1"]
    for tag in theirs:
        engine("import", "-", tag, stdin=small_root())
    ids = {each.get("id") for each in place.listed()}
    assert not ids & set(theirs)
    for tag in theirs:
        assert "unknown image" in place.box("rm", tag, status=2)[1]
        engine("image", "inspect", tag)


def test_an_image_in_use_stays_and_is_told(place: Place) -> None:
    name, other = place.archive("used", "1"), place.archive("free", "1")
    used, free = place.built(name)[0], place.built(other)[0]
    engine("create", "--name", f"tests-{place.mark}", "--label", f"infratest.test={place.mark}", used, "sh")
    _, err = place.box("rm", name, other, status=1)
    assert f"removed: {free}, " in err
    assert f"left: image {used} is in use by container tests-{place.mark}: destroy that first" in err
    assert {each["id"] for each in place.listed() if each["name"] in (name, other)} == {used}


def test_beyond_the_limit_the_longest_unused_go_and_it_is_told(place: Place) -> None:
    tags = {name: place.built(place.archive(name, "1"))[0] for name in ("oldest", "inuse", "old", "fresh")}
    engine("create", "--name", f"tests-{place.mark}", "--label", f"infratest.test={place.mark}", tags["inuse"], "sh")
    for name, days in (("oldest", 30), ("inuse", 20), ("old", 10)):
        place.used(tags[name], days)
    one = next(each["size"] for each in place.listed() if each.get("id") == tags["old"])
    last, err = place.built(place.archive("last", "1"), INFRATEST_CACHE_SIZE=f"{4 * one}B")
    assert f"image {tags['oldest']} (" in err
    assert "last used 30 days ago) is removed: kept images may take " in err
    left = {each.get("id") for each in place.listed()}
    assert left & {*tags.values(), last} == {tags["inuse"], tags["old"], tags["fresh"], last}
    more, err = place.built(place.archive("more", "1"), INFRATEST_CACHE_SIZE="0B")
    left = {each.get("id") for each in place.listed()}
    # In use, or asked for in the last hour.
    assert left & {*tags.values(), last, more} == {tags["inuse"], tags["fresh"], last, more}
    assert f"image {tags['old']} (" in err


def test_an_image_is_validated_on_a_host_that_is_gone_afterwards(place: Place) -> None:
    name = place.archive("root", "1")
    feature = 'Feature: box\n  Scenario: it holds a note\n    Then the file "/etc/note" contains "{}"\n'
    (place.folder / "good.feature").write_text(feature.format(place.mark))
    (place.folder / "bad.feature").write_text(feature.format("something else"))
    out, _ = place.box("validate", f"./{name}", "good.feature")
    assert "it holds a note  box" in out
    out, _ = place.box("validate", name, "good.feature", "bad.feature", "--format", "json", status=2)
    report = json.loads(out)
    assert (report["stack"], report["counts"]["ok"], report["counts"]["critical"]) == ("validate", 1, 1)
    out, _ = place.box("validate", "debian-21", "good.feature", status=3)
    assert "unknown image 'debian-21'" in out
    assert "nothing was checked" in out
    (place.folder / f"images-{place.mark}").mkdir()
    (place.folder / f"images-{place.mark}" / "Dockerfile").write_text(
        'FROM scratch\nCOPY . /etc\nCMD ["/no-such-program"]\n'
    )
    out, _ = place.box("validate", f"images-{place.mark}", "good.feature", status=3)
    assert "no-such-program" in out
    (place.folder / f"images-{place.mark}" / "Dockerfile").write_text(f'FROM {place.built(name)[0]}\nCMD ["false"]\n')
    out, _ = place.box("validate", f"images-{place.mark}", "good.feature", status=3)
    assert "box console: the first process (false) has ended with status 1" in out
    assert [path.name for path in (place.folder / "cache").iterdir() if path.name.startswith("validate-")] == []
    left = engine("ps", "-a", "--filter", f"label=infratest.directory={place.folder}", "--format", "{{.Names}}")
    assert place.mark not in left


@pytest.mark.parametrize(
    "words, said",
    [
        (["rm"], "name images, or say --outdated"),
        (["rm", "no-such-image"], "unknown image 'no-such-image'"),
        (["build", "debian-21"], "unknown image 'debian-21': did you mean 'debian-1"),
        (["build", "debian-12", "--for", "local"], "provider local keeps no images; those that do are .*container"),
        (["build", "debian-12", "--for", "contaner"], "did you mean 'container'"),
        (["lst"], "unknown word 'lst': did you mean 'list'"),
    ],
)
def test_wrong_use(place: Place, words: list[str], said: str) -> None:
    assert re.search(said, place.box(*words, status=2)[1])


def test_without_an_engine_nobody_says_that_nothing_is_kept(place: Place) -> None:
    nobody = f"unix://{place.folder}/nobody.sock"
    for words in (["list"], ["rm", "debian-12"]):
        _, err = place.box(*words, status=1, DOCKER_HOST=nobody)
        assert "provider container could not be asked: no container engine is usable" in err
    assert "no container engine is usable" in place.box("build", "debian-12", status=1, DOCKER_HOST=nobody)[1]
