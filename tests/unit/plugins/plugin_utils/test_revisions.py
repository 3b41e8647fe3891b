# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.fleets import seen

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Rollback, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import (
    Revision,
    Target,
    Wanted,
    bad_versions,
    obstacle,
    spared,
    target_of,
)

NOBODY: dict[int, dict[str, str]] = {}


def history(*rollouts: str) -> list[Revision]:
    """Revisions from 1 on: a version, ``!`` for one that halted, ``x`` for one that is bad, ``<`` for a rollback that converged."""
    made = []
    for number, text in enumerate(rollouts, 1):
        bad = "crashed" if "x" in text else ""
        verdict = Verdict.ROLLED_BACK if bad else Verdict.HALTED if "!" in text else Verdict.CONVERGED
        back = Rollback(None, (), "") if "<" in text else None
        made.append(Revision(number, text.strip("!x<"), float(number), number + 0.5, verdict, bad=bad, back=back))
    return made


def target(*rollouts: str, before: t.Mapping[int, dict[str, str]] | None = None, **wanted: t.Any) -> Target:
    return target_of(history(*rollouts), lambda number: (before or {}).get(number, {}), Wanted(**wanted), "why")


@pytest.mark.parametrize(
    ("rollouts", "revision", "undoes", "since"),
    [
        pytest.param(("1.0", "2.0!"), 1, (2,), (2,), id="halted"),
        pytest.param(("1.0", "2.0"), 1, (2,), (2,), id="finished"),
        pytest.param(("1.0", "2.0!", "2.0!"), 1, (2, 3), (2, 3), id="tried twice"),
        pytest.param(("1.0", "2.0x", "1.0<"), 1, (2,), (2, 3), id="rolled back already: the same again"),
        pytest.param(("1.0", "2.0!", "1.0!<"), 1, (2,), (2, 3), id="rolled back half: the same again"),
        pytest.param(("1.0", "2.0x", "1.0<", "3.0!"), 3, (4,), (4,), id="a rollback that converged is one to go back to"),
        pytest.param(("1.0", "2.0", "2.0x", "1.0", "3.0"), 4, (5,), (5,), id="not to a bad one"),
        pytest.param(("1.0", "2.0!", "3.0!"), 1, (3,), (2, 3), id="what was rolled over is touched and not bad"),
        pytest.param(("1.0", "2.0x", "2.0", "3.0!"), 3, (4,), (4,), id="bad once, good since"),
    ],
)
def test_newest_rollout_forward_is_undone(
    rollouts: tuple[str, ...], revision: int, undoes: tuple[int, ...], since: tuple[int, ...]
) -> None:
    found = target(*rollouts)
    assert (found.back, found.since) == (Rollback(revision, undoes, "why"), since)
    assert found.version == rollouts[revision - 1].strip("<")
    assert found.version not in found.undone
    # Which it is can be seen, by whoever meant another.
    assert found.newest.startswith(f"revision {undoes[-1]} ({rollouts[undoes[-1] - 1].strip('!x')}), ")
    assert found.newest.endswith(f", begun 1970-01-01 00:00:0{undoes[-1]} UTC")


def test_without_a_revision_what_all_hosts_ran_before_the_first_one() -> None:
    found = target("2.0!", "2.0!", before={1: {"web1": "1.0", "web2": "1.0"}})
    assert (found.version, found.back, found.since) == ("1.0", Rollback(None, (1, 2), "why"), (1, 2))
    assert found.cause == "rollback of revisions 1, 2 to what ran before the first revision: why"


@pytest.mark.parametrize(
    ("rollouts", "before", "why"),
    [
        pytest.param((), {}, "no rollout of this app is in the journal", id="blank"),
        pytest.param(("2.0!",), {}, "nobody knows what they ran", id="nothing before"),
        pytest.param(("2.0!",), {1: {"a": "1.0", "b": "1.1"}}, "they ran 1.0, 1.1", id="mixed before"),
        pytest.param(("2.0!",), {1: {"a": "2.0"}}, "nobody knows what they ran", id="never to the same"),
        pytest.param(("1.0", "1.0x", "2.0!"), {}, "1.0 of revision 1 is bad: crashed", id="bad"),
    ],
)
def test_no_revision_to_go_back_to(rollouts: tuple[str, ...], before: dict[int, dict[str, str]], why: str) -> None:
    with pytest.raises(RollingError, match=r"^no revision to go back to: ") as caught:
        target(*rollouts, before=before)
    assert why in caught.value.message


