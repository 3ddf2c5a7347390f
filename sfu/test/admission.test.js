/** Who may connect: hosts and origins of requests, the places of viewers, and viewers that never connect. */

import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { networkOf } from '../lib/Admission.js';
import { machineNames, parseHost, parseOrigin } from '../lib/hosts.js';
import {
  Client,
  connectControl,
  CONTROL_KEY,
  mintToken,
  openRequest,
  RTP_CAPABILITIES,
  startSfu,
  until,
  whep,
} from './harness.js';

/** A request with any headers; fetch does not send `Host`. */
function ask(sfu, path, headers = {}, method = 'GET') {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: sfu.port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode, reason: text && JSON.parse(text).reason, text }),
      );
    });
    request.once('error', reject);
    request.end();
  });
}

/** The status of the answer to the opening of a WebSocket: 101 when it opens. */
async function knock(sfu, headers, page = '/signaling') {
  try {
    const client = await Client.connect(sfu.port, page, headers);
    await client.close();
    return 101;
  } catch (error) {
    return Number(/Unexpected server response: (\d+)/.exec(error.message)?.[1]);
  }
}

test('hosts and origins are read as browsers write them', () => {
  assert.deepEqual(parseHost('CAM.example.com.:8443'), { name: 'cam.example.com', port: 8443 });
  assert.deepEqual(parseHost('[2001:DB8:0::1]:80'), { name: '2001:db8::1', port: 80 });
  for (const text of [
    '',
    'a b',
    'a/b',
    'a@b',
    '[::1',
    '[127.0.0.1]',
    'a:b',
    'x:123456',
    'a..b',
    '-a',
    'a'.repeat(300),
  ]) {
    assert.equal(parseHost(text), null, text);
  }
  assert.equal(parseOrigin('HTTPS://App.example:443').text, 'https://app.example');
  assert.equal(parseOrigin('http://[::1]:8080/').text, 'http://[::1]:8080');
  for (const text of [
    'null',
    '*',
    '',
    'app.example',
    'https://',
    'https://a/x',
    'https://a@b',
    'file:///x',
    'ws://a',
  ]) {
    assert.equal(parseOrigin(text), null, text);
  }
  assert.deepEqual([...machineNames('Box.lan')], ['box.lan', 'box', 'box.local', 'localhost']);
  assert.deepEqual(
    ['10.0.0.1', '2001:db8:1:2:3::4', '2001:0db8:1:2::', '::1', 'fe80::1%eth0'].map(networkOf),
    ['10.0.0.1', '2001:db8:1:2', '2001:db8:1:2', '0:0:0:0', 'fe80:0:0:0'],
  );
});

test('a name of another site that leads here is refused', async (t) => {
  const sfu = await startSfu(t);
  const control = { Authorization: `Bearer ${CONTROL_KEY}` };
  for (const Host of [
    'attacker.example',
    'attacker.example:4000',
    '127.0.0.1.nip.io',
    'web',
    'a b',
    '[::1',
  ]) {
    for (const [path, method] of [
      ['/whep/cam-1', 'POST'],
      ['/whep/cam-1', 'OPTIONS'],
      ['/metrics', 'GET'],
      ['/nothing', 'GET'],
    ]) {
      const { status, reason } = await ask(sfu, path, { Host }, method);
      assert.deepEqual([status, reason], [400, 'untrusted_host'], `${Host} ${path}`);
    }
    assert.equal(await knock(sfu, { Host }), 400, Host);
    // Workers have the key, and orchestrators learn nothing.
    assert.equal((await ask(sfu, '/control/status', { Host, ...control })).status, 200);
    assert.equal(await knock(sfu, { Host, ...control }, '/control'), 101);
    assert.equal((await ask(sfu, '/health', { Host })).status, 200);
  }
  assert.match(
    (await ask(sfu, '/', { Host: 'attacker.example' })).text,
    /add it to the setting TRUSTED_HOSTS/,
  );
  for (const Host of ['127.0.0.1:4000', 'localhost', '[::1]:4000', '203.0.113.7', ...machineNames()]) {
    assert.equal((await ask(sfu, '/nothing', { Host })).status, 404, Host);
    assert.equal(await knock(sfu, { Host }), 101, Host);
  }
});

