// Reads the clock strip of our cameras from a page's <video>; a plain script for Playwright's addScriptTag.
// The layout is described in deploy/demo/clock_strip.py, which draws it; clock.py reads it in Python.
(() => {
  const COLUMNS = 32;
  const ROWS = 2;
  const TOP = 17 / 18;
  const LEAST_CONTRAST = 64;
  const BLOCK = 8; // pixels of a block after scaling the strip to the canvas

  let canvas = null;

  /**
   * The clock in the picture that the video shows now: {timeMs, frame}, or null when there is none that passes its
   * checksum. timeMs is the wall-clock time in milliseconds at which the frame was drawn.
   */
  function readClock(video) {
    if (!video.videoWidth) return null;
    canvas ??= new OffscreenCanvas(COLUMNS * BLOCK, ROWS * BLOCK);
    const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
    const top = video.videoHeight * TOP;
    context.drawImage(
      video, 0, top, video.videoWidth, video.videoHeight - top, 0, 0, canvas.width, canvas.height,
    );
    return decodePixels(context.getImageData(0, 0, canvas.width, canvas.height).data);
  }

  /** The reading of the strip alone, scaled to 256 x 16 pixels of RGBA. */
  function decodePixels(rgba) {
    const levels = [];
    for (let row = 0; row < ROWS; row += 1) {
      for (let column = 0; column < COLUMNS; column += 1) {
        let total = 0;
        for (let y = row * BLOCK + 3; y <= row * BLOCK + 4; y += 1) {
          for (let x = column * BLOCK + 3; x <= column * BLOCK + 4; x += 1) {
            const at = (y * COLUMNS * BLOCK + x) * 4;
            total += rgba[at] + rgba[at + 1] + rgba[at + 2];
          }
        }
        levels.push(total / 12);
      }
    }
    return decodeLevels(levels);
  }

  /** The reading of the 64 blocks' brightness (0 to 255), upper row first. */
  function decodeLevels(levels) {
    const low = Math.min(...levels);
    const high = Math.max(...levels);
    if (high - low < LEAST_CONTRAST) return null;
    let word = 0n;
    for (const level of levels) word = (word << 1n) | (level > (low + high) / 2 ? 1n : 0n);
    if (crc8(word >> 8n) !== Number(word & 0xffn)) return null;
    return { timeMs: Number(word >> 22n), frame: Number((word >> 8n) & 0x3fffn) };
  }

  function crc8(payload) {
    let crc = 0xff;
    for (let shift = 48n; shift >= 0n; shift -= 8n) {
      crc ^= Number((payload >> shift) & 0xffn);
      for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x80 ? (crc << 1) ^ 0x07 : crc << 1) & 0xff;
    }
    return crc;
  }

  /**
   * Calls onReading for each new picture with a clock: {timeMs, frame, seenMs, delayMs, displayDelayMs, mediaTime}.
   * seenMs is the wall-clock time of the callback, delayMs the time since the frame was drawn; displayDelayMs adds
   * what the browser expects until the picture is on the screen. Returns the function that stops it.
   */
  function watchClock(video, onReading) {
    let isStopped = false;
    const look = (now, metadata) => {
      if (isStopped) return;
      const seenMs = performance.timeOrigin + performance.now();
      const reading = readClock(video);
      if (reading) {
        const delayMs = seenMs - reading.timeMs;
        const untilDisplay = Math.max(0, metadata.expectedDisplayTime - now);
        onReading({
          ...reading, seenMs, delayMs, displayDelayMs: delayMs + untilDisplay, mediaTime: metadata.mediaTime,
        });
      }
      video.requestVideoFrameCallback(look);
    };
    video.requestVideoFrameCallback(look);
    return () => { isStopped = true; };
  }

  /** Readings of `count` pictures as a Promise; rejects after timeoutMs with how many there were. */
  function collectClock(video, count, timeoutMs = 30000) {
    return new Promise((resolve, reject) => {
      const readings = [];
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`only ${readings.length} of ${count} pictures with a clock in ${timeoutMs} ms`));
      }, timeoutMs);
      const stop = watchClock(video, (reading) => {
        readings.push(reading);
        if (readings.length < count) return;
        stop();
        clearTimeout(timer);
        resolve(readings);
      });
    });
  }

  globalThis.cameraClock = { readClock, watchClock, collectClock, decodePixels, decodeLevels };
})();
