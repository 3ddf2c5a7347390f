/** Failures and recovery: killed Workers, restarts of the server, unusable worker programs, signals. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Sfu } from '../lib/Sfu.js';
import { createLog } from '../lib/log.js';
import { readConfig } from '../lib/config.js';
import {
  connectControl,
  connectViewer,
  CONTROL_KEY,
  mintToken,
  openRequest,
  request,
  RTP_CAPABILITIES,
  RtpSender,
  startSfu,
  testEnvironment,
  until,
  whep,
} from './harness.js';

const withAudio = { audio: { codec: 'opus' } };
const SERVER = new URL('../server.js', import.meta.url).pathname;

function ports(ingest) {
  const pick = ({ rtp_port, rtcp_port, source_rtp_port, source_rtcp_port }) => ({
    rtp_port,
    rtcp_port,
    source_rtp_port,
    source_rtcp_port,
  });
  return { video: pick(ingest.video), audio: pick(ingest.audio) };
}

test('a Worker killed with -9 is replaced, its rooms are rebuilt on the same ports, and viewers and FFmpeg continue', async (t) => {
  const sfu = await startSfu(t, { environment: { LOG_LEVEL: 'ERROR' }, log: createLog('ERROR', () => {}) });
  const control = await connectControl(sfu);
  const status = async () => (await request(sfu, '/control/status', { token: CONTROL_KEY })).json;
  const opened = await Promise.all(
    ['a', 'b', 'c', 'd'].map((id) => control.call('ingest.open', openRequest(id, withAudio))),
  );
  const senders = await Promise.all(opened.map(({ video }) => RtpSender.open(video)));
  const viewers = await Promise.all(
    ['a', 'b', 'c', 'd'].map(async (id) => {
      const viewer = await connectViewer(sfu);
      await viewer.call('join', { token: await mintToken(id) });
      await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES });
      return viewer;
    }),
  );
  const session = await whep(sfu, 'a', { token: await mintToken('a') });
  assert.equal(session.status, 201);

  const before = (await status()).workers;
  const killedAt = performance.now();
  process.kill(sfu.rooms.get('a').slot.worker.pid, 'SIGKILL');
  const told = await until(
    () =>
      viewers.filter((viewer) => viewer.events.some(({ event }) => event === 'streamAvailable')).length ===
        2 && performance.now(),
    'two viewers told',
  );
  t.diagnostic(`viewers told ${Math.round(told - killedAt)} ms after the kill`);
  for (const viewer of viewers) {
    if (!viewer.events.some(({ event }) => event === 'streamAvailable')) continue;
    assert.equal((await viewer.call('consume', { rtpCapabilities: RTP_CAPABILITIES })).consumers.length, 2);
  }
  for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) {
    const again = await control.call('ingest.open', openRequest(id, withAudio));
    assert.equal(again.created, false);
    assert.deepEqual(ports(again), ports(opened[index]));
    assert.equal(again.video.ssrc, opened[index].video.ssrc);
    await senders[index].send(2);
    await until(
      async () => (await control.call('ingest.stats', { device_ids: [id] }))[id].video?.packets === 4,
      `packets of ${id}`,
    );
  }
  const after = await until(async () => {
    const now = await status();
    return now.status === 'ok' && now;
  }, 'a new Worker');
  assert.deepEqual(after.workers.map((worker) => worker.deaths).sort(), [0, 1]);
  assert.notDeepEqual(
    after.workers.map((worker) => worker.pid),
    before.map((worker) => worker.pid),
  );
  assert.deepEqual([after.rooms, after.producers, after.transports, after.consumers], [4, 8, 12, 8]);
  assert.equal(
    (await request(sfu, session.location, { method: 'DELETE' })).status,
    404,
    'a WHEP session ends with its Worker',
  );
  await control.call('ingest.open', openRequest('e'));
  assert.ok(
    (await status()).workers.every((worker) => worker.rooms > 0),
    'the new Worker takes the next room',
  );

  for (const worker of (await status()).workers) process.kill(worker.pid, 'SIGKILL');
  await until(
    async () => (await status()).workers.every((worker) => worker.pid && worker.deaths > 0),
    'all Workers back',
  );
  await until(() => ['a', 'b', 'c', 'd', 'e'].every((id) => sfu.rooms.get(id)), 'all rooms back');
  const final = await status();
  assert.deepEqual([final.rooms, final.producers, final.transports, final.ports_in_use], [5, 9, 13, 36]);
  await Promise.all(senders.map((sender) => sender.close()));
});

test('after a restart of the server the same ports are used again, and a running FFmpeg is received again', async (t) => {
  const environment = await testEnvironment();
  const first = await startSfu(t, { environment });
  const control = await connectControl(first);
  const before = await control.call('ingest.open', openRequest('cam-1', withAudio));
  const sender = await RtpSender.open(before.video);
  await sender.send(2);
  await first.close();
  await sender.send(2);

  const second = await startSfu(t, { environment });
  const again = await connectControl(second);
  const after = await again.call('ingest.open', openRequest('cam-1', { ...withAudio, ports: ports(before) }));
  assert.equal(after.created, true);
  assert.deepEqual(ports(after), ports(before));
  assert.deepEqual([after.video.ssrc, after.audio.ssrc], [before.video.ssrc, before.audio.ssrc]);
  await sender.send(2);
  await until(async () => (await again.call('ingest.stats'))['cam-1'].video?.packets === 4, 'packets');
  await sender.close();
});

/** Run server.js until it exits. */
async function run(environment, { until: when, signal } = {}) {
  const child = spawn(process.execPath, [SERVER], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    cwd: os.tmpdir(),
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (errors += text));
  const ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  if (when) {
    await until(() => when.test(output), `${when} in ${output} ${errors}`);
    child.kill(signal);
  }
  const since = performance.now();
  const code = await ended;
  return { code, output, errors, elapsedMs: performance.now() - since };
}

