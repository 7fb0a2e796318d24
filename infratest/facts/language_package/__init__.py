"""The fact `language-package`: is a package of pip, npm, gem or cargo installed, in which versions.

Arguments: the tool's name, the package's, and the folder that it is installed in, empty for the host's own place. What
the tool wrote when it installed is read (`*.dist-info`, `package.json`, the first lines of a gemspec, `.crates.toml`):
no code out of that folder is run, and no tool but the one that knows its own place:

pip: the folder of a virtual environment, or one that `--target` filled; else where the host's `python3` looks.
npm: the folder that has `node_modules`; else what `npm root -g` says.
gem: a GEM_HOME, or the folder of `bundle config path`; else what `gem environment gempath` says.
cargo: what `cargo install --root` names; else CARGO_INSTALL_ROOT, CARGO_HOME or ~/.cargo.
"""

from __future__ import annotations

from infratest.cleaning import cited
from infratest.errors import FactError, UserError
from infratest.facts._shell import ONE_LINE, lines, number, unescaped
from infratest.facts.base import Answer, Argument, LooksForEach
from infratest.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    #: What a snippet says of one package: words, each with its value.
    Rows = list[tuple[str, str]]

LANGUAGES = ("pip", "npm", "gem", "cargo")

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#: What may stand in a name of each: PEP 508, npm's package.json, rubygems' specification, cargo's manifest.
_NAMES = {
    "pip": frozenset(_LETTERS + "-_."),
    "npm": frozenset(_LETTERS + "-_.~"),
    "gem": frozenset(_LETTERS + "-_."),
    "cargo": frozenset(_LETTERS + "-_"),
}


class LanguagePackage(Record):
    """A package of a language.

    Args:
        versions: all that are installed, the one that is meant first: the one that is loaded, of gems the latest.
        place: where was looked, in words. there: whether there is such a place. problem: why it is not known.
    """

    versions: tuple[str, ...] = ()
    place: str = ""
    there: bool = True
    problem: str = ""

    def in_words(self) -> str:
        return self.problem or f"{', '.join(self.versions) or 'not installed'} ({self.place})"


def package_name(language: str, name: str) -> str:
    """Return the name of a package as it is.

    Raises:
        UserError: there is no such tool, or no package of it can have that name.
    """
    if language not in LANGUAGES:
        raise UserError(f"the {language} package {name!r}: packages of {', '.join(LANGUAGES)} are known")
    scope, slash, rest = name.rpartition("/") if language == "npm" and name.startswith("@") else ("", "", name)
    parts = [rest, scope[1:]] if slash else [rest]
    if not all(part and set(part) <= _NAMES[language] and part[0] not in "-." for part in parts):
        raise UserError(f"{name!r} is not the name of a {language} package")
    return name


def normal(name: str) -> str:
    """Return the name of a Python package as it is compared: PEP 503."""
    words = "".join("-" if each in "-_." else each for each in name.lower()).split("-")
    return "-".join(word for word in words if word)


def _pattern(name: str) -> str:
    """Return a shell pattern that fits what pip calls the folder of a package; others may fit, too."""
    return "".join("[-_.]*" if each in "-_." else f"[{each}{each.upper()}]" for each in name.lower())


