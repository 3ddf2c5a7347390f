/** Current state and resource usage of the SFU, as JSON for the gateway and as text for Prometheus. */

/**
 * @param {{pool: import('./mediasoupWorkers.js').WorkerPool, rooms: import('./Rooms.js').Rooms, ports: import('./ports.js').Ports, version: string, startedAt: Date}} sfu
 */
export function collectStatus({ pool, rooms, ports, version, startedAt }) {
  const workers = pool.describe();
  const { transports, producers, consumers, routers } = pool.counts;
  return {
    status: pool.aliveCount === workers.length ? 'ok' : pool.aliveCount > 0 ? 'degraded' : 'down',
    version,
    started_at: startedAt.toISOString(),
    mediasoup: { version: pool.version, worker_bin: pool.workerBin, worker_origin: pool.origin },
    workers,
    rooms: rooms.size,
    viewers: rooms.viewerCount,
    routers,
    transports,
    producers,
    consumers,
    ports_in_use: ports.inUse,
  };
}

const GAUGES = {
  rooms: 'Rooms, one per device.',
  viewers: 'Viewers by signalling and WHEP, including waiting ones.',
  routers: 'mediasoup Routers.',
  transports: 'mediasoup Transports of all kinds.',
  producers: 'mediasoup Producers.',
  consumers: 'mediasoup Consumers.',
  ports_in_use: 'UDP ports reserved for ingest, at both ends.',
};
const WORKER_METRICS = {
  rooms: ['gauge', 'Rooms on this Worker.', 1],
  consumers: ['gauge', 'Consumers on this Worker.', 1],
  cpu_ms: ['counter', 'CPU time of this Worker.', 1 / 1000, 'cpu_seconds_total'],
  rss_kb: ['gauge', 'Resident memory of this Worker.', 1024, 'resident_bytes'],
  deaths: ['counter', 'How often the Worker in this slot has died.', 1, 'deaths_total'],
};

/**
 * Format the status in Prometheus' text format.
 *
 * @param {ReturnType<typeof collectStatus>} status
 */
export function formatMetrics(status) {
  const lines = [];
  for (const [name, about] of Object.entries(GAUGES)) {
    lines.push(
      `# HELP vas_sfu_${name} ${about}`,
      `# TYPE vas_sfu_${name} gauge`,
      `vas_sfu_${name} ${status[name]}`,
    );
  }
  for (const [key, [type, about, factor, name = key]] of Object.entries(WORKER_METRICS)) {
    lines.push(`# HELP vas_sfu_worker_${name} ${about}`, `# TYPE vas_sfu_worker_${name} ${type}`);
    status.workers.forEach((worker, index) =>
      lines.push(`vas_sfu_worker_${name}{worker="${index}"} ${worker[key] * factor}`),
    );
  }
  return `${lines.join('\n')}\n`;
}
