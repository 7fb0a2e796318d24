"""The files that name repositories, read: path -> lines, to repositories. Pure; called by the fact `repository`."""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError
from infratest.facts.repository import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Files = dict[str, list[str]]

YES = ("yes", "true", "on", "1", "with", "enable")  # what apt and dnf take for it, in any case
NO = ("no", "false", "off", "0", "without", "disable")


#: The name that what apt-config says goes by, among those of files.
CONFIGURATION = "apt-config"


def apt(files: Files) -> Iterator[Repository]:
    """Read apt's: a line each, or paragraphs in files whose names end in `.sources`."""
    careless = any(_allowed(row) for row in files.get(CONFIGURATION, ()))
    for each in _of_apt(files):
        yield each.changed(checked=False) if careless else each


def _allowed(row: str) -> bool:
    """Whether a line of apt's configuration allows what is not signed, or is so badly: apt.conf(5), apt-secure(8)."""
    value = row.partition(" ")[2].strip().rstrip(";").strip('"').lower()
    return value not in ("", "0", "no", "false", "without", "off", "disable")


def _of_apt(files: Files) -> Iterator[Repository]:
    for path, text in files.items():
        if path == CONFIGURATION:
            continue
        if path.endswith(".sources"):
            for fields in _paragraphs(text):
                yield from _of_paragraph(fields, path)
        else:
            for row in text:
                yield from _of_line(row, path)


def _of_line(row: str, path: str) -> Iterator[Repository]:
    words = row.partition("#")[0].split()
    if not words or words[0] != "deb":
        return
    options: dict[str, str] = {}
    rest = words[1:]
    if rest and rest[0].startswith("["):
        inside, bracket, behind = " ".join(rest).partition("]")
        if not bracket:
            raise FactError(f"{path}: a line is not understood: {cited(row, 80)}")
        options = dict(word.lower().partition("=")[::2] for word in inside[1:].split() if "=" in word)
        signed = [word.partition("=")[2] for word in inside[1:].split() if word.lower().startswith("signed-by=")]
        options["signed-by"] = signed[0] if signed else ""
        rest = behind.split()
    if len(rest) < 2:
        raise FactError(f"{path}: a line is not understood: {cited(row, 80)}")
    yield Repository(
        urls=(rest[0],), suites=(rest[1],), components=tuple(rest[2:]), file=path,
        checked=not _insecure(options), key=options.get("signed-by", ""),
    )  # fmt: skip


def _of_paragraph(fields: dict[str, str], path: str) -> Iterator[Repository]:
    if "deb" not in fields.get("types", "").split():
        return
    key = fields.get("signed-by", "").strip()
    yield Repository(
        urls=tuple(fields.get("uris", "").split()),
        suites=tuple(fields.get("suites", "").split()),
        components=tuple(fields.get("components", "").split()),
        enabled=fields.get("enabled", "yes").strip().lower() not in NO,
        checked=not _insecure(fields),
        key="a key that stands in the file" if "\n" in key else key,
        file=path,
    )


def _insecure(options: dict[str, str]) -> bool:
    """Whether apt takes what is not signed from there: sources.list(5)."""
    return any(options.get(name, "no").strip().lower() in YES for name in ("trusted", "allow-insecure"))


def _paragraphs(text: list[str]) -> Iterator[dict[str, str]]:
    """Take deb822(5) apart: names of fields in small letters; lines that go on are kept with their breaks."""
    fields: dict[str, str] = {}
    last = ""
    for row in [*text, ""]:
        if row.startswith("#"):
            continue
        if not row.strip():
            if fields:
                yield fields
            fields, last = {}, ""
        elif row[0] in " \t" and last:
            fields[last] += f"\n{row.strip()}"
        else:
            last, _, value = row.partition(":")
            last = last.strip().lower()
            fields[last] = value.strip()


def sections(text: list[str]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Take a file of sections apart: each has a name and what its keys are set to; lines that begin blank go on."""
    name, keys, last = "", dict[str, list[str]](), ""
    for row in text:
        if not row.strip() or row.lstrip()[0] in "#;":
            continue
        if row.startswith("["):
            if name:
                yield name, keys
            name, keys, last = row[1:].partition("]")[0].strip(), {}, ""
        elif row[0] in " \t" and last:
            keys[last] += row.split()
        else:
            last, _, value = row.partition("=")
            last = last.strip().lower()
            keys.setdefault(last, []).extend(value.replace(",", " ").split())
    if name:
        yield name, keys


def ini(files: Files) -> Iterator[Repository]:
    """Read the `.repo` files of dnf, yum and zypper; what is said of all packages' signatures stands in `main`."""
    found = [(path, name, keys) for path, text in files.items() for name, keys in sections(text)]
    main = {key: value for _, name, keys in found if name == "main" for key, value in keys.items()}
    for path, name, keys in found:
        if name == "main":
            continue
        urls = [url for key in ("baseurl", "mirrorlist", "metalink") for url in keys.get(key, [])]
        default = ["1"] if path.startswith("/etc/zypp/") else main.get("gpgcheck", ["0"])
        yield Repository(
            id=name,
            urls=tuple(urls),
            enabled=_first(keys.get("enabled", ["1"])) not in NO,
            checked=_first(keys.get("gpgcheck", default)) in YES,
            key=" ".join(keys.get("gpgkey", [])),
            file=path,
        )


def _first(words: list[str]) -> str:
    return words[0].lower() if words else ""


def apk(files: Files) -> Iterator[Repository]:
    """Read apk-repositories(5): an address a line, behind a tag where it has one. apk always checks signatures."""
    for path, text in files.items():
        for row in text:
            words = row.partition("#")[0].split()
            tag = words[0] if words and words[0].startswith("@") else ""
            if words[1 if tag else 0 :]:
                yield Repository(id=tag, urls=(words[1 if tag else 0],), file=path)


def pacman(files: Files) -> Iterator[Repository]:
    """Read what `pacman-conf` prints: all of pacman.conf and what it includes, with names and architecture put in."""
    ((path, text),) = files.items()
    found = list(sections(text))
    if not any(name == "options" for name, _ in found):
        raise FactError("the answer of pacman-conf is not understood: it has no options")
    level = next(keys.get("siglevel", []) for name, keys in found if name == "options")
    for name, keys in found:
        if name != "options":
            checked = "PackageRequired" in keys.get("siglevel", level)
            yield Repository(id=name, urls=tuple(keys.get("server", [])), checked=checked, file=path)
