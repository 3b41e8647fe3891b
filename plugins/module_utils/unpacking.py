# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives and directories copied into a new tree, and never a byte beside it.

One reader of members for each kind of source, one writer that trusts no name: the filters of `tarfile` are not on every
Python 3.9, and `zipfile` makes files of links. Sent to hosts as plain text too, so it imports the standard library only.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import importlib
import json
import os
import shutil
import stat
import tarfile
import typing as t

# (arguments, handle_exceptions=False) -> (exit status, stdout, stderr); AnsibleModule.run_command is one.
RunCommand = t.Callable[..., tuple[int, str, str]]
_Open = t.Callable[[], t.IO[bytes]]

_DECOMPRESSORS = (
    (b"\x1f\x8b", ("gzip",)),
    (b"BZh", ("bz2",)),
    (b"\xfd7zXZ\x00", ("lzma",)),
    (b"\x28\xb5\x2f\xfd", ("compression.zstd", "backports.zstd", "zstandard")),
)
_KINDS = {stat.S_IFDIR: "directory", stat.S_IFREG: "file", stat.S_IFLNK: "symlink"}
_BLOCK = 512


class BadArchive(Exception):
    """Why a source cannot be unpacked, as the end of a sentence that begins with its name."""


class _Member(t.NamedTuple):
    """One entry of a source; ``body`` opens a file's content, before the next one is asked for."""

    name: str
    kind: str  # directory, file, symlink or hardlink; "" for what is refused
    mode: int
    mtime: float
    target: str
    body: _Open | None


def unpack(source: str, tree: str, strip: int = 0, run_command: RunCommand | None = None) -> None:
    """Make the new directory ``tree`` from an archive or a directory.

    Files keep their time and of their mode the bits that are not dangerous (nothing set-id, no writing for group and others).

    :param strip: how many leading directories to drop from each name; what is not below them is left out.
    :param run_command: runs ``zstd`` where this Python cannot read it.
    :raises BadArchive: for damage, and for a member that leaves the tree or is no file, directory or link.
    :raises OSError: from the file system of the tree.
    """
    members = _directory_members(source) if os.path.isdir(source) else _archive_members(source, f"{tree}.tar", run_command)
    os.mkdir(tree)
    try:
        _write(members, tree, strip)
    except (BadArchive, OSError) as error:
        if isinstance(error, OSError) and error.errno in (None, errno.EINVAL):
            raise BadArchive(str(error)) from error  # gzip and bz2 report damage this way, and zip a place that no file has
        raise
    except Exception as error:  # the readers raise whatever they like over damaged input
        raise BadArchive(str(error) or type(error).__name__) from error
    if not os.listdir(tree):
        raise BadArchive(f"nothing is in it{f' below {strip} directories' if strip else ''}")


def tree_digest(tree: str) -> str:
    """A SHA-256 over names, kinds, execute bits, link targets and contents: equal wherever the files are."""
    digest = hashlib.sha256()
    for member in _directory_members(tree):
        content = hashlib.sha256()
        if member.body:
            with member.body() as body:
                while chunk := body.read(1 << 20):
                    content.update(chunk)
        digest.update(json.dumps([member.name, member.kind, member.mode & 0o100, member.target, content.hexdigest()]).encode())
    return digest.hexdigest()


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise BadArchive(f"its member {name!r} leaves the release")
    return parts


