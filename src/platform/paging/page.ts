import { z } from 'zod';
import { ExeuntError } from '#domain';

const LARGEST_PAGE = 200;

/** `?limit` and `?cursor` of a list. */
export const pageSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(50).describe('Items a page'),
  cursor: z.string().min(1).max(500).optional().describe('`nextCursor` of the page before'),
});

export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
}

/** A page of a list; without `nextCursor` it is the last one. */
export interface Page<Item> {
  items: Item[];
  nextCursor?: string;
}

/**
 * The id after which the page begins, from an opaque cursor.
 * @param isPossible whether an id of this list can look like that; a cursor of another list is refused.
 * @throws ExeuntError `validation`
 */
export function startOf(page: PageRequest, isPossible: (id: string) => boolean = () => true): string | undefined {
  if (page.cursor === undefined) return undefined;
  const text = Buffer.from(page.cursor, 'base64url').toString('utf8');
  if (!text.startsWith('1:') || cursorOf(text.slice(2)) !== page.cursor || !isPossible(text.slice(2))) {
    throw new ExeuntError('validation', 'The cursor is not one of ours', [
      { field: '/cursor', seen: page.cursor.slice(0, 100), rule: 'must be the nextCursor of the page before' },
    ]);
  }
  return text.slice(2);
}

/** A page from one row more than was asked for. */
export function pageOf<Item extends { id: string }>(rows: readonly Item[], limit: number): Page<Item> {
  const items = rows.slice(0, limit);
  return rows.length > limit ? { items, nextCursor: cursorOf(items.at(-1)!.id) } : { items };
}

function cursorOf(id: string): string {
  return Buffer.from(`1:${id}`, 'utf8').toString('base64url');
}
