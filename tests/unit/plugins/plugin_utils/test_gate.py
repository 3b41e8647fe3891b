# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

from hypothesis import assume, given
from hypothesis import strategies as st
from unit.plugins.plugin_utils.any_fleet import observations, policies, records, wave_records
from unit.plugins.plugin_utils.fleets import API, WEB, member, names, observed, plan, policy, rollout, seen

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.plugin_utils.amounts import Amount
from ansible_collections.convoy.rolling.plugins.plugin_utils.gate import decide, decide_on
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import (
    Answer,
    Baking,
    Decision,
    HostRecord,
    Member,
    Observed,
    Plan,
    RolloutRecord,
    Stage,
    Step,
    Verdict,
    WaveRecord,
)
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import Notice
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.standing import Standing

NOTICE = Notice("ann on ci1", "an alarm", 100.0)


@dataclasses.dataclass(frozen=True)
class Question:
    """Everything that the gate is asked with."""

    want: tuple[str, ...]
    rollout: RolloutRecord
    policy: Policy
    members: tuple[Member, ...]
    absent: frozenset[str]
    now: float

    def ask(self, **different: t.Any) -> Decision:
        asked = dataclasses.replace(self, **different)
        return decide(asked.want, asked.rollout, asked.policy, asked.members, asked.absent, asked.now)

    @property
    def due(self) -> list[str]:
        return [host for host in self.want if self.rollout.host(host).verdict is None]

    def serves(self, host: str) -> bool:
        return any(one.in_service for one in self.members if one.host == host)


_ANY_LOOK, _ANY_POLICY = observations(most=5), policies()
_ORDERS = st.permutations(names(5))
_HOW_MANY, _YES_OR_NO = st.integers(0, 5), st.booleans()
_TIMES = st.sampled_from([0.0, 600.0, 601.0])


def roomy(look: Observed, limits: Policy) -> tuple[Policy, Plan]:
    """A plan by these limits, or by wider ones where they leave nobody any room."""
    everybody = dataclasses.replace(limits.unavailable, amount=Amount(100, True), stays=False)
    for wide in (limits, dataclasses.replace(limits, unavailable=everybody, unavailable_per_zone=None, limit_by="members")):
        try:
            return wide, make_plan("web", "2.0", look, wide)
        except InputError:
            pass
    assume(False)
    raise AssertionError


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """A rollout anywhere on its way, with a view of the pools that may be older than the journal."""
    look, limits = draw(_ANY_LOOK), draw(_ANY_POLICY)
    limits, made = roomy(look, limits)
    assume(made.order)
    hosts = tuple(draw(records(host)) for host in made.order)
    out = {record.host for record in hosts if record.out}
    stale = draw(_YES_OR_NO)
    members = tuple(
        one if stale or one.host not in out else dataclasses.replace(one, in_service=False, admin="maintenance") for one in look.members
    )
    back = {record.host for record in hosts if record.step is Step.BACK}
    absent = frozenset(out | {absence.host for absence in look.absences} - back)
    want = tuple(host for host in draw(_ORDERS)[: draw(_HOW_MANY)] if host in made.order)
    waves = draw(wave_records(made))
    return Question(want, rollout(made, *hosts, waves=waves), limits, members, absent, draw(_TIMES))


@given(questions())
def test_no_more_are_out_than_the_limit_or_were_before(question: Question) -> None:
    """The limit is of those that the plan rolls: it counts the others as out already."""
    answer = question.ask()
    absent = question.absent & set(question.rollout.plan.order)
    assert len(absent | set(answer.admitted)) <= max(question.rollout.plan.limit, len(absent))


@given(questions())
def test_only_who_asks_and_is_due_is_admitted_and_nobody_is_forgotten(question: Question) -> None:
    answer = question.ask()
    if answer.answer is Answer.ADMIT:
        assert sorted(answer.admitted + answer.later) == sorted(question.due)
        assert answer.admitted or not question.due
    else:
        assert not answer.admitted
        assert answer.reason


