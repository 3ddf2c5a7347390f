// Made by build/mantineStyles.ts.
declare module 'virtual:mantine-styles';
