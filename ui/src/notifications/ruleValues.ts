// The values of the rule form, and the words for rules.
import type { Rule, RuleFields } from '../api/notifications';
import { formatSpan } from '../formatting/moments';

export const EVENT_KINDS: { value: string; label: string }[] = [
  { value: 'detection', label: 'Detections' },
  { value: 'motion', label: 'Motion' },
  { value: 'state', label: 'States of streams' },
  { value: 'recording', label: 'States of recordings' },
  { value: 'gap', label: 'Missing footage' },
  { value: 'health', label: 'Health of the service' },
  { value: 'job', label: 'Jobs' },
  { value: 'snapshot', label: 'Snapshots' },
  { value: 'bookmark', label: 'Bookmarks' },
  { value: 'clip', label: 'Clips' },
  { value: 'footage', label: 'Deleted footage' },
  { value: 'device', label: 'Changes of cameras' },
];

export const STATES = [
  'running',
  'reconnecting',
  'failed',
  'stopped',
  'recording',
  'interrupted',
  'off',
  'ok',
  'degraded',
  'down',
  'done',
  'cancelled',
];

export const PLACEHOLDERS = [
  'device',
  'summary',
  'text',
  'kind',
  'state',
  'reason',
  'label',
  'zone',
  'score',
  'seconds',
  'date',
  'time',
  'rule',
  'suppressed',
];

export const newRule = (timeZone: string): RuleFields => ({
  name: '',
  enabled: true,
  kinds: [],
  states: [],
  labels: [],
  zones: [],
  min_score: null,
  device_ids: [],
  tags: [],
  moment: 'began',
  quiet_hours: {},
  time_zone: timeZone,
  cooldown_seconds: 60,
  title: '{device}: {summary}',
  text: '{time} {text}',
  picture: true,
  channel_ids: [],
});

export function ruleFieldsOf(rule: Rule): RuleFields {
  const names = Object.keys(newRule('UTC')) as (keyof RuleFields)[];
  return Object.fromEntries(names.map((name) => [name, rule[name]])) as unknown as RuleFields;
}

/** "Detections, Motion · person · 2 cameras · at most every 5 min" */
export function describeRule(rule: RuleFields): string {
  const labels = rule.kinds.map((kind) => EVENT_KINDS.find(({ value }) => value === kind)?.label ?? kind);
  const devices = rule.device_ids.length;
  return [
    labels.join(', ') || 'All events',
    rule.states.join(', '),
    rule.labels.join(', '),
    rule.zones.join(', '),
    rule.min_score === null ? '' : `score from ${Math.round(rule.min_score * 100)} %`,
    devices ? `${devices} camera${devices === 1 ? '' : 's'}` : '',
    rule.tags.map((tag) => `#${tag}`).join(' '),
    rule.moment === 'ended' ? 'when over' : '',
    rule.cooldown_seconds ? `at most every ${formatSpan(rule.cooldown_seconds * 1000)}` : '',
    Object.keys(rule.quiet_hours).length ? 'quiet hours' : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

/** "12 sent, 3 in the cooldown" of the last day. */
export function describeLastDay({ sent, cooldown, quiet, late }: Rule['last_day']): string {
  const parts = [
    `${sent} sent`,
    cooldown ? `${cooldown} in the cooldown` : '',
    quiet ? `${quiet} in quiet hours` : '',
    late ? `${late} too late` : '',
  ];
  return parts.filter(Boolean).join(', ');
}