@given(questions())
def test_several_that_leave_leave_every_floor_standing(question: Question) -> None:
    answer = question.ask()
    leaving = {host for host in answer.admitted if question.serves(host)}
    if len(answer.admitted) > 1:
        for place, floor in question.rollout.plan.floors.items():
            pool = [one for one in question.members if one.place == place and one.in_service]
            left = [one for one in pool if one.host not in leaving]
            assert left == pool or sum(one.units(question.rollout.plan.weighed) for one in left) >= floor


@given(questions())
def test_the_gate_never_waits_for_nobody(question: Question) -> None:
    """Whoever is waited for is under way, does not ask himself, and so will end; or is at his wave's turn; or a wave bakes, or asks a
    person."""
    answer = question.ask()
    if answer.stage is Stage.TURN and answer.answer is Answer.WAIT:
        assert any(
            (record.asked or record.out) and record.verdict is None for record in question.rollout.hosts if record.host not in answer.later
        )
    elif answer.answer is Answer.WAIT and answer.stage is None:
        under_way = [record.host for record in question.rollout.hosts if record.out and record.verdict is None]
        assert set(under_way) & question.absent - set(question.due)


@given(questions(), st.integers(0, 8), st.integers(0, 8), st.floats(0.0, 600.0), st.integers(0, 8))
def test_a_stricter_policy_never_admits_more(question: Question, failures: int, lost: int, deadline: float, limit: int) -> None:
    total = 1000  # of a fleet that large a percentage is no less strict than of a small one
    strict = dataclasses.replace(
        question.policy,
        max_failures=Amount(min(failures, question.policy.max_failures.of(total)), False),
        max_unreachable=Amount(min(lost, question.policy.max_unreachable.of(total)), False),
        progress_deadline=deadline,
    )
    made = question.rollout.plan
    smaller = dataclasses.replace(question.rollout, plan=dataclasses.replace(made, limit=min(limit, made.limit)))
    counts = dataclasses.replace(
        question.policy,
        max_failures=Amount(question.policy.max_failures.of(total), False),
        max_unreachable=Amount(question.policy.max_unreachable.of(total), False),
    )
    loose = set(question.ask(policy=counts).admitted)
    assert set(question.ask(policy=strict).admitted) <= loose
    assert set(question.ask(policy=strict, rollout=smaller).admitted) <= loose


@given(questions())
def test_waves_and_a_ramp_never_let_more_go(question: Question) -> None:
    made = question.rollout.plan
    # Time that a wave took or waited for a person does not count for the deadline.
    free = dataclasses.replace(question.rollout, plan=dataclasses.replace(made, waves=()), progressed=question.now)
    steady = dataclasses.replace(question.policy, ramp=False)
    strict = question.ask().admitted
    assert len(strict) <= len(question.ask(policy=steady).admitted)
    assert len(strict) <= len(question.ask(rollout=free).admitted)


@given(questions())
def test_nobody_leaves_before_all_earlier_waves_are_over(question: Question) -> None:
    waves = question.rollout.plan.waves
    admitted = set(question.ask().admitted)
    for number, wave in enumerate(waves):
        if admitted & set(wave.hosts):
            assert not wave.approve or question.rollout.wave(wave.name).approved
            for earlier in waves[:number]:
                assert all(record.verdict for record in question.rollout.hosts if record.host in earlier.hosts)
                assert not earlier.is_watched or question.rollout.wave(earlier.name).passed is not None


@given(questions(), st.integers(0, 4), st.integers(0, 2))
def test_less_room_never_admits_more(question: Question, more: int, fewer: int) -> None:
    """Floors, zones, groups. Where several go, none goes that would not have gone with more room."""
    made = question.rollout.plan
    strict = dataclasses.replace(
        made,
        floors={place: floor + more for place, floor in made.floors.items()},
        scopes=tuple(dataclasses.replace(scope, room=max(0, scope.room - fewer)) for scope in made.scopes),
    )
    some = question.ask(rollout=dataclasses.replace(question.rollout, plan=strict)).admitted
    loose = question.ask().admitted
    assert len(some) <= len(loose)
    assert len(some) < 2 or set(some) <= set(loose)


