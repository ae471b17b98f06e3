import { judgeLogoutStatus } from './judge-logout-status.js';

const judge = (status: string, about?: { attemptNumber: number }, message: string | null = null) => {
  const [code, subCode] = status.split('/') as [string, string?];
  return judgeLogoutStatus({ code, subCode: subCode ?? null, message }, about);
};

describe('judgeLogoutStatus', () => {
  it.each([
    ['SLO-17', 'Success', 'confirmed'],
    ['SLO-18', 'Success/PartialLogout', 'partial'],
    ['SLO-19', 'Responder/PartialLogout', 'partial'],
    ['SLO-19', 'Requester/PartialLogout', 'partial'],
    ['SLO-19', 'VersionMismatch/PartialLogout', 'partial'],
    ['SLO-20', 'Requester/RequestDenied', 'refused'],
    ['SLO-20', 'Responder/RequestDenied', 'refused'],
    ['SLO-20', 'Success/RequestDenied', 'refused'],
    ['SLO-20', 'Requester/UnknownPrincipal', 'refused'],
    ['SLO-20', 'Responder/UnknownPrincipal', 'refused'],
    ['SLO-22', 'Success/UnknownPrincipal', 'confirmed'],
    ['SLO-20', 'Requester/RequestUnsupported', 'refused'],
    ['SLO-21', 'Requester', 'refused'],
    ['SLO-16', 'VersionMismatch', 'refused'],
    ['SLO-16', 'VersionMismatch/RequestVersionTooHigh', 'refused'],
    ['SLO-16', 'Responder', 'failed'],
    ['SLO-16', 'Responder/RequestUnsupported', 'failed'],
    ['SLO-16', 'Responder/urn:example:db-down', 'failed'],
    ['SLO-16', 'urn:example:done', 'failed'],
    ['SLO-16', 'success', 'failed'],
    ['SLO-16', '', 'failed'],
  ])('%s reads %s as %s, on the first attempt and on a later one', (_, status, result) => {
    expect(judge(status).result).toBe(result);
    expect(judge(status, { attemptNumber: 2 }).result).toBe(result);
  });

  it('says nothing beside a plain Success', () => {
    expect(judge('Success', { attemptNumber: 2 })).toEqual({ result: 'confirmed' });
  });

  it.each(['Responder/PartialLogout', 'Requester/RequestDenied', 'Requester/UnknownPrincipal'])(
    'says of %s after a lost answer that the session may be gone, and shows no more than was said',
    (status) => {
      expect(judge(status, { attemptNumber: 1 }).error).toBe(`answered ${status}`);
      expect(judge(status, { attemptNumber: 2 }).error).toMatch(/whose answer was lost/);
    },
  );

  it('quotes the message of the SP as one line, without markup, at most 500 characters in all', () => {
    expect(judge('Responder', undefined, 'the <b>store</b>\n is down').error).toBe('answered Responder: the store is down');
    const long = judge(`urn:${'x y'.repeat(400)}/PartialLogout`, { attemptNumber: 2 }, 'z z '.repeat(1_000)).error!;
    expect(long.length).toBeLessThanOrEqual(500);
    expect(long).toMatch(/whose answer was lost/);
  });
});
