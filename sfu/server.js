/** Entry point: starts the SFU and stops it on SIGTERM or SIGINT. The server itself is lib/Sfu.js. */

import { readConfig, withDotEnv } from './lib/config.js';
import { StartError } from './lib/errors.js';
import { createLog } from './lib/log.js';
import { Sfu } from './lib/Sfu.js';

const STOP_LIMIT_MS = 4_500;

/** @param {unknown} error */
function fail(error) {
  process.stderr.write(`sfu: ${error instanceof StartError ? error.message : (error?.stack ?? error)}\n`);
  process.exit(error instanceof StartError ? error.exitCode : 70);
}

async function main() {
  const config = readConfig(withDotEnv(process.env));
  const log = createLog(config.logLevel);
  const sfu = new Sfu(config, log);
  const stop = async (signal) => {
    log.info('stopping', { signal });
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await sfu.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.on('unhandledRejection', (error) =>
    log.error('unhandled rejection', { error: error?.stack ?? error }),
  );
  await sfu.start();
}

main().catch(fail);
