/** So many frames at a time: a person's machine, and its network, are not ours. */
const FRAMES_AT_ONCE = 4;

/**
 * The page's script: asks how the logout stands, shows it, and opens a frame for each application that the browser is to be sent to. A frame is taken
 * away when its application is done with or has had its time: nothing in it holds the page up. It takes all texts from the server.
 */
export const PAGE_SCRIPT = `(function () {
  var main = document.querySelector('main');
  var frames = {};
  function open(n) {
    var frame = document.createElement('iframe');
    frame.title = 'Signing out';
    frame.setAttribute('sandbox', 'allow-scripts allow-forms allow-same-origin');
    frame.src = main.dataset.base + '/legs/' + n;
    document.getElementById('frames').appendChild(frame);
    frames[n] = { element: frame, begun: false, at: Date.now() };
  }
  function close(n) {
    frames[n].element.remove();
    delete frames[n];
  }
  function show(flow) {
    document.title = flow.title;
    document.querySelector('h1').textContent = flow.title;
    var message = document.getElementById('message');
    if (message.textContent !== flow.message) message.textContent = flow.message;
    main.setAttribute('aria-busy', String(!flow.isOver));
    flow.applications.forEach(function (application) {
      var item = document.getElementById('application-' + application.n);
      if (!item) return;
      item.className = application.outcome;
      item.querySelector('span').textContent = application.text;
    });
  }
  function run(flow) {
    flow.applications.forEach(function (application) {
      var n = application.n, frame = frames[n];
      if (frame && !application.isDue) frame.begun = true;
      if (frame && !application.isUnderWay && (frame.begun || Date.now() - frame.at > 5000)) close(n);
      if (application.isDue && !frames[n] && Object.keys(frames).length < ${FRAMES_AT_ONCE}) open(n);
    });
  }
  function ask() {
    fetch(main.dataset.base + '/state', { cache: 'no-store', credentials: 'omit' })
      .then(function (response) {
        if (!response.ok) throw new Error(String(response.status));
        return response.json();
      })
      .then(function (flow) {
        show(flow);
        if (flow.next) return location.replace(main.dataset.base + '/' + flow.next);
        run(flow);
        if (!flow.isOver) setTimeout(ask, 400);
      })
      .catch(function () { setTimeout(ask, 2000); });
  }
  ask();
})();`;
