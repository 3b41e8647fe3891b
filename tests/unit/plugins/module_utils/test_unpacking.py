# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import typing as t
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.unpacking import BadArchive, tree_digest, unpack

TIME = 1_700_000_000


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, target, mode, TIME
    return info


def tar(*entries: tarfile.TarInfo, content: bytes = b"content") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for info in entries:
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def unpacked(directory: Path, data: bytes, strip: int = 0) -> Path:
    (directory / "archive").write_bytes(data)
    unpack(str(directory / "archive"), str(directory / "tree"), strip)
    return directory / "tree"


def outside(directory: Path) -> list[str]:
    """What lies in the directory beside the tree and the archive."""
    return sorted(path.name for path in directory.iterdir() if path.name not in ("tree", "archive"))


APP = tar(entry("./app/", tarfile.DIRTYPE), entry("./app/run", mode=0o6777), entry("app/again", tarfile.LNKTYPE, "./app/run"))


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_tar_of_every_kind_is_known_by_its_content(tmp_path: Path, compress: t.Callable[[bytes], bytes]) -> None:
    tree = unpacked(tmp_path, compress(APP))
    assert (tree / "app/run").read_bytes() == b"content"
    assert (tree / "app/again").stat().st_ino == (tree / "app/run").stat().st_ino


def test_modes_lose_what_is_dangerous_and_times_are_kept(tmp_path: Path) -> None:
    info = (unpacked(tmp_path, APP) / "app/run").stat()
    assert stat.S_IMODE(info.st_mode) == 0o755
    assert info.st_mtime == TIME


def test_directory_that_its_owner_may_not_write_is_filled(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, tar(entry("d", tarfile.DIRTYPE, mode=0o500), entry("d/f", mode=0o400)))
    assert stat.S_IMODE((tree / "d").stat().st_mode) == 0o700
    assert stat.S_IMODE((tree / "d/f").stat().st_mode) == 0o600


def test_leading_directories_are_dropped_from_members_and_hard_links(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, APP, strip=1)
    assert sorted(os.listdir(tree)) == ["again", "run"]


def test_later_member_of_the_same_name_wins(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for content in (b"longer", b"new"):
            info = entry("f")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    assert (unpacked(tmp_path, out.getvalue()) / "f").read_bytes() == b"new"


def test_zip_with_link_mode_and_directory(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("d/", "")
        run = zipfile.ZipInfo("d/run", (2023, 11, 14, 22, 13, 20))
        run.external_attr = (stat.S_IFREG | 0o755) << 16
        archive.writestr(run, "content")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "d/run")
    tree = unpacked(tmp_path, out.getvalue())
    assert os.readlink(tree / "link") == "d/run"
    assert stat.S_IMODE((tree / "d/run").stat().st_mode) == 0o755
    assert (tree / "link").read_text() == "content"
    assert (tree / "d/run").stat().st_mtime == TIME


def zstd(arguments: list[str], handle_exceptions: bool = True) -> tuple[int, str, str]:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(shutil.which("zstd") is None, reason="the program zstd is not here")
def test_zstd_by_the_program_where_python_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").write_bytes(APP)
    subprocess.run(["zstd", "-q", "plain", "-o", "archive"], cwd=tmp_path, check=True)
    for module in ("compression.zstd", "backports.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, module, None)
    unpack(str(tmp_path / "archive"), str(tmp_path / "tree"), run_command=zstd)
    assert (tmp_path / "tree/app/run").read_bytes() == b"content"
    with pytest.raises(BadArchive, match="cannot read zstd"):
        unpack(str(tmp_path / "archive"), str(tmp_path / "tree2"))
    with (tmp_path / "archive").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(BadArchive, match="zstd says: "):
        unpack(str(tmp_path / "archive"), str(tmp_path / "tree3"), run_command=zstd)

    def missing(*_args: object, **_options: object) -> tuple[int, str, str]:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(BadArchive, match="install zstd or give"):
        unpack(str(tmp_path / "archive"), str(tmp_path / "tree4"), run_command=missing)


def test_directory_is_copied_links_as_links(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "d").mkdir(parents=True)
    (source / "d/f").write_text("content")
    (source / "link").symlink_to("d")
    unpack(str(source), str(tmp_path / "tree"))
    assert os.readlink(tmp_path / "tree/link") == "d"
    assert tree_digest(str(tmp_path / "tree")) == tree_digest(str(source))


@pytest.mark.parametrize("change", ["content", "name", "mode", "target", "kind"])
def test_tree_digest_sees_each_change(tmp_path: Path, change: str) -> None:
    def make(top: Path, change: str = "") -> str:
        top.mkdir()
        (top / ("g" if change == "name" else "f")).write_text("new" if change == "content" else "old")
        (top / "x").touch(0o755 if change == "mode" else 0o644)
        (top / "l").symlink_to("x" if change == "target" else "f")
        (top / "k").mkdir() if change == "kind" else (top / "k").touch()
        return tree_digest(str(top))

    assert make(tmp_path / "one") == make(tmp_path / "two")
    assert make(tmp_path / "three", change) != make(tmp_path / "four")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_device_or_pipe_is_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(BadArchive, match=r"'dev' is a device, a pipe or a socket"):
        unpacked(tmp_path, tar(entry("dev", kind)))


def test_pipe_in_a_directory_is_refused_and_not_read(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    os.mkfifo(tmp_path / "source/pipe")
    with pytest.raises(BadArchive, match="a pipe"):
        unpack(str(tmp_path / "source"), str(tmp_path / "tree"))


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "a/..", "//x"])
def test_name_that_leaves_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadArchive, match="leaves the release"):
        unpacked(tmp_path, tar(entry(name)))
    assert outside(tmp_path) == []