def test_one_that_is_named_must_be_there_and_good_unless_a_person_insists() -> None:
    assert target("1.0", "1.1", "2.0", revision=1).back == Rollback(1, (3,), "why")
    assert target("1.0", "1.1", "2.0", version="1.0").version == "1.0"
    assert target("1.0", "1.0", "2.0!", version="1.0").back.revision == 2
    for wanted in ({"revision": 9}, {"version": "0.9"}):
        with pytest.raises(InputError, match=r"the newest are 1 \(1\.0\), 2 \(2\.0\)"):
            target("1.0", "2.0", **wanted)
    for rollouts, revision, why in ((("1.0", "2.0x", "1.0<"), 2, "crashed"), (("0.9!", "1.0"), 1, "never converged")):
        with pytest.raises(InputError, match=rf"revision {revision} \(.*{why}.*rollout_allow_bad=true"):
            target(*rollouts, revision=revision)
        found = target(*rollouts, revision=revision, allow_bad=True)
        assert "by rollout_allow_bad though " in found.cause and why in found.cause
    assert target("1.0", "1.0x", "2.0!", allow_bad=True).version == "1.0"


@given(st.lists(st.sampled_from(["1", "2", "3", "1!", "2!", "3!", "1x", "2x", "3x", "1<", "2<"]), max_size=8))
def test_never_to_the_same_version_nor_to_a_bad_one(rollouts: list[str]) -> None:
    made = history(*rollouts)
    try:
        found = target_of(made, lambda _number: {"web1": "0"}, Wanted())
    except RollingError:
        return
    undone = [one for one in made if one.back is None][-1]
    assert found.version != undone.version and found.version not in bad_versions(made)
    assert undone.number in found.since and undone.number in found.back.undoes
    assert all(number > (found.back.revision or 0) for number in found.since)


def test_after_a_contract_nobody_goes_back_unless_a_person_insists() -> None:
    rollouts = history("1.0", "2.0", "3.0!")
    contracted = [dataclasses.replace(one, contracted_at=9.0) if one.number == 2 else one for one in rollouts]
    assert target_of(contracted, NOBODY.get, Wanted(), "why").version == "2.0", "the contract was its own"  # type: ignore[arg-type]
    with pytest.raises(RollingError, match=r"ran in revision 2 \(2.0\), so 1.0 may not fit any more.*rollout_allow_contracted=true"):
        target_of(contracted, NOBODY.get, Wanted(revision=1), "why")  # type: ignore[arg-type]
    found = target_of(contracted, NOBODY.get, Wanted(revision=1, allow_contracted=True), "why")  # type: ignore[arg-type]
    assert found.version == "1.0"


def test_restart_is_nothing_to_go_back_to_and_undoes_nothing() -> None:
    assert target("1.0", "2.0", RESTART).version == "1.0"
    assert target("1.0", RESTART, "2.0!").version == "1.0"


def test_exactly_the_touched_hosts_go_back_and_who_came_since_on_what_is_undone() -> None:
    hosts = [seen("web1", "2.0"), seen("web2", "1.0"), seen("web3", "2.0"), seen("new1", "2.0"), seen("new2", "1.0"), seen("out", "1.0")]
    found = target("1.0", "2.0!")
    left = spared(hosts, "touched", found, touched={"web1"}, known={"web1", "web2", "web3"}, absent={"out"})
    assert left == {
        "web2": "not touched by what is undone, on 1.0",
        "web3": "not touched by what is undone, on 2.0",
        "new2": "not there when it was rolled out, on 1.0",
    }
    assert spared(hosts, "fleet", found, (), (), ()) == {}


def test_one_host_alone_goes_by_the_same_rules() -> None:
    past = history("1.0", "1.1x", "1.2")
    assert obstacle(past, "1.0") == obstacle(past, "0.9") == ""
    assert obstacle(past, "1.1") == "1.1 is bad: crashed; -e rollout_allow_bad=true goes there all the same"
    assert obstacle(past, "1.1", allow_bad=True) == ""
    past[2] = dataclasses.replace(past[2], contracted_at=3.5)
    assert obstacle(past, "1.0").startswith("the tasks of rollout_hooks.contract ran in revision 3 (1.2), so 1.0 may not fit any more")
    assert obstacle(past, "1.0", allow_contracted=True) == obstacle(past, "1.2") == ""
    assert obstacle([*past, Revision(4, "1.0", 4.0, 4.5, Verdict.CONVERGED)], "1.0") == "", "the fleet was rolled to it since"
