// Reads the X-Pagination header that comes with every list.
import type { Answer } from './http';

export interface Page<T> {
  items: T[];
  total: number;
  totalPages: number;
  page: number;
}

export function readPage<T>(answer: Answer<T[]>): Page<T> {
  let told: { total?: number; total_pages?: number; page?: number } = {};
  try {
    told = JSON.parse(answer.headers.get('X-Pagination') ?? '{}') as typeof told;
  } catch {
    // Without the header the list is taken to be whole.
  }
  return {
    items: answer.data,
    total: told.total ?? answer.data.length,
    totalPages: Math.max(1, told.total_pages ?? 1),
    page: told.page ?? 1,
  };
}
