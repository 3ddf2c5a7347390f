// Plays a path of MediaMTX by WHEP; a plain script for Playwright's addScriptTag, after watch.js.
globalThis.watchPeer = (video, options) => globalThis.watchWhep(video, options);
