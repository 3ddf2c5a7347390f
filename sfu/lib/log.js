/** Structured logs: one line per event, `time LEVEL message key=value …`, on standard output. */

const LEVELS = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40 };

export const LOG_LEVELS = Object.keys(LEVELS);

/** @param {unknown} value */
function formatValue(value) {
  const text = value instanceof Error ? value.message : String(value);
  // A line break in a value could forge a second log line.
  return /^[\w.:@/+-]+$/.test(text) ? text : JSON.stringify(text);
}

/**
 * @param {string} level lowest level that is written, one of LOG_LEVELS
 * @param {(line: string) => void} [write]
 */
export function createLog(level, write = (line) => process.stdout.write(line)) {
  const at =
    (name) =>
    (message, fields = {}) => {
      if (LEVELS[name] < LEVELS[level]) return;
      const pairs = Object.entries(fields)
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([key, value]) => ` ${key}=${formatValue(value)}`);
      write(`${new Date().toISOString()} ${name} ${message}${pairs.join('')}\n`);
    };
  return { debug: at('DEBUG'), info: at('INFO'), warning: at('WARNING'), error: at('ERROR') };
}

/** @typedef {ReturnType<typeof createLog>} Log */
