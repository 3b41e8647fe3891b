# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that are put back alone after they failed, and the rehearsal of it, over the real steps and a real journal."""

from __future__ import annotations

import dataclasses
import os
import typing as t
from pathlib import Path

import pytest
from unit.plugins.action.simulated import Host, Killed, Rollback, Rollout, World, absent
from unit.plugins.plugin_utils.fleets import names, plan

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.history import Picture, phases_of, versions_over_time
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.metrics import metrics_text
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import Leg, Step, Verdict

PLACES = (("lb1", "web"), ("lb2", "web"))
REVERT: dict[str, t.Any] = {"max_unavailable": 1, "on_host_failure": "revert"}
REHEARSE: dict[str, t.Any] = {"max_unavailable": 2, "rehearse": True}


@pytest.fixture
def world(state: Path) -> World:
    """Four hosts on 1.0."""
    return World(PLACES, [Host(name) for name in names(4)], state)


def running(world: World) -> list[str]:
    return [host.running for host in world.hosts.values()]


@pytest.mark.parametrize("near", [True, False])
@pytest.mark.parametrize("budget", [0, 1])
def test_who_fails_goes_back_alone_and_counts_as_failed(world: World, near: bool, budget: int) -> None:
    world.hosts["web2"].unfit = ("2.0",)
    rollout = Rollout(world, "2.0", near=near, max_failures=budget, **REVERT)
    end = rollout.go()
    assert running(world) == (["2.0", "1.0", "2.0", "2.0"] if budget else ["2.0", "1.0", "1.0", "1.0"])
    assert (end["verdict"], world.out(), absent(world)) == ("halted", set(), set())
    assert end["artifact"]["counts"]["failed"] == 1 and end["artifact"]["out"] == []
    why = "health check: status 503; it was put back on 1.0"
    assert f"  failed: web2: {why}" in end["text"]
    assert "web2 goes back to 1.0: put back, since it failed" in rollout.reasons
    journal = Journal(world.url)
    record = journal.rollout(1).host("web2")
    assert (record.verdict, record.why, record.is_put_back) == (Verdict.FAILED, why, True)
    legs = [event.kind for event in journal.events("web") if event.host == "web2" and event.detail.get("leg") == "revert"]
    assert legs == ["deployed", "drained", "deployed", "verified", "back"]
    # Who watches is told that it failed, and what became of it; not of each step. It failed once, and serves with what it had.
    picture = Picture(journal.rollout(1), journal.events("web", rollout=1))
    assert [event.detail["why"] for event in picture.mine if event.host == "web2" and event.is_notable] == [why.partition(";")[0], why]
    assert 'convoy_rollout_failures_total{app="web",verdict="failed"} 1' in metrics_text(picture, world.now)
    assert versions_over_time(picture)[-1][1] == ({"2.0": 3, "1.0": 1} if budget else {"2.0": 1, "1.0": 3})
    assert [phase.name for phase in phases_of(picture, world.now)["web2"]][-5:] == ["out", *["revert"] * 4]
    # What is done is not counted as new, and the budget as it was before.
    assert end["progress"]["updated"] == (3 if budget else 1)
    assert bool(rollout.halted) is (budget == 0)
    # The same command again begins with it.
    world.hosts["web2"].unfit = ()
    again = Rollout(world, "2.0", **REVERT)
    assert (again.go()["verdict"], again.planned["order"][0]) == ("converged", "web2")


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"gone": ("1.0",)}, "it could not be put back on 1.0: version: 1.0 is not staged"),
        ({"unfit": ("1.0", "2.0")}, "it could not be put back on 1.0: health check: status 503"),
        ({"returns": False}, "it could not be put back on 1.0: "),
        ({"restarts": False}, "it could not be put back on 1.0: the restart failed"),
        ({"installed": "", "running": None}, "it can't be put back: nobody knows what it served with before"),
    ],
)
def test_who_can_not_go_back_stays_out_and_is_named(world: World, trouble: dict[str, t.Any], said: str) -> None:
    given: dict[str, t.Any] = {"unfit": ("2.0",), **trouble}
    if "installed" in given:
        given["installed"] = None
    world.hosts["web1"] = dataclasses.replace(world.hosts["web1"], **given)
    end = Rollout(world, "2.0", **REVERT).go()
    assert (end["verdict"], world.out(), absent(world)) == ("halted", {"web1"}, {"web1"})
    (line,) = [line for line in end["text"] if line.startswith("  failed: web1: ")]
    assert said in line


