# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing releases to a host and taking them away: what may take long and is done while the host still serves.

Like releases.py it is also sent to hosts as plain text, so it imports the standard library, releases.py, proof.py and unpacking.py only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import typing as t
from contextlib import suppress

from ansible_collections.convoy.rolling.plugins.module_utils.proof import prove, sums_path, write_sums
from ansible_collections.convoy.rolling.plugins.module_utils.releases import (
    ReleaseError,
    activate,
    check_root,
    check_sha256,
    check_version,
    failure,
    is_staged,
    locked,
    manifest_path,
    observe,
    read_manifest,
    release_path,
    scratch_path,
    switched,
)
from ansible_collections.convoy.rolling.plugins.module_utils.unpacking import BadArchive, RunCommand, tree_digest, unpack

_CHUNK = 1 << 20
_FETCH_TIMEOUT = 60.0  # seconds without a byte
_ABANDONED_AFTER = 86400.0  # seconds after which work in progress is that of a killed process


def run(
    root: str,
    version: str,
    state: str = "present",
    src: str | None = None,
    sha256: str | None = None,
    keep: int = 5,
    check_mode: bool = False,
    way_back: dict[str, t.Any] | None = None,
    **how: t.Any,
) -> dict[str, t.Any]:
    """Bring a release to a state: the whole of the module ``release``, and its result.

    :param state: ``present`` (staged), ``active`` (staged and switched to) or ``absent``.
    :param way_back: prove that the host can go back, with what else `proof.prove` takes; the result has it as ``way_back``.
    :param how: what else `stage` takes.
    :raises ReleaseError: one sentence; what was there before is there still.
    """
    if state not in ("present", "active", "absent"):
        raise ReleaseError(f"state: {state!r} is unknown; use present, active or absent.")
    check_version(version)
    sha256 = check_sha256(sha256)
    before = observe(root)
    there = is_staged(root, version, None if state == "absent" else sha256)
    after = planned(before, version, state, keep, there)
    changed = after["pruned"] != []
    if state == "absent":
        changed = remove(root, version, check_mode)["changed"]
    else:
        if not there:
            if src is None:
                raise ReleaseError(f"version: {version} is not staged under {root}, and there is no artifact to stage it from; give src.")
            changed |= stage(root, version, src, sha256, check_mode=check_mode, **how)["changed"]
        if state == "active":
            # In check mode there may be nothing to switch to yet.
            changed |= activate(root, version, check_mode)["changed"] if there or not check_mode else True
        if not check_mode:
            spare = {version, str((way_back or {}).get("to") or version)}
            pruned = prune(root, keep, spare)["pruned"]
            seen = observe(root)
            after = {**seen, "releases": _versions(seen), "pruned": pruned}
    return {
        "changed": changed,
        "version": version,
        "path": release_path(root, version),
        "active": after["active"],
        "previous": after["previous"],
        "digest": None if state == "absent" else (read_manifest(root, version) or {}).get("digest", sha256),
        "pruned": after["pruned"],
        **({} if way_back is None else {"way_back": prove(root, version, **way_back)}),
        "diff": {
            "before": {"active": before["active"], "releases": _versions(before)},
            "after": {"active": after["active"], "releases": after["releases"]},
        },
    }


def planned(before: dict[str, t.Any], version: str, state: str, keep: int, there: bool) -> dict[str, t.Any]:
    """What `observe` would show after `run`, and what `run` would prune; decides from ``before``, what `observe` shows now.

    :param there: whether the version's directory is there, with a manifest or without.
    :return: ``active``, ``previous``, ``releases`` (versions, oldest first), ``pruned`` (versions).
    """
    links = {"active": before["active"], "previous": before["previous"]}
    versions = _versions(before)
    if state == "absent":
        links["previous"] = None if links["previous"] == version else links["previous"]
        return {**links, "releases": [known for known in versions if known != version], "pruned": []}
    if state == "active":
        links = switched(links, version)
    versions += [] if there else [version]
    pruned = surplus(versions, keep, {version, *links.values()})
    return {**links, "releases": [known for known in versions if known not in pruned], "pruned": pruned}


def _versions(observed: dict[str, t.Any]) -> list[str]:
    return [manifest["version"] for manifest in observed["releases"]]


