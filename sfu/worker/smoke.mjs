// Checks that a mediasoup worker program works: starts it and sends RTP through SRTP.
//
//     MEDIASOUP_WORKER_BIN=… node sfu/worker/smoke.mjs
//
// The packets go from one Router to another over two encrypting PipeTransports, so that both directions of the
// libsrtp bridge are used. Prints one line; exit status 0 when the packets were received.

import * as mediasoup from 'mediasoup';

const PACKETS = 20;
const LIMIT_MS = 5000;
const SSRC = 1234;
const OPUS = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
const RTP_PARAMETERS = {
  codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48000, channels: 2, parameters: {} }],
  encodings: [{ ssrc: SSRC }],
};

// Builds a version 2 RTP packet (RFC 3550, 5.1) of payload type 100; its payload is its number, ten times.
function buildPacket(sequence) {
  const packet = Buffer.alloc(12 + 10, sequence);
  packet.writeUInt16BE(0x8000 | 100, 0);
  packet.writeUInt16BE(sequence, 2);
  packet.writeUInt32BE(sequence * 960, 4);
  packet.writeUInt32BE(SSRC, 8);
  return packet;
}

async function connectRouters(from, to) {
  const listenInfo = { protocol: 'udp', ip: '127.0.0.1' };
  const ends = [
    await from.createPipeTransport({ listenInfo, enableSrtp: true }),
    await to.createPipeTransport({ listenInfo, enableSrtp: true }),
  ];
  for (const [end, other] of [ends, [...ends].reverse()]) {
    await end.connect({ ip: '127.0.0.1', port: other.tuple.localPort, srtpParameters: other.srtpParameters });
  }
  return ends;
}

async function sendThroughSrtp(worker) {
  const [from, to] = [await worker.createRouter({ mediaCodecs: [OPUS] }), await worker.createRouter({ mediaCodecs: [OPUS] })];
  const webRtcServer = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
  await to.createWebRtcTransport({ webRtcServer });

  const source = await (await from.createDirectTransport()).produce({ kind: 'audio', rtpParameters: RTP_PARAMETERS });
  const [near, far] = await connectRouters(from, to);
  const { rtpParameters } = await near.consume({ producerId: source.id });
  const piped = await far.produce({ kind: 'audio', rtpParameters });
  const sink = await (await to.createDirectTransport()).consume({
    producerId: piped.id,
    rtpCapabilities: to.rtpCapabilities,
  });

  const received = new Promise((resolve) => {
    let count = 0;
    sink.on('rtp', (packet) => {
      if (packet.subarray(-10).every((byte) => byte === packet[packet.length - 1]) && ++count === PACKETS) resolve();
    });
  });
  for (let sequence = 1; sequence <= PACKETS; sequence++) source.send(buildPacket(sequence));
  await received;
}

const limit = setTimeout(() => {
  console.error(`no ${PACKETS} packets were received within ${LIMIT_MS} ms`);
  process.exit(1);
}, LIMIT_MS);
const worker = await mediasoup.createWorker();
worker.on('died', (error) => {
  console.error(`the worker died: ${error.message}`);
  process.exit(1);
});
await sendThroughSrtp(worker);
clearTimeout(limit);
worker.close();
console.log(`mediasoup ${mediasoup.version}: worker started, ${PACKETS} packets through SRTP`);