test('SIGTERM ends the server and its Workers within five seconds, while it has viewers', async (t) => {
  const environment = await testEnvironment({ LOG_LEVEL: 'INFO' });
  const { code, output, elapsedMs } = await run(environment, { until: /sfu started/, signal: 'SIGTERM' });
  assert.equal(code, 0);
  assert.ok(elapsedMs < 5_000);
  t.diagnostic(`stopped in ${Math.round(elapsedMs)} ms`);
  for (const [, pid] of output.matchAll(/worker started .*pid=(\d+)/g))
    assert.throws(() => process.kill(Number(pid), 0), /ESRCH/);
  assert.ok(!output.includes(environment.SFU_SECRET) && !output.includes(CONTROL_KEY));
});

test('kill -9 of the server leaves no Worker behind', async () => {
  const { output } = await run(await testEnvironment({ LOG_LEVEL: 'INFO' }), {
    until: /sfu started/,
    signal: 'SIGKILL',
  });
  const pids = [...output.matchAll(/worker started .*pid=(\d+)/g)].map(([, pid]) => Number(pid));
  assert.equal(pids.length, 2);
  await until(
    () =>
      pids.every(
        (pid) =>
          !fs.existsSync(`/proc/${pid}`) ||
          /^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8')),
      ),
    'Workers gone',
  );
});

test('a worker program that is missing, not executable or broken is reported with the remedy', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sfu-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const plain = path.join(folder, 'plain');
  fs.writeFileSync(plain, 'x', { mode: 0o644 });
  const broken = path.join(folder, 'broken');
  fs.writeFileSync(broken, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  const noProgram = path.join(folder, 'no-program');
  fs.writeFileSync(noProgram, '\0\0\0', { mode: 0o755 });
  for (const [program, fault] of [
    ['/nowhere/mediasoup-worker', /was not found/],
    [plain, /is not executable/],
    [broken, /does not start/],
    [noProgram, /does not start/],
  ]) {
    const { code, errors } = await run(await testEnvironment({ MEDIASOUP_WORKER_BIN: program }));
    assert.equal(code, 69, errors);
    assert.match(errors, fault);
    assert.match(errors, /`make run`/);
    assert.ok(errors.includes(program));
    assert.equal(errors.trim().split('\n').length, 1, errors);
  }
});

test('a taken port is named in the error, for the server and for viewers', async (t) => {
  const thief = net.createServer();
  await new Promise((resolve) => thief.listen(0, '127.0.0.1', resolve));
  t.after(() => thief.close());
  const { port } = thief.address();
  const start = async (overrides) => {
    const sfu = new Sfu(
      readConfig(await testEnvironment(overrides)),
      createLog('ERROR', () => {}),
    );
    await assert.rejects(
      sfu.start(),
      (error) =>
        error.exitCode === 69 &&
        error.message.includes(String(port)) &&
        /'SFU_(WEBRTC_)?PORT'/.test(error.message),
    );
  };
  await start({ SFU_PORT: String(port) });
  await start({
    SFU_WEBRTC_PORT: String(port),
    SFU_WORKERS: '1',
    SFU_INGEST_PORTS: '1100-1199',
    SFU_SOURCE_PORTS: '1200-1299',
  });
});

test('an invalid setting ends the start with exit code 78', async () => {
  const { code, errors } = await run(await testEnvironment({ SFU_PORT: 'x' }));
  assert.equal(code, 78);
  assert.equal(errors, "sfu: 'SFU_PORT' must be a whole number between 0 and 65535, not 'x'\n");
});
