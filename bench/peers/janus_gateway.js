// Plays a mountpoint of Janus' Streaming plugin with its REST API; a plain script for Playwright's addScriptTag.
(() => {
  async function ask(url, message) {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...message, transaction: Math.random().toString(36).slice(2) }),
    });
    const body = await answer.json();
    if (body.janus === 'error') throw new Error(`janus: ${body.error.reason}`);
    return body;
  }

  /** Read the events of a session by long polling until one has a session description. */
  async function awaitOffer(session) {
    for (;;) {
      const events = await (await fetch(`${session}?maxev=5&rid=${Date.now()}`)).json();
      for (const event of [events].flat()) {
        const failure = event.plugindata?.data?.error;
        if (failure) throw new Error(`janus: ${failure}`);
        if (event.jsep) return event.jsep;
      }
    }
  }

  globalThis.watchPeer = async (video, { url, camera }) => {
    const startMs = performance.now();
    const session = `${url}/${(await ask(url, { janus: 'create' })).data.id}`;
    const handle = `${session}/${(await ask(session, { janus: 'attach', plugin: 'janus.plugin.streaming' })).data.id}`;
    const offering = awaitOffer(session);
    await ask(handle, { janus: 'message', body: { request: 'watch', id: camera } });
    const offer = await offering;
    const offerMs = performance.now();
    const pc = new RTCPeerConnection();
    pc.onicecandidate = ({ candidate }) => {
      ask(handle, { janus: 'trickle', candidate: candidate ? candidate.toJSON() : { completed: true } }).catch(() => {});
    };
    pc.ontrack = ({ receiver, track }) => {
      receiver.jitterBufferTarget = 0;
      video.srcObject = new MediaStream([track]);
    };
    await pc.setRemoteDescription(offer);
    await pc.setLocalDescription(await pc.createAnswer());
    await ask(handle, { janus: 'message', body: { request: 'start' }, jsep: pc.localDescription.toJSON() });
    return { pc, startMs, offerMs };
  };
})();
