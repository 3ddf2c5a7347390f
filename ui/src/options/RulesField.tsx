// An option that is a list of rules: what is to be done for events with some labels, in some zones, of some score.
import { ActionIcon, Button, Chip, Group, Input, MultiSelect, NumberInput, TagsInput, Text } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { ItemSchema } from '../api/pluginOptions';
import { inputProps, type OptionFieldProps } from './fieldProps';
import { shapesOf } from './PolygonFields';
import classes from './RulesField.module.css';

interface Rule {
  actions: string[];
  labels?: string[];
  zones?: string[];
  min_score?: number;
}

const MOST_RULES = 32;
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
const choicesOf = (schema: ItemSchema | undefined): string[] => textsOf(schema?.items?.enum);
const titleOf = (word: string) => word.charAt(0).toUpperCase() + word.slice(1).replaceAll('_', ' ');

export function problemOfRules(rules: readonly Rule[]): string | null {
  const index = rules.findIndex(({ actions }) => textsOf(actions).length === 0);
  return index < 0 ? null : `Rule ${index + 1} does nothing: choose an action, or delete it`;
}

function RuleRow(props: {
  rule: Rule;
  number: number;
  actions: string[];
  zones: string[];
  labels: string[];
  onChange: (part: Partial<Rule>) => void;
  onRemove: () => void;
}) {
  const { rule, number, actions, labels, onChange } = props;
  const zones = textsOf(rule.zones);
  return (
    <li className={classes.rule} aria-label={`Rule ${number}`}>
      <div className={classes.head}>
        <Chip.Group
          multiple
          value={textsOf(rule.actions)}
          onChange={(chosen) => onChange({ actions: actions.filter((one) => chosen.includes(one)) })}
        >
          <Group gap={6} role="group" aria-label={`Actions of rule ${number}`}>
            {actions.map((action) => (
              <Chip key={action} value={action} size="sm" radius="sm">
                {titleOf(action)}
              </Chip>
            ))}
          </Group>
        </Chip.Group>
        <ActionIcon
          variant="subtle"
          size="lg"
          color="gray"
          aria-label={`Delete rule ${number}`}
          onClick={props.onRemove}
        >
          <IconTrash size={16} stroke={1.7} />
        </ActionIcon>
      </div>
      <div className={classes.criteria}>
        <TagsInput
          label="Labels"
          size="sm"
          placeholder={rule.labels?.length ? undefined : 'All'}
          data={labels}
          acceptValueOnBlur
          value={textsOf(rule.labels)}
          onChange={(next) => onChange({ labels: next })}
        />
        <MultiSelect
          label="Zones"
          size="sm"
          placeholder={zones.length ? undefined : 'All'}
          data={[...new Set([...props.zones, ...zones])]}
          error={
            zones.some((zone) => !props.zones.includes(zone)) &&
            `No zone is called ${zones.filter((zone) => !props.zones.includes(zone)).join(', ')}`
          }
          value={zones}
          onChange={(next) => onChange({ zones: next })}
        />
        <NumberInput
          label="Least score"
          size="sm"
          suffix=" %"
          min={0}
          max={100}
          value={Math.round((rule.min_score ?? 0) * 100)}
          onChange={(score) => onChange({ min_score: Math.min(1, Math.max(0, Number(score) / 100 || 0)) })}
        />
      </div>
    </li>
  );
}

export function RulesField(props: OptionFieldProps) {
  const { schema, value, values, name, onChange, onInvalid } = props;
  const { label, description, error } = inputProps(props);
  const rules = (Array.isArray(value) ? value : []) as Rule[];
  const actions = choicesOf(schema.items?.properties?.actions);
  const zones = shapesOf(values.zones).map((zone) => zone.name ?? '');
  const change = (next: Rule[]) => {
    onChange(next);
    onInvalid(problemOfRules(next));
  };
  return (
    <Input.Wrapper label={label} description={description} error={error} labelElement="div">
      <div role="group" aria-label={label} data-path={name} tabIndex={-1}>
        {rules.length === 0 && (
          <Text size="sm" c="dimmed" mt={6}>
            No rule: nothing is started.
          </Text>
        )}
        <ul className={classes.list}>
          {rules.map((rule, index) => (
            <RuleRow
              key={index}
              rule={rule}
              number={index + 1}
              actions={actions}
              zones={zones.filter(Boolean)}
              labels={textsOf(values.labels)}
              onChange={(part) => change(rules.map((one, at) => (at === index ? { ...one, ...part } : one)))}
              onRemove={() => change(rules.filter((_, at) => at !== index))}
            />
          ))}
        </ul>
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<IconPlus size={15} />}
          disabled={rules.length >= (schema.maxItems ?? MOST_RULES)}
          onClick={() => change([...rules, { actions: actions.slice(0, 1), labels: [], zones: [], min_score: 0 }])}
        >
          Add rule
        </Button>
      </div>
    </Input.Wrapper>
  );
}
