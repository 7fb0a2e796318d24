"""Hosts of images that lie beside the stack file (Dockerfiles, archives), and of images with systemd: a real engine."""

from __future__ import annotations

import gzip
import io
import logging
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infratest.deadline import Deadline
from infratest.errors import ProviderError, UserError
from infratest.hosts import RUNNING
from infratest.images.recipe import recipe
from infratest.providers.base import HostSpec
from infratest.providers.container import HostOptions
from infratest.providers.container.engine import Engine, find
from infratest.providers.container.image import ensure
from infratest.providers.container.pulling import our_tag
from infratest.stack.open import open_transport
from infratest.testing.waiting import wait_until
from tests.worlds.container_stack import Stack
from tests.worlds.registry import registry, small_root
from tests.worlds.tiny_container import engine as engine_words

pytestmark = pytest.mark.hosts

MACHINE = 'FROM {base}\nCMD ["/lib/systemd/systemd"]\n'
WITHOUT_SSH = 'FROM {base}\nRUN systemctl disable ssh.service\nCMD ["/sbin/init"]\n'
#: `scratch` is no image: what is in it is in the folder.
SMALL = 'FROM scratch\nADD root.tar /\nRUN echo a line of the build; echo 1 > /etc/built\nCMD ["sleep", "86400"]\n'


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find("auto", Deadline(60))


@pytest.fixture
def stack(tmp_path: Path, engine: Engine) -> Iterator[Stack]:
    """A stack; the images that are made for it go with it."""
    before = set(tags(engine))
    stack = Stack(tmp_path)
    try:
        yield stack
    finally:
        stack.down()
        for tag in set(tags(engine)) - before:
            if tag.startswith(("infratest/dockerfile/made-", "infratest/archive/made-")):
                engine.run(["image", "rm", tag], Deadline(60))


def tags(engine: Engine) -> list[str]:
    return engine.run(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], Deadline(60)).split()


def spec(image: str, name: str = "web", **more: str) -> HostSpec:
    return HostSpec(
        name=name, options=HostOptions(image=image, user=more.pop("user", "")), where="stack.yaml:3", **more
    )


def folder(stack: Stack, name: str, dockerfile: str, engine: Engine) -> str:
    """Write a folder with a Dockerfile, and return how a stack file names it."""
    base = ensure(engine, recipe("debian-12", Path()), Deadline(600)) if "{base}" in dockerfile else ""
    place = stack.folder / "images" / name
    place.mkdir(parents=True)
    (place / "Dockerfile").write_text(dockerfile.format(base=base))
    if "root.tar" in dockerfile:
        (place / "root.tar").write_bytes(small_root())
    return f"images/{name}"


def said(stack: Stack, spec: HostSpec, *words: str) -> str:
    """Return what a command prints on a host once it answers, by its own way in."""

    def once() -> tuple[bytes]:
        transport = open_transport(stack.host(spec))
        try:
            transport.open(Deadline(30))
            return (transport.run(list(words), Deadline(30)).stdout,)
        finally:
            transport.close()

    def answered() -> tuple[bytes] | None:
        try:
            return once()
        except Exception:  # noqa: BLE001  it is booting
            return None

    return wait_until(answered, 30)[0].decode().strip()


def test_a_folder_with_a_dockerfile_is_built_once_for_its_content(
    stack: Stack, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host = spec(folder(stack, "made-app", SMALL, engine))
    stack.up(host, replace(host, name="second"))
    assert said(stack, host, "cat", "/etc/built") == "1"
    assert [record.message for record in caplog.records].count(f"{engine.kind}: a line of the build") == 1
    assert "image images/made-app has no systemd, so its own command runs (sleep 86400)" in caplog.text
    made = [tag for tag in tags(engine) if tag.startswith("infratest/dockerfile/made-app:")]
    assert len(made) == 1
    stack.down()
    stack.up(host)
    assert [tag for tag in tags(engine) if tag.startswith("infratest/dockerfile/made-app:")] == made
    dockerfile = stack.folder / "images" / "made-app" / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("echo 1 >", "echo 2 >"))
    stack.down()
    stack.up(host)
    assert said(stack, host, "cat", "/etc/built") == "2"


def test_a_build_that_fails_shows_its_last_lines(stack: Stack, engine: Engine) -> None:
    broken = "FROM scratch\nADD root.tar /\nRUN echo the reason; exit 3\n"
    host = spec(folder(stack, "made-broken", broken, engine))
    with pytest.raises(ProviderError) as error:
        stack.up(host)
    message = str(error.value)
    assert message.startswith(f"image images/made-broken could not be built from {stack.folder}/images/made-broken/")
    assert "\n  the reason\n" in message
    assert "returned a non-zero code: 3" in message
    assert [one.kind for one in stack.mine()] == ["network"]


def test_an_image_with_systemd_and_an_ssh_server_is_a_machine_as_ours_are(stack: Stack, engine: Engine) -> None:
    host = spec(folder(stack, "made-machine", MACHINE, engine), user="deploy")
    stack.up(host)
    assert stack.host(host).transport == "ssh"
    assert said(stack, host, "id", "-un") == "deploy"
    assert said(stack, host, "sudo", "-n", "systemctl", "is-system-running", "--wait") == "running"


