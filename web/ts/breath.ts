const turn = new MessageChannel();

/** A turn of the event loop, in which a worker hears of a cancellation. Timers would wait four milliseconds each. */
export function breath(): Promise<void> {
  return new Promise((resolve) => {
    turn.port1.onmessage = () => resolve();
    turn.port2.postMessage(null);
  });
}
