# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.base import Location, Member
from ansible_collections.convoy.rolling.plugins.module_utils.balancers.haproxy_replies import (
    Work,
    backend_ids,
    is_stopping,
    locations,
    old_worker_pids,
    servers,
    session_ids,
    work_of,
)
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError

VERSIONS = ("2.6", "2.8", "3.0", "3.2")

# What the recorded servers are, on every version: admin, health, in service, weight, agent.
TRUTH = {
    "up": ("ready", "up", True, 10, None),
    "drained": ("drain", "up", False, 1, None),
    "maintained": ("maintenance", "unknown", False, 1, None),
    "weightless": ("ready", "up", False, 0, None),
    "dead": ("ready", "down", False, 1, None),
    "unchecked": ("ready", "unchecked", True, 1, None),
    "tracker": ("ready", "up", True, 1, None),
    "maint-tracker": ("maintenance", "unknown", False, 1, None),
    "drain-tracker": ("drain", "up", False, 1, None),
    "agent-on": ("ready", "up", True, 1, True),
    "agent-drained": ("drain", "up", False, 1, True),
    "agent-off": ("ready", "up", True, 1, False),
    "configured-out": ("maintenance", "unknown", False, 1, None),
    "readied": ("ready", "up", True, 1, None),
    "reserve": ("ready", "up", True, 1, None),
    "six": ("ready", "unchecked", True, 1, None),
    "unix": ("ready", "unchecked", True, 1, None),
    "falling": ("ready", "falling", True, 1, None),
    "rising": ("ready", "rising", False, 1, None),
    "dead-drained": ("drain", "down", False, 1, None),
}


@dataclasses.dataclass(frozen=True)
class Recording:
    """The answers of one version of HAProxy, whose backends are web, with a server for each state, and empty."""

    backends: str
    web_stat: str
    web_state: str
    empty_state: str
    empty_stat: str


def recording(version: str) -> Recording:
    text = (Path(__file__).parent / "recorded" / f"haproxy-{version}.txt").read_text()
    return Recording(*(section.partition("\n")[2].rstrip("\n") for section in text.split(">>> ")[1:]))


