# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app as it is released: a tar.gz of `app.py` and its `release.json`."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
import typing as t
from pathlib import Path

APPCTL = Path(__file__).with_name("appctl")


def make_release(directory: Path, version: str, behaviour: dict[str, t.Any] | None = None, size: int = 0) -> Path:
    """Build `<directory>/web-<version>.tar.gz`, the same bytes for the same arguments.

    :param behaviour: how the release misbehaves; see `app.py`.
    :param size: bytes of incompressible ballast in it.
    """
    files = {
        "app.py": Path(__file__).with_name("app.py").read_bytes(),
        "release.json": json.dumps({"version": version, "behaviour": behaviour or {}}, sort_keys=True).encode(),
    }
    if size:
        files["ballast"] = random.Random(version).randbytes(size)
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"web-{version}.tar.gz"
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)  # as made: mtime 0, mode 0644, root
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def sha256(path: Path) -> str:
    """The hex digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
