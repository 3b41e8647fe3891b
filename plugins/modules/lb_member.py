#!/usr/bin/python
# Copyright (c) 2026, convoy.rolling maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lb_member
short_description: Take members of a load balancer's pool out of rotation and back without losing a request
version_added: 0.1.0
author:
  - convoy.rolling maintainers (@convoy-rolling)
description:
  - Brings one or many members of one pool to a state or a weight, all at the same time over one connection, and waits until each is there.
  - On the way out, a O(floor) keeps enough members in service. It is checked in the connection that drains, so whoever else
    took members out counts.
  - One bad member never hides the others. All are attempted; then the task fails, and RV(members) says for each what came of it.
  - A member that does not arrive in time, or whose order is refused, is put back to the state, weight and agent state it had before.
    If that fails too, the error says in which state it was left.
  - A member that is where it shall be gets no order. Every order is followed by a fresh look that must show its effect.
notes:
  - HAProxy forgets states, weights and agents set this way when it is reloaded, unless it keeps them in a C(server-state-file). A call that is
    under way notices it and takes its members out once more. Between two calls nobody does. To ask again for O(state=maintenance) costs a look
    when nothing was forgotten, and O(state=restored) sets again what was.
  - After a reload, requests from before it are worked on by the old process, and show only with O(master).
  - A member of HAProxy that tracks another, RV(view.members[].follows), is out while that one is. Take it out before that one, and bring
    it back after it.
  - V(caddy) and V(readiness) by calls need the Python library requests where the module runs.
  - A member with an agent check has the agent disabled before it is taken out, or the agent's next answer could let it in again.
    The agent is enabled when the member is made V(ready) again, and with V(restored) only if it was before. A member that is ready already
    keeps its agent as it is.
  - With C(on-marked-down shutdown-sessions) HAProxy itself ends the open sessions of a member in maintenance. Give such a pool
    a O(soft) phase that is long enough.
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
      - For V(haproxy) the absolute path of a UNIX socket, or C(host:port) of a TCP one. It needs C(level admin).
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
  pool:
    description:
      - The pool; for V(haproxy) the name of a backend, for V(nginx) of an upstream, for V(caddy) the C(@id) of a C(reverse_proxy) or its
        path below C(apps/http/servers), for V(readiness) C(local) unless the address says otherwise.
      - A pool that does not exist is an error that lists those that do.
    type: str
    required: true
  members:
    description:
      - The members by the names they have in the pool; for V(haproxy) the names of servers, for V(nginx) and V(caddy) addresses as they are
        written in the configuration, for V(readiness) C(self) unless the address says otherwise.
      - A name that is not in the pool fails, with a list of those that are, and the others are attempted.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(drained) takes members out without losing a request. It drains them for at most O(soft), then puts them in maintenance, and
        waits until no session is open, none is queued and for the time O(quiet) no new one came.
      - V(maintenance) puts them in maintenance at once, and waits likewise. Requests under way may finish.
      - V(ready) lets them in and waits until the load balancer's own checks are entirely good again. Prove first that the app
        answers, with M(convoy.rolling.health_check) for example, since HAProxy sends traffic at once, before its first check. A member that
        the load balancer does not check is taken as it is, and its RV(members[].note) says so.
      - V(restored) gives members back what O(before) says they had, which is V(ready) for most, and waits as V(ready) does.
      - Give this, or O(weight), or V(ready) and O(weight).
    type: str
    choices: [drained, ready, maintenance, restored]
  before:
    description:
      - What each member had before it was taken out, for O(state=restored), as RV(members[].before) returned it then. Only C(name), C(admin),
        C(weight), C(initial_weight) and C(agent) are looked at. Without C(admin) it is V(ready), and without C(agent) it is as with
        O(state=ready).
      - A weight that somebody had set is set again where a reload forgot it. One that was set since is left as it is.
    type: list
    elements: dict
    default: []
  weight:
    description:
      - The weight to set, as a whole number such as V(10), or in percent of the initial weight such as V(50%), rounded down.
      - A percentage that comes to 0 without being V(0%) is an error, since it would stop all traffic.
      - For V(haproxy) at most 256. Static algorithms such as C(source) only take the initial weight and 0.
      - Only alone or with O(state=ready).
    type: str
  floor:
    description:
      - How many members of the pool must stay in service. If fewer would, nothing is touched and the task fails with the sum.
      - It is all or nothing for O(members). Those that are out of service already do not count as leaving.
      - If others took members out at the same moment, so that the floor is broken once ours drain, ours are put back.
      - Only with O(state=drained), O(state=maintenance) or a O(weight) of 0.
    type: int
  floor_by:
    description: What O(floor) counts. V(weight) is the sum of the weights of the members in service, for load balancers that have weights.
    type: str
    choices: [members, weight]
    default: members
  floor_wait:
    description: How long to wait for other members to come back when the O(floor) forbids to go.
    type: str
    default: 0s
  soft:
    description:
      - How long a member may be in the drain state at most, where it gets no new clients but those bound to it by a cookie or table may
        come back. It ends early once the member was quiet for the time O(quiet).
      - Only with O(state=drained). V(0s) goes to maintenance at once.
    type: str
    default: 0.5s
  quiet:
    description:
      - For how long nothing may be open, queued or begin before a member counts as drained. A moment without sessions is not enough,
        because clients pause between two requests.
    type: str
    default: 0.3s
  wait_timeout:
    description:
      - How long a member may take from the first order until it is there.
    type: str
    default: 60s
  on_timeout:
    description:
      - What to do with a member that is not there by then.
      - V(fail) puts it back to what it was before.
      - V(force) ends its open sessions, which clients see as errors; RV(members[].cut) says how many. If it still does not get quiet
        within O(timeout), or if nothing can be ended because O(state=ready), it is as V(fail).
      - V(continue) takes it as it is, and says so in RV(members[].note).
      - If the load balancer does not even show the state that was ordered, it is V(fail) in any case.
    type: str
    default: fail
    choices: [fail, force, continue]
  poll:
    description: The time between two looks at the pool, at most 5s. One look serves all members.
    type: str
    default: 0.1s
  timeout:
    description:
      - How long connecting to the load balancer, and each of its answers, may take.
      - A number of seconds, or a number with V(ms), V(s), V(m), V(h) or V(d).
      - All times of this module are written so.
    type: str
    default: 5s
  wait_full_weight:
    description:
      - With O(state=ready) and O(state=restored), wait until a slow start gives the member its whole share.
    type: bool
    default: false
