// The Mantine theme: petrol on cool greys, compact spacing.
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const petrol: MantineColorsTuple = [
  '#e6f7f8',
  '#d3ecee',
  '#a7d8dd',
  '#78c3ca',
  '#51b1bb',
  '#37a6b1',
  '#1f94a1',
  '#0f7f8c',
  '#0b6b78',
  '#05505b',
];

const graphite: MantineColorsTuple = [
  '#d5dadf',
  '#aeb6be',
  '#8b959f',
  '#66717c',
  '#414c57',
  '#313b45',
  '#232c35',
  '#171f27',
  '#10171e',
  '#0a1016',
];

export const theme = createTheme({
  primaryColor: 'petrol',
  // The lightest shade with 4.5:1 under white text.
  primaryShade: { light: 8, dark: 7 },
  colors: { petrol, dark: graphite },
  autoContrast: true,
  defaultRadius: 'md',
  fontFamily:
    '"Inter", "Segoe UI Variable Text", "Segoe UI", system-ui, -apple-system, Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: {
    fontWeight: '650',
    sizes: { h1: { fontSize: '1.375rem', lineHeight: '1.3' }, h2: { fontSize: '1rem', lineHeight: '1.4' } },
  },
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Tooltip: { defaultProps: { withArrow: true, openDelay: 300, events: { hover: true, focus: true, touch: true } } },
    Button: { defaultProps: { size: 'sm' } },
    // The first item is focused, as the pattern of menus wants it.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    // Otherwise the header of a dialog would be a second banner of the page.
    ModalHeader: { defaultProps: { role: 'presentation' } },
    TextInput: { defaultProps: { size: 'sm' } },
  },
});