RECORDINGS = {version: recording(version) for version in VERSIONS}
any_version = st.sampled_from(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_states(version: str) -> None:
    answers = RECORDINGS[version]
    members = {one.name: one for one in servers("web", answers.web_stat, answers.web_state)}
    assert {name: (m.admin, m.health, m.in_service, m.weight, m.agent) for name, m in members.items()} == TRUTH
    assert list(members) == list(TRUTH), "in HAProxy's order"
    up, via, six, unix = (members[name] for name in ("up", "maint-tracker", "six", "unix"))
    assert (up.address, up.port, up.initial_weight, up.status, up.check) == ("127.0.0.1", 18101, 10, "UP", "L7OK")
    assert (up.sessions, up.queued, up.requests) == (0, 0, 0)
    assert (up.warming, up.follows, via.follows) == (False, None, "web/maintained")
    assert members["dead"].check == "L4CON Connection refused"
    assert via.status == "MAINT (via web/maintained)" and via.check is None
    assert (six.address, six.port, unix.address, unix.port) == ("::1", 18101, None, None)


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_backends(version: str) -> None:
    answers = RECORDINGS[version]
    ids = backend_ids(answers.backends)
    assert list(ids) == ["web", "empty"] and all(number.isdigit() for number in ids.values())
    assert servers("empty", answers.empty_stat, answers.empty_state) == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_locations(version: str) -> None:
    """Of all backends, as ``show servers state`` has them when none is named; a server on a UNIX socket is nowhere."""
    answers = RECORDINGS[version]
    other = "".join(line.replace(" web ", " api ") + "\n" for line in answers.web_state.splitlines()[2:3])
    found = locations(f"{answers.web_state}\n{other}")
    assert found[0] == Location("web", "up", "127.0.0.1", 18101) and found[-1] == Location("api", "up", "127.0.0.1", 18101)
    assert {one.name for one in found} == set(TRUTH) - {"unix"}


def truth(version: str) -> tuple[Member, ...]:
    return servers("web", RECORDINGS[version].web_stat, RECORDINGS[version].web_state)


@given(any_version, st.sampled_from(["web_stat", "web_state"]), st.floats(0, 1))
def test_a_cut_answer_is_right_or_an_error(version: str, which: str, part: float) -> None:
    whole = getattr(RECORDINGS[version], which)
    cut = dataclasses.replace(RECORDINGS[version], **{which: whole[: int(len(whole) * part)]})
    try:
        members = servers("web", cut.web_stat, cut.web_state)
    except RollingError:
        return
    assert members == truth(version)


@pytest.mark.parametrize("which", ["web_stat", "web_state"])
def test_an_answer_cut_after_any_line_is_an_error(which: str) -> None:
    lines = getattr(RECORDINGS["2.8"], which).split("\n")
    for count in range(len(lines) - (which == "web_stat")):
        cut = dataclasses.replace(RECORDINGS["2.8"], **{which: "\n".join(lines[:count])})
        if cut != RECORDINGS["2.8"]:
            with pytest.raises(RollingError, match="cannot be used"):
                servers("web", cut.web_stat, cut.web_state)


def test_both_answers_cut_at_the_same_server_are_an_error() -> None:
    stat, state = (text.splitlines() for text in (RECORDINGS["2.8"].web_stat, RECORDINGS["2.8"].web_state))
    with pytest.raises(RollingError, match="the row of the backend itself is not its last"):
        servers("web", "\n".join(stat[:5]), "\n".join(state[:5]))


@given(any_version, st.randoms())
def test_order_and_unknown_columns_do_not_matter(version: str, random: object) -> None:
    shuffle = random.shuffle  # type: ignore[attr-defined]
    header, *rows = [line.split(",") for line in RECORDINGS[version].web_stat.removeprefix("# ").splitlines() if line]
    order = list(range(len(header)))
    shuffle(order)
    # The names stay in front, since "# " marks the header; a new column comes last.
    order = [header.index("pxname"), *(place for place in order if header[place] != "pxname")]
    news = ["brand_new", *"x" * len(rows)]
    stat = "\n".join(",".join([*(row[place] for place in order), new]) for row, new in zip([header, *rows], news, strict=True))
    first, names, *lines = RECORDINGS[version].web_state.splitlines()
    lines = [f"{line} 7" for line in lines if line]
    shuffle(lines)
    assert servers("web", f"# {stat}", "\n".join([first, f"{names} brand_new", *lines])) == truth(version)


@given(any_version, st.data())
def test_garbage_is_an_error_and_nothing_else(version: str, data: st.DataObject) -> None:
    which = data.draw(st.sampled_from(["web_stat", "web_state"]))
    other = data.draw(
        st.text() | st.sampled_from(["Permission denied", "No such proxy.", "Unknown command", *dataclasses.astuple(RECORDINGS[version])])
    )
    if other == getattr(RECORDINGS[version], which):
        return
    answers = dataclasses.replace(RECORDINGS[version], **{which: other})
    with pytest.raises(RollingError, match="cannot be used"):
        servers("web", answers.web_stat, answers.web_state)


def change(text: str, line: str, old: str, new: str) -> str:
    """The table with one thing replaced in the line that holds ``line``."""
    lines = text.split("\n")
    found = [number for number, one in enumerate(lines) if line in one]
    assert len(found) == 1 and old in lines[found[0]], (line, old)
    lines[found[0]] = lines[found[0]].replace(old, new, 1)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("which", "line", "old", "new", "reason"),
    [
        ("web_stat", "web,up,", "web,", "shop,", "not about web only"),
        ("web_stat", "web,up,", "web,up,0", "web,up,-1", "qcur is '-1' and not a number"),
        ("web_stat", "web,up,", "web,up", "web,dead", "does not list the servers"),
        ("web_stat", "web,up,", "web,up", "web,BACKEND", "not its last"),
        ("web_stat", "web,up,", ",UP,", ',"UP,', "cannot be used"),
        ("web_stat", "web,up,", ",UP,", ",MAINT,", "does not agree"),
        ("web_stat", "# pxname", ",status,", ",state,", "column status is missing"),
        ("web_stat", "# pxname", ",act,", ",status,", "or there twice"),
        ("web_state", " up ", " web ", " shop ", "not about web only"),
        ("web_state", " up ", " up ", " upper ", "does not list the servers"),
        ("web_state", " maintained ", "127.0.0.1 0 1 ", "127.0.0.1 0 0 ", "does not agree"),
        ("web_state", "# be_id", "srv_uweight", "weight", "column srv_uweight is missing"),
    ],
)
def test_what_does_not_fit_is_an_error(which: str, line: str, old: str, new: str, reason: str) -> None:
    answers = RECORDINGS["3.0"]
    answers = dataclasses.replace(answers, **{which: change(getattr(answers, which), line, old, new)})
    with pytest.raises(RollingError, match=reason):
        servers("web", answers.web_stat, answers.web_state)


