# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people typed, read from the hosts' variables and checked before anything is touched."""

from __future__ import annotations

import re
import shlex
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.convoy.rolling.plugins.module_utils.errors import InputError
from ansible_collections.convoy.rolling.plugins.module_utils.probes.secrets import shown_url
from ansible_collections.convoy.rolling.plugins.module_utils.releases import ReleaseError, check_version
from ansible_collections.convoy.rolling.plugins.plugin_utils.conditions import Condition
from ansible_collections.convoy.rolling.plugins.plugin_utils.model import RESTART

_BALANCER_KEYS = {"name", "provider", "host", "address", "pools", "member", "port", "become", "master", "ignore_pools"}
_HEALTH_KEYS = {"url", "tcp", "command", "status", "conditions", "version", "started", "from", "headers", "validate_certs"}


@dataclass(frozen=True)
class Balancer:
    """One load balancer, and which member of which pool each host is."""

    name: str
    provider: str
    address: str
    host: str | None  # the inventory host on which it is reached; None: the controller
    become: bool
    pools: tuple[str, ...]
    members: dict[str, dict[str, str]]  # pool -> member name -> host
    ports: dict[str, int] = field(default_factory=dict)  # host -> the port its members must have, where it was given
    master: str | None = None  # where the processes from before a reload are reached
    ignore_pools: tuple[str, ...] = ()  # pools that may go on sending traffic to a host that is out


@dataclass(frozen=True)
class Probe:
    """How one host's health is asked for: a target of ``convoy.rolling.health_check``."""

    kind: str  # url, tcp or command
    target: str
    status: tuple[str, ...]
    conditions: tuple[str, ...]
    version: str | None
    local: bool  # asked from the controller
    started: str | None = None  # an expression for what the next process answers another of


@dataclass(frozen=True)
class HostInput:
    """What is to be done with one host."""

    host: str
    root: str | None
    artifact: str | None
    restart: str | None  # the shell command that restarts the process
    probe: Probe | None
    zone: str = ""
    apart: tuple[str, ...] = ()  # the anti-affinity groups it is in
    priority: int = 0  # whoever has more goes earlier
    mark: str = ""  # of a restart: a shell command that prints what the host's next process, or boot, has another of
    groups: tuple[str, ...] = ()  # of the inventory


@dataclass(frozen=True)
class Fleet:
    """The whole of what a rollout is about to act on."""

    app: str
    hosts: tuple[HostInput, ...]
    balancers: tuple[Balancer, ...]
    reboot: bool = False  # a restart is of the hosts
    conditions: tuple[Condition, ...] = ()

    def host(self, name: str) -> HostInput:
        """One host's input."""
        return next(host for host in self.hosts if host.host == name)


def check_target(version: t.Any) -> str:
    """The version to roll to.

    :raises InputError: when it is missing, or a moving name such as ``latest``.
    """
    if version is None or str(version).strip() == "":
        raise InputError("rollout_version is not set; give the version to roll to, such as -e rollout_version=2.4.1. Nothing was touched.")
    try:
        return check_version(version, "rollout_version")
    except ReleaseError as error:
        raise InputError(f"{error} Nothing was touched.") from error


def read_fleet(variables: Mapping[str, Mapping[str, t.Any]], version: str | None, reboot: bool = False, back: bool = False) -> Fleet:
    """The fleet from every host's variables.

    :param variables: host -> its variables, in the order of the inventory. Only the ``rollout_*`` ones are looked at.
    :param version: the target; None when the fleet is only looked at, and no artifact is needed; ``RESTART``.
    :param reboot: a restart is of the hosts.
    :param back: the version was there before, so that an artifact is needed by nobody who has it still.
    :raises InputError: one sentence that names the host, the variable, what was given and what is allowed.
    """
    if not variables:
        raise InputError(
            "the fleet is empty: no host of the play defines rollout_app; set it for your hosts, or name them with rollout_hosts."
        )
    apps = {_text(mine.get("rollout_app"), "rollout_app", host) or "" for host, mine in variables.items()}
    if len(apps) != 1 or "" in apps:
        raise InputError(
            f"rollout_app: one rollout is for one app, the hosts say {', '.join(sorted(repr(app) for app in apps))}; "
            "choose a group with -e rollout_hosts=GROUP, or give every host its rollout_app."
        )
    hosts = tuple(_read_host(host, mine, version, reboot, back) for host, mine in variables.items())
    return Fleet(apps.pop(), hosts, _read_balancers(variables), reboot)


