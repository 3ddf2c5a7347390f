// Plays a stream of go2rtc by its WHEP address; a plain script for Playwright's addScriptTag, after watch.js.
globalThis.watchPeer = (video, options) => globalThis.watchWhep(video, options);
