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

const PROPERTIES = Object.fromEntries(
  FIELDS.map(([name, title, kind, schema], order) => [
    name,
    { title, 'x-kind': kind, 'x-order': order, 'x-scope': 'device', ...schema },
  ]),
);
const OWN = { sound: false, pause: 5400, quiet: { from: '22:00', to: '06:00' } };
const DEFAULT = { level: 'default', tag: null, other_tags: [] };

function optionsOf(plugin, deviceId, tag) {
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