def _write(members: t.Iterable[_Member], tree: str, strip: int) -> None:
    """Directories and files first, links last: so nothing is ever written through a link."""
    modes: dict[str, int] = {}
    links: dict[str, _Member] = {}
    for member in members:
        if not member.kind:
            raise BadArchive(f"its member {member.name!r} is a device, a pipe or a socket; only files, directories and links are unpacked")
        parts = _parts(member.name)[strip:]
        if not parts:
            continue
        path = os.path.join(tree, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if member.kind == "directory":
            os.makedirs(path, exist_ok=True)
            modes[path] = member.mode & 0o755 | 0o700
        elif member.body:
            with member.body() as body, open(path, "wb") as file:
                shutil.copyfileobj(body, file, 1 << 20)
            os.chmod(path, member.mode & 0o755 | 0o600)
            os.utime(path, (member.mtime, member.mtime))
        else:
            links[path] = member
    for path, member in links.items():
        if member.kind == "hardlink":
            target = os.path.join(tree, *_parts(member.target)[strip:])
            if not os.path.isfile(target):
                raise BadArchive(f"its member {member.name!r} is a hard link to {member.target!r}, which is no file in it")
            os.link(target, path)
    symlinks = {path: member for path, member in links.items() if member.kind == "symlink"}
    for path, member in symlinks.items():
        os.symlink(member.target, path)
    # Only now does each link lead where it will lead.
    top = os.path.realpath(tree)
    for path, member in symlinks.items():
        if os.path.isabs(member.target) or os.path.commonpath([top, os.path.realpath(path)]) != top:
            raise BadArchive(f"its link {member.name!r} to {member.target!r} leaves the release")
    for path, mode in modes.items():
        os.chmod(path, mode)


def _directory_members(top: str) -> t.Iterator[_Member]:
    def stop(error: OSError) -> None:
        raise error

    for folder, directories, files in os.walk(top, onerror=stop):
        directories.sort()
        for name in sorted(directories + files):
            path = os.path.join(folder, name)
            info = os.lstat(path)
            kind = _KINDS.get(stat.S_IFMT(info.st_mode), "")
            target = os.readlink(path) if kind == "symlink" else ""
            body = t.cast(_Open, functools.partial(open, path, "rb")) if kind == "file" else None
            yield _Member(os.path.relpath(path, top), kind, info.st_mode, info.st_mtime, target, body)


def _archive_members(path: str, spare: str, run_command: RunCommand | None) -> t.Iterator[_Member]:
    with open(path, "rb") as file:
        magic = file.read(6)
    if magic.startswith(b"PK"):
        yield from _zip_members(path)
        return
    for start, modules in _DECOMPRESSORS:
        if magic.startswith(start):
            with _decompressed(path, modules, spare, run_command) as stream:
                yield from _tar_members(stream)
            return
    with open(path, "rb") as stream:
        yield from _tar_members(stream)


def _decompressed(path: str, modules: t.Sequence[str], spare: str, run_command: RunCommand | None) -> t.IO[bytes]:
    """The bytes of a compressed file, by whichever module this Python has, else for zstd by the program into ``spare``."""
    for name in modules:
        try:
            return t.cast("t.IO[bytes]", importlib.import_module(name).open(path, "rb"))
        except ImportError:
            continue
    if "zstandard" not in modules:
        raise BadArchive(f"this host's Python has no module {modules[0]}")
    if run_command is None:
        raise BadArchive("this host's Python cannot read zstd (3.14 can); give a tar.gz")
    try:
        status, _out, problem = run_command(["zstd", "-d", "-q", "-f", "-o", spare, path], handle_exceptions=False)
    except OSError as error:
        raise BadArchive(
            "this host has neither the program zstd nor a Python that reads it (3.14 does); install zstd or give a tar.gz"
        ) from error
    if status != 0:
        raise BadArchive(f"zstd says: {problem.strip()}")
    return open(spare, "rb")


class _Tail:
    """A stream that remembers the last block that was read from it."""

    def __init__(self, stream: t.IO[bytes]) -> None:
        self._stream = stream
        self.last = b""

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        self.last = (self.last + chunk)[-_BLOCK:]
        return chunk


def _tar_members(stream: t.IO[bytes]) -> t.Iterator[_Member]:
    tail = _Tail(stream)
    with tarfile.open(fileobj=t.cast("t.IO[bytes]", tail), mode="r|") as archive:
        for info in archive:
            if info.isreg():
                yield _Member(
                    info.name,
                    "file",
                    info.mode,
                    info.mtime,
                    "",
                    t.cast(_Open, functools.partial(archive.extractfile, info)),
                )
            else:
                kind = "directory" if info.isdir() else "symlink" if info.issym() else "hardlink" if info.islnk() else ""
                yield _Member(info.name, kind, info.mode, info.mtime, info.linkname, None)
    # tarfile takes an archive that was cut between two members for a whole one; reading on also makes gzip check its sum.
    while tail.read(1 << 20):
        pass
    if any(tail.last):
        raise BadArchive("it ends too early")


def _zip_members(path: str) -> t.Iterator[_Member]:
    import calendar  # these two take 10 ms, and few archives need them
    import zipfile

    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            kind = "directory" if info.is_dir() else _KINDS.get(stat.S_IFMT(mode) or stat.S_IFREG, "")
            mode = mode or (0o755 if kind == "directory" else 0o644)  # none when made on Windows
            mtime = calendar.timegm((*info.date_time, 0, 0, 0))  # in no known time zone: take the same one on every host
            target = os.fsdecode(archive.read(info)) if kind == "symlink" else ""
            yield _Member(info.filename, kind, mode, mtime, target, functools.partial(archive.open, info) if kind == "file" else None)
