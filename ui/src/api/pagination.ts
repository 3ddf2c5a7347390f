// Reads the X-Pagination header of a list response.
import type { ApiResponse } from './http';

export interface Page<T> {
  items: T[];
  total: number;
  totalPages: number;
  page: number;
}

export function readPage<T>(response: ApiResponse<T[]>): Page<T> {
  let header: { total?: number; total_pages?: number; page?: number } = {};
  try {
    header = JSON.parse(response.headers.get('X-Pagination') ?? '{}') as typeof header;
  } catch {
    // Without the header the list is taken as complete.
  }
  return {
    items: response.data,
    total: header.total ?? response.data.length,
    totalPages: Math.max(1, header.total_pages ?? 1),
    page: header.page ?? 1,
  };
}
