# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import builtins
import errno
import hashlib
import http.server
import io
import os
import tarfile
import tempfile
import threading
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils import artifacts
from ansible_collections.convoy.rolling.plugins.module_utils.artifacts import planned, prune, remove, run, stage, surplus
from ansible_collections.convoy.rolling.plugins.module_utils.releases import ReleaseError, activate, observe

NOW = 1_790_000_000.25


def archive(path: Path, *names: str) -> tuple[str, str]:
    """A tar.gz with a small file of each name: its path and its digest."""
    with tarfile.open(path, "w:gz") as out:
        for name in names or ("app", "conf/app.ini"):
            info = tarfile.TarInfo(name)
            info.size = 5
            out.addfile(info, io.BytesIO(b"hello"))
    return str(path), hashlib.sha256(path.read_bytes()).hexdigest()


def hidden(root: Path) -> list[str]:
    """What is in releases/ that is neither a release nor its manifest."""
    names = os.listdir(root / "releases") if (root / "releases").exists() else []
    return [name for name in names if name.startswith(".") and name[1:].removesuffix(".json").removesuffix(".sums") not in names]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def app(tmp_path: Path) -> tuple[str, str]:
    return archive(tmp_path / "app.tar.gz")


def test_stage_leaves_the_release_and_its_manifest(root: Path, app: tuple[str, str]) -> None:
    src, digest = app
    done = stage(str(root), "2.4.1", src, digest.upper(), by="alice", cause="CHG-1", now=NOW)
    assert done == {
        "changed": True,
        "manifest": {
            "version": "2.4.1",
            "digest": digest,
            "when": "2026-09-21T14:13:20.250Z",
            "by": "alice",
            "cause": "CHG-1",
            "source": src,
            "path": str(root / "releases/2.4.1"),
        },
    }
    assert (root / "releases/2.4.1/conf/app.ini").read_text() == "hello"
    assert sorted(os.listdir(root / "releases")) == [".2.4.1.json", ".2.4.1.sums", "2.4.1"]
    assert sorted(os.listdir(root)) == ["releases"]


def test_stage_again_changes_nothing_and_does_not_read_the_source(root: Path, app: tuple[str, str]) -> None:
    src, digest = app
    stage(str(root), "1.0", src, now=NOW)
    os.unlink(src)
    assert not stage(str(root), "1.0", src, digest)["changed"]
    with pytest.raises(ReleaseError, match="a version is never two things"):
        stage(str(root), "1.0", src, "0" * 64)


def test_stage_in_check_mode_changes_nothing(root: Path) -> None:
    assert stage(str(root), "1.0", "/not/yet/there", check_mode=True) == {"changed": True, "manifest": None}
    assert not root.exists()