@given(questions())
def test_no_zone_or_group_has_more_out_than_may_be_or_were_before(question: Question) -> None:
    answer = question.ask()
    for scope in question.rollout.plan.scopes:
        before = question.absent & set(scope.hosts)
        assert len(before | set(answer.admitted) & set(scope.hosts)) <= max(scope.room, len(before))


def tended(of: RolloutRecord, answer: Decision, now: float) -> RolloutRecord:
    """What a wave waits for, done."""
    assert answer.answer is Answer.WAIT, answer.reason
    known = of.wave(answer.wave)
    if answer.stage is Stage.APPROVE:
        known = dataclasses.replace(known, approved=NOTICE)
    elif answer.stage is Stage.BAKE:
        known = dataclasses.replace(known, baking=Baking(now, known.baking.requests + 4))
    else:
        assert answer.stage is Stage.CHECK
        known = dataclasses.replace(known, passed=now)
    return dataclasses.replace(of, waves=(known, *(wave for wave in of.waves if wave.name != known.name)))


@given(observations(), policies())
def test_the_gate_lets_everybody_through_in_the_end(look: Observed, limits: Policy) -> None:
    """All goes well: asked again and again for all that are left, it admits until none is; waves are let through as they ask."""
    limits, made = roomy(look, limits)
    standing = Standing(rollout(made), look.members, [absence.host for absence in look.absences])
    left, now = list(made.order), 0.0
    while True:
        answer = decide_on(standing, left, limits, now)
        if answer.stage:
            now += 30
            standing.rollout = tended(standing.rollout, answer, now)
            continue
        if not left:
            break
        assert answer.answer is Answer.ADMIT and answer.admitted, answer.reason
        now += 1
        standing.progress(now)
        for host in answer.admitted:
            standing.back(host)
            standing.note(HostRecord(host, Step.BACK, Verdict.CONVERGED, changed=now, left=now - 0.5))
            left.remove(host)
        for one in look.members:
            if one.host in answer.admitted:
                standing.see(dataclasses.replace(one, admin="ready", in_service=True))


@given(questions())
def test_order_of_asking_is_kept_but_for_hosts_of_ours_which_go_first(question: Question) -> None:
    leaving = [host for host in question.ask().admitted if question.serves(host)]
    assert leaving == sorted(leaving, key=lambda host: (host not in question.absent, question.want.index(host)))


def told(question: Question, **notices: Notice) -> Question:
    return dataclasses.replace(question, rollout=dataclasses.replace(question.rollout, **notices))


@given(questions())
def test_paused_rollout_admits_nobody_and_its_deadline_does_not_run(question: Question) -> None:
    started, paused = dataclasses.replace(question, now=0.0).ask(), told(question, paused=NOTICE).ask()
    assert not paused.admitted
    of_waves = started.stage is not None or "has not baked" in started.reason
    if of_waves:
        assert paused.answer is Answer.WAIT
    elif started.answer is Answer.HALT and "not coming back by itself" not in started.reason:
        assert paused == started, "what halts it otherwise halts it still"
    else:
        assert paused.answer is (Answer.WAIT if question.due else Answer.ADMIT)


@given(questions(), st.booleans())
def test_aborted_rollout_halts_whatever_else_is_so(question: Question, paused: bool) -> None:
    answer = told(question, aborted=NOTICE, **({"paused": NOTICE} if paused else {})).ask()
    assert (answer.answer, answer.reason) == (Answer.HALT, f"aborted {NOTICE}")


# -- examples ----------------------------------------------------------------------------------------------------------


def ask(
    want: t.Iterable[str],
    of: RolloutRecord,
    *,
    absent: t.Iterable[str] = (),
    view: t.Sequence[Member] | None = None,
    now: float = 0.0,
    **limits: t.Any,
) -> Decision:
    absent = frozenset(absent)
    members = observed(6, out=absent).members if view is None else view
    return decide(tuple(want), of, policy(**limits), members, absent, now)