test('with TRUSTED_HOSTS only these are answered, and the host of SFU_PUBLIC_URL', async (t) => {
  const sfu = await startSfu(t, {
    environment: { TRUSTED_HOSTS: 'cam.example, 127.0.0.1:1', SFU_PUBLIC_URL: 'https://sfu.example/x' },
  });
  for (const [Host, status] of [
    ['CAM.example:4000', 404],
    ['sfu.example', 404],
    ['127.0.0.1:1', 404],
    ['127.0.0.1', 400],
    ['localhost', 400],
    ['', 400],
  ]) {
    assert.equal((await ask(sfu, '/nothing', { Host })).status, status, Host);
  }
  assert.equal(await knock(sfu, { Host: 'sfu.example', Origin: 'https://cam.example' }), 101);
  const open = await startSfu(t, { environment: { TRUSTED_HOSTS: '*' } });
  assert.equal((await ask(open, '/nothing', { Host: 'anything.example' })).status, 404);
});

test('pages of other sites open no WebSocket', async (t) => {
  const sfu = await startSfu(t, { environment: { ALLOWED_ORIGINS: 'https://app.example' } });
  for (const [headers, status] of [
    [{}, 101],
    [{ Origin: 'http://127.0.0.1:8000' }, 101],
    [{ Origin: 'https://127.0.0.1' }, 101],
    [{ Origin: 'https://app.example' }, 101],
    [{ Origin: 'http://localhost:8000' }, 101],
    [{ Origin: 'https://localhost', Host: 'localhost:4000' }, 101],
    [{ Origin: 'https://app.example:8443' }, 403],
    [{ Origin: 'http://app.example' }, 403],
    [{ Origin: 'http://evil.example' }, 403],
    [{ Origin: 'http://192.168.1.66' }, 403],
    [{ Origin: 'http://127.0.0.1.evil.example' }, 403],
    [{ Origin: 'null' }, 403],
    [{ Origin: '' }, 403],
    [{ Origin: 'file://' }, 403],
  ]) {
    assert.equal(await knock(sfu, headers), status, JSON.stringify(headers));
  }
});

test('one token takes a few places only, and gives them back', async (t) => {
  const sfu = await startSfu(t, { environment: { SFU_MAX_VIEWERS_PER_TOKEN: '3' } });
  const control = await connectControl(sfu);
  await control.call('ingest.open', openRequest('cam-1'));
  const token = await mintToken('cam-1');
  const join = async (with_) => {
    const viewer = await Client.connect(sfu.port, '/signaling');
    return { viewer, answer: await viewer.ask('join', { token: with_ }) };
  };
  const crowd = await Promise.all(Array.from({ length: 50 }, () => join(token)));
  const joined = crowd.filter(({ answer }) => answer.ok);
  assert.equal(joined.length, 3);
  const refused = crowd.filter(({ answer }) => !answer.ok);
  assert.ok(refused.every(({ answer }) => answer.error.code === 'too_many_viewers'));
  assert.match(refused[0].answer.error.message, /SFU_MAX_VIEWERS_PER_TOKEN/);
  await until(() => refused.every(({ viewer }) => viewer.closed?.code === 4429), 'refused sockets closed');
  // The same token by WHEP is the same viewer; other tokens, of this device and others, have places of their own.
  const answer = await whep(sfu, 'cam-1', { token });
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [429, '2']);
  assert.equal((await whep(sfu, 'cam-1', { token: await mintToken('cam-1') })).status, 201);
  assert.ok((await join(await mintToken('cam-2'))).answer.ok);
  await joined[0].viewer.close();
  await joined[1].viewer.call('leave');
  assert.ok((await joined[1].viewer.ask('join', { token })).ok, 'who left may join again');
  await until(() => sfu.rooms.viewerCount === 4, 'the closed one is gone');
  assert.ok((await join(token)).answer.ok);
});

test('a WHEP session that fails or ends gives its place back', async (t) => {
  const sfu = await startSfu(t, {
    environment: { SFU_MAX_VIEWERS_PER_TOKEN: '1' },
    protocol: { roomWaitMs: 20, connectTimeoutMs: 400 },
  });
  const control = await connectControl(sfu);
  const token = await mintToken('cam-1');
  const post = (options = {}) => whep(sfu, 'cam-1', { token, ...options });
  assert.equal((await post()).status, 409);
  await control.call('ingest.open', openRequest('cam-1'));
  assert.equal((await post({ offer: 'v=0' })).status, 400);
  assert.equal((await post({ headers: { 'Content-Type': 'text/plain' } })).status, 415);
  assert.equal((await whep(sfu, 'cam-2', { token })).status, 401);
  const { status, location } = await post();
  assert.equal(status, 201);
  assert.equal((await post()).status, 429);
  assert.equal((await fetch(`http://127.0.0.1:${sfu.port}${location}`, { method: 'DELETE' })).status, 200);
  assert.equal((await post()).status, 201);
  await until(() => sfu.rooms.viewerCount === 0, 'never connected');
  assert.equal((await post()).status, 201);
});

