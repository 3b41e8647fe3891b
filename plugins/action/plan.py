# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a rollout, and the opening of it: lease, journal, ticket."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Callable
from dataclasses import replace

from ansible import constants as C

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.lease_argument import STATE_URL_ARGUMENT
from ansible_collections.convoy.rolling.plugins.plugin_utils import heartbeat, live_screen, private_line, publisher, restarts
from ansible_collections.convoy.rolling.plugins.plugin_utils.annals import Annals
from ansible_collections.convoy.rolling.plugins.plugin_utils.condition_probes import ask
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import Condition, Finding, Judgment, Moment
from ansible_collections.convoy.rolling.plugins.plugin_utils.controller_step import OBSERVED_ARGUMENT, ControllerStep, observed_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.fleet_file import load_fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.forecast import forecast
from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder
from ansible_collections.convoy.rolling.plugins.plugin_utils.inputs import Fleet
from ansible_collections.convoy.rolling.plugins.plugin_utils.journal import Journal
from ansible_collections.convoy.rolling.plugins.plugin_utils.lease import Ticket
from ansible_collections.convoy.rolling.plugins.plugin_utils.legs import with_legs
from ansible_collections.convoy.rolling.plugins.plugin_utils.milestones import is_contract_left, reached_before
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, Observed, Plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.origin import origin_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.other_pools import check_other_pools
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlet_settings import OutletSettings
from ansible_collections.convoy.rolling.plugins.plugin_utils.outlets import BoardFile, Outlet, file_outlets, network_outlets
from ansible_collections.convoy.rolling.plugins.plugin_utils.plain_values import as_data
from ansible_collections.convoy.rolling.plugins.plugin_utils.plan_hash import check_hash, plan_hash
from ansible_collections.convoy.rolling.plugins.plugin_utils.planner import make_plan
from ansible_collections.convoy.rolling.plugins.plugin_utils.policy import Policy
from ansible_collections.convoy.rolling.plugins.plugin_utils.preview import preview_lines
from ansible_collections.convoy.rolling.plugins.plugin_utils.progress import converged_progress, progress_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.revisions import SCOPES, Revision, Target, Wanted, obstacle, spared, target_of
from ansible_collections.convoy.rolling.plugins.plugin_utils.typed_values import typed
from ansible_collections.convoy.rolling.plugins.plugin_utils.wave_specs import names_in
from ansible_collections.convoy.rolling.plugins.plugin_utils.waves import carried_over, check_approvals, resumed