def test_an_image_with_systemd_and_no_ssh_server_is_a_machine_that_the_engine_reaches(
    stack: Stack, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    host = spec(folder(stack, "made-quiet", WITHOUT_SSH, engine))
    stack.up(host)
    assert stack.host(host).transport == "container"
    assert said(stack, host, "systemctl", "is-system-running") == "running"
    stack.provider.halt(stack.made["web"], Deadline(60))
    stack.provider.start(stack.made["web"], Deadline(60))
    assert said(stack, host, "systemctl", "is-system-running") == "running"
    assert "runs systemd, which starts no SSH server (neither ssh.service nor sshd.service is enabled)" in caplog.text


def test_an_image_of_a_recipe_comes_back_from_a_registry_as_the_machine_that_it_is(
    stack: Stack, engine: Engine, tmp_path: Path
) -> None:
    ours = ensure(engine, recipe("debian-12", Path()), Deadline(600))
    with registry(tmp_path / "registry") as running:
        name = running.name("machine:1")
        engine.run(["tag", ours, name], Deadline(30))
        running.push_kept(name)
        try:
            host = spec(name)
            stack.up(host)
            assert stack.host(host).transport == "ssh"
            assert said(stack, host, "cat", "/proc/1/comm") == "systemd"
        finally:
            stack.down()
            engine.remove(["image", "rm", our_tag(name)], Deadline(60))


@pytest.mark.parametrize("packed", [False, True])
def test_a_root_file_system_in_an_archive_is_imported(stack: Stack, packed: bool) -> None:
    root = small_root(files={"etc/note": "from the archive\n"})
    name = "made-root.tar.gz" if packed else "made-root.tar"
    (stack.folder / name).write_bytes(gzip.compress(root) if packed else root)
    host = spec(name)
    stack.up(host)
    assert (stack.host(host).state, stack.host(host).transport) == (RUNNING, "container")
    assert said(stack, host, "cat", "/etc/note") == "from the archive"
    assert said(stack, host, "cat", "/proc/1/comm") == "sh"


def test_an_archive_of_docker_save_is_loaded_and_moves_no_tag_that_somebody_has(stack: Stack, engine: Engine) -> None:
    theirs = f"tests/made-{stack.state_id}:1"
    words = ["--change", 'CMD ["sleep", "86400"]', "-", theirs]
    engine_words("import", *words, stdin=small_root(files={"etc/note": "saved\n"}))
    try:
        engine_words("save", "--output", str(stack.folder / "made-saved.tar"), theirs)
        newer = engine_words("import", "-", theirs, stdin=small_root(files={"etc/note": "newer\n"}))
        host = spec("./made-saved.tar")
        stack.up(host)
        assert said(stack, host, "cat", "/etc/note", "/proc/1/comm") == "saved\nsleep"
        assert engine_words("image", "inspect", "--format", "{{.Id}}", theirs) == newer
    finally:
        engine_words("image", "rm", theirs)


def archive_of(*names: str, manifest: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        if manifest:
            about = tarfile.TarInfo("manifest.json")
            about.size = len(manifest)
            archive.addfile(about, io.BytesIO(manifest))
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return stream.getvalue()


@pytest.mark.parametrize(
    "content, words",
    [
        (b"QFI\xfb a disk", r"is no tar archive that can be read \(it does not begin as a tar archive does"),
        (archive_of("README", "src/main.c"), "holds neither a root file system .* nor an image of `docker save`"),
        (archive_of("etc/hosts")[:300], r"is no tar archive that can be read \(it does not begin as a tar archive"),
        (gzip.compress(archive_of("etc/hosts"), mtime=0)[:60], r"is no tar archive that can be read \((?!.*Error)"),
    ],
)
def test_a_file_that_is_no_image_is_refused_before_anything_is_made(stack: Stack, content: bytes, words: str) -> None:
    (stack.folder / "made-strange.tar").write_bytes(content)
    with pytest.raises(UserError, match=rf"stack\.yaml:3: hosts\.web\.image: image made-strange\.tar: .*{words}"):
        stack.provider.foresee([spec("made-strange.tar")])


@pytest.mark.parametrize(
    "names, words",
    [(("oci-layout", "index.json", "blobs/sha256/ab"), "has no manifest.json: write it by `docker save`")],
)
def test_an_archive_that_no_engine_loads_is_refused(stack: Stack, names: tuple[str, ...], words: str) -> None:
    (stack.folder / "made-oci.tar").write_bytes(archive_of(*names))
    with pytest.raises(UserError, match=words):
        stack.up(spec("made-oci.tar"))


@pytest.mark.parametrize(
    "manifest", [b"null", b"{}", b"3", b"[1]", b"[", b"\xff", b"[" * 200_000], ids=lambda one: one[:4].hex()
)
def test_an_archive_whose_manifest_is_damaged_is_refused_in_words(stack: Stack, manifest: bytes) -> None:
    (stack.folder / "made-torn.tar").write_bytes(archive_of(manifest=manifest))
    with pytest.raises(ProviderError, match=r"image made-torn\.tar: /.*made-torn\.tar could not be read: ") as caught:
        stack.up(spec("made-torn.tar"))
    assert "NoneType" not in str(caught.value)
