#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: health_check
short_description: Wait until apps are healthy, many at once
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Probes one or many targets over HTTP(S), TCP or a command, all at the same time, until each of them passed
    O(success_threshold) times in a row or O(deadline) is over. One failed probe sets the count back to 0.
  - A target is probed at once, and then every O(interval), counted from the start of the probe before.
  - It fails unless every target became healthy, and says for each target what was wrong with its last answers. With
    O(observe=true) it looks once and does not fail.
  - Each HTTP probe is a connection of its own. It follows no redirect and uses no proxy, so nothing but the target answers.
  - Everything that is given is checked before the first probe.
options:
  fleet:
    description:
      - What RV(convoy.rolling.fleet#module:fleet) returned in this run. Targets without O(targets[].url), O(targets[].tcp) and
        O(targets[].command) have the URL of the fleet's host of their name, so that a URL, which may hold a secret, is in no task's result.
    type: path
  targets:
    description:
      - What to probe. Give either this, or one of O(url), O(tcp) and O(command).
    type: list
    elements: dict
    suboptions:
      name:
        description:
          - What the target is called in the result; no two targets have the same name.
          - Defaults to the address or the command, for a URL without userinfo and without the values of its query.
        type: str
      url:
        description: As O(url). Give exactly one of O(targets[].url), O(targets[].tcp) and O(targets[].command).
        type: str
      tcp:
        description: As O(tcp).
        type: str
      command:
        description: As O(command).
        type: str
      status:
        description: As O(status), for this target only.
        type: list
        elements: str
      conditions:
        description: As O(conditions), for this target only. An empty list takes the conditions off this target.
        type: list
        elements: str
      extract:
        description: As O(extract), for this target only.
        type: dict
  url:
    description:
      - An C(http://) or C(https://) URL. It passes with a status in O(status) and all O(conditions) met.
      - A user and password in it are sent as basic authentication and never shown. Nor is a value of its query whose name has one of
        C(auth), C(cred), C(key), C(pass), C(secret), C(sig) and C(token) in it.
    type: str
  tcp:
    description:
      - C(host:port), or C([address]:port) for IPv6. It passes when the port takes a connection.
    type: str
  command:
    description:
      - A program and its arguments, run without a shell. It passes with exit code 0 and all O(conditions) met by what it printed.
      - At O(timeout) it is killed, with all that it started in its process group, by C(timeout) of coreutils.
      - Commands run one after another, and no other probe starts meanwhile. So give slow ones a task of their own.
    type: str
  status:
    description:
      - The HTTP status codes that pass, each a code or a range such as V(200-299). A redirect is a status like any other.
      - It has no meaning for O(tcp) and O(command).
    type: list
    elements: str
    default: ["200"]
  conditions:
    description:
      - JMESPath expressions over the JSON body, or over the JSON that a command printed. Each must come out exactly V(true).
      - A string in an expression has single quotes. V("2.4.1") in double quotes would be the name of a field.
      - A body over 64 KiB, or one that is no JSON, meets no condition.
    type: list
    elements: str
    default: []
  extract:
    description:
      - Names, each with a JMESPath expression over the JSON body. The values are returned, also from an answer that fails.
      - A value that is not there is V(null).
    type: dict
    default: {}
  method:
    description:
      - The HTTP method. V(HEAD) brings no body, so it goes with neither O(conditions) nor O(extract).
    type: str
    choices: [GET, HEAD]
    default: GET
  headers:
    description:
      - Headers to send. Their values are masked wherever they appear in the result, even in what O(extract) returns.
      - Not masked is a value of less than 4 characters, or one that is part of a target's name or address.
    type: dict
    default: {}
  host_header:
    description:
      - The host to ask for when the URL has an address. Over TLS, it is also the name that the certificate must have.
    type: str
  validate_certs:
    description:
      - Whether the certificate must be trusted and have the right name.
    type: bool
    default: true
  ca_path:
    description:
      - A PEM file, or a directory as made by C(openssl rehash), with the authorities to trust instead of those of the system.
    type: path
  client_cert:
    description:
      - A PEM file with the certificate to show to the server, and with its key unless O(client_key) is given.
    type: path
  client_key:
    description:
      - A PEM file with the key of O(client_cert), not encrypted.
    type: path
  success_threshold:
    description:
      - How many passes in a row make a target healthy.
    type: int
    default: 3
  interval:
    description:
      - From the start of one probe to the start of the next, such as V(500ms), V(2s) or V(1m). A bare number is seconds.
    type: str
    default: 1s
  timeout:
    description:
      - How long one probe may take as a whole, from the name look-up to the last byte of the body.
    type: str
    default: 5s
  deadline:
    description:
      - How long to wait as a whole. No probe starts later, and one under way is cut then.
    type: str
    default: 60s
  initial_delay:
    description:
      - How long to wait before the first probe. It is part of O(deadline).
    type: str
    default: "0"
  concurrency:
    description:
      - How many probes may be under way at the same time.
    type: int
    default: 50
  observe:
    description:
      - Look once, and report without failing. O(success_threshold), O(interval) and O(initial_delay) have no meaning then.
    type: bool
    default: false
requirements:
  - requests, on the host that probes, for O(url)
  - jmespath, on the host that probes, for O(conditions) and O(extract)
  - C(timeout) of coreutils, for O(command)
extends_documentation_fragment:
  - convoy.rolling._attributes.info_module
  - convoy.rolling._attributes
seealso:
  - module: ansible.builtin.uri
  - module: ansible.builtin.wait_for
"""

EXAMPLES = r"""
- name: Wait on the host itself until the new version answers
  convoy.rolling.health_check:
    url: http://127.0.0.1:8080/health
    conditions:
      - status == 'up' && version == '{{ rollout_version }}'
    success_threshold: 3
    interval: 1s
    deadline: 2m

- name: Wait for the whole batch, from the controller, in one task
  convoy.rolling.health_check:
    targets:
      - name: web1
        url: https://web1.example.com/health
      - name: web2
        url: https://web2.example.com/health
      - name: queue1
        tcp: queue1.example.com:5672
    status: [200, 204]
    headers:
      Authorization: Bearer {{ health_token }}
  delegate_to: localhost
  run_once: true

- name: Ask a virtual host over TLS by its address
  convoy.rolling.health_check:
    url: https://192.0.2.11/health
    host_header: shop.example.com
    ca_path: /etc/pki/shop-ca.pem

- name: Wait until the database takes queries
  convoy.rolling.health_check:
    command: pg_isready --quiet
    timeout: 3s

- name: See which version runs, without waiting
  convoy.rolling.health_check:
    url: http://127.0.0.1:8080/health
    status: [100-599]
    extract:
      version: version
    observe: true
  register: running

- name: Show it
  ansible.builtin.debug:
    var: running.targets[0].extracted.version
"""

RETURN = r"""
ok:
  description: Whether every target is healthy.
  returned: when the targets were probed
  type: bool
  sample: false
targets:
  description: What came of each target, in the order given.
  returned: when the targets were probed
  type: list
  elements: dict
  contains:
    name:
      description: Its name, or its address or command.
      type: str
      sample: web1
    ok:
      description: Whether it passed often enough in a row.
      type: bool
      sample: false
    passes:
      description: How many probes passed in a row at the end.
      type: int
      sample: 0
    attempts:
      description: How many probes there were.
      type: int
      sample: 42
    seconds:
      description: How long the last probe took, in seconds; V(null) if there was none.
      type: float
      sample: 0.012
    status:
      description: The HTTP status or the exit code of the last probe; V(null) if there was none.
      type: int
      sample: 200
    failed:
      description: What is missing, cut to 300 characters; V(null) for a healthy target.
      type: str
      sample: condition version == '2.4.1' came out false, not true
    body:
      description: The body of the last answer that failed, cut to 200 characters; V(null) for a healthy target or if there was none.
      type: str
      sample: '{"status": "up", "version": "2.4.0"}'
    extracted:
      description: The values that O(extract) asks for, from the last answer; V(null) for each that is not there.
      type: dict
      sample: {"version": "2.4.0"}
    at:
      description: When it became healthy, in seconds from the start; V(null) if it did not.
      type: float
      sample: null
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.probes import ARGUMENT_SPEC, run, secrets_in


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    # Ansible's own masking would mask every 1 in the result for a header such as X-Probe: 1, and knows nothing of URLs.
    module.no_log_values = secrets_in(module.params)
    try:
        module.exit_json(**run(module.params, module.check_mode, run_command=module.run_command))
    except RollingError as error:
        module.fail_json(msg=error.message, **error.result)


if __name__ == "__main__":
    main()
