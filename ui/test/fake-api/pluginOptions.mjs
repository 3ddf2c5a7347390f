// The options of one plugin in the fake API, with a field of each kind.

const FIELDS = [
  ['sound', 'Sound', 'switch', { type: 'boolean', default: true, description: 'viewers over WebRTC hear the camera' }],
  [
    'encoded_kbits',
    'Bit rate of re-encoded video',
    'number',
    { type: 'integer', default: 2500, minimum: 300, maximum: 8000, 'x-unit': 'kbit/s' },
  ],
  ['label', 'Label', 'text', { type: 'string', default: '', maxLength: 100, description: 'shown beside the picture' }],
  ['note', 'Note', 'lines', { type: 'string', default: '', maxLength: 500 }],
  ['pause', 'Pause between two alerts', 'duration', { type: 'integer', default: 300, minimum: 0, 'x-unit': 's' }],
  ['size', 'Size', 'choice', { type: 'string', enum: ['small', 'medium', 'large'], default: 'medium' }],
  ['days', 'Days', 'choices', { type: 'array', items: { enum: ['saturday', 'sunday'] }, default: [] }],
  ['names', 'Names', 'texts', { type: 'array', items: { type: 'string' }, default: [] }],
  ['quiet', 'Quiet hours', 'time_window', { type: ['object', 'null'], default: null }],
  ['key', 'Key', 'secret', { type: 'string', writeOnly: true }],
  ['extra', 'Further settings', 'json', { type: 'object', default: { depth: 2 } }],
];

const POINTS = { type: 'array', minItems: 3, maxItems: 64 };
const TEXTS = { type: 'array', items: { type: 'string' } };
const ZONE = { name: { type: 'string' }, points: POINTS, labels: TEXTS, color: { type: ['string', 'null'] } };
const RULE = {
  labels: TEXTS,
  zones: TEXTS,
  min_score: { type: 'number' },
  actions: { type: 'array', items: { enum: ['record', 'snapshot', 'bookmark'] } },
};
const listOf = (properties) => ({ type: 'array', maxItems: 32, items: { type: 'object', properties } });
/** Of the plugins `zones_0`, `zones_1` and `zones_9`, with as many zones. */
const DRAWN_FIELDS = [
  ['zones', 'Zones', 'zones', { ...listOf(ZONE), description: 'only what stands in one of them becomes an event' }],
  ['masks', 'Masks', 'masks', { ...listOf({ points: POINTS }), description: 'parts whose motion is ignored' }],
  ['rules', 'Rules', 'rules', { ...listOf(RULE), description: 'what an event starts' }],
];

function drawnValues(count) {
  const box = (x, y, width, height) => [
    [x, y],
    [x + width, y + height * 0.1],
    [x + width * 0.9, y + height],
    [x, y + height * 0.8],
  ];
  const zones = Array.from({ length: count }, (_, index) => ({
    name: index === 4 ? 'Loading area beside the container of the harbour office' : `Zone ${index + 1}`,
    points: box(0.04 + 0.32 * (index % 3), 0.05 + 0.32 * Math.floor(index / 3), count > 1 ? 0.25 : 0.6, 0.24),
    labels: index % 3 === 1 ? ['person', 'dog'] : [],
    color: null,
  }));
  return {
    zones,
    masks: count > 1 ? [{ points: box(0.6, 0.86, 0.35, 0.13) }] : [],
    rules:
      count > 0 ? [{ actions: ['record', 'snapshot'], labels: ['person'], zones: ['Zone 1'], min_score: 0.5 }] : [],
  };
}

const buildProperties = (fields) =>
  Object.fromEntries(
    fields.map(([name, title, kind, schema], order) => [
      name,
      { title, 'x-kind': kind, 'x-order': order, 'x-scope': 'device', ...schema },
    ]),
  );
const PROPERTIES = buildProperties(FIELDS);
const OWN = { sound: false, pause: 5400, quiet: { from: '22:00', to: '06:00' } };
const DEFAULT = { level: 'default', tag: null, other_tags: [] };

function optionsOf(plugin, deviceId, tag) {
  const options = commonOptionsOf(plugin, deviceId, tag);
  if (!plugin.startsWith('zones_')) return options;
  const values = drawnValues(Number(plugin.slice('zones_'.length)));
  const properties = buildProperties(DRAWN_FIELDS);
  const origins = Object.fromEntries(Object.keys(properties).map((name) => [name, DEFAULT]));
  return {
    ...options,
    values,
    inherited: {},
    inherited_origins: origins,
    problems: [],
    secrets: {},
    schema: { properties },
  };
}

function commonOptionsOf(plugin, deviceId, tag) {
  const values = deviceId ? OWN : {};
  const names = Object.keys(PROPERTIES);
  const inherited = Object.fromEntries(
    names.filter((name) => name !== 'key').map((name) => [name, PROPERTIES[name].default]),
  );
  const inheritedOrigins = Object.fromEntries(names.map((name) => [name, DEFAULT]));
  if (deviceId) {
    inherited.size = 'large';
    inheritedOrigins.size = { level: 'tag', tag: 'gate', other_tags: ['north'] };
    inherited.encoded_kbits = 1500;
    inheritedOrigins.encoded_kbits = { level: 'installation', tag: null, other_tags: [] };
  }
  return {
    plugin,
    level: deviceId ? 'device' : tag ? 'tag' : 'installation',
    tag: tag ?? null,
    device_id: deviceId ?? null,
    values,
    secrets: { key: Boolean(deviceId) },
    effective: { ...inherited, ...values },
    origins: inheritedOrigins,
    inherited,
    inherited_origins: inheritedOrigins,
    problems: deviceId
      ? [{ name: 'days', level: 'device', tag: null, message: "'days' must be one of saturday, sunday" }]
      : [],
    missing: [],
    tags: deviceId || tag ? [] : ['gate', 'north'],
    schema: { type: 'object', properties: PROPERTIES },
    changed_at: deviceId ? '2026-11-20T08:00:00Z' : null,
    changed_by: deviceId ? '192.0.2.7' : null,
  };
}

/** Answers a request for options; undefined for any other. `path` is the part below /api/v1, split at its slashes. */
export function answerPluginOptions([resource, first, second, third, fourth]) {
  if (resource === 'plugins' && second === 'options') return optionsOf(first, undefined, third && fourth);
  if (resource !== 'devices' || second !== 'plugins') return undefined;
  return third ? optionsOf(third, first) : [optionsOf('mediasoup_webrtc', first)];
}
