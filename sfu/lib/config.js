/** Settings of the SFU, read once from the environment and `.env`, each validated with a clear error message. */

import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { StartError } from './errors.js';
import { ANY_HOST, parseHost, parseOrigin } from './hosts.js';
import { LOG_LEVELS } from './log.js';

/** Durations and sizes that are part of the protocol, with their units in the names; tests shorten some of them. */
export const PROTOCOL = Object.freeze({
  joinTimeoutMs: 5_000,
  roomWaitMs: 10_000,
  ownerGraceMs: 60_000,
  pingMs: 5_000,
  silenceMs: 15_000,
  statsLimitMs: 1_000,
  workerCheckMs: 500,
  workerSilenceMs: 4_000,
  connectTimeoutMs: 30_000,
  iceConsentSeconds: 20,
  disconnectGraceMs: 45_000,
  maxViewerMessageBytes: 64 * 1024,
  maxControlMessageBytes: 1024 * 1024,
  maxOfferBytes: 64 * 1024,
});

const text = (name, value) => value;

/** @returns {(name: string, value: string) => number} */
const wholeNumber = (minimum, maximum) => (name, value) => {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < minimum || number > maximum) {
    throw new StartError(
      `'${name}' must be a whole number between ${minimum} and ${maximum}, not '${value}'`,
      78,
    );
  }
  return number;
};

function portRange(name, value) {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(value);
  const [min, max] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (!match || min < 1024 || max > 65535 || max - min < 3) {
    throw new StartError(
      `'${name}' must be a range of at least 4 ports between 1024 and 65535, such as 20000-23999, not '${value}'`,
      78,
    );
  }
  return { min, max };
}

function address(name, value) {
  if (!net.isIP(value)) throw new StartError(`'${name}' must be an IP address, not '${value}'`, 78);
  return value;
}

function hostOrAddress(name, value) {
  if (!/^[A-Za-z0-9.:-]{1,253}$/.test(value)) {
    throw new StartError(`'${name}' must be an IP address or a host name, not '${value}'`, 78);
  }
  return value;
}

