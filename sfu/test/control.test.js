/** Control API: repeated calls of every method, changes of a room, and invalid input. */

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { test } from 'node:test';
import {
  buildOffer,
  Client,
  connectControl,
  connectViewer,
  CONTROL_KEY,
  mintToken,
  openRequest,
  request,
  RTP_CAPABILITIES,
  RtpSender,
  startSfu,
  until,
  whep,
} from './harness.js';

const portsOf = ({ video, audio }) =>
  Object.fromEntries(
    Object.entries({ video, audio })
      .filter(([, track]) => track)
      .map(([kind, { rtp_port, rtcp_port, source_rtp_port, source_rtcp_port }]) => [
        kind,
        { rtp_port, rtcp_port, source_rtp_port, source_rtcp_port },
      ]),
  );
const withAudio = { audio: { codec: 'opus' } };

test('control', async (t) => {
  const sfu = await startSfu(t, { protocol: { ownerGraceMs: 300 } });
  const control = await connectControl(sfu);
  const status = async () => (await request(sfu, '/control/status', { token: CONTROL_KEY })).json;

  await t.test('every method returns the same when called twice', async () => {
    const first = await control.call('ingest.open', openRequest('twice', withAudio));
    const second = await control.call('ingest.open', openRequest('twice', withAudio));
    assert.equal(first.created, true);
    assert.equal(second.created, false);
    assert.deepEqual(portsOf(second), portsOf(first));
    assert.deepEqual([second.video.ssrc, second.audio.ssrc], [first.video.ssrc, first.audio.ssrc]);
    assert.deepEqual([first.video.payload_type, first.audio.payload_type, first.ip], [101, 100, '127.0.0.1']);
    assert.notEqual(first.video.ssrc, first.audio.ssrc);
    assert.deepEqual(await control.call('hello', { owner: 'test:1' }), {});
    assert.deepEqual(
      await control.call('ingest.stats', { device_ids: ['twice', 'unknown'] }),
      await control.call('ingest.stats', { device_ids: null }),
    );
    assert.deepEqual(await control.call('resync', { device_ids: ['twice'] }), { closed: [] });
    assert.deepEqual(await control.call('resync', { device_ids: ['twice'] }), { closed: [] });
    assert.deepEqual(await control.call('ingest.close', { device_id: 'twice' }), { closed: true });
    assert.deepEqual(await control.call('ingest.close', { device_id: 'twice' }), { closed: false });
    const { rooms, transports, producers, ports_in_use: ports } = await status();
    assert.deepEqual([rooms, transports, producers, ports], [0, 0, 0, 0]);
  });

  await t.test('simultaneous requests for one device open one room', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => control.call('ingest.open', openRequest('crowd'))),
    );
    assert.equal(answers.filter((answer) => answer.created).length, 1);
    assert.equal(new Set(answers.map((answer) => answer.video.rtp_port)).size, 1);
    const closed = await Promise.all(
      Array.from({ length: 5 }, () => control.call('ingest.close', { device_id: 'crowd' })),
    );
    assert.equal(closed.filter((answer) => answer.closed).length, 1);
  });

  await t.test('every device gets its own ports, and rooms are distributed over the Workers', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        control.call('ingest.open', openRequest(`spread-${index}`, withAudio)),
      ),
    );
    const ports = answers.flatMap((answer) => Object.values(portsOf(answer)).flatMap(Object.values));
    assert.equal(new Set(ports).size, 80);
    assert.deepEqual(
      (await status()).workers.map((worker) => worker.rooms),
      [5, 5],
    );
    assert.equal((await control.call('resync', { device_ids: [] })).closed.length, 10);
    assert.equal((await status()).ports_in_use, 0);
  });

  await t.test('ports of a running FFmpeg are granted; when one is taken, others are', async () => {
    const before = await control.call('ingest.open', openRequest('again', withAudio));
    await control.call('ingest.close', { device_id: 'again' });
    const after = await control.call(
      'ingest.open',
      openRequest('again', { ...withAudio, ports: portsOf(before) }),
    );
    assert.deepEqual(portsOf(after), portsOf(before));
    await control.call('ingest.close', { device_id: 'again' });

    const thief = dgram.createSocket('udp4');
    await new Promise((resolve) => thief.bind(before.video.rtcp_port, '127.0.0.1', resolve));
    const other = await control.call(
      'ingest.open',
      openRequest('again', { ...withAudio, ports: portsOf(before) }),
    );
    assert.notEqual(other.video.rtp_port, before.video.rtp_port);
    assert.deepEqual(portsOf(other).audio, portsOf(before).audio);
    await new Promise((resolve) => thief.close(resolve));
    await control.call('ingest.close', { device_id: 'again' });
  });

  await t.test(
    "'fresh' assigns new ports and viewers are notified; audio is added and removed without touching video",
    async () => {
      const first = await control.call('ingest.open', openRequest('change'));
      const viewer = await connectViewer(sfu);
      await viewer.call('join', { token: await mintToken('change') });
      const { consumers } = await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES });

      const louder = await control.call('ingest.open', openRequest('change', withAudio));
      await viewer.event('producersChanged');
      assert.deepEqual(louder.video.rtp_port, first.video.rtp_port);
      const both = await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES });
      assert.deepEqual(
        both.consumers.map((consumer) => consumer.kind),
        ['video', 'audio'],
      );
      assert.equal(both.consumers[0].id, consumers[0].id, 'the video Consumer stays');

      const quiet = await control.call('ingest.open', openRequest('change'));
      await viewer.event('producersChanged');
      assert.equal(quiet.audio, null);

      const fresh = await control.call('ingest.open', openRequest('change', { fresh: true }));
      await viewer.event('producersChanged');
      assert.notEqual(fresh.video.rtp_port, first.video.rtp_port);
      assert.notEqual(fresh.video.source_rtp_port, first.video.source_rtp_port);
      assert.equal(fresh.video.ssrc, first.video.ssrc);
      const renewed = await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES });
      assert.equal(renewed.consumers.length, 1);
      assert.notEqual(renewed.consumers[0].id, consumers[0].id);
      assert.equal((await status()).ports_in_use, 4);
      await viewer.close();
      await control.call('ingest.close', { device_id: 'change' });
    },
  );

  await t.test('sound may be sent in another codec, and viewers consume it anew', async () => {
    const capabilities = structuredClone(RTP_CAPABILITIES);
    for (const [name, type] of [
      ['PCMU', 0],
      ['PCMA', 8],
    ])
      capabilities.codecs.push({
        kind: 'audio',
        mimeType: `audio/${name}`,
        preferredPayloadType: type,
        clockRate: 8000,
        rtcpFeedback: [],
      });
    const viewer = await connectViewer(sfu);
    await viewer.call('join', { token: await mintToken('sounds') });
    const heard = [];
    let first = null;
    for (const codec of ['pcma', 'pcmu', 'opus', 'pcma']) {
      const opened = await control.call('ingest.open', openRequest('sounds', { audio: { codec } }));
      first ??= opened;
      assert.equal(opened.video.rtp_port, first.video.rtp_port);
      assert.equal(opened.viewers, 1);
      await viewer.event(heard.length ? 'producersChanged' : 'streamAvailable');
      const { consumers } = await viewer.call('consume', { rtpCapabilities: capabilities });
      const [{ rtpParameters }] = consumers.filter(({ kind }) => kind === 'audio');
      heard.push([rtpParameters.codecs[0].mimeType, rtpParameters.codecs[0].payloadType]);
      assert.equal(consumers.length, 2);
    }
    assert.deepEqual(heard, [
      ['audio/PCMA', 8],
      ['audio/PCMU', 0],
      ['audio/opus', 111],
      ['audio/PCMA', 8],
    ]);
    await viewer.close();
    await control.call('ingest.close', { device_id: 'sounds' });
    assert.equal((await status()).ports_in_use, 0);
  });

  await t.test('G.711 changes nothing of what players were offered before', async () => {
    await control.call('ingest.open', openRequest('offers'));
    const { codecs } = sfu.rooms.get('offers').router.rtpCapabilities;
    assert.deepEqual(
      codecs.map(({ mimeType, preferredPayloadType: type }) => `${mimeType} ${type}`),
      [
        'video/H264 108',
        'video/rtx 100',
        'video/H264 101',
        'video/rtx 102',
        'video/H264 103',
        'video/rtx 104',
        'audio/opus 111',
        'audio/PCMA 8',
        'audio/PCMU 0',
      ],
    );
    await control.call('ingest.close', { device_id: 'offers' });
  });

  await t.test('packets are counted, but only those from the agreed ports', async () => {
    const { video } = await control.call('ingest.open', openRequest('count'));
    const stranger = await RtpSender.open({ ...video, source_rtp_port: 0 });
    await stranger.send(5);
    const sender = await RtpSender.open(video);
    await sender.send(5);
    const stats = await until(
      async () => (await control.call('ingest.stats', { device_ids: ['count'] })).count.video,
      'packets',
    );
    assert.equal(stats.packets, 10);
    assert.ok(stats.bytes > 3000 && stats.score === 10);
    await Promise.all([
      sender.close(),
      stranger.close(),
      control.call('ingest.close', { device_id: 'count' }),
    ]);
  });

  await t.test('a room that is closed while it has viewers leaves nothing behind', async () => {
    await control.call('ingest.open', openRequest('crowded'));
    const { webRtcServer } = sfu.rooms.get('crowded').slot;
    const viewers = await Promise.all([1, 2, 3].map(() => connectViewer(sfu)));
    for (const viewer of viewers) await viewer.call('join', { token: await mintToken('crowded') });
    const session = await whep(sfu, 'crowded', {
      token: await mintToken('crowded'),
      offer: buildOffer({ h264: 126, opus: 109 }),
    });
    assert.equal(session.status, 201);
    assert.equal(webRtcServer.webRtcTransportsForTesting.size, 4);
    await control.call('ingest.close', { device_id: 'crowded' });
    await until(() => sfu.pool.counts.routers === 0 && sfu.ports.inUse === 0, 'closed');
    assert.equal(webRtcServer.webRtcTransportsForTesting.size, 0);
    for (const viewer of viewers) {
      await viewer.event('streamEnded');
      await viewer.close();
    }
  });

  await t.test('the owner is notified of the number of viewers', async () => {
    await control.call('ingest.open', openRequest('watched'));
    const viewer = await connectViewer(sfu);
    await viewer.call('join', { token: await mintToken('watched') });
    await until(
      () =>
        control.events.some(
          ({ event, data }) => event === 'viewers' && data.device_id === 'watched' && data.viewers === 1,
        ),
      'one viewer',
    );
    await viewer.close();
    await until(
      () =>
        control.events.some(
          ({ event, data }) => event === 'viewers' && data.device_id === 'watched' && data.viewers === 0,
        ),
      'no viewer',
    );
    await control.call('ingest.close', { device_id: 'watched' });
  });

  await t.test(
    'rooms outlive the socket of their owner for the grace period, and longer when it reconnects',
    async () => {
      const open = async (owner) => {
        const worker = await connectControl(sfu, owner);
        await worker.call('ingest.open', openRequest(owner.replace(':', '-')));
        await worker.close();
      };
      await open('brief:7');
      await open('lost:8');
      const back = await connectControl(sfu, 'brief:7');
      await until(() => !sfu.rooms.get('lost-8'), 'the room of a lost owner closed', 2_000);
      assert.equal((await back.call('ingest.open', openRequest('brief-7'))).created, false);
      await back.close();
      await until(() => !sfu.rooms.get('brief-7'), 'closed too when its owner goes for good', 2_000);
    },
  );

  await t.test("an owner's resync leaves the rooms of others", async () => {
    const other = await connectControl(sfu, 'other:9');
    await other.call('ingest.open', openRequest('theirs'));
    assert.deepEqual(await control.call('resync', { device_ids: [] }), { closed: [] });
    assert.equal((await control.call('ingest.open', openRequest('theirs'))).created, false);
    assert.deepEqual(
      await other.call('resync', { device_ids: [] }),
      { closed: [] },
      'who opened it last owns it',
    );
    assert.deepEqual(await control.call('resync', { device_ids: [] }), { closed: ['theirs'] });
    await other.close();
  });

  await t.test('a room that is opened again during a resync stays', async () => {
    const ids = Array.from({ length: 5 }, (_, index) => `again-${index}`);
    for (const id of ids) await control.call('ingest.open', openRequest(id));
    const resync = control.call('resync', { device_ids: [] });
    const opened = await Promise.all(ids.map((id) => control.call('ingest.open', openRequest(id))));
    const { closed } = await resync;
    assert.deepEqual(
      ids.filter((_, index) => opened[index].created).sort(),
      closed.sort(),
      'a room that was closed is opened anew, any other one is kept',
    );
    assert.equal((await status()).rooms, ids.length);
    await control.call('resync', { device_ids: [] });
    assert.equal((await status()).ports_in_use, 0);
  });

  await t.test('invalid requests get a code and a message, and the socket stays open', async () => {
    const stranger = await connectControl(sfu, null);
    assert.equal(await stranger.fail('ingest.open', openRequest('x')), 'hello_missing');
    assert.equal(await stranger.fail('resync', { device_ids: [] }), 'hello_missing');
    await stranger.close();
    const cases = [
      ['hello', { owner: 5 }, 'bad_request'],
      ['hello', { owner: 'someone:else' }, 'bad_request'],
      ['ingest.open', {}, 'bad_request'],
      ['ingest.open', openRequest('../x'), 'bad_request'],
      ['ingest.open', openRequest({}), 'bad_request'],
      ['ingest.open', { device_id: 'a', video: null }, 'unsupported_codec'],
      ['ingest.open', { device_id: 'a', video: { codec: 'h265' } }, 'unsupported_codec'],
      ['ingest.open', openRequest('a', { audio: { codec: 'aac' } }), 'unsupported_codec'],
      ['ingest.open', openRequest('a', { audio: 'opus' }), 'unsupported_codec'],
      ['ingest.open', openRequest('a', { fresh: 'yes' }), 'bad_request'],
      ['ingest.open', openRequest('a', { ports: [] }), 'bad_request'],
      ['ingest.open', openRequest('a', { ports: { video: { rtp_port: '1' } } }), 'bad_request'],
      [
        'ingest.open',
        openRequest('a', {
          ports: { video: { rtp_port: 1e9, rtcp_port: 2, source_rtp_port: 3, source_rtcp_port: 4 } },
        }),
        'bad_request',
      ],
      ['ingest.close', {}, 'bad_request'],
      ['ingest.stats', { device_ids: 'all' }, 'bad_request'],
      ['ingest.stats', { device_ids: [1] }, 'bad_request'],
      ['resync', {}, 'bad_request'],
      ['resync', { device_ids: null }, 'bad_request'],
    ];
    for (const [method, data, code] of cases)
      assert.equal(await control.fail(method, data), code, `${method} ${JSON.stringify(data)}`);
    for (const method of ['', '__proto__', 'constructor', 'toString'])
      assert.equal(await control.fail(method), 'unknown_method');
    assert.equal((await status()).rooms, 0);
    assert.equal((await status()).ports_in_use, 0);
  });

  await t.test('ports outside the ranges are not granted', async () => {
    const ports = {
      video: { rtp_port: 1024, rtcp_port: 1025, source_rtp_port: 1026, source_rtcp_port: 1027 },
    };
    const { video } = await control.call('ingest.open', openRequest('outside', { ports }));
    assert.ok(
      video.rtp_port >= sfu.config.ingestPorts.min && video.source_rtp_port >= sfu.config.sourcePorts.min,
    );
    await control.call('ingest.close', { device_id: 'outside' });
  });

  await t.test('requests without the control key are refused', async () => {
    for (const headers of [
      {},
      { Authorization: 'Bearer wrong' },
      { Authorization: `Bearer ${await mintToken('cam-1')}` },
    ]) {
      await assert.rejects(Client.connect(sfu.port, '/control', headers), /401/);
      for (const page of ['/control/status', '/metrics']) {
        const answer = await request(sfu, page, { headers });
        assert.deepEqual([answer.status, answer.json.reason], [401, 'unauthorized']);
      }
    }
    assert.deepEqual((await request(sfu, '/health')).json, { status: 'ok', workers: 2 });
    await assert.rejects(Client.connect(sfu.port, '/nowhere'), /404/);
    assert.equal((await request(sfu, '/nowhere')).json.reason, 'not_found');
    assert.equal((await request(sfu, '/health', { method: 'POST' })).status, 405);
  });

  await t.test('the metrics contain the values of the status', async () => {
    const { text } = await request(sfu, '/metrics', { token: CONTROL_KEY });
    assert.match(text, /^vas_sfu_rooms 0$/m);
    assert.match(text, /^vas_sfu_worker_resident_bytes\{worker="1"\} \d+$/m);
    const { mediasoup, workers, status: state } = await status();
    assert.deepEqual([mediasoup.version, workers.length, state], ['3.19.3', 2, 'ok']);
  });
});

test('when the port range is full the error names the setting, and released ports can be reserved again', async (t) => {
  const sfu = await startSfu(t, { environment: { SFU_INGEST_PORTS: '27900-27907' } });
  const control = await connectControl(sfu);
  for (let index = 0; index < 4; index += 1) await control.call('ingest.open', openRequest(`cam-${index}`));
  const answer = await control.ask('ingest.open', openRequest('cam-5'));
  assert.equal(answer.error.code, 'no_free_port');
  assert.match(answer.error.message, /'SFU_INGEST_PORTS'/);
  assert.equal(await control.fail('ingest.open', openRequest('cam-5', withAudio)), 'no_free_port');
  assert.equal(sfu.ports.inUse, 16);
  await control.call('ingest.close', { device_id: 'cam-0' });
  await control.call('ingest.open', openRequest('cam-5'));
});
