// Statistics from WebRTC reports.
import { expect, test } from 'vitest';
import { readReceiver } from './receiverStatistics';

function report(inbound: object, pair: object = {}): [string, unknown][] {
  return [
    ['i', { type: 'inbound-rtp', kind: 'video', codecId: 'c', ...inbound }],
    ['a', { type: 'inbound-rtp', kind: 'audio', bytesReceived: 9e9 }],
    [
      'p',
      {
        type: 'candidate-pair',
        nominated: true,
        state: 'succeeded',
        localCandidateId: 'l',
        currentRoundTripTime: 0.02,
        ...pair,
      },
    ],
    ['l', { type: 'local-candidate', protocol: 'udp' }],
    ['c', { type: 'codec', mimeType: 'video/H264' }],
  ];
}

const first = {
  timestamp: 1000,
  bytesReceived: 1000,
  framesDecoded: 10,
  jitterBufferDelay: 1,
  jitterBufferEmittedCount: 10,
};
const second = {
  timestamp: 3000,
  bytesReceived: 501_000,
  framesDecoded: 60,
  jitterBufferDelay: 2.5,
  jitterBufferEmittedCount: 60,
  frameWidth: 1920,
  frameHeight: 1080,
  packetsLost: 7,
};

test('a report without video gives no statistics', () => {
  expect(readReceiver([['x', { type: 'inbound-rtp', kind: 'audio' }]], null)).toBeNull();
});

test('rates and latency are computed over the interval, not over the whole view', () => {
  const before = readReceiver(report(first), null);
  const statistics = readReceiver(report(second), before)?.statistics;
  expect(statistics).toMatchObject({
    fps: 25,
    bitrateKbps: 2000,
    width: 1920,
    height: 1080,
    codec: 'H264',
    packetsLost: 7,
    protocol: 'UDP',
  });
  expect(statistics?.jitterBufferMs).toBeCloseTo(30);
  expect(statistics?.estimatedLatencyMs).toBeCloseTo(30 + 10);
});

test('decreasing counts belong to another connection and are not compared', () => {
  const before = readReceiver(report(second), null);
  expect(readReceiver(report({ ...first, timestamp: 5000 }), before)?.statistics.bitrateKbps).toBeNull();
});

test('without a round-trip time no latency is estimated', () => {
  const statistics = readReceiver(report(first, { currentRoundTripTime: undefined }), null)?.statistics;
  expect(statistics?.estimatedLatencyMs).toBeNull();
});
