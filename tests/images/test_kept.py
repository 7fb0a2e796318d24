"""What is remembered of kept images, and which go when they are too many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infratest.errors import ProviderError, UserError
from infratest.images.kept import KeptImage, Origin, forget, limit, make_room, note, noted

NOW = 1_800_000_000.0
DAY = 86400.0


def image(name: str, days: float, size: int = 10, outdated: bool = False) -> KeptImage:
    used = NOW - days * DAY if days >= 0 else 0.0
    return KeptImage(
        name=name, id=name, providers=("container",), size=size, made=1.0, source="", used=used, outdated=outdated
    )


def gone(images: list[KeptImage], most: int, in_use: tuple[str, ...] = ()) -> list[str]:
    def remove(each: KeptImage) -> None:
        if each.id in in_use:
            raise ProviderError("in use")

    return [each.name for each in make_room(images, most, remove, NOW)]


def test_the_longest_unused_go_until_the_others_fit() -> None:
    images = [image("new", 1), image("old", 9), image("older", 20), image("today", 0.5)]
    assert gone(images, 40) == []
    assert gone(images, 39) == ["older"]
    assert gone(images, 20) == ["older", "old"]


def test_outdated_ones_go_first_and_what_is_in_use_or_was_asked_for_just_now_stays() -> None:
    images = [image("old", 9), image("edited", 1, outdated=True), image("older", 20), image("now", 0.01)]
    assert gone(images, 30) == ["edited"]
    assert gone(images, 0, in_use=("older",)) == ["edited", "old"]


def test_what_nobody_here_has_ever_asked_for_is_somebody_elses() -> None:
    assert gone([image("theirs", -1, size=1000), image("ours", 9)], 10) == []
    assert gone([image("theirs", -1, size=1000), image("ours", 9)], 9) == ["ours"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFRATEST_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_image_is_remembered_with_its_last_use(cache: Path) -> None:
    origin = Origin(name="images/app", source="/here/images/app/Dockerfile", path="/here/images/app")
    assert noted("infratest/dockerfile/app:0123") is None
    assert note("infratest/dockerfile/app:0123", origin) is True
    place = next((cache / "kept").iterdir())
    os.utime(place, (NOW, NOW))
    assert noted("infratest/dockerfile/app:0123") == (origin, NOW)
    assert note("infratest/dockerfile/app:0123", origin) is False
    assert noted("infratest/dockerfile/app:0123") != (origin, NOW)
    forget("infratest/dockerfile/app:0123")
    forget("infratest/dockerfile/app:0123")
    assert noted("infratest/dockerfile/app:0123") is None


def test_a_cache_that_cannot_be_written_remembers_nothing_and_hinders_nothing(cache: Path) -> None:
    cache.write_text("a file in the way")
    assert note("infratest/x:1", Origin(name="x", source="")) is False
    forget("infratest/x:1")
    cache.unlink()
    (cache / "kept").mkdir(parents=True)
    (cache / "kept" / "infratest%2Fx%3A1").write_text("torn {")
    assert noted("infratest/x:1") is None


@pytest.mark.parametrize("text, size", [("", 20 * 2**30), ("5GiB", 5 * 2**30), ("0B", 0)])
def test_the_limit_is_a_size(monkeypatch: pytest.MonkeyPatch, text: str, size: int) -> None:
    monkeypatch.setenv("INFRATEST_CACHE_SIZE", text)
    assert limit() == size


def test_a_limit_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFRATEST_CACHE_SIZE", "much")
    with pytest.raises(UserError, match="INFRATEST_CACHE_SIZE"):
        limit()
