// A page that has the viewer of another origin in a frame: `?frame=ADDRESS`.
const frame = document.createElement('iframe');
const address = new URL(new URLSearchParams(location.search).get('frame'));
frame.src = address.href;
frame.title = 'Medley viewer';
const told = [];
addEventListener('message', (event) => {
  if (event.origin === address.origin) told.push(event.data);
});
const ask = (message) => frame.contentWindow.postMessage(message, address.origin);
Object.assign(window, { told, ask });
frame.addEventListener('load', () => {
  document.title = 'framed';
});
document.body.append(frame);
