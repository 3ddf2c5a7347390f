/** No leaks: after 200 runs of FFmpeg into one room and 1,000 viewers, all resources are as before. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import {
  buildOffer,
  connectControl,
  connectViewer,
  DTLS_PARAMETERS,
  mintToken,
  openRequest,
  request,
  RTP_CAPABILITIES,
  RtpSender,
  startSfu,
  until,
  whep,
} from './harness.js';

const RESTARTS = 200;
const VIEWERS = 1_000;
const WARM_RUNS = 5;
const AT_ONCE = 20;
const withAudio = { audio: { codec: 'opus' } };

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');

const countFiles = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;
const readRssKb = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

/** Measure everything that could leak. */
async function measure(sfu) {
  const slots = (await sfu.pool.describe()).map(({ pid }) => pid);
  const dumps = await Promise.all(
    [...new Set([...sfu.rooms.all].map((room) => room.slot.worker))].map((worker) => worker.dump()),
  );
  collectGarbage();
  return {
    counts: { ...sfu.pool.counts },
    ports: sfu.ports.inUse,
    viewers: sfu.rooms.viewerCount,
    sockets: sfu.socketCount,
    handlers: dumps.map((dump) => dump.channelMessageHandlers.channelRequestHandlers.length),
    files: [process.pid, ...slots].map(countFiles),
    heapKb: Math.round(process.memoryUsage().heapUsed / 1024),
    rssKb: slots.map(readRssKb),
  };
}

async function watchBySignalling(sfu, device) {
  const viewer = await connectViewer(sfu);
  await viewer.call('join', { token: await mintToken(device) });
  await viewer.call('connectTransport', { dtlsParameters: DTLS_PARAMETERS });
  assert.equal((await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES })).consumers.length, 2);
  await viewer.call('resume');
  await viewer.close();
}

async function watchByWhep(sfu, device, offer) {
  const answer = await whep(sfu, device, { token: await mintToken(device), offer });
  assert.equal(answer.status, 201);
  await request(sfu, answer.location, { method: 'DELETE' });
}

/** Open viewers in turn by signalling, by WHEP, and by WHEP with different payload types. */
async function comeAndGo(sfu, device, count) {
  let next = 0;
  const offers = [undefined, buildOffer({ h264: 126, opus: 109 })];
  const visit = async () => {
    while (next < count) {
      const index = next++;
      if (index % 2 === 0) await watchBySignalling(sfu, device);
      else await watchByWhep(sfu, device, offers[index % 4 === 1 ? 0 : 1]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, visit));
}

/** Simulate one run of FFmpeg: request the ports, send a few packets from them, end. */
async function runOnce(control, device, previous) {
  const ingest = await control.call('ingest.open', openRequest(device, withAudio));
  assert.equal(ingest.created, false);
  for (const kind of ['video', 'audio']) {
    assert.deepEqual(
      [ingest[kind].rtp_port, ingest[kind].source_rtp_port, ingest[kind].ssrc],
      [previous[kind].rtp_port, previous[kind].source_rtp_port, previous[kind].ssrc],
    );
  }
  const sender = await RtpSender.open(ingest.video, { sequence: ingest.video.sequence });
  await sender.send(2);
  await sender.close();
}

test('200 runs of FFmpeg and 1,000 viewers leave nothing behind', async (t) => {
  const sfu = await startSfu(t, { environment: { SFU_MAX_VIEWERS: '5000' } });
  const control = await connectControl(sfu);
  const opened = await control.call('ingest.open', openRequest('cam-1', withAudio));
  const settle = async () => {
    await until(
      () => sfu.rooms.viewerCount === 0 && sfu.socketCount === 1 && sfu.pool.counts.consumers === 0,
      'viewers gone',
    );
    return measure(sfu);
  };
  // One-time allocations (buffers, connections kept alive by fetch, code) are not leaks.
  await comeAndGo(sfu, 'cam-1', 200);
  for (let run = 1; run <= WARM_RUNS; run += 1) {
    await runOnce(control, 'cam-1', opened);
    await until(
      async () => (await control.call('ingest.stats'))['cam-1'].video?.packets === 4 * run,
      `run ${run} counted`,
    );
  }
  const before = await settle();

  let since = performance.now();
  let seen = 0;
  for (let run = 0; run < RESTARTS; run += 1) await runOnce(control, 'cam-1', opened);
  const { packets } = (
    await until(
      async () => {
        const stats = await control.call('ingest.stats');
        seen = stats['cam-1'].video.packets;
        return seen >= (RESTARTS + WARM_RUNS) * 4 && stats;
      },
      () => `every packet of every run counted, ${seen} were`,
    )
  )['cam-1'].video;
  assert.equal(packets, (RESTARTS + WARM_RUNS) * 4);
  t.diagnostic(
    `${RESTARTS} runs in ${((performance.now() - since) / 1000).toFixed(1)} s, ${packets} packets, none lost`,
  );

  since = performance.now();
  await comeAndGo(sfu, 'cam-1', VIEWERS);
  t.diagnostic(`${VIEWERS} viewers in ${((performance.now() - since) / 1000).toFixed(1)} s`);
  const after = await settle();

  t.diagnostic(`before ${JSON.stringify(before)}`);
  t.diagnostic(`after  ${JSON.stringify(after)}`);
  for (const what of ['counts', 'ports', 'viewers', 'sockets', 'handlers'])
    assert.deepEqual(after[what], before[what], what);
  // fetch keeps a few connections alive, both ends of which are in this process.
  assert.ok(
    after.files[0] <= before.files[0] + 4 * AT_ONCE,
    `files of the server: ${after.files[0]}, were ${before.files[0]}`,
  );
  assert.deepEqual(after.files.slice(1), before.files.slice(1), 'files of the Workers');
  for (const index of [0, 1])
    assert.ok(
      after.rssKb[index] < before.rssKb[index] + 4_096,
      `memory of Worker ${index}: ${after.rssKb[index]} kB, was ${before.rssKb[index]}`,
    );
  // 1,000 viewers that leaked 4 kB each would show.
  assert.ok(
    after.heapKb < before.heapKb + 4_096,
    `memory of the server: ${after.heapKb} kB, was ${before.heapKb}`,
  );

  await control.call('ingest.close', { device_id: 'cam-1' });
  assert.deepEqual(
    [{ ...sfu.pool.counts }, sfu.ports.inUse],
    [{ routers: 0, transports: 0, producers: 0, consumers: 0 }, 0],
  );
});