test('an address and a tenant have a share each', async (t) => {
  const sfu = await startSfu(t, {
    environment: {
      SFU_MAX_VIEWERS: '6',
      SFU_MAX_VIEWERS_PER_ADDRESS: '3',
      SFU_MAX_VIEWERS_PER_TENANT: '5',
      TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8',
    },
  });
  const join = async (address, tenant = 'tenant-1') => {
    const viewer = await Client.connect(sfu.port, '/signaling', { 'X-Forwarded-For': address });
    return viewer.ask('join', { token: await mintToken('cam-1', { claims: { tenant } }) });
  };
  // What stands left of the first address that is no proxy was written by the client.
  for (const address of ['203.0.113.1', '1.1.1.1, 203.0.113.1', '2.2.2.2, 203.0.113.1, 10.0.0.9']) {
    assert.ok((await join(address)).ok);
  }
  assert.match((await join('3.3.3.3, 203.0.113.1')).error.message, /SFU_MAX_VIEWERS_PER_ADDRESS/);
  assert.ok((await join('[2001:db8::1]:5000')).ok);
  assert.ok((await join('2001:db8::2')).ok);
  assert.match((await join('203.0.113.2')).error.message, /SFU_MAX_VIEWERS_PER_TENANT/);
  assert.ok((await join('203.0.113.2', 'tenant-2')).ok);
  assert.match((await join('203.0.113.3', 'tenant-3')).error.message, /'SFU_MAX_VIEWERS'/);
});

test('X-Forwarded-For of an unknown proxy is not believed', async (t) => {
  const sfu = await startSfu(t, { environment: { SFU_MAX_VIEWERS_PER_ADDRESS: '2' } });
  const join = async (number) => {
    const headers = { 'X-Forwarded-For': `203.0.113.${number}`, 'X-Forwarded-Host': 'attacker.example' };
    const viewer = await Client.connect(sfu.port, '/signaling', headers);
    return viewer.ask('join', { token: await mintToken('cam-1') });
  };
  assert.deepEqual(
    [(await join(1)).ok, (await join(2)).ok, (await join(3)).error?.code],
    [true, true, 'too_many_viewers'],
  );
});

test('sockets of an address that never join are limited, and leave room for others', async (t) => {
  const sfu = await startSfu(t, {
    environment: { SFU_MAX_VIEWERS_PER_ADDRESS: '4', TRUSTED_PROXIES: '127.0.0.1' },
  });
  const open = (address) => Client.connect(sfu.port, '/signaling', { 'X-Forwarded-For': address });
  const idle = await Promise.all(Array.from({ length: 8 }, () => open('203.0.113.1')));
  assert.equal(await knock(sfu, { 'X-Forwarded-For': '203.0.113.1' }), 429);
  assert.equal(await knock(sfu, { 'X-Forwarded-For': '203.0.113.2' }), 101);
  await idle[0].close();
  await until(
    async () => (await knock(sfu, { 'X-Forwarded-For': '203.0.113.1' })) === 101,
    'a place is free again',
  );
});

test('a viewer that never connects its transport is closed', async (t) => {
  const sfu = await startSfu(t, { protocol: { connectTimeoutMs: 300 } });
  const control = await connectControl(sfu);
  await control.call('ingest.open', openRequest('cam-1'));
  const join = async (device) => {
    const viewer = await Client.connect(sfu.port, '/signaling');
    const { available } = await viewer.call('join', { token: await mintToken(device) });
    return { viewer, available };
  };
  const tooSlow = async (viewer) => {
    await until(() => viewer.closed, 'closed', 3_000);
    assert.deepEqual([viewer.closed.code, viewer.closed.reason], [4408, 'never connected']);
  };
  const waiting = await join('later');
  const idle = await join('cam-1');
  assert.deepEqual([waiting.available, idle.available], [false, true]);
  await idle.viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES });
  await tooSlow(idle.viewer);
  // Waiting for a stream is not limited; its transport is, whenever it comes.
  assert.equal(waiting.viewer.closed, null);
  await control.call('ingest.open', openRequest('later'));
  await waiting.viewer.event('streamAvailable');
  await tooSlow(waiting.viewer);
  await until(() => sfu.rooms.viewerCount === 0, 'no viewer left');
});
