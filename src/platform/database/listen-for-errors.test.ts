import pg from 'pg';
import { listenForErrors } from './listen-for-errors.js';

it('an error of a connection that nobody has taken yet does not end the process', async () => {
  listenForErrors();
  listenForErrors();
  // Port 9 is not listened to: what comes of the connection is no matter here.
  const client = new pg.Client({ host: '127.0.0.1', port: 9 });
  await expect(client.connect()).rejects.toThrow();
  expect(() => client.emit('error', new Error('terminating connection due to unexpected postmaster exit'))).not.toThrow();
  expect(client.listenerCount('error')).toBe(1);
});
