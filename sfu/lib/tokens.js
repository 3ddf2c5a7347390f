/** Who may do what: the control key of gateway and workers, and viewers' short-lived tokens for one device. */

import crypto from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { RequestError } from './errors.js';

const LEEWAY_SECONDS = 5;

const digest = (value) => crypto.createHash('sha256').update(value).digest();

export class Tokens {
  #controlDigest;
  #viewerKey;

  /** @param {string} secret SFU_SECRET; both keys are derived from it so that neither reveals the other */
  constructor(secret) {
    const derive = (label) => crypto.createHmac('sha256', secret).update(label).digest('hex');
    this.#controlDigest = digest(derive('vas control'));
    this.#viewerKey = new TextEncoder().encode(derive('vas viewer'));
  }

  /**
   * Whether an Authorization header carries the control key. Digests are compared, so neither the time taken nor
   * the length says anything about the key.
   *
   * @param {string|undefined} header
   */
  isControlKey(header) {
    return crypto.timingSafeEqual(digest(readBearer(header) ?? ''), this.#controlDigest);
  }

  /**
   * The device a viewer's token is for. Raises RequestError `unauthorized` (401) for any token that is not good.
   *
   * @param {unknown} token
   * @returns {Promise<{deviceId: string, tenantId: string, tokenId: string}>}
   */
  async verifyViewerToken(token) {
    if (typeof token !== 'string' || token === '') throw unauthorized('a viewer token is missing');
    try {
      const { payload } = await jwtVerify(token, this.#viewerKey, {
        algorithms: ['HS256'],
        issuer: 'vas',
        audience: 'viewer',
        clockTolerance: LEEWAY_SECONDS,
        requiredClaims: ['exp', 'iat', 'jti', 'device', 'tenant'],
      });
      if (typeof payload.device !== 'string' || typeof payload.tenant !== 'string') {
        throw unauthorized('the viewer token names no device');
      }
      return { deviceId: payload.device, tenantId: payload.tenant, tokenId: String(payload.jti) };
    } catch (error) {
      if (error instanceof RequestError) throw error;
      if (error instanceof errors.JWTExpired)
        throw unauthorized('the viewer token has expired, ask the API for a new one');
      throw unauthorized('the viewer token is not valid');
    }
  }
}

/**
 * The token of an `Authorization: Bearer …` header.
 *
 * @param {string|undefined} header
 * @returns {string|null}
 */
export function readBearer(header) {
  return /^Bearer +(\S+)$/i.exec(header ?? '')?.[1] ?? null;
}

function unauthorized(message) {
  return new RequestError('unauthorized', message, 401);
}
