/** WHEP: offer and answer for different players, the life cycle of a session, and invalid input. */

import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import sdpTransform from 'sdp-transform';
import {
  buildOffer,
  connectControl,
  mintToken,
  openRequest,
  request,
  RtpSender,
  startSfu,
  until,
  whep,
} from './harness.js';

test('whep', async (t) => {
  const sfu = await startSfu(t, { protocol: { roomWaitMs: 400, connectTimeoutMs: 2_000 } });
  const control = await connectControl(sfu);
  const openCamera = () => control.call('ingest.open', openRequest('cam-1', { audio: { codec: 'opus' } }));
  await openCamera();
  const play = async (options = {}) => whep(sfu, 'cam-1', { token: await mintToken('cam-1'), ...options });
  const atRest = { routers: 1, transports: 2, producers: 2, consumers: 0 };
  const drained = () =>
    until(
      () =>
        JSON.stringify(sfu.pool.counts) === JSON.stringify(atRest) &&
        sfu.ports.inUse === 8 &&
        sfu.rooms.viewerCount === 0,
      'all given back',
    );

  await t.test('an offer is answered by an ICE-lite sender with the payload types of the offer', async () => {
    const answer = await play();
    assert.equal(answer.status, 201);
    assert.match(answer.location, /^\/whep\/cam-1\/[\w-]{22}$/);
    assert.match(answer.headers.get('etag'), /^".+"$/);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    const sdp = sdpTransform.parse(answer.text);
    assert.equal(sdp.icelite, 'ice-lite');
    assert.equal(sdp.groups[0].mids, '0 1');
    const [audio, video] = sdp.media;
    assert.deepEqual(
      [audio.type, video.type, String(audio.mid), String(video.mid)],
      ['audio', 'video', '0', '1'],
    );
    for (const media of [audio, video]) {
      assert.deepEqual([media.direction, media.setup, media.rtcpMux], ['sendonly', 'passive', 'rtcp-mux']);
      assert.deepEqual(
        media.candidates.map((candidate) => candidate.transport),
        ['udp', 'tcp'],
      );
    }
    assert.deepEqual([video.rtp[0].codec, video.rtp[0].payload, audio.rtp[0].payload], ['H264', 108, 111]);
    assert.equal(sfu.pool.counts.routers, 1, "Chromium's payload types need no second Router");
    assert.equal((await request(sfu, answer.location, { method: 'DELETE' })).status, 200);
    assert.equal((await request(sfu, answer.location, { method: 'DELETE' })).status, 404);
    await drained();
  });

  await t.test('a player gets the sound that the camera has, if it has offered it', async () => {
    const all = ['111 opus/48000/2', '63 red/48000/2', '9 G722/8000', '0 PCMU/8000', '8 PCMA/8000'];
    const cases = [
      ['pcma', all, '8 PCMA/8000', 1],
      ['pcmu', all, '0 PCMU/8000', 1],
      ['pcma', ['111 opus/48000/2', '0', '8'], '8 PCMA/8000', 1],
      ['pcmu', ['0'], '0 PCMU/8000', 1],
      ['pcma', ['111 opus/48000/2', '35 PCMA/8000'], '35 PCMA/8000', 2],
      ['pcma', ['111 opus/48000/2', '0 PCMU/8000'], null, 1],
      ['pcma', ['8 PCMA/16000', '111 opus/48000/2'], null, 1],
      ['opus', ['0 PCMU/8000', '8 PCMA/8000'], null, 1],
      ['opus', all, '111 opus/48000/2', 1],
    ];
    for (const [codec, sounds, chosen, routers] of cases) {
      await control.call('ingest.open', openRequest('cam-1', { audio: { codec } }));
      const answer = await play({ offer: buildOffer({ sounds }) });
      assert.equal(answer.status, 201, answer.text);
      const [audio, video] = sdpTransform.parse(answer.text).media;
      const what = `${codec} of ${sounds}`;
      assert.equal(audio.direction, chosen ? 'sendonly' : 'inactive', what);
      assert.equal(video.direction, 'sendonly', what);
      if (chosen) {
        const [{ payload, codec: name, rate, encoding }] = audio.rtp;
        assert.equal(`${payload} ${name}/${rate}${encoding ? `/${encoding}` : ''}`, chosen, what);
      }
      assert.equal(sfu.pool.counts.routers, routers, what);
      assert.equal((await request(sfu, answer.location, { method: 'DELETE' })).status, 200);
    }
    await openCamera();
    await drained();
  });

  await t.test(
    'a session ends when its sound is sent in another codec, and not when there is none',
    async () => {
      const sounds = ['111 opus/48000/2', '8 PCMA/8000'];
      for (const [audio, status] of [
        [{ codec: 'pcma' }, 404],
        [null, 200],
      ]) {
        await openCamera();
        const answer = await play({ offer: buildOffer({ sounds }) });
        assert.equal(answer.status, 201);
        await control.call('ingest.open', openRequest('cam-1', { audio }));
        assert.equal((await request(sfu, answer.location, { method: 'DELETE' })).status, status);
      }
      await openCamera();
      await drained();
    },
  );

  await t.test('a player behind a proxy with a path prefix finds its session', async () => {
    const proxy = http.createServer((incoming, outgoing) => {
      const { method, headers } = incoming;
      const path = incoming.url.replace(/^\/video\/sfu/, '');
      if (path === incoming.url) return outgoing.writeHead(404).end();
      const forward = http.request({ host: '127.0.0.1', port: sfu.port, path, method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      });
      return incoming.pipe(forward);
    });
    await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => proxy.close());
    const { port } = proxy.address();
    for (const prefix of ['', '/video/sfu']) {
      const address = `http://127.0.0.1:${prefix ? port : sfu.port}${prefix}/whep/cam-1?autoplay=1`;
      const answer = await fetch(address, {
        method: 'POST',
        body: buildOffer(),
        headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${await mintToken('cam-1')}` },
      });
      assert.equal(answer.status, 201);
      const session = new URL(answer.headers.get('location'), address);
      assert.match(session.href, new RegExp(`${prefix}/whep/cam-1/[\\w-]{22}$`));
      assert.equal((await fetch(session, { method: 'DELETE' })).status, 200, session.href);
    }
    await drained();
  });

  await t.test(
    'players with the same other payload types share one piped Router, which closes with the last of them',
    async () => {
      const offer = buildOffer({ h264: 126, opus: 109 });
      const answers = await Promise.all([
        play({ offer }),
        play({ offer }),
        play({ offer: buildOffer({ h264: 97, opus: 96 }) }),
      ]);
      assert.deepEqual(
        answers.map((answer) => sdpTransform.parse(answer.text).media[1].rtp[0].payload),
        [126, 126, 97],
      );
      assert.equal(sfu.pool.counts.routers, 3);
      for (const answer of answers) await request(sfu, answer.location, { method: 'DELETE' });
      await drained();
    },
  );

  await t.test(
    'a player that insists on being passive is served too, and any profile of H.264 is accepted',
    async () => {
      const waiting = await play({
        offer: buildOffer({ profile: '640c1f' }).replaceAll('a=setup:actpass', 'a=setup:passive'),
      });
      const [, video] = sdpTransform.parse(waiting.text).media;
      assert.equal(video.setup, 'active');
      assert.match(video.fmtp[0].config, /profile-level-id=640c1f/);
      await request(sfu, waiting.location, { method: 'DELETE' });
      await drained();
    },
  );

  await t.test(
    'audio of a camera without sound is answered inactive, and keeps its place in the bundle',
    async () => {
      await control.call('ingest.open', openRequest('mute'));
      const answer = await whep(sfu, 'mute', { token: await mintToken('mute') });
      const [audio, video] = sdpTransform.parse(answer.text).media;
      assert.deepEqual([audio.direction, audio.port, video.direction], ['inactive', 9, 'sendonly']);
      await control.call('ingest.close', { device_id: 'mute' });
      assert.equal(
        (await request(sfu, answer.location, { method: 'DELETE' })).status,
        404,
        'the session went with the room',
      );
      await drained();
    },
  );

  await t.test('trickled candidates are taken, ICE is restarted, and a wrong ETag is refused', async () => {
    const session = await play();
    const page = session.location;
    const etag = session.headers.get('etag');
    const patch = (body, headers = {}) =>
      request(sfu, page, {
        method: 'PATCH',
        body,
        headers: { 'Content-Type': 'application/trickle-ice-sdpfrag', ...headers },
      });
    const fragment = (ufrag) =>
      `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${'p'.repeat(24)}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n`;
    assert.equal((await patch(fragment('abcd'), { 'If-Match': etag })).status, 204);
    assert.equal((await patch('nonsense', { 'If-Match': etag })).status, 204);
    assert.equal((await patch(fragment('abcd'), { 'If-Match': '"old"' })).status, 412);
    const restarted = await patch(fragment('efgh'), { 'If-Match': '*' });
    assert.equal(restarted.status, 200);
    assert.match(restarted.text, /a=ice-ufrag:\w+\r\na=ice-pwd:\w+/);
    assert.notEqual(restarted.headers.get('etag'), etag);
    assert.equal((await patch(fragment('efgh'), { 'If-Match': etag })).status, 412);
    assert.equal((await patch('x', { 'Content-Type': 'text/plain' })).status, 415);
    assert.equal(
      (await request(sfu, page.replace('cam-1', 'cam-2'), { method: 'DELETE' })).status,
      404,
      'only under its own device',
    );
    await request(sfu, page, { method: 'DELETE' });
    await drained();
  });

  await t.test('If-Match allows what RFC 9110 says, and the quoted `*` of the examples of WHEP', async () => {
    for (const [condition, status] of [
      [() => undefined, 200],
      [() => '*', 200],
      [() => '"*"', 200],
      [(etag) => etag, 200],
      [(etag) => `"other", ${etag}`, 200],
      [(etag) => `${etag},"other"`, 200],
      [(etag) => `W/${etag}`, 412],
      [(etag) => `W/"other", W/${etag}`, 412],
      [() => '"other", "another"', 412],
      [(etag) => `"a${etag.slice(1)}`, 412],
      [(etag) => etag.slice(1, -1), 412],
      [() => '""', 412],
      [() => '', 412],
    ]) {
      const session = await play();
      const value = condition(session.headers.get('etag'));
      const answer = await request(sfu, session.location, {
        method: 'PATCH',
        body: `a=ice-ufrag:efgh\r\na=ice-pwd:${'p'.repeat(24)}\r\n`,
        headers: {
          'Content-Type': 'application/trickle-ice-sdpfrag',
          ...(value === undefined ? {} : { 'If-Match': value }),
        },
      });
      assert.equal(answer.status, status, `If-Match: ${value}`);
      await request(sfu, session.location, { method: 'DELETE' });
    }
    await drained();
  });

  await t.test('the session of a player that never connects is closed', async () => {
    await play();
    assert.equal(sfu.rooms.viewerCount, 1);
    await drained();
  });

  await t.test('a player waits for the room, and is then served or asked to retry', async () => {
    const token = await mintToken('later');
    const early = whep(sfu, 'later', { token });
    await until(() => sfu.rooms.viewerCount === 1, 'waiting');
    await control.call('ingest.open', openRequest('later'));
    assert.equal((await early).status, 201);
    await control.call('ingest.close', { device_id: 'later' });
    const late = await whep(sfu, 'later', { token });
    assert.deepEqual(
      [late.status, late.json.reason, late.headers.get('retry-after')],
      [409, 'stream_not_available', '2'],
    );
    await drained();
  });

  await t.test('a player that disconnects while it waits is removed', async () => {
    const gone = new AbortController();
    const waiting = fetch(`http://127.0.0.1:${sfu.port}/whep/nowhere`, {
      method: 'POST',
      body: buildOffer(),
      signal: gone.signal,
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${await mintToken('nowhere')}` },
    });
    await until(() => sfu.rooms.viewerCount === 1, 'waiting');
    gone.abort();
    await assert.rejects(waiting);
    await drained();
  });

  await t.test(
    'when the tracks are created anew the session ends, so that the player reconnects',
    async () => {
      const session = await play();
      await control.call('ingest.open', openRequest('cam-1', { audio: { codec: 'opus' }, fresh: true }));
      assert.equal((await request(sfu, session.location, { method: 'DELETE' })).status, 404);
      await drained();
    },
  );

  await t.test('tokens: missing, expired, forged, for another device', async () => {
    for (const token of [
      undefined,
      'x.y.z',
      await mintToken('cam-1', { lifetime: '-1h' }),
      await mintToken('cam-1', { key: 'forged' }),
      await mintToken('cam-2'),
    ]) {
      const answer = await whep(sfu, 'cam-1', { token });
      assert.deepEqual(
        [
          answer.status,
          answer.json.reason,
          answer.json.code,
          answer.headers.get('access-control-allow-origin'),
        ],
        [401, 'unauthorized', 401, '*'],
      );
    }
  });

  await t.test('invalid offers, types, methods and paths get 4xx in the error format of VAS', async () => {
    const cases = [
      [{ offer: 'hello' }, 400, 'bad_sdp'],
      [{ offer: '' }, 400, 'bad_sdp'],
      [{ offer: 'v=0\r\n' }, 400, 'bad_sdp'],
      [{ offer: `v=0\r\n${'m=video 9 X 1\r\n'.repeat(40)}` }, 400, 'bad_sdp'],
      [{ offer: '\u0000'.repeat(100) }, 400, 'bad_sdp'],
      [{ offer: buildOffer({ video: false }) }, 422, 'no_h264'],
      [{ offer: buildOffer().replaceAll('a=recvonly', 'a=sendonly') }, 422, 'no_h264'],
      [{ offer: buildOffer().replaceAll('packetization-mode=1', 'packetization-mode=0') }, 422, 'no_h264'],
      [{ offer: buildOffer().replaceAll(/a=fingerprint.*\r\n/g, '') }, 400, 'bad_sdp'],
      [{ offer: buildOffer().replaceAll('sha-256', 'md5') }, 400, 'bad_sdp'],
      [{ offer: buildOffer().replaceAll('actpass', 'holdconn') }, 400, 'bad_sdp'],
      [{ offer: 'x'.repeat(70_000) }, 413, 'too_large'],
      [{ headers: { 'Content-Type': 'application/json' } }, 415, 'unsupported_media_type'],
      [{ headers: { Accept: 'text/html' } }, 406, 'not_acceptable'],
    ];
    for (const [options, status, reason] of cases) {
      const answer = await play(options);
      assert.deepEqual(
        [answer.status, answer.json?.reason],
        [status, reason],
        JSON.stringify(options).slice(0, 100),
      );
      assert.deepEqual(Object.keys(answer.json), ['code', 'status', 'message', 'errors', 'reason']);
    }
    for (const [page, method, status] of [
      ['/whep/cam-1', 'GET', 405],
      ['/whep/cam-1/x', 'PUT', 405],
      ['/whep/cam-1/x', 'DELETE', 404],
      ['/whep', 'POST', 404],
      ['/whep/a/b/c', 'POST', 404],
      ['/whep/%2e%2e%2f', 'POST', 404],
    ]) {
      assert.equal((await request(sfu, page, { method })).status, status, `${method} ${page}`);
    }
    const preflight = await request(sfu, '/whep/cam-1', { method: 'OPTIONS' });
    assert.deepEqual(
      [preflight.status, preflight.headers.get('access-control-allow-headers')],
      [204, 'Authorization, Content-Type, If-Match'],
    );
    await drained();
  });

  await t.test('an offer truncated and corrupted in four hundred ways never causes a 500', async () => {
    const token = await mintToken('cam-1');
    const whole = buildOffer();
    let seed = 7;
    const random = (below) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
    const seen = new Set();
    for (let round = 0; round < 40; round += 1) {
      const batch = Array.from({ length: 10 }, () => {
        const bytes = Buffer.from(whole);
        for (let cut = 0; cut < 1 + random(8); cut += 1) bytes[random(bytes.length)] = random(256);
        return whep(sfu, 'cam-1', {
          token,
          offer: random(3) ? bytes : bytes.subarray(0, random(bytes.length)),
        });
      });
      for (const answer of await Promise.all(batch)) {
        seen.add(answer.status);
        assert.ok(answer.status < 500, `${answer.status} ${answer.text}`);
        if (answer.status === 201) await request(sfu, answer.location, { method: 'DELETE' });
      }
    }
    assert.ok(seen.has(201) && seen.has(400), [...seen].join());
    await drained();
  });

  await t.test('raw garbage on the port is refused and the server continues', async () => {
    for (const text of [
      '\r\n\r\n',
      'GET\r\n\r\n',
      'POST /whep/cam-1 HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
      'GET /signaling HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      'GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      '\x16\x03\x01\x02\x00',
    ]) {
      const socket = net.connect(sfu.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.resume();
      socket.end(text);
      await new Promise((resolve) => socket.once('close', resolve));
    }
    assert.equal((await request(sfu, '/health')).status, 200);
  });

  await t.test('packets are still received after all of this', async () => {
    const { video } = await openCamera();
    const sender = await RtpSender.open(video);
    await sender.send(3);
    await until(async () => (await control.call('ingest.stats'))['cam-1'].video?.packets === 6, 'packets');
    await sender.close();
  });
});
