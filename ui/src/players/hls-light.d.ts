// hls.js ships one set of types; its light build (no subtitles, no DRM, no alternative audio) has the same shapes.
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}
