// Fake camera pictures as SVG, by camera and moment: a yard, a gate, a hall, a corridor; by day and by night.

const random = (seed) => {
  let state = (seed * 2654435761) % 4294967296;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
};

const mix = (from, to, share) => from.map((value, index) => Math.round(value + ((to[index] ?? 0) - value) * share));
const rgb = (color) => `rgb(${color.join(' ')})`;

/** 0 at night, 1 at noon. */
const daylight = (ms) => {
  const hour = (((ms / 3_600_000 + 1) % 24) + 24) % 24;
  return Math.max(0, Math.min(1, Math.sin(((hour - 6) / 13) * Math.PI) * 1.6));
};

function van(x, y, scale, color, light) {
  const body = rgb(mix([18, 22, 28], color, 0.25 + 0.75 * light));
  return `<g transform="translate(${x} ${y}) scale(${scale})"><ellipse cx="95" cy="74" rx="105" ry="9" fill="#000" opacity=".35"/>
    <path d="M0 66V18q0-12 12-12h108q8 0 14 8l24 26 22 6q8 2 8 10v10z" fill="${body}"/><path d="M124 14h4q5 0 8 5l15 19h-27z" fill="#0d151c" opacity=".8"/>
    <circle cx="42" cy="66" r="15" fill="#14191f"/><circle cx="42" cy="66" r="6" fill="#59636d"/><circle cx="146" cy="66" r="15" fill="#14191f"/><circle cx="146" cy="66" r="6" fill="#59636d"/>
    ${light < 0.3 ? '<path d="M186 50l120 6v40l-120-30z" fill="#fff6c9" opacity=".28"/>' : ''}</g>`;
}

const person = (x, y, scale, color) =>
  `<g transform="translate(${x} ${y}) scale(${scale})" fill="${color}"><ellipse cx="0" cy="72" rx="16" ry="4" fill="#000" opacity=".35"/><circle cx="0" cy="0" r="8"/><path d="M-11 12q11-6 22 0l3 28h-6l-2 30h-5l-1-24-1 24h-5l-2-30h-6z"/></g>`;

function outdoors(number, ms, draw, light) {
  const sky = [rgb(mix([9, 14, 22], [126, 172, 214], light)), rgb(mix([24, 32, 44], [214, 226, 232], light))];
  const ground = [rgb(mix([22, 26, 30], [126, 128, 126], light)), rgb(mix([12, 15, 18], [88, 90, 90], light))];
  const wall = mix(
    [26, 31, 38],
    [
      [168, 152, 132],
      [142, 154, 160],
      [176, 168, 158],
      [150, 136, 124],
    ][number % 4],
    light,
  );
  const houses = Array.from({ length: 5 }, (_, index) => {
    const [x, width, height] = [index * 290 - 60 + draw() * 60, 220 + draw() * 120, 150 + draw() * 170];
    const shade = rgb(mix(wall, [0, 0, 0], 0.1 + draw() * 0.25));
    const windows = Array.from({ length: 12 }, (_, pane) => {
      const isLit = draw() > (light > 0.5 ? 1 : 0.6);
      return `<rect x="${x + 22 + (pane % 4) * (width / 4.6)}" y="${400 - height + 26 + Math.floor(pane / 4) * 46}" width="${width / 8}" height="26" fill="${isLit ? '#ffdf91' : rgb(mix([12, 16, 22], [74, 92, 108], light))}"/>`;
    });
    return `<rect x="${x}" y="${400 - height}" width="${width}" height="${height + 10}" fill="${shade}"/>${windows.join('')}`;
  });
  const lines = Array.from(
    { length: 7 },
    (_, index) =>
      `<path d="M${120 + index * 170} 470L${-140 + index * 250} 720" stroke="#fff" stroke-width="5" opacity="${0.12 + light * 0.4}"/>`,
  );
  const lamp =
    light < 0.35
      ? `<circle cx="${900 - number * 13}" cy="210" r="9" fill="#fff4cf"/><path d="M${900 - number * 13} 214l170 300h-340z" fill="#ffe9a8" opacity=".13"/>`
      : '';
  const colors = [
    [196, 62, 52],
    [226, 228, 226],
    [52, 92, 150],
    [62, 66, 72],
    [214, 158, 54],
  ];
  const things = [
    van(80 + draw() * 520, 470 + draw() * 60, 1.5, colors[Math.floor(draw() * 5)] ?? [200, 200, 200], light),
    draw() > 0.4
      ? van(700 + draw() * 220, 430 + draw() * 30, 1.05, colors[Math.floor(draw() * 5)] ?? [200, 200, 200], light)
      : '',
    draw() > 0.45
      ? person(420 + draw() * 460, 530 + draw() * 60, 1.3, rgb(mix([20, 24, 30], [58, 62, 84], light)))
      : '',
  ];
  return `<defs><linearGradient id="s" x2="0" y2="1"><stop stop-color="${sky[0]}"/><stop offset="1" stop-color="${sky[1]}"/></linearGradient><linearGradient id="g" x2="0" y2="1"><stop stop-color="${ground[0]}"/><stop offset="1" stop-color="${ground[1]}"/></linearGradient></defs>
    <rect width="1280" height="410" fill="url(#s)"/>${houses.join('')}<rect y="400" width="1280" height="320" fill="url(#g)"/>${lines.join('')}${lamp}${things.join('')}`;
}