def stage(
    root: str,
    version: str,
    src: str,
    sha256: str | None = None,
    shared: t.Sequence[str] = (),
    strip_components: int = 0,
    by: str | None = None,
    cause: str | None = None,
    check_mode: bool = False,
    now: float | None = None,
    run_command: RunCommand | None = None,
) -> dict[str, t.Any]:
    """Put a release beside the others: ``changed``, ``manifest`` (None in check mode when it is not there yet).

    :param src: an absolute path on this host (archive or directory) or an ``http``, ``https`` or ``file`` URL.
    :param sha256: the archive's digest.
    :param shared: relative paths in the release that become links into ``<root>/shared``.
    :param strip_components: how many leading directories to drop from each name in the archive.
    :param now: seconds since the epoch, for the manifest.
    :param run_command: runs ``zstd`` where this Python cannot read it.
    :raises ReleaseError: one sentence; nothing of the release is visible then.
    """
    check_root(root)
    check_version(version)
    sha256 = check_sha256(sha256)
    places = [_shared_parts(path) for path in shared]
    source = _source(src, root)
    if strip_components < 0:
        raise ReleaseError(f"strip_components: {strip_components} is not allowed; use 0 or more.")
    if is_staged(root, version, sha256):
        return {"changed": False, "manifest": read_manifest(root, version)}
    if check_mode:
        return {"changed": True, "manifest": None}

    now = time.time() if now is None else now
    scratch = scratch_path(root)
    # Its name is the version's, so that a link to ../<version>/x means the same before and after the rename.
    tree = os.path.join(scratch, version)
    try:
        os.makedirs(os.path.dirname(scratch), exist_ok=True)
        _sweep(os.path.dirname(scratch), now)
        os.mkdir(scratch)
        digest = _fill(tree, source, sha256, strip_components, run_command)
        for parts in places:
            _link_shared(root, tree, parts)
        write_sums(tree, f"{tree}.sums")
        manifest = {
            "version": version,
            "digest": digest,
            "when": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z",
            "by": by,
            "cause": cause,
            "source": _label(source),
        }
        changed = _publish(root, version, tree, manifest)
    except OSError as error:
        raise failure(error, f"{root}: version {version} cannot be staged") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return {"changed": changed, "manifest": read_manifest(root, version)}


def _sweep(home: str, now: float) -> None:
    """Delete what killed processes left behind."""
    for name in os.listdir(home):
        path = os.path.join(home, name)
        if name.startswith(".tmp-"):
            with suppress(FileNotFoundError):  # its owner may finish meanwhile
                if now - os.lstat(path).st_mtime > _ABANDONED_AFTER:
                    shutil.rmtree(path, ignore_errors=True)


def _publish(root: str, version: str, tree: str, manifest: dict[str, t.Any]) -> bool:
    """Rename a finished tree into place. False when another process was quicker with the same digest.

    The manifest goes first: the release is there from the moment its directory is.
    """
    with locked(root, f"{root}: version {version} cannot be staged"):
        if is_staged(root, version, manifest["digest"]):
            return False
        new = f"{tree}.json"
        with open(new, "w", encoding="utf-8") as file:
            json.dump(manifest, file)
        described = (manifest_path(root, version), sums_path(root, version))
        try:
            os.replace(f"{tree}.sums", described[1])
            os.replace(new, described[0])
            os.rename(tree, release_path(root, version))
        except OSError:
            for path in described:
                with suppress(FileNotFoundError):
                    os.unlink(path)
            raise
    return True


def surplus(versions: t.Sequence[str], keep: int, spare: t.Collection[str | None]) -> list[str]:
    """The oldest versions to drop so that ``keep`` are left, none of those to spare among them; ``versions`` is oldest first."""
    if keep < 1:
        raise ReleaseError(f"keep: {keep} is not allowed; keep at least 1 release.")
    return [version for version in versions if version not in spare][: max(0, len(versions) - keep)]


def prune(root: str, keep: int, spare: t.Collection[str] = ()) -> dict[str, t.Any]:
    """Drop old releases, never the active one, the previous one or those to spare: ``changed``, ``pruned``."""
    with locked(root, f"{root}: old releases cannot be removed"):
        seen = observe(root)
        pruned = surplus(_versions(seen), keep, {seen["active"], seen["previous"], *spare})
        gone = [_put_away(root, version) for version in pruned]
    _delete(root, gone)
    return {"changed": bool(pruned), "pruned": pruned}


def remove(root: str, version: str, check_mode: bool = False) -> dict[str, t.Any]:
    """Take a release away: ``changed``. The active release is refused."""
    check_version(version)
    gone: list[str] = []
    with locked(root, f"{root}: version {version} cannot be removed"):
        seen = observe(root)
        if seen["active"] == version:
            raise ReleaseError(f"version: {version} is the active release of {root} and cannot be removed; activate another one first.")
        changed = os.path.lexists(release_path(root, version)) or os.path.lexists(manifest_path(root, version))
        if changed and not check_mode:
            if seen["previous"] == version:
                os.unlink(os.path.join(root, "previous"))
            gone = [_put_away(root, version)]
    _delete(root, gone)
    return {"changed": changed}


