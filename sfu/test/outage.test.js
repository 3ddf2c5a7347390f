/** A WHEP player whose network is away: its session survives an outage, and ends when the player stays away. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectControl, mintToken, openRequest, request, startSfu, until, whep } from './harness.js';

/** Start an SFU; `open` opens a session, whose `report` announces a state of ICE as mediasoup does after 10 s at least. */
async function startRoom(t, disconnectGraceMs) {
  const sfu = await startSfu(t, { protocol: { disconnectGraceMs } });
  const control = await connectControl(sfu);
  await control.call('ingest.open', openRequest('cam-1'));
  let latest;
  sfu.rooms
    .get('cam-1')
    .router.observer.on('newtransport', (opened) => (latest = opened.iceState ? opened : latest));
  const open = async () => {
    const answer = await whep(sfu, 'cam-1', { token: await mintToken('cam-1') });
    assert.equal(answer.status, 201);
    const transport = latest;
    return {
      page: answer.location,
      report: (state) => transport.emit('icestatechange', state),
      end: async () => (await request(sfu, answer.location, { method: 'DELETE' })).status,
    };
  };
  return { sfu, open };
}

test('the session of a player survives an outage of its network, and ICE can be restarted', async (t) => {
  const { sfu, open } = await startRoom(t, 200);
  const [player, other] = [await open(), await open()];
  for (const state of ['disconnected', 'connected', 'disconnected', 'completed']) player.report(state);
  other.report('disconnected');
  await until(() => sfu.rooms.viewerCount === 1, "the other player's grace is over");
  player.report('disconnected');
  const restarted = await request(sfu, player.page, {
    method: 'PATCH',
    body: `a=ice-ufrag:efgh\r\na=ice-pwd:${'p'.repeat(24)}\r\n`,
    headers: { 'Content-Type': 'application/trickle-ice-sdpfrag' },
  });
  assert.equal(restarted.status, 200);
  player.report('connected');
  assert.equal(await player.end(), 200);
});

test('the session of a player that stays away ends after the grace, however often it is reported', async (t) => {
  const { sfu, open } = await startRoom(t, 100);
  const player = await open();
  player.report('disconnected');
  player.report('disconnected');
  await until(() => sfu.rooms.viewerCount === 0, 'the session has ended');
  assert.equal(await player.end(), 404);
});

test('a session can be ended while its player is away', async (t) => {
  const { sfu, open } = await startRoom(t, 60_000);
  const player = await open();
  player.report('disconnected');
  assert.equal(await player.end(), 200);
  assert.equal(sfu.rooms.viewerCount, 0);
});