def two_at_a_time(*records: HostRecord, **different: t.Any) -> RolloutRecord:
    return rollout(plan(6, max_unavailable=2), *records, **different)


def test_batch_is_admitted_whole() -> None:
    assert ask(["web1", "web2"], two_at_a_time()).admitted == ("web1", "web2")


def test_limit_holds_whoever_asks() -> None:
    """A play of one's own may have a larger serial than the plan."""
    answer = ask(names(6), two_at_a_time())
    assert (answer.admitted, answer.later) == (("web1", "web2"), ("web3", "web4", "web5", "web6"))


def test_host_that_is_out_already_takes_no_place() -> None:
    answer = ask(["web1", "web2", "web3"], two_at_a_time(), absent=["web3"])
    assert set(answer.admitted) == {"web3", "web1"}
    assert answer.later == ("web2",)


def test_host_that_comes_back_and_one_that_leaves_share_the_places() -> None:
    """Without a load balancer there is no floor to hold the second one back."""
    of = rollout(plan(look=observed(6, places=()), max_unavailable=2))
    assert ask(["web1", "web2", "web3"], of, absent=["web3"], view=[]).admitted == ("web3", "web1")


def test_hosts_that_are_out_all_come_back_whatever_the_limit() -> None:
    assert ask(["web1", "web2", "web3"], two_at_a_time(), absent=["web1", "web2", "web3"]).admitted == ("web1", "web2", "web3")


def test_absence_of_a_host_that_still_serves_is_no_free_pass() -> None:
    """A run was killed between the journal and the drain, and meanwhile two others went down."""
    view = [member(name, in_service=name not in ("web5", "web6")) for name in names(6)]
    answer = ask(["web1", "web2"], two_at_a_time(), absent=["web1", "web2"], view=view)
    assert answer.admitted == ("web1",)
    view[4] = member("web5")
    assert ask(["web1", "web2"], two_at_a_time(), absent=["web1", "web2"], view=view).admitted == ("web1",)


def test_hosts_that_a_killed_run_left_in_service_do_not_keep_each_other_from_going() -> None:
    """Nobody is under way: one of them goes alone, where its pools have room; whoever is really out has its place."""
    view = [member(name) for name in names(6)]
    one_at_a_time = rollout(plan(6, max_unavailable=1))
    answer = ask(["web1"], one_at_a_time, absent=["web1", "web2"], view=view)
    assert (answer.answer, answer.admitted) == (Answer.ADMIT, ("web1",))
    view[1] = member("web2", out=True)
    assert ask(["web1"], one_at_a_time, absent=["web1", "web2"], view=view).answer is Answer.HALT
    assert ask(["web3"], one_at_a_time, absent=["web1"], view=[member(name) for name in names(6)]).answer is Answer.HALT


def test_who_finds_room_goes_before_who_finds_none() -> None:
    """Of each pool two may be out. web1 serves where two are out, web2 where one is."""
    of = rollout(plan(look=observed(4, places=(WEB, API)), max_unavailable=2))
    out = {("web1", API), ("web2", WEB), ("web3", WEB)}
    view = [member(name, place, (name, place) in out) for place in (WEB, API) for name in names(4)]
    assert ask(["web1", "web2"], of, absent=["web1", "web2", "web3"], view=view).admitted == ("web2",)


def test_host_under_way_is_waited_for() -> None:
    of = two_at_a_time(HostRecord("web1", Step.DRAINED), HostRecord("web2", Step.LEAVING))
    answer = ask(["web3"], of, absent=["web1", "web2"])
    assert (answer.answer, answer.later) == (Answer.WAIT, ("web3",))
    assert "web1, web2 out of rotation, 2 at a time" in answer.reason


def test_hosts_that_stay_out_are_not_waited_for() -> None:
    of = two_at_a_time(HostRecord("web1", Step.DEPLOYED, Verdict.FAILED), HostRecord("web2", Step.LEAVING, Verdict.UNREACHABLE))
    answer = ask(["web3"], of, absent=["web1", "web2"], max_failures=5, max_unreachable=5)
    assert answer.answer is Answer.HALT
    assert answer.reason == "web1, web2 out of rotation, 2 at a time, and not coming back by itself"


