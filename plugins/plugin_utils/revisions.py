# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Revisions: the rollouts of an app as a person counts them, and which of them one goes back to. Pure.

A revision is a rollout, and has its number. The rollout that is undone is the newest one that went forward, so that the same command
again, after a rollback that was killed or has ended, means the same.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError, RollingError
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART, HostSeen, Rollback, Verdict
from ansible_collections.convoy.rolling.plugins.plugin_utils.notices import moment

SCOPES = ("touched", "fleet")

_NOTHING = "Nothing was touched."


@dataclass(frozen=True)
class Revision:
    """One rollout in the history of an app."""

    number: int
    version: str
    started: float
    ended: float | None = None
    verdict: Verdict | None = None
    reason: str = ""
    cause: str = ""
    by: str = ""
    digest: str | None = None
    origin: dict[str, str] = field(default_factory=dict)
    back: Rollback | None = None
    bad: str = ""  # why nobody should go back to it
    contracted_at: float | None = None  # when rollout_hooks.contract had run


class Wanted(t.NamedTuple):
    """What a person, or a rollout that failed, wants to go back to."""

    revision: int | None = None
    version: str = ""
    allow_bad: bool = False
    undo: int | None = None  # the rollout to undo; None: the newest that went forward
    allow_contracted: bool = False


@dataclass(frozen=True)
class Target:
    """What a rollback brings the hosts to."""

    version: str
    digest: str | None
    back: Rollback
    since: tuple[int, ...]  # every rollout after it: who was touched by one of them may have to go back
    undone: tuple[str, ...]  # the versions that these brought
    in_spite_of: str = ""  # why the target is bad, where that is overridden
    newest: str = ""  # the newest revision that is undone, so that a person sees that it is the one that was meant

    @property
    def cause(self) -> str:
        """What the history says of the rollback."""
        undone = f"rollback of {_listed(self.back.undoes)} " if self.back.undoes else "rollback "
        spite = f", by rollout_allow_bad though {self.in_spite_of}" if self.in_spite_of else ""
        return f"{undone}to {self.back.name}{spite}" + (f": {self.back.why}" if self.back.why else "")


def bad_versions(history: t.Sequence[Revision]) -> dict[str, str]:
    """Version -> why it is bad. One that converged later on is good again."""
    bad: dict[str, str] = {}
    for one in history:
        if one.bad:
            bad[one.version] = one.bad
        elif one.verdict is Verdict.CONVERGED:
            bad.pop(one.version, None)
    return bad


def target_of(
    history: t.Sequence[Revision], before: t.Callable[[int], t.Mapping[str, str]], wanted: Wanted, why: str = "", by_itself: bool = False
) -> Target:
    """What to go back to.

    :param history: the app's rollouts, oldest first.
    :param before: the number of a rollout -> what its hosts had before it.
    :raises RollingError: there is nothing to go back to, or the tasks of ``rollout_hooks.contract`` have run since.
    :raises InputError: what is wanted is not there, is bad, or never converged.
    """
    # A restart brought no version.
    history = [one for one in history if one.version != RESTART]
    forward = [one for one in history if one.back is None and wanted.undo in (None, one.number)]
    if not forward:
        raise RollingError(f"no revision to go back to: no rollout of this app is in the journal. {_NOTHING}")
    undone, bad = forward[-1], bad_versions(history)
    if wanted.revision is not None or wanted.version:
        found = _named(history, wanted)
        spite = bad.get(found.version, "") or ("" if found.verdict is Verdict.CONVERGED else "it never converged")
        if spite and not wanted.allow_bad:
            raise InputError(
                f"rollout_to_revision: revision {found.number} ({found.version}) is no good one to go back to: {spite}; name another, or go "
                f"there all the same with -e rollout_allow_bad=true. {_NOTHING}"
            )
        return _uncontracted(_target(history, undone, found.version, found, why, by_itself, spite), history, wanted)
    good = [one for one in history if one.number < undone.number and one.verdict is Verdict.CONVERGED and one.version != undone.version]
    allowed = [one for one in good if wanted.allow_bad or one.version not in bad]
    if allowed:
        target = _target(history, undone, allowed[-1].version, allowed[-1], why, by_itself, bad.get(allowed[-1].version, ""))
        return _uncontracted(target, history, wanted)
    if good:
        raise RollingError(
            f"no revision to go back to: {good[-1].version} of revision {good[-1].number} is bad: {bad[good[-1].version]}; "
            f"-e rollout_allow_bad=true goes there all the same. {_NOTHING}"
        )
    versions = set(before(history[0].number).values()) - {undone.version}
    if len(versions) == 1 and not versions & bad.keys():
        return _uncontracted(_target(history, undone, versions.pop(), None, why, by_itself, ""), history, wanted)
    what = f"they ran {', '.join(sorted(versions))}" if versions else "nobody knows what they ran"
    raise RollingError(
        f"no revision to go back to: none converged before revision {undone.number}, and before the first {what}. {_NOTHING}"
    )