/** @returns {string[]} */
function list(value) {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

function hosts(name, value) {
  for (const text of list(value)) {
    if (text !== ANY_HOST && parseHost(text) === null) {
      throw new StartError(
        `'${name}' must be host names or addresses such as cam.example.com or 192.168.1.5:8000, not '${text}'`,
        78,
      );
    }
  }
  return list(value);
}

function origins(name, value) {
  return list(value).map((text) => {
    const origin = parseOrigin(text);
    if (origin) return origin.text;
    throw new StartError(
      `'${name}' must be origins such as https://app.example.com or http://192.168.1.5:8123, not '${text}'`,
      78,
    );
  });
}

function networks(name, value) {
  return list(value).map((text) => {
    const [, address, prefix] = /^([0-9A-Fa-f:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const bits = { 4: 32, 6: 128 }[net.isIP(address ?? '')];
    if (bits === undefined || Number(prefix ?? bits) > bits) {
      throw new StartError(`'${name}' must be networks such as 192.168.0.0/16, not '${text}'`, 78);
    }
    return { address, prefix: Number(prefix ?? bits), family: bits === 32 ? 'ipv4' : 'ipv6' };
  });
}

function url(name, value) {
  if (!URL.canParse(value))
    throw new StartError(`'${name}' must be a URL such as https://sfu.example.com, not '${value}'`, 78);
  return value;
}

function logLevel(name, value) {
  if (!LOG_LEVELS.includes(value.toUpperCase())) {
    throw new StartError(`'${name}' must be one of ${LOG_LEVELS.join(', ')}, not '${value}'`, 78);
  }
  return value.toUpperCase();
}

function secretText(name, value) {
  // The message must not contain the secret.
  if (value.length < 16) throw new StartError(`'${name}' must have at least 16 characters`, 78);
  return value;
}

/** Environment variable, configuration key, parser and default of each setting. The README's table lists the same. */
export const SETTINGS = [
  ['SFU_SECRET', 'secret', secretText, ''],
  ['VAR_DIR', 'varDir', text, 'var'],
  ['SFU_HOST', 'host', hostOrAddress, '127.0.0.1'],
  ['SFU_PORT', 'port', wholeNumber(0, 65535), '4000'],
  ['SFU_WORKERS', 'workers', wholeNumber(1, 256), String(os.availableParallelism())],
  ['SFU_WEBRTC_IP', 'webrtcIp', address, '127.0.0.1'],
  ['SFU_WEBRTC_PORT', 'webrtcPort', wholeNumber(1024, 65535), '44400'],
  ['ANNOUNCED_ADDRESS', 'announcedAddress', hostOrAddress, ''],
  ['SFU_INGEST_IP', 'ingestIp', address, '127.0.0.1'],
  ['SFU_INGEST_PORTS', 'ingestPorts', portRange, '20000-23999'],
  ['SFU_SOURCE_PORTS', 'sourcePorts', portRange, '24000-27999'],
  ['SFU_MAX_VIEWERS', 'maxViewers', wholeNumber(1, 100_000), '1000'],
  ['SFU_MAX_VIEWERS_PER_TOKEN', 'maxViewersPerToken', wholeNumber(1, 100_000), '8'],
  ['SFU_MAX_VIEWERS_PER_ADDRESS', 'maxViewersPerAddress', wholeNumber(1, 100_000), '256'],
  ['SFU_MAX_VIEWERS_PER_TENANT', 'maxViewersPerTenant', wholeNumber(0, 100_000), '0'],
  ['SFU_PUBLIC_URL', 'publicUrl', url, ''],
  ['TRUSTED_HOSTS', 'trustedHosts', hosts, ''],
  ['TRUSTED_PROXIES', 'trustedProxies', networks, ''],
  ['ALLOWED_ORIGINS', 'allowedOrigins', origins, ''],
  ['MEDIASOUP_WORKER_BIN', 'workerBin', text, ''],
  ['LOG_LEVEL', 'logLevel', logLevel, 'INFO'],
];

const LISTS = new Set([hosts, networks, origins]);

/**
 * Copy the environment and add the settings of the `.env` file in the working folder. Variables that are already
 * set take precedence; a missing or unreadable file adds nothing.
 *
 * @param {Record<string, string|undefined>} environment
 * @param {string} [file]
 */
export function withDotEnv(environment, file = path.resolve('.env')) {
  const merged = { ...environment };
  let content;
  try {
    content = fs.readFileSync(file, 'utf8');
  } catch {
    return merged;
  }
  for (const [name, value] of Object.entries(parseDotEnv(content))) merged[name] ??= value;
  return merged;
}

/**
 * Parse `.env` with the same result as python-dotenv, with which gateway and workers read the file; only `${NAME}` and
 * escaped double quotes differ. Node's parser gets one assignment at a time, because Node 20 joins a line without '='
 * to the name in the next line, and does not skip a byte order mark.
 *
 * @param {string} content
 */
function parseDotEnv(content) {
  const values = {};
  for (const line of content.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    const [, name, value] = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=(.*)$/.exec(line) ?? [];
    if (name) Object.assign(values, parseEnv(`${name}=${quoteBareValue(value)}`));
  }
  return values;
}

/** Node ends an unquoted value at any '#', python-dotenv only at one after white space: secrets may contain it. */
function quoteBareValue(value) {
  if (/^\s*['"]/.test(value)) return value.trim();
  const bare = value.replace(/\s+#.*$/, '').trim();
  const quote = ["'", '`'].find((mark) => !bare.includes(mark)) ?? '"';
  return `${quote}${bare}${quote}`;
}

/**
 * Build the configuration. Raises StartError, which names the first invalid setting and what it accepts.
 *
 * @param {Record<string, string|undefined>} environment
 */
export function readConfig(environment) {
  /** @type {Record<string, any>} */
  const config = { ...PROTOCOL };
  for (const [name, key, parse, fallback] of SETTINGS) {
    const value = environment[name] || fallback;
    config[key] = value === '' && !LISTS.has(parse) ? '' : parse(name, value);
  }
  checkPorts(config);
  if (['0.0.0.0', '::'].includes(config.webrtcIp) && !config.announcedAddress) {
    throw new StartError(
      `'ANNOUNCED_ADDRESS' must be set when 'SFU_WEBRTC_IP' is ${config.webrtcIp}: it is the address at which viewers reach this machine`,
      78,
    );
  }
  if (!config.secret) config.secret = readOrCreateSecret(path.join(config.varDir, 'secrets', 'sfu_secret'));
  return /** @type {any} */ (config);
}

function checkPorts(config) {
  const ranges = [
    ['SFU_INGEST_PORTS', config.ingestPorts],
    ['SFU_SOURCE_PORTS', config.sourcePorts],
    ['SFU_WEBRTC_PORT', { min: config.webrtcPort, max: config.webrtcPort + config.workers - 1 }],
    ['SFU_PORT', { min: config.port, max: config.port }],
  ];
  if (config.webrtcPort + config.workers - 1 > 65535) {
    throw new StartError(
      `'SFU_WEBRTC_PORT' must leave room for ${config.workers} ports below 65536, not ${config.webrtcPort}`,
      78,
    );
  }
  for (let a = 0; a < ranges.length; a += 1) {
    for (let b = a + 1; b < ranges.length; b += 1) {
      if (ranges[a][1].min <= ranges[b][1].max && ranges[b][1].min <= ranges[a][1].max) {
        throw new StartError(`'${ranges[a][0]}' and '${ranges[b][0]}' must not share ports`, 78);
      }
    }
  }
}

/**
 * Read the secret from the file; create the file (mode 0600) when it is missing. The gateway uses the same procedure:
 * a hard link makes the complete file appear at once and the first process wins, so that all processes use the same
 * secret in whatever order they start.
 *
 * @param {string} file
 */
function readOrCreateSecret(file) {
  try {
    if (!fs.existsSync(file)) {
      fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      const draft = path.join(
        path.dirname(file),
        `.sfu_secret.${process.pid}.${crypto.randomBytes(4).toString('hex')}`,
      );
      fs.writeFileSync(draft, `${crypto.randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
      try {
        fs.linkSync(draft, file);
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      } finally {
        fs.unlinkSync(draft);
      }
    }
    return secretText(file, fs.readFileSync(file, 'utf8').trim());
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `the secret file '${file}' cannot be read (${error.code ?? error.message}): set 'SFU_SECRET' or make the file readable`,
      78,
    );
  }
}

/** @typedef {ReturnType<typeof readConfig>} Config */