SNIPPET = (
    ONE_LINE
    + r"""
row() { one_line "$2"; printf '%s %s %s\n' "$1" "$n" "$line"; }
is_absent() {
  [ -e "$1" ] && return 1
  words=$(stat -L -c %a -- "$1" 2>&1)
  case $words in *': No such file or directory' | *': Not a directory') return 0 ;; esac
  row problem "$1: ${words##*: }"
  return 1
}
can_look() {
  [ -d "$1" ] || { is_absent "$1"; return 1; }
  { [ -r "$1" ] && [ -x "$1" ]; } || { row problem "$1: Permission denied"; return 1; }
}
text_of() {
  sed -e 's/^/|/' "$1" 2>/dev/null || row problem "$1: cannot be read"
  echo # its last line may have no end
}
own_place() {
  place=$(command "$@" 2>/dev/null) && [ -n "$place" ] && return 0
  command -v "$1" >/dev/null 2>&1 && row problem "$* does not say where packages are" ||
    row problem "$1 is not installed on this host"
  return 1
}
metadata() {
  { [ -r "$1" ] && [ -f "$1" ]; } || { row problem "$1: cannot be read"; return; }
  while IFS= read -r text || [ -n "$text" ]; do
    case $text in
      'Name: '* | 'Version: '*) row "${text%%:*}" "${text#*: }" ;;
      '' | "$cr") break ;;
    esac
  done <"$1"
}
python_folder() {
  can_look "$1" || return
  row place "$1"
  for entry in "$1"/$pattern-*.dist-info "$1"/$pattern.dist-info "$1"/$pattern-*.egg-info "$1"/$pattern.egg-info; do
    if [ -f "$entry/METADATA" ]; then metadata "$entry/METADATA"
    elif [ -d "$entry" ]; then
      case $entry in *.egg-info) metadata "$entry/PKG-INFO" ;; *) metadata "$entry/METADATA" ;; esac
    elif [ -f "$entry" ]; then metadata "$entry"
    fi
  done
}
of_python() {
  [ -n "$of_python" ] || own_place python3 -I -c 'import os, sys
print("\n".join(path for path in sys.path if os.path.isdir(path)))' || return
  of_python=${of_python:-$place}
  left=$of_python
  while [ -n "$left" ]; do
    python_folder "${left%%"$nl"*}"
    case $left in *"$nl"*) left=${left#*"$nl"} ;; *) left= ;; esac
  done
}
of_pip() {
  [ -n "$folder" ] || { of_python; return; }
  python_folder "$folder"
  can_look "$folder/lib"
  for site in "$folder"/lib/python*/site-packages "$folder"/lib64/python*/site-packages; do
    [ -d "$site" ] && { [ "$site" = "${site#"$folder/lib64"}" ] || ! [ "$folder/lib64" -ef "$folder/lib" ]; } &&
      python_folder "$site"
  done
  grep -q -i '^include-system-site-packages *= *true' "$folder/pyvenv.cfg" 2>/dev/null && of_python
}
of_npm() {
  if [ -n "$folder" ]; then
    place=$folder/node_modules
  else
    place=$of_node
    [ -n "$place" ] || own_place npm root -g || return
    of_node=$place
  fi
  row place "$place"
  is_absent "$place/$name/package.json" && return
  row begin "$place/$name/package.json"
  text_of "$place/$name/package.json"
}
gems() {
  can_look "$1" || return
  row place "$1"
  for file in "$1/$name"-*.gemspec; do
    [ -e "$file" ] || continue
    count=0
    while [ $count -lt 5 ] && IFS= read -r text; do
      count=$((count + 1))
      case $text in '# stub: '*) row stub "${text#\# stub: }"; count=9 ;; esac
    done <"$file"
    [ $count -eq 9 ] || row file "${file##*/}"
  done
}
of_gem() {
  if [ -n "$folder" ]; then
    can_look "$folder/ruby"
    for place in "$folder" "$folder"/ruby/*; do
      gems "$place/specifications"
      gems "$place/specifications/default"
    done
    return
  fi
  [ -n "$of_ruby" ] || own_place gem environment gempath || return
  of_ruby=${of_ruby:-$place}
  left=$of_ruby:
  while [ -n "$left" ]; do
    gems "${left%%:*}/specifications"
    gems "${left%%:*}/specifications/default"
    left=${left#*:}
  done
}
of_cargo() {
  place=${folder:-${CARGO_INSTALL_ROOT:-${CARGO_HOME:-${HOME-}/.cargo}}}
  row place "$place"
  if ! is_absent "$place/.crates.toml"; then
    row begin "$place/.crates.toml"
    text_of "$place/.crates.toml"
  elif [ ! -d "$place" ] && [ -z "$folder" ]; then
    command -v cargo >/dev/null 2>&1 || row problem 'cargo is not installed on this host'
  fi
}
n=0 of_python= of_node= of_ruby= cr=$(printf '\r')
while [ $# -gt 3 ]; do
  n=$((n + 1)) language=$1 name=$2 folder=$3 pattern=$4
  shift 4
  echo "package $n"
  if [ -n "$folder" ] && [ ! -d "$folder" ]; then
    if [ -e "$folder" ]; then row problem "$folder is no folder"
    elif is_absent "$folder"; then row nowhere "$folder"
    fi
  else
    of_$language
  fi
done
echo end
exit 0
"""
)