def _uncontracted(target: Target, history: t.Sequence[Revision], wanted: Wanted) -> Target:
    """The old version may not fit any more what the contract tasks of a newer one have left of a database."""
    misfit = _misfit(target.version, [one for one in history if one.number in target.since])
    if misfit and not wanted.allow_contracted:
        raise RollingError(f"{misfit}; roll forward, or go back all the same with -e rollout_allow_contracted=true. {_NOTHING}")
    return target


def obstacle(history: t.Sequence[Revision], version: str, allow_bad: bool = False, allow_contracted: bool = False) -> str:
    """Why one host alone should not go back to a version that it served with; empty when it may."""
    bad = bad_versions(history).get(version, "")
    if bad and not allow_bad:
        return f"{version} is bad: {bad}; -e rollout_allow_bad=true goes there all the same"
    start = max((one.number for one in history if one.version == version and one.verdict is Verdict.CONVERGED), default=0)
    misfit = _misfit(version, [one for one in history if one.number > start])
    return f"{misfit}; -e rollout_allow_contracted=true goes there all the same" if misfit and not allow_contracted else ""


def _misfit(version: str, since: t.Sequence[Revision]) -> str:
    """Why a version may not fit any more: tasks of ``rollout_hooks.contract`` that ran since. Empty when none did."""
    contracted = [one for one in since if one.contracted_at is not None and one.version != version]
    if not contracted:
        return ""
    newest = contracted[-1]
    return f"the tasks of rollout_hooks.contract ran in revision {newest.number} ({newest.version}), so {version} may not fit any more"


def _named(history: t.Sequence[Revision], wanted: Wanted) -> Revision:
    if wanted.revision is not None:
        found = [one for one in history if one.number == wanted.revision]
        given = f"rollout_to_revision: {wanted.revision} is no revision of this app"
    else:
        found = [one for one in history if one.version == wanted.version]
        # The newest that converged, if one did.
        found = [one for one in found if one.verdict is Verdict.CONVERGED] or found
        given = f"rollout_version: {wanted.version} was never rolled out to this app"
    if not found:
        known = ", ".join(f"{one.number} ({one.version})" for one in history[-10:])
        raise InputError(f"{given}; the newest are {known}. {_NOTHING}")
    return found[-1]


def _target(
    history: t.Sequence[Revision], undone: Revision, version: str, found: Revision | None, why: str, by_itself: bool, spite: str
) -> Target:
    start = found.number if found else 0
    since = [one for one in history if one.number > start]
    marks = tuple(one.number for one in since if one.version == undone.version != version and one.back is None)
    versions = tuple(sorted({one.version for one in since} - {version}))
    digest = found.digest if found else None
    back = Rollback(found.number if found else None, marks, why, by_itself)
    verdict = undone.verdict.value if undone.verdict else "not ended"
    newest = f"revision {undone.number} ({undone.version}), {verdict}, begun {moment(undone.started)}" if marks else ""
    return Target(version, digest, back, tuple(one.number for one in since), versions, spite, newest)


def spared(
    hosts: t.Iterable[HostSeen], scope: str, target: Target, touched: t.Collection[str], known: t.Collection[str], absent: t.Collection[str]
) -> dict[str, str]:
    """Whom a rollback leaves alone, and why.

    :param touched: hosts that a rollout since the target took out.
    :param known: hosts that were in the plan of one of them.
    :param absent: hosts that our doing keeps out of rotation: they always come back.
    """
    found: dict[str, str] = {}
    for seen in hosts:
        if scope == "fleet" or seen.host in touched or seen.host in absent:
            continue
        if seen.host in known:
            found[seen.host] = f"not touched by what is undone, on {seen.version or 'an unknown version'}"
        elif seen.version not in target.undone:
            # Who came since, on a version that is undone, goes along.
            found[seen.host] = f"not there when it was rolled out, on {seen.version or 'an unknown version'}"
    return found


def _listed(numbers: t.Sequence[int]) -> str:
    return f"{'revision' if len(numbers) == 1 else 'revisions'} {', '.join(map(str, numbers))}"