def _put_away(root: str, version: str) -> str:
    """Rename the release out of sight; the new path is for `_delete`, which may take long and needs no lock."""
    hidden = scratch_path(root)
    with suppress(FileNotFoundError):
        os.rename(release_path(root, version), hidden)
        os.utime(hidden, follow_symlinks=False)  # not abandoned, to `_sweep`
    for path in (manifest_path(root, version), sums_path(root, version)):
        with suppress(FileNotFoundError):
            os.unlink(path)
    return hidden


def _delete(root: str, paths: t.Iterable[str]) -> None:
    try:
        for path in paths:
            _delete_one(path)
    except OSError as error:
        raise failure(error, f"{root}: the files of an old release cannot be deleted") from error


def _delete_one(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _source(src: str, root: str) -> str:
    """An absolute path or an http(s) URL from what a person gave."""
    if src.startswith(("http://", "https://")):
        if "@" in src.split("/")[2]:
            raise ReleaseError("src: a URL with a user name in it is not supported; fetch the file first and give its path.")
        return src
    path = src
    if src.startswith("file:///"):
        from urllib.parse import unquote  # most sources are paths

        path = unquote(src[len("file://") :])
    if not os.path.isabs(path):
        raise ReleaseError(f"src: {src!r} is neither an absolute path nor an http, https or file URL.")
    if os.path.join(os.path.realpath(root), "releases").startswith(os.path.join(os.path.realpath(path), "")):
        raise ReleaseError(f"src: {path} holds the deploy root {root} itself; give a directory outside of it.")
    return path


def _label(source: str) -> str:
    """The source without a URL's query, which may hold a signature."""
    return source.split("?")[0].split("#")[0] if source.startswith("http") else source


def _fill(tree: str, source: str, sha256: str | None, strip: int, run_command: RunCommand | None) -> str:
    """Make the tree from the source, its digest checked first; returns the digest."""
    path = source
    if source.startswith("http"):
        path = f"{tree}.fetched"
        with open(path, "wb") as file:
            for chunk in _fetched(source):
                file.write(chunk)
    directory = os.path.isdir(path)
    digest = None if directory else _file_digest(path)
    if sha256 is not None and digest != sha256:
        have = f"has digest {digest}" if digest else "is a directory, which has no such digest"
        raise ReleaseError(f"sha256: {_label(source)} {have}, given {sha256}; nothing was unpacked.")
    try:
        unpack(path, tree, strip, run_command)
    except BadArchive as error:
        raise ReleaseError(f"src: {_label(source)} cannot be unpacked: {error}.") from error
    return digest or tree_digest(tree)


def _fetched(url: str) -> t.Iterator[bytes]:
    from http.client import HTTPException  # slow to import, and most sources are files
    from urllib.request import build_opener

    try:
        with build_opener().open(url, timeout=_FETCH_TIMEOUT) as response:
            length, size = response.headers.get("Content-Length"), 0
            while chunk := response.read(_CHUNK):
                size += len(chunk)
                yield chunk
        if length is not None and size != int(length):
            raise OSError(f"{size} bytes came, {length} were announced")
    except (OSError, HTTPException, ValueError) as error:
        raise ReleaseError(f"src: {_label(url)} cannot be fetched: {error}.") from error


def _file_digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _shared_parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or path.startswith("/") or ".." in parts:
        raise ReleaseError(f"shared: {path!r} is not a path in the release; give a relative one such as log or var/uploads.")
    return parts


def _link_shared(root: str, tree: str, parts: t.Sequence[str]) -> None:
    """Replace a path of the release by a link into ``shared``; what is not there yet is made a directory."""
    parent = os.path.join(tree, *parts[:-1])
    if os.path.realpath(parent) != os.path.join(os.path.realpath(tree), *parts[:-1]):
        raise ReleaseError(f"shared: {'/'.join(parts)} is below a link of the release; share the link's own path instead.")
    os.makedirs(parent, exist_ok=True)
    kept = os.path.join(root, "shared", *parts)
    if not os.path.lexists(kept):
        os.makedirs(kept)
    place = os.path.join(tree, *parts)
    _delete_one(place)
    os.symlink(os.path.join(*[".."] * (len(parts) + 1), "shared", *parts), place)


OPERATIONS: dict[str, t.Callable[..., dict[str, t.Any]]] = {"stage": stage, "prune": prune, "remove": remove, "run": run}