extends_documentation_fragment:
  - convoy.rolling._attributes.balancers
  - convoy.rolling._steps.LEASE
  - convoy.rolling._attributes
attributes:
  check_mode:
    support: full
    details:
      - It only reads, and waits for nothing. A O(floor) that would be broken fails here too.
  diff_mode:
    support: full
    details:
      - State and weight of each member.
  idempotent:
    support: full
seealso:
  - module: convoy.rolling.lb_member_info
  - module: convoy.rolling.health_check
"""

EXAMPLES = r"""
- name: Take two web servers out, four others must stay
  convoy.rolling.lb_member:
    provider: haproxy
    address: /run/haproxy/admin.sock
    pool: web
    members: [web1, web2]
    state: drained
    floor: 4
    floor_wait: 1m
    wait_timeout: 5m
  delegate_to: lb1
  run_once: true

- name: Let the whole batch in again, once its health checks passed
  convoy.rolling.lb_member:
    provider: haproxy
    address: /run/haproxy/admin.sock
    pool: web
    members: "{{ ansible_play_batch }}"
    state: ready
  delegate_to: lb1
  run_once: true

- name: Let a new version have a tenth of its share
  convoy.rolling.lb_member:
    provider: haproxy
    address: lb1.example.com:9999
    pool: web
    members: [web1]
    state: ready
    weight: 10%
  delegate_to: localhost

- name: Take a member out by force after ten minutes
  convoy.rolling.lb_member:
    provider: haproxy
    address: /run/haproxy/admin.sock
    pool: queue
    members: [queue1]
    state: drained
    soft: 5m
    wait_timeout: 10m
    on_timeout: force
  delegate_to: lb1
"""

RETURN = r"""
provider:
  description: The kind of load balancer.
  returned: when the pool was read
  type: str
  sample: haproxy
address:
  description: Where it took the orders.
  returned: when the pool was read
  type: str
  sample: /run/haproxy/admin.sock
pool:
  description: The name of the pool.
  returned: when the pool was read
  type: str
  sample: web
members:
  description: What came of each member, in the order given. It is there when the task fails, too.
  returned: when the pool was read
  type: list
  elements: dict
  contains:
    member:
      description: Its name.
      type: str
      sample: web1
    ok:
      description: Whether it is where it shall be, or in check mode would be ordered there.
      type: bool
      sample: false
    changed:
      description: Whether it is other than before, or sessions of it were ended.
      type: bool
      sample: false
    error:
      description: Why it is not, and what state it was left in; V(null) if it is.
      type: str
      sample: "It still had 3 sessions and 0 requests queued after 60.1s. It was put back to what it was: ready."
    note:
      description: What one should know although it is; V(null) if there is nothing.
      type: str
      sample: The load balancer does not check this member; only the caller's own probe vouches for it.
    before:
      description: The member before, with the keys of RV(view.members); V(null) if the pool has no such member.
      type: dict
      sample: {"name": "web1", "admin": "ready", "health": "up", "in_service": true, "status": "UP", "sessions": 3}
    after:
      description: The member at the end, or in check mode as it would be, with the same keys; V(null) if the pool has no such member.
      type: dict
      sample: {"name": "web1", "admin": "maintenance", "health": "unknown", "in_service": false, "status": "MAINT", "sessions": 0}
    sessions:
      description: The most open sessions it was seen with.
      type: int
      sample: 3
    cut:
      description: How many open sessions were ended by O(on_timeout=force).
      type: int
      sample: 0
    seconds:
      description: From the first order until it was there, or was given up.
      type: float
      sample: 1.412
refused:
  description:
    - Why the call failed as a whole, such as the floor or a connection that was lost; V(null) when each member speaks for itself in RV(members).
  returned: when the pool was read
  type: str
  sample: null
view:
  description: The pool as it was at the end.
  returned: when the pool was read
  type: dict
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
      description: Every member of the pool; a value that this load balancer does not tell is V(null).
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
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.convoy.rolling.plugins.module_utils.balancers.providers import able_to_run
from ansible_collections.convoy.rolling.plugins.module_utils.errors import RollingError
from ansible_collections.convoy.rolling.plugins.module_utils.members import ARGUMENT_SPEC, run


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    try:
        module.exit_json(**run(module.params, module.check_mode, providers=able_to_run(module.run_command)))
    except RollingError as error:
        module.fail_json(msg=error.message, **error.result)


if __name__ == "__main__":
    main()
