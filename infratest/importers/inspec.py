"""`infratest import inspec PATH`: a file of controls, or a profile's folder, as one feature."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infratest.errors import UserError
from infratest.importers._rspec import imported
from infratest.importers.base import Imported, Importer

#: Files of one folder.
MOST = 1000


class Inspec(Importer):
    """Reads controls."""

    summary = "a file of InSpec's controls, or a profile"

    def read(self, path: Path, variables: Sequence[Path] = ()) -> Imported:
        """Return the feature that says what the plain describe blocks do."""
        folder = path / "controls" if (path / "controls").is_dir() else path
        files = sorted(folder.rglob("*.rb"))[: MOST + 1] if path.is_dir() else [path]
        if not files or len(files) > MOST:
            raise UserError(f"{path} holds {'no' if not files else f'more than {MOST}'} files of controls (*.rb)")
        return imported(path, "inspec", files)
