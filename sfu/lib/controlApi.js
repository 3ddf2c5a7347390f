/** The control API: stream workers open and close ingest over the WebSocket /control. */

import { AUDIO_CODECS } from './codecs.js';
import { RequestError } from './errors.js';
import { isObject, JsonSocket } from './JsonSocket.js';

const REQUESTS_PER_SECOND = 2_000;

/**
 * Serve one control socket; the caller has checked the key.
 *
 * @param {import('ws').WebSocket} socket
 * @param {import('node:http').IncomingMessage} request
 * @param {{rooms: import('./Rooms.js').Rooms, config: import('./config.js').Config, log: import('./log.js').Log}} context
 */
export function serveControl(socket, request, { rooms, config, log }) {
  let owner = null;
  const sourceIp = normaliseIp(request.socket.remoteAddress, config.ingestIp);
  const ingestIp = isAny(config.ingestIp)
    ? normaliseIp(request.socket.localAddress, config.ingestIp)
    : config.ingestIp;
  const notify = (event, data) => json.notify(event, data);

  const needOwner = () => {
    if (owner === null)
      throw new RequestError(
        'hello_missing',
        "the first request on a control socket must be 'hello' with an 'owner'",
      );
  };

  const methods = new Map([
    [
      'hello',
      ({ owner: name }) => {
        if (typeof name !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(name)) {
          throw new RequestError(
            'bad_request',
            "'owner' must be 1 to 200 visible ASCII characters, such as host:pid",
          );
        }
        if (owner !== null && owner !== name)
          throw new RequestError('bad_request', `this socket already belongs to the owner '${owner}'`);
        owner = name;
        rooms.ownerConnected(owner, notify);
        log.info('owner connected', { owner, source: sourceIp });
        return {};
      },
    ],
    [
      'ingest.open',
      (data) => {
        needOwner();
        const wanted = parseOpen(data);
        return rooms.open({ ...wanted, owner, sourceIp, ingestIp });
      },
    ],
    [
      'ingest.close',
      async (data) => ({ closed: await rooms.close(parseDeviceId(data.device_id), 'requested') }),
    ],
    ['ingest.stats', ({ device_ids: ids = null }) => rooms.stats(ids === null ? null : parseDeviceIds(ids))],
    [
      'resync',
      ({ device_ids: ids }) => {
        needOwner();
        return rooms.resync(owner, parseDeviceIds(ids));
      },
    ],
  ]);

  const json = new JsonSocket(socket, {
    methods,
    log,
    config,
    isOrdered: false,
    requestsPerSecond: REQUESTS_PER_SECOND,
    onClose: () => {
      if (owner === null) return;
      log.info('owner gone', { owner });
      rooms.ownerGone(owner, notify);
    },
  });
  return json;
}

/** @param {object} data */
function parseOpen({ device_id: id, video, audio = null, ports, fresh = false }) {
  const deviceId = parseDeviceId(id);
  if (!isObject(video) || video.codec !== 'h264') {
    throw new RequestError(
      'unsupported_codec',
      '\'video\' must be {"codec":"h264"}, other codecs must be re-encoded first',
    );
  }
  if (audio !== null && (!isObject(audio) || !AUDIO_CODECS.includes(audio.codec))) {
    throw new RequestError(
      'unsupported_codec',
      `'audio' must be null or {"codec":"opus"}, with one of ${AUDIO_CODECS.join(', ')}`,
    );
  }
  if (typeof fresh !== 'boolean') throw new RequestError('bad_request', "'fresh' must be true or false");
  return { deviceId, audioCodec: audio?.codec ?? null, ports: parsePorts(ports), isFresh: fresh };
}

function parsePorts(ports) {
  if (ports === undefined || ports === null) return undefined;
  const parse = (name, value) => {
    if (value === undefined || value === null) return undefined;
    const names = ['rtp_port', 'rtcp_port', 'source_rtp_port', 'source_rtcp_port'];
    for (const key of names) {
      const port = isObject(value) ? value[key] : null;
      if (!Number.isInteger(port) || port < 1 || port > 65535) {
        throw new RequestError('bad_request', `'ports.${name}.${key}' must be a port between 1 and 65535`);
      }
    }
    return Object.fromEntries(names.map((key) => [key, value[key]]));
  };
  if (!isObject(ports))
    throw new RequestError('bad_request', "'ports' must be an object with 'video' and 'audio'");
  return { video: parse('video', ports.video), audio: parse('audio', ports.audio) };
}

function parseDeviceIds(ids) {
  if (!Array.isArray(ids) || ids.length > 10_000)
    throw new RequestError('bad_request', "'device_ids' must be a list of device ids");
  return ids.map(parseDeviceId);
}

function parseDeviceId(id) {
  if (!isDeviceId(id))
    throw new RequestError('bad_request', "'device_id' must be 1 to 64 letters, digits, '-' or '_'");
  return id;
}

/** @param {unknown} id */
export function isDeviceId(id) {
  return typeof id === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(id);
}

/** Convert an address for PlainTransport, which needs one of the family on which ingest listens. */
function normaliseIp(address, ingestIp) {
  const plain = (address ?? '').replace(/^::ffff:/i, '');
  return plain === '::1' && !ingestIp.includes(':') ? '127.0.0.1' : plain;
}

const isAny = (ip) => ip === '0.0.0.0' || ip === '::';
