"""`infratest import serverspec PATH`: a spec file, or a folder of them, as one feature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infratest.errors import UserError
from infratest.importers._rspec import imported
from infratest.importers.base import Imported, Importer

#: Files of one folder.
MOST = 1000


class Serverspec(Importer):
    """Reads `*_spec.rb`."""

    summary = "a spec file of Serverspec, or a folder of them"

    def read(self, path: Path, variables: Sequence[Path] = ()) -> Imported:
        """Return the feature that says what the plain describe blocks do."""
        files = sorted(path.rglob("*_spec.rb"))[: MOST + 1] if path.is_dir() else [path]
        if not files or len(files) > MOST:
            raise UserError(f"{path} holds {'no' if not files else f'more than {MOST}'} files named *_spec.rb")
        return imported(path, "serverspec", files)
