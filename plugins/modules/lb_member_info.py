#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lb_member_info
short_description: What a load balancer says of the members of its pools
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Reads what a load balancer says of every member of some or all of its pools, in words that are the same for every kind of load
    balancer.
  - It uses one connection and sends nothing but reads.
options:
  provider:
    description:
      - The kind of load balancer.
      - V(haproxy) is HAProxy 2.6 or later, through its runtime API.
      - V(nginx) is nginx (open source), through the word C(down) in a configuration file and a reload. The module must run on its host.
      - V(caddy) is Caddy 2.6 or later, through its admin API.
      - V(readiness) is any load balancer that checks health over HTTP. It takes a host out by the host's own health endpoint, with a file or a
        call, and sees no load balancer. The module must run on that host.
      - What each can do and promises is in U(https://github.com/convoy-rolling/convoy.rolling/blob/main/docs/load-balancers.md).
        To ask for what it cannot do is an error.
    type: str
    required: true
    choices: [caddy, haproxy, nginx, readiness]
  address:
    description:
      - Where the load balancer takes orders, seen from the host that the module runs on.
      - For V(haproxy) the absolute path of a UNIX socket, or C(host:port) of a TCP one. Any C(level) will do.
      - For V(nginx) the absolute path of the file with the upstreams, and C(?pid=PATH) behind it unless the pid file is C(/run/nginx.pid).
      - For V(caddy) the URL of the admin API, such as C(http://127.0.0.1:2019).
      - For V(readiness) C(file:/PATH?port=8080&interval=2s&fall=3), where the file makes the health endpoint answer 404 or 503, or
        C(http://127.0.0.1:8080/HEALTH#out=/PATH&in=/PATH&interval=2s&fall=3), where these paths are called with POST.
    type: str
    required: true
  master:
    description:
      - The path of HAProxy's master socket (its option C(-S)), for O(provider=haproxy) only.
      - With it, sessions in processes from before a reload count too, so that a member is not taken for drained while an old process still works for it.
    type: str
  pools:
    description:
      - The pools to show; for V(haproxy) a pool is a backend, for V(nginx) an upstream, for V(caddy) a C(reverse_proxy), for V(readiness) the
        host. With an empty list, all.
      - A pool that does not exist is an error that lists those that do.
    type: list
    elements: str
    default: []
  elsewhere:
    description:
      - Also say which members of other pools have the address and port of one of O(pools). For V(haproxy); with others there is nothing to say.
    type: bool
    default: false
  timeout:
    description:
      - How long connecting to the load balancer, and each of its answers, may take.
      - A number of seconds, or a number with V(ms), V(s), V(m), V(h) or V(d).
    type: str
    default: 5s
extends_documentation_fragment:
  - convoy.rolling._attributes.info_module
  - convoy.rolling._attributes.balancers
  - convoy.rolling._attributes
seealso:
  - module: convoy.rolling.lb_member
"""

EXAMPLES = r"""
- name: Ask the load balancer what it thinks of the fleet
  convoy.rolling.lb_member_info:
    provider: haproxy
    address: /run/haproxy/admin.sock
    pools: [web]
  delegate_to: lb1
  run_once: true
  register: balancer

- name: Name the members that take no traffic
  ansible.builtin.debug:
    msg: "{{ balancer.pools[0].members | rejectattr('in_service') | map(attribute='name') }}"
  run_once: true
"""

RETURN = r"""
provider:
  description: The kind of load balancer.
  returned: success
  type: str
  sample: haproxy
address:
  description: Where it was asked.
  returned: success
  type: str
  sample: /run/haproxy/admin.sock
pools:
  description: The pools, in the order given, or in that of the load balancer.
  returned: success
  type: list
  elements: dict
  contains:
    pool:
      description: Its name.
      type: str
      sample: web
    in_service:
      description: How many of its members are given new clients now.
      type: int
      sample: 5
    members:
      description: Every member; a value that this load balancer does not tell is V(null).
      type: list
      elements: dict
      contains:
        name:
          description: Its name.
          type: str
          sample: web1
        admin:
          description:
            - What an operator wants of it. V(ready) takes traffic, V(drain) takes no new clients but bound ones may come back,
              V(maintenance) takes none.
          type: str
          sample: ready
        health:
          description:
            - What the load balancer's own checks say. V(up) is entirely up, V(falling) is in use although the last checks were not all
              good, V(rising) is not in use yet although the last checks were good, V(unchecked) is not checked.
            - V(unknown) is what a member in maintenance has, whose checks rest.
          type: str
          sample: up
        in_service:
          description: Whether it is given new clients now. A backup server that could be given clients counts.
          type: bool
          sample: true
        status:
          description: The load balancer's own word for the state.
          type: str
          sample: UP
        check:
          description: The last health check in the load balancer's own words; V(null) if there was none.
          type: str
          sample: L7OK OK
        address:
          description: Its IP address; V(null) if it has none, such as a server on a UNIX socket.
          type: str
          sample: 192.0.2.11
        port:
          description: Its port; V(null) if it has none.
          type: int
          sample: 8080
        weight:
          description: The weight that is set, not what a slow start makes of it.
          type: int
          sample: 10
        initial_weight:
          description: The weight in the configuration.
          type: int
          sample: 10
        sessions:
          description: Requests (in TCP mode connections) it works on now.
          type: int
          sample: 3
        queued:
          description: Requests that wait for it in the load balancer.
          type: int
          sample: 0
        requests:
          description: Requests (in TCP mode connections) it was ever given.
          type: int
          sample: 48213
        errors:
          description: Requests that it failed, answers of 500 and above included; V(null) if the load balancer does not count them.
          type: int
          sample: 0
        agent:
          description: Whether the load balancer listens to an agent of this member; V(null) if none is configured.
          type: bool
          sample: null
        warming:
          description: Whether a slow start still keeps it from its whole share; V(null) if the load balancer has no such thing.
          type: bool
          sample: false
        follows:
          description: The C(pool/member) that it tracks, and is out with; V(null) if none.
          type: str
          sample: null
elsewhere:
  description: With O(elsewhere), the members of other pools that have the address and port of a member of RV(pools).
  returned: success
  type: list
  elements: dict
  contains:
    pool:
      description: Its pool.
      type: str
      sample: api
    name:
      description: Its name there.
      type: str
      sample: web1
    address:
      description: Its IP address.
      type: str
      sample: 192.0.2.11
    port:
      description: Its port.
      type: int
      sample: 8080
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import INFO_ARGUMENT_SPEC, observe


def main() -> None:
    module = AnsibleModule(INFO_ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**observe(module.params))
    except RollingError as error:
        module.fail_json(msg=error.message, **error.result)


if __name__ == "__main__":
    main()
