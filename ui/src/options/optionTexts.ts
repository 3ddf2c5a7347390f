// Words about where options come from.
import type { OptionOrigin, OptionsPlace } from '../api/pluginOptions';

/** The name of a plugin as people read it: "mediasoup_webrtc" as "Mediasoup webrtc". */
export function pluginTitle(name: string): string {
  const words = name.replace(/[_-]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Where an inherited value comes from. */
export function formatOrigin(origin: OptionOrigin | undefined): string {
  if (!origin || origin.level === 'default') return 'Default';
  if (origin.level === 'tag') {
    const others = origin.other_tags.length > 0 ? `; ${origin.other_tags.join(', ')} would set another value` : '';
    return `From the tag “${origin.tag}”${others}`;
  }
  return origin.level === 'installation' ? 'From all cameras' : 'Set for this camera';
}

/** What options are set for. */
export function placeNoun({ deviceId, tag }: OptionsPlace): string {
  if (deviceId !== undefined) return 'this camera';
  return tag === undefined ? 'all cameras' : `cameras with the tag “${tag}”`;
}
