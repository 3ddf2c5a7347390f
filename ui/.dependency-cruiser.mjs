// Which folder of src/ may import which. `npm run lint` runs it; test/importRules.test.ts shows that it refuses.

/** One rung per folder, highest first: a folder imports itself and the rungs below it. A new folder needs a rung. */
export const RUNGS = [
  'pages',
  'events',
  'camera',
  'notifications',
  'schedules',
  'bookmarks',
  'devices',
  'recordings',
  'options',
  'polygons',
  'snapshots',
  'jobs',
  'plans',
  'frame',
  'panels',
  'health',
  'widgets',
  'live',
  'players',
  'timeline',
  'addresses',
  'formatting',
  'api',
];

const anyOf = (names) => `^src/(${names.join('|')})/`;
const TEST = '\\.test\\.tsx?$';
const REACT = '(^|node_modules/)(react|react-dom|react-router|@mantine/[^/]+|@tabler/[^/]+|@tanstack/[^/]+)(/|$)';

/** Tests are exempt: some check that several folders agree. */
const upward = RUNGS.slice(1).map((name, index) => ({
  name: `${name}-imports-downward`,
  comment: `src/${name}/ must not import a folder that is above it in RUNGS.`,
  severity: 'error',
  from: { path: `^src/${name}/`, pathNot: TEST },
  to: { path: anyOf(RUNGS.slice(0, index + 1)) },
}));

export default {
  forbidden: [
    ...upward,
    {
      name: 'folder-without-a-rung',
      comment: 'Every folder of src/ must be in RUNGS.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: anyOf(RUNGS) },
      to: {},
    },
    {
      name: 'import-of-a-folder-without-a-rung',
      comment: 'Every folder of src/ must be in RUNGS.',
      severity: 'error',
      from: {},
      to: { path: '^src/[^/]+/', pathNot: anyOf(RUNGS) },
    },
    {
      name: 'unused-folder-without-a-rung',
      comment: 'Every folder of src/ must be in RUNGS.',
      severity: 'error',
      from: { orphan: true, path: '^src/[^/]+/', pathNot: anyOf(RUNGS) },
      to: {},
    },
    {
      name: 'assembly-is-on-top',
      comment: 'main, App, queryClient and theme put the folders together; no folder imports them.',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: TEST },
      to: { path: '^src/[^/]+$' },
    },
    {
      name: 'no-circle',
      comment: 'Types included.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'tests-stay-out',
      comment: 'Nothing of the tests is shipped.',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { path: ['^test/', TEST] },
    },
    {
      name: 'no-react',
      comment: 'These folders must run and be tested without React.',
      severity: 'error',
      from: { path: anyOf(['players', 'addresses', 'formatting', 'api']), pathNot: TEST },
      to: { path: REACT },
    },
    {
      name: 'timeline-react-in-components-and-hooks-only',
      comment: 'In timeline/ only components (.tsx) and hooks (use….ts) know React; drawing, ticks and merging do not.',
      severity: 'error',
      from: { path: '^src/timeline/', pathNot: ['\\.tsx$', '/use[A-Z][^/]*\\.ts$', TEST] },
      to: { path: REACT },
    },
    {
      name: 'media-libraries-in-players-only',
      comment: 'hls.js and mediasoup-client open connections of their own.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/players/' },
      to: { path: '(^|node_modules/)(hls\\.js|mediasoup-client)(/|$)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Without this, imports of types would not count.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.tsx', '.d.ts', '.js', '.mjs', '.css'] },
  },
};
