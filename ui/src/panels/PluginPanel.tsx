// One panel of a plugin in a card: loaded when it comes into view, with a notice and a retry when it fails.
import { Button, Skeleton, useComputedColorScheme } from '@mantine/core';
import { useInViewport } from '@mantine/hooks';
import { useEffect, useRef, useState, type MouseEvent } from 'react';
import { useNavigate } from 'react-router';
import type { PluginPanel as Panel } from '../api/types';
import { sentence } from '../formatting/sentence';
import { Notice } from '../widgets/Notice';
import { Panel as Card } from '../widgets/Panel';
import { mountPanel } from './mountPanel';
import { createPanelContext, ThemeFeed } from './panelContext';
import classes from './PluginPanels.module.css';

interface PluginPanelProps {
  plugin: string;
  panel: Panel;
  deviceId: string | null;
}

type State = 'loading' | 'shown' | Error;

/** A browser remembers a module that could not be loaded by its address, so that a retry needs another one. */
const addressOf = (url: string, attempt: number) =>
  attempt === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}attempt=${attempt}`;

/** The address on our pages of a link that was pressed without a key; null for any other press. */
function pressedPage(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return null;
  const link = event.nativeEvent.composedPath().find((part) => part instanceof HTMLAnchorElement);
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return null;
  const isPage = link.origin === location.origin && !/^\/(api|docs|swagger)(\/|$)/.test(link.pathname);
  return isPage ? `${link.pathname}${link.search}${link.hash}` : null;
}

export function PluginPanel({ plugin, panel, deviceId }: PluginPanelProps) {
  const theme = useComputedColorScheme('light');
  const [feed] = useState(() => new ThemeFeed(theme));
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const host = useRef<HTMLDivElement>(null);
  const [isSeen, setSeen] = useState(false);
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<State>('loading');
  const navigate = useNavigate();

  if (inViewport && !isSeen) setSeen(true);
  useEffect(() => feed.set(theme), [feed, theme]);

  useEffect(() => {
    if (!isSeen || !host.current) return;
    let isCurrent = true;
    const mounted = mountPanel(host.current, addressOf(panel.url, attempt), createPanelContext(deviceId, feed));
    mounted.ready.then(
      () => isCurrent && setState('shown'),
      (error: Error) => isCurrent && setState(error),
    );
    return () => {
      isCurrent = false;
      mounted.end();
    };
  }, [isSeen, panel.url, attempt, deviceId, feed]);

  const retry = () => {
    setState('loading');
    setAttempt((before) => before + 1);
  };

  return (
    <Card title={panel.title}>
      <div ref={ref}>
        {state === 'loading' && (isSeen ? <Skeleton height={96} /> : <div className={classes.place} />)}
        {state instanceof Error && (
          <Notice tone="warn" title="This panel cannot be shown" role="status">
            The plugin “{plugin}” has failed here. {sentence(state.message)}
            <div>
              <Button size="xs" variant="default" mt="xs" onClick={retry}>
                Try again
              </Button>
            </div>
          </Notice>
        )}
        <div
          ref={host}
          className={classes.host}
          data-state={state instanceof Error ? 'failed' : state}
          data-testid={`panel-${plugin}-${panel.name}`}
          onClick={(event) => {
            const page = pressedPage(event);
            if (page === null) return;
            event.preventDefault();
            void navigate(page);
          }}
        />
      </div>
    </Card>
  );
}