class LanguagePackageFact(LooksForEach):
    """Packages of languages."""

    def snippet(self) -> str:
        return SNIPPET

    def words(self, argument: Argument) -> tuple[str, ...]:
        language, name, folder = argument
        return (language, package_name(language, name), folder, _pattern(name))

    def read(self, answer: Answer, arguments: Sequence[Argument]) -> Mapping[Argument, Any]:
        rows = lines(self.readable(answer).out)
        if rows[-1:] != ["end"] or rows[:1] != ["package 1"]:
            raise FactError(f"the answer about packages is not understood: {cited(answer.out, 80)}")
        parts = dict[int, list[str]]()
        for row in rows[:-1]:
            if row.startswith("package "):
                part = parts.setdefault(number(row.removeprefix("package "), "the number of a package"), [])
            else:
                part.append(row)
        if list(parts) != list(range(1, len(arguments) + 1)):
            raise FactError(f"the answer about packages is not understood: it tells of {len(parts)} packages")
        return {argument: _read(argument, parts[at]) for at, argument in enumerate(arguments, 1)}


def _read(argument: Argument, rows: list[str]) -> LanguagePackage:
    language, name, _ = argument
    told: list[tuple[str, str]] = []
    text: list[str] = []
    for row in rows:
        if row.startswith("|"):
            text.append(row[1:])
        elif row:
            word, _, rest = row.partition(" ")
            told.append((word, unescaped(rest.partition(" ")[2])))
    place = ", ".join(dict.fromkeys(value for word, value in told if word == "place"))
    problem = next((value for word, value in told if word == "problem"), "")
    if problem:
        return LanguagePackage(place=place, problem=problem)
    if nowhere := next((value for word, value in told if word == "nowhere"), ""):
        return LanguagePackage(place=nowhere, there=False)
    try:
        versions = tuple(dict.fromkeys(_READERS[language](name, told, text)))
    except ValueError as error:
        return LanguagePackage(
            place=place, problem=f"{place}: what {language} wrote of {name} is not understood: {error}"
        )
    return LanguagePackage(versions=versions, place=place)


def _pip(name: str, told: Rows, text: list[str]) -> Iterator[str]:
    """Return the version in the first folder that has one: it is the one that Python loads."""
    last = ""
    for word, value in told:
        if word == "Name":
            last = value.strip()  # some wheels end lines as Windows does
        elif word == "Version" and normal(last) == normal(name):
            yield value.strip()
            return


def _npm(name: str, told: Rows, text: list[str]) -> Iterator[str]:
    from infratest.json_text import loads

    if any(word == "begin" for word, _ in told):
        whole = loads("\n".join(text))
        version = whole.get("version") if isinstance(whole, dict) else None
        if not isinstance(version, str):
            raise ValueError("it has no version")
        yield version


def _gem(name: str, told: Rows, text: list[str]) -> list[str]:
    """Return all versions, of `# stub: NAME VERSION PLATFORM PATHS` or else of a file's name."""
    from infratest.facts.language_package.versions import latest_first

    found = []
    for word, value in told:
        fields = value.split(" ")
        if word == "stub" and fields[0] == name and len(fields) > 1:
            found.append(fields[1])
        elif word == "file":
            rest = value.removesuffix(".gemspec").removeprefix(f"{name}-")
            if rest[:1].isdigit():
                found.append(rest.partition("-")[0])
    return latest_first(list(dict.fromkeys(found)), "gem")


def _cargo(name: str, told: Rows, text: list[str]) -> list[str]:
    """Return the versions of lines as `"NAME VERSION (SOURCE)" = ["PROGRAM"]`."""
    from infratest.facts.language_package.versions import latest_first

    if any(word == "begin" for word, _ in told) and "[v1]" not in (row.strip() for row in text):
        raise ValueError("it is no list that cargo writes")
    fields = [row.split('"')[1].split(" ") for row in text if row.startswith('"') and row.count('"') > 1]
    return latest_first([field[1] for field in fields if field[0] == name and len(field) > 1], "cargo")


_READERS: dict[str, Any] = {"pip": _pip, "npm": _npm, "gem": _gem, "cargo": _cargo}