@pytest.mark.parametrize(
    ("status", "check", "health"),
    [
        ("UP", "* L7OK", "up"),
        ("UP", "L4OK", "up"),
        ("UP", "L6OK", "up"),
        ("UP", "L7STS", "falling"),
        ("UP", "INI", "falling"),
        ("UP 2/3", "L7OK", "falling"),
        ("DOWN (agent)", "L7OK", "down"),
        ("DOWN 1/2", "L7OK", "rising"),
        ("NOLB", "L7OKC", "down"),
        ("NOLB 1/2", "L7OKC", "down"),
        ("DRAIN 1/2", "L7STS", "falling"),
        ("DRAIN", "", "unchecked"),
        ("no check", "", "unchecked"),
        ("HIBERNATING", "L7OK", "unknown"),
    ],
)
def test_status_words(status: str, check: str, health: str) -> None:
    stat = change(RECORDINGS["2.8"].web_stat, "web,up,", ",UP,", f",{status},")
    stat = change(stat, "web,up,", ",L7OK,", f",{check},")
    assert servers("web", stat, RECORDINGS["2.8"].web_state)[0].health == health


def test_a_comma_or_a_line_break_in_a_check_result_does_no_harm() -> None:
    stat = change(RECORDINGS["2.8"].web_stat, "web,dead,", ",Connection refused,", ',"refused, really\n""now""",')
    dead = servers("web", stat, RECORDINGS["2.8"].web_state)[4]
    assert (dead.name, dead.check) == ("dead", 'L4CON refused, really\n"now"')


def test_a_slow_start_shows_as_the_operational_state() -> None:
    state = change(RECORDINGS["2.8"].web_state, " up ", "127.0.0.1 2 0 ", "127.0.0.1 1 0 ")
    up = servers("web", RECORDINGS["2.8"].web_stat, state)[0]
    assert up.warming is True and up.in_service


def test_stopping() -> None:
    assert is_stopping("Name: HAProxy\nStopping: 1\nJobs: 3") and not is_stopping("Pid: 1\nStopping: 0")
    for text in ("", "Stopping: ", "Stopping: 2", "Permission denied", "Stopping: 0\nStopping: 1"):
        with pytest.raises(RollingError, match="'show info' cannot be used"):
            is_stopping(text)


PROCESSES = {
    "2.6": (
        "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
        "21159           master          1 [failed: 0]   0d00h00m05s     2.6.12-1+deb12u3\n"
        "# workers\n"
        "21227           worker          0               0d00h00m02s     2.6.12-1+deb12u3\n"
        "# old workers\n"
        "21161           worker          1               0d00h00m05s     2.6.12-1+deb12u3\n"
        "# programs\n"
        "21162           api             0               0d00h00m05s     -\n"
    ),
    "3.2": (
        "#<PID>          <type>          <reloads>       <uptime>        <version>      \n"
        "23739           master          2 [failed: 0]   0d00h00m05s     3.2.26-1       \n"
        "# workers\n"
        "24216           worker          0               0d00h00m02s     3.2.26-1       \n"
        "# old workers\n"
        "23748           worker          1               0d00h00m05s     3.2.26-1       \n"
        "23701           worker          2               0d00h01m05s     3.2.26-1       \n"
    ),
}


def test_old_workers() -> None:
    assert old_worker_pids(PROCESSES["2.6"]) == ["21161"] and old_worker_pids(PROCESSES["3.2"]) == ["23748", "23701"]
    assert old_worker_pids(PROCESSES["2.6"].replace("21161 ", "# 21161 ")) == []
    for text in ("", "Unknown command: 'show proc'", PROCESSES["2.6"].replace("21161 ", "2116x ")):
        with pytest.raises(RollingError, match="'show proc' cannot be used"):
            old_worker_pids(text)


@pytest.mark.parametrize("version", VERSIONS)
def test_work_of_a_worker(version: str) -> None:
    work = work_of("web", RECORDINGS[version].web_stat)
    assert set(TRUTH) <= set(work) and work["up"] == Work(0, 0, 0)
    assert work_of("nope", RECORDINGS[version].web_stat) == {}
    assert Work(1, 2, 3) + Work(4, 5, 6) == Work(5, 7, 9)
    with pytest.raises(RollingError, match="cannot be used"):
        work_of("web", "Can't find the target PID matching the prefix '@!1'")


def test_sessions_of_some_servers() -> None:
    line = "0x7f9fb5707400: proto=tcpv4 src=127.0.0.1:47810 fe=f be=web srv=web1 ts=00 epoch=0 age=0s calls=2 rate=0 scf=[8,482h,fd=12]"
    others = [line.replace("be=web", "be=api"), line.replace("srv=web1", "srv=web11"), "", "nonsense", line.replace("0x", "x")]
    assert session_ids("web", ["web1"], "\n".join([*others, line])) == ["0x7f9fb5707400"]
