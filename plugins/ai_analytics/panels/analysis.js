// The panel "Picture analysis" on the page of a device: what is analysed now, how fast, and what is wrong.

const EVERY_MS = 5_000;
const SOURCES = { sub_stream: 'Sub-stream', key_frames: 'Key frames of the main stream' };

const build = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};

const number = (value) => new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(value);

/** "4.8 of 5 a second", as a warning if that is much less than wanted. */
const rate = (given, wanted) => {
  if (given === null || wanted === null) return build('span', 'not known yet', 'dimmed');
  return build('span', `${number(given)} of ${number(wanted)} a second`, given < 0.7 * wanted ? 'warn' : '');
};

const age = (at) => {
  if (at === null) return 'none yet';
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000));
  return seconds < 2 ? 'now' : seconds < 120 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
};

const rows = (analysis) => [
  ['Pictures from', SOURCES[analysis.source] ?? 'not known yet'],
  ['Analysed', rate(analysis.given_fps, analysis.wanted_fps)],
  ['Time of a picture', analysis.ms_per_picture === null ? 'not known yet' : `${number(analysis.ms_per_picture)} ms`],
  ['Last picture', age(analysis.last_picture_at)],
  ...analysis.detectors.map((one) => [`Detector ${one.name}`, rate(one.given_fps, one.wanted_fps)]),
];

function draw(element, deviceId, analysis) {
  if (!analysis.is_running) {
    const text = build('p', 'No picture of this camera is analysed now. ', 'dimmed');
    const link = build('a', 'Options of the analysis');
    link.href = `/devices/${deviceId}/plugins/ai_analytics`;
    text.append(link);
    element.replaceChildren(text);
    return;
  }
  const list = build('dl');
  for (const [name, value] of rows(analysis)) {
    const cell = build('dd');
    cell.append(value);
    list.append(build('dt', name), cell);
  }
  element.replaceChildren(list, ...analysis.problems.map((problem) => build('p', problem, 'warn')));
}

export async function mount(element, context) {
  const read = async () => draw(element, context.deviceId, await context.api(`/devices/${context.deviceId}/analysis`));
  await read();
  const timer = setInterval(() => {
    if (document.hidden) return;
    read().catch((error) => element.replaceChildren(build('p', `Not known now: ${error.message}.`, 'warn')));
  }, EVERY_MS);
  return () => clearInterval(timer);
}
