# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.module_utils import releases
from ansible_collections.convoy.rolling.plugins.module_utils.releases import (
    ReleaseError,
    activate,
    check_root,
    check_sha256,
    check_version,
    is_staged,
    observe,
    run_json,
)

DIGEST = "a" * 64


def put(root: Path, version: str, when: str = "2026-01-01T00:00:00.000Z", digest: str = DIGEST) -> None:
    """A release as staging leaves it."""
    (root / "releases" / version).mkdir(parents=True)
    manifest = {"version": version, "digest": digest, "when": when, "by": None, "cause": None, "source": "/tmp/a"}
    (root / "releases" / f".{version}.json").write_text(json.dumps(manifest))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, version in enumerate(("1.0", "2.0", "3.0")):
        put(tmp_path, version, f"2026-01-0{number + 1}T00:00:00.000Z")
    return tmp_path


@pytest.mark.parametrize("version", ["2.4.1", "1", "v1.0_rc+b-1", "A" * 128, "heads", "latest-1"])
def test_version_that_names_one_thing_is_taken(version: str) -> None:
    assert check_version(version) == version


def test_whole_number_is_a_version() -> None:
    assert check_version(1234) == "1234"


@pytest.mark.parametrize("version", ["latest", "Stable", "MAIN", "master", "HEAD", "head"])
def test_name_that_moves_is_refused(version: str) -> None:
    with pytest.raises(ReleaseError, match=r"^rollout_version: .*name that moves"):
        check_version(version, "rollout_version")


@pytest.mark.parametrize("version", ["", ".", "..", ".1", "-1", "a/b", "../x", "1 0", "1\n", "é", "A" * 129, "\u0661"])
def test_unsafe_version_is_refused(version: str) -> None:
    with pytest.raises(ReleaseError, match="cannot name a release"):
        check_version(version)


@pytest.mark.parametrize("version", [2.4, None, True, ["1"]])
def test_version_that_yaml_did_not_read_as_text_is_refused(version: object) -> None:
    with pytest.raises(ReleaseError, match="in quotes"):
        check_version(version)


def test_digest_is_normalised_and_checked() -> None:
    assert check_sha256(None) is None
    assert check_sha256("SHA256:" + "A" * 64) == DIGEST
    with pytest.raises(ReleaseError, match="64 hex digits"):
        check_sha256("abc")


@pytest.mark.parametrize("root", ["", "srv", "/", "//", "/srv/.."])
def test_root_that_is_no_deploy_root_is_refused(root: str) -> None:
    with pytest.raises(ReleaseError, match="absolute path such as"):
        check_root(root)


def test_root_that_is_not_there_has_no_releases(tmp_path: Path) -> None:
    assert observe(str(tmp_path / "none")) == {"active": None, "previous": None, "releases": [], "broken": []}
    assert not (tmp_path / "none").exists()


def test_releases_are_sorted_by_when(root: Path) -> None:
    put(root, "0.9", "2026-02-01T00:00:00.000Z")
    seen = observe(str(root))
    assert [release["version"] for release in seen["releases"]] == ["1.0", "2.0", "3.0", "0.9"]
    assert seen["releases"][0]["path"] == str(root / "releases/1.0")
    assert seen["broken"] == []


def test_what_is_broken_is_told_and_not_raised(root: Path) -> None:
    (root / "releases/4.0").mkdir()
    (root / "releases/2.0").rmdir()
    (root / "releases/.3.0.json").write_text("{")
    (root / "releases/notes.txt").touch()
    (root / "releases/.tmp-0123").mkdir()
    (root / "current").symlink_to("releases/9.9")
    (root / "previous").mkdir()
    seen = observe(str(root))
    assert (seen["active"], seen["previous"]) == (None, None)
    assert [release["version"] for release in seen["releases"]] == ["1.0"]
    assert {Path(entry["path"]).name: entry["problem"] for entry in seen["broken"]} == {
        ".2.0.json": "is the manifest of a release that is not there",
        "3.0": "has no readable manifest",
        "4.0": "has no readable manifest",
        "current": "points to releases/9.9, which is not there",
        "previous": "is not a link",
    }