def test_wrong_digest_is_told_before_unpacking(root: Path, app: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "unpack", lambda *_args: pytest.fail("unpacked"))
    with pytest.raises(ReleaseError, match=rf"^sha256: .*app.tar.gz has digest {app[1]}, given 0+; nothing was unpacked"):
        stage(str(root), "1.0", app[0], "0" * 64)
    assert os.listdir(root / "releases") == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"src": "app.tar.gz"}, "^src: 'app.tar.gz' is neither an absolute path nor"),
        ({"src": "ftp://host/x"}, "^src: 'ftp://host/x' is neither"),
        ({"src": "http://user:secret@host/x"}, "^src: a URL with a user name in it"),
        ({"src": "/"}, "^src: / holds the deploy root"),
        ({"shared": ["../x"]}, r"^shared: '../x' is not a path in the release"),
        ({"shared": ["/log"]}, "^shared: '/log'"),
        ({"shared": ["."]}, "^shared: '.'"),
        ({"strip_components": -1}, "^strip_components: -1"),
        ({"sha256": "1"}, "^sha256: '1'"),
        ({"version": "latest"}, "^version: 'latest'"),
        ({"root": "srv"}, "^root: 'srv'"),
    ],
)
def test_bad_input_is_one_sentence_before_anything_is_touched(root: Path, options: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(ReleaseError, match=sentence) as caught:
        stage(**{"root": str(root), "version": "1.0", "src": "/tmp/x", "check_mode": True, **options})
    assert "secret" not in caught.value.message
    assert not root.exists()


def test_source_that_is_not_there_is_one_sentence(root: Path) -> None:
    with pytest.raises(ReleaseError, match=r"version 1.0 cannot be staged: No such file or directory: /no/such"):
        stage(str(root), "1.0", "/no/such")
    assert os.listdir(root / "releases") == []


def test_hostile_archive_leaves_nothing(root: Path, tmp_path: Path) -> None:
    src, _digest = archive(tmp_path / "bad.tar.gz", "fine", "../../../../evil")
    with pytest.raises(ReleaseError, match=r"^src: .*bad.tar.gz cannot be unpacked: its member '../../../../evil' leaves the release"):
        stage(str(root), "1.0", src)
    assert os.listdir(root / "releases") == []
    assert not (tmp_path / "evil").exists()


def test_directory_and_file_url(root: Path, tmp_path: Path) -> None:
    (tmp_path / "my app").mkdir()
    (tmp_path / "my app/run").write_text("hello")
    one = stage(str(root), "1.0", str(tmp_path / "my app"))["manifest"]
    two = stage(str(root), "2.0", f"file://{tmp_path}/my%20app")["manifest"]
    assert one["digest"] == two["digest"]
    with pytest.raises(ReleaseError, match="is a directory, which has no such digest"):
        stage(str(root), "3.0", str(tmp_path / "my app"), "0" * 64)


class _Server(http.server.BaseHTTPRequestHandler):
    body = b""

    def do_GET(self) -> None:
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(self.body) + ("short" in self.path)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def url(app: tuple[str, str]) -> t.Iterator[str]:
    handler = type("Handler", (_Server,), {"body": Path(app[0]).read_bytes()})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_url_is_fetched_and_its_signature_forgotten(root: Path, app: tuple[str, str], url: str) -> None:
    done = stage(str(root), "1.0", f"{url}/app.tar.gz?signature=secret", app[1])
    assert done["manifest"]["source"] == f"{url}/app.tar.gz"
    assert (root / "releases/1.0/app").exists()
    assert hidden(root) == []


@pytest.mark.parametrize(
    ("path", "problem"), [("missing?secret", "HTTP Error 404"), ("short?secret", r"\d+ bytes came, \d+ were announced")]
)
def test_url_that_fails_is_one_sentence(root: Path, url: str, path: str, problem: str) -> None:
    with pytest.raises(ReleaseError, match=rf"^src: {url}/\w+ cannot be fetched: {problem}") as caught:
        stage(str(root), "1.0", f"{url}/{path}")
    assert "secret" not in caught.value.message
    assert os.listdir(root / "releases") == []


def test_shared_paths_become_links(root: Path, tmp_path: Path) -> None:
    src, _digest = archive(tmp_path / "a.tar.gz", "log/old", "conf/app.ini", "app")
    (root / "shared/conf").mkdir(parents=True)
    (root / "shared/conf/app.ini").write_text("mine")
    stage(str(root), "1.0", src, shared=["log", "conf/app.ini", "var/cache/x/"])
    release = root / "releases/1.0"
    assert os.readlink(release / "log") == "../../shared/log"
    assert os.listdir(release / "log") == []
    assert (release / "conf/app.ini").read_text() == "mine"
    assert (release / "var/cache/x").resolve() == root / "shared/var/cache/x"


def test_shared_path_below_a_link_is_refused(root: Path, app: tuple[str, str]) -> None:
    with pytest.raises(ReleaseError, match=r"^shared: log/app is below a link"):
        stage(str(root), "1.0", app[0], shared=["log", "log/app"])
    assert os.listdir(root / "releases") == []


class _Disk:
    """Counts what is asked of the disk, and is full from the given call on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, full_from: int, code: int = errno.ENOSPC) -> None:
        self.calls, self._full_from, self._code = 0, full_from, code
        for name in ("mkdir", "rename", "replace", "symlink", "link"):
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))
        real_open = builtins.open

        def counted_open(file: t.Any, mode: str = "r", *args: t.Any, **options: t.Any) -> t.Any:
            opened = real_open(file, mode, *args, **options)
            if "w" not in mode:
                return opened
            self._count()
            return _Written(opened, self._count)

        monkeypatch.setattr(builtins, "open", counted_open)

    def _count(self) -> None:
        self.calls += 1
        if self.calls >= self._full_from:
            raise OSError(self._code, os.strerror(self._code))

    def _counted(self, call: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def counted(*args: t.Any, **options: t.Any) -> t.Any:
            self._count()
            return call(*args, **options)

        return counted


class _Written:
    """A file whose writes are counted."""

    def __init__(self, file: t.Any, count: t.Callable[[], None]) -> None:
        self._file, self._count = file, count

    def write(self, data: t.Any) -> int:
        self._count()
        return int(self._file.write(data))

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *_args: object) -> None:
        self._file.close()


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_disk_that_fills_at_any_moment_leaves_nothing_half_done(stride: int, tmp_path: Path, url: str) -> None:
    full_from, finished = 1 - stride, False
    while not finished:
        full_from += stride
        root = tmp_path / str(full_from)
        stage(str(root), "1.0", f"{url}/app", now=NOW)
        activate(str(root), "1.0")
        before = observe(str(root))
        with pytest.MonkeyPatch.context() as patch:
            disk = _Disk(patch, full_from)
            try:
                run(str(root), "2.0", "active", f"{url}/app", shared=["log/app"], now=NOW + 1)
                finished = disk.calls < full_from
            except ReleaseError as error:
                assert "no space is left on the disk" in error.message
        after = observe(str(root))
        assert after["broken"] == []
        assert hidden(root) == []
        if not finished and after["active"] == "1.0" and len(after["releases"]) == 1:
            assert after == before
    assert full_from > 15
    assert after["active"] == "2.0"


def test_other_error_of_the_disk_names_the_file(root: Path, app: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    _Disk(monkeypatch, 1, errno.EROFS)
    with pytest.raises(ReleaseError, match=r"version 1.0 cannot be staged: Read-only file system"):
        stage(str(root), "1.0", app[0])


@pytest.mark.parametrize("same", [True, False])
def test_two_at_once_end_with_one_release(root: Path, tmp_path: Path, same: bool) -> None:
    sources = [archive(tmp_path / "0.tar.gz", "a")[0], archive(tmp_path / "1.tar.gz", "a" if same else "b")[0]]
    if same:
        Path(sources[1]).write_bytes(Path(sources[0]).read_bytes())
    outcomes: list[object] = []
    ready = threading.Barrier(2)
    publish = artifacts._publish

    def together(*args: t.Any) -> bool:
        ready.wait()
        return publish(*args)

    def work(src: str) -> None:
        try:
            outcomes.append(stage(str(root), "1.0", src)["changed"])
        except ReleaseError as error:
            outcomes.append(error.message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "_publish", together)
        threads = [threading.Thread(target=work, args=(src,)) for src in sources]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes.count(True) == 1
    other = next(outcome for outcome in outcomes if outcome is not True)
    assert other is False if same else "a version is never two things" in str(other)
    seen = observe(str(root))
    assert seen["broken"] == []
    assert seen["releases"][0]["digest"] in [hashlib.sha256(Path(src).read_bytes()).hexdigest() for src in sources]
    assert hidden(root) == []


def test_abandoned_work_is_swept_and_fresh_work_is_not(root: Path, app: tuple[str, str]) -> None:
    for name, age in ((".tmp-old", 90000.0), (".tmp-new", 80000.0)):
        (root / "releases" / name / "d").mkdir(parents=True)
        os.utime(root / "releases" / name, (NOW - age, NOW - age))
    stage(str(root), "1.0", app[0], now=NOW)
    assert hidden(root) == [".tmp-new"]


def test_manifest_without_a_release_is_repaired_by_staging(root: Path, app: tuple[str, str]) -> None:
    (root / "releases").mkdir(parents=True)
    (root / "releases/.1.0.json").write_text("{}")
    assert stage(str(root), "1.0", app[0])["changed"]
    assert observe(str(root))["broken"] == []


versions = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(versions, st.integers(1, 9), st.sets(st.sampled_from("abcdefghz")))
def test_surplus_is_the_oldest_and_never_spared(known: list[str], keep: int, spare: set[str]) -> None:
    gone = surplus(known, keep, spare)
    left = [version for version in known if version not in gone]
    assert not spare & set(gone)
    assert len(left) >= min(keep, len(known))
    assert len(left) <= keep or set(left) <= spare
    free = [version for version in known if version not in spare]
    assert gone == free[: len(gone)]


def test_keep_of_nothing_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"^keep: 0"):
        surplus([], 0, ())


steps = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", "4"]), st.sampled_from(["present", "active", "active", "absent"]), st.integers(1, 3)),
    min_size=1,
    max_size=8,
)


@given(steps)
def test_check_mode_foretells_and_nothing_needed_is_ever_removed(steps: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = os.path.join(name, "root")
        os.mkdir(os.path.join(name, "src"))
        Path(name, "src", "app").touch()
        for number, (version, state, keep) in enumerate(steps):
            before = observe(root)
            arguments = {"root": root, "version": version, "state": state, "src": os.path.join(name, "src"), "keep": keep}
            if state == "absent" and before["active"] == version:
                with pytest.raises(ReleaseError, match="is the active release"):
                    run(**arguments, check_mode=True)
                continue
            foretold = run(**arguments, check_mode=True)
            assert observe(root) == before
            done = run(**arguments, now=NOW + number)
            assert {**foretold, "digest": done["digest"]} == done
            seen = observe(root)
            there = [release["version"] for release in seen["releases"]]
            assert seen["broken"] == []
            assert seen["active"] is None or seen["active"] in there
            assert seen["previous"] is None or seen["previous"] in there
            assert state == "absent" or version in there
            assert done["diff"]["after"] == {"active": seen["active"], "releases": there}
            assert done["changed"] == (seen != before)
            assert not run(**arguments)["changed"]


def test_active_without_source_must_be_staged(root: Path) -> None:
    with pytest.raises(ReleaseError, match=r"^version: 1.0 is not staged under .*; give src"):
        run(str(root), "1.0", "active", check_mode=True)
    with pytest.raises(ReleaseError, match=r"^state: 'gone' is unknown"):
        run(str(root), "1.0", "gone")


def test_release_of_another_tool_can_be_active_and_is_not_pruned(root: Path, app: tuple[str, str]) -> None:
    (root / "releases/20240101").mkdir(parents=True)
    (root / "current").symlink_to(root / "releases/20240101")
    run(str(root), "1.0", "active", app[0], keep=1)
    back = {"root": str(root), "version": "20240101", "state": "active", "keep": 1}
    foretold = run(**back, check_mode=True)
    done = run(**back)
    assert foretold == done
    assert (done["active"], done["previous"], done["pruned"]) == ("20240101", "1.0", [])
    assert planned(observe(str(root)), "1.0", "present", 1, True)["releases"] == ["1.0"]


def test_remove_takes_the_previous_link_along(root: Path, app: tuple[str, str]) -> None:
    for version in ("1.0", "2.0"):
        run(str(root), version, "active", app[0])
    assert remove(str(root), "1.0", check_mode=True)["changed"]
    assert observe(str(root))["previous"] == "1.0"
    assert remove(str(root), "1.0")["changed"]
    assert not os.path.lexists(root / "previous")
    assert not remove(str(root), "1.0")["changed"]
    assert hidden(root) == []


def test_remove_takes_what_is_no_directory_too(root: Path, tmp_path: Path) -> None:
    (root / "releases").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (root / "releases/1.0").symlink_to(tmp_path / "elsewhere")
    (root / "releases/2.0").touch()
    assert remove(str(root), "1.0")["changed"]
    assert remove(str(root), "2.0")["changed"]
    assert os.listdir(root / "releases") == []
    assert (tmp_path / "elsewhere").is_dir()


def test_files_that_cannot_be_deleted_are_told(root: Path, app: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        stage(str(root), str(number), app[0], now=NOW + number)

    def refused(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(artifacts.shutil, "rmtree", refused)
    with pytest.raises(ReleaseError, match="the files of an old release cannot be deleted: Permission denied"):
        prune(str(root), 1)
