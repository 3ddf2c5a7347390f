/** Settings: defaults, validation with clear error messages, and `.env`. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readConfig, SETTINGS, withDotEnv } from '../lib/config.js';
import { SECRET } from './harness.js';

const read = (more = {}) => readConfig({ SFU_SECRET: SECRET, ...more });

test('every setting has the documented default', () => {
  const config = read();
  assert.deepEqual(
    [
      config.host,
      config.port,
      config.webrtcPort,
      config.webrtcIp,
      config.ingestIp,
      config.ingestPorts,
      config.sourcePorts,
      config.maxViewers,
    ],
    [
      '127.0.0.1',
      4000,
      44400,
      '127.0.0.1',
      '127.0.0.1',
      { min: 20000, max: 23999 },
      { min: 24000, max: 27999 },
      1000,
    ],
  );
  assert.equal(config.workers, os.availableParallelism());
});

test('every setting is in the README, with its default', () => {
  const readme = fs.readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  for (const [name, , , fallback] of SETTINGS) {
    assert.match(readme, new RegExp(`^\\| \`${name}\` \\|`, 'm'), `${name} is missing`);
    if (fallback && name !== 'SFU_WORKERS')
      assert.ok(readme.includes(`| \`${name}\` | \`${fallback}\` |`), `${name}'s default`);
  }
});

for (const [name, value] of [
  ['SFU_PORT', 'abc'],
  ['SFU_PORT', '70000'],
  ['SFU_PORT', '-1'],
  ['SFU_WORKERS', '0'],
  ['SFU_WORKERS', '1.5'],
  ['SFU_WEBRTC_PORT', '80'],
  ['SFU_WEBRTC_IP', 'example.com'],
  ['SFU_INGEST_IP', '300.1.1.1'],
  ['SFU_INGEST_PORTS', '20000'],
  ['SFU_INGEST_PORTS', '23999-20000'],
  ['SFU_SOURCE_PORTS', '1-4'],
  ['SFU_MAX_VIEWERS', '0'],
  ['LOG_LEVEL', 'LOUD'],
  ['ANNOUNCED_ADDRESS', 'a b'],
  ['SFU_HOST', 'no/host'],
  ['SFU_MAX_VIEWERS_PER_TOKEN', '0'],
  ['SFU_MAX_VIEWERS_PER_TENANT', '-1'],
  ['SFU_PUBLIC_URL', 'sfu.example'],
  ['TRUSTED_HOSTS', 'https://cam.example'],
  ['TRUSTED_PROXIES', 'proxy.example'],
  ['TRUSTED_PROXIES', '10.0.0.0/33'],
  ['ALLOWED_ORIGINS', 'null'],
  ['ALLOWED_ORIGINS', 'https://a.example/path'],
]) {
  test(`${name}=${value} is refused with its name, its value and exit code 78`, () => {
    assert.throws(
      () => read({ [name]: value }),
      (error) => {
        assert.equal(error.exitCode, 78);
        assert.ok(error.message.includes(`'${name}'`) && error.message.includes(`'${value}'`), error.message);
        return true;
      },
    );
  });
}

test('a short secret is refused, and the message does not contain it', () => {
  assert.throws(
    () => read({ SFU_SECRET: 'hunter2' }),
    (error) => !error.message.includes('hunter2') && /16 characters/.test(error.message),
  );
});

test('port settings must not overlap', () => {
  assert.throws(
    () => read({ SFU_SOURCE_PORTS: '23000-25000' }),
    /'SFU_INGEST_PORTS' and 'SFU_SOURCE_PORTS' must not share ports/,
  );
  assert.throws(() => read({ SFU_WEBRTC_PORT: '20010' }), /must not share ports/);
});

test('a wildcard address for viewers needs an announced one', () => {
  assert.throws(() => read({ SFU_WEBRTC_IP: '0.0.0.0' }), /'ANNOUNCED_ADDRESS' must be set/);
  assert.equal(
    read({ SFU_WEBRTC_IP: '0.0.0.0', ANNOUNCED_ADDRESS: 'sfu.example.com' }).announcedAddress,
    'sfu.example.com',
  );
});

test('a missing secret is created once, readable by its owner only, and read from then on', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sfu-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const first = readConfig({ VAR_DIR: folder });
  const file = path.join(folder, 'secrets', 'sfu_secret');
  assert.match(first.secret, /^[0-9a-f]{64}$/);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.equal(readConfig({ VAR_DIR: folder }).secret, first.secret);
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ['sfu_secret']);
});

/** Read a `.env` file with this content. */
function readDotEnv(t, content, environment = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sfu-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.writeFileSync(path.join(folder, '.env'), content);
  return withDotEnv(environment, path.join(folder, '.env'));
}