def _read_host(host: str, mine: Mapping[str, t.Any], version: str | None, reboot: bool, back: bool) -> HostInput:
    given = ("rollout_root", "rollout_artifact", "rollout_deploy_tasks", "rollout_restart_command", "rollout_service")
    root, artifact, tasks, restart, service = (_text(mine.get(name), name, host) for name in given)
    if not restart and service:
        restart = _restart(_unit(service, host))
    if version == RESTART and not (tasks or restart or reboot):
        raise InputError(
            f"rollout_service is not set for {host}; set it, or rollout_restart_command, or a task file of your own in rollout_deploy_tasks, "
            "or rollout_reboot. Nothing was touched."
        )
    if version not in (None, RESTART) and not tasks:
        for name, value in (("rollout_root", root), ("rollout_artifact", artifact), ("rollout_service", restart)):
            if not value and not (back and name == "rollout_artifact"):
                raise InputError(
                    f"{name} is not set for {host}; set it, or give a task file of your own in rollout_deploy_tasks. Nothing was touched."
                )
    _refuse_password(artifact, "rollout_artifact", host)
    if root and not root.startswith("/"):
        raise InputError(f"rollout_root: {root!r} of {host} is not an absolute path. Nothing was touched.")
    priority = _text(mine.get("rollout_priority"), "rollout_priority", host) or "0"
    if not re.fullmatch("-?[0-9]{1,9}", priority, re.ASCII):
        raise InputError(f"rollout_priority: {priority!r} of {host} is no whole number. Nothing was touched.")
    probe = _read_probe(host, mine.get("rollout_health"))
    return HostInput(
        host,
        root,
        artifact,
        restart,
        probe,
        zone=_text(mine.get("rollout_zone"), "rollout_zone", host) or "",
        apart=_texts(mine.get("rollout_anti_affinity") or None, "rollout_anti_affinity", host),
        priority=int(priority),
        mark=_mark(reboot, probe, service and _unit(service, host)) if version == RESTART else "",
        groups=_texts(mine.get("group_names"), "group_names", host),
    )


def _mark(reboot: bool, probe: Probe | None, unit: str | None) -> str:
    """What the process says of itself (`Probe.started`) needs no command."""
    if reboot:
        return 'printf "boot %s" "$(cat /proc/sys/kernel/random/boot_id)"'
    if unit and not (probe and probe.started):
        return f'printf "unit %s" "$(systemctl show --property=InvocationID --value {shlex.quote(unit)})"'
    return ""


def _read_probe(host: str, health: t.Any) -> Probe | None:
    if not health:
        return None
    if not isinstance(health, Mapping) or set(health) - _HEALTH_KEYS:
        unknown = ", ".join(sorted(set(health) - _HEALTH_KEYS)) if isinstance(health, Mapping) else repr(shown_url(str(health)))
        raise InputError(
            f"rollout_health: {unknown} of {host} is not understood; it is a dictionary of {', '.join(sorted(_HEALTH_KEYS))}. Nothing was touched."
        )
    kinds = [kind for kind in ("url", "tcp", "command") if health.get(kind)]
    if len(kinds) != 1:
        raise InputError(
            f"rollout_health: {host} has {' and '.join(kinds) or 'none'} of url, tcp and command; give exactly one. Nothing was touched."
        )
    where = str(health.get("from", "controller"))
    if where not in ("controller", "host"):
        raise InputError(f"rollout_health.from: {where!r} of {host} is neither controller nor host. Nothing was touched.")
    return Probe(
        kind=kinds[0],
        target=_text(health[kinds[0]], f"rollout_health.{kinds[0]}", host) or "",
        status=_texts(health.get("status"), "rollout_health.status", host),
        conditions=_texts(health.get("conditions"), "rollout_health.conditions", host),
        version=_text(health.get("version"), "rollout_health.version", host),
        local=where == "controller",
        started=_text(health.get("started"), "rollout_health.started", host),
    )


def _read_balancers(variables: Mapping[str, Mapping[str, t.Any]]) -> tuple[Balancer, ...]:
    found: dict[str, dict[str, t.Any]] = {}
    for host, mine in variables.items():
        entries = mine.get("rollout_balancers") or []
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise InputError(f"rollout_balancers: {shown_url(str(entries))!r} of {host} is no list of load balancers. Nothing was touched.")
        for entry in entries:
            _add_balancer(found, host, entry)
    return tuple(Balancer(pools=tuple(sorted(one["members"])), **one) for one in found.values())


