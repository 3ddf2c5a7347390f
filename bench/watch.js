// The benchmarks' code in a page: record the clock of each picture, and play by WHEP. For Playwright's addScriptTag.
(() => {
  /** Collects [seenMs, drawnMs, delayMs, displayDelayMs] of each picture of `video` in window.bench.readings. */
  globalThis.benchNote = (video) => {
    globalThis.bench = { readings: [], firstFrameMs: null };
    video.requestVideoFrameCallback(() => { globalThis.bench.firstFrameMs = performance.now(); });
    globalThis.cameraClock.watchClock(video, (reading) => {
      globalThis.bench.readings.push([reading.seenMs, reading.timeMs, reading.delayMs, reading.displayDelayMs]);
    });
  };

  /** A WHEP player (draft-ietf-wish-whep) without code of VAS; its buffer is as small as that of VAS's player. */
  globalThis.watchWhep = async (video, { url, token }) => {
    const startMs = performance.now();
    const pc = new RTCPeerConnection();
    pc.addTransceiver('video', { direction: 'recvonly' });
    pc.ontrack = ({ receiver, track }) => {
      receiver.jitterBufferTarget = 0;
      video.srcObject = new MediaStream([track]);
    };
    await pc.setLocalDescription(await pc.createOffer());
    const answer = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/sdp' },
      body: pc.localDescription.sdp,
    });
    if (answer.status !== 201) throw new Error(`WHEP answered ${answer.status}: ${await answer.text()}`);
    const offerMs = performance.now();
    await pc.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    return { pc, startMs, offerMs };
  };
})();
