# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proof that a host can go back: the release that it would go back to is whole, or can be fetched again.

What a release held when it was staged is in ``releases/.<version>.sums``. Files that came since, as an app writes caches beside its code,
say nothing against it. Like artifacts.py it is also sent to hosts as plain text.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import typing as t

from ansible_collections.convoy.rolling.plugins.module_utils.releases import observe, read_manifest, release_path

_PATIENCE = 10.0  # seconds for a URL to answer


def sums_path(root: str, version: str) -> str:
    return os.path.join(root, "releases", f".{version}.sums")


def write_sums(tree: str, path: str) -> None:
    """Write down what is in a tree: name -> digest of a file, or where a link leads."""
    sums = {}
    for directory, directories, names in os.walk(tree):
        for name in (*names, *directories):
            full = os.path.join(directory, name)
            if name in directories and not os.path.islink(full):
                continue
            sums[os.path.relpath(full, tree)] = _sum(full)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(sums, file)


def fault_of(root: str, version: str) -> str:
    """What is wrong with a release that is to be gone back to; empty when nothing is. One without sums is taken as it is."""
    tree = release_path(root, version)
    if not os.path.isdir(tree) or read_manifest(root, version) is None:
        return f"release {version} is not there"
    try:
        with open(sums_path(root, version), encoding="utf-8") as file:
            sums: dict[str, str] = json.load(file)
        for name, known in sums.items():
            full = os.path.join(tree, name)
            if not os.path.lexists(full):
                return f"release {version} has lost {name}"
            if _sum(full) != known:
                return f"release {version} is not what was staged: {name} was changed"
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError) as error:
        return f"release {version} can't be read: {error}"
    return ""


def prove(root: str, version: str, to: str | None = None, url: str | None = None) -> dict[str, t.Any]:
    """Whether a host that goes to a version can go back: ``version``, the one it would go back to, and ``fault``, empty when it can.

    :param to: where the fleet would go back to; None: to what this host has.
    :param url: where that can be fetched, should it not be there.
    """
    seen = observe(root)
    to = to or (seen["previous"] if seen["active"] == version else seen["active"])
    if to is None:
        return {"version": None, "fault": "it has no release to go back to"}
    fault = fault_of(root, to)
    if fault and url:
        fault = f"{fault}, and {why}" if (why := _cannot_fetch(url)) else ""
    return {"version": to, "fault": fault}


def _sum(path: str) -> str:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return f"-> {os.readlink(path)}"
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _cannot_fetch(url: str) -> str:
    """Why a URL can't be fetched; one byte of it is enough."""
    from http.client import HTTPException  # slow to import, and most releases are there
    from urllib.request import build_opener

    try:
        with build_opener().open(url, timeout=_PATIENCE) as response:
            return "" if response.read(1) else "there is nothing at its URL"
    except (OSError, HTTPException, ValueError) as error:
        return f"it can't be fetched: {error}"
