# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases of one app on one host.

A deploy root holds::

    releases/<version>/        one release, whole or not there at all
    releases/.<version>.json   its manifest: version, digest, when, by, cause, source
    releases/.<version>.sums   what is in it, for proof.py
    releases/.tmp-<random>/    work in progress; never a release
    shared/                    what outlives a release
    current -> releases/<v>    the active release
    previous -> releases/<v>   the one that was active before it

The controller also sends this file as plain text to a host's ``python3 -I -S -``: it imports the standard library only, and
little of it. What may take long (stage, prune, remove) is in artifacts.py.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would cost every host 2 ms
    import typing as t

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOVING_NAMES = frozenset(("latest", "stable", "main", "master", "head"))


class ReleaseError(Exception):
    """One sentence for a person; ``result`` is what goes with it (JSON-able)."""

    def __init__(self, message: str, result: dict[str, t.Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.result: dict[str, t.Any] = result or {}


def failure(error: OSError, doing: str) -> ReleaseError:
    """The sentence for an error of the operating system; ``doing`` says what failed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ReleaseError(f"{doing}: no space is left on the disk; free some and run it again.")
    return ReleaseError(f"{doing}: {error.strerror or error}{f': {error.filename}' if error.filename else ''}.")


def check_version(version: object, variable: str = "version") -> str:
    """The version as text.

    :param variable: the name a person knows the value by, for the error.
    :raises ReleaseError: for a name that moves, for a number YAML may have shortened (2.40), for what is no safe directory name.
    """
    text = str(version) if isinstance(version, int) and not isinstance(version, bool) else version
    if not isinstance(text, str):
        raise ReleaseError(f"{variable}: {version!r} is not a string; write the version in quotes, such as '2.4.1'.")
    if text.lower() in _MOVING_NAMES:
        raise ReleaseError(f"{variable}: {text!r} is a name that moves; give the version it stands for, such as 2.4.1.")
    if not _VERSION.fullmatch(text):
        raise ReleaseError(
            f"{variable}: {text!r} cannot name a release; use at most 128 letters, digits and . _ + -, starting with a letter or a digit."
        )
    return text


def check_sha256(sha256: str | None, variable: str = "sha256") -> str | None:
    """The digest as 64 lower-case hex digits; ``sha256:`` in front is allowed."""
    if sha256 is None:
        return None
    digest = sha256.lower()
    digest = digest[7:] if digest.startswith("sha256:") else digest
    if not _SHA256.fullmatch(digest):
        raise ReleaseError(f"{variable}: {sha256!r} is no SHA-256 digest; give its 64 hex digits.")
    return digest


def check_root(root: str) -> str:
    """The deploy root as given, if it is an absolute path other than ``/``."""
    if not os.path.isabs(root) or os.path.normpath(root) in ("/", "//"):
        raise ReleaseError(f"root: {root!r} cannot be a deploy root; give an absolute path such as /srv/web.")
    return root


def release_path(root: str, version: str) -> str:
    return os.path.join(root, "releases", version)


def manifest_path(root: str, version: str) -> str:
    return os.path.join(root, "releases", f".{version}.json")


def scratch_path(root: str) -> str:
    """A new name for work in progress, on the file system of the releases, so that a rename takes it into place."""
    return os.path.join(root, "releases", f".tmp-{os.urandom(8).hex()}")


def read_manifest(root: str, version: str) -> dict[str, t.Any] | None:
    """The manifest plus the release's path; None where there is none that can be read."""
    try:
        with open(manifest_path(root, version), encoding="utf-8") as file:
            manifest = json.load(file)
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or not all(isinstance(manifest.get(key), str) for key in ("version", "digest", "when")):
        return None
    return dict(manifest, path=release_path(root, version))


def is_staged(root: str, version: str, sha256: str | None = None) -> bool:
    """Whether the release is there. Without ``sha256`` a release that is there is taken as it is.

    :raises ReleaseError: when it is there with another digest, or with none that is known.
    """
    if not os.path.isdir(release_path(root, version)):
        return False
    digest = (read_manifest(root, version) or {}).get("digest", "unknown")
    if sha256 not in (None, digest):
        there = f"version: {version} is already there with digest {digest}, given {sha256}"
        raise ReleaseError(f"{there}: a version is never two things; give a new version or remove this one.")
    return True


def _linked(root: str, name: str, broken: list[dict[str, str]]) -> str | None:
    """The version that the link leads to; what is wrong with the link is added to ``broken``."""
    link = os.path.join(root, name)
    if not os.path.lexists(link):
        return None
    target = os.readlink(link) if os.path.islink(link) else None
    if target is None:
        problem = "is not a link"
    else:
        parent, version = os.path.split(os.path.normpath(os.path.join(root, target)))
        if os.path.realpath(parent) != os.path.realpath(os.path.join(root, "releases")) or not _VERSION.fullmatch(version):
            problem = f"points to {target}, which is no release"
        elif not os.path.isdir(link):
            problem = f"points to {target}, which is not there"
        else:
            return version
    broken.append({"path": link, "problem": problem})
    return None


def observe(root: str) -> dict[str, t.Any]:
    """What is there: ``active``, ``previous``, ``releases`` (manifests, oldest first), ``broken`` (path and problem). Changes nothing."""
    check_root(root)
    try:
        names = os.listdir(os.path.join(root, "releases"))
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise failure(error, f"root: {root} cannot be read") from error
    described = {name[1:-5] for name in names if name.startswith(".") and name.endswith(".json")}
    releases: list[dict[str, t.Any]] = []
    broken: list[dict[str, str]] = []
    for version in sorted(filter(_VERSION.fullmatch, described.union(names))):
        path = release_path(root, version)
        manifest = read_manifest(root, version)
        if os.path.isdir(path):
            if manifest:
                releases.append(manifest)
            else:
                broken.append({"path": path, "problem": "has no readable manifest"})
        elif version in described:
            broken.append({"path": manifest_path(root, version), "problem": "is the manifest of a release that is not there"})
    releases.sort(key=lambda manifest: (manifest["when"], manifest["version"]))
    active = _linked(root, "current", broken)
    previous = _linked(root, "previous", broken)
    return {"active": active, "previous": None if previous == active else previous, "releases": releases, "broken": broken}


@contextlib.contextmanager
def locked(root: str, doing: str) -> t.Iterator[None]:
    """One process at a time; held only for a few renames."""
    lock = -1
    try:
        # Nothing there yet to guard, or a file system without locks: each step is still one rename.
        with contextlib.suppress(OSError):
            lock = os.open(os.path.join(root, "releases"), os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise failure(error, doing) from error
    finally:
        if lock >= 0:
            os.close(lock)


def _point(root: str, name: str, version: str) -> None:
    """Make the link lead to the version, in one step for whoever reads it; what a killed call left is taken away first."""
    new = os.path.join(root, f".{name}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    os.symlink(os.path.join("releases", version), new)
    os.replace(new, os.path.join(root, name))


def activate(root: str, version: str, check_mode: bool = False) -> dict[str, t.Any]:
    """Switch ``current`` to a release that is there: ``changed``, ``before``, ``after`` (each active and previous)."""
    check_root(root)
    check_version(version)
    with locked(root, f"{root}: version {version} cannot be activated"):
        if not is_staged(root, version):
            raise ReleaseError(f"version: {version} is not staged under {root}; stage it first.")
        current = os.path.join(root, "current")
        if os.path.lexists(current) and not os.path.islink(current):
            raise ReleaseError(f"root: {current} is not a link; move it away first.")
        seen = observe(root)
        before = {"active": seen["active"], "previous": seen["previous"]}
        after = switched(before, version)
        if before != after and not check_mode:
            # `previous` first: a kill between the two steps leaves it equal to `current`, and the same call again finishes.
            if after["previous"]:
                _point(root, "previous", after["previous"])
            _point(root, "current", version)
    return {"changed": before != after, "before": before, "after": after}


def switched(before: dict[str, t.Any], version: str) -> dict[str, t.Any]:
    """Active and previous release after a switch to the version."""
    if before["active"] == version:
        return {"active": version, "previous": before["previous"]}
    previous = before["active"] or before["previous"]
    return {"active": version, "previous": None if previous == version else previous}


def run_json(text: str) -> str:
    """One operation, from JSON to JSON: ``{"op": "activate", "root": ..., "version": ...}``, the rest being the function's arguments.

    ``op`` is observe, activate, or one of artifacts.py: stage, prune, remove, run.
    The answer is ``{"ok": true, ...}`` or ``{"ok": false, "error": one sentence, "result": {...}}``.
    """
    request = json.loads(text)
    op = request.pop("op", None)
    operations: dict[str, t.Callable[..., dict[str, t.Any]]] = {"observe": observe, "activate": activate}
    try:
        if op not in operations:
            from ansible_collections.convoy.rolling.plugins.module_utils.artifacts import OPERATIONS as operations
        if op not in operations:
            raise ReleaseError(f"op: {op!r} is unknown; use observe, activate, {', '.join(operations)}.")
        return json.dumps({"ok": True, **operations[op](**request)})
    except ReleaseError as error:
        return json.dumps({"ok": False, "error": error.message, "result": error.result})
