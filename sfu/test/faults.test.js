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

test('a Worker that hangs harms its own rooms alone, is killed, and its rooms are rebuilt with the same ports', async (t) => {
  const sfu = await startSfu(t, {
    environment: { LOG_LEVEL: 'ERROR' },
    protocol: { workerCheckMs: 50, workerSilenceMs: 1_500, statsLimitMs: 200 },
    log: createLog('ERROR', () => {}),
  });
  const control = await connectControl(sfu);
  const [hung, other] = await Promise.all(
    ['hung', 'other'].map((id) => control.call('ingest.open', openRequest(id, withAudio))),
  );
  const senders = await Promise.all([hung, other].map(({ video }) => RtpSender.open(video)));
  const viewers = await Promise.all(
    ['hung', 'other'].map(async (id) => {
      const viewer = await connectViewer(sfu);
      await viewer.call('join', { token: await mintToken(id) });
      return viewer;
    }),
  );
  const { worker, index } = sfu.rooms.get('hung').slot;
  process.kill(worker.pid, 'SIGSTOP');
  const since = performance.now();
  const during = await control.call('ingest.stats', { device_ids: ['hung', 'other'] });
  assert.ok(performance.now() - since < 1_000, 'the figures of other rooms do not wait');
  assert.deepEqual([during.hung.answered, during.other.answered], [false, true]);
  assert.deepEqual([during.hung.viewers, during.other.viewers], [1, 1]);
  await senders[1].send(2);
  await until(
    async () => (await control.call('ingest.stats', { device_ids: ['other'] })).other.video?.packets === 4,
    'packets of the other room',
  );
  await until(() => sfu.pool.aliveCount === 1, 'the Worker is not counted on');
  await control.call('ingest.open', openRequest('new'));
  assert.notEqual(sfu.rooms.get('new').slot.index, index, 'a new room goes to a Worker that answers');
  const answer = await request(sfu, '/control/status', { token: CONTROL_KEY });
  assert.equal(answer.json.status, 'degraded');

  await viewers[0].event('streamAvailable');
  t.diagnostic(`rebuilt ${Math.round(performance.now() - since)} ms after the Worker stopped`);
  assert.throws(() => process.kill(worker.pid, 0), /ESRCH/);
  const again = await control.call('ingest.open', openRequest('hung', withAudio));
  assert.equal(again.created, false);
  assert.deepEqual(ports(again), ports(hung));
  await senders[0].send(2);
  await until(
    async () => (await control.call('ingest.stats', { device_ids: ['hung'] })).hung.video?.packets === 4,
    'packets of the rebuilt room',
  );
  assert.equal(
    viewers[1].events.some(({ event }) => event === 'streamAvailable'),
    false,
  );
  await until(async () => sfu.pool.aliveCount === 2, 'the Worker is replaced');
  assert.deepEqual(
    sfu.pool
      .describe()
      .map(({ deaths }) => deaths)
      .sort(),
    [0, 1],
  );
  await Promise.all(senders.map((sender) => sender.close()));
});

test('a Worker that answers late is kept', async (t) => {
  const sfu = await startSfu(t, { protocol: { workerCheckMs: 50, workerSilenceMs: 2_000 } });
  const control = await connectControl(sfu);
  await control.call('ingest.open', openRequest('cam-1'));
  const { worker } = sfu.rooms.get('cam-1').slot;
  process.kill(worker.pid, 'SIGSTOP');
  await until(() => sfu.pool.aliveCount === 1, 'it does not answer');
  process.kill(worker.pid, 'SIGCONT');
  await until(() => sfu.pool.aliveCount === 2, 'it answers again');
  assert.equal(sfu.rooms.get('cam-1').slot.worker.pid, worker.pid);
  assert.deepEqual(
    sfu.pool.describe().map(({ deaths }) => deaths),
    [0, 0],
  );
});

/** A server with short limits, in a process of its own. */
const QUICK_SERVER = `
  const { readConfig } = await import('${new URL('../lib/config.js', import.meta.url)}');
  const { createLog } = await import('${new URL('../lib/log.js', import.meta.url)}');
  const { Sfu } = await import('${new URL('../lib/Sfu.js', import.meta.url)}');
  const limits = { pingMs: 100, silenceMs: 300, workerCheckMs: 50, workerSilenceMs: 400 };
  await new Sfu({ ...readConfig(process.env), ...limits }, createLog('INFO')).start();
`;

test('a server that was stopped as a whole continues with its rooms, Workers, sockets and viewers', async (t) => {
  const environment = await testEnvironment({ LOG_LEVEL: 'INFO' });
  const port = Number(environment.SFU_INGEST_PORTS.split('-')[1]);
  environment.SFU_PORT = String(port);
  environment.SFU_INGEST_PORTS = `${port - 50}-${port - 1}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', QUICK_SERVER], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
    cwd: os.tmpdir(),
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (text) => (output += text));
  await until(() => /sfu started/.test(output), 'start');
  const control = await connectControl({ port });
  const opened = await control.call('ingest.open', openRequest('cam-1', withAudio));
  const viewer = await connectViewer({ port });
  await viewer.call('join', { token: await mintToken('cam-1') });
  const workers = [...output.matchAll(/worker started .*pid=(\d+)/g)].map(([, pid]) => Number(pid));
  for (const pid of [child.pid, ...workers]) process.kill(pid, 'SIGSTOP');
  // Longer than a Worker or a socket may be silent.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  for (const pid of [child.pid, ...workers]) process.kill(pid, 'SIGCONT');
  const again = await control.call('ingest.open', openRequest('cam-1', withAudio));
  assert.equal(again.created, false);
  assert.deepEqual(ports(again), ports(opened));
  assert.equal(again.viewers, 1);
  const sender = await RtpSender.open(again.video);
  await sender.send(2);
  await until(
    async () => (await control.call('ingest.stats', { device_ids: ['cam-1'] }))['cam-1'].video?.packets === 4,
    'packets',
  );
  assert.deepEqual([control.closed, viewer.closed], [null, null]);
  assert.ok(!/worker does not answer|worker died/.test(output), output);
  await sender.close();
});
