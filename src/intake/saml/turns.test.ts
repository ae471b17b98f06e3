import { Turns } from './turns.js';

it('what takes turns lets others in between, and keeps its order', async () => {
  const turns = new Turns();
  const done: string[] = [];
  const mine = [1, 2, 3].map((n) => turns.take().then(() => done.push(`turn ${n}`)));
  const others = new Promise<void>((resolve) => {
    const again = (): void => {
      done.push('others');
      if (done.includes('turn 3')) resolve();
      else setImmediate(again);
    };
    setImmediate(again);
  });
  await Promise.all([...mine, others]);
  const order = done.filter((one) => one !== 'others');
  expect(order).toEqual(['turn 1', 'turn 2', 'turn 3']);
  for (const [turn, next] of [
    ['turn 1', 'turn 2'],
    ['turn 2', 'turn 3'],
  ]) {
    expect(done.slice(done.indexOf(turn!) + 1, done.indexOf(next!))).toContain('others');
  }
});
