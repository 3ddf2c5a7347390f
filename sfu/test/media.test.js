/** Real FFmpeg and real SFU: packets are forwarded, also across restarts of FFmpeg. */

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { test } from 'node:test';
import {
  connectControl,
  openRequest,
  RtpSender,
  RTP_CAPABILITIES,
  spawnFfmpeg,
  startSfu,
  until,
} from './harness.js';

const withAudio = { audio: { codec: 'opus' } };

/** A receiver of plain RTP in the room's Router, in place of a viewer with ICE and DTLS. */
async function receive(t, room, kind) {
  const socket = dgram.createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const transport = await room.router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    rtcpMux: true,
  });
  await transport.connect({ ip: '127.0.0.1', port: socket.address().port });
  const consumer = await transport.consume({
    producerId: room.tracks[kind].producer.id,
    rtpCapabilities: RTP_CAPABILITIES,
  });
  const received = {
    packets: 0,
    parameterSets: 0,
    backwards: 0,
    largestGap: 0,
    last: null,
    payloadType: null,
    consumer,
  };
  socket.on('message', (packet) => {
    // RTCP uses the same port.
    if (packet[1] >= 192 && packet[1] <= 223) return;
    const sequence = packet.readUInt16BE(2);
    const step = received.last === null ? 1 : (sequence - received.last) & 0xffff;
    if (step > 0x8000) received.backwards += 1;
    else received.largestGap = Math.max(received.largestGap, step);
    received.last = sequence;
    received.packets += 1;
    received.payloadType = packet[1] & 0x7f;
    const offset = 12 + (packet[0] & 0x10 ? 4 + 4 * packet.readUInt16BE(14) : 0);
    const isParameterSet = (type) => type === 7;
    if (
      isParameterSet(packet[offset] & 0x1f) ||
      ((packet[offset] & 0x1f) === 24 && isParameterSet(packet[offset + 3] & 0x1f))
    )
      received.parameterSets += 1;
  });
  t.after(() => socket.close());
  return received;
}

test('video and audio from FFmpeg reach a viewer, with continuous sequence numbers across restarts', async (t) => {
  const sfu = await startSfu(t);
  const control = await connectControl(sfu);
  let ffmpeg = null;
  t.after(() => ffmpeg?.stop());
  const start = async (options) => {
    ffmpeg = spawnFfmpeg(await control.call('ingest.open', openRequest('cam-1', withAudio)), options);
  };
  await start();
  const room = sfu.rooms.get('cam-1');
  const [video, audio] = await Promise.all([receive(t, room, 'video'), receive(t, room, 'audio')]);
  await until(
    () => video.packets > 30 && audio.packets > 20 && video.parameterSets > 0,
    () => `packets: ${ffmpeg.errorOutput}`,
  );
  assert.deepEqual([video.payloadType, audio.payloadType], [108, 111]);

  for (let run = 0; run < 3; run += 1) {
    await ffmpeg.stop();
    const [pictures, sounds, sets] = [video.packets, audio.packets, video.parameterSets];
    const since = performance.now();
    await start();
    await until(
      () => video.packets > pictures + 10 && audio.packets > sounds + 10 && video.parameterSets > sets,
      'packets after a restart',
    );
    t.diagnostic(
      `run ${run + 2}: picture and sound back ${Math.round(performance.now() - since)} ms after FFmpeg was started again`,
    );
  }
  for (const [kind, received] of Object.entries({ video, audio })) {
    assert.equal(received.consumer.closed, false);
    assert.equal(received.backwards, 0, `${kind} went backwards`);
    assert.ok(received.largestGap < 64, `${kind} jumped by ${received.largestGap}`);
  }
  const stats = (await control.call('ingest.stats'))['cam-1'];
  assert.ok(stats.video.score > 0 && stats.video.bitrate > 0 && stats.audio.packets > 0);
});

test('after a jump of the sequence, forwards or backwards, viewers get continuous numbers again', async (t) => {
  const sfu = await startSfu(t);
  const control = await connectControl(sfu);
  const { video } = await control.call('ingest.open', openRequest('cam-1'));
  const sender = await RtpSender.open(video, { sequence: 40_000 });
  t.after(() => sender.close());
  const received = await receive(t, sfu.rooms.get('cam-1'), 'video');
  const { consumer } = received;
  const unwatch = sfu.rooms.watch('cam-1', {
    onJump: async () => {
      await consumer.pause();
      await consumer.resume();
    },
    onRoomAvailable() {},
    onRoomEnded() {},
    onTracksChanged() {},
  });
  for (const sequence of [40_000, 20_000, 60_000]) {
    sender.sequence = sequence;
    const before = received.packets;
    await until(async () => {
      await sender.send();
      await control.call('ingest.stats');
      return received.packets > before + 20;
    }, 'packets');
    // What follows the jump is continuous.
    Object.assign(received, { backwards: 0, largestGap: 0 });
    await sender.send(5);
    await until(() => received.packets > before + 29, 'more packets');
    assert.deepEqual([received.backwards, received.largestGap], [0, 1]);
    const again = await control.call('ingest.open', openRequest('cam-1'));
    const ahead = (again.video.sequence - sender.sequence) & 0xffff;
    assert.ok(ahead < 64, `another worker begins ${ahead} after the last packet`);
  }
  unwatch();
});
