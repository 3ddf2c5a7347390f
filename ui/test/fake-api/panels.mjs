// Panels of plugins in the fake API: that of a plugin of ours, one that draws what panels may, and a broken one.
import { readFileSync } from 'node:fs';

const OURS = new URL('../../../plugins/ai_analytics/panels/analysis.js', import.meta.url);

/** Draws each kind of element that has the look of the page. */
const NOTES = `export function mount(element) {
  const text = (tag, content, className = '') =>
    Object.assign(document.createElement(tag), { textContent: content, className });
  const table = document.createElement('table');
  table.createTHead().insertRow().append(text('th', 'Door'), text('th', 'Notes'), text('th', 'Newest'));
  const body = table.createTBody();
  for (const row of [['Front door', '12', 'a minute ago'], ['A long name of a door in the yard behind the house', '3', 'never']])
    body.insertRow().append(...row.map((cell) => text('td', cell)));
  const link = Object.assign(text('a', 'All cameras'), { href: '/' });
  element.append(
    text('p', 'Two doors are watched.'), text('p', 'Nothing is late.', 'good'), text('p', 'One door is open.', 'warn'),
    text('p', 'One note was lost.', 'bad'), text('h3', 'Doors'), table, text('p', 'Counted since yesterday.', 'dimmed'),
    text('button', 'Copy notes'), ' ', link,
  );
}`;
const MODULES = { 'ai_analytics/analysis.js': readFileSync(OURS), 'door_notes/notes.js': NOTES };

const panel = (plugin, name, title, place) => ({
  name,
  title,
  place,
  url: `/api/v1/plugins/${plugin}/panels/${name}.js?v=7`,
});
export const PANELS = {
  ai_analytics: [panel('ai_analytics', 'analysis', 'Picture analysis', 'device')],
  door_notes: [
    panel('door_notes', 'notes', 'Notes about doors', 'system'),
    panel('door_notes', 'missing', 'Bells', 'system'),
    panel('door_notes', 'missing', 'Bells', 'device'),
  ],
};

const OFF = { is_running: false, source: null, wanted_fps: null, given_fps: null, ms_per_picture: null, detectors: [] };

function analysisOf(deviceId) {
  if (/[04]$/.test(deviceId)) return { ...OFF, last_picture_at: null, problems: [] };
  const isSlow = /2$/.test(deviceId);
  return {
    is_running: true,
    source: 'sub_stream',
    wanted_fps: 5,
    given_fps: isSlow ? 2.4 : 4.9,
    ms_per_picture: 3.21,
    detectors: [{ name: 'objects', wanted_fps: 2, given_fps: isSlow ? 0.6 : 2 }],
    last_picture_at: new Date().toISOString(),
    problems: isSlow ? ['2.4 of 5 pictures a second are analysed: the machine is too busy'] : [],
  };
}

/** Answers `[body, type]` of a request for a panel's module or its figures; undefined for any other. */
export function answerPanels([resource, first, second, third]) {
  if (resource === 'devices' && second === 'analysis') return [JSON.stringify(analysisOf(first)), 'application/json'];
  if (resource !== 'plugins' || second !== 'panels') return undefined;
  const module = MODULES[`${first}/${third}`];
  return module === undefined ? [404] : [module, 'text/javascript'];
}
