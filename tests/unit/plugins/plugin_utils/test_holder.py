# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import getpass
import os
import subprocess
import sys

import pytest

from ansible_collections.convoy.rolling.plugins.plugin_utils.holder import Holder


def test_this_process_is_here() -> None:
    holder = Holder.of(os.getpid())
    assert not holder.is_gone()
    assert holder == Holder.of(os.getpid())
    assert Holder(**holder.to_json()) == holder
    assert str(holder) == f"{holder.user} on {holder.node}, process {os.getpid()}"


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


def test_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert Holder.of(os.getpid()).user == str(os.getuid())
