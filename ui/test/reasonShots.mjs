// The screenshots of cameras that cannot be shown, each with its reason and remedy, and of the trust in a certificate.
import { cameraAddress, press } from './shotSteps.mjs';

const NAMES = [
  'login-paused',
  'login-revoked',
  'too-many-connections',
  'waits-for-key-frame',
  'no-key-frames',
  'tls-untrusted',
  'not-rtsp',
];

export const REASON_PAGES = [
  { name: 'reason-list', path: '/', count: 'reasons' },
  { name: 'reason-notes', path: cameraAddress(0), count: 'reasons' },
  ...NAMES.map((name, index) => ({
    name: `reason-${name}`,
    path: `${cameraAddress(index + 1)}?autoplay=1`,
    count: 'reasons',
    act: (page) => page.waitForTimeout(800),
  })),
  {
    name: 'reason-trust',
    path: `${cameraAddress(6)}/edit`,
    count: 'reasons',
    act: async (page) => {
      await press('Test')(page);
      await press(/^Trust the certificate/)(page);
      await page.getByLabel(/SHA-256 fingerprint/).waitFor();
    },
  },
];