class ActionModule(ControllerStep):
    """``convoy.rolling.plan``"""

    ARGUMENTS: t.ClassVar[dict[str, t.Any]] = {
        "fleet": {"type": "path", "required": True},
        "version": {"type": "str", "required": True},
        "observed": OBSERVED_ARGUMENT,
        "policy": {"type": "dict", "required": True},
        "state_url": STATE_URL_ARGUMENT,
        "sha256": {"type": "str"},
        "cause": {"type": "str", "default": ""},
        "contract": {"type": "bool", "default": False},
        "anew": {"type": "bool", "default": False},
        "plan_only": {"type": "bool", "default": False},
        "allow_bad": {"type": "bool", "default": False},
        "allow_contracted": {"type": "bool", "default": False},
        "seen": {"type": "int"},
        "back": {"type": "dict", "default": {}},
        "scope": {"type": "str", "default": "touched", "choices": list(SCOPES)},
        "plan_path": {"type": "path", "default": ""},
        "plan_hash": {"type": "str", "default": ""},
        "outlets": {"type": "dict", "default": {}, "no_log": True},
        "approve": {"type": "raw", "default": []},
    }

    def step(self, arguments: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        fleet = load_fleet(arguments["fleet"])
        journal = Journal(arguments["state_url"])
        observed = observed_of(fleet, arguments["observed"], journal)
        check_other_pools(fleet.balancers, arguments["observed"]["pools"])
        policy, outlets = Policy.parse(arguments["policy"]), OutletSettings.parse(arguments["outlets"])
        back: Target | None = typed(Target, arguments["back"]) if arguments["back"] else None
        spare = self._spared(arguments, back, observed) if back else {}
        latest = journal.latest(fleet.app)
        former = restarts.unfinished(latest) if arguments["version"] == RESTART and not arguments["anew"] else None
        before = restarts.begin(observed, former) if arguments["version"] == RESTART else {}
        checked = any(Moment.AFTER_WAVE in condition.moments for condition in fleet.conditions)
        plan = make_plan(fleet.app, arguments["version"], observed, policy, before, latest, checked, spare)
        newest = journal.newest_to_a_version(fleet.app)
        plan = with_legs(plan, policy, self._obstacle(arguments, fleet.app), reached_before(newest, plan.version).rehearsed_at is not None)
        approved = names_in(arguments["approve"])
        check_approvals(approved, plan.waves, policy)
        sha256 = (arguments["sha256"] if back is None else back.digest) or None
        digest = plan_hash(plan, sha256)
        shut = policy.shut(self.now(), started=False) if plan.order else ""
        made = forecast(plan, observed, journal.pace(fleet.app), int(task_vars.get("ansible_forks") or C.DEFAULT_FORKS))
        findings = self._findings(fleet) if plan.order else []
        left = arguments["contract"] and is_contract_left(newest, plan)
        # A restart of which nothing is left is closed as converged, or it would be what every later one goes on with.
        live = bool(plan.order or plan.unreachable or former or left or (back and back.back.by_itself)) and not (
            self.check_mode or arguments["plan_only"]
        )
        result: dict[str, t.Any] = {
            "changed": False,
            "plan": {"schema": "convoy.rolling/plan/1", **as_data(plan), "hash": digest, "forecast": as_data(made), "not_now": shut},
            "text": [
                *preview_lines(plan, observed, made, digest, shut, [str(finding) for finding in findings], back),
                *(["the fleet is there; the tasks of rollout_hooks.contract are left"] if left else []),
                *([restarts.former_line(former, len(plan.order))] if former else []),
            ],
            "versions": {host: one.version for host, one in plan.restarts.items()},
            "sha256": sha256 or "",
            "way_back": "" if back or plan.version == RESTART else self._way_back(arguments, fleet.app),
            "live": live,
            "order": list(plan.order),
            # A play over nobody is skipped with a warning; over one host without a place in the plan it does nothing.
            "hosts": list(plan.order) or [fleet.hosts[0].host],
            "batches": _sizes(plan),
            "strategy": "host_pinned" if plan.window else "linear",
            "passes": policy.passes,
        }
        if arguments["plan_path"] and not self.check_mode:
            _write(arguments["plan_path"], result["plan"])
        if not (live or plan.order or self.check_mode or arguments["plan_only"]):
            journal.end_abandoned(fleet.app, plan.version, self.now())
        if not live:
            # In check mode the task counts as changed when the real run would roll somebody.
            return {
                **result,
                "changed": bool(plan.order) and self.check_mode,
                "progress": None if plan.order or back else converged_progress(plan),
            }
        if not fleet.balancers and not any(host.probe for host in fleet.hosts):
            raise InputError(
                "neither rollout_balancers nor rollout_health is set: nothing would drain a host or tell whether it is well; set at least one."
            )
        if arguments["plan_hash"]:
            check_hash(arguments["plan_hash"], digest)
        if shut:
            raise InputError(f"{shut}; wait, or say why not with -e rollout_override=REASON. Nothing was touched.")
        holder = self.holder(task_vars)
        told, reached = journal.last_event(), reached_before(newest, plan.version)
        versions = {seen.host: seen.version for seen in observed.hosts}
        failing = [finding for finding in findings if finding.judgment is Judgment.FAIL]
        if failing and not policy.override:
            raise InputError(
                f"{'; '.join(map(str, failing))}. It is so before anything was rolled: look into it, or say why it does not count with "
                "-e rollout_override=REASON. Nothing was touched."
            )
        plan = replace(plan, overridden=tuple(finding.condition for finding in failing))
        whys = [back.cause if back else "", arguments["cause"], policy.override and f"override: {policy.override}"]
        cause = "; ".join(filter(None, [*whys, *(f"in spite of {one}" for one in failing)]))
        waves = carried_over(plan, resumed(latest, plan.version, policy), self.now())
        said = self.notice("rollout_approve", task_vars)
        waves = tuple(replace(wave, approved=wave.approved or said) if wave.name in approved else wave for wave in waves)
        ticket = journal.open(
            plan,
            observed.members,
            holder,
            self.now(),
            sha256,
            cause,
            arguments["seen"],
            versions,
            reached,
            waves,
            origin_of(holder, task_vars),
            back.back if back else None,
        )
        self.keep_lease(holder, ticket, arguments["state_url"])
        self.publish(holder, ticket, arguments["state_url"], told, outlets)
        private_line.tell({"rollout": ticket.rollout, "state_url": arguments["state_url"]})
        progress = progress_of(journal.rollout(ticket.rollout), [absence.host for absence in observed.absences])
        return {**result, "changed": True, "ticket": as_data(ticket), "progress": progress, "expanded": reached.expanded_at is not None}

    def _findings(self, fleet: Fleet) -> list[Finding]:
        """What the conditions say before anything is touched. A command may do anything, so check mode leaves it alone."""
        return self.findings([one for one in fleet.conditions if not (self.check_mode and one.kind == "command")])

    def findings(self, conditions: list[Condition]) -> list[Finding]:
        """What conditions say."""
        return ask(self, conditions)

    def _spared(self, arguments: dict[str, t.Any], back: Target, observed: Observed) -> dict[str, str]:
        """Whom a rollback leaves alone."""
        touched, known = Annals(arguments["state_url"]).hosts_of(back.since)
        absent = {absence.host for absence in observed.absences}
        return spared(observed.hosts, arguments["scope"], back, touched, known, absent)

    def _obstacle(self, arguments: dict[str, t.Any], app: str) -> Callable[[str], str]:
        """Says why a host that fails should not go back to a version; empty when it may."""

        def says(version: str) -> str:
            return obstacle(Annals(arguments["state_url"]).revisions(app), version, arguments["allow_bad"], arguments["allow_contracted"])

        return says

    def _way_back(self, arguments: dict[str, t.Any], app: str) -> str:
        """The version that this rollout would be rolled back to; empty when each host would go to what it has."""
        annals = Annals(arguments["state_url"])
        history = annals.revisions(app)
        number = history[-1].number + 1 if history else 1
        try:
            return target_of((*history, Revision(number, arguments["version"], self.now())), lambda _number: {}, Wanted()).version
        except RollingError:
            return ""

    def keep_lease(self, holder: Holder, ticket: Ticket, state_url: str) -> None:
        """Let the lease be renewed as long as the controller is at work, whatever a step takes."""

        def renewing() -> Callable[[], None]:
            journal = Journal(state_url)
            return lambda: journal.renew(ticket, (), time.time())

        heartbeat.start(holder, renewing)

    def publish(self, holder: Holder, ticket: Ticket, state_url: str, told: int, outlets: OutletSettings) -> None:
        """Tell of the rollout wherever that is wanted, from processes beside the run: it waits for none of them."""
        board: list[Outlet] = [BoardFile(live_screen.wanted())] if live_screen.wanted() else []
        for group, mine in (("files", board + file_outlets(outlets)), ("network", network_outlets(outlets))):
            if mine:
                note = publisher.note_path(C.DEFAULT_LOCAL_TMP, ticket.rollout, group)
                publisher.start(holder, lambda: publisher.Reader(Journal(state_url), ticket.app, ticket.rollout, told), mine, note)


def _write(path: str, plan: dict[str, t.Any]) -> None:
    """The plan as a file, for machines."""
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(plan, file, indent=2)
            file.write("\n")
    except OSError as error:
        raise InputError(f"rollout_plan_path: {path} can't be written on the controller: {error.strerror}. Nothing was touched.") from error


def _sizes(plan: Plan) -> list[int]:
    """What ``serial`` takes; a play over an empty plan still wants a number."""
    return [len(plan.order) or 1] if plan.window else [len(batch) for batch in plan.batches] or [1]
