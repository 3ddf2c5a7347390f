/** The control key and viewers' tokens: which are accepted and which are refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeyPair, SignJWT } from 'jose';
import { Tokens } from '../lib/tokens.js';
import { CONTROL_KEY, deriveKey, mintToken, SECRET } from './harness.js';

const tokens = new Tokens(SECRET);
const refused = (token, message = /./) =>
  assert.rejects(
    tokens.verifyViewerToken(token),
    (error) => error.code === 'unauthorized' && error.status === 401 && message.test(error.message),
  );

test('a valid token names its device and tenant', async () => {
  const claims = await tokens.verifyViewerToken(await mintToken('cam-1'));
  assert.deepEqual([claims.deviceId, claims.tenantId], ['cam-1', 'tenant-1']);
});

test('an expired token is refused, and the message names the clocks', async () => {
  await refused(await mintToken('cam-1', { lifetime: '-3m' }), /expired.* clocks .*NTP/);
});

test('a token of a web process whose clock is a minute or more behind or ahead is accepted', async () => {
  await tokens.verifyViewerToken(await mintToken('cam-1', { lifetime: '-100s' }));
  await tokens.verifyViewerToken(await mintToken('cam-1', { issuedAt: '5m', lifetime: '6m' }));
});

test('a token without signature is refused', async () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'vas', aud: 'viewer', device: 'cam-1', tenant: 't', jti: 'j', iat: 1, exp: 4e9 };
  await refused(`${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`);
  await refused(`${part({ alg: 'HS256' })}.${part(claims)}.`);
});

test('a token signed by another key or algorithm is refused', async () => {
  await refused(await mintToken('cam-1', { key: deriveKey('vas viewer', 'another secret of some length') }));
  await refused(await mintToken('cam-1', { key: CONTROL_KEY }));
  await refused(await mintToken('cam-1', { algorithm: 'HS512' }));
  const { privateKey } = await generateKeyPair('RS256');
  await refused(await new SignJWT({ device: 'cam-1' }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey));
});

test('a token for another audience, of another issuer or without its claims is refused', async () => {
  await refused(await mintToken('cam-1', { audience: 'control' }));
  await refused(await mintToken('cam-1', { issuer: 'someone' }));
  await refused(await mintToken(undefined));
  await refused(await mintToken('cam-1', { claims: { tenant: undefined } }));
  await refused(await mintToken('cam-1', { claims: { device: { id: 1 } } }));
});

test('values that are not tokens are refused', async () => {
  for (const token of [
    undefined,
    null,
    '',
    'x',
    'a.b.c',
    'é.é.é',
    {},
    [],
    7,
    '.'.repeat(10_000),
    'x'.repeat(60_000),
  ])
    await refused(token);
});

test('only the complete control key is accepted as control key', () => {
  assert.ok(tokens.isControlKey(`Bearer ${CONTROL_KEY}`));
  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    CONTROL_KEY,
    `Basic ${CONTROL_KEY}`,
    `Bearer ${CONTROL_KEY}0`,
    `Bearer ${CONTROL_KEY.slice(1)}`,
    `Bearer ${SECRET}`,
  ]) {
    assert.equal(tokens.isControlKey(header), false, String(header));
  }
});
