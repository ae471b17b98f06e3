import { chooseSubject } from './choose-subject.js';

const bySession = { sessionRequired: false, tell: 'session' } as const;
const byUser = { sessionRequired: false, tell: 'user' } as const;
const both = { sid: 'sid-1', sub: 'sub-1' };

describe('chooseSubject', () => {
  it.each([
    ['session, sid and sub', bySession, both, both],
    ['session, sid alone', bySession, { sid: 'sid-1', sub: null }, { sid: 'sid-1', sub: null }],
    ['session, sub alone', bySession, { sid: null, sub: 'sub-1' }, { sid: null, sub: 'sub-1' }],
    ['user, sid and sub', byUser, both, { sid: null, sub: 'sub-1' }],
    ['user, sid alone', byUser, { sid: 'sid-1', sub: null }, { sid: 'sid-1', sub: null }],
    ['user, sub alone', byUser, { sid: null, sub: 'sub-1' }, { sid: null, sub: 'sub-1' }],
    ['user, sid required', { ...byUser, sessionRequired: true }, both, both],
  ])('BCL-16, BCL-17 tells what is known: %s', (_, channel, known, wanted) => {
    expect(chooseSubject(channel, known)).toEqual(wanted);
  });

  it.each([bySession, byUser])('BCL-5 cannot tell an SP that requires sid about a session that has none', (channel) => {
    expect(chooseSubject({ ...channel, sessionRequired: true }, { sid: null, sub: 'sub-1' })).toEqual({
      unusable: expect.stringContaining('requires sid') as string,
    });
  });

  it.each([null, ''])('BCL-16 cannot tell anything without sid and sub (%j)', (none) => {
    expect(chooseSubject(bySession, { sid: none, sub: none })).toEqual({ unusable: expect.stringContaining('neither') as string });
  });
});
