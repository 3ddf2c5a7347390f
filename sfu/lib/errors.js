/** The errors that callers of the SFU are told about, each with a code for programs and a sentence for people. */

/** A request that cannot be granted. `code` is snake_case; `status` is the HTTP status where HTTP is spoken. */
export class RequestError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} [status]
   */
  constructor(code, message, status = 400) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
    this.status = status;
  }
}

/** A setting or a part of the installation that keeps the SFU from starting. `exitCode` follows sysexits.h. */
export class StartError extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode 78: a setting is wrong, 69: mediasoup's worker or a port is not available
   */
  constructor(message, exitCode) {
    super(message);
    this.name = 'StartError';
    this.exitCode = exitCode;
  }
}

/**
 * What to tell a caller about any error: RequestError as it is; what mediasoup throws for bad parameters as
 * `bad_request`; for a Router or Worker that has just gone as `stream_restarting`; all else as `internal`.
 *
 * @param {unknown} error
 * @returns {{code: string, message: string, isExpected: boolean}}
 */
export function describeError(error) {
  if (error instanceof RequestError) return { code: error.code, message: error.message, isExpected: true };
  const name = error instanceof Error ? error.constructor.name : '';
  const message = error instanceof Error ? error.message : String(error);
  if (name === 'InvalidStateError' || /not found|closed/i.test(message)) {
    return {
      code: 'stream_restarting',
      message: 'the stream is being rebuilt, try again in a moment',
      isExpected: true,
    };
  }
  if (error instanceof TypeError || name === 'UnsupportedError') {
    return { code: 'bad_request', message: message.slice(0, 300), isExpected: true };
  }
  return { code: 'internal', message: 'the SFU failed to do this, its log says why', isExpected: false };
}
