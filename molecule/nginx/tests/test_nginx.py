# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everybody runs the new version and serves; what nginx lost is what it loses at any reload."""

from __future__ import annotations

import re
import typing as t

import pytest


@pytest.mark.on("web")
def test_the_process_runs_the_new_version(health: dict[str, t.Any]) -> None:
    assert (health["status"], health["version"]) == ("up", "2.0.0")


@pytest.mark.on("web")
def test_the_link_points_to_the_new_release(host: t.Any) -> None:
    assert host.check_output("readlink -f /srv/web/current") == "/srv/web/releases/2.0.0"


@pytest.mark.on("nginx")
def test_the_file_is_what_it_was_and_nginx_accepts_it(host: t.Any) -> None:
    servers = re.findall(r"^ *(server .*\d.*;)$", host.file("/etc/nginx/conf.d/web.conf").content_string, re.MULTILINE)
    assert servers == [f"server 192.0.2.{number}:8080 max_fails=0;" for number in (11, 12, 13)]
    assert host.run("sudo nginx -t").succeeded
    assert host.service("nginx").is_running


def test_no_request_of_a_client_without_a_kept_connection_was_lost(load: dict[str, t.Any]) -> None:
    assert load["by_kind"]["close"]["failed"] == 0, load["failures"]
    assert min(load["versions"]["1.0.0"], load["versions"]["2.0.0"]) > 100
    # A kept connection is closed by each reload while it idles (docs/load-balancers.md); nothing else may go wrong with one.
    assert {failure["why"].partition(":")[0] for failure in load["failures"]} <= {"IncompleteReadError", "ConnectionResetError"}
