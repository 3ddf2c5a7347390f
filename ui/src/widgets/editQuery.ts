// Query options for data in an open form: read once per opening, never refreshed while somebody types.

export const FROZEN_WHILE_EDITING = {
  staleTime: Infinity,
  gcTime: 0,
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
} as const;