def test_who_came_up_but_was_not_let_in_everywhere_is_drained_before_it_goes_back(world: World) -> None:
    """One balancer lets it in, the other does not: it must not be restarted while the first sends it requests."""
    real = world.move

    def move(call: dict[str, t.Any], state: str) -> dict[str, t.Any]:
        new = state == "ready" and call["name"] == "lb2" and world.hosts["web1"].running == "2.0"
        world.hosts["web1"].returns = not new
        return real(call, state)

    started = world.release

    def release(versions: t.Mapping[str, str], switch: bool) -> dict[str, dict[str, t.Any]]:
        if switch:
            assert not [host for host in versions if any(pool[host] == "ready" for pool in world.pools.values())]
        return started(versions, switch)

    world.move, world.release = move, release  # type: ignore[method-assign]
    end = Rollout(world, "2.0", **REVERT).go()
    assert any("web1: lb2/web: not fully up; it was put back on 1.0" in line for line in end["text"])
    assert (running(world)[0], world.out()) == ("1.0", set())


@pytest.mark.parametrize(("moment", "step"), [(19, Step.DEPLOYED), (23, Step.DRAINED), (26, Step.DEPLOYED), (29, Step.VERIFIED)])
def test_killed_while_it_goes_back_the_next_run_has_it_half_done(state: Path, moment: int, step: Step) -> None:
    world = World(PLACES[:1], [Host("web1"), Host("web2")], state)
    world.hosts["web1"].unfit = ("2.0",)
    world.dies = moment
    with pytest.raises(Killed):
        Rollout(world, "2.0", **REVERT).go()
    world.dies = None
    record = Journal(world.url).rollout(1).host("web1")
    assert (record.leg, record.step, absent(world)) == (Leg.REVERT, step, {"web1"})
    again = Rollout(world, "2.0", **REVERT)
    end = again.go()
    assert again.planned["order"][0] == "web1"
    # It goes back to what it served with last, whatever the killed run had made of it.
    assert (end["verdict"], running(world)[0], world.out(), absent(world)) == ("halted", "1.0", set(), set())


def test_version_that_is_bad_or_that_a_contract_has_passed_by_is_not_gone_back_to(world: World) -> None:
    journal = Journal(world.url)
    for version in ("1.0", "1.5"):
        ticket = journal.open(dataclasses.replace(plan(4), version=version), (), Holder.of(os.getpid()), 10.0)
        journal.reach(ticket, "contract", 15.0)
        journal.close(ticket, Verdict.CONVERGED, "", 20.0)
    world.hosts["web1"].unfit = ("2.0",)
    end = Rollout(world, "2.0", **REVERT).go()
    said = "it can't be put back: the tasks of rollout_hooks.contract ran in revision 2 (1.5), so 1.0 may not fit any more"
    assert world.out() == {"web1"} and any(said in line for line in end["text"])
    with pytest.raises(InputError, match=r"rollout_rehearse: web1, which goes first, has no way back to rehearse: the tasks of"):
        Rollout(world, "2.0", **REHEARSE).go()


def test_a_rollback_puts_nobody_forward_again(world: World) -> None:
    world.bad = {"2.0"}
    end = Rollout(world, "2.0", on_failure="rollback", **(REVERT | {"max_unavailable": 2})).go()
    assert (end["undo"]["rollout"], end["artifact"]["counts"]["failed"], world.out()) == (1, 2, set())
    # Nobody is left to roll: it is closed, and the version is bad.
    back = Rollback(world, undo=1, why=end["undo"]["why"])
    after = back.go()
    assert after["verdict"] == "converged" and after["complaint"].startswith(
        'rolled back "web" to what ran before the first revision (1.0)'
    )
    assert [(str(one.verdict), bool(one.bad)) for one in Annals(world.url).revisions("web")] == [
        ("rolled back", True),
        ("converged", False),
    ]


