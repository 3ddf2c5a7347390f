/** Authorization: the control key of gateway and workers, and the short-lived tokens of viewers for one device. */

import crypto from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import { RequestError } from './errors.js';

/** How far the clocks of the web process and of this machine may differ. */
const LEEWAY_SECONDS = 120;

const EXPIRED =
  'the viewer token has expired; get a new one from the API. If a new one has expired too, the clocks of the SFU and ' +
  'of the web process differ: synchronize both by NTP';

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
   * Whether an Authorization header carries the control key. Digests are compared, so that neither the time of the
   * comparison nor the length reveals anything about the key.
   *
   * @param {string|undefined} header
   */
  isControlKey(header) {
    return crypto.timingSafeEqual(digest(readBearer(header) ?? ''), this.#controlDigest);
  }

  /**
   * Verify a viewer's token and return what it is for. Raises RequestError `unauthorized` (401) for an invalid token.
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
      if (error instanceof errors.JWTExpired) throw unauthorized(EXPIRED);
      throw unauthorized('the viewer token is not valid');
    }
  }
}

/**
 * Read the token of an `Authorization: Bearer …` header; null when there is none.
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
