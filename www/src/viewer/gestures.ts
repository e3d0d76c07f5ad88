/** What a drag with the first button or one finger does. */
export type Tool = 'window' | 'pan' | 'brush';

/** What the reader does on the image; places and ways in CSS pixels of the frame. */
export interface GestureEvents {
  tool: () => Tool;
  onPan: (dx: number, dy: number) => void;
  onWindow: (dx: number, dy: number) => void;
  onZoom: (factor: number, x: number, y: number) => void;
  /** The brush is put down at a place, goes on, is lifted, or what it began is forgotten. */
  onBrush: (step: BrushStep) => void;
  /** A notch of the wheel goes to another slice; whether there are any. */
  onStep: (step: number) => boolean;
  onHover: (x: number, y: number) => void;
  onLeave: () => void;
  onDoubleClick: () => void;
}

export type BrushStep =
  /** `erasing`: with the other end of a pen. */
  | { do: 'down'; x: number; y: number; erasing: boolean }
  | { do: 'go'; x: number; y: number }
  | { do: 'up' }
  | { do: 'cancel' };

/** Of `PointerEvent.buttons`: the other end of a pen. */
const ERASER = 32;
/** For one notch of a mouse wheel. */
const WHEEL_FACTOR = 1.0016;
/** Of a wheel's way, in CSS pixels, that makes a slice: touchpads give it in small parts. */
const WHEEL_SLICE = 60;

/** Mouse, pen and touch on one element: drag, wheel, two fingers. */
export function listenToGestures(element: HTMLElement, events: GestureEvents): void {
  const fingers = new Map<number, { x: number; y: number }>();
  /** The pointer that paints. */
  let painter: number | null = null;
  const place = (event: MouseEvent): { x: number; y: number } => {
    const bounds = element.getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
  };

  element.addEventListener('pointerdown', (event) => {
    const at = place(event);
    fingers.set(event.pointerId, at);
    if (painter !== null) {
      // A second finger zooms: the first one did not mean to paint.
      painter = null;
      events.onBrush({ do: 'cancel' });
    } else if (events.tool() === 'brush' && fingers.size === 1 && (event.buttons & (1 | ERASER)) !== 0) {
      painter = event.pointerId;
      events.onBrush({ do: 'down', ...at, erasing: (event.buttons & ERASER) !== 0 });
    }
    element.setPointerCapture(event.pointerId);
    element.focus({ preventScroll: true });
  });

  element.addEventListener('pointermove', (event) => {
    const now = place(event);
    const before = fingers.get(event.pointerId);
    events.onHover(now.x, now.y);
    if (before === undefined) return;
    const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    fingers.set(event.pointerId, now);
    if (painter === event.pointerId) {
      // Between two frames a pen goes further than one event tells.
      const passed = event.getCoalescedEvents();
      for (const step of passed.length > 0 ? passed : [event]) events.onBrush({ do: 'go', ...place(step) });
      return;
    }
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    if (other !== undefined) {
      const distance = (at: { x: number; y: number }): number => Math.hypot(at.x - other.x, at.y - other.y);
      // Each of the two fingers tells its own half of a common move.
      events.onPan(dx / 2, dy / 2);
      if (distance(before) > 0) events.onZoom(distance(now) / distance(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
      return;
    }
    const second = (event.buttons & 2) !== 0;
    const middle = (event.buttons & 4) !== 0;
    // The second button does what the first does not; beside a brush it moves the image.
    const tool = events.tool();
    const windowing = !middle && tool !== 'brush' && (tool === 'window') !== second;
    if (windowing) events.onWindow(dx, dy);
    else events.onPan(dx, dy);
  });

  const release = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    if (painter !== event.pointerId) return;
    painter = null;
    events.onBrush({ do: event.type === 'pointerup' ? 'up' : 'cancel' });
  };
  element.addEventListener('pointerup', release);
  element.addEventListener('pointercancel', release);
  element.addEventListener('pointerleave', () => events.onLeave());
  element.addEventListener('contextmenu', (event) => event.preventDefault());
  element.addEventListener('dblclick', () => events.onDoubleClick());

  let scrolled = 0;
  element.addEventListener(
    'wheel',
    (event) => {
      // Whoever only scrolls past keeps scrolling: the wheel zooms once the image was clicked or reached by Tab.
      if (!event.ctrlKey && document.activeElement !== element) return;
      event.preventDefault();
      // In a series the wheel goes through the slices, with Ctrl it zooms.
      scrolled += event.ctrlKey ? 0 : event.deltaY;
      const step = Math.trunc(scrolled / WHEEL_SLICE);
      scrolled -= step * WHEEL_SLICE;
      if (!event.ctrlKey && events.onStep(step)) return;
      const { x, y } = place(event);
      // A pinch on a touchpad comes as small steps with ctrl.
      events.onZoom(WHEEL_FACTOR ** (-event.deltaY * (event.ctrlKey ? 6 : 1)), x, y);
    },
    { passive: false },
  );
}
