// Translates errors of hls.js and of the network to their meaning for recorded playback.
import type { ErrorData } from 'hls.js';
import { FootageUnavailable } from './historyState';
import { HlsUnsupported } from './hlsLibrary';

const CANNOT_DECODE = new Set([
  'bufferAddCodecError',
  'bufferIncompatibleCodecsError',
  'manifestIncompatibleCodecsError',
]);

const NO_ANSWER = 'the disk or the archive with this footage does not answer';

/** Why the server cannot send footage now, in its own words. */
export function outageOf(data: ErrorData): FootageUnavailable | null {
  if (data.details === 'fragLoadTimeOut')
    return new FootageUnavailable('server', 'the footage does not arrive in time');
  if (data.response?.code !== 503) return null;
  return new FootageUnavailable('server', problemOf(data.networkDetails).message || NO_ANSWER);
}

/** The JSON that the server sent instead of footage. */
function problemOf(request: unknown): { message?: string } {
  try {
    const { response } = request as XMLHttpRequest;
    const text =
      typeof response === 'string' ? response : new TextDecoder().decode(new Uint8Array(response as ArrayBuffer));
    return (JSON.parse(text) ?? {}) as { message?: string };
  } catch {
    return {};
  }
}

/** A loss; 'media' for a decoder error, 'gone' for a file that no longer exists; null for errors that hls.js repairs itself. */
export function classifyError(data: ErrorData): FootageUnavailable | 'media' | 'gone' | null {
  if (CANNOT_DECODE.has(data.details)) {
    const codec = (data as { mimeType?: string }).mimeType;
    return new FootageUnavailable('unsupported', `this browser cannot decode ${codec ? `'${codec}'` : 'this video'}`);
  }
  if (!data.fatal) return null;
  if (data.type === 'mediaError') return 'media';
  const status = data.response?.code ?? 0;
  if (status === 404 || status === 410) return 'gone';
  if (status === 401 || status === 403)
    return new FootageUnavailable('forbidden', 'you may not watch these recordings');
  const outage = outageOf(data);
  if (outage) return outage;
  if (status >= 400) return new FootageUnavailable('server', 'the server could not send the footage');
  return new FootageUnavailable('network', 'the server cannot be reached');
}

export function asLoss(error: unknown): FootageUnavailable {
  if (error instanceof FootageUnavailable) return error;
  if (error instanceof HlsUnsupported) return new FootageUnavailable('unsupported', error.message);
  return new FootageUnavailable('network', 'the player could not be loaded');
}