@pytest.mark.parametrize("target", ["/etc", "releases", "releases/../shared", "loop"])
def test_link_to_what_is_no_release_is_told(root: Path, target: str) -> None:
    (root / "shared").mkdir()
    (root / "loop").symlink_to("loop")
    (root / "current").symlink_to(target)
    seen = observe(str(root))
    assert seen["active"] is None
    assert seen["broken"] == [{"path": str(root / "current"), "problem": f"points to {target}, which is no release"}]


def test_absolute_link_of_another_tool_is_understood(root: Path) -> None:
    (root / "current").symlink_to(root / "releases/2.0")
    assert observe(str(root))["active"] == "2.0"


def test_root_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "releases").touch()
    with pytest.raises(ReleaseError, match=r"^root: .* cannot be read: Not a directory"):
        observe(str(tmp_path))


def test_activate_switches_and_remembers(root: Path) -> None:
    assert activate(str(root), "1.0") == {
        "changed": True,
        "before": {"active": None, "previous": None},
        "after": {"active": "1.0", "previous": None},
    }
    assert activate(str(root), "2.0")["after"] == {"active": "2.0", "previous": "1.0"}
    assert os.readlink(root / "current") == "releases/2.0"
    assert os.readlink(root / "previous") == "releases/1.0"
    again = activate(str(root), "2.0")
    assert not again["changed"]
    assert again["after"] == {"active": "2.0", "previous": "1.0"}
    assert activate(str(root), "1.0")["after"] == {"active": "1.0", "previous": "2.0"}
    assert sorted(path.name for path in root.iterdir()) == ["current", "previous", "releases"]


def test_activate_repairs_a_dangling_link_and_keeps_previous(root: Path) -> None:
    (root / "current").symlink_to("releases/9.9")
    (root / "previous").symlink_to("releases/1.0")
    assert activate(str(root), "2.0")["after"] == {"active": "2.0", "previous": "1.0"}
    assert observe(str(root))["broken"] == []


def test_activate_in_check_mode_changes_nothing(root: Path) -> None:
    before = sorted(root.rglob("*"))
    assert activate(str(root), "2.0", check_mode=True)["changed"]
    assert sorted(root.rglob("*")) == before


def test_activate_refuses_what_is_not_staged(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"^version: 9.9 is not staged under .*; stage it first"):
        activate(str(root), "9.9")
    with pytest.raises(ReleaseError, match="not staged"):
        activate(str(tmp_path / "none"), "9.9")


def test_activate_refuses_a_directory_in_place_of_the_link(root: Path) -> None:
    (root / "current").mkdir()
    with pytest.raises(ReleaseError, match=r"current is not a link; move it away"):
        activate(str(root), "1.0", check_mode=True)


@pytest.mark.parametrize("links_set", [0, 1])
def test_killed_switch_is_finished_by_the_same_call(root: Path, monkeypatch: pytest.MonkeyPatch, links_set: int) -> None:
    activate(str(root), "1.0")
    activate(str(root), "2.0")
    point, calls = releases._point, iter(range(9))

    def killed(root: str, name: str, version: str) -> None:
        if next(calls) == links_set:
            raise KeyboardInterrupt
        point(root, name, version)

    monkeypatch.setattr(releases, "_point", killed)
    with pytest.raises(KeyboardInterrupt):
        activate(str(root), "3.0")
    monkeypatch.undo()
    seen = observe(str(root))
    assert (seen["active"], seen["previous"]) == ("2.0", "1.0" if links_set == 0 else None)
    assert activate(str(root), "3.0")["after"] == {"active": "3.0", "previous": "2.0"}


