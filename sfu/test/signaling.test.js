/** Signalling: a viewer from join to leave, before and after the room is open, and invalid input. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connectControl,
  connectViewer,
  DTLS_PARAMETERS,
  mintToken,
  openRequest,
  RTP_CAPABILITIES,
  startSfu,
  until,
} from './harness.js';

test('signalling', async (t) => {
  const sfu = await startSfu(t, { environment: { SFU_MAX_VIEWERS: '3' }, protocol: { joinTimeoutMs: 300 } });
  const control = await connectControl(sfu);
  await control.call('ingest.open', openRequest('cam-1', { audio: { codec: 'opus' } }));
  const join = async (device = 'cam-1') => {
    const viewer = await connectViewer(sfu);
    return [viewer, await viewer.call('join', { token: await mintToken(device) })];
  };

  await t.test('a viewer joins, connects, consumes, pauses, resumes and leaves', async () => {
    const [viewer, joined] = await join();
    assert.deepEqual([joined.device_id, joined.available, joined.transport.iceServers], ['cam-1', true, []]);
    assert.deepEqual(
      joined.transport.iceCandidates.map((candidate) => candidate.protocol),
      ['udp', 'tcp'],
    );
    assert.equal(joined.routerRtpCapabilities.codecs[0].parameters['profile-level-id'], '42e01f');
    assert.deepEqual(await viewer.call('connectTransport', { dtlsParameters: DTLS_PARAMETERS }), {});
    assert.deepEqual(await viewer.call('connectTransport', { dtlsParameters: DTLS_PARAMETERS }), {});
    assert.equal(
      await viewer.fail('connectTransport', { dtlsParameters: { ...DTLS_PARAMETERS, role: 'server' } }),
      'already_connected',
    );
    const { consumers } = await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES });
    assert.deepEqual(
      consumers.map(({ kind }) => kind),
      ['video', 'audio'],
    );
    assert.equal(
      consumers[0].rtpParameters.rtcp.cname,
      consumers[1].rtpParameters.rtcp.cname,
      'one cname keeps lips in step',
    );
    assert.deepEqual(
      (await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES })).consumers.map(({ id }) => id),
      consumers.map(({ id }) => id),
    );
    const paused = async () => (await viewer.call('stats')).consumers.map((consumer) => consumer.paused);
    assert.deepEqual(await paused(), [true, true]);
    await viewer.call('resume');
    assert.deepEqual(await paused(), [false, false]);
    await viewer.call('pause');
    assert.deepEqual(await paused(), [true, true]);
    const { iceParameters } = await viewer.call('restartIce');
    assert.notEqual(iceParameters.usernameFragment, joined.transport.iceParameters.usernameFragment);
    assert.deepEqual(await viewer.call('leave'), {});
    assert.equal(await viewer.fail('leave'), 'not_joined');
    assert.equal(
      (await viewer.call('join', { token: await mintToken('cam-1') })).available,
      true,
      'who left may join again',
    );
    await viewer.close();
    await until(() => sfu.pool.counts.consumers === 0 && sfu.rooms.viewerCount === 0, 'all gone');
  });

  await t.test(
    'a viewer may join before the room is open, and is notified when it opens and closes',
    async () => {
      const [viewer, joined] = await join('later');
      assert.deepEqual([joined.available, joined.transport], [false, null]);
      assert.equal(await viewer.fail('consume', { rtpCapabilities: RTP_CAPABILITIES }), 'not_available');
      await control.call('ingest.open', openRequest('later'));
      const { transport, routerRtpCapabilities } = await viewer.event('streamAvailable');
      assert.ok(transport.id && routerRtpCapabilities.codecs.length);
      assert.equal((await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES })).consumers.length, 1);
      await control.call('ingest.close', { device_id: 'later' });
      await viewer.event('streamEnded');
      assert.equal(await viewer.fail('resume'), 'not_available');
      await control.call('ingest.open', openRequest('later'));
      assert.notEqual((await viewer.event('streamAvailable')).transport.id, transport.id);
      await control.call('ingest.close', { device_id: 'later' });
      await viewer.close();
    },
  );

  await t.test('bad tokens get a response and the socket is closed with 4401', async () => {
    for (const token of [
      undefined,
      'x',
      await mintToken('cam-1', { lifetime: '-1h' }),
      await mintToken('cam-1', { key: 'forged' }),
    ]) {
      const viewer = await connectViewer(sfu);
      assert.equal(await viewer.fail('join', { token }), 'unauthorized');
      await until(() => viewer.closed, 'closed');
      assert.equal(viewer.closed.code, 4401);
    }
  });

  await t.test('a socket without a join in time is closed with 4408', async () => {
    const viewer = await connectViewer(sfu);
    await until(() => viewer.closed, 'closed', 3_000);
    assert.equal(viewer.closed.code, 4408);
  });

  await t.test('one viewer too many is closed with 4429', async () => {
    const crowd = await Promise.all([join(), join(), join()]);
    const viewer = await connectViewer(sfu);
    assert.equal(await viewer.fail('join', { token: await mintToken('cam-1') }), 'too_many_viewers');
    await until(() => viewer.closed, 'closed');
    assert.equal(viewer.closed.code, 4429);
    await Promise.all(crowd.map(([member]) => member.close()));
    await until(() => sfu.rooms.viewerCount === 0, 'all gone');
  });

  await t.test('methods out of order or with invalid data get an error code', async () => {
    const early = await connectViewer(sfu);
    for (const method of ['connectTransport', 'consume', 'resume', 'pause', 'restartIce', 'stats', 'leave'])
      assert.equal(await early.fail(method), 'not_joined');
    await early.close();
    const [viewer] = await join();
    assert.equal(await viewer.fail('join', { token: await mintToken('cam-1') }), 'already_joined');
    for (const dtlsParameters of [
      undefined,
      null,
      1,
      [],
      {},
      { fingerprints: [] },
      { role: 'boss', fingerprints: DTLS_PARAMETERS.fingerprints },
      { fingerprints: [{ algorithm: 'md5', value: 'x' }] },
      { fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }] },
      { fingerprints: [null] },
      { fingerprints: [{ algorithm: 'constructor', value: 'AA' }] },
      { fingerprints: [{ algorithm: ['sha-256'], value: 7 }] },
    ]) {
      assert.equal(
        await viewer.fail('connectTransport', { dtlsParameters }),
        'bad_request',
        JSON.stringify(dtlsParameters),
      );
    }
    for (const rtpCapabilities of [undefined, null, 'x', [], 3])
      assert.equal(await viewer.fail('consume', { rtpCapabilities }), 'bad_request');
    for (const rtpCapabilities of [
      {},
      { codecs: 'x' },
      { codecs: [null] },
      { codecs: [{ mimeType: 'video/VP8', clockRate: 90000 }] },
      { codecs: [], headerExtensions: [1] },
      { codecs: [{ mimeType: 7 }] },
      { codecs: [{ mimeType: 'video/H264', clockRate: 90000, parameters: { a: {} } }] },
    ]) {
      assert.ok(
        ['cannot_consume', 'bad_request'].includes(await viewer.fail('consume', { rtpCapabilities })),
        JSON.stringify(rtpCapabilities),
      );
    }
    await viewer.close();
  });

  await t.test('invalid messages get a response, and many of them close the socket', async () => {
    const garbage = [
      '',
      'x',
      '{',
      '[]',
      'null',
      '7',
      '{"id":1}',
      '{"id":{},"method":"stats"}',
      '{"id":1,"method":5}',
      '{"id":1,"method":"stats","data":[]}',
      Buffer.from([0, 1, 255]),
    ];
    const viewer = await connectViewer(sfu);
    for (const message of garbage.slice(0, 9)) viewer.socket.send(message);
    for (let index = 0; index < 9; index += 1)
      assert.equal((await viewer.event('unasked answer')).error.code, 'bad_message');
    assert.equal(
      (await viewer.call('join', { token: await mintToken('cam-1') })).available,
      true,
      'nine are forgiven',
    );
    viewer.socket.send(garbage.at(-1));
    await until(() => viewer.closed, 'closed');
    assert.equal(viewer.closed.code, 1008);
  });

  await t.test(
    'a message that is too large and messages that are too frequent close the socket',
    async (inner) => {
      // A busy machine may need longer for such a message than `sfu` waits for a join.
      const patient = await startSfu(inner, { protocol: { joinTimeoutMs: 10_000 } });
      const large = await connectViewer(patient);
      large.socket.send('x'.repeat(10 * 1024 * 1024));
      await until(() => large.closed, 'closed');
      assert.ok([1009, 1006].includes(large.closed.code));
      const [fast] = await join();
      for (let index = 0; index < 80; index += 1) fast.ask('stats').catch(() => {});
      await until(() => fast.closed, 'closed');
      assert.equal(fast.closed.code, 1008);
    },
  );

  await t.test('a silent socket is closed', async (inner) => {
    const quick = await startSfu(inner, { protocol: { pingMs: 50, silenceMs: 200, joinTimeoutMs: 10_000 } });
    const viewer = await connectViewer(quick);
    viewer.socket._socket.pause();
    assert.equal(quick.socketCount, 1);
    await until(() => quick.socketCount === 0, 'closed', 3_000);
  });

  await t.test(
    'a socket that answers pings stays open when the clock of the machine is set',
    async (inner) => {
      const quick = await startSfu(inner, {
        protocol: { pingMs: 50, silenceMs: 2_000, joinTimeoutMs: 10_000 },
      });
      const viewer = await connectViewer(quick);
      let pings = 0;
      viewer.socket.on('ping', () => (pings += 1));
      const { now } = Date;
      for (const setByMs of [3_600_000, -3_600_000]) {
        inner.mock.method(Date, 'now', () => now() + setByMs);
        const seen = pings;
        await until(() => viewer.closed || pings > seen + 2, 'pings');
        assert.equal(viewer.closed, null);
      }
      await viewer.close();
    },
  );

  await until(() => sfu.pool.counts.consumers === 0 && sfu.rooms.viewerCount === 0, 'nothing left');
  assert.deepEqual({ ...sfu.pool.counts }, { routers: 1, transports: 2, producers: 2, consumers: 0 });
});
