// The fake API of notifications, in memory: nothing without cameras, otherwise one of each kind and state.

const iso = (ms) => new Date(ms).toISOString();
const MINUTE = 60_000;

function channel(number, kind, part, fields = {}) {
  return {
    id: `00000000-0000-4000-8000-00000000c00${number}`,
    name: 'Operations',
    kind,
    enabled: true,
    webhook: null,
    mqtt: null,
    mail: null,
    push: null,
    [kind]: part,
    state: 'ok',
    disabled_reason: null,
    failing_since: null,
    last_ok_at: iso(Date.now() - 3 * MINUTE),
    last_error: null,
    pending: 0,
    version: 1,
    ...fields,
  };
}

const channels = () => [
  channel(1, 'webhook', {
    url: 'https://hooks.example.org/vas/0d4c9c4f7c1f4b6ab7a1',
    header_names: ['Authorization'],
    previous_valid_until: null,
  }),
  channel(
    2,
    'mqtt',
    {
      host: '192.168.1.10',
      port: 1883,
      tls: false,
      ca_certificate: null,
      username: 'vas',
      has_password: true,
      prefix: 'vas',
      discovery: true,
      discovery_prefix: 'homeassistant',
      pictures: true,
      commands: false,
    },
    {
      name: 'Home Assistant',
      state: 'failing',
      failing_since: iso(Date.now() - 14 * MINUTE),
      last_error: 'the broker cannot be reached: Connection refused',
      pending: 3,
    },
  ),
  channel(
    3,
    'mail',
    {
      host: 'mail.example.org',
      port: 587,
      encryption: 'starttls',
      username: 'vas',
      has_password: true,
      sender: 'vas@example.org',
      recipients: ['guard@example.org', 'office@example.org'],
    },
    {
      name: 'Guards',
      enabled: false,
      state: 'disabled',
      disabled_reason: 'failing',
      failing_since: iso(Date.now() - 7_300 * MINUTE),
      last_error: 'the mail server refuses the login',
    },
  ),
  channel(4, 'push', { public_key: 'BExample', browsers: 2 }, { name: 'My phone' }),
];

const rules = (all) => [
  {
    id: '00000000-0000-4000-8000-00000000a001',
    name: 'People at night',
    enabled: true,
    kinds: ['detection'],
    states: [],
    labels: ['person'],
    zones: ['drive'],
    min_score: 0.6,
    device_ids: [],
    tags: ['outside'],
    moment: 'began',
    quiet_hours: { monday: [['08:00', '18:00']] },
    time_zone: 'Europe/Berlin',
    cooldown_seconds: 300,
    title: '{device}: {summary}',
    text: '{time} {text}',
    picture: true,
    channel_ids: all.map(({ id }) => id),
    last_day: { sent: 12, cooldown: 31, quiet: 4, late: 0 },
    version: 1,
  },
  {
    id: '00000000-0000-4000-8000-00000000a002',
    name: 'A camera or the disk is lost',
    enabled: false,
    kinds: ['state', 'health'],
    states: ['reconnecting', 'failed', 'degraded', 'down'],
    labels: [],
    zones: [],
    min_score: null,
    device_ids: [],
    tags: [],
    moment: 'began',
    quiet_hours: {},
    time_zone: 'Europe/Berlin',
    cooldown_seconds: 0,
    title: '{device}: {summary}',
    text: '{text}',
    picture: false,
    channel_ids: [],
    last_day: { sent: 0, cooldown: 0, quiet: 0, late: 0 },
    version: 1,
  },
];

function delivery(id, state, to, device, fields = {}) {
  const now = Date.now();
  return {
    id,
    message_id: `msg_${id}`,
    channel_id: to.id,
    channel_name: to.name,
    kind: to.kind,
    rule_id: null,
    rule_name: 'People at night',
    event_id: id,
    device_id: device.id,
    device_name: device.name,
    state,
    type: 'detection.began',
    title: `${device.name}: person in drive`,
    text: '22:41:07 A person was seen',
    data: {},
    attempts: 1,
    created_at: iso(now - id * MINUTE),
    next_try_at: null,
    finished_at: state === 'pending' ? null : iso(now - id * MINUTE + 800),
    status: 200,
    answer: 'ok',
    reason: null,
    error: null,
    ...fields,
  };
}

function deliveries(all, device) {
  const [hook, broker, mail, push] = all;
  return [
    delivery(1, 'pending', broker, device, {
      attempts: 2,
      status: null,
      answer: null,
      error: 'the broker is not connected',
      next_try_at: iso(Date.now() + 3 * MINUTE),
    }),
    delivery(2, 'delivered', hook, device),
    delivery(3, 'delivered', push, device, { status: 201, answer: null }),
    delivery(4, 'failed', hook, device, {
      attempts: 8,
      status: 500,
      error: 'the receiver answered 500',
      answer: '{"error":"database is locked"}',
    }),
    delivery(5, 'cancelled', mail, device, {
      attempts: 0,
      status: null,
      answer: null,
      error: 'the channel was deleted',
    }),
  ];
}

/** Answers requests below /notifications. `rest`: the parts of the path behind it. */
export function answerNotifications({ request, response, url, rest, cameras, tools }) {
  const [kind, id, action] = rest;
  const send = (status, body, headers) => tools.send(response, status, body, headers);
  const all = cameras.length ? channels() : [];
  const known = { channels: all, rules: cameras.length ? rules(all) : [] };
  if (kind === 'deliveries') {
    const list = cameras.length ? deliveries(all, cameras[0].device) : [];
    const state = url.searchParams.get('state');
    return send(200, ...tools.page(url, id ? [] : list.filter((one) => !state || one.state === state)));
  }
  if (id === 'preview') {
    const newest = { at: iso(Date.now()), device_id: null, device_name: 'Gate', title: 'Gate: person', text: '22:41' };
    return send(200, { events: 840, matched: 47, notifications: 12, newest: cameras.length ? [newest] : [] });
  }
  if (action === 'rotate') return send(200, { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' });
  if (request.method === 'DELETE') return send(204);
  return send(200, id ? known[kind].find((one) => one.id === id) : known[kind], { ETag: '"1"' });
}