def test_one_that_failed_takes_its_place_for_good() -> None:
    of = two_at_a_time(HostRecord("web1", Step.DEPLOYED, Verdict.FAILED))
    assert ask(["web3", "web4"], of, absent=["web1"], max_failures=1).admitted == ("web3",)


def test_who_was_left_out_and_is_not_rolled_is_counted_once() -> None:
    """The plan's limit has it already: 2 of 6, 1 out, so 1 at a time."""
    look = observed(6, absent=["web1"], web1=seen("web1", reachable=False))
    of = rollout(plan(look=look, max_unavailable=2))
    assert (of.plan.limit, of.plan.left_out) == (1, ("web1",))
    assert ask(["web2", "web3"], of, absent=["web1"], max_unreachable=1).admitted == ("web2",)
    assert ask(["web3"], of, absent=["web1", "web2"], max_unreachable=1).answer is Answer.HALT


def test_somebody_else_took_members_out_meanwhile() -> None:
    """No room in the newest view: one host goes alone, and the balancer, which sees who comes back, holds the floor."""
    view = [member(name, in_service=name < "web4") for name in names(6)]
    answer = ask(["web1", "web2"], two_at_a_time(), view=view)
    assert (answer.answer, answer.admitted, answer.later) == (Answer.ADMIT, ("web1",), ("web2",))


def test_nobody_goes_over_the_floor_beside_one_that_only_comes_back() -> None:
    """web1 is ours and out, web6 went down since: with web1 back there is room for web2, and not before."""
    view = [member(name, out=name in ("web1", "web6")) for name in names(6)]
    answer = ask(["web1", "web2"], two_at_a_time(), absent=["web1"], view=view)
    assert (answer.admitted, answer.later) == (("web1",), ("web2",))


def test_nobody_goes_over_the_floor_while_somebody_is_under_way() -> None:
    view = [member(name, out=name in ("web1", "web6")) for name in names(6)]
    answer = ask(["web2"], two_at_a_time(HostRecord("web1", Step.DRAINED)), absent=["web1"], view=view)
    assert answer.answer is Answer.WAIT


def test_full_pool_does_not_keep_hosts_of_another_one() -> None:
    of = rollout(
        plan(
            look=dataclasses.replace(
                observed(6), members=(*(member(name) for name in names(6)), *(member(name, API) for name in names(3)))
            ),
            max_unavailable="34%",
        )
    )
    view = [*(member(name) for name in names(6)), member("web1", API), member("web2", API, in_service=False), member("web3", API)]
    assert (of.plan.limit, of.plan.floors) == (2, {WEB: 4, API: 2})
    assert ask(["web1", "web4"], of, view=view).admitted == ("web4",)


def failed(count: int, verdict: Verdict = Verdict.FAILED) -> RolloutRecord:
    """Hosts on which staging failed: they are in rotation and take no place."""
    return two_at_a_time(*(HostRecord(host, Step.PLANNED, verdict) for host in names(count)))


def test_budget_of_failures_reached_is_tolerated_and_one_more_halts() -> None:
    for budget in range(4):
        assert ask(["web6"], failed(budget), max_failures=budget).answer is Answer.ADMIT
        answer = ask(["web6"], failed(budget + 1), max_failures=budget)
        assert answer.answer is Answer.HALT
        assert f"failed (web1{', web2' if budget else ''}" in answer.reason
        assert f"rollout_max_failures is {budget} of 6" in answer.reason


def test_budget_of_unreachable_hosts_counts_by_itself() -> None:
    for budget in range(4):
        assert ask(["web6"], failed(budget, Verdict.UNREACHABLE), max_unreachable=budget).answer is Answer.ADMIT
        answer = ask(["web6"], failed(budget + 1, Verdict.UNREACHABLE), max_unreachable=budget)
        assert (answer.answer, "rollout_max_unreachable" in answer.reason) == (Answer.HALT, True)


