/** Errors that the SFU reports to its clients, each with a code for programs and a message for people. */

/** A refused request. `code` is snake_case; `status` is the HTTP status of the response to an HTTP request. */
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

/** An invalid setting or a missing part of the installation prevents the start. `exitCode` follows sysexits.h. */
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
 * Convert an error to what is sent to the client: a RequestError unchanged; mediasoup's errors for invalid parameters
 * as `bad_request`, and for a Router or Worker that has just closed as `stream_restarting`; all others as `internal`.
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
  return {
    code: 'internal',
    message: 'the SFU failed to process the request; its log has the details',
    isExpected: false,
  };
}