# -- the rehearsal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("near", [True, False])
def test_first_host_goes_there_back_and_there_again_before_the_second_leaves(world: World, near: bool) -> None:
    seen: list[tuple[str, set[str]]] = []

    def watch() -> None:
        now = (world.hosts["web1"].running, frozenset(world.out()))
        if not seen or seen[-1] != now:
            seen.append(now)  # type: ignore[arg-type]

    rollout = Rollout(world, "2.0", watch, near=near, **REHEARSE)
    end = rollout.go()
    assert (end["verdict"], running(world)) == ("converged", ["2.0"] * 4)
    alone = [version for version, out in seen if out == {"web1"}]
    assert alone == ["1.0", "2.0", "1.0", "2.0"]
    assert [out for _version, out in seen if len(out) > 1] and seen.index(("2.0", frozenset())) < next(
        place for place, (_version, out) in enumerate(seen) if out - {"web1"}
    )
    assert rollout.planned["plan"]["batches"] == [["web1"], ["web2"], ["web3", "web4"]]
    assert any(line.startswith("rehearsal  web1: to 2.0, back to 1.0, to 2.0 again") for line in rollout.planned["text"])
    journal = Journal(world.url)
    kinds = [event.kind for event in journal.events("web")]
    assert kinds.count("rehearsed") == 1 and journal.rollout(1).rehearsed_at
    legs = [(event.kind, event.detail.get("leg", "")) for event in journal.events("web") if event.host == "web1"][-9:]
    assert legs[-5:] == [
        ("verified", "rehearsal, back"),
        ("drained", "rehearsal, again"),
        ("deployed", "rehearsal, again"),
        ("verified", "rehearsal, again"),
        ("back", "rehearsal, again"),
    ]
    # Once for a version.
    world.hosts["web1"] = Host("web1")
    again = Rollout(world, "2.0", **REHEARSE)
    again.go()
    assert again.planned["plan"]["rehearsal"] == ""


@pytest.mark.parametrize(
    ("unfit", "said", "serves"),
    [
        ("2.0", "web1: rehearsal, to 2.0: health check: status 503", "1.0"),
        ("1.0", "web1: rehearsal, back to 1.0: health check: status 503", None),
    ],
)
@pytest.mark.parametrize("reverts", [True, False])
def test_rehearsal_that_fails_halts_with_that_host_by_policy(
    world: World, unfit: str, said: str, serves: str | None, reverts: bool
) -> None:
    world.hosts["web1"].unfit = (unfit,)
    world.hosts["web1"].proven = "0"
    policy = REHEARSE | {"max_failures": 3} | ({"on_host_failure": "revert"} if reverts else {})
    rollout = Rollout(world, "2.0", **policy)
    end = rollout.go()
    assert end["verdict"] == "halted" and rollout.halted.startswith(said) and said in end["text"][0]
    assert world.out() == (set() if reverts and serves else {"web1"})
    assert running(world)[1:] == ["1.0"] * 3, "nobody else has left"
    if reverts and serves:
        assert running(world)[0] == serves and "it was put back on 1.0" in end["text"][0]


def test_rehearsal_whose_last_leg_fails_names_it(world: World) -> None:
    def watch() -> None:
        if Path(world.url.removeprefix("sqlite:///")).exists() and "rehearsal, again" in rollout_legs():
            world.hosts["web1"].unfit = ("2.0",)

    def rollout_legs() -> list[str]:
        newest = Journal(world.url).latest("web")
        return [record.leg.value for record in newest.hosts] if newest else []

    end = Rollout(world, "2.0", watch, **REHEARSE).go()
    assert "web1: rehearsal, to 2.0 again: health check" in end["text"][0]
    assert world.out() == {"web1"}


def test_rehearsal_that_somebody_takes_away_halts_too(world: World) -> None:
    def watch() -> None:
        if Path(world.url.removeprefix("sqlite:///")).exists() and absent(world) and not world.hosts["web1"].held:
            world.hosts["web1"].held = True
            for pool in world.pools.values():
                pool["web1"] = "maintenance"

    rollout = Rollout(world, "2.0", watch, **REHEARSE)
    rollout.go()
    assert rollout.halted.startswith("the way back was not rehearsed: web1 is held: somebody put it into maintenance")
    assert running(world) == ["1.0"] * 4


def test_nothing_to_rehearse_is_refused_before_anybody_leaves(world: World) -> None:
    world.hosts["web1"] = dataclasses.replace(world.hosts["web1"], installed=t.cast(str, None), running=t.cast(str, None))
    with pytest.raises(InputError, match=r"web1, which goes first, has no way back to rehearse: nobody knows .* Nothing was touched\."):
        Rollout(world, "2.0", **REHEARSE).go()


@pytest.mark.parametrize("moment", [11, 15])
def test_killed_in_the_rehearsal_the_same_command_again_rehearses(state: Path, moment: int) -> None:
    world = World(PLACES[:1], [Host("web1"), Host("web2")], state)
    world.dies = moment
    with pytest.raises(Killed):
        Rollout(world, "2.0", **REHEARSE).go()
    world.dies = None
    assert Journal(world.url).rollout(1).host("web1").out
    again = Rollout(world, "2.0", **REHEARSE)
    assert again.go()["verdict"] == "converged"
    assert (running(world), world.out(), absent(world)) == (["2.0"] * 2, set(), set())
    assert again.planned["plan"]["rehearsal"] == "web1"