def _add_balancer(found: dict[str, dict[str, t.Any]], host: str, entry: t.Any) -> None:
    if not isinstance(entry, Mapping):
        raise InputError(
            f"rollout_balancers: {shown_url(str(entry))!r} of {host} is no dictionary with name, address and pools. Nothing was touched."
        )
    given = str(entry.get("name") or shown_url(str(entry.get("address") or "without a name")))
    missing = [key for key in ("name", "address", "pools") if not entry.get(key)]
    unknown = sorted(set(entry) - _BALANCER_KEYS)
    if missing or unknown:
        fault = (
            f"lacks {' and '.join(missing)}"
            if missing
            else f"has {', '.join(unknown)}, which is not among {', '.join(sorted(_BALANCER_KEYS))}"
        )
        raise InputError(f"rollout_balancers: the entry {given!r} of {host} {fault}. Nothing was touched.")
    keys = ("name", "provider", "address", "host", "member", "master")
    texts = {key: _text(entry.get(key), f"rollout_balancers.{key}", host) for key in keys}
    name = str(texts["name"])
    _refuse_password(texts["address"], "rollout_balancers.address", host)
    same = {
        "name": name,
        "provider": texts["provider"] or "haproxy",
        "address": texts["address"],
        "host": texts["host"],
        "master": texts["master"],
        "ignore_pools": _texts(entry.get("ignore_pools"), "rollout_balancers.ignore_pools", host),
        "become": _yes(entry.get("become"), "rollout_balancers.become", host),
    }
    known = found.setdefault(name, {**same, "members": {}, "ports": {}})
    for key, value in same.items():
        if known[key] != value:
            raise InputError(
                f"rollout_balancers: {key} of {name!r} is {value!r} for {host} and {known[key]!r} for another host. Nothing was touched."
            )
    member = texts["member"] or host
    for pool in _texts(entry["pools"], "rollout_balancers.pools", host):
        other = known["members"].setdefault(pool, {}).setdefault(member, host)
        if other != host:
            raise InputError(
                f"rollout_balancers: {other} and {host} are both member {member!r} of pool {pool!r} on {name!r}. Nothing was touched."
            )
    if entry.get("port") is not None:
        if not re.fullmatch("[0-9]{1,5}", str(entry["port"])) or not 0 < int(entry["port"]) < 65536:
            raise InputError(f"rollout_balancers: port {entry['port']!r} of {host} on {name!r} is no port number. Nothing was touched.")
        known["ports"][host] = int(entry["port"])


def _refuse_password(url: str | None, variable: str, host: str) -> None:
    """A URL of a place that is spoken of in results and errors holds no user or password; nothing here would send it either."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*@", url or ""):
        raise InputError(
            f"{variable}: the URL of {host} has a user or password in it, which is not supported; take it out. Nothing was touched."
        )


def _text(value: t.Any, variable: str, host: str) -> str | None:
    if isinstance(value, bool | Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        raise InputError(f"{variable}: {value!r} of {host} is no text. Nothing was touched.")
    return None if value in (None, "") else str(value)


def _texts(value: t.Any, variable: str, host: str) -> tuple[str, ...]:
    """The texts of a list; a single text is a list of one."""
    if value is None:
        return ()
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    texts = [_text(one, variable, host) for one in listed]
    if None in texts:
        raise InputError(f"{variable}: {value!r} of {host} has an empty entry. Nothing was touched.")
    return tuple(text for text in texts if text is not None)


def _yes(value: t.Any, variable: str, host: str) -> bool:
    try:
        return bool(boolean(value or False))
    except TypeError:
        raise InputError(f"{variable}: {value!r} of {host} is neither yes nor no. Nothing was touched.") from None


def _unit(name: str, host: str) -> str:
    """A systemd unit as a word of a shell command."""
    if not re.fullmatch(r"[A-Za-z0-9@._:\\-]+", name):
        raise InputError(f"rollout_service: {name!r} of {host} is no name of a systemd unit. Nothing was touched.")
    return shlex.quote(name)


def _restart(unit: str) -> str:
    """Restart a unit. When it fails, the last line of stderr is what the unit itself said last, if it said anything.

    A unit that the last version made fail too often is refused a start (``StartLimitBurst=``) until its failures are forgotten.
    """
    started = f"_SYSTEMD_INVOCATION_ID=$(systemctl show --property=InvocationID --value -- {unit})"
    said = f'journalctl --quiet --lines=1 --output=cat "{started}" >&2 2>/dev/null'
    return f"systemctl reset-failed -- {unit} 2>/dev/null; systemctl restart -- {unit} || {{ status=$?; {said}; exit $status; }}"
