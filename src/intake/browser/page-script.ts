/** So many frames at a time: a person's machine, and its network, are not ours. */
const FRAMES_AT_ONCE = 4;
/** While something is under way here, and when only the servers are at it. Milliseconds. */
const POLL_MS = 500;
const SLOW_POLL_MS = 3_000;

/**
 * What a frame of an application may do. It may run scripts and send forms, as a SAML SP does to give its answer, and have the cookies of its own origin,
 * without which it would not know whose session to end. With both of these a document of our own origin could take the sandbox off: in these frames that
 * is the form page alone, whose script is ours. It may not move the page (an SP that breaks out of frames would end the logout of all others), open
 * windows, or stop the page by a dialogue.
 */
export const FRAME_SANDBOX = 'allow-scripts allow-forms allow-same-origin';

/**
 * The page's script: asks how the logout stands, shows it, and opens a frame for each application that the browser is to be sent to. No frame holds it up:
 * each has its time, and at the end of the time of all the page goes on, even when we do not answer any more. It takes its texts from the server.
 *
 * A leg is named by its delivery and channel, so that the fall from Redirect to POST is a leg of its own and the first one is not run twice when an
 * answer of ours is older than the frame. An application that gives no answer is settled before its frame has loaded: such a frame is waited for, too.
 */
export const PAGE_SCRIPT = `(() => {
  const main = document.querySelector('main');
  const { base, legTimeout, answerIn, owed } = main.dataset;
  const answerBy = performance.now() + Number(answerIn);
  const legs = new Map();

  function show(flow) {
    document.title = flow.title;
    setText(document.querySelector('h1'), flow.title);
    setText(document.getElementById('message'), flow.message);
    main.setAttribute('aria-busy', String(flow.next === 'wait'));
    for (const { n, state, text } of flow.deliveries) {
      const item = document.getElementById('delivery-' + n);
      if (!item) continue;
      item.className = state;
      setText(item.querySelector('span'), text);
    }
  }

  // Only what has changed, or a screen reader would say all of it again and again.
  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function open(key, { n, name }) {
    const frame = document.createElement('iframe');
    frame.title = name;
    frame.setAttribute('sandbox', '${FRAME_SANDBOX}');
    frame.src = base + '/legs/' + n;
    const leg = { isThere: false, isOver: false };
    frame.addEventListener('load', () => {
      // What can be read is ours; a form there is on its way.
      const own = frame.contentDocument;
      leg.isThere = !own || !own.forms.length;
    });
    setTimeout(() => {
      leg.isOver = true;
      frame.remove();
    }, Number(legTimeout));
    document.getElementById('frames').append(frame);
    legs.set(key, leg);
  }

  function isBusy(leg, delivery, key) {
    if (!leg || leg.isOver) return false;
    if (delivery.leg && keyOf(delivery) === key) return true;
    return delivery.state === 'unconfirmed' && !leg.isThere;
  }

  const keyOf = ({ n, leg }) => n + ' ' + leg.channel;

  function carry({ deliveries }) {
    const byNumber = new Map(deliveries.map((delivery) => [String(delivery.n), delivery]));
    let busy = 0;
    for (const [key, leg] of legs) if (isBusy(leg, byNumber.get(key.split(' ')[0]), key)) busy++;
    for (const delivery of deliveries) {
      if (busy >= ${FRAMES_AT_ONCE}) break;
      if (!delivery.leg || !delivery.leg.isDue || legs.has(keyOf(delivery))) continue;
      open(keyOf(delivery), delivery);
      busy++;
    }
    return busy;
  }

  // In place of this page, so that the browser's button does not lead back into a logout that is done.
  const leave = () => location.replace(base + '/answer');

  async function look() {
    try {
      const response = await fetch(base + '/state', { cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(5000) });
      if (response.status === 404) return location.reload();
      if (!response.ok) throw new Error(String(response.status));
      const flow = await response.json();
      show(flow);
      const isLate = !flow.settled || performance.now() > answerBy;
      if (flow.next === 'answer' && isLate) return leave();
      const busy = carry(flow);
      if (flow.next === 'answer' && !busy) return leave();
      if (flow.next === 'stay' && !busy && !flow.isOpen) return;
      setTimeout(look, flow.next === 'stay' && !busy ? ${SLOW_POLL_MS} : ${POLL_MS});
    } catch {
      if (owed && performance.now() > answerBy) return leave();
      setTimeout(look, ${SLOW_POLL_MS});
    }
  }

  // A page that the browser has made ready ahead of the person does nothing.
  if (document.prerendering) document.addEventListener('prerenderingchange', look, { once: true });
  else look();
})();`;