def test_budget_in_percent_is_of_the_whole_fleet() -> None:
    assert ask(["web6"], failed(1), max_failures="17%").answer is Answer.ADMIT
    assert (
        ask(["web6"], failed(1), max_failures="16%").reason == "1 host failed (web1), rollout_max_failures is 16% of 6 = 0 (rounded down)"
    )


def test_progress_deadline_halts_once_it_is_over_and_only_who_is_due() -> None:
    of = two_at_a_time(HostRecord("web1", Step.BACK, Verdict.CONVERGED), progressed=100.0)
    assert ask(["web2"], of, now=700.0).answer is Answer.ADMIT
    answer = ask(["web2"], of, now=701.0)
    assert (answer.answer, answer.reason) == (Answer.HALT, "no host became available for 601 s, rollout_progress_deadline is 600 s")
    assert ask(["web1"], of, now=10_000.0).answer is Answer.ADMIT


def test_halted_or_ended_rollout_admits_nobody() -> None:
    assert ask(["web1"], two_at_a_time(halted="it hurt")) == Decision(Answer.HALT, "it hurt")
    assert ask(["web1"], two_at_a_time(ended=1.0, verdict=Verdict.INTERRUPTED)).reason == "rollout 1 has ended (interrupted)"


def test_hosts_outside_the_plan_have_nothing_to_do() -> None:
    of = rollout(plan(look=observed(3, out=["web3"]), max_unavailable=2))
    answer = ask(["web3", "localhost"], of)
    assert (answer.answer, answer.admitted, answer.later) == (Answer.ADMIT, (), ())


def in_zones(*records: HostRecord, **limits: t.Any) -> RolloutRecord:
    """web1 and web2 in one zone, web3 to web6 in another; one of a zone at a time."""
    look = observed(6, **{host: seen(host, zone="a" if host < "web3" else "b") for host in names(6)})
    return rollout(plan(look=look, **{"max_unavailable": 4, "max_unavailable_per_zone": 1, **limits}), *records)


def test_zone_holds_whoever_asks_and_the_others_wait_their_turn() -> None:
    answer = ask(names(6), in_zones())
    assert (answer.admitted, answer.later) == (("web1", "web3"), ("web2", "web4", "web5", "web6"))


def test_full_zone_is_waited_for_while_somebody_is_under_way_and_halts_when_nobody_is() -> None:
    under_way = ask(["web2"], in_zones(HostRecord("web1", Step.DRAINED)), absent=["web1"])
    assert (under_way.answer, under_way.reason) == (Answer.WAIT, "zone a: web1 out of rotation, 1 at a time")
    failed = in_zones(HostRecord("web1", Step.DEPLOYED, Verdict.FAILED))
    stuck = ask(["web2"], failed, absent=["web1"], max_failures=1)
    assert stuck.answer is Answer.HALT
    assert stuck.reason == "zone a: web1 out of rotation, 1 at a time, and not coming back by itself"
    assert ask(["web2", "web3"], failed, absent=["web1"], max_failures=1).admitted == ("web3",)


def test_hosts_of_one_zone_that_a_killed_run_left_in_service_do_not_keep_each_other_from_going() -> None:
    view = [member(name) for name in names(6)]
    assert ask(["web1"], in_zones(), absent=["web1", "web2"], view=view).admitted == ("web1",)
    view[1] = member("web2", out=True)
    assert ask(["web1"], in_zones(), absent=["web1", "web2"], view=view).reason.startswith("zone a: web2 out of rotation, 1 at a time")


def test_host_that_a_person_took_meanwhile_keeps_its_place_in_its_zone() -> None:
    answer = ask(["web2", "web3"], in_zones(HostRecord("web1", Step.PLANNED, Verdict.HELD)))
    assert (answer.admitted, answer.later) == (("web3",), ("web2",))


def test_group_is_never_out_twice() -> None:
    look = observed(4, **{host: seen(host, apart=("r1",) if host < "web3" else ("r2",)) for host in names(4)})
    of = rollout(plan(look=look, max_unavailable=4))
    assert ask(names(4), of, view=look.members).admitted == ("web1", "web3")
    assert ask(["web2"], rollout(of.plan, HostRecord("web1", Step.LEAVING)), absent=["web1"]).reason.startswith("group r1: web1 out")


