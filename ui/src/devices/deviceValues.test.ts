// The form's own validation and the request that it sends.
import { expect, test } from 'vitest';
import { buildDevice } from '../../test/factories';
import { checkSourceUrl, deviceRules, fieldsOf, NEW_DEVICE, sourceOf, valuesOf } from './deviceValues';

test.each([
  'rtsp://10.0.0.1/a',
  'rtsps://user:p%40ss@cam.local:322/a?b=c',
  'rtsp://***@10.0.0.1/a',
  'rtsp://[fe80::1]:554/a',
  'http://user:p@10.0.0.1/video.mjpg',
])('%s is a valid address', (url) => {
  expect(checkSourceUrl(url)).toBeNull();
});

test.each([
  ['', /such as rtsp/],
  ['10.0.0.1/a', /begin with rtsp/],
  ['-x://10.0.0.1/a', /begin with rtsp/],
  ['file:///etc/passwd', /no host/],
  ['rtsp:///a', /no host/],
  ['rtsp://user:pass@/a', /no host/],
  ['rtsp://10.0.0.1/a b', /spaces/],
])('%j is rejected with a message that says what is valid', (url, message) => {
  expect(checkSourceUrl(url)).toMatch(message);
});

test('an empty sub-stream is sent as null, and texts are trimmed', () => {
  const fields = fieldsOf({ ...NEW_DEVICE, name: ' Gate ', source_url: ' rtsp://a/b ', sub_source_url: ' ' });
  expect(fields).toMatchObject({ name: 'Gate', source_url: 'rtsp://a/b', sub_source_url: null });
});

test('only editable fields are sent back', () => {
  expect(Object.keys(fieldsOf(valuesOf(buildDevice()))).sort()).toEqual([
    'description',
    'enabled',
    'idle_seconds',
    'location',
    'name',
    'source_url',
    'start_mode',
    'sub_source_url',
    'tags',
    'tls_fingerprint',
    'tls_trust',
    'transport',
  ]);
});

const PRINT = '0a'.repeat(32);
const PINNED = {
  ...NEW_DEVICE,
  source_url: 'rtsps://10.0.0.1/a',
  tls_trust: 'pinned',
  tls_fingerprint: PRINT,
} as const;

test('the trust in a certificate is sent for encrypted cameras alone', () => {
  expect(fieldsOf(PINNED)).toMatchObject({ tls_trust: 'pinned', tls_fingerprint: PRINT });
  expect(fieldsOf({ ...PINNED, tls_trust: 'any' })).toMatchObject({ tls_trust: 'any', tls_fingerprint: null });
  expect(fieldsOf({ ...PINNED, source_url: 'rtsp://a/b' })).toMatchObject({
    tls_trust: 'verify',
    tls_fingerprint: null,
  });
  const ofSub = { ...PINNED, source_url: 'rtsp://a/b', sub_source_url: 'RTSPS://a/b' };
  expect(fieldsOf(ofSub)).toMatchObject({ tls_trust: 'pinned' });
});

test('a pinned certificate needs its fingerprint, in any notation', () => {
  for (const text of [PRINT, PRINT.toUpperCase(), Array(32).fill('0A').join(':'), ` ${PRINT} `])
    expect(deviceRules.tls_fingerprint(text, PINNED)).toBeNull();
  for (const text of ['', 'zz', PRINT.slice(2)]) expect(deviceRules.tls_fingerprint(text, PINNED)).toMatch(/64 hex/);
  expect(deviceRules.tls_fingerprint('', { ...PINNED, tls_trust: 'verify' })).toBeNull();
  expect(deviceRules.tls_fingerprint('', { ...PINNED, source_url: 'rtsp://a/b' })).toBeNull();
});

const KNOWN = valuesOf(buildDevice({ source_url: 'rtsp://***@10.0.0.1/a', sub_source_url: 'rtsp://***@10.0.0.1/b' }));
const LOGIN = { user: 'me', password: 'p@ss#1' };

test('untouched addresses are sent back as they were shown', () => {
  expect(KNOWN.source_url).toBe('rtsp://10.0.0.1/a');
  expect(fieldsOf(KNOWN)).toMatchObject({
    source_url: 'rtsp://***@10.0.0.1/a',
    sub_source_url: 'rtsp://***@10.0.0.1/b',
  });
});

test('a new password is set without typing the addresses again, in any characters', () => {
  expect(fieldsOf({ ...KNOWN, ...LOGIN })).toMatchObject({
    source_url: 'rtsp://me:p%40ss%231@10.0.0.1/a',
    sub_source_url: 'rtsp://me:p%40ss%231@10.0.0.1/b',
  });
});

test('a stored password is never sent to another address', () => {
  const moved = { ...KNOWN, source_url: 'rtsp://10.0.0.2/a' };
  expect(deviceRules.password('', moved)).toMatch(/again/);
  expect(deviceRules.password('', { ...KNOWN, sub_source_url: 'rtsp://10.0.0.2/b' })).toMatch(/again/);
  expect(deviceRules.password('', { ...moved, ...LOGIN })).toBeNull();
  expect(deviceRules.password('', { ...moved, isOpen: true })).toBeNull();
  expect(deviceRules.password('', { ...KNOWN, sub_source_url: '' })).toBeNull();
  expect(deviceRules.password('', KNOWN)).toBeNull();
});

test('a stored password can be removed', () => {
  expect(fieldsOf({ ...KNOWN, isOpen: true })).toMatchObject({
    source_url: 'rtsp://10.0.0.1/a',
    sub_source_url: 'rtsp://10.0.0.1/b',
  });
});

test('a user and password typed within the address count', () => {
  const typed = { ...NEW_DEVICE, source_url: 'rtsp://me:p@ss#1@10.0.0.1/a', sub_source_url: 'rtsp://10.0.0.1/b' };
  expect(sourceOf(typed, 'source_url')).toBe('rtsp://me:p%40ss%231@10.0.0.1/a');
  expect(sourceOf(typed, 'sub_source_url')).toBe('rtsp://me:p%40ss%231@10.0.0.1/b');
  const own = { ...NEW_DEVICE, ...LOGIN, source_url: 'rtsp://10.0.0.1/a', sub_source_url: 'rtsp://x:y@10.0.0.1/b' };
  expect(sourceOf(own, 'sub_source_url')).toBe('rtsp://x:y@10.0.0.1/b');
});

test('what *** hides elsewhere in an address must be typed again with a new password', () => {
  const hidden = valuesOf(buildDevice({ source_url: 'rtsp://***@10.0.0.1/a?token=***' }));
  expect(deviceRules.source_url('', hidden)).toBeNull();
  expect(deviceRules.source_url('', { ...hidden, ...LOGIN })).toMatch(/Replace/);
});
