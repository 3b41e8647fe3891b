# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands are run as a host would run them: by /bin/sh, and the oldest Python that a host may have where it is here."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import typing as t
from pathlib import Path

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.fanout import Command, Outcome
from ansible_collections.convoy.rolling.plugins.plugin_utils.release_commands import (
    activate_command,
    answer_of,
    look_command,
    look_of,
    restart_command,
    stage_command,
)

OLDEST = "/root/.pyenv/versions/3.9.18/bin/python"
PYTHON = OLDEST if os.access(OLDEST, os.X_OK) else sys.executable
HOSTILE = 'it\'s "x" {root!r} {{y}} $(touch pwned) `touch pwned` \\ %s ünï;&|\n-rf'


WAYS = ["on a host", "here"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the commands are run: as on another host, or in this process."""
    monkeypatch.setattr(sys.modules[__name__], "_here", request.param == "here")
    return str(request.param)


_here = False


def run(command: Command, python: str = PYTHON) -> Outcome:
    if _here:
        assert command.here is not None
        outcome = command.here()
        if outcome.status or not command.then:
            return outcome
        then = _shell(f"{{ {command.then}\n}}", b"")
        return Outcome(then.status, outcome.stdout + then.stdout, then.stderr)
    then_line = f" && {{ {command.then}\n}}" if command.then else ""
    return _shell(f"PYTHON={shlex.quote(python)}; FILE={shlex.quote(command.file or '')}; SENT=; {command.shell}{then_line}", command.stdin)


def _shell(line: str, stdin: bytes) -> Outcome:
    # -I, -S: what the program needs, it brings with it.
    done = subprocess.run(["/bin/sh", "-c", line], input=stdin, capture_output=True, check=False, env={"PATH": os.environ["PATH"]})
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(params=["plain", HOSTILE], ids=["plain", "hostile"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    path.mkdir()
    return path


def artifact(path: Path, text: str = "2.0") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("VERSION")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    return path


def stage(root: Path, version: str, **different: t.Any) -> dict[str, t.Any]:
    return answer_of(
        run(stage_command({"root": str(root), "version": version, **different}, str(artifact(root / f"{root.name[:4]} {version}.tar.gz"))))
    )


@pytest.mark.usefixtures("way")
def test_release_is_staged_switched_to_and_seen(root: Path) -> None:
    staged = stage(root, "2.0", by="ann", cause=HOSTILE)
    assert (staged["ok"], staged["changed"], staged["active"]) == (True, True, None)
    assert look_of(run(look_command(str(root)))) == {"active": None}
    restarted = root.parent / "restarted"
    switched = answer_of(run(activate_command(str(root), "2.0", f"cat {shlex.quote(str(root / 'current/VERSION'))} > {restarted}  # now")))
    assert (switched["ok"], switched["after"]["active"], "error" in switched) == (True, "2.0", False)
    assert restarted.read_text() == "2.0"
    assert look_of(run(look_command(str(root)))) == {"active": "2.0"}
    assert stage(root, "2.0")["changed"] is False
    assert not list(root.parent.rglob("pwned"))
    assert not Path("pwned").exists()


@pytest.mark.usefixtures("way")
def test_old_releases_are_pruned_and_the_active_one_never(root: Path) -> None:
    for version in ("1.0", "2.0", "3.0"):
        stage(root, version, keep=1)
        if version == "1.0":
            run(activate_command(str(root), "1.0", None))
    assert sorted(path.name for path in (root / "releases").iterdir() if not path.name.startswith(".")) == ["1.0", "3.0"]


@pytest.mark.usefixtures("way")
def test_look_at_a_host_without_a_root_only_reaches_it() -> None:
    assert look_of(run(look_command(None))) == {"active": None}


@pytest.mark.usefixtures("way")
def test_look_at_a_root_that_is_not_there_yet(tmp_path: Path) -> None:
    assert look_of(run(look_command(str(tmp_path / "none")))) == {"active": None}


@pytest.mark.usefixtures("way")
def test_link_to_a_release_that_is_gone_is_no_release(tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("releases/2.0")
    assert look_of(run(look_command(str(tmp_path)))) == {"active": None}


@pytest.mark.usefixtures("way")
def test_release_that_is_not_staged_is_not_restarted(root: Path) -> None:
    answer = answer_of(run(activate_command(str(root), "9.9", f"touch {root.parent}/restarted")))
    assert answer["ok"] is False and "is not staged" in answer["error"]
    assert not (root.parent / "restarted").exists()


@pytest.mark.parametrize(
    ("restart", "said"),
    [
        ("echo no such unit >&2; exit 5", "the restart failed with status 5: no such unit"),
        ("false", "the restart failed with status 1: "),
        (
            """echo Job failed. >&2; echo 'See "systemctl status web" for details.' >&2; exit 1""",
            "the restart failed with status 1: Job failed.",
        ),
        ("nosuchcommand", "the restart failed with status 127: "),
    ],
)
@pytest.mark.usefixtures("way")
def test_restart_that_fails_is_an_error_though_the_link_is_switched(root: Path, restart: str, said: str) -> None:
    stage(root, "2.0")
    answer = answer_of(run(activate_command(str(root), "2.0", restart)))
    assert answer["error"].startswith(said)
    assert (root / "current").readlink() == Path("releases/2.0")


def test_restart_is_followed_by_a_look_at_the_new_process(tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.write_text("1")
    mark = f'printf "unit %s" "$(cat {count})"'
    assert look_of(run(look_command(None, mark))) == look_of(run(look_command(str(tmp_path), mark))) == {"active": None, "mark": "unit 1"}
    assert answer_of(run(restart_command(f"echo 2 >{count}  # now", mark))) == {"ok": True, "changed": True, "mark": "unit 2"}
    assert answer_of(run(restart_command("echo no >&2; false", mark)))["error"] == "the restart failed with status 1: no"
    count.unlink()
    assert look_of(run(look_command(None, mark))) == {"active": None}, "nothing tells"


@pytest.mark.usefixtures("way")
def test_restart_that_talks_as_we_do_changes_nothing(root: Path) -> None:
    stage(root, "2.0")
    answer = answer_of(run(activate_command(str(root), "2.0", """echo '{"ok": false, "error": "me"}'; cat""")))
    assert (answer["ok"], answer.get("error")) == (True, None)


@pytest.mark.usefixtures("way")
def test_artifact_that_is_no_archive_is_one_sentence(root: Path) -> None:
    path = root / "a.tar.gz"
    path.write_bytes(b"not an archive")
    answer = answer_of(run(stage_command({"root": str(root), "version": "2.0"}, str(path))))
    assert answer["ok"] is False
    assert answer["error"] == f"src: {path} cannot be unpacked: truncated header."


def test_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    answer = answer_of(run(activate_command(str(tmp_path), "2.0", "true"), python="/no/such/python"))
    assert answer["error"].startswith("the host's Python could not run: status 127: ")
    assert "/no/such/python" in answer["error"]


def _link(root: Path, **links: str) -> None:
    for name, target in links.items():
        (root / name).symlink_to(target)


ROOTS: dict[str, t.Callable[[Path], None]] = {
    "usual": lambda root: _link(root, current="releases/1.0", previous="releases/0.9"),
    "second": lambda root: _link(root, current="releases/1.0"),
    "first": lambda root: None,
    "killed between the two links": lambda root: _link(root, current="releases/1.0", previous="releases/1.0"),
    "killed before a rename": lambda root: _link(root, **{"current": "releases/1.0", ".current": "releases/2.0", ".previous": "nowhere"}),
    "active already": lambda root: _link(root, current="releases/2.0", previous="releases/1.0"),
    "back": lambda root: _link(root, current="releases/1.0", previous="releases/2.0"),
    "active one is gone": lambda root: _link(root, current="releases/0.8", previous="releases/1.0"),
    "by another path": lambda root: _link(root, current=str(root / "releases/1.0")),
    "no release": lambda root: _link(root, current="1.0"),
    "hidden": lambda root: _link(root, current="releases/.tmp-1"),
    "no link": lambda root: (root / "current").mkdir(),
    "previous is no link": lambda root: (_link(root, current="releases/1.0"), (root / "previous").mkdir())[0],
}
QUICK = ("usual", "second", "killed between the two links", "killed before a rename", "back")


@pytest.mark.parametrize("name", ROOTS)
def test_switch_by_shell_is_that_of_python(tmp_path: Path, name: str) -> None:
    links = []
    for way in ("shell", "here"):
        root = tmp_path / f"it's {way}"
        for version in ("0.9", "1.0", "2.0", ".tmp-1"):
            (root / "releases" / version).mkdir(parents=True)
        (root / "1.0").mkdir()
        ROOTS[name](root)
        command = activate_command(str(root), "2.0", None)
        answer = answer_of(run(command) if way == "shell" else command.here())  # type: ignore[misc]
        told = (answer["ok"], answer.get("changed"), answer.get("after"), answer.get("error", "").replace(str(root), ""))
        links.append((told, {path.name: os.readlink(path) for path in root.iterdir() if path.is_symlink()}))
    assert str(links[0]).replace("shell", "here") == str(links[1])


@pytest.mark.parametrize("name", ROOTS)
def test_switch_needs_python_only_where_something_is_out_of_the_ordinary(tmp_path: Path, name: str) -> None:
    for version in ("0.9", "1.0", "2.0", ".tmp-1"):
        (tmp_path / "releases" / version).mkdir(parents=True)
    ROOTS[name](tmp_path)
    command = activate_command(str(tmp_path), "2.0", "cat")
    outcome = run(command, "/no/such/python")
    assert ("error" not in answer_of(outcome)) is (name in QUICK)
    assert "import" not in outcome.stdout, "what follows must not read the program"


def test_release_that_is_not_there_is_not_switched_to_by_shell_either(tmp_path: Path) -> None:
    (tmp_path / "releases/1.0").mkdir(parents=True)
    _link(tmp_path, current="releases/1.0")
    assert "is not staged" in answer_of(run(activate_command(str(tmp_path), "2.0", None)))["error"]


def test_host_without_flock_is_switched_by_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "releases/1.0").mkdir(parents=True)
    (tmp_path / "releases/2.0").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("readlink", "rm", "ln", "mv"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    _link(tmp_path, current="releases/1.0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    answer = answer_of(
        _shell(f"PYTHON={PYTHON}; {activate_command(str(tmp_path), '2.0', None).shell}", activate_command(str(tmp_path), "2.0", None).stdin)
    )
    assert answer["before"] == {"active": "1.0", "previous": None}


@pytest.mark.parametrize(("missing", "error"), [(0, None), (1, "only")])
def test_artifact_that_is_sent_with_the_command_is_written_where_it_is_expected(root: Path, missing: int, error: str | None) -> None:
    content = artifact(root / "a.tar.gz").read_bytes()
    command = stage_command({"root": str(root), "version": "2.0"}, "anywhere")
    line = f"PYTHON={shlex.quote(PYTHON)}; FILE={shlex.quote(str(root / 'sent'))}; SENT={len(content)}; {command.shell}"
    answer = answer_of(_shell(line, command.stdin + content[: len(content) - missing]))
    assert (root / "sent").exists() is (root / "releases/2.0/VERSION").exists() is (error is None)
    if error:
        assert answer["error"].endswith(f"only {len(content) - 1} bytes of the artifact came")


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome(unreachable="No route"), {"unreachable": "No route"}),
        (Outcome(0, 'Welcome!\n{"ok": true, "changed": true}\nbye\n'), {"ok": True, "changed": True}),
        (Outcome(1, '{"ok": false, "error": "full", "result": {}}\n'), {"ok": False, "error": "full", "result": {}}),
        (Outcome(255, "", "a\nb\n"), {"error": "the host's Python could not run: status 255: b"}),
        (Outcome(0, ""), {"error": "the host's Python could not run: status 0: no output"}),
    ],
)
def test_answer_of_a_host(outcome: Outcome, answer: dict[str, t.Any]) -> None:
    assert answer_of(outcome) == answer


@pytest.mark.parametrize(
    ("outcome", "look"),
    [
        (Outcome(unreachable="No route"), {"unreachable": "No route"}),
        (Outcome(0, "Welcome!\nactive 2.0\n"), {"active": "2.0"}),
        (Outcome(1, "", "Permission denied\n"), {"error": "status 1: Permission denied", "active": None}),
    ],
)
def test_look_of_a_host(outcome: Outcome, look: dict[str, t.Any]) -> None:
    assert look_of(outcome) == look
