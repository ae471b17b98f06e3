import { ExeuntError, isId } from '#domain';

/** An opaque cursor of a list that is ordered by id. */
export function buildCursor(lastId: string): string {
  return Buffer.from(lastId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** @throws ExeuntError `validation` for a cursor that is not ours. */
export function parseCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  if (!isId(id))
    throw new ExeuntError('validation', 'The cursor is not one of ours', [
      { field: '/cursor', seen: cursor, rule: 'must be the nextCursor of the page before' },
    ]);
  return id;
}

/** Cuts one more row than the page has into the page and its cursor. */
export function pageOf<Row extends { id: string }>(rows: readonly Row[], limit: number): { page: readonly Row[]; nextCursor?: string } {
  if (rows.length <= limit) return { page: rows };
  const page = rows.slice(0, limit);
  return { page, nextCursor: buildCursor(page.at(-1)!.id) };
}