def test_by_weight_the_floor_counts_weights() -> None:
    weights = (10, 10, 10, 1)
    view = [member(host, weight=weight) for host, weight in zip(names(4), weights, strict=True)]
    of = rollout(plan(look=dataclasses.replace(observed(4), members=tuple(view)), max_unavailable="40%", limit_by="weight"))
    assert (of.plan.limit, of.plan.floors) == (4, {WEB: 19})
    assert ask(["web1", "web4", "web2"], of, view=view).admitted == ("web1", "web4")


def in_waves(*records: HostRecord, **different: t.Any) -> RolloutRecord:
    """web1 alone, which bakes for 100 s and 50 requests; web2 and web3, when a person says so; the rest."""
    waves = [{"name": "box", "hosts": 1, "bake": {"time": 100, "requests": 50}}, {"name": "two", "hosts": 2, "approve": True}]
    look = dataclasses.replace(observed(6), members=tuple(member(name, requests=0) for name in names(6)))
    return rollout(plan(look=look, waves=waves, max_unavailable=4), *records, **different)


BOX = HostRecord("web1", Step.BACK, Verdict.CONVERGED, changed=1000.0)


def stands(wave: WaveRecord, now: float, **different: t.Any) -> Decision:
    return ask(["web2"], in_waves(BOX, progressed=1000.0, waves=(wave,), **different), now=now)


def test_only_hosts_of_the_first_wave_go_and_the_others_wait_or_halt_where_nobody_will_go_before_them() -> None:
    answer = ask(names(6), in_waves())
    assert (answer.admitted, answer.later) == (("web1",), ("web2", "web3", "web4", "web5", "web6"))
    behind = ask(["web2"], in_waves(HostRecord("web1", asked=True)))
    assert (behind.answer, behind.stage, behind.reason) == (Answer.WAIT, Stage.TURN, "wave box is not over: web1")
    late = ask(["web2"], in_waves(HostRecord("web1", asked=True)), now=601.0)
    assert (late.answer, late.reason[:35]) == (Answer.HALT, "no host became available for 601 s,")
    alone = ask(["web2"], in_waves())
    assert alone.answer is Answer.HALT
    assert alone.reason == (
        "wave box is not over: web1, and nobody is at it; web2 is of a later wave; let the hosts go in the order of the plan"
    )


def test_wave_bakes_from_the_return_of_its_last_host_for_its_time_and_its_requests() -> None:
    fresh, short = WaveRecord("box"), WaveRecord("box", baking=Baking(1100.0, 49))
    baking = stands(fresh, 1099.0)
    assert (baking.answer, baking.stage, baking.wave) == (Answer.WAIT, Stage.BAKE, "box")
    assert baking.reason == "wave box bakes for 1 s more, 0 of 50 requests"
    assert stands(dataclasses.replace(fresh, baking=Baking(1099.9, 50)), 1100.0).reason == "wave box bakes: its hosts not seen since"
    assert stands(dataclasses.replace(fresh, baking=Baking(1100.0, 50)), 1099.9).stage is Stage.BAKE
    assert stands(dataclasses.replace(fresh, baking=Baking(1100.0, 50)), 1100.0).stage is Stage.CHECK
    assert stands(dataclasses.replace(fresh, baking=Baking(1100.0, 50, {}, {"web1": 1})), 1100.0).reason == "wave box bakes: web1 in doubt"
    assert stands(short, 1700.0).reason == "wave box bakes: 49 of 50 requests"
    over = stands(short, 1701.0)
    assert (over.answer, over.stage) == (Answer.HALT, None)
    assert over.reason == "wave box has not baked 601 s after its time: 49 of 50 requests; rollout_progress_deadline is 600 s"


