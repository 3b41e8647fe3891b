# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nginx before the apps, which never asks a second one when the first fails."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

from fleet.stands import Missing, Stand, end

_MAIN = """\
{user}worker_processes 2;
pid {here}/nginx.pid;
error_log {here}/error.log notice;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    include {here}/conf.d/*.conf;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://web;
            proxy_next_upstream off;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""
_UPSTREAMS = """\
# The servers of web { and ; in a comment mean nothing
upstream "web" {
    keepalive 4;
    server %s weight=2 max_fails=0; # the first
\tserver '%s'  max_fails=0
        # a comment in the middle;
        ;
    server %s max_fails=0;server 127.0.0.1:1 backup down;
}
upstream other { server %s; }
"""


def find_nginx() -> str:
    """:raises Missing: it is not there."""
    found = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if not found:
        raise Missing("no nginx on PATH or in /usr/sbin; as root on Debian or Ubuntu, `tests/setup/debian.sh nginx-light` installs it")
    return found


class NginxStand(Stand):
    provider = "nginx"
    # A reload closes idle kept connections, and a client that writes at that moment loses its request.
    may_lose = ("keep-alive",)

    def __init__(self, directory: Path) -> None:
        self._binary = find_nginx()
        super().__init__(directory)
        self.file = directory / "conf.d" / "web.conf"
        self.pid_file = directory / "nginx.pid"
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, member: str) -> str:
        return f"{self.file}?pid={self.pid_file}"

    def start(self) -> None:
        self.file.parent.mkdir()
        members = self.members
        self.file.write_text(_UPSTREAMS % (*members, members[0]))
        self.file.chmod(0o640)
        main = self.directory / "nginx.conf"
        main.write_text(_MAIN.format(here=self.directory, port=self.port, user="user root;\n" if os.geteuid() == 0 else ""))
        command = [self._binary, "-c", str(main), "-p", str(self.directory), "-g", "daemon off;"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        end(self._process)

    def configured(self) -> object:
        status = self.file.stat()
        return self.file.read_bytes(), status.st_mode, status.st_uid, status.st_gid, sorted(os.listdir(self.file.parent))[-1]

    def orders(self) -> object:
        return self.configured(), self.file.stat().st_mtime_ns, self.workers()

    def workers(self) -> list[int]:
        """Those that take requests."""
        master = self.pid_file.read_text().strip()
        done = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", master], capture_output=True, text=True, check=False)
        return [int(line.split()[0]) for line in done.stdout.splitlines() if "shutting down" not in line]

    @contextlib.contextmanager
    def refusing(self) -> t.Iterator[dict[str, t.Any]]:
        broken = self.file.with_name("broken.conf")
        broken.write_text("nonsense on;\n")
        try:
            yield {}
        finally:
            broken.unlink()