test('.env fills in what the environment does not set', (t) => {
  const content = '# ours\nSFU_PORT=4100\nexport SFU_HOST="0.0.0.0"\nSFU_WORKERS=3 # three\nnonsense\n';
  const merged = readDotEnv(t, content, { SFU_WORKERS: '1' });
  assert.deepEqual([merged.SFU_PORT, merged.SFU_HOST, merged.SFU_WORKERS], ['4100', '0.0.0.0', '1']);
});

test('a variable that is set to an empty text takes precedence over .env', (t) => {
  assert.equal(
    readDotEnv(t, 'ANNOUNCED_ADDRESS=192.0.2.1\n', { ANNOUNCED_ADDRESS: '' }).ANNOUNCED_ADDRESS,
    '',
  );
});

test('a missing or unreadable .env adds nothing', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sfu-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  assert.deepEqual(withDotEnv({ A: '1' }, path.join(folder, '.env')), { A: '1' });
  assert.deepEqual(withDotEnv({ A: '1' }, folder), { A: '1' });
});

// The values that python-dotenv 1.2.4 returns, with which gateway and workers read the same file.
for (const [about, content, expected] of [
  ['spaces around name and value', '  A = two words  \nB=\tx\t\n', { A: 'two words', B: 'x' }],
  ['export', 'export A=1\nexport\tB=2\n', { A: '1', B: '2' }],
  ['quotes', 'A="in quotes"\nB=\'in quotes\'\nC=""\n', { A: 'in quotes', B: 'in quotes', C: '' }],
  ['quotes inside a value', 'A=it\'s\nB="it\'s"\nC=`x`\n', { A: "it's", B: "it's", C: '`x`' }],
  ['a comment', '# A=1\n  # A=2\nB=3 # three\nC="4" # it\'s\nD= # none\n', { B: '3', C: '4', D: '' }],
  ['# inside a value', 'A=a#b\nB=#b\nC="a # b"\n', { A: 'a#b', B: '#b', C: 'a # b' }],
  ['= inside a value', 'A=a=b\nB==\n', { A: 'a=b', B: '=' }],
  ['an escape', 'A=a\\nb\nB=\'a\\nb\'\nC="a\\nb"\n', { A: 'a\\nb', B: 'a\\nb', C: 'a\nb' }],
  ['CRLF', 'A=1\r\nB="2"\r\nC=3 # three\r\n', { A: '1', B: '2', C: '3' }],
  ['a byte order mark', '\ufeffA=1\nB=2\n', { A: '1', B: '2' }],
  ['no line feed at the end', 'A=1', { A: '1' }],
  ['a name that stands twice', 'A=1\nA=2\n', { A: '2' }],
  ['lines without an assignment', 'nonsense\nA=1\n\n  # text\nB=2\n', { A: '1', B: '2' }],
]) {
  test(`.env is read as python-dotenv reads it: ${about}`, (t) => {
    assert.deepEqual(readDotEnv(t, content), expected);
  });
}

test('a missing end quote in .env affects its own line only', (t) => {
  const { A, C } = readDotEnv(t, 'A=1\nB="x\nC=3\n');
  assert.deepEqual([A, C], ['1', '3']);
});

test('every setting of .env.example is read when its comment sign is removed', (t) => {
  const example = fs.readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const lines = [...example.matchAll(/^#(([A-Z][A-Z0-9_]*)=(.*))$/gm)];
  assert.ok(lines.length > 15, `${lines.length} settings`);
  const expected = Object.fromEntries(lines.map(([, , name, value]) => [name, value]));
  assert.deepEqual(readDotEnv(t, lines.map(([, line]) => `${line}\n`).join('')), expected);
});
