// Fake cameras that cannot be shown, one for each of several reasons, and one that runs with notes.
import { buildCamera } from './cameras.mjs';

const inMinutes = (minutes) => `${new Date(Date.now() + minutes * 60_000).toISOString().slice(0, 19)}Z`;

const REASONS = [
  {
    code: 'login_paused',
    state: 'reconnecting',
    message: `the camera refused the user name or password three times: the next try is at ${inMinutes(7)}`,
    remedy:
      "enter the right credentials, which are tried at once, or choose 'Try now' if the camera accepts these again",
  },
  {
    code: 'login_revoked',
    state: 'reconnecting',
    message: `the camera refuses the login that worked until ${inMinutes(-42)}`,
    remedy: 'close other connections to the camera, and check whether it locked or changed this user',
  },
  {
    code: 'too_many_connections',
    state: 'reconnecting',
    message: 'the camera has too many connections',
    remedy: 'close other viewers and recorders of this camera, or wait until it has ended old connections',
  },
  {
    code: 'waits_for_key_frame',
    state: 'starting',
    message: "the stream waits for the camera's next key frame, for 15 s so far",
    remedy: 'nothing to do: it runs with that frame; one every second or two, set in the camera, starts it sooner',
  },
  {
    code: 'no_key_frames',
    state: 'starting',
    message: 'the camera sends no key frames',
    remedy:
      "switch off intra refresh and 'smart codec' (H.264+, H.265+) in the camera, and set a key frame every one or two seconds",
  },
  {
    code: 'tls_untrusted',
    state: 'reconnecting',
    message: "the camera's certificate is not signed by a known authority",
    remedy: "trust this certificate by its fingerprint, or any certificate, in the device's settings",
  },
  {
    code: 'not_rtsp',
    state: 'reconnecting',
    message: 'what answers at this port is no RTSP',
    remedy: 'check the port: cameras mostly use 554 for RTSP',
  },
  {
    code: 'udp_blocked',
    state: 'reconnecting',
    message: 'no packets of the camera arrive by UDP',
    remedy: 'choose TCP as the transport, or let UDP of the camera pass the firewall',
  },
  {
    code: 'unauthorized',
    state: 'reconnecting',
    message: 'the camera refused the user name or password',
    remedy: 'edit the device and enter the right credentials',
  },
];

const NOTES = [
  "without sound: its codec 'g726' is not supported",
  "the camera's clock runs at 0.84 of the real speed: the arrival of packets counts",
  'without sub-stream: the camera has no stream at this path',
];

/** The running camera is the first; number n + 1 has reason n. */
export function buildReasonCameras() {
  const running = buildCamera(0, { notes: NOTES });
  return [
    running,
    ...REASONS.map(({ state, ...reason }, index) => {
      const camera = buildCamera(index + 1, { observed: state });
      camera.stream.reason = reason;
      if (reason.code.startsWith('tls')) {
        Object.assign(camera.device, {
          source_url: 'rtsps://***@192.168.7.16/stream1',
        });
      }
      return camera;
    }),
  ];
}
