/** HTTP requests and responses: bodies with a size limit, JSON, and the error format of VAS. */

import http from 'node:http';
import { describeError, RequestError } from './errors.js';

/**
 * Read the body as text. Raises RequestError 413 when it exceeds the limit.
 *
 * @param {http.IncomingMessage} request
 * @param {number} limitBytes
 */
export async function readBody(request, limitBytes) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > limitBytes)
      throw new RequestError('too_large', `the body must have at most ${limitBytes} bytes`, 413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * @param {http.ServerResponse} response
 * @param {number} status
 * @param {object} value
 */
export function sendJson(response, status, value) {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

/**
 * Respond with `{code, status, message, errors, reason}`, as the REST API does.
 *
 * @param {http.ServerResponse} response
 * @param {unknown} error
 */
export function sendError(response, error) {
  const { code, message } = describeError(error);
  const status = error instanceof RequestError ? error.status : (STATUS_OF[code] ?? 500);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // The rest of a refused body is not read, so the connection cannot be used again.
  if (status === 413) response.setHeader('Connection', 'close');
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  sendJson(response, status, {
    code: status,
    status: http.STATUS_CODES[status] ?? 'Error',
    message,
    errors: {},
    reason: code,
  });
}

const STATUS_OF = { stream_restarting: 503, bad_request: 400 };
