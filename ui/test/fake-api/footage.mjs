// Fake footage: reproducible gaps per camera over days and months, with every kind of reason.

const DAY = 86_400_000;
const REASONS = {
  unreachable: { message: 'no route to the camera', remedy: 'check that it has power and is in this network' },
  refused: { message: 'the camera refuses connections', remedy: 'enable RTSP in the camera' },
  recorder_restarted: { message: 'the recorder was restarted', remedy: null },
  disk_full: { message: 'the disk was full', remedy: 'free some space or keep less' },
  stopped_by_person: { message: 'stopped', remedy: null },
  not_planned: { message: 'outside the weekly plan', remedy: null },
  recording_off: { message: 'recording is off', remedy: null },
  file_damaged: { message: 'the file is damaged', remedy: null },
};
const LOST = ['unreachable', 'refused', 'recorder_restarted', 'unreachable', 'disk_full', 'file_damaged'];

const reason = (code) => ({ code, ...REASONS[code] });
/** A reproducible pseudo-random number from 0 to 1. */
const randomOf = (...seeds) => {
  let hash = 2166136261;
  for (const seed of seeds) hash = Math.imul(hash ^ (seed + 0x9e37), 16777619) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0x5bd1e995) >>> 0;
  return ((hash ^ (hash >>> 15)) >>> 0) / 4294967296;
};

const iso = (ms) => new Date(ms).toISOString();
const overlap = (a, b, c, d) => Math.max(0, Math.min(b, d) - Math.max(a, c));

function gapsOfDay(number, dayStart, mode) {
  const day = Math.floor(dayStart / DAY);
  const gaps = [];
  const count = randomOf(number, day, 1) < 0.45 ? 0 : 1 + Math.floor(randomOf(number, day, 2) ** 3 * 9);
  for (let index = 0; index < count; index += 1) {
    const start = dayStart + Math.floor(randomOf(number, day, 10 + index) * DAY * 0.95);
    const length = 2_000 + randomOf(number, day, 40 + index) ** 5 * 5_400_000;
    gaps.push({
      start,
      end: start + length,
      reason: reason(LOST[Math.floor(randomOf(number, day, 70 + index) * LOST.length)]),
      by: null,
      is_wanted: true,
    });
  }
  if (randomOf(number, day, 5) < 0.12) {
    const start = dayStart + DAY * 0.55;
    gaps.push({ start, end: start + 2_700_000, reason: reason('stopped_by_person'), by: 'operator', is_wanted: false });
  }
  if (mode === 'scheduled') {
    gaps.push({
      start: dayStart,
      end: dayStart + 7 * 3_600_000,
      reason: reason('not_planned'),
      by: null,
      is_wanted: false,
    });
    gaps.push({
      start: dayStart + 19 * 3_600_000,
      end: dayStart + DAY,
      reason: reason('not_planned'),
      by: null,
      is_wanted: false,
    });
  }
  return gaps;
}

/** Footage of camera `number` from `days` ago until `newest`; times in milliseconds. */
export function buildFootage(number, { days, mode, newest }) {
  const oldest = newest - days * DAY + number * 137_000;
  const found = [];
  for (let start = Math.floor(oldest / DAY) * DAY; start < newest; start += DAY)
    found.push(...gapsOfDay(number, start, mode));
  const gaps = found
    .map((gap) => ({ ...gap, start: Math.max(oldest, gap.start), end: Math.min(newest - 60_000, gap.end) }))
    .filter((gap) => gap.end > gap.start)
    .sort((a, b) => a.start - b.start);
  const holes = [];
  for (const { start, end } of gaps) {
    const last = holes.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else holes.push({ start, end });
  }
  const spans = [];
  let from = oldest;
  for (const hole of holes) {
    if (hole.start > from) spans.push({ start: from, end: hole.start });
    from = Math.max(from, hole.end);
  }
  spans.push({ start: from, end: newest });
  const events = [];
  for (let at = newest - 2 * DAY; at < newest; at += 5_000_000 + randomOf(number, at) * 9_000_000) {
    const isStream = randomOf(number, at, 3) < 0.2;
    events.push({
      kind: isStream ? 'stream' : 'recording',
      at: iso(at),
      end: isStream ? null : iso(at + 40_000),
      label: isStream ? 'Reconnected' : 'Motion at the gate',
      note: null,
    });
  }
  const protections = [
    { id: 1, start: iso(newest - 7_200_000), end: iso(newest - 6_000_000), kind: 'hold', note: 'Delivery dispute' },
  ];
  return { oldest, newest, gaps, spans, events, protections };
}

export function timelineOf(footage, startMs, endMs, resolutionSeconds) {
  const merged = [];
  for (const { start, end } of footage.spans) {
    const [from, to] = [Math.max(start, startMs), Math.min(end, endMs)];
    if (to <= from) continue;
    const last = merged.at(-1);
    if (last && from - last.end < resolutionSeconds * 1000) {
      last.recorded += to - from;
      last.end = to;
    } else merged.push({ start: from, end: to, recorded: to - from });
  }
  return {
    start: iso(startMs),
    end: iso(endMs),
    resolution_seconds: resolutionSeconds,
    spans: merged.map(({ start, end, recorded }) => ({
      start: iso(start),
      end: iso(end),
      coverage: recorded / (end - start),
    })),
    gaps: footage.gaps
      .filter((gap) => gap.start < endMs && gap.end > startMs && gap.end - gap.start >= resolutionSeconds * 500)
      .map((gap) => ({ ...gap, start: iso(gap.start), end: iso(gap.end) })),
    events: footage.events.filter(({ at }) => Date.parse(at) >= startMs && Date.parse(at) < endMs),
    protections: footage.protections,
    oldest: iso(footage.oldest),
    newest: iso(footage.newest),
  };
}

/** The API's view of one day; `offsetMs` is the zone's UTC offset, taken as fixed. */
export function dayOf(footage, date, offsetMs) {
  const start = Date.parse(`${date}T00:00:00Z`) - offsetMs;
  const end = start + DAY;
  const recorded = footage.spans.reduce((sum, span) => sum + overlap(span.start, span.end, start, end), 0);
  const lost = footage.gaps.filter((gap) => gap.is_wanted && gap.start >= start && gap.start < end);
  const missing = lost.reduce((sum, gap) => sum + overlap(gap.start, gap.end, start, end), 0);
  const wanted = recorded + missing;
  return {
    date,
    recorded_seconds: Math.round(recorded / 1000),
    wanted_seconds: Math.round(wanted / 1000),
    coverage: wanted > 0 ? recorded / wanted : null,
    gaps: lost.map((gap) => ({
      start: iso(gap.start),
      end: iso(gap.end),
      seconds: (gap.end - gap.start) / 1000,
      reason: gap.reason,
      by: gap.by,
      is_wanted: gap.is_wanted,
    })),
  };
}