def test_name_that_leaves_a_zip_is_refused(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../x", "")
    with pytest.raises(BadArchive, match="leaves the release"):
        unpacked(tmp_path, out.getvalue())
    assert outside(tmp_path) == []


HOSTILE_LINKS = {
    "absolute": [entry("l", tarfile.SYMTYPE, "/etc/passwd")],
    "up": [entry("l", tarfile.SYMTYPE, "../x")],
    "its own directory through outside": [entry("l", tarfile.SYMTYPE, "../../tree/../x")],
    "by way of another": [entry("x/y/up", tarfile.SYMTYPE, "../.."), entry("l", tarfile.SYMTYPE, "x/y/up/../..")],
    "hard link up": [entry("l", tarfile.LNKTYPE, "../archive")],
    "hard link to what is there": [entry("l", tarfile.LNKTYPE, "/etc/hostname")],
    "hard link to a link": [entry("s", tarfile.SYMTYPE, "/etc/hostname"), entry("l", tarfile.LNKTYPE, "s")],
}


@pytest.mark.parametrize("entries", HOSTILE_LINKS.values(), ids=HOSTILE_LINKS)
def test_link_that_leaves_is_refused(tmp_path: Path, entries: list[tarfile.TarInfo]) -> None:
    with pytest.raises(BadArchive):
        unpacked(tmp_path, tar(*entries))


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    with pytest.raises((BadArchive, OSError)):
        unpacked(tmp_path, tar(entry("l", tarfile.SYMTYPE, ".."), entry("l/x")))
    with pytest.raises((BadArchive, OSError)):
        shutil.rmtree(tmp_path / "tree")
        unpacked(tmp_path, tar(entry("l", tarfile.SYMTYPE, ".."), entry("l/x", tarfile.SYMTYPE, "y")))
    assert outside(tmp_path) == []


def test_link_inside_is_kept(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, tar(entry("lib/f"), entry("lib64", tarfile.SYMTYPE, "lib"), entry("d/up", tarfile.SYMTYPE, "../lib/f")))
    assert (tree / "lib64/f").read_bytes() == (tree / "d/up").read_bytes() == b"content"


def test_damage_is_told(tmp_path: Path) -> None:
    big = tar(*(entry(f"f{number}") for number in range(50)), content=os.urandom(2000))
    for number, damaged in enumerate(
        [
            b"",
            b"hello, this is no archive",
            b"PK\x03\x04 but no zip",
            gzip.compress(big)[:-4],
            gzip.compress(big)[:-8] + b"abcdefgh",
            gzip.compress(big)[:1000],
            bz2.compress(big)[:1000],
            b"BZhello",
            lzma.compress(big)[:1000],
            big[: 512 * 10],
            big[: 512 * 5],  # ends where a member ends
            big[:700],
        ]
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        with pytest.raises(BadArchive):
            unpacked(directory, damaged)


def test_nothing_in_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="nothing is in it below 2 directories"):
        unpacked(tmp_path, APP, strip=2)


def test_error_of_the_disk_is_no_fault_of_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        unpacked(tmp_path, APP)


names = st.lists(st.sampled_from(["..", ".", "", "a", "b", "c", "tree", "archive"]), min_size=1, max_size=5).map("/".join)
kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])


@given(st.lists(st.builds(entry, names, kinds, names), max_size=8), st.integers(0, 2))
def test_whatever_the_names_nothing_outside_is_touched(entries: list[tarfile.TarInfo], strip: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        outer = Path(name)
        directory = outer / "in"
        directory.mkdir()
        data = tar(*entries)
        try:
            tree = unpacked(directory, data, strip)
        except (BadArchive, OSError):
            pass
        else:
            for path in tree.rglob("*"):
                assert tree in path.resolve().parents or path.resolve() == tree
        assert outside(directory) == []
        assert os.listdir(outer) == ["in"]
        assert (directory / "archive").read_bytes() == data


def test_zip_that_points_before_its_beginning_is_damage_and_no_fault_of_the_disk(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("app", "hello")
    data = bytearray(out.getvalue())
    end = data.rindex(b"PK\x05\x06")
    data[end + 16] += 1  # where the directory begins; what stands in it is then taken to be one byte earlier
    with pytest.raises(BadArchive):
        unpacked(tmp_path, bytes(data))


@given(st.binary(max_size=400), st.integers(0, 3000), st.integers(0, 255))
def test_damaged_bytes_never_raise_anything_else(noise: bytes, place: int, byte: int) -> None:
    packed = bytearray(gzip.compress(APP))
    packed[place % len(packed)] = byte
    for data in (noise, b"PK\x03\x04" + noise, b"\x1f\x8b\x08" + noise, bytes(packed)):
        with tempfile.TemporaryDirectory() as name:
            with contextlib.suppress(BadArchive, OSError):
                unpacked(Path(name), data)
            assert outside(Path(name)) == []
