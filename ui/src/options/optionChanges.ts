// What somebody else has changed in options, in words.
import type { OptionSchema, PluginOptions } from '../api/pluginOptions';

const MOST_TEXT = 40;

function spell(value: unknown, schema: OptionSchema): string {
  if (value === undefined) return 'inherited';
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'number') return `${value}${schema['x-unit'] ? ` ${schema['x-unit']}` : ''}`;
  if (Array.isArray(value)) {
    if (value.every((one) => typeof one === 'string') && value.length > 0) return clip(value.join(', '));
    return value.length === 1 ? '1 entry' : `${value.length} entries`;
  }
  return typeof value === 'string' ? `“${clip(value)}”` : clip(JSON.stringify(value));
}

const clip = (text: string) => (text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT - 1)}…` : text);

/** A line for each option that differs, by its title: "Volume: 30 % → 80 %". */
export function describeChanges(mine: PluginOptions, theirs: PluginOptions): string[] {
  const lines: string[] = [];
  for (const [name, schema] of Object.entries(theirs.schema.properties)) {
    const [before, after] = [mine.values[name], theirs.values[name]];
    if (mine.secrets[name] !== theirs.secrets[name])
      lines.push(`${schema.title}: ${theirs.secrets[name] ? 'set' : 'removed'}`);
    if (JSON.stringify(before) === JSON.stringify(after)) continue;
    const [from, to] = [spell(before, schema), spell(after, schema)];
    lines.push(from === to ? `${schema.title}: changed` : `${schema.title}: ${from} → ${to}`);
  }
  return lines;
}