def test_wave_that_ended_in_an_earlier_rollout_bakes_from_then() -> None:
    of = in_waves(progressed=5000.0, waves=(WaveRecord("box", ended=4950.0),))
    done = dataclasses.replace(of, plan=dataclasses.replace(of.plan, batches=of.plan.batches[1:]), hosts=of.hosts[1:])
    assert ask(["web2"], done, now=5000.0).reason == "wave box bakes for 50 s more, 0 of 50 requests"


def test_wave_waits_for_a_person_however_long_and_time_counts_from_the_word() -> None:
    passed = WaveRecord("box", passed=1200.0)
    waiting = stands(passed, 99_999.0)
    assert (waiting.answer, waiting.stage, waiting.wave) == (Answer.WAIT, Stage.APPROVE, "two")
    of = in_waves(BOX, progressed=1000.0, waves=(passed, WaveRecord("two", approved=Notice("ann", "", 50_000.0))))
    assert ask(["web2", "web4"], of, now=50_600.0).admitted == ("web2",)
    assert ask(["web2"], of, now=50_601.0).answer is Answer.HALT


def test_bake_of_the_last_wave_is_waited_for_by_whoever_has_nothing_else_to_do() -> None:
    of = rollout(plan(1, waves=[{"hosts": "rest", "bake": 100}], max_unavailable=1), BOX)
    assert ask(["web1"], of, now=1050.0).stage is Stage.BAKE
    over = dataclasses.replace(of, waves=(WaveRecord("rest", passed=1100.0),))
    assert ask(["web1"], over, now=1100.0) == Decision(Answer.ADMIT, "nothing to do for these hosts")


def test_ramp_goes_1_2_4_while_all_is_well_and_begins_again_after_a_failure() -> None:
    of = plan(10, max_unavailable=5, ramp=True)
    assert [len(batch) for batch in of.batches] == [1, 2, 4, 3]
    look = observed(10).members

    def goes(*records: HostRecord, absent: t.Iterable[str] = ()) -> int:
        through = {record.host for record in records}
        want = [host for host in of.order if host not in through]
        return len(ask(want, rollout(of, *records), absent=absent, view=look, ramp=True, max_failures=5).admitted)

    def well(*numbers: int, left: float) -> list[HostRecord]:
        return [HostRecord(f"web{number}", Step.BACK, Verdict.CONVERGED, changed=left + 5, left=left) for number in numbers]

    assert [goes(), goes(*well(1, left=1)), goes(*well(1, 2, left=1)), goes(*well(1, 2, 3, left=1))] == [1, 2, 2, 4]
    bad = HostRecord("web4", Step.DEPLOYED, Verdict.FAILED, changed=20.0)
    assert goes(*well(1, 2, 3, left=1), bad, absent=["web4"]) == 1
    assert goes(*well(1, 2, 3, left=1), bad, *well(5, 6, 7, left=19), absent=["web4"]) == 1, "they left before the failure"
    assert goes(*well(1, 2, 3, left=1), bad, *well(5, left=21), absent=["web4"]) == 2


SHUT_AT_TEN = {"windows": [{"from": "09:00", "to": "10:00"}]}


def test_window_that_closes_halts_before_the_next_host_unless_told_to_finish() -> None:
    at_ten, of = 10 * 3600.0, two_at_a_time(progressed=10 * 3600.0)
    assert ask(["web1"], of, now=at_ten - 1, **SHUT_AT_TEN).answer is Answer.ADMIT
    shut = ask(["web1"], of, now=at_ten, **SHUT_AT_TEN)
    assert shut.answer is Answer.HALT
    assert shut.reason.startswith("rollout_windows: none of every day 09:00-10:00 UTC is open; the next opens 1970-01-02 09:00 UTC")
    assert ask(["web1"], of, now=at_ten, **SHUT_AT_TEN, window_closes="finish").answer is Answer.ADMIT
    assert ask(["web1"], of, now=at_ten, **SHUT_AT_TEN, override="it burns").answer is Answer.ADMIT
    assert ask(["stranger"], of, now=at_ten, **SHUT_AT_TEN).answer is Answer.ADMIT, "nobody leaves"
