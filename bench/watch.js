// The benchmarks' code in a page: record the clock of each picture and the beeps of the sound, and play by WHEP. For
// Playwright's addScriptTag.
(() => {
  const LOUD = 0.1; // share of full scale from which on sound is a beep
  const QUIET_SECONDS = 1; // between two beeps, at least

  /** Collects [seenMs, drawnMs, delayMs, displayDelayMs] of each picture of `video` in window.bench.readings. */
  globalThis.benchNote = (video) => {
    globalThis.bench = { readings: [], firstFrameMs: null };
    video.requestVideoFrameCallback(() => { globalThis.bench.firstFrameMs = performance.now(); });
    globalThis.cameraClock.watchClock(video, (reading) => {
      globalThis.bench.readings.push([reading.seenMs, reading.timeMs, reading.delayMs, reading.displayDelayMs]);
    });
  };

  /**
   * Collects in window.benchBeeps, for each beep of a DriftingCamera that begins, the number of the picture that is on
   * the screen, with fractions for the time since it came. `fps` is the camera's true rate.
   */
  globalThis.benchListen = async (video, fps) => {
    globalThis.benchBeeps = [];
    let shown = null;
    globalThis.cameraClock.watchClock(video, ({ timeMs, delayMs, displayDelayMs }) => {
      shown = { number: timeMs, atMs: performance.now() + displayDelayMs - delayMs };
    });
    const context = new AudioContext({ latencyHint: 'interactive' });
    await context.resume();
    const listener = context.createScriptProcessor(256, 1, 1);
    let silentSamples = 0;
    listener.onaudioprocess = ({ inputBuffer, playbackTime }) => {
      const samples = inputBuffer.getChannelData(0);
      samples.forEach((sample, place) => {
        if (Math.abs(sample) < LOUD) { silentSamples += 1; return; }
        if (silentSamples > QUIET_SECONDS * context.sampleRate && shown) {
          const untilPlayed = playbackTime + place / context.sampleRate - context.currentTime;
          const sinceShown = performance.now() + untilPlayed * 1000 - shown.atMs;
          globalThis.benchBeeps.push(shown.number + sinceShown * fps / 1000);
        }
        silentSamples = 0;
      });
    };
    context.createMediaStreamSource(video.srcObject).connect(listener);
    listener.connect(context.destination);
  };

  /** A WHEP player (draft-ietf-wish-whep) without code of VAS; its buffer is as small as that of VAS's player. */
  globalThis.watchWhep = async (video, { url, token, hasSound = false }) => {
    const startMs = performance.now();
    const pc = new RTCPeerConnection();
    const stream = new MediaStream();
    pc.addTransceiver('video', { direction: 'recvonly' });
    if (hasSound) pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.ontrack = ({ receiver, track }) => {
      receiver.jitterBufferTarget = 0;
      stream.addTrack(track);
      video.srcObject = stream;
    };
    await pc.setLocalDescription(await pc.createOffer());
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...(token && { Authorization: `Bearer ${token}` }) },
      body: pc.localDescription.sdp,
    });
    if (answer.status !== 201) throw new Error(`WHEP answered ${answer.status}: ${await answer.text()}`);
    const offerMs = performance.now();
    await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    return { pc, startMs, offerMs };
  };
})();