function indoors(number, ms, draw) {
  const wall = [
    [206, 204, 196],
    [184, 194, 200],
    [212, 204, 190],
  ][number % 3] ?? [200, 200, 200];
  const shelves = [0, 1, 2, 3].map((index) => {
    const [near, far] = [640 - (640 - index * 130) * 1, 640 - (640 - index * 130) * 0.38];
    const boxes = Array.from(
      { length: 5 },
      (_, row) =>
        `<path d="M${near} ${110 + row * 112}l${(far - near) * 0.9} ${52 - row * 26}v48l${(near - far) * 0.9} ${8 + row * 8}z" fill="${rgb(mix([150, 112, 72], [92, 116, 140], draw()))}" opacity=".85"/>`,
    );
    return index < 2 ? boxes.join('') : `<g transform="translate(1280 0) scale(-1 1)">${boxes.join('')}</g>`;
  });
  return `<defs><linearGradient id="w" x2="0" y2="1"><stop stop-color="${rgb(mix(wall, [255, 255, 255], 0.25))}"/><stop offset="1" stop-color="${rgb(mix(wall, [0, 0, 0], 0.12))}"/></linearGradient></defs>
    <rect width="1280" height="720" fill="url(#w)"/><path d="M0 720L470 330H810L1280 720z" fill="${rgb(mix(wall, [70, 74, 78], 0.65))}"/><rect x="470" y="170" width="340" height="162" fill="${rgb(mix(wall, [0, 0, 0], 0.2))}"/>
    <path d="M0 0L470 170H810L1280 0z" fill="${rgb(mix(wall, [255, 255, 255], 0.45))}"/><path d="M470 60h340l60-36H410z" fill="#fffef6"/><path d="M540 130h200l16-18H524z" fill="#fffef6" opacity=".8"/>
    ${shelves.slice(0, 2).join('')}${shelves.slice(2).join('')}${person(560 + draw() * 170, 360 + draw() * 120, 1.2 + draw(), '#33404d')}${draw() > 0.5 ? person(640 + draw() * 120, 350, 0.9, '#6b5138') : ''}`;
}

/** One 16:9 picture; `number` is the number of the camera. */
export function drawScene(number, name, ms) {
  const draw = random(number * 7919 + Math.floor(ms / 600_000) + 1);
  const light = daylight(ms);
  const isInside = number % 8 >= 3 && number % 8 <= 5;
  const scene = isInside ? indoors(number, ms, draw) : outdoors(number, ms, draw, light);
  const clock = new Date(ms + 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
  const label = name.slice(0, 48).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const text = 'font-family="monospace" font-size="25" fill="#fff" stroke="#000" stroke-width="4" paint-order="stroke"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720" width="1280" height="720">${scene}<text x="26" y="48" ${text}>${clock}</text><text x="26" y="694" ${text}>${label}</text></svg>`;
}
