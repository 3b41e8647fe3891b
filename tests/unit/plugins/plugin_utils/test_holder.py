# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import getpass
import os
import signal
import subprocess
import sys
import typing as t

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict

from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder, job_of


def test_this_process_is_here() -> None:
    holder = Holder.of(os.getpid())
    assert not holder.is_gone()
    assert holder == Holder.of(os.getpid())
    assert Holder(**holder.to_json()) == holder
    assert str(holder) == f"{holder.user} on {holder.node}, process {os.getpid()}"
    assert str(dataclasses.replace(holder, job="AWX job 7")) == f"{holder} (AWX job 7)"
    assert dataclasses.replace(holder, job="AWX job 7").is_same(holder)


def test_process_that_ended_is_gone_even_before_anybody_took_note() -> None:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        holder = Holder.of(process.pid)
        assert not holder.is_gone()
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
        assert holder.is_gone()
    assert holder.is_gone()


def test_later_process_of_the_same_number_is_another() -> None:
    assert dataclasses.replace(Holder.of(os.getpid()), born="1").is_gone()


def test_process_of_another_machine_is_never_known_to_be_gone() -> None:
    assert not Holder("me", "elsewhere.example", 2**22 + 1, "1").is_gone()


def test_process_of_a_container_with_our_name_is_not_known_to_be_gone() -> None:
    there = dataclasses.replace(Holder.of(2**22 + 1), space="another boot pid:[1]")
    assert Holder.of(2**22 + 1).is_gone() and not there.is_gone()


def test_stopped_process_is_known_to_be() -> None:
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        holder = Holder.of(process.pid)
        assert not holder.is_stopped()
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert holder.is_stopped() and not holder.is_gone()
        process.kill()
    assert not holder.is_stopped()


@pytest.mark.parametrize(
    ("variables", "environment", "job"),
    [
        ({"awx_job_id": 7}, {}, "AWX job 7"),
        ({"tower_job_id": "8"}, {"JOB_ID": "9", "AWX_HOST": "https://awx"}, "AWX job 8"),
        ({}, {"JOB_ID": "9", "AWX_HOST": "https://awx"}, "AWX job 9"),
        ({}, {"JOB_ID": "9"}, "site.yml more.yml"),
    ],
)
def test_run_is_known_by_its_job_or_its_playbook(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, t.Any], environment: dict[str, str], job: str
) -> None:
    for name in ("JOB_ID", "AWX_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(args=("site.yml", "more.yml")))
    assert job_of(variables) == job


def test_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert Holder.of(os.getpid()).user == str(os.getuid())