def test_one_process_at_a_time(root: Path) -> None:
    lock = os.open(root / "releases", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    other = threading.Thread(target=activate, args=(str(root), "1.0"))
    other.start()
    other.join(0.05)
    assert other.is_alive()
    assert observe(str(root))["active"] is None
    os.close(lock)
    other.join()
    assert observe(str(root))["active"] == "1.0"


def test_reader_never_misses_the_link(root: Path) -> None:
    activate(str(root), "1.0")
    seen: set[str] = set()
    missed: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                seen.add(os.readlink(root / "current"))
            except OSError as error:
                missed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(300):
        activate(str(root), f"{number % 3 + 1}.0")
    done.set()
    reader.join()
    assert missed == []
    assert seen <= {"releases/1.0", "releases/2.0", "releases/3.0"}


def test_full_disk_leaves_the_links_as_they_were(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    activate(str(root), "1.0")

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "symlink", full)
    with pytest.raises(ReleaseError, match=r"version 2.0 cannot be activated: no space is left on the disk"):
        activate(str(root), "2.0")
    assert observe(str(root))["active"] == "1.0"


def test_same_version_with_another_digest_is_an_error(root: Path) -> None:
    assert is_staged(str(root), "1.0")
    assert is_staged(str(root), "1.0", DIGEST)
    assert not is_staged(str(root), "9.9", DIGEST)
    with pytest.raises(ReleaseError, match=rf"1.0 is already there with digest {DIGEST}, given b+: a version is never two things"):
        is_staged(str(root), "1.0", "b" * 64)
    (root / "releases/.1.0.json").unlink()
    assert is_staged(str(root), "1.0")
    with pytest.raises(ReleaseError, match="already there with digest unknown"):
        is_staged(str(root), "1.0", DIGEST)


def ask(**request: object) -> dict[str, object]:
    answer = json.loads(run_json(json.dumps(request)))
    assert isinstance(answer, dict)
    return answer


def test_json_in_json_out(root: Path) -> None:
    assert ask(op="activate", root=str(root), version="1.0")["changed"] is True
    assert ask(op="observe", root=str(root))["active"] == "1.0"
    assert ask(op="remove", root=str(root), version="2.0") == {"ok": True, "changed": True}
    assert ask(op="prune", root=str(root), keep=1) == {"ok": True, "changed": True, "pruned": ["3.0"]}
    assert ask(op="activate", root=str(root), version="latest") == {
        "ok": False,
        "error": "version: 'latest' is a name that moves; give the version it stands for, such as 2.4.1.",
        "result": {},
    }
    assert ask(op="dance") == {
        "ok": False,
        "error": "op: 'dance' is unknown; use observe, activate, stage, prune, remove, run.",
        "result": {},
    }


PIPED = """
import sys, types
def module(name, text):
    new = types.ModuleType(name)
    sys.modules[name] = new
    exec(compile(text, name, "exec"), new.__dict__)
    return new
for name, text in {sources!r}:
    module("ansible_collections.convoy.rolling.plugins.module_utils." + name, text)
for request in {requests!r}:
    print(sys.modules["ansible_collections.convoy.rolling.plugins.module_utils.releases"].run_json(request))
"""


def interpreters() -> list[str]:
    oldest = Path.home() / ".pyenv/versions/3.9.18/bin/python"
    return [sys.executable, *([str(oldest)] if oldest.exists() else [])]


@pytest.mark.parametrize("python", interpreters())
def test_source_runs_from_a_pipe_without_site_packages(python: str, tmp_path: Path) -> None:
    home = Path(releases.__file__).parent
    sources = [(name, (home / f"{name}.py").read_text()) for name in ("releases", "proof", "unpacking", "artifacts")]
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app").write_text("hello")
    root = str(tmp_path / "root")
    requests = [
        {"op": "stage", "root": root, "version": "1.0", "src": str(tmp_path / "src")},
        {"op": "activate", "root": root, "version": "1.0"},
        {"op": "observe", "root": root},
    ]
    script = PIPED.format(sources=sources, requests=[json.dumps(request) for request in requests])
    done = subprocess.run([python, "-I", "-S", "-"], input=script, text=True, capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["ok"] for answer in answers] == [True, True, True], answers
    assert answers[2]["active"] == "1.0"
    assert (tmp_path / "root/current/app").read_text() == "hello"


def test_switching_needs_only_the_small_file(root: Path) -> None:
    source = Path(releases.__file__).read_text()
    script = PIPED.format(sources=[("releases", source)], requests=[json.dumps({"op": "activate", "root": str(root), "version": "1.0"})])
    script += "print(sorted({'typing', 'shutil', 'tarfile', 'hashlib', 'tempfile', 'urllib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-S", "-"], input=script, text=True, capture_output=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]"]
    assert len(source.splitlines()) < 250
